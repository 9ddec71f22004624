//! The chat as one node of several has it: which node it is of, which others are up, and what all of them have in common.

use chatterbox_hub::format::{self, FormatError};
use chatterbox_hub::{
    AccountRef, Durable, Incarnation, NodeUp, Proposal, Removal, RoomRecord, Sequence, StateCopy,
};
use chatterbox_proto::{Capabilities, Capability};

use crate::chat::shared::Chat;

/// The capabilities for which the order has something new, and the level of its format since which it has that.
const SINCE: [(Capability, u8); 5] = [
    (Capability::Meta, format::META),
    (Capability::Devices, format::DEVICES),
    (Capability::Marks, format::DEVICES),
    (Capability::Files, format::FILES),
    (Capability::E2ee, format::KEYS),
];

impl Chat {
    /// What of all that is spoken can be agreed to now. Where several nodes have one order, it carries what goes with messages,
    /// second devices, read positions, what is known about files and public keys once all nodes read the format that has them.
    pub(crate) fn carried(&self, spoken: Capabilities) -> Capabilities {
        if !self.is_in_cluster() {
            return spoken;
        }
        let level = self.level();
        let too_new = SINCE.into_iter().filter(|(_, since)| u16::from(*since) > level);
        too_new.fold(spoken, |spoken, (capability, _)| spoken.without(capability))
    }

    /// Notes which life of a node of several this is.
    pub(super) fn serves(&self, node: Incarnation) {
        self.hub().serves(node);
    }

    /// What other nodes are to be told of the queues of members of this one; see [`chatterbox_hub::Hub::take_crowded`].
    pub(super) fn take_crowded(&self) -> Option<Proposal> {
        self.hub().take_crowded()
    }

    /// How many members a node has, with those that it holds.
    pub(crate) fn members_at(&self, node: Incarnation) -> usize {
        self.hub().members_at(node)
    }

    /// The nodes that are up, as what is applied has it.
    pub(super) fn nodes_up(&self) -> Vec<NodeUp> {
        self.hub().nodes_up()
    }

    /// The accounts of which something is known here; see [`chatterbox_hub::Hub::known_accounts`].
    pub(super) fn known_accounts(&self) -> Vec<AccountRef> {
        self.hub().known_accounts()
    }

    /// The time of the order, as what is applied has it, in milliseconds.
    pub(crate) fn time_of_order(&self) -> u64 {
        self.hub().time_of_order()
    }

    /// The format in which groups may be written by now.
    pub(super) fn level(&self) -> u16 {
        self.hub().level()
    }

    /// Ends the connections of all members of this node, and tells each of them why.
    pub(crate) fn put_out_all(&self, reason: &Removal) {
        let removed = self.hub().remove_all(reason);
        self.notifier().notify_removed(&removed);
    }

    /// Leaves from now on what has to be stored of what is applied; see [`chatterbox_hub::Hub::leave_durable`].
    pub(super) fn leave_durable(&self) {
        self.hub().leave_durable();
    }

    /// What has to be stored of what was applied.
    pub(super) fn take_durable(&self) -> Vec<Durable> {
        self.hub().take_durable()
    }

    /// A copy of all that nodes have in common, as it is now; see [`chatterbox_hub::Hub::copy_state`].
    pub(super) fn copy_state(&self) -> StateCopy {
        self.hub().copy_state()
    }

    /// Begins with what another node has frozen; see [`chatterbox_hub::Hub::thaw`].
    pub(super) fn thaw(&self, state: &[u8]) -> Result<(), FormatError> {
        let mut hub = self.hub();
        hub.thaw(state)?;
        self.note_lobby(&hub);
        Ok(())
    }

    /// All that is so of rooms; see [`chatterbox_hub::Hub::room_facts`].
    pub(super) fn room_facts(&self) -> Vec<RoomRecord> {
        self.hub().room_facts()
    }

    /// The greatest number of a message, or of a wish about rooms, of what was applied.
    pub(super) fn newest_number(&self) -> Sequence {
        self.hub().newest_number()
    }

    /// Whether this life of a node counts.
    pub(super) fn is_up(&self, node: Incarnation) -> bool {
        self.hub().is_up(node)
    }

    /// One number for all that nodes have in common.
    #[cfg(test)]
    pub(super) fn digest(&self) -> u64 {
        self.hub().digest()
    }
}
