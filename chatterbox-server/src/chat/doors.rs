//! The doors of one node: whether users are taken, and what becomes of the places of those who go.

use std::sync::atomic::{AtomicBool, Ordering};

use chatterbox_hub::{Incarnation, NodeUp, Removal};

use crate::chat::shared::Chat;

/// The doors of one node. Each is read at every join, or at every end of a connection, and changed a few times in a life.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// Whoever wants to join is refused: nothing comes round, or the node is about to end.
    are_closed: AtomicBool,
    /// Members whose sessions can go on don't leave when their connections end: they are expected at another node in a moment.
    hold: AtomicBool,
}

impl Doors {
    pub(super) fn are_open(&self) -> bool {
        !self.are_closed.load(Ordering::Relaxed)
    }

    pub(super) fn hold(&self) -> bool {
        self.hold.load(Ordering::Relaxed)
    }
}

impl Chat {
    /// Whether users are taken from now on. Those who are refused meanwhile are told that they may try again.
    pub(crate) fn take_users(&self, take: bool) {
        self.doors().are_closed.store(!take, Ordering::Relaxed);
    }

    /// From now on, members whose sessions can go on elsewhere keep their places when their connections end. Whoever calls this has
    /// to end their places later: with the node ([`chatterbox_hub::Proposal::Down`]).
    pub(crate) fn hold_sessions(&self) {
        self.doors().hold.store(true, Ordering::Relaxed);
    }

    /// How many members a node has, with those that it holds.
    pub(crate) fn members_at(&self, node: Incarnation) -> usize {
        self.hub().members_at(node)
    }

    /// The nodes that are up, as what is applied has it.
    pub(super) fn nodes_up(&self) -> Vec<NodeUp> {
        self.hub().nodes_up()
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
}
