//! What somebody who runs the server asks of the chat: the rooms with their numbers, and the memory that waits.

use crate::hub::Hub;
use crate::replica::rooms::definition::RoomDefinition;
use crate::room::limits::TimelineLimits;
use crate::room::timeline::Lag;

/// A room, and how many are in it.
#[derive(Debug)]
pub struct RoomCount<'a> {
    /// What it is.
    pub definition: &'a RoomDefinition,
    /// How many are its members, here or away.
    pub members: usize,
    /// How many of the connections here are told what happens in it.
    pub here: usize,
}

impl Hub {
    /// The bytes that may wait for members.
    pub const fn waiting_limit(&self) -> usize {
        self.budget.limit
    }

    /// How many members are connected with this node.
    pub fn members_here(&self) -> usize {
        self.members.len()
    }

    /// How many sanctions are known, those that have ended and are not forgotten yet too.
    pub fn sanction_count(&self) -> usize {
        self.replica.sanctions.count()
    }

    /// How much the timeline of the lobby holds, and how much it may.
    pub fn lobby_timeline(&self) -> (Lag, TimelineLimits) {
        let timeline = &self.rooms.lobby().timeline;
        let held = Lag { events: timeline.len() as u64, bytes: timeline.held() };
        (held, timeline.limits())
    }

    /// All rooms beside the lobby, hidden ones too, by number.
    pub fn room_counts(&self) -> impl ExactSizeIterator<Item = RoomCount<'_>> {
        self.replica.rooms.iter().map(|(number, room)| {
            let id = self.desk.id(number);
            let here = id.and_then(|id| self.rooms.get(id)).map_or(0, |room| room.readers().len());
            RoomCount { definition: &room.definition, members: room.count(), here }
        })
    }
}
