//! Memberships and connections: what a connection that begins finds, and what one that ends leaves.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{
    super::state::{Party, Resumption},
    room::{Lost, OWNER, Room},
};
use crate::chat::{Chat, Member};

impl Chat {
    /// A connection begins: its user is back in the rooms.
    pub(crate) fn take_seats(&mut self, member: &Member, resumed: bool) {
        let f = self.faults.clone();
        let party = member.party();
        if resumed {
            self.come_back(&party);
        } else if matches!(party, Party::Guest(_)) && f.has(Fault::RoomGuestByName) {
            let sessions = self.sessions.iter();
            let old =
                sessions.filter(|(token, old)| old.name == member.name && **token != member.token);
            let old: Vec<Party> = old.map(|(token, _)| Party::Guest(token.clone())).collect();
            for old in old {
                let _ = f.acts(Fault::RoomGuestByName);
                self.rooms.hand_over(&old, &party);
            }
        }
    }

    /// A guest has an account now: the memberships are the account's.
    pub(crate) fn adopt(&mut self, connection: u64, account: &str) {
        let Some(member) = self.members.iter_mut().find(|m| m.connection == connection) else {
            return;
        };
        let (token, before) = (member.token.clone(), member.party());
        member.account = Some(account.to_owned());
        let member = member.clone();
        if let Some(session) = self.sessions.get_mut(&token) {
            session.account = Some(account.to_owned());
        }
        let party = member.party();
        self.rooms.hand_over(&before, &party);
        for room in self.rooms.of(&party).filter(|_| member.agreed.has("rooms")) {
            let changed = self.changed(room, &member, &["LEVEL"]);
            member.outbox.send(&json!({"ROOMS": [changed]}));
        }
    }

    /// A guest who was away has a place only as long as there is one.
    fn come_back(&mut self, party: &Party) {
        if !matches!(party, Party::Guest(_)) {
            return;
        }
        let full =
            |room: &&Room| room.limit > 0 && self.places_taken(room, Some(party)) >= room.limit;
        let full: Vec<u64> = self.rooms.of(party).filter(full).map(|room| room.number).collect();
        for number in full {
            self.end_membership(number, party, ("left", None, "the room is full"));
        }
    }

    /// How many count for LIMIT: members, other than the owner and those of level 4, and guests who are away.
    pub(super) fn places_taken(&self, room: &Room, except: Option<&Party>) -> usize {
        let counts = |party: &Party| {
            let here = matches!(party, Party::Account(_))
                || self.members.iter().any(|member| member.party() == *party);
            here && room.level_of(party) < OWNER && Some(party) != except
        };
        room.members.iter().filter(|membership| counts(&membership.party)).count()
    }

    /// A connection has ended.
    pub(crate) fn leave_seats(&mut self, member: &Member) {
        let f = self.faults.clone();
        let party = member.party();
        if self.members.iter().any(|other| other.party() == party) {
            return;
        }
        let all = self.rooms.all.iter_mut().filter_map(|room| room.membership_mut(&party));
        if f.has(Fault::RoomNickStays) {
            all.for_each(|membership| membership.name.clone_from(&member.name));
        }
        let forgotten = match party {
            Party::Account(_) => f.acts(Fault::RoomForgetsAccounts),
            Party::Guest(_) => f.acts(Fault::RoomGuestLost),
        };
        if forgotten {
            for room in &mut self.rooms.all {
                room.members.retain(|membership| membership.party != party);
            }
        }
    }

    /// The keys of the welcome about rooms.
    pub(crate) fn tell_memberships(
        &self,
        member: &Member,
        resumption: Option<&Resumption>,
        welcome: &mut Map<String, Value>,
    ) {
        let f = &self.faults;
        if !member.agreed.has("rooms") {
            return;
        }
        let party = member.party();
        let lobby = json!({"ROOM": "ALL", "TOPIC": "", "TALK": 0, "SLOW": 0, "FLOOR": 0});
        let mut rooms = vec![lobby];
        for room in self.rooms.of(&party) {
            let mut object = self.room_object(room, member);
            if resumption.is_some_and(|resumption| self.has_gap(room, member, resumption)) {
                object.insert("GAP".into(), json!(true));
            }
            rooms.push(Value::Object(object));
        }
        if !f.acts(Fault::RoomsNotInWelcome) {
            welcome.insert("ROOMS".into(), json!(rooms));
        }
        if !f.acts(Fault::RoomDefaultMissing) {
            let number = self.rooms.defaults.get(&party);
            let room = number.and_then(|number| self.rooms.get(*number));
            let room = room.filter(|room| room.has(&party)).or_else(|| {
                let gone = self.rooms.deleted.iter().find(|room| Some(&room.number) == number)?;
                f.acts(Fault::RoomDefaultStays).then_some(gone)
            });
            let room = room.filter(|_| !f.acts(Fault::RoomDefaultForgotten));
            let name = room.map_or("ALL", |room| &room.name);
            welcome.insert("DEFAULT".into(), json!(name));
        }
        let Some(resumption) = resumption else { return };
        let is_member = |number| self.rooms.get(number).is_some_and(|room| room.has(&party));
        let lost = self.rooms.lost.iter().filter(|lost| {
            lost.party == party && lost.at >= resumption.after && !is_member(lost.number)
        });
        let lost: Vec<&Value> = lost.map(|lost| &lost.told).collect();
        if !lost.is_empty() && !f.acts(Fault::RoomLeftUntold) {
            welcome.insert("ROOMS_LEFT".into(), json!(lost));
        }
    }

    /// Takes somebody out of a room and tells them, with a word, by whom, and why; the rest of the room is not told here.
    pub(in super::super) fn end_membership(
        &mut self,
        number: u64,
        party: &Party,
        (code, by, info): (&str, Option<&str>, &str),
    ) {
        let f = self.faults.clone();
        let Some(room) = self.rooms.get_mut(number) else { return };
        room.members.retain(|membership| membership.party != *party);
        room.former.insert(party.clone());
        let told =
            json!({"ROOM": room.name, "NUMBER": number, "CODE": code, "BY": by, "INFO": info});
        let stays = code == "deleted" && f.has(Fault::RoomDefaultStays);
        if self.rooms.defaults.get(party) == Some(&number) && !stays {
            self.rooms.defaults.remove(party);
        }
        let untold = (code == "left" && f.acts(Fault::RoomLeaverUntold))
            || (code == "deleted" && f.acts(Fault::RoomDeletedUntold));
        for member in self.members.iter().filter(|member| member.party() == *party) {
            if member.agreed.has("rooms") && !untold {
                member.outbox.send(&json!({"ROOMS_LEFT": [told]}));
            }
        }
        let lost = Lost { party: party.clone(), number, at: self.last_id, told };
        self.rooms.lost.push(lost);
    }
}
