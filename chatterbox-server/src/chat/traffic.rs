//! How much happens: what was counted in each of the last sixty seconds.

#![allow(clippy::disallowed_methods, reason = "the edge: counts by the clock")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The seconds that are counted.
const WINDOW: u32 = 60;

/// Counts by the second, for the last minute.
///
/// A second has one number: the second itself in the upper half, the count in the lower one. So whoever comes first in a second
/// begins it anew in one step, and nobody locks anything.
#[derive(Debug)]
struct Meter([AtomicU64; WINDOW as usize]);

impl Default for Meter {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Meter {
    /// Counts so many in a second.
    fn add(&self, second: u32, count: u64) {
        let Some(place) = self.0.get((second % WINDOW) as usize) else { return };
        let _ = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| {
            let before = if old >> 32 == u64::from(second) { old & u64::from(u32::MAX) } else { 0 };
            let now = before.saturating_add(count).min(u32::MAX.into());
            Some((u64::from(second) << 32) | now)
        });
    }

    /// How many were counted in the last minute: in this second, and the 59 before it.
    fn last_minute(&self, second: u32) -> u64 {
        let oldest = second.saturating_sub(WINDOW - 1);
        let seconds = u64::from(oldest)..=u64::from(second);
        let all = self.0.iter().map(|place| place.load(Ordering::Relaxed));
        all.filter(|value| seconds.contains(&(value >> 32)))
            .map(|value| value & u64::from(u32::MAX))
            .sum()
    }
}

/// What is counted of a chat.
#[derive(Debug)]
pub struct Traffic {
    start: Instant,
    messages: Meter,
    joins: Meter,
    refused_joins: Meter,
    refused_frames: Meter,
}

/// What there was in the last minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastMinute {
    /// The time that was counted: a minute, or as long as the chat has been open.
    pub counted: Duration,
    /// Messages that were delivered.
    pub messages: u64,
    /// Users who have come in.
    pub joins: u64,
    /// Connections that were turned away, and names that were refused.
    pub refused_joins: u64,
    /// Frames of members that were answered with an ERROR.
    pub refused_frames: u64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            messages: Meter::default(),
            joins: Meter::default(),
            refused_joins: Meter::default(),
            refused_frames: Meter::default(),
        }
    }
}

impl Traffic {
    fn second(&self) -> u32 {
        // The first is 1: 0 is what has never been counted.
        u32::try_from(self.start.elapsed().as_secs()).unwrap_or(u32::MAX - 1) + 1
    }

    /// Messages were delivered.
    pub fn said(&self, messages: u64) {
        if messages > 0 {
            self.messages.add(self.second(), messages);
        }
    }

    /// A user has come in.
    pub fn joined(&self) {
        self.joins.add(self.second(), 1);
    }

    /// A connection was turned away, or a name refused.
    pub fn join_refused(&self) {
        self.refused_joins.add(self.second(), 1);
    }

    /// A member was told that something of theirs was refused.
    pub fn frame_refused(&self) {
        self.refused_frames.add(self.second(), 1);
    }

    /// What there was in the last minute.
    pub fn last_minute(&self) -> LastMinute {
        let second = self.second();
        LastMinute {
            counted: self.start.elapsed().min(Duration::from_secs(WINDOW.into())),
            messages: self.messages.last_minute(second),
            joins: self.joins.last_minute(second),
            refused_joins: self.refused_joins.last_minute(second),
            refused_frames: self.refused_frames.last_minute(second),
        }
    }

    /// How long the chat has been open.
    pub fn open_for(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_counts_for_a_minute_and_its_place_is_used_again() {
        let meter = Meter::default();
        assert_eq!(meter.last_minute(1), 0);
        meter.add(1, 5);
        meter.add(1, 2);
        meter.add(60, 10);
        assert_eq!(meter.last_minute(60), 17);
        assert_eq!(meter.last_minute(61), 10, "the first second is over");
        meter.add(61, 1);
        assert_eq!(meter.last_minute(61), 11, "its place has the new count alone");
        assert_eq!(meter.last_minute(120), 1);
        assert_eq!(meter.last_minute(121), 0);
        meter.add(200, u64::MAX);
        assert_eq!(meter.last_minute(200), u64::from(u32::MAX), "a count fills its half at most");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_counted_is_told_apart_and_forgotten() {
        let traffic = Traffic::default();
        traffic.said(3);
        traffic.said(0);
        traffic.joined();
        tokio::time::sleep(Duration::from_secs(10)).await;
        traffic.join_refused();
        traffic.frame_refused();
        let counted = Duration::from_secs(10);
        assert_eq!(
            traffic.last_minute(),
            LastMinute { counted, messages: 3, joins: 1, refused_joins: 1, refused_frames: 1 }
        );
        tokio::time::sleep(Duration::from_secs(55)).await;
        let counted = Duration::from_secs(60);
        assert_eq!(
            traffic.last_minute(),
            LastMinute { counted, messages: 0, joins: 0, refused_joins: 1, refused_frames: 1 }
        );
    }
}
