//! The members of whom something is to be told beside that they come and go (PR-2).

use std::collections::{HashSet, VecDeque};

use crate::ids::MemberId;

/// The members of whom something is to be told.
#[derive(Debug, Default)]
pub(crate) struct PresenceDesk {
    /// In the order in which it happened; no more than there are members, and those who have left since.
    pub(crate) waiting: VecDeque<MemberId>,
    pub(crate) known: HashSet<MemberId>,
    /// When something was told last.
    pub(crate) told: Option<u64>,
}

impl PresenceDesk {
    /// Notes that something is to be told of a member.
    pub(crate) fn note(&mut self, member: MemberId) {
        if self.known.insert(member) {
            self.waiting.push_back(member);
        }
    }

    /// Notes that a member is another one from now on; says whether something is to be told of it.
    pub(crate) fn replaced(&mut self, before: MemberId, now: MemberId) {
        if self.known.contains(&before) {
            self.note(now);
        }
    }
}
