//! What is on its way to one joined connection: a cursor into the timelines of its rooms and a small queue of its own.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use chatterbox_proto::Username;

use crate::block_lists::BlockFilter;
use crate::encode::view::View;
use crate::event::Event;
use crate::ids::RoomId;
use crate::own_device::OwnDevice;
use crate::room::memberships::Memberships;
use crate::room::stamp::Stamp;

/// What only this member gets: private messages, and answers to its own frames.
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

#[derive(Debug)]
pub(crate) struct Member {
    /// What has happened before was handed out, in whatever room.
    pub(crate) cursor: Stamp,
    /// Whether anything was handed out or written since the last look at who is stuck.
    pub(crate) progressed: bool,
    direct: VecDeque<Direct>,
    /// Messages that wait.
    messages: Half,
    /// Those for which room is reserved while they are being stored.
    reserved: Half,
    answers: Half,
    /// The memory of what was handed out last and that nobody else is handed, and what is left of it.
    own_handed_out: usize,
    own_left: usize,
    /// The memory of the batch that was handed out last and that others may be handed, too.
    pub(crate) shared_handed_out: usize,
    /// Whether the welcome is still being written, as far as the hub knows. It pins segments of the history.
    pub(crate) is_being_welcomed: bool,
    /// How many segments of the history had been dropped when it joined: its welcome may hold those that were dropped later.
    pub(crate) welcomed_at: u64,
    /// When it was last seen moving, in the hub's milliseconds.
    pub(crate) moved_at: u64,
    /// How it is told what happens.
    pub(crate) view: View,
    /// Whether its own messages move marks of its account.
    pub(crate) is_marking: bool,
    /// Whether it takes compressed frames.
    pub(crate) zstd: bool,
    /// What only few have.
    pub(crate) extras: Option<Box<Extras>>,
}

/// What only few members have.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// What block lists mean for this member, as far as they mean anything: worked out by the presence, kept here.
    filter: Option<Arc<BlockFilter>>,
    /// Whether somebody has changed since it was worked out.
    filter_is_stale: bool,
    /// The rooms that it is in beside the lobby.
    pub(crate) rooms: Memberships,
    /// Which device its connection is, for what is encrypted for single ones.
    pub(crate) device: Option<OwnDevice>,
}

impl Member {
    pub(crate) fn new(cursor: Stamp, now: u64) -> Self {
        Self {
            cursor,
            progressed: true,
            direct: VecDeque::new(),
            messages: Half::default(),
            reserved: Half::default(),
            answers: Half::default(),
            own_handed_out: 0,
            own_left: 0,
            shared_handed_out: 0,
            is_being_welcomed: true,
            welcomed_at: 0,
            moved_at: now,
            view: View::BASE,
            is_marking: false,
            zstd: false,
            extras: None,
        }
    }

    /// What goes beyond the base protocol.
    pub(crate) fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// The rooms that it is in beside the lobby, if there are any.
    pub(crate) fn rooms(&self) -> Option<&Memberships> {
        self.extras.as_ref().map(|extras| &extras.rooms).filter(|rooms| !rooms.is_empty())
    }

    /// Forgets the rooms that it has left, as far as everything of them was handed out.
    pub(crate) fn forget_left_rooms(&mut self) {
        if let Some(extras) = &mut self.extras
            && !extras.rooms.is_empty()
        {
            extras.rooms.forget_left(self.cursor);
        }
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

    /// Whose messages it is not shown, if there is anybody.
    pub(crate) fn hidden(&self) -> Option<&HashSet<Username>> {
        self.filter().map(|filter| &filter.hidden).filter(|hidden| !hidden.is_empty())
    }

    /// The same in a room: its staff hears those who block them.
    pub(crate) fn hidden_in(&self, room: RoomId) -> Option<&HashSet<Username>> {
        if self.rooms().is_some_and(|rooms| rooms.is_staff_in(room)) {
            let filter = self.filter();
            return filter.map(|filter| &filter.ignored).filter(|ignored| !ignored.is_empty());
        }
        self.hidden()
    }

    /// Whether private messages between it and somebody are refused.
    pub(crate) fn refuses(&self, other: &Username) -> bool {
        self.filter().is_some_and(|filter| filter.refused.contains(other))
    }

    /// Whether an event of this size may be put into the queue, beside those for which room is reserved.
    pub(crate) fn has_room(&self, kind: Kind, bytes: usize) -> bool {
        let half = match kind {
            Kind::Message => self.messages.with(self.reserved),
            Kind::Answer => self.answers,
        };
        half.has_room(bytes.saturating_add(EVENT_BYTES))
    }

    /// Whether a message of this size fits behind those that wait, whatever is reserved for others. One for which room was reserved
    /// always does, unless some came for which none was.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        self.messages.has_room(bytes.saturating_add(EVENT_BYTES))
    }

    /// Whether the part of its queue that others fill is half full.
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

    /// Queues an event that happens now, before whatever gets this stamp.
    pub(crate) fn push_direct(&mut self, at: Stamp, kind: Kind, event: Event) {
        self.half_mut(kind).add(event.size() + EVENT_BYTES);
        self.direct.push_back(Direct { at, kind, event });
    }

    /// The memory that waits for this member and for nobody else.
    pub(crate) const fn own_bytes(&self) -> usize {
        self.messages.bytes + self.reserved.bytes + self.answers.bytes + self.own_left
    }

    /// The memory of what was handed out and nobody else is handed, as far as it is not written.
    pub(crate) const fn handed_out(&self) -> usize {
        self.own_left
    }

    /// Hands out something that takes so much memory for this member alone.
    pub(crate) const fn hand_out_own(&mut self, bytes: usize) {
        (self.own_handed_out, self.own_left) = (bytes, bytes);
    }

    /// Hands out something more, to be written together with the rest.
    pub(crate) const fn hand_out_more(&mut self, bytes: usize) {
        self.hand_out_own(self.own_left + bytes);
    }

    /// Notes that nothing of what was handed out is left.
    pub(crate) const fn has_written_all(&mut self) {
        self.hand_out_own(0);
        self.shared_handed_out = 0;
    }

    /// Notes that so many parts of what was handed out are left.
    pub(crate) fn has_left(&mut self, left: usize, of: usize) {
        let all = self.own_handed_out as u128 * left.min(of) as u128 / of.max(1) as u128;
        self.own_left = usize::try_from(all).unwrap_or(self.own_handed_out);
    }

    /// The stamp of what happened after the next own event.
    pub(crate) fn next_direct(&self) -> Option<Stamp> {
        self.direct.front().map(|direct| direct.at)
    }

    /// Takes the next own event if it happened before whatever has this stamp.
    pub(crate) fn pop_direct(&mut self, stamp: Stamp) -> Option<Event> {
        if self.next_direct()? > stamp {
            return None;
        }
        let direct = self.direct.pop_front()?;
        self.half_mut(direct.kind).subtract(direct.event.size() + EVENT_BYTES);
        Some(direct.event)
    }
}
