//! The pace of a node: how fast it applies what is decided, for those who read it.

#![allow(clippy::disallowed_methods, reason = "the edge: paces by the clock")]

use std::time::Duration;

use chatterbox_hub::{Lag, TimelineLimits};
use tokio::time::Instant;

use crate::chat::shared::Chat;

/// Back-pressure: pauses the writer for receivers who would be overtaken although they read as fast as they can.
///
/// Such a receiver is more than half a timeline behind *and* still reading. Slow consumers who have stopped reading are
/// never waited for, and pauses are bounded: no receiver slows the chat below [`FLOOR_EVENTS`] and [`FLOOR_BYTES`] a second.
pub(super) struct Pace {
    start: Instant,
    /// The volume between two checks.
    step: Lag,
    /// The volume at the last check, and when that was.
    checked: Lag,
    checked_at: Instant,
}

const FLOOR_EVENTS: u32 = 20_000;
/// Receivers who read are expected to take so much.
pub const FLOOR_BYTES: u32 = 8 * 1024 * 1024;
const PAUSE: Duration = Duration::from_millis(5);

/// Checks for each full turn of the timeline.
const CHECKS: u64 = 32;

impl Pace {
    pub(super) fn new(limits: TimelineLimits, volume: Lag, start: Instant) -> Self {
        let step = Lag { events: limits.events as u64 / CHECKS, bytes: limits.bytes / CHECKS };
        Self { start, step, checked: volume, checked_at: start }
    }

    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Pauses now, if that is due.
    pub(super) async fn keep(&mut self, chat: &Chat) {
        let mut pause = self.begin_pause(chat);
        while let Some(going_on) = pause {
            tokio::time::sleep_until(going_on.looks).await;
            pause = self.go_on(going_on, chat);
        }
    }

    /// A pause that is due now, for whoever has something else to do meanwhile.
    pub(super) fn begin_pause(&mut self, chat: &Chat) -> Option<Pause> {
        let volume = chat.volume();
        let events = volume.events - self.checked.events;
        let bytes = volume.bytes - self.checked.bytes;
        if events < self.step.events && bytes < self.step.bytes {
            return None;
        }
        self.checked = volume;
        let floor = |amount: u64, rate: u32| {
            Duration::from_secs(1)
                .mul_f64(u32::try_from(amount).unwrap_or(u32::MAX) as f64 / f64::from(rate))
        };
        let longest = floor(events, FLOOR_EVENTS).max(floor(bytes, FLOOR_BYTES));
        // What came no faster than that needs no pause.
        let longest = longest.saturating_sub(self.checked_at.elapsed());
        let now = Instant::now();
        self.go_on(Pause { looks: now, until: now + longest }, chat)
    }

    /// What is left of a pause when it is looked at.
    pub(super) fn go_on(&mut self, pause: Pause, chat: &Chat) -> Option<Pause> {
        let now = Instant::now();
        if chat.evict_overtaken(self.now()).catching_up && now < pause.until {
            return Some(Pause { looks: now + PAUSE, ..pause });
        }
        self.checked_at = now;
        None
    }
}

/// A pause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    /// When it is looked at next.
    looks: Instant,
    /// When it ends, if nothing ends it before.
    until: Instant,
}

impl Pause {
    /// When it is looked at next.
    pub(super) const fn looks_at(&self) -> Instant {
        self.looks
    }
}
