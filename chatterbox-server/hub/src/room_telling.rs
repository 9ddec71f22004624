//! Rooms change, and the members of this node are told.
//!
//! What concerns all members of a room goes into its timeline, what concerns one into their own queue. Of both it holds that
//! it is told before whatever happens after it.

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::capability::notices::NOTICES;
use chatterbox_proto::capability::rooms::{ROOMS, ROOMS_LEFT};
use chatterbox_proto::json::{self, Object};
use chatterbox_proto::{Capability, Username};

use crate::event::Event;
use crate::hub::Hub;
use crate::ids::RoomNumber;
use crate::ids::{MemberId, RoomId};
use crate::level::Level;
use crate::own_queue::Kind;
use crate::record::RoomRef;
use crate::record::Sequence;
use crate::replica::rooms::definition::{AccountRef, RoomDefinition, RoomMember};
use crate::replica::rooms::departures::DELETED;
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::room::Room;
use crate::replica::rooms::told::{LeftWhy, RoomTold};
use crate::room::limits::TimelineLimits;
use crate::room_desk::CountTold;
use crate::room_object;
use crate::wake::Wake;

/// The bounds of one room's timeline; all rooms have one budget beside.
///
/// They have to be several times the size of a group that is applied at once (1,280 events, 3 MiB), or a burst would overtake
/// readers who were told everything before it.
pub const ROOM_TIMELINE: TimelineLimits = TimelineLimits { events: 8192, bytes: 8 * 1024 * 1024 };

/// The time between two COUNTs of a room whose members are not listed, in milliseconds (RM-10).
const COUNT_EVERY: u64 = 30_000;

impl Hub {
    /// Makes a fact of an earlier run true. Nobody is here yet who could be told.
    pub fn restore_room(&mut self, record: &RoomRecord) {
        self.replica.rooms.apply(record);
        match record {
            RoomRecord::Defined(definition) if definition.number != RoomNumber::LOBBY => {
                self.open_timeline(definition.number);
            }
            RoomRecord::Deleted(number) => self.close_timeline(*number),
            _ => {}
        }
    }

    /// Notes the number of the newest message of a room of an earlier run (LAST).
    pub fn restore_newest(&mut self, room: RoomNumber, newest: Sequence) {
        self.replica.rooms.said(room, newest);
    }

    pub(crate) fn open_timeline(&mut self, number: RoomNumber) {
        if self.desk.id(number).is_none() {
            let id = self.rooms.open(ROOM_TIMELINE);
            self.desk.ids.insert(number, id);
        }
    }

    pub(crate) fn close_timeline(&mut self, number: RoomNumber) {
        self.desk.shared.remove(&number);
        self.desk.counts.remove(&number);
        self.desk.replay_floors.remove(&number);
        self.newest_in_rooms.forget(number);
        if let Some(id) = self.desk.ids.remove(&number) {
            self.close_room(id);
        }
    }

    /// Tells the members of this node what has become of rooms.
    pub(crate) fn tell_rooms(&mut self, told: Vec<RoomTold>, wakes: &mut Vec<Wake>) {
        for told in told {
            self.tell_of_rooms(told, wakes);
        }
    }

    fn tell_of_rooms(&mut self, told: RoomTold, wakes: &mut Vec<Wake>) {
        match told {
            RoomTold::Made(number) => self.open_timeline(number),
            RoomTold::Defined { room: RoomNumber::LOBBY, before, .. } => {
                self.tell_lobby(&before, wakes);
            }
            RoomTold::Defined { room, before, had_roster } => {
                self.forget_shared(room);
                if let Some(found) = self.replica.rooms.get(room) {
                    if before.settings.keep.messages() < found.definition.settings.keep.messages() {
                        self.desk.replay_floors.insert(room, found.last);
                    }
                    let changed = room_object::changed(&before, found);
                    let is_listed_anew = had_roster != found.has_roster();
                    let changed = if is_listed_anew {
                        let object = changed.unwrap_or_else(|| {
                            room_object::identified(Object::with_capacity(256), &found.definition)
                        });
                        Some(room_object::roster(object, &self.replica, found))
                    } else {
                        changed
                    };
                    self.change(room, changed, wakes);
                    if is_listed_anew {
                        self.note_counted(room);
                    }
                }
            }
            RoomTold::AccountChanged { member, left, entered } => {
                if !self.members.contains_key(&member) || !self.speaks_rooms(member) {
                    return;
                }
                // The account is a member all the same, and a connection ends with its login: there is nothing to tell.
                for room in left {
                    self.let_out(member, room);
                }
                for room in entered {
                    self.let_in(member, room);
                    self.tell_whole_room(member, room, wakes);
                }
            }
            RoomTold::Entered { room, who, names } => {
                self.tell_joined(room, &names, wakes);
                for member in self.sessions_here(&who) {
                    self.let_in(member, room);
                    // Also where it is removed for being slow: it has to notice.
                    wakes.push(Wake::One(member));
                    self.tell_whole_room(member, room, wakes);
                }
            }
            RoomTold::Left { room, who, names, why } => {
                let sessions = self.sessions_here(&who);
                for member in sessions {
                    self.let_out(member, room.number);
                    self.tell_left(member, &room, &why, wakes);
                }
                self.tell_gone(room.number, &names, wakes);
            }
            RoomTold::Renamed { room, left, joined } => {
                self.tell_gone(room, &left, wakes);
                self.tell_joined(room, &joined, wakes);
            }
            RoomTold::RosterSwitched(room) => {
                self.forget_shared(room);
                let object = self.replica.rooms.get(room).map(|found| {
                    let object = Object::with_capacity(256);
                    let object = room_object::identified(object, &found.definition);
                    room_object::roster(object, &self.replica, found)
                });
                self.change(room, object, wakes);
                self.note_counted(room);
            }
            RoomTold::StaffChanged(room, account) => self.tell_staff(room, account, wakes),
            RoomTold::LevelChanged(room, member) => self.tell_level(member, room, wakes),
            RoomTold::Deleted { room, members, by } => {
                for who in members {
                    for member in self.sessions_here(&who) {
                        self.let_out(member, room.number);
                        self.tell_rooms_left(member, &room, DELETED, Some(&by), "", wakes);
                    }
                }
                self.close_timeline(room.number);
            }
            RoomTold::Invited { room, who, by, until } => {
                let info = format!("{by} invites you to {}.", room.name);
                let notice = invitation("invited", &room, &by, Some(until), &info);
                self.tell_notice(&who, &notice, wakes);
            }
            RoomTold::Uninvited { room, who, by } => {
                let info = format!("{by} has taken back the invitation to {}.", room.name);
                let notice = invitation("uninvited", &room, &by, None, &info);
                self.tell_notice(&who, &notice, wakes);
            }
        }
    }

    /// The members of this node as whom somebody is here, as far as they speak `rooms`.
    fn sessions_here(&self, who: &RoomMember) -> Vec<MemberId> {
        let speaks = |id: &MemberId| self.members.contains_key(id) && self.speaks_rooms(*id);
        match who {
            RoomMember::Guest(member) => Some(*member).filter(speaks).into_iter().collect(),
            RoomMember::Account(account) => {
                self.replica.sessions_of(account).map(|(id, _)| id).filter(speaks).collect()
            }
        }
    }

    pub(crate) fn speaks_rooms(&self, id: MemberId) -> bool {
        let agreed = self.identity(id).and_then(|identity| identity.agreed);
        agreed.is_some_and(|agreed| agreed.has(Capability::Rooms))
    }

    /// Lets a member be told what happens in a room from now on.
    pub(crate) fn let_in(&mut self, member: MemberId, room: RoomNumber) {
        let Some(id) = self.desk.id(room) else { return };
        if self.enter(member, id) {
            self.note_staff(member, room);
        } else {
            // It has left so many rooms without reading what happened there that it reads nothing at all.
            self.remove_slow(member);
        }
    }

    /// Notes whether a member is staff of a room, who hear those that block them.
    fn note_staff(&mut self, member: MemberId, room: RoomNumber) {
        let Some(id) = self.desk.id(room) else { return };
        let is_staff = self.is_room_staff(member, room);
        if let Some(extras) =
            self.members.get_mut(&member).and_then(|member| member.extras.as_mut())
        {
            extras.rooms.set_staff(id, is_staff);
        }
    }

    /// Whether a member has level 2 or more in a room.
    pub fn is_room_staff(&self, member: MemberId, room: RoomNumber) -> bool {
        let room = self.replica.rooms.get(room);
        room.is_some_and(|room| self.replica.level_in(member, room) >= Level::HELPER)
    }

    fn let_out(&mut self, member: MemberId, room: RoomNumber) {
        if let Some(id) = self.desk.id(room) {
            self.exit(member, id);
        }
    }

    /// Tells the members of a room something.
    fn push(&mut self, room: RoomNumber, event: Event) -> Option<RoomId> {
        let id = self.desk.id(room)?;
        self.rooms.push(id, event).then_some(id)
    }

    fn change(&mut self, room: RoomNumber, object: Option<Object>, wakes: &mut Vec<Wake>) {
        let Some(object) = object else { return };
        let id = self.push(room, Event::room_changed(object.into_value().into()));
        wakes.extend(id.map(Wake::Room));
    }

    fn forget_shared(&mut self, room: RoomNumber) {
        self.desk.shared.remove(&room);
    }

    /// Forgets what was written of rooms because a name in it is another one.
    pub(crate) fn forget_rooms(&mut self, rooms: &[RoomNumber]) {
        for room in rooms {
            self.forget_shared(*room);
        }
    }

    /// Notes that the members of a room know how many there are.
    fn note_counted(&mut self, room: RoomNumber) {
        let told = CountTold { at: Some(self.now), is_stale: false };
        self.desk.counts.insert(room, told);
    }

    fn tell_joined(&mut self, room: RoomNumber, names: &[Username], wakes: &mut Vec<Wake>) {
        self.tell_names(room, names, Event::room_joined, wakes);
    }

    fn tell_gone(&mut self, room: RoomNumber, names: &[Username], wakes: &mut Vec<Wake>) {
        self.tell_names(room, names, Event::room_left, wakes);
    }

    fn tell_names(
        &mut self,
        room: RoomNumber,
        names: &[Username],
        event: fn(Bytes, Bytes) -> Event,
        wakes: &mut Vec<Wake>,
    ) {
        self.forget_shared(room);
        let Some(found) = self.replica.rooms.get(room) else { return };
        if !found.has_roster() {
            self.desk.counts.entry(room).or_default().is_stale = true;
            return;
        }
        let room_json = json::string(found.definition.name.as_str());
        for name in names {
            let id = self.push(room, event(room_json.clone(), json::string(name.as_str())));
            wakes.extend(id.map(Wake::RoomSoon));
        }
    }

    /// The whole object of a room for a member of it.
    pub(crate) fn whole_room(
        &mut self,
        member: MemberId,
        room: RoomNumber,
        gap: bool,
    ) -> Option<Vec<u8>> {
        let found = self.replica.rooms.get(room)?;
        let shared = self.desk.shared.entry(room);
        let shared = shared.or_insert_with(|| room_object::shared(&self.replica, found));
        let level = self.replica.level_in(member, found);
        Some(room_object::whole(found, shared, level, gap))
    }

    /// Tells a member all of a room, which it is in.
    pub(crate) fn tell_whole_room(
        &mut self,
        member: MemberId,
        room: RoomNumber,
        wakes: &mut Vec<Wake>,
    ) {
        let Some(object) = self.whole_room(member, room, false) else { return };
        self.tell_own(
            member,
            Object::with_capacity(object.len() + 16).list(ROOMS, [object]),
            wakes,
        );
    }

    /// The same for a member that asks for it, if it is in the room (RM-6).
    pub fn tell_room(&mut self, member: MemberId, room: RoomNumber, wakes: &mut Vec<Wake>) {
        if room == RoomNumber::LOBBY {
            let lobby = room_object::lobby(self.replica.rooms.lobby());
            let object = Object::with_capacity(lobby.len() + 16).list(ROOMS, [lobby]);
            return self.tell_own(member, object, wakes);
        }
        let found = self.replica.rooms.get(room);
        if found.is_some_and(|room| self.replica.membership(member, room).is_some()) {
            self.tell_whole_room(member, room, wakes);
        }
    }

    fn tell_own(&mut self, member: MemberId, object: Object, wakes: &mut Vec<Wake>) {
        wakes.push(self.queue(member, Kind::Answer, Event::own(object)));
    }

    fn tell_left(
        &mut self,
        member: MemberId,
        room: &RoomRef,
        why: &LeftWhy,
        wakes: &mut Vec<Wake>,
    ) {
        match why {
            LeftWhy::Left => self.tell_rooms_left(member, room, "left", None, "", wakes),
            LeftWhy::Removed { code, by, reason } => {
                self.tell_rooms_left(member, room, code, Some(by), reason, wakes);
            }
            LeftWhy::Gone => {}
        }
    }

    fn tell_rooms_left(
        &mut self,
        member: MemberId,
        room: &RoomRef,
        code: &str,
        by: Option<&str>,
        info: &str,
        wakes: &mut Vec<Wake>,
    ) {
        let left = room_left(room, code, by, info);
        let object = Object::with_capacity(left.len() + 24).list(ROOMS_LEFT, [left]);
        self.tell_own(member, object, wakes);
    }

    /// Tells those who speak `rooms` what has changed of the lobby.
    fn tell_lobby(&mut self, before: &RoomDefinition, wakes: &mut Vec<Wake>) {
        let now = Arc::clone(self.replica.rooms.lobby());
        if before.floor < now.floor {
            self.history.clear(now.floor);
        }
        let Some(changed) = room_object::changed_lobby(before, &now) else { return };
        let object = Object::with_capacity(changed.len() + 16).list(ROOMS, [changed]);
        let members = object.into_members();
        let all = self.members.keys().copied();
        let speakers: Vec<_> = all.filter(|member| self.speaks_rooms(*member)).collect();
        for member in speakers {
            let event = Event::members(members.clone());
            wakes.push(self.queue(member, Kind::Answer, event));
        }
    }

    fn tell_staff(&mut self, room: RoomNumber, account: Option<AccountRef>, wakes: &mut Vec<Wake>) {
        self.forget_shared(room);
        let Some(found) = self.replica.rooms.get(room) else { return };
        let object = room_object::identified(Object::with_capacity(128), &found.definition);
        let object = room_object::owner(object, &found.definition);
        let object = room_object::staff(object, &self.replica, found);
        self.change(room, Some(object), wakes);
        let Some(account) = account else { return };
        let who = RoomMember::Account(account);
        for member in self.sessions_here(&who) {
            self.tell_level(member, room, wakes);
        }
    }

    /// Tells a member of a room which level they have there.
    fn tell_level(&mut self, member: MemberId, room: RoomNumber, wakes: &mut Vec<Wake>) {
        let Some(found) = self.replica.rooms.get(room) else { return };
        if !self.members.contains_key(&member)
            || !self.speaks_rooms(member)
            || self.replica.membership(member, found).is_none()
        {
            return;
        }
        let level = self.replica.level_in(member, found);
        let object = room_object::identified(Object::with_capacity(96), &found.definition);
        let object = object.integer("LEVEL", level.number().into()).into_value();
        let object = Object::with_capacity(object.len() + 16).list(ROOMS, [object]);
        self.note_staff(member, room);
        self.tell_own(member, object, wakes);
    }

    fn tell_notice(&mut self, who: &RoomMember, notice: &[u8], wakes: &mut Vec<Wake>) {
        for member in self.sessions_here(who) {
            let agreed = self.identity(member).and_then(|identity| identity.agreed);
            if agreed.is_some_and(|agreed| agreed.has(Capability::Notices)) {
                let object = Object::with_capacity(notice.len() + 16).list(NOTICES, [notice]);
                self.tell_own(member, object, wakes);
            }
        }
    }

    /// Tells the COUNT of rooms without a roster where it has changed, each at most every 30 seconds (RM-10).
    pub fn tell_counts(&mut self) -> Vec<Wake> {
        let now = self.now;
        let is_due = |told: &CountTold| {
            told.is_stale && told.at.is_none_or(|at| now.saturating_sub(at) >= COUNT_EVERY)
        };
        let due = self.desk.counts.iter().filter(|(_, told)| is_due(told));
        let mut due: Vec<_> = due.map(|(room, _)| *room).collect();
        due.sort_unstable();
        let mut wakes = Vec::new();
        for room in due {
            self.note_counted(room);
            let object = self.replica.rooms.get(room).map(|found| {
                let object = Object::with_capacity(96);
                let count = i64::try_from(found.count()).unwrap_or(i64::MAX);
                room_object::identified(object, &found.definition).integer("COUNT", count)
            });
            self.change(room, object, &mut wakes);
        }
        wakes
    }
}

impl crate::replica::state::Replica {
    /// The level of a member of the chat in a room (RL-1).
    pub(crate) fn level_in(&self, member: MemberId, room: &Room) -> Level {
        let Some(identity) = self.presence().identity(member) else { return Level::GUEST };
        let Some(login) = &identity.login else { return Level::GUEST };
        identity.actor().level.max(room.level_of(login.account_key.id))
    }
}

/// An element of `ROOMS_LEFT` (RM-7).
pub(crate) fn room_left(room: &RoomRef, code: &str, by: Option<&str>, info: &str) -> Vec<u8> {
    let object = Object::with_capacity(160)
        .string("ROOM", room.name.as_str())
        .integer("NUMBER", room_object::signed(room.number.0))
        .string("CODE", code);
    let object = match by.filter(|by| !by.is_empty()) {
        Some(by) => object.string("BY", by),
        None => object.json("BY", b"null"),
    };
    object.string("INFO", info).into_value()
}

/// An element of `NOTICES` about an invitation (RM-13).
fn invitation(code: &str, room: &RoomRef, by: &str, until: Option<i64>, info: &str) -> Vec<u8> {
    let object = Object::with_capacity(200)
        .string("CODE", code)
        .string("ROOM", room.name.as_str())
        .string("BY", by);
    let object = match until {
        Some(until) => object.integer("UNTIL", until),
        None => object,
    };
    object.string("INFO", info).into_value()
}
