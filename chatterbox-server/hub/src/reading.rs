//! A member as a reader of all its rooms: what is next for it, and how far it is.

use crate::ids::RoomId;
use crate::member::Member;
use crate::room::memberships::Membership;
use crate::room::stamp::Stamp;
use crate::room::timeline::Overtaken;
use crate::rooms::{Room, Rooms};

/// What a member is to be handed next: the events of one room from a cursor on, until something else of this member's
/// happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) room: RoomId,
    pub(crate) from: Stamp,
    /// Events with this stamp, or a later one, are not in it.
    pub(crate) end: Stamp,
}

impl Rooms {
    /// The rooms of a member beside the lobby, as far as they may have something for it.
    fn others<'a>(
        &'a self,
        member: &'a Member,
    ) -> impl Iterator<Item = (&'a Membership, &'a Room)> {
        let memberships = member.rooms().into_iter().flatten();
        memberships.filter_map(|membership| Some((membership, self.get(membership.room)?)))
    }

    /// What is next for a member. Its own events are told among those of the lobby.
    pub(crate) fn next_piece(&self, member: &Member) -> Result<Option<Piece>, Overtaken> {
        let mut next = Piece { room: RoomId::LOBBY, from: member.cursor, end: Stamp::NEVER };
        if member.rooms().is_none() {
            return Ok(self.is_lobby_behind(member).then_some(next));
        }
        let lobby = self.lobby().timeline.next_from(member.cursor)?.unwrap_or(Stamp::NEVER);
        // An event of the member's own happened before the event that has its stamp.
        let mut begin = member.next_direct().map_or(lobby, |own| own.min(lobby));
        let mut end = Stamp::NEVER;
        for (membership, room) in self.others(member) {
            let from = membership.from(member.cursor);
            let Some(stamp) = room.timeline.next_from(from)? else { continue };
            if stamp >= membership.until {
                continue;
            }
            if stamp < begin {
                end = end.min(begin);
                begin = stamp;
                next = Piece { room: membership.room, from, end: membership.until };
            } else {
                end = end.min(stamp);
            }
        }
        next.end = next.end.min(end);
        Ok((begin < Stamp::NEVER).then_some(next))
    }

    /// Whether there is something of the lobby, or of its own, that a member has not been handed out.
    fn is_lobby_behind(&self, member: &Member) -> bool {
        member.cursor < self.lobby().timeline.end() || member.next_direct().is_some()
    }

    /// Whether there is anything that a member has not been handed out.
    pub(crate) fn is_behind(&self, member: &Member) -> bool {
        let has_more = |(membership, room): (&Membership, &Room)| {
            membership.from(member.cursor) < room.timeline.end().min(membership.until)
        };
        self.is_lobby_behind(member) || self.others(member).any(has_more)
    }

    /// Whether a member has not been handed out something of its rooms that has happened before this stamp.
    pub(crate) fn lags_behind(&self, member: &Member, stamp: Stamp) -> bool {
        let lags = |room: &Room, from: Stamp, until: Stamp| match room.timeline.next_from(from) {
            Ok(next) => next.is_some_and(|next| next < stamp.min(until)),
            Err(Overtaken) => true,
        };
        lags(self.lobby(), member.cursor, Stamp::NEVER)
            || self.others(member).any(|(membership, room)| {
                lags(room, membership.from(member.cursor), membership.until)
            })
    }

    /// Whether the timeline of a room beside the lobby has overtaken a member.
    pub(crate) fn has_overtaken(&self, member: &Member) -> bool {
        self.others(member).any(|(membership, room)| {
            let from = membership.from(member.cursor);
            from < membership.until && room.timeline.has_overtaken(from)
        })
    }

    /// Whether the run that a member was handed last is kept for others.
    pub(crate) fn keeps_run_of(&self, member: &Member) -> bool {
        let mut rooms =
            std::iter::once(self.lobby()).chain(self.others(member).map(|(_, room)| room));
        rooms.any(|room| room.runs.has_end(member.view, member.cursor))
    }
}
