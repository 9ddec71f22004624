//! Rooms beside the lobby: opening one, entering and leaving it, and what is told there.

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

    /// Lets a member into a room: it is told of whatever happens there from now on. Says whether it is in, which it can't be
    /// when there is no such room, or when it is in as many as a member may be.
    pub fn enter(&mut self, id: MemberId, room: RoomId) -> bool {
        let Some(member) = self.members.get_mut(&id).filter(|_| self.rooms.get(room).is_some())
        else {
            return false;
        };
        room == RoomId::LOBBY
            || member.rooms().is_some_and(|rooms| rooms.has(room))
            || member.extras().rooms.enter(room, self.rooms.clock())
    }

    /// Lets a member leave a room: it is still told of what has happened there so far. Leaving twice is leaving once, and
    /// nobody leaves the lobby.
    pub fn exit(&mut self, id: MemberId, room: RoomId) {
        if let Some(member) = self.members.get_mut(&id)
            && let Some(left) = self.rooms.get(room)
        {
            let cursor = member.cursor;
            if let Some(extras) = &mut member.extras {
                extras.rooms.exit(room, left.timeline.end(), cursor);
            }
        }
    }

    /// Tells those who are in a room an event that is not part of the history. Who is not there is woken as well, and finds
    /// nothing.
    pub fn announce_in(&mut self, room: RoomId, event: Event) -> Wake {
        if self.rooms.push(room, event) { Wake::All } else { Wake::Nobody }
    }
}
