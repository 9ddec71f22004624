//! A chat with rooms in a few words, for the tests of them. Every wish is judged before it is made, a refused one changes
//! nothing, and what is stored of it is written down.

use std::collections::BTreeMap;

use chatterbox_proto::{Capabilities, RoomName};
use serde_json::Value;

use super::*;
use crate::freezing::tests::thawed;
use crate::replica::proposal::{Incarnation, Proposal, Say};
use crate::replica::rooms::room::Who;
use crate::room_object;
use crate::{
    AccountChange, AccountChangeKind, AccountKey, AccountRef, Applied, Greeting, Identity, Join,
    Level, LoggedIn, Outcome, Refused, Resume, RoomActor, RoomChange, RoomMember, RoomNumber,
    RoomRecord, RoomRef, RoomRefusal, RoomSetting, RoomWish, SessionKey,
};

pub(super) const SPEAKS_ROOMS: &str = "ids/1 rename/1 commands/1 notices/1 rooms/1";

pub(super) struct World {
    pub(super) hub: Hub,
    pub(super) number: u64,
    /// In seconds since 1970.
    pub(super) now: i64,
    /// What the store has got, in order.
    pub(super) stored: Vec<Stored>,
    /// Another node, which is told the same and welcomes nobody.
    twin: Option<Hub>,
    /// Whether it is checked that a refused wish changes nothing, which takes long where there is much.
    compares: bool,
    random: u128,
}

/// What a store is told of rooms.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    Record(RoomRecord),
    /// An account is removed, of which there is no record of rooms.
    Forgotten(i64),
}

/// Somebody who has just joined.
pub(super) struct Newcomer {
    pub(super) id: MemberId,
    pub(super) session: SessionKey,
    pub(super) welcome: Value,
    /// Whether it may be compressed.
    pub(super) is_compressible: bool,
}

pub(super) fn room_name(text: &str) -> RoomName {
    RoomName::parse(text).unwrap()
}

pub(super) fn account(id: i64, text: &str) -> AccountRef {
    AccountRef { id, name: name(text) }
}

pub(super) fn login(id: i64, text: &str) -> LoggedIn {
    LoggedIn { account: name(text), account_key: AccountKey { id, epoch: 0 } }
}

/// A guest.
pub(super) fn guest(text: &str) -> Identity {
    let agreed = Capabilities::parse_offer(SPEAKS_ROOMS).ok();
    Identity { agreed, ..Identity::guest(name(text)) }
}

/// A user of this level on the server, who is here under the name of their account.
pub(super) fn user(id: i64, text: &str, level: Level) -> Identity {
    Identity { login: Some(login(id, text)), level, ..guest(text) }
}

pub(super) fn enter(room: RoomNumber) -> RoomChange {
    RoomChange::Enter { room, shown: None }
}

pub(super) fn create(text: &str) -> RoomChange {
    RoomChange::Create { name: room_name(text), password: None }
}

pub(super) fn remove(room: RoomNumber, who: RoomMember) -> RoomChange {
    RoomChange::Remove { room, who, reason: String::new(), banned: false, by: None }
}

/// The texts of a JSON list, in order.
pub(super) fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    let mut texts: Vec<_> = list.map(|text| text.as_str().unwrap().to_owned()).collect();
    texts.sort();
    texts
}

/// A room whose members are listed in one order.
pub(super) fn in_order(mut room: Value) -> Value {
    if let Some(users) = room.get_mut("USERS") {
        *users = texts(users).into();
    }
    room
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            hub: hub(),
            number: 0,
            now: 1_000_000,
            stored: Vec::new(),
            twin: None,
            compares: true,
            random: 0,
        }
    }

    /// A world with a second node.
    pub(super) fn with_twin() -> Self {
        Self { twin: Some(hub()), ..Self::new() }
    }

    /// A world with so much in it that nobody compares it with what it was.
    pub(super) fn large() -> Self {
        Self { compares: false, ..Self::new() }
    }

    pub(super) fn propose(
        &mut self,
        proposal: Proposal,
        greeting: Option<Greeting<'_>>,
    ) -> Result<Applied, Refused> {
        let copy = proposal.clone();
        let applied = self.hub.step(Incarnation::default(), proposal, greeting);
        if let Some(twin) = &mut self.twin {
            let other = twin.step(Incarnation::default(), copy.clone(), None);
            assert_eq!(other.outcome.is_ok(), applied.outcome.is_ok(), "{copy:?}");
            assert_eq!(twin.digest(), self.hub.digest(), "{copy:?}");
        }
        if self.twin.is_some() {
            // A node that starts from here goes on like this one.
            self.hub.replica = thawed(&self.hub.replica);
        }
        match applied.outcome {
            Err(refused) => Err(refused),
            Ok(_) => Ok(applied),
        }
    }

    pub(super) fn join(&mut self, identity: Identity) -> MemberId {
        self.come(identity, None, 0).id
    }

    /// Somebody resumes a session of which they have all up to a number.
    pub(super) fn resume(&mut self, identity: Identity, key: SessionKey, after: u64) -> Newcomer {
        self.come(identity, Some(key), after)
    }

    pub(super) fn come(
        &mut self,
        identity: Identity,
        key: Option<SessionKey>,
        after: u64,
    ) -> Newcomer {
        self.random += 1;
        let resume = key.map(|key| Resume { key: Some(key.proof()), only: false });
        let lists = std::sync::Arc::default();
        let join =
            Join { identity, lists, resume, verifier: crate::Verifier::of(self.random), hold: 0 };
        let after = key.map(|_| after);
        let secrets = crate::Secrets { fresh: self.random, shown: key.map(|key| key.secret) };
        let greeting = Greeting {
            info: "",
            extra: br#""X": 1"#,
            after,
            recent: None,
            marks: &[],
            device: None,
            zstd: false,
            secrets,
        };
        let applied = self.propose(Proposal::Join(Box::new(join)), Some(greeting)).unwrap();
        let Ok(Outcome::Welcomed(reply)) = applied.outcome else { panic!("{applied:?}") };
        let is_compressible = reply.welcome.is_compressible();
        let welcome = reply.welcome.assemble().unwrap().concat();
        let welcome: Value = serde_json::from_slice(&welcome[4..]).unwrap();
        let session = SessionKey::parse(welcome["RESUME"].as_str().unwrap()).unwrap();
        Newcomer { id: reply.id, session, welcome, is_compressible }
    }

    pub(super) fn leave(&mut self, member: MemberId) {
        let _ = self.propose(Proposal::Leave(member), None);
    }

    pub(super) fn wish(
        &mut self,
        by: MemberId,
        change: RoomChange,
    ) -> Result<Option<RoomRef>, RoomRefusal> {
        self.wish_by(RoomActor::Member(by), change)
    }

    pub(super) fn operator(&mut self, change: RoomChange) -> Result<Option<RoomRef>, RoomRefusal> {
        self.wish_by(RoomActor::Operator, change)
    }

    fn wish_by(
        &mut self,
        by: RoomActor,
        change: RoomChange,
    ) -> Result<Option<RoomRef>, RoomRefusal> {
        let number = self.number + 1;
        let wish = RoomWish { by, change, now: self.now };
        let judged = self.hub.judge_room(&wish, number);
        let before = self.compares.then(|| self.hub.digest());
        let applied = self.propose(Proposal::Room(Box::new(wish.clone()), number), None);
        match (judged, applied) {
            (Ok(judged), Ok(applied)) => {
                let Ok(Outcome::Rooms(done)) = applied.outcome else { panic!("{applied:?}") };
                assert_eq!(done, judged.done);
                self.number = number;
                let durable = judged.records.into_iter().filter(RoomRecord::is_durable);
                self.stored.extend(durable.map(Stored::Record));
                Ok(done.room)
            }
            (Err(refusal), Err(Refused::Room(refused))) => {
                assert_eq!(refusal, refused);
                let after = self.compares.then(|| self.hub.digest());
                assert_eq!(after, before, "nothing changes: {wish:?}");
                Err(refusal)
            }
            (judged, applied) => panic!("judged as it comes: {wish:?} {judged:?} {applied:?}"),
        }
    }

    /// A room of somebody who has an account.
    pub(super) fn room(&mut self, by: MemberId, text: &str) -> RoomNumber {
        self.wish(by, create(text)).unwrap().unwrap().number
    }

    pub(super) fn set(&mut self, by: MemberId, room: RoomNumber, setting: RoomSetting) {
        self.wish(by, RoomChange::Set(room, setting)).unwrap();
    }

    pub(super) fn say(
        &mut self,
        member: MemberId,
        room: RoomNumber,
        text: &str,
    ) -> Result<u64, Refused> {
        let number = self.number + 1;
        let mut record = record(self.hub.name_of(member).unwrap().as_str(), None, text);
        if let Some(room) = self.hub.replica.rooms.get(room) {
            record.destination = Destination::Room(room.definition.to_ref());
        }
        let say = Say { member, number, tag: None, record };
        self.propose(Proposal::Say(say), None)?;
        self.number = number;
        Ok(number)
    }

    /// The same with something that goes with it.
    pub(super) fn say_with(
        &mut self,
        member: MemberId,
        room: RoomNumber,
        text: &str,
        meta: Option<std::sync::Arc<crate::RecordMeta>>,
    ) {
        let number = self.number + 1;
        let name = self.hub.name_of(member).unwrap().clone();
        let room = self.hub.replica.rooms.get(room).unwrap().definition.to_ref();
        let destination = Destination::Room(room);
        let record = Record { destination, meta, ..record(name.as_str(), None, text) };
        let say = Say { member, number, tag: None, record };
        self.propose(Proposal::Say(say), None).unwrap();
        self.number = number;
    }

    pub(super) fn remove_account(&mut self, id: i64, text: &str) -> Applied {
        let change =
            AccountChange { account: id, name: name(text), kind: AccountChangeKind::Removed };
        self.stored.push(Stored::Forgotten(id));
        self.propose(Proposal::EndLogins(change), None).unwrap()
    }

    /// Another hub, with the rooms that are stored of this one.
    pub(super) fn restored(&self) -> Self {
        let mut restored = Self { now: self.now, ..Self::new() };
        for stored in &self.stored {
            match stored {
                Stored::Record(record) => restored.hub.restore_room(record),
                // It does not find them any more.
                Stored::Forgotten(account) => {
                    restored.hub.replica.rooms.forget_account(*account);
                }
            }
        }
        restored
    }

    /// The objects that wait for a member.
    pub(super) fn read(&mut self, id: MemberId) -> Vec<Value> {
        let mut objects = Vec::new();
        loop {
            match self.hub.take(id) {
                Delivery::Frames { frames, .. } => {
                    let mut decoder = Decoder::new(limits::SERVER_FRAME);
                    frames.frames().iter().for_each(|frame| decoder.push(frame));
                    while let Some(body) = decoder.next_body().unwrap() {
                        objects.push(serde_json::from_slice(&body).unwrap());
                    }
                }
                Delivery::UpToDate => return objects,
                Delivery::Removed(why) => panic!("{why:?}"),
            }
        }
    }

    /// The values of one key in what waits for a member.
    pub(super) fn read_key(&mut self, id: MemberId, key: &str) -> Vec<Value> {
        let objects = self.read(id).into_iter();
        objects.filter_map(|mut object| object.get_mut(key).map(Value::take)).collect()
    }

    /// What a member is told of the rooms that they are in.
    pub(super) fn rooms_told(&mut self, id: MemberId) -> Vec<Value> {
        let told = self.read_key(id, "ROOMS");
        told.into_iter().flat_map(|rooms| rooms.as_array().unwrap().clone()).collect()
    }

    pub(super) fn count(&self, room: RoomNumber) -> usize {
        self.hub.replica.rooms.get(room).unwrap().count()
    }

    pub(super) fn is_in(&self, member: MemberId, room: RoomNumber) -> bool {
        let who = self.hub.replica.room_member(member).unwrap();
        self.hub.replica.rooms.get(room).is_some_and(|room| room.has(Who::from(&who)))
    }

    /// The whole object of a room, as a member of it would be told now: not the one that lies written.
    pub(super) fn truth(&mut self, member: MemberId, room: RoomNumber) -> Option<Value> {
        let found = self.hub.replica.rooms.get(room)?;
        let level = self.hub.replica.level_in(member, found);
        let shared = room_object::shared(&self.hub.replica, found);
        let fresh = room_object::whole(found, &shared, level, false);
        let written = self.hub.whole_room(member, room, false).unwrap();
        let read = |object: &[u8]| serde_json::from_slice(object).unwrap();
        let (written, fresh): (Value, Value) = (read(&written), read(&fresh));
        assert_eq!(in_order(written), in_order(fresh.clone()), "what lies written is what is so");
        Some(fresh)
    }

    /// Checks that both sides of a membership say the same, and gives all rooms with their members.
    pub(super) fn members(&self) -> BTreeMap<RoomNumber, Vec<Who>> {
        let rooms = &self.hub.replica.rooms;
        let mut all = BTreeMap::new();
        for (number, room) in rooms.iter() {
            let accounts = room.accounts().map(|account| Who::Account(account.id));
            let members: Vec<_> = accounts.chain(room.guests().map(Who::Guest)).collect();
            assert_eq!(members.len(), room.count());
            for who in &members {
                assert!(rooms.rooms_of(*who).any(|(other, _)| other == number), "{who:?}");
                let others = rooms.rooms_of(*who).filter(|(_, room)| !room.has(*who));
                assert_eq!(others.count(), 0, "a ghost: {who:?}");
            }
            all.insert(number, members);
        }
        all
    }
}
