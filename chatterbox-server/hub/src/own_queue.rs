//! What waits for one member and for nobody else: private messages, and answers to its own frames.

use std::collections::VecDeque;

use crate::event::Event;
use crate::room::stamp::Stamp;

/// An event of the queue.
#[derive(Debug)]
struct Direct {
    /// The stamp of what happened next.
    at: Stamp,
    kind: Kind,
    event: Event,
}

/// Who has caused an event of a member's own queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Somebody else: a private message.
    Message,
    /// The member itself, by a frame that it sent.
    Answer,
}

/// Either half of a member's own queue is full with this much. Whoever sends it further messages is told to wait (AS-3); a
/// member that does not read its answers is not read from.
///
/// The halves are apart so that nobody can keep a member's answers from it by sending it messages.
const DIRECT_BYTES: usize = 256 * 1024;
const DIRECT_EVENTS: usize = 1024;

/// The memory of an event beside its JSON.
const EVENT_BYTES: usize = size_of::<Direct>();

/// The part of a member's own queue of one kind.
#[derive(Debug, Clone, Copy, Default)]
struct Half {
    bytes: usize,
    events: usize,
}

impl Half {
    fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.events += 1;
    }

    fn subtract(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.events = self.events.saturating_sub(1);
    }

    /// Both together.
    const fn with(self, other: Self) -> Self {
        let bytes = self.bytes.saturating_add(other.bytes);
        Self { bytes, events: self.events.saturating_add(other.events) }
    }

    /// Whether an event of this size can be added: any size when there is nothing.
    fn has_room(self, bytes: usize) -> bool {
        let bytes = self.bytes.saturating_add(bytes);
        self.events == 0 || (self.events < DIRECT_EVENTS && bytes <= DIRECT_BYTES)
    }
}

/// The queue, and what was handed out of it.
#[derive(Debug, Default)]
pub(crate) struct OwnQueue {
    events: VecDeque<Direct>,
    /// Messages that wait.
    messages: Half,
    /// Those for which room is reserved while they are being stored.
    reserved: Half,
    answers: Half,
    /// The memory of what was handed out last and that nobody else is handed, and what is left of it.
    handed_out: usize,
    left: usize,
}

impl OwnQueue {
    /// Whether nothing waits, is expected, or was handed out and not written.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { events, messages, reserved, answers, handed_out, left } = self;
        let halves = [messages, reserved, answers];
        events.is_empty()
            && halves.iter().all(|half| (half.bytes, half.events) == (0, 0))
            && (*handed_out, *left) == (0, 0)
    }

    /// Whether an event of this size may be put into the queue, beside those for which room is reserved.
    pub(crate) fn has_room(&self, kind: Kind, bytes: usize) -> bool {
        let half = match kind {
            Kind::Message => self.messages.with(self.reserved),
            Kind::Answer => self.answers,
        };
        half.has_room(bytes.saturating_add(EVENT_BYTES))
    }

    /// The same of a message, whatever is reserved for others.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        self.messages.has_room(bytes.saturating_add(EVENT_BYTES))
    }

    /// Whether the half that others fill is half full.
    pub(crate) const fn is_half_full(&self) -> bool {
        self.messages.events >= DIRECT_EVENTS / 2 || self.messages.bytes >= DIRECT_BYTES / 2
    }

    /// Whether it is no more than a quarter full.
    pub(crate) const fn is_quarter_full(&self) -> bool {
        self.messages.events <= DIRECT_EVENTS / 4 && self.messages.bytes <= DIRECT_BYTES / 4
    }

    const fn half_mut(&mut self, kind: Kind) -> &mut Half {
        match kind {
            Kind::Message => &mut self.messages,
            Kind::Answer => &mut self.answers,
        }
    }

    /// Keeps room for a message that is being stored.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.reserved.add(bytes + EVENT_BYTES);
    }

    /// Gives that room back.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.reserved.subtract(bytes + EVENT_BYTES);
    }

    /// Adds an event that happens now, before whatever gets this stamp.
    pub(crate) fn push(&mut self, at: Stamp, kind: Kind, event: Event) {
        self.half_mut(kind).add(event.size() + EVENT_BYTES);
        self.events.push_back(Direct { at, kind, event });
    }

    /// The memory of all of it.
    pub(crate) const fn bytes(&self) -> usize {
        self.messages.bytes + self.reserved.bytes + self.answers.bytes + self.left
    }

    /// The memory of what was handed out, as far as it is not written.
    pub(crate) const fn left(&self) -> usize {
        self.left
    }

    /// Hands out something that takes so much memory.
    pub(crate) const fn hand_out(&mut self, bytes: usize) {
        (self.handed_out, self.left) = (bytes, bytes);
    }

    /// Notes that so many parts of what was handed out are left.
    pub(crate) fn has_left(&mut self, left: usize, of: usize) {
        let all = self.handed_out as u128 * left.min(of) as u128 / of.max(1) as u128;
        self.left = usize::try_from(all).unwrap_or(self.handed_out);
    }

    /// The stamp of what happened after the next event.
    pub(crate) fn next(&self) -> Option<Stamp> {
        self.events.front().map(|direct| direct.at)
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let direct = self.events.pop_front()?;
        self.half_mut(direct.kind).subtract(direct.event.size() + EVENT_BYTES);
        Some(direct.event)
    }
}
