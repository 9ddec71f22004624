//! Making rooms, and joining them.

use conformance_suite::fault::Fault;
use serde_json::json;

use super::{
    super::state::{Party, Refusal, Reply},
    commands::{Done, MISSING, NO_SUCH_ROOM, Order},
    names,
    room::{MOST_MEMBERSHIPS, Membership, OWNER, Room},
};
use crate::chat::{Chat, Member};

/// The most rooms that one account owns.
const MOST_OWNED: usize = 20;
const TOO_MANY: Refusal = Refusal::new("too-many", "you are in too many rooms");

/// Why somebody does not get in.
enum Barred {
    /// The room has a password, which was not given.
    Locked,
    Refused(Refusal),
}

impl Chat {
    /// `join <room> [password]`
    pub(super) fn enter(&mut self, order: &Order<'_>) -> Done {
        let f = self.faults.clone();
        let Some(name) = order.rest.first() else { return MISSING.into() };
        let Some(number) = self.rooms.find(name, &f) else { return NO_SUCH_ROOM.into() };
        let Some(room) = self.rooms.get(number) else { return NO_SUCH_ROOM.into() };
        let party = order.member.party();
        if room.has(&party) {
            if f.acts(Fault::RoomRejoinAnnounced) {
                self.announce_again(room, &order.member.name, order.member.connection);
            }
            if !f.acts(Fault::RoomRejoinBare) {
                self.show_room(room, &order.member);
            }
            return Reply { ok: true, ..Reply::from(("already", "you are in it")) }.into();
        }
        let let_in = room.invited.contains(&party) && f.acts(Fault::BanRoomInvited);
        if let Some(refusal) = self.banned_from(number, &order.member).filter(|_| !let_in) {
            return refusal.into();
        }
        let password = order.answer.or_else(|| order.rest.get(1).copied());
        match self.admits(room, &party, password) {
            Ok(()) => self.seat(number, &order.member).into(),
            Err(_) if room.hidden && !f.acts(Fault::RoomHiddenTold) => NO_SUCH_ROOM.into(),
            Err(Barred::Locked) => Done::Asks("Which password?", true),
            Err(Barred::Refused(refusal)) => refusal.into(),
        }
    }

    fn admits(&self, room: &Room, party: &Party, password: Option<&str>) -> Result<(), Barred> {
        let f = &self.faults;
        let refused = |code, text| Err(Barred::Refused(Refusal::new(code, text)));
        let level = room.level_of(party);
        if !room.invited.contains(party) && level < OWNER {
            if room.closed && !f.acts(Fault::RoomClosedOpen) {
                return refused("closed", "nobody joins uninvited");
            }
            match (&room.password, password) {
                (None, _) => {}
                (Some(_), None) => return Err(Barred::Locked),
                (Some(right), Some(given)) if right == given => {}
                _ if f.acts(Fault::RoomPasswordIgnored) => {}
                _ => return refused("wrong-password", "that is not the password"),
            }
        }
        let full = room.limit > 0 && level < OWNER && self.places_taken(room, None) >= room.limit;
        if full && !f.acts(Fault::RoomLimitIgnored) {
            return refused("full", "the room is full");
        }
        if self.has_too_many(party) { Err(Barred::Refused(TOO_MANY)) } else { Ok(()) }
    }

    fn has_too_many(&self, party: &Party) -> bool {
        let many = self.rooms.of(party).count() >= MOST_MEMBERSHIPS;
        many && !self.faults.acts(Fault::RoomsUncounted)
    }

    /// Makes somebody a member, and tells everybody concerned.
    fn seat(&mut self, number: u64, member: &Member) -> Reply {
        let f = self.faults.clone();
        let (party, before) = (member.party(), self.rosters());
        let Some(room) = self.rooms.get_mut(number) else { return NO_SUCH_ROOM.into() };
        room.members.push(Membership {
            party: party.clone(),
            since: room.last,
            level: 0,
            spoke: None,
            name: member.name.clone(),
        });
        room.former.remove(&party);
        if !f.acts(Fault::RoomInvitationLasts) {
            room.invited.remove(&party);
        }
        let mut reply = Reply::done("you are in it");
        if let Some(room) = self.rooms.get(number) {
            if f.acts(Fault::RoomObjectBehindResult) {
                reply.late = Some(json!({"ROOMS": [self.room_object(room, member)]}));
            } else {
                self.show_room(room, member);
            }
            if f.acts(Fault::RoomHistoryUnasked) {
                self.send_past(room, member, &member.outbox);
            }
        }
        if let Some(room) = self.rooms.get_mut(number) {
            room.stale = None;
        }
        self.tell_rosters(&before, Some(member.connection));
        reply
    }

    /// Sends a room with every key to all connections of a member.
    fn show_room(&self, room: &Room, member: &Member) {
        let party = member.party();
        for own in self.members.iter().filter(|own| own.party() == party) {
            if own.agreed.has("rooms") {
                own.outbox.send(&json!({"ROOMS": [self.room_object(room, own)]}));
            }
        }
    }

    /// `create-room <room> [password]`
    pub(super) fn create(&mut self, order: &Order<'_>) -> Reply {
        let f = self.faults.clone();
        let Some(name) = order.rest.first() else { return MISSING.into() };
        if !names::is_good(name) && !f.acts(Fault::RoomNamesUnchecked) {
            return Refusal::new("bad-name", "a room can't have that name").into();
        }
        if self.rooms.find(name, &f).is_some() {
            return Refusal::new("taken", "there is such a room").into();
        }
        let alike = |room: &Room| names::alike(&room.name, name);
        let alike = !name.is_ascii() && self.rooms.all.iter().any(alike);
        if alike && !f.acts(Fault::RoomLookalikeMade) {
            return Refusal::new("bad-name", "that looks like another room").into();
        }
        // With the fault that forbidden things are done, a guest may come here.
        let owner = order.member.account.clone().unwrap_or_else(|| order.member.name.clone());
        let owned = self.rooms.all.iter().filter(|room| room.owner.as_ref() == Some(&owner));
        let many = owned.count() >= MOST_OWNED && !f.acts(Fault::RoomsUncounted);
        if many || self.has_too_many(&order.member.party()) {
            return TOO_MANY.into();
        }
        let old = self.rooms.deleted.iter().rev().find(|room| names::same(&room.name, name));
        let number = match old {
            Some(old) if f.acts(Fault::RoomNumberReused) => old.number,
            _ => self.rooms.last_number + 1,
        };
        let mut room = Room::new(number, name, &owner, order.rest.get(1).copied());
        if let Some(old) = old
            && f.acts(Fault::RoomHistoryInherited)
        {
            room.past.clone_from(&old.past);
            room.last = old.last;
        }
        self.rooms.last_number = self.rooms.last_number.max(number);
        self.rooms.all.push(room);
        self.seat(number, &order.member)
    }
}
