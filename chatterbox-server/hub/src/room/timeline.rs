//! The timeline of a room: a bounded ring of encoded events with their stamps, in one order for all receivers.
//!
//! A receiver is a stamp, its cursor: what lies before it was handed out. Nothing is copied per receiver, and memory is
//! bounded by the ring, however many receivers are slow.

use std::collections::VecDeque;

use crate::event::Event;
use crate::record::Sequence;
use crate::room::limits::TimelineLimits;
use crate::room::stamp::Stamp;

/// The distance of a cursor from the newest event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lag {
    /// Events.
    pub events: u64,
    /// Bytes of JSON.
    pub bytes: u64,
}

/// The ring has dropped an event that somebody had not been handed out yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Overtaken;

#[derive(Debug)]
struct Slot {
    stamp: Stamp,
    /// The bytes of all events ever, up to and including this one.
    bytes_through: u64,
    event: Event,
}

#[derive(Debug)]
pub struct Timeline {
    slots: VecDeque<Slot>,
    /// Behind the newest event that was dropped.
    lost: Stamp,
    /// The number of the newest message that was dropped.
    lost_message: Sequence,
    /// Behind the newest event.
    end: Stamp,
    bytes: u64,
    limits: TimelineLimits,
}

impl Timeline {
    /// An empty timeline.
    pub fn new(limits: TimelineLimits) -> Self {
        Self {
            slots: VecDeque::new(),
            lost: Stamp::default(),
            lost_message: 0,
            end: Stamp::default(),
            bytes: 0,
            limits,
        }
    }

    /// The stamp behind the newest event. Whoever has it as a cursor, or a later one, has been handed out everything.
    pub const fn end(&self) -> Stamp {
        self.end
    }

    /// Its bounds.
    pub const fn limits(&self) -> TimelineLimits {
        self.limits
    }

    /// The events that it holds.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// The memory of its events.
    pub fn weight(&self) -> usize {
        let bytes = usize::try_from(self.held()).unwrap_or(usize::MAX);
        bytes.saturating_add(self.slots.capacity() * size_of::<Slot>())
    }

    /// Adds an event, whose stamp is higher than those before, and drops the oldest beyond the bounds, but never the newest.
    pub fn push(&mut self, stamp: Stamp, event: Event) {
        self.bytes += event.size() as u64;
        self.slots.push_back(Slot { stamp, bytes_through: self.bytes, event });
        self.end = stamp.next();
        while self.slots.len() > 1
            && (self.slots.len() > self.limits.events || self.held() > self.limits.bytes)
        {
            self.drop_oldest();
        }
    }

    /// Drops the oldest event, also when it is the only one; without any, the ring takes no memory.
    pub fn drop_oldest(&mut self) {
        if let Some(slot) = self.slots.pop_front() {
            self.lost = slot.stamp.next();
            self.lost_message = slot.event.number().unwrap_or(self.lost_message);
        }
        let few = 2 * self.slots.len();
        if self.slots.capacity() > 2 * few {
            self.slots.shrink_to(few);
        }
    }

    /// The bytes of its events.
    pub fn held(&self) -> u64 {
        self.bytes - self.bytes_before(0)
    }

    /// The bytes of all events ever before this slot.
    fn bytes_before(&self, slot: usize) -> u64 {
        let slot = self.slots.get(slot);
        slot.map_or(self.bytes, |slot| slot.bytes_through - slot.event.size() as u64)
    }

    /// The first slot that is not before the cursor.
    fn slot_at(&self, cursor: Stamp) -> Result<usize, Overtaken> {
        if self.lost > cursor {
            return Err(Overtaken);
        }
        // No two events have one stamp, so there are no more events from the cursor on than there are stamps. There are as
        // many where nothing has happened in other rooms meanwhile.
        let stamps = usize::try_from(self.end.since(cursor)).unwrap_or(usize::MAX);
        let slot = self.slots.len().saturating_sub(stamps);
        if self.slots.get(slot).is_none_or(|slot| slot.stamp >= cursor) {
            return Ok(slot);
        }
        Ok(self.slots.partition_point(|slot| slot.stamp < cursor))
    }

    /// The stamp of the first event from the cursor on, if there is one.
    pub fn next_from(&self, cursor: Stamp) -> Result<Option<Stamp>, Overtaken> {
        if self.end <= cursor {
            return Ok(None);
        }
        Ok(self.slots.get(self.slot_at(cursor)?).map(|slot| slot.stamp))
    }

    /// The events from the cursor on with their stamps, and the lowest cursor from which on they are the same.
    pub fn since(
        &self,
        cursor: Stamp,
    ) -> Result<(Stamp, impl Iterator<Item = (Stamp, &Event)>), Overtaken> {
        let first = self.slot_at(cursor)?;
        let before = first.checked_sub(1).and_then(|before| self.slots.get(before));
        let lowest = before.map_or(self.lost, |slot| slot.stamp.next());
        Ok((lowest, self.slots.range(first..).map(|slot| (slot.stamp, &slot.event))))
    }

    /// The number of the newest message that was dropped; 0 when there is none.
    pub const fn lost_message(&self) -> Sequence {
        self.lost_message
    }

    /// The events, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Event> {
        self.slots.iter().rev().map(|slot| &slot.event)
    }

    /// Whether the ring has dropped something from the cursor on.
    pub fn has_overtaken(&self, cursor: Stamp) -> bool {
        self.lost > cursor
    }

    /// The lag of a cursor.
    pub fn lag(&self, cursor: Stamp) -> Result<Lag, Overtaken> {
        let next = self.slot_at(cursor)?;
        let events = (self.slots.len() - next) as u64;
        Ok(Lag { events, bytes: self.bytes - self.bytes_before(next) })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn event(size: usize) -> Event {
        Event::notice(Bytes::from(vec![b'x'; size]))
    }

    /// A stamp after so many others.
    fn stamp(count: u64) -> Stamp {
        (0..count).fold(Stamp::default(), |stamp, _| stamp.next())
    }

    fn count_since(timeline: &Timeline, cursor: u64) -> Option<usize> {
        timeline.since(stamp(cursor)).ok().map(|(_, events)| events.count())
    }

    #[test]
    fn the_ring_is_bounded_in_events_and_bytes() {
        let mut timeline = Timeline::new(TimelineLimits { events: 3, bytes: 100 });
        for number in 0..5 {
            timeline.push(stamp(number), event(10));
        }
        assert_eq!(timeline.end(), stamp(5));
        assert_eq!(count_since(&timeline, 1), None);
        assert_eq!(count_since(&timeline, 2), Some(3));
        assert_eq!(timeline.lag(stamp(4)), Ok(Lag { events: 1, bytes: 10 }));
        assert_eq!(timeline.lag(stamp(5)), Ok(Lag::default()));
        timeline.push(stamp(5), event(95));
        assert_eq!(timeline.lag(stamp(4)), Err(Overtaken), "two together are above 100 bytes");
        timeline.push(stamp(6), event(1000));
        assert_eq!(count_since(&timeline, 6), Some(1), "the newest always stays");
    }

    proptest! {
        /// Wherever the gaps between stamps are, a cursor finds its events and its lag.
        #[test]
        fn a_cursor_finds_its_place_between_gaps(
            gaps in prop::collection::vec(1..5_u64, 1..60),
            events in 1..40_usize,
            cursor in 0..150_u64,
        ) {
            let mut timeline = Timeline::new(TimelineLimits { events, bytes: u64::MAX });
            let mut stamps = Vec::new();
            for gap in gaps {
                let at = stamps.last().map_or(0, |last| last + gap);
                timeline.push(stamp(at), event(stamps.len()));
                stamps.push(at);
            }
            let kept = stamps.split_off(stamps.len().saturating_sub(events));
            let is_lost = stamps.last().is_some_and(|lost| cursor <= *lost);
            prop_assert_eq!(timeline.has_overtaken(stamp(cursor)), is_lost);
            if is_lost {
                prop_assert_eq!(timeline.lag(stamp(cursor)), Err(Overtaken));
                prop_assert_eq!(timeline.next_from(stamp(cursor)), Err(Overtaken));
                return Ok(());
            }
            let expected: Vec<_> = kept.iter().filter(|at| **at >= cursor).copied().collect();
            prop_assert_eq!(timeline.next_from(stamp(cursor)), Ok(expected.first().copied().map(stamp)));
            let (lowest, found) = timeline.since(stamp(cursor)).unwrap();
            let (found, sizes): (Vec<_>, Vec<_>) =
                found.map(|(at, event)| (at.count(), event.size() as u64)).unzip();
            prop_assert_eq!(&found, &expected);
            let lag = Lag { events: found.len() as u64, bytes: sizes.iter().sum() };
            prop_assert_eq!(timeline.lag(stamp(cursor)), Ok(lag));
            let before = kept.iter().rev().find(|at| **at < cursor).or(stamps.last());
            prop_assert_eq!(lowest.count(), before.map_or(0, |before| before + 1));
        }
    }
}
