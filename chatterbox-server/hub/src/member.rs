//! What is on its way to one joined connection: a cursor into the timelines of its rooms and a small queue of its own.

use std::collections::HashSet;
use std::sync::Arc;

use chatterbox_proto::Username;

use crate::block_lists::BlockFilter;
use crate::encode::view::View;
use crate::event::Event;
use crate::ids::RoomId;
use crate::own_device::OwnDevice;
use crate::own_queue::{Kind, OwnQueue};
use crate::room::memberships::Memberships;
use crate::room::stamp::Stamp;

#[derive(Debug)]
pub(crate) struct Member {
    /// What has happened before was handed out, in whatever room.
    pub(crate) cursor: Stamp,
    /// Whether anything was handed out or written since the last look at who is stuck.
    pub(crate) progressed: bool,
    /// What waits for it alone, while there is anything: for nearly all who are here there is not.
    own: Option<Box<OwnQueue>>,
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
            own: None,
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

    /// Changes its own queue, which takes no memory when nothing is in it.
    fn change_own<T>(&mut self, change: impl FnOnce(&mut OwnQueue) -> T) -> T {
        let own = self.own.get_or_insert_default();
        let result = change(own);
        if own.is_empty() {
            self.own = None;
        }
        result
    }

    /// Whether an event of this size may be put into the queue, beside those for which room is reserved.
    pub(crate) fn has_room(&self, kind: Kind, bytes: usize) -> bool {
        self.own.as_ref().is_none_or(|own| own.has_room(kind, bytes))
    }

    /// Whether a message of this size fits behind those that wait, whatever is reserved for others. One for which room was reserved
    /// always does, unless some came for which none was.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        self.own.as_ref().is_none_or(|own| own.takes(bytes))
    }

    /// Whether the part of its queue that others fill is half full.
    pub(crate) fn is_half_full(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.is_half_full())
    }

    /// Whether it is no more than a quarter full.
    pub(crate) fn is_quarter_full(&self) -> bool {
        self.own.as_ref().is_none_or(|own| own.is_quarter_full())
    }

    /// Keeps room for a message that is being stored.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.change_own(|own| own.reserve(bytes));
    }

    /// Gives that room back.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.change_own(|own| own.release(bytes));
    }

    /// Queues an event that happens now, before whatever gets this stamp.
    pub(crate) fn push_direct(&mut self, at: Stamp, kind: Kind, event: Event) {
        self.change_own(|own| own.push(at, kind, event));
    }

    /// The memory that waits for this member and for nobody else.
    pub(crate) fn own_bytes(&self) -> usize {
        self.own.as_ref().map_or(0, |own| own.bytes())
    }

    /// The memory of what was handed out and nobody else is handed, as far as it is not written.
    pub(crate) fn handed_out(&self) -> usize {
        self.own.as_ref().map_or(0, |own| own.left())
    }

    /// Hands out something that takes so much memory for this member alone.
    pub(crate) fn hand_out_own(&mut self, bytes: usize) {
        self.change_own(|own| own.hand_out(bytes));
    }

    /// Hands out something more, to be written together with the rest.
    pub(crate) fn hand_out_more(&mut self, bytes: usize) {
        self.change_own(|own| own.hand_out(own.left() + bytes));
    }

    /// Notes that nothing of what was handed out is left.
    pub(crate) fn has_written_all(&mut self) {
        if self.own.is_some() {
            self.hand_out_own(0);
        }
        self.shared_handed_out = 0;
    }

    /// Notes that so many parts of what was handed out are left.
    pub(crate) fn has_left(&mut self, left: usize, of: usize) {
        if self.own.is_some() {
            self.change_own(|own| own.has_left(left, of));
        }
    }

    /// The stamp of what happened after the next own event.
    pub(crate) fn next_direct(&self) -> Option<Stamp> {
        self.own.as_ref()?.next()
    }

    /// Takes the next own event if it happened before whatever has this stamp.
    pub(crate) fn pop_direct(&mut self, stamp: Stamp) -> Option<Event> {
        self.next_direct().filter(|next| *next <= stamp)?;
        self.change_own(OwnQueue::pop)
    }
}
