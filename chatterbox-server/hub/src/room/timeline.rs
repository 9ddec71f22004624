//! The timeline of a room: a bounded ring of encoded events, in one order for all receivers.
//!
//! A receiver is a position in it, its cursor. Nothing is copied per receiver, and memory is bounded by the ring,
//! however many receivers are slow.

use std::collections::VecDeque;

use crate::event::Event;
use crate::room::limits::TimelineLimits;

/// The distance of a cursor from the newest event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lag {
    /// Events.
    pub events: u64,
    /// Bytes of JSON.
    pub bytes: u64,
}

#[derive(Debug)]
struct Slot {
    event: Event,
    /// The bytes of all events ever, up to and including this one.
    bytes_through: u64,
}

#[derive(Debug)]
pub struct Timeline {
    slots: VecDeque<Slot>,
    /// The position of the first slot.
    base: u64,
    bytes: u64,
    limits: TimelineLimits,
}

impl Timeline {
    /// An empty timeline.
    pub fn new(limits: TimelineLimits) -> Self {
        Self { slots: VecDeque::new(), base: 0, bytes: 0, limits }
    }

    /// The position behind the newest event.
    pub fn head(&self) -> u64 {
        self.base + self.slots.len() as u64
    }

    /// The bytes of all events ever.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its bounds.
    pub fn limits(&self) -> TimelineLimits {
        self.limits
    }

    /// Adds an event, and drops the oldest beyond the bounds, but never the newest.
    pub fn push(&mut self, event: Event) {
        self.bytes += event.size() as u64;
        self.slots.push_back(Slot { event, bytes_through: self.bytes });
        while self.slots.len() > 1
            && (self.slots.len() > self.limits.events || self.held() > self.limits.bytes)
        {
            self.slots.pop_front();
            self.base += 1;
        }
    }

    fn held(&self) -> u64 {
        let before_first = self
            .slots
            .front()
            .map_or(self.bytes, |slot| slot.bytes_through - slot.event.size() as u64);
        self.bytes - before_first
    }

    /// The events from `cursor` on, or `None` when some of them have been dropped.
    pub fn since(&self, cursor: u64) -> Option<impl Iterator<Item = &Event>> {
        let skipped = usize::try_from(cursor.checked_sub(self.base)?).ok()?;
        Some(self.slots.range(skipped.min(self.slots.len())..).map(|slot| &slot.event))
    }

    /// The lag of a cursor, or `None` when the ring has overtaken it.
    pub fn lag(&self, cursor: u64) -> Option<Lag> {
        let skipped = usize::try_from(cursor.checked_sub(self.base)?).ok()?;
        let next = self.slots.get(skipped);
        let before_next =
            next.map_or(self.bytes, |slot| slot.bytes_through - slot.event.size() as u64);
        Some(Lag { events: self.head() - cursor, bytes: self.bytes - before_next })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn event(size: usize) -> Event {
        Event::notice(Bytes::from(vec![b'x'; size]))
    }

    #[test]
    fn the_ring_is_bounded_in_events_and_bytes() {
        let mut timeline = Timeline::new(TimelineLimits { events: 3, bytes: 100 });
        for _ in 0..5 {
            timeline.push(event(10));
        }
        assert_eq!(timeline.head(), 5);
        assert!(timeline.since(1).is_none());
        assert_eq!(timeline.since(2).unwrap().count(), 3);
        assert_eq!(timeline.lag(4), Some(Lag { events: 1, bytes: 10 }));
        assert_eq!(timeline.lag(5), Some(Lag::default()));
        timeline.push(event(95));
        assert!(timeline.lag(4).is_none(), "two together are above 100 bytes");
        timeline.push(event(1000));
        assert_eq!(timeline.since(6).unwrap().count(), 1, "the newest always stays");
    }
}
