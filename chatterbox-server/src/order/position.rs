//! How far somebody has read an order.

use crate::order::total_order::{Decided, Place};

/// A place, and what there is to know of everything up to there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The place; 0 is before the first.
    pub place: Place,
    /// The time of that place.
    pub at: u64,
    /// The checksum of everything that was read up to there.
    pub read: u64,
}

/// An odd number whose bits look random, so that each bit that goes in concerns many that come out.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl Position {
    /// The position when the next group was read as well. Two who have read the same from the same position have the same checksum,
    /// and who has missed, repeated or exchanged a group has, but for one case in 2^64, another.
    pub fn then(self, next: &Decided) -> Self {
        let Decided { place, at, read, .. } = next;
        let read = (self.read.rotate_left(23) ^ read ^ place).wrapping_mul(MIX);
        Self { place: *place, at: self.at.max(*at), read: read ^ (read >> 29) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chatterbox_hub::{Group, Incarnation};

    use super::*;

    fn read(all: &[(u64, u64)]) -> u64 {
        let decided = |(place, read): &(u64, u64)| {
            let group = Group { from: Incarnation(1), number: 1, proposals: Vec::new() };
            Decided { place: *place, at: 0, read: *read, group: Arc::new(group) }
        };
        all.iter().map(decided).fold(Position::default(), |at, next| at.then(&next)).read
    }

    #[test]
    fn whoever_has_read_something_else_has_another_checksum() {
        let all = [(1, 7), (2, 8), (3, 9)];
        assert_eq!(read(&all), read(&all));
        for other in [
            &[(1, 7), (2, 8)][..],
            &[(1, 8), (2, 7), (3, 9)],
            &[(1, 7), (2, 9), (3, 9)],
            &[(1, 7), (2, 8), (4, 9)],
            &[(1, 0), (2, 8), (3, 9)],
            &[(2, 8), (3, 9)],
        ] {
            assert_ne!(read(&all), read(other), "{other:?}");
        }
    }
}
