//! The doors of one node: whether users are taken, what they are told of its end, and what becomes of the places of those who go.

#![allow(clippy::disallowed_methods, reason = "the edge: how long until the node ends")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatterbox_hub::Event;
use tokio::time::Instant;

use crate::chat::announcement::shutdown_notice;

/// The doors of one node. Each is read at every join, or at every end of a connection, and changed a few times in a life.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    /// Whoever wants to join is refused: nothing comes round, or the node is about to end.
    are_closed: AtomicBool,
    /// Members whose sessions can go on don't leave when their connections end: they are expected at another node in a moment.
    hold: AtomicBool,
    /// The end that those who are here were told of.
    end: Mutex<Option<End>>,
}

/// When a node ends, and how much later it is expected back.
#[derive(Debug)]
struct End {
    at: Instant,
    back_in: Option<Duration>,
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

    fn end(&self) -> MutexGuard<'_, Option<End>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever comes from now on is told that the node ends after this time: those who are here are told once, and only that.
    pub(crate) fn ends_in(&self, wait: Duration, back_in: Option<Duration>) {
        *self.end() = Instant::now().checked_add(wait).map(|at| End { at, back_in });
    }

    /// What somebody who has just come is told.
    pub(crate) fn notice(&self) -> Option<Event> {
        let end = self.end();
        let End { at, back_in } = end.as_ref()?;
        Some(shutdown_notice(at.saturating_duration_since(Instant::now()), *back_in))
    }

    /// From now on, members whose sessions can go on elsewhere keep their places when their connections end. Whoever calls this has
    /// to end their places later: with the node ([`chatterbox_hub::Proposal::Down`]).
    pub(crate) fn hold_sessions(&self) {
        self.hold.store(true, Ordering::Relaxed);
    }
}
