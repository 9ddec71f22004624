//! The doors of one node: whether users are taken, and what becomes of the places of those who go.

use std::sync::atomic::{AtomicBool, Ordering};

/// The doors of one node. Each is read at every join, or at every end of a connection, and changed a few times in a life.
#[derive(Debug, Default)]
pub(crate) struct Doors {
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

    /// Whether users are taken from now on. Those who are refused meanwhile are told that they may try again.
    pub(crate) fn take_users(&self, take: bool) {
        self.are_closed.store(!take, Ordering::Relaxed);
    }

    /// From now on, members whose sessions can go on elsewhere keep their places when their connections end. Whoever calls this has
    /// to end their places later: with the node ([`chatterbox_hub::Proposal::Down`]).
    pub(crate) fn hold_sessions(&self) {
        self.hold.store(true, Ordering::Relaxed);
    }
}
