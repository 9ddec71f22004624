//! The rooms that one member is in beside the lobby.

use crate::ids::RoomId;
use crate::room::stamp::Stamp;

/// One member is in so many rooms at most, those counted that it has left and not been handed out yet.
const ROOMS: usize = 256;

/// A member in a room, from one moment to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Membership {
    pub(crate) room: RoomId,
    since: Stamp,
    /// Behind the last event of the room that is the member's; never, while it is in the room.
    pub(crate) until: Stamp,
    /// Whether it hears there who blocks it (BL-1).
    is_staff: bool,
}

impl Membership {
    /// What of the room is next for the member, whose cursor is given.
    pub(crate) fn from(&self, cursor: Stamp) -> Stamp {
        cursor.max(self.since)
    }

    fn is_over(&self, cursor: Stamp) -> bool {
        self.from(cursor) >= self.until
    }
}

/// The rooms of a member, and those that it has left with something still to be handed out.
#[derive(Debug, Default)]
pub(crate) struct Memberships(Vec<Membership>);

impl<'a> IntoIterator for &'a Memberships {
    type Item = &'a Membership;
    type IntoIter = std::slice::Iter<'a, Membership>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Memberships {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the member is in a room now.
    pub(crate) fn has(&self, room: RoomId) -> bool {
        self.0.iter().any(|membership| membership.room == room && membership.until == Stamp::NEVER)
    }

    /// Whether the member is staff of a room.
    pub(crate) fn is_staff_in(&self, room: RoomId) -> bool {
        self.0.iter().any(|membership| membership.room == room && membership.is_staff)
    }

    /// Notes whether the member is staff of a room that it is in.
    pub(crate) fn set_staff(&mut self, room: RoomId, is_staff: bool) {
        for membership in self.0.iter_mut().filter(|membership| membership.room == room) {
            membership.is_staff = is_staff;
        }
    }

    /// Enters a room that it is not in; says whether there was room for it.
    pub(crate) fn enter(&mut self, room: RoomId, now: Stamp) -> bool {
        let has_room = self.0.len() < ROOMS;
        if has_room {
            self.0.push(Membership { room, since: now, until: Stamp::NEVER, is_staff: false });
        }
        has_room
    }

    /// Leaves a room whose timeline ends here; what has happened there so far is still handed out.
    pub(crate) fn exit(&mut self, room: RoomId, end: Stamp, cursor: Stamp) {
        for membership in &mut self.0 {
            if membership.room == room && membership.until == Stamp::NEVER {
                membership.until = end;
            }
        }
        self.forget_left(cursor);
    }

    /// Forgets a room that is closed.
    pub(crate) fn forget(&mut self, room: RoomId) {
        self.0.retain(|membership| membership.room != room);
    }

    /// The rooms that the member is in now.
    pub(crate) fn now(&self) -> impl Iterator<Item = RoomId> {
        let now = self.0.iter().filter(|membership| membership.until == Stamp::NEVER);
        now.map(|membership| membership.room)
    }

    /// Forgets the rooms that were left and of which everything was handed out.
    pub(crate) fn forget_left(&mut self, cursor: Stamp) {
        self.0.retain(|membership| !membership.is_over(cursor));
    }
}
