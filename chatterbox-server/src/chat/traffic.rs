//! How much happens: what was counted since the start, and in each of the last sixty seconds.
//!
//! `status` and the metrics read the same counters. Nobody locks anything to count, and what connections do all the time costs one
//! addition for each read, and two for all that a connection writes until it waits.

#![allow(clippy::disallowed_methods, reason = "the edge: counts by the clock")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chatterbox_proto::Faults;
use chatterbox_proto::capability::notices::ClosedCode;
use tokio::time::Instant;

use crate::chat::by_word::ByWord;
use crate::ops::clock::unix_now;
use crate::ops::histogram::{Distribution, Histogram};

/// The seconds that are counted.
const WINDOW: u32 = 60;

/// Counts by the second, for the last minute.
///
/// A second has one number: the second itself in the upper half, the count in the lower one. So whoever comes first in a second
/// begins it anew in one step, and nobody locks anything.
#[derive(Debug)]
struct Meter {
    seconds: [AtomicU64; WINDOW as usize],
    /// All since the start.
    total: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        let seconds = std::array::from_fn(|_| AtomicU64::new(0));
        Self { seconds, total: AtomicU64::new(0) }
    }
}

impl Meter {
    /// Counts so many in a second.
    fn add(&self, second: u32, count: u64) {
        self.total.fetch_add(count, Ordering::Relaxed);
        let Some(place) = self.seconds.get((second % WINDOW) as usize) else { return };
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
        let all = self.seconds.iter().map(|place| place.load(Ordering::Relaxed));
        all.filter(|value| seconds.contains(&(value >> 32)))
            .map(|value| value & u64::from(u32::MAX))
            .sum()
    }

    fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

/// A line of the processors' caches for what all connections count at once, so that nothing else waits for it.
#[derive(Debug, Default)]
#[repr(align(64))]
struct CacheLine<T>(T);

/// What was written to members.
#[derive(Debug, Default)]
struct Written {
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// What is counted of a chat.
#[derive(Debug)]
pub struct Traffic {
    start: Instant,
    /// The same by the wall clock, in seconds since 1970 UTC.
    started: i64,
    messages: Meter,
    joins: Meter,
    refused_joins: Meter,
    refused_frames: Meter,
    joins_by_word: ByWord,
    frames_by_word: ByWord,
    ends_by_word: ByWord,
    written: CacheLine<Written>,
    received: CacheLine<AtomicU64>,
    stores: Histogram,
}

/// What there was since the chat was opened.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Messages of users of this node that were delivered.
    pub messages: u64,
    /// The same, once for each member of this node to whom they were written.
    pub deliveries: u64,
    /// Users who have come in.
    pub joins: u64,
    /// Bytes that were read from members, as frames: without what TLS or a gateway adds.
    pub received: u64,
    /// Bytes that were written to members, as frames.
    pub sent: u64,
    /// Connections that were turned away, and names that were refused, by the word for why.
    pub refused_joins: Vec<(&'static str, u64)>,
    /// Frames that were answered with an ERROR, by the word for what came first in it.
    pub refused_frames: Vec<(&'static str, u64)>,
    /// Connections of members that were ended by the server, by the word for why.
    pub ends: Vec<(&'static str, u64)>,
    /// How long the store has taken for each group.
    pub stores: Distribution,
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
    /// Frames that were answered with an ERROR.
    pub refused_frames: u64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            started: unix_now(),
            messages: Meter::default(),
            joins: Meter::default(),
            refused_joins: Meter::default(),
            refused_frames: Meter::default(),
            joins_by_word: ByWord::of_joins(),
            frames_by_word: ByWord::of_frames(),
            ends_by_word: ByWord::of_ends(),
            written: CacheLine::default(),
            received: CacheLine::default(),
            stores: Histogram::default(),
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

    /// A connection was turned away, or a name refused, for a reason with this word.
    pub fn join_refused(&self, word: &'static str) {
        self.refused_joins.add(self.second(), 1);
        self.joins_by_word.add(word);
    }

    /// Somebody was told what is wrong with a frame.
    pub fn frame_refused(&self, faults: &Faults) {
        self.refused_frames.add(self.second(), 1);
        self.frames_by_word.add(faults.listed().first().map_or("", |fault| fault.code.word()));
    }

    /// The server has ended the connection of a member.
    pub fn ended(&self, code: ClosedCode) {
        self.ends_by_word.add(code.word());
    }

    /// So many bytes were written to a member, with so many messages.
    pub fn written(&self, bytes: usize, messages: u32) {
        let CacheLine(written) = &self.written;
        if bytes > 0 {
            written.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        if messages > 0 {
            written.messages.fetch_add(messages.into(), Ordering::Relaxed);
        }
    }

    /// So many bytes were read from a member.
    pub fn received(&self, bytes: usize) {
        if bytes > 0 {
            self.received.0.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    /// The store has taken so long for a group.
    pub fn stored(&self, took: Duration) {
        self.stores.add(took);
    }

    /// What there was since the start.
    pub fn totals(&self) -> Totals {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            messages: self.messages.total(),
            deliveries: of(&self.written.0.messages),
            joins: self.joins.total(),
            received: of(&self.received.0),
            sent: of(&self.written.0.bytes),
            refused_joins: self.joins_by_word.read(),
            refused_frames: self.frames_by_word.read(),
            ends: self.ends_by_word.read(),
            stores: self.stores.read(),
        }
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

    /// When the chat was opened, in seconds since 1970 UTC.
    pub fn started(&self) -> i64 {
        self.started
    }

    /// How long the chat has been open.
    pub fn open_for(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::Code;

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
        traffic.join_refused("taken");
        traffic.frame_refused(&Code::NotJson.into());
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

    #[tokio::test(start_paused = true)]
    async fn what_was_counted_since_the_start_is_not_forgotten() {
        let traffic = Traffic::default();
        traffic.said(3);
        traffic.joined();
        traffic.join_refused("taken");
        let mut faults = Faults::from(Code::NotJson);
        faults.note(|| Code::TooDeep.into());
        traffic.frame_refused(&faults);
        traffic.ended(ClosedCode::Slow);
        traffic.written(60, 0);
        traffic.written(40, 6);
        traffic.received(10);
        traffic.stored(Duration::from_millis(2));
        tokio::time::sleep(Duration::from_secs(600)).await;
        traffic.said(1);
        let totals = traffic.totals();
        assert_eq!((totals.messages, totals.joins, totals.deliveries), (4, 1, 6));
        assert_eq!((totals.sent, totals.received, totals.stores.count), (100, 10, 1));
        for (mut counted, word) in [
            (totals.refused_joins, "taken"),
            (totals.refused_frames, "not-json"),
            (totals.ends, "slow"),
        ] {
            counted.retain(|(_, count)| *count > 0);
            assert_eq!(counted, [(word, 1)]);
        }
        assert!(traffic.started() > 1_700_000_000);
    }
}
