//! The running checksum of everything that was read of the order, as it was behind the last places.

use std::collections::VecDeque;

use crate::order::Place;

/// The places whose checksums are kept, in 128 KiB. A tick tells of a place that its node had applied when it was written: seconds
/// before, at some thousands of groups a second at the most.
const KEPT: usize = 16_384;

/// The checksums behind the last places.
#[derive(Debug)]
pub(super) struct Checksums {
    /// The last place.
    place: Place,
    /// The checksum there.
    read: u64,
    /// Those of the last places, the oldest first, with that of the place with which it began.
    kept: VecDeque<u64>,
}

impl Checksums {
    /// Begins behind a place, with the checksum of everything up to it.
    pub(super) fn new(place: Place, read: u64) -> Self {
        Self { place, read, kept: VecDeque::from([read]) }
    }

    /// Takes the checksum of everything up to a place.
    ///
    /// # Errors
    /// The place that has to come next, when it is not this one. Nothing is taken then.
    pub(super) fn push(&mut self, place: Place, read: u64) -> Result<(), Place> {
        let expected = self.place.saturating_add(1);
        if place != expected {
            return Err(expected);
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        (self.place, self.read) = (place, read);
        self.kept.push_back(read);
        Ok(())
    }

    /// The last place.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The checksum of everything up to the last place.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// What it was behind a place, if that is one of the last.
    pub(super) fn at(&self, place: Place) -> Option<u64> {
        let back = usize::try_from(self.place.checked_sub(place)?).ok()?;
        let index = self.kept.len().checked_sub(1)?.checked_sub(back)?;
        self.kept.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_places_are_known_and_no_others() {
        let mut sums = Checksums::new(5, 77);
        assert_eq!((sums.at(5), sums.at(4), sums.at(6)), (Some(77), None, None));
        for place in 6..=5 + KEPT as Place {
            sums.push(place, 1000 + place).unwrap();
        }
        let newest = 5 + KEPT as Place;
        assert_eq!((sums.place(), sums.read()), (newest, 1000 + newest));
        assert_eq!((sums.at(newest), sums.at(6)), (Some(1000 + newest), Some(1006)));
        assert_eq!((sums.at(5), sums.kept.len()), (None, KEPT), "the oldest has gone");
    }

    #[test]
    fn a_place_comes_behind_the_one_before_it() {
        let mut sums = Checksums::new(5, 77);
        for place in [0, 5, 7, Place::MAX] {
            assert_eq!(sums.push(place, 1), Err(6), "{place}");
        }
        assert_eq!((sums.place(), sums.read(), sums.at(5)), (5, 77, Some(77)));
    }
}
