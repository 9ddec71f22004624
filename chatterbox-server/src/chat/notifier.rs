//! Who is woken, and when.
//!
//! A message wakes everybody at once. That somebody has come or gone may wait a moment, so that a crowd coming in makes
//! a few long lists and not a write to everybody for each of them; the next message takes along what is waiting.

#![allow(clippy::disallowed_methods, reason = "the edge: notices wait for the clock")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatterbox_hub::{MemberId, Wake};

use crate::chat::wake_flag::Bell;

/// Comings and goings are told at most this often. Nobody sees the difference, and 1,000 users who join within a second
/// cost everybody 33 writes.
const NOTICES_EVERY: Duration = Duration::from_millis(20);

/// For each member it is so much longer, several times what it takes to tell one: a crowd that joins is not to be busy
/// with telling each other. With 10,000 members it is 120 ms.
const NOTICES_FOR_EACH: Duration = Duration::from_micros(10);

/// The bells of one member.
#[derive(Debug, Default)]
pub struct MemberBells {
    /// Rings when there is something to take.
    pub news: Bell,
    /// Rings when the member was removed.
    pub removed: Bell,
}

/// The bells of everybody who is here.
#[derive(Debug, Default)]
pub struct Bells {
    bells: Mutex<HashMap<MemberId, Arc<MemberBells>>>,
    /// Rings when comings and goings are to be told.
    notices: Bell,
}

impl Bells {
    // A panic under the lock would be our bug; the others' bells go on ringing.
    fn bells(&self) -> MutexGuard<'_, HashMap<MemberId, Arc<MemberBells>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bells for a member who has just joined. That for news has rung already: something may have happened meanwhile.
    pub fn hang(&self, id: MemberId) -> Arc<MemberBells> {
        let bells = Arc::new(MemberBells::default());
        self.bells().insert(id, Arc::clone(&bells));
        bells.news.ring();
        bells
    }

    /// Takes down the bells of a member who has left.
    pub fn take_down(&self, id: MemberId) {
        self.bells().remove(&id);
    }

    /// Rings for whom it is due.
    pub fn ring(&self, wake: Wake) {
        match wake {
            Wake::All => self.bells().values().for_each(|bells| bells.news.ring()),
            Wake::AllSoon => self.notices.ring(),
            Wake::One(id) => self.ring_each(&[id]),
            Wake::Nobody => {}
        }
    }

    /// Rings for news of some.
    pub fn ring_each(&self, ids: &[MemberId]) {
        self.each(ids, |bells| bells.news.ring());
    }

    /// Tells some that they were removed.
    pub fn ring_removed(&self, ids: &[MemberId]) {
        self.each(ids, |bells| {
            bells.removed.ring();
            bells.news.ring();
        });
    }

    fn each(&self, ids: &[MemberId], ring: impl Fn(&MemberBells)) {
        if ids.is_empty() {
            return;
        }
        let bells = self.bells();
        ids.iter().filter_map(|id| bells.get(id)).for_each(|bells| ring(bells));
    }

    /// Rings for [`Wake::AllSoon`], for as long as it is polled.
    pub async fn ring_for_notices(&self) -> Infallible {
        loop {
            self.notices.rung().await;
            self.ring(Wake::All);
            let members = u32::try_from(self.bells().len()).unwrap_or(u32::MAX);
            tokio::time::sleep(NOTICES_EVERY + NOTICES_FOR_EACH.saturating_mul(members)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::{Hub, Keep, TimelineLimits};
    use chatterbox_proto::Username;

    use super::*;

    fn a_member() -> MemberId {
        let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
        hub.join(&Username::parse("ann").unwrap(), "").unwrap().id
    }

    #[tokio::test(start_paused = true)]
    async fn notices_are_rung_for_at_once_and_then_together() {
        let bells = Arc::new(Bells::default());
        let bell = bells.hang(a_member());
        bell.news.rung().await;
        let ringer = Arc::clone(&bells);
        let ringing = tokio::spawn(async move { ringer.ring_for_notices().await });
        let start = tokio::time::Instant::now();
        bells.ring(Wake::AllSoon);
        bell.news.rung().await;
        assert_eq!(start.elapsed(), Duration::ZERO, "the first does not wait");
        for _ in 0..100 {
            bells.ring(Wake::AllSoon);
        }
        bell.news.rung().await;
        // The clock of the runtime counts in milliseconds.
        let waited = start.elapsed();
        assert!(waited >= NOTICES_EVERY && waited < 2 * NOTICES_EVERY, "{waited:?}");
        let more = tokio::time::timeout(Duration::from_secs(60), bell.news.rung());
        assert!(more.await.is_err(), "a hundred are one");
        let start = tokio::time::Instant::now();
        bells.ring(Wake::All);
        bell.news.rung().await;
        assert_eq!(start.elapsed(), Duration::ZERO, "a message does not wait");
        ringing.abort();
    }
}
