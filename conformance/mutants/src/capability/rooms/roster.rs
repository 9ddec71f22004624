//! Who is a member: lists of them, and what the room is told of those who come and go.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use conformance_kit::clock::Clock;
use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{
    super::state::Party,
    room::{Membership, Room, STAFF},
};
use crate::chat::{Chat, Member};

/// COUNT is told once in this time, where members are not listed.
const BETWEEN_COUNTS: Duration = Duration::from_secs(30);

/// The names of the members of each room, by its number.
pub(crate) type Rosters = BTreeMap<u64, BTreeSet<String>>;

impl Chat {
    /// The name of a member in the list: that of the session, else that of the account (RM-8).
    pub(super) fn shown_name(&self, membership: &Membership) -> Option<String> {
        let f = &self.faults;
        let here = self.members.iter().find(|member| member.party() == membership.party);
        match (here, &membership.party) {
            (Some(_), _) if f.acts(Fault::RoomRenameUntold) => Some(membership.name.clone()),
            (Some(member), _) => Some(member.name.clone()),
            // Membership is not presence, other than for this server.
            (None, Party::Account(_)) if f.acts(Fault::RoomReconnectTold) => None,
            (None, Party::Account(_)) if f.acts(Fault::RoomNickStays) => {
                Some(membership.name.clone())
            }
            (None, Party::Account(name)) => Some(name.clone()),
            (None, Party::Guest(_)) if f.acts(Fault::RoomGuestStays) => {
                Some(membership.name.clone())
            }
            (None, Party::Guest(_)) => None,
        }
    }

    pub(super) fn roster(&self, room: &Room) -> BTreeSet<String> {
        room.members.iter().filter_map(|membership| self.shown_name(membership)).collect()
    }

    /// The rosters of all rooms, to find out later what has changed.
    pub(crate) fn rosters(&self) -> Rosters {
        self.rooms.all.iter().map(|room| (room.number, self.roster(room))).collect()
    }

    /// Tells the members of each room who has come and gone since; all but one connection.
    pub(crate) fn tell_rosters(&mut self, before: &Rosters, except: Option<u64>) {
        let numbers: Vec<u64> = self.rooms.all.iter().map(|room| room.number).collect();
        for number in numbers {
            let (Some(before), Some(room)) = (before.get(&number), self.rooms.get(number)) else {
                continue;
            };
            let now = self.roster(room);
            if *before == now {
                continue;
            }
            let gone: Vec<String> = before.difference(&now).cloned().collect();
            let come: Vec<String> = now.difference(before).cloned().collect();
            let f = &self.faults;
            if room.roster || f.acts(Fault::RoomRosterAlways) {
                if !gone.is_empty() && !f.acts(Fault::RoomLeaveUntold) {
                    self.tell_room(room, &notice("ROOM_USERS_LEFT", room, &gone), except);
                }
                if !come.is_empty() && !f.acts(Fault::RoomJoinUntold) {
                    let come = notice("ROOM_USERS_JOINED", room, &come);
                    if room.members.len() > 2 && f.acts(Fault::RoomJoinToldLate) {
                        self.tell_late(number, come);
                    } else {
                        self.tell_room(room, &come, except);
                    }
                }
            }
            self.tell_count(number, except);
        }
    }

    /// Announces a member who was one before, for a server that can't tell.
    pub(super) fn announce_again(&self, room: &Room, name: &str, except: u64) {
        let again = notice("ROOM_USERS_JOINED", room, &[name.to_owned()]);
        self.tell_room(room, &again, Some(except));
    }

    /// Keeps something that is told behind the next message.
    fn tell_late(&mut self, number: u64, told: Value) {
        if let Some(room) = self.rooms.get_mut(number) {
            room.late = Some(told);
        }
    }

    fn tell_count(&mut self, number: u64, except: Option<u64>) {
        let Some(room) = self.rooms.get(number).filter(|room| !room.roster) else { return };
        if room.counted.is_some_and(|last| last.elapsed() < BETWEEN_COUNTS) {
            return;
        }
        self.tell_change(number, &["COUNT"], except);
        if let Some(room) = self.rooms.get_mut(number) {
            room.counted = Some(Clock::start());
        }
    }

    /// Sends an object to the members of a room who are here and speak `rooms`.
    pub(super) fn tell_room(&self, room: &Room, object: &Value, except: Option<u64>) {
        for member in self.members.iter().filter(|member| Some(member.connection) != except) {
            let base = !member.agreed.offered() && self.faults.acts(Fault::RoomsToBase);
            if base || (member.agreed.has("rooms") && room.has(&member.party())) {
                member.outbox.send(object);
            }
        }
    }

    /// Tells the members what has changed in a room (RM-11).
    pub(super) fn tell_change(&self, number: u64, keys: &[&str], except: Option<u64>) {
        let Some(room) = self.rooms.get(number) else { return };
        for member in self.members.iter().filter(|member| Some(member.connection) != except) {
            if member.agreed.has("rooms") && room.has(&member.party()) {
                let changed = self.changed(room, member, keys);
                member.outbox.send(&json!({"ROOMS": [changed]}));
            }
        }
    }

    /// The part of a room's object that has changed.
    pub(super) fn changed(
        &self,
        room: &Room,
        member: &Member,
        keys: &[&str],
    ) -> Map<String, Value> {
        let mut object = self.room_object(room, member);
        object.retain(|key, _| {
            matches!(key.as_str(), "ROOM" | "NUMBER") || keys.contains(&key.as_str())
        });
        object
    }

    /// A room with every key, as one of its members sees it.
    pub(super) fn room_object(&self, room: &Room, member: &Member) -> Map<String, Value> {
        let f = &self.faults;
        let mut object = room.shown(f);
        let mut users = self.roster(room);
        object.insert("COUNT".into(), json!(users.len()));
        object.insert("LEVEL".into(), json!(room.level_of(&member.party())));
        let staff: BTreeMap<String, u8> = room
            .members
            .iter()
            .map(|membership| (membership, room.level_of(&membership.party)))
            .filter(|(_, level)| *level >= STAFF)
            .filter_map(|(membership, level)| Some((self.shown_name(membership)?, level)))
            .collect();
        object.insert("STAFF".into(), json!(staff));
        if room.roster || f.acts(Fault::RoomRosterAlways) {
            if f.has(Fault::RoomBlockUnlists) {
                let before = users.len();
                users.retain(|name| !self.blocks_either(&member.name, name));
                if users.len() < before {
                    let _ = f.acts(Fault::RoomBlockUnlists);
                }
            }
            object.insert("USERS".into(), json!(users));
        }
        if f.acts(Fault::RoomKeysMissing) {
            object.retain(|key, _| !matches!(key.as_str(), "STAFF" | "LAST" | "FLOOR"));
        }
        object
    }
}

fn notice(key: &str, room: &Room, names: &[String]) -> Value {
    let names = Map::from_iter([(room.name.clone(), json!(names))]);
    json!({key: names})
}
