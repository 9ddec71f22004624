//! How far ahead of its reader a long welcome is written: how much of it the system may hold before it is sent.
//!
//! Usually that is little: less is buffered for slow readers, and their progress is seen in small steps. On a fast way each step costs a
//! turn of the connection's task, about a third of what writing a long history costs. So whoever takes what the system holds quickly
//! is written further ahead, as long as there is a place. How far follows from how fast: what is held is sent in a tenth of a second,
//! unless the way becomes slower at that moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many connections may be ahead at a time: what the system holds for those who then take nothing is bounded by that.
const PLACES: usize = 64;

/// The system holds no more of one, in bytes.
pub(super) const UNSENT_AHEAD: u32 = 2 * 1024 * 1024;

/// A welcome of so many bytes is worth it.
pub(super) const LONG_WELCOME: usize = 512 * 1024;

/// So long the system takes to send what it may hold, as fast as it has just sent a half of that. It says that it takes more when no more
/// than the half is unsent.
const HELD: Duration = Duration::from_millis(100);

/// The places of connections that are ahead.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

impl Places {
    /// How far ahead a welcome of so many bytes is written, if it is long.
    pub(crate) fn for_welcome(&self, bytes: usize) -> Option<Ahead> {
        (bytes >= LONG_WELCOME).then(|| Ahead {
            places: self.clone(),
            place: None,
            left: bytes,
            unsent: 0,
            blocked: None,
        })
    }

    fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.0.available_permits()
    }
}

/// How far ahead one connection is written.
#[derive(Debug)]
pub(crate) struct Ahead {
    places: Places,
    /// Held while the system may hold more than usually, and until it has sent that.
    place: Option<OwnedSemaphorePermit>,
    /// So many bytes of the welcome are not written.
    left: usize,
    /// So much may be unsent; at the beginning, as much as usually.
    unsent: u32,
    /// Since when the system takes nothing more.
    blocked: Option<Instant>,
}

impl Ahead {
    /// Whether the system may hold more than usually, or still does.
    pub(super) const fn has_place(&self) -> bool {
        self.place.is_some()
    }

    /// Whether all of the welcome is written, and the place is given back.
    pub(super) const fn is_over(&self) -> bool {
        self.left == 0 && self.place.is_none()
    }

    /// Notes that the system takes nothing more.
    pub(super) fn blocked(&mut self, now: Instant) {
        self.blocked.get_or_insert(now);
    }

    /// Whether more may be unsent now than usually.
    pub(super) const fn is_beyond(&self, usual: u32) -> bool {
        self.unsent > usual
    }

    /// Notes that it has taken so many bytes, and says how many may be unsent from now on where that changes.
    pub(super) fn written(&mut self, bytes: usize, usual: u32, now: Instant) -> Option<u32> {
        let waited = self.blocked.take().map(|since| now.saturating_duration_since(since));
        self.left = self.left.saturating_sub(bytes);
        let unsent = self.unsent.max(usual);
        let wanted = match waited {
            _ if self.left == 0 => usual,
            None => unsent,
            Some(waited) => sent_in(HELD, unsent / 2, waited).clamp(usual, UNSENT_AHEAD),
        };
        if wanted > usual && self.place.is_none() {
            self.place = self.places.take();
        }
        self.unsent = if self.place.is_some() { wanted } else { usual };
        (self.unsent != unsent).then_some(self.unsent)
    }

    /// Gives the place back, when the system holds no more than usually.
    pub(super) fn is_sent(&mut self) {
        self.place = None;
    }
}

/// How many bytes are sent in a time, as fast as so many were in another one.
fn sent_in(time: Duration, bytes: u32, waited: Duration) -> u32 {
    let bytes = u128::from(bytes) * time.as_micros() / waited.as_micros().max(1);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use super::*;

    const USUAL: u32 = 128 * 1024;
    /// As fast as keeps what the system holds as it is.
    const STEADY: Duration = Duration::from_millis(50);
    const QUICK: Duration = Duration::from_millis(25);
    const SLOW: Duration = Duration::from_millis(100);

    /// What may be unsent after the system took a byte each time, having taken nothing for so long.
    fn after(ahead: &mut Ahead, waits: impl IntoIterator<Item = Duration>) -> u32 {
        let mut now = Instant::now();
        for wait in waits {
            ahead.blocked(now);
            // It may be tried again meanwhile.
            ahead.blocked(now + wait / 2);
            now += wait;
            let before = ahead.unsent.max(USUAL);
            let changed = ahead.written(1, USUAL, now);
            assert_eq!(changed, (ahead.unsent != before).then_some(ahead.unsent));
        }
        ahead.unsent
    }

    #[test]
    fn whoever_is_quick_is_written_further_ahead_until_it_is_slow() {
        let places = Places::default();
        assert!(places.for_welcome(LONG_WELCOME - 1).is_none(), "it is short");
        let mut ahead = places.for_welcome(LONG_WELCOME).unwrap();
        assert_eq!(ahead.written(1, USUAL, Instant::now()), None, "it did not wait");
        assert_eq!(after(&mut ahead, [SLOW, STEADY, Duration::from_secs(3600)]), USUAL);
        assert_eq!(places.free(), PLACES, "whoever is slow takes no place");
        assert_eq!(after(&mut ahead, [QUICK; 2]), 4 * USUAL);
        assert_eq!(places.free(), PLACES - 1);
        assert_eq!(after(&mut ahead, [STEADY]), 4 * USUAL);
        assert_eq!(after(&mut ahead, [Duration::ZERO]), UNSENT_AHEAD);
        assert_eq!(after(&mut ahead, [SLOW]), UNSENT_AHEAD / 2);
        assert_eq!(after(&mut ahead, [Duration::from_secs(1)]), USUAL);
    }

    #[test]
    fn the_place_is_kept_until_what_was_written_is_sent() {
        let places = Places::default();
        let mut ahead = places.for_welcome(LONG_WELCOME).unwrap();
        let _ = after(&mut ahead, [QUICK]);
        assert_eq!(ahead.written(LONG_WELCOME, USUAL, Instant::now()), Some(USUAL));
        assert!(ahead.has_place() && !ahead.is_over());
        assert_eq!(
            after(&mut ahead, [QUICK; 3]),
            USUAL,
            "what comes behind the welcome is no part of it"
        );
        assert_eq!(places.free(), PLACES - 1);
        ahead.is_sent();
        assert!(ahead.is_over());
        assert_eq!(places.free(), PLACES);
    }

    #[test]
    fn without_a_place_it_is_written_as_usual() {
        let places = Places::default();
        let mut all: Vec<_> =
            std::iter::from_fn(|| places.for_welcome(LONG_WELCOME)).take(PLACES + 1).collect();
        let (last, first) = all.split_last_mut().unwrap();
        for ahead in first {
            assert_eq!(after(ahead, [QUICK]), 2 * USUAL);
        }
        assert_eq!(after(last, [QUICK; 3]), USUAL);
        all.remove(0);
        let last = all.last_mut().unwrap();
        assert_eq!(after(last, [QUICK]), 2 * USUAL, "who goes gives a place back");
    }
}
