//! The one budget of memory that waits for members to read it.
//!
//! Every member's queue has a bound of its own, but ten thousand of those are more than a machine has. So all that waits is
//! counted together: what is queued for one member, what was handed to its connection and is not written yet, batches that
//! nobody else needs any more, and dropped parts of the history that a welcome still holds. Beyond the budget, who holds most is
//! removed: first of all the address that holds most, and of its members those that do.

/// The budget where nothing else is set, in bytes.
pub const WAITING: usize = 64 * 1024 * 1024;

/// The bytes that wait, and how many may.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limit: usize,
    /// What waits for single members: the sum of their [`own_bytes`](crate::member::Member::own_bytes).
    pub(crate) own: usize,
}

impl Budget {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, own: 0 }
    }

    /// Counts a change of what one member holds.
    pub(crate) fn change(&mut self, from: usize, to: usize) {
        self.own = (self.own + to).saturating_sub(from);
    }
}
