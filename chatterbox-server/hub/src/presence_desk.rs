//! The users of whom something is to be told beside that they come and go (PR-2).

use std::collections::{HashSet, VecDeque};

use crate::ids::MemberId;

/// The users of whom something is to be told.
#[derive(Debug, Default)]
pub(crate) struct PresenceDesk {
    /// By the numbers of their first devices, in the order in which it happened; no more than there are users, and those who have
    /// left since.
    pub(crate) waiting: VecDeque<MemberId>,
    pub(crate) known: HashSet<MemberId>,
    /// When something was told last.
    pub(crate) told: Option<u64>,
}

impl PresenceDesk {
    /// Notes that something is to be told of a user.
    pub(crate) fn note(&mut self, user: MemberId) {
        if self.known.insert(user) {
            self.waiting.push_back(user);
        }
    }

    /// Notes that a user has another number from now on, and that the same is to be told of them.
    pub(crate) fn replaced(&mut self, before: MemberId, now: MemberId) {
        if self.known.contains(&before) {
            self.note(now);
        }
    }
}
