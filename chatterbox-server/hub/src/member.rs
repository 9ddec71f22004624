//! What is on its way to one joined connection: a cursor into the timeline and a small queue of its own.

use std::collections::VecDeque;
use std::sync::Arc;

use chatterbox_proto::Username;

use crate::block_lists::BlockFilter;
use crate::encode::view::View;
use crate::event::Event;
use crate::ids::SessionId;

/// What only this member gets: private messages and errors.
#[derive(Debug)]
struct Direct {
    /// The position of the timeline before which it happened.
    at: u64,
    event: Event,
}

/// A member's own queue is full with this much; whoever fills it further is told to wait (AS-3).
const DIRECT_BYTES: usize = 256 * 1024;
const DIRECT_EVENTS: usize = 1024;

#[derive(Debug)]
pub(crate) struct Member {
    /// What of the timeline has been handed out.
    pub(crate) cursor: u64,
    /// Whether anything was handed out or written since the last look at who is stuck.
    pub(crate) progressed: bool,
    direct: VecDeque<Direct>,
    direct_bytes: usize,
    /// For messages that are being stored.
    reserved_bytes: usize,
    reserved_events: usize,
    /// When it was last seen moving, in the hub's milliseconds.
    pub(crate) moved_at: u64,
    /// How it is told what happens.
    pub(crate) view: View,
    /// What only few have.
    pub(crate) extras: Option<Box<Extras>>,
}

/// What only few members have.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// The session that can be resumed later (ID-7).
    pub(crate) session: Option<SessionId>,
    /// For how long the name is reserved after the member has left, in milliseconds.
    pub(crate) hold: u64,
    /// What block lists mean for this member, as far as they mean anything: worked out by the presence, kept here.
    filter: Option<Arc<BlockFilter>>,
    /// Whether somebody has changed since it was worked out.
    filter_is_stale: bool,
}

impl Member {
    pub(crate) fn new(cursor: u64, now: u64) -> Self {
        Self {
            cursor,
            progressed: true,
            direct: VecDeque::new(),
            direct_bytes: 0,
            reserved_bytes: 0,
            reserved_events: 0,
            moved_at: now,
            view: View::BASE,
            extras: None,
        }
    }

    /// What goes beyond the base protocol.
    pub(crate) fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// Notes that its filter has to be worked out again before it is used.
    pub(crate) fn mark_filter_stale(&mut self) {
        self.extras().filter_is_stale = true;
    }

    /// Whether its filter has to be worked out again.
    pub(crate) fn is_filter_stale(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.filter_is_stale)
    }

    /// Puts a filter that was worked out in place.
    pub(crate) fn set_filter(&mut self, filter: Arc<BlockFilter>) {
        if self.extras.is_some() || !filter.is_empty() {
            let extras = self.extras();
            extras.filter = (!filter.is_empty()).then_some(filter);
            extras.filter_is_stale = false;
        }
    }

    /// What block lists mean for it, if they mean anything; to be shared with whoever filters without the lock.
    pub(crate) fn filter(&self) -> Option<&Arc<BlockFilter>> {
        self.extras.as_ref()?.filter.as_ref()
    }

    /// The same, if there is somebody whose messages it is not shown.
    pub(crate) fn hiding(&self) -> Option<&Arc<BlockFilter>> {
        self.filter().filter(|filter| !filter.hidden.is_empty())
    }

    /// Whether private messages between it and somebody are refused.
    pub(crate) fn refuses(&self, other: &Username) -> bool {
        self.filter().is_some_and(|filter| filter.refused.contains(other))
    }

    /// Whether something more may be put into the queue.
    pub(crate) fn has_room(&self) -> bool {
        self.direct_bytes + self.reserved_bytes < DIRECT_BYTES
            && self.direct.len() + self.reserved_events < DIRECT_EVENTS
    }

    /// Keeps room for a message that is being stored.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.reserved_bytes += bytes;
        self.reserved_events += 1;
    }

    /// Gives it back. What was reserved for a former user of the name is not ours to give back, so nothing goes below 0.
    pub(crate) fn unreserve(&mut self, bytes: usize) {
        self.reserved_bytes = self.reserved_bytes.saturating_sub(bytes);
        self.reserved_events = self.reserved_events.saturating_sub(1);
        if self.reserved_events == 0 {
            // The size was an estimate.
            self.reserved_bytes = 0;
        }
    }

    /// Queues an event that happens now, when the timeline ends at `at`.
    pub(crate) fn push_direct(&mut self, at: u64, event: Event) {
        self.direct_bytes += event.size();
        self.direct.push_back(Direct { at, event });
    }

    /// Whether there is something to hand out, when the timeline ends at `head`.
    pub(crate) fn is_behind(&self, head: u64) -> bool {
        self.cursor != head || !self.direct.is_empty()
    }

    /// The position of the next own event.
    pub(crate) fn next_direct(&self) -> Option<u64> {
        self.direct.front().map(|direct| direct.at)
    }

    /// Takes the next own event if it happened at or before `at`.
    pub(crate) fn pop_direct(&mut self, at: u64) -> Option<Event> {
        if self.next_direct()? > at {
            return None;
        }
        let direct = self.direct.pop_front()?;
        self.direct_bytes -= direct.event.size();
        Some(direct.event)
    }
}
