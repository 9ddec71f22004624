//! Who is woken, and when.
//!
//! A message wakes everybody at once. That somebody has come or gone may wait a moment, so that a crowd coming in makes
//! a few long lists and not a write to everybody for each of them; the next message takes along what is waiting.

#![allow(clippy::disallowed_methods, reason = "the edge: notices wait for the clock")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::hub::{MemberId, Wake};

/// Comings and goings are told at most this often. Nobody sees the difference, and 1,000 users who join within a second
/// cost everybody 50 writes.
const NOTICES_EVERY: Duration = Duration::from_millis(20);

/// The bells of everybody who is here.
#[derive(Debug)]
pub struct Bells {
    /// Rings for everybody; a receiver that was not listening notices all the same.
    lobby: watch::Sender<()>,
    own: Mutex<HashMap<MemberId, Arc<Notify>>>,
    /// Whether comings and goings wait to be told.
    notices: Notify,
}

impl Bells {
    /// No bells.
    pub fn new() -> Self {
        Self { lobby: watch::Sender::new(()), own: Mutex::default(), notices: Notify::new() }
    }

    // A panic under the lock would be our bug; the others' bells go on ringing.
    fn own(&self) -> MutexGuard<'_, HashMap<MemberId, Arc<Notify>>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A bell for a member who has just joined, and the one that rings for everybody. It has rung already: something may
    /// have happened meanwhile.
    pub fn hang(&self, id: MemberId) -> (Arc<Notify>, watch::Receiver<()>) {
        let bell = Arc::new(Notify::new());
        self.own().insert(id, Arc::clone(&bell));
        let mut lobby = self.lobby.subscribe();
        lobby.mark_changed();
        (bell, lobby)
    }

    /// Takes down the bell of a member who has left.
    pub fn take_down(&self, id: MemberId) {
        self.own().remove(&id);
    }

    /// Rings for whom it is due.
    pub fn ring(&self, wake: Wake) {
        match wake {
            Wake::All => {
                self.lobby.send_replace(());
            }
            Wake::AllSoon => self.notices.notify_one(),
            Wake::One(id) => self.ring_each(&[id]),
            Wake::Nobody => {}
        }
    }

    /// Rings for some.
    pub fn ring_each(&self, ids: &[MemberId]) {
        if ids.is_empty() {
            return;
        }
        let own = self.own();
        for bell in ids.iter().filter_map(|id| own.get(id)) {
            bell.notify_one();
        }
    }

    /// Rings for [`Wake::AllSoon`], for as long as it is polled.
    pub async fn ring_for_notices(&self) -> Infallible {
        loop {
            self.notices.notified().await;
            self.ring(Wake::All);
            tokio::time::sleep(NOTICES_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn notices_are_rung_for_at_once_and_then_together() {
        let bells = Arc::new(Bells::new());
        let (_bell, mut lobby) = bells.hang(MemberId::default());
        lobby.mark_unchanged();
        let ringer = Arc::clone(&bells);
        let ringing = tokio::spawn(async move { ringer.ring_for_notices().await });
        let start = tokio::time::Instant::now();
        bells.ring(Wake::AllSoon);
        lobby.changed().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "the first does not wait");
        for _ in 0..100 {
            bells.ring(Wake::AllSoon);
        }
        lobby.changed().await.unwrap();
        assert_eq!(start.elapsed(), NOTICES_EVERY);
        let more = tokio::time::timeout(Duration::from_secs(60), lobby.changed());
        assert!(more.await.is_err(), "a hundred are one");
        bells.ring(Wake::All);
        assert!(lobby.has_changed().unwrap(), "a message does not wait");
        ringing.abort();
    }
}
