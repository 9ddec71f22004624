//! Digests of something that all nodes have alike, as it was behind some places, to be compared with those of others.

use std::collections::VecDeque;

use crate::order::Place;

/// Those that are remembered: a tick tells of the last minute.
const KEPT: usize = 8;

/// The newest digests.
#[derive(Debug, Default)]
pub(super) struct Digests {
    /// With the places behind which it was like that, the oldest first.
    kept: VecDeque<(Place, u64)>,
    /// The one that no tick has told yet.
    untold: Option<(Place, u64)>,
}

impl Digests {
    /// Takes the one of a place.
    pub(super) fn add(&mut self, place: Place, digest: u64) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((place, digest));
        self.untold = Some((place, digest));
    }

    /// Takes out the one that no tick has told yet.
    pub(super) fn take_untold(&mut self) -> Option<(Place, u64)> {
        self.untold.take()
    }

    /// The newest one.
    pub(super) fn newest(&self) -> Option<(Place, u64)> {
        self.kept.back().copied()
    }

    /// Where it was another one here, if it was; of places without one nothing is known.
    pub(super) fn differs(&self, told: Option<(Place, u64)>) -> Option<Place> {
        let (place, digest) = told?;
        let own = self.kept.iter().find(|(own, _)| *own == place);
        own.filter(|(_, own)| *own != digest).map(|_| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_compared_and_told_once() {
        let mut digests = Digests::default();
        assert_eq!((digests.take_untold(), digests.newest()), (None, None));
        for place in 1..=10 {
            digests.add(place, place * 7);
        }
        assert_eq!(digests.newest(), Some((10, 70)));
        assert_eq!((digests.take_untold(), digests.take_untold()), (Some((10, 70)), None));
        assert_eq!(digests.differs(None), None);
        assert_eq!(
            (digests.differs(Some((5, 35))), digests.differs(Some((5, 36)))),
            (None, Some(5))
        );
        assert_eq!(digests.differs(Some((2, 0))), None, "that long ago nobody knows");
        assert_eq!(digests.kept.len(), KEPT);
    }
}
