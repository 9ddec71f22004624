//! How far a store has followed the order of several nodes.

/// A place in the order of a cluster. What follows from everything up to there is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Followed {
    /// The place.
    pub place: u64,
    /// The checksum of everything that was read up to there: another order has another one, whatever its places.
    pub read: u64,
}
