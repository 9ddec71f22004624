//! Rooms beside the lobby, as far as delivery is concerned: opening and closing one, entering and leaving it.

use std::sync::Arc;

use crate::event::Event;
use crate::hub::Hub;
use crate::ids::{MemberId, RoomId};
use crate::room::limits::TimelineLimits;
use crate::wake::Wake;

impl Hub {
    /// Opens a room in which nobody is. Its timeline has bounds of its own, and all rooms beside the lobby share one budget.
    pub fn open_room(&mut self, limits: TimelineLimits) -> RoomId {
        self.rooms.open(limits)
    }

    /// Closes a room. What its readers have not been handed out of it is gone.
    pub fn close_room(&mut self, room: RoomId) {
        let readers = self.readers(room);
        self.rooms.close(room);
        for id in readers.iter() {
            if let Some(extras) = self.members.get_mut(id).and_then(|member| member.extras.as_mut())
            {
                extras.rooms.forget(room);
            }
        }
    }

    /// Lets a member into a room: it is told of whatever happens there from now on. Says whether it is in, which it can't be
    /// when there is no such room, or when it has left so many and not read what happened there.
    pub fn enter(&mut self, id: MemberId, room: RoomId) -> bool {
        if room == RoomId::LOBBY {
            return self.members.contains_key(&id);
        }
        let now = self.rooms.clock();
        let Some(member) = self.members.get_mut(&id) else { return false };
        let Some(entered) = self.rooms.get_mut(room) else { return false };
        let is_in = member.rooms().is_some_and(|rooms| rooms.has(room))
            || member.extras().rooms.enter(room, now);
        if is_in {
            entered.add_reader(id);
        }
        is_in
    }

    /// Lets a member leave a room: it is still told of what has happened there so far. Leaving twice is leaving once, and
    /// nobody leaves the lobby.
    pub fn exit(&mut self, id: MemberId, room: RoomId) {
        if room == RoomId::LOBBY {
            return;
        }
        let Some(left) = self.rooms.get_mut(room) else { return };
        left.remove_reader(id);
        let end = left.timeline.end();
        if let Some(member) = self.members.get_mut(&id) {
            let cursor = member.cursor;
            if let Some(extras) = &mut member.extras {
                extras.rooms.exit(room, end, cursor);
            }
        }
    }

    /// The members of this node who are told what happens in a room beside the lobby.
    pub fn readers(&self, room: RoomId) -> Arc<Vec<MemberId>> {
        self.rooms.get(room).map(|room| Arc::clone(room.readers())).unwrap_or_default()
    }

    /// Tells those who are in a room an event that is not part of the history.
    pub fn announce_in(&mut self, room: RoomId, event: Event) -> Wake {
        match room {
            RoomId::LOBBY => self.announce(event),
            _ if self.rooms.push(room, event) => Wake::Room(room),
            _ => Wake::Nobody,
        }
    }
}
