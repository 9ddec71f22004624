//! Blocking: who does not want to hear whom.

use conformance_suite::fault::Fault;

use crate::{
    chat::{Chat, Member},
    entry::Entry,
};

impl Chat {
    /// From now on, one sees nothing of the other.
    pub(crate) fn block(&mut self, one: &str, other: &str) {
        self.blocks.insert((one.to_owned(), other.to_owned()));
    }

    /// Whether a public message of a user is not for a member.
    pub(crate) fn hides(&self, member: &Member, sender: &str) -> bool {
        let f = &self.faults;
        let blocks =
            |one: &str, other: &str| self.blocks.iter().any(|(a, b)| a == one && b == other);
        if blocks(&member.name, sender) {
            return !f.acts(Fault::BlockedHeard);
        }
        if !blocks(sender, &member.name) || f.acts(Fault::BlockedListens) {
            return false;
        }
        // By the base protocol a message to ALL reaches everybody.
        member.agreed.offered() || f.acts(Fault::BlockHidesFromBase)
    }

    /// Whether private messages between the two are refused.
    pub(crate) fn apart(&self, one: &str, other: &str) -> bool {
        let pair = |(a, b): &(String, String)| (a == one && b == other) || (a == other && b == one);
        self.blocks.iter().any(pair) && !self.faults.acts(Fault::BlockedWhispers)
    }

    /// Whether a message of the past is not for a user.
    pub(crate) fn hides_past(&self, own: &str, entry: &Entry) -> bool {
        let hidden = self.blocks.iter().any(|(a, b)| a == own && b == entry.src());
        hidden && !self.faults.acts(Fault::BlockLeavesPast)
    }
}
