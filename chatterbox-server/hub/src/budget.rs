//! The one budget of memory that waits for members to read it.
//!
//! Every member's queue has a bound of its own, but ten thousand of those are more than a machine has. So all that waits is
//! counted together: what is queued for one member, what was handed to its connection and is not written yet, batches that
//! nobody else needs any more, and dropped parts of the history that a welcome still holds. Beyond the budget somebody is
//! removed: [`crate::over_budget`] says who.

use std::collections::HashMap;

use crate::ids::MemberId;

/// The budget where nothing else is set, in bytes.
pub const WAITING: usize = 64 * 1024 * 1024;

/// The bytes that wait, and how many may.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limit: usize,
    /// What waits for single members: the sum of their [`own_bytes`](crate::member::Member::own_bytes).
    pub(crate) own: usize,
    /// What is going to be free when the connections of removed members end, beside their own bytes.
    leaving: HashMap<MemberId, usize>,
    leaving_bytes: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, own: 0, leaving: HashMap::new(), leaving_bytes: 0 }
    }

    /// Counts a change of what one member holds.
    pub(crate) fn change(&mut self, from: usize, to: usize) {
        self.own = (self.own + to).saturating_sub(from);
    }

    /// Notes that a member was removed, whose end frees so much that others do not hold.
    pub(crate) fn leaves(&mut self, id: MemberId, freed: usize) {
        if freed > 0 {
            self.leaving.insert(id, freed);
            self.leaving_bytes += freed;
        }
    }

    /// Notes that its connection has ended.
    pub(crate) fn has_left(&mut self, id: MemberId) {
        if let Some(freed) = self.leaving.remove(&id) {
            self.leaving_bytes -= freed;
        }
    }

    /// The bytes that are going to be free.
    pub(crate) const fn leaving(&self) -> usize {
        self.leaving_bytes
    }
}
