//! Rooms of the protocol against a naive model: whoever enters, leaves, is removed, renames, blocks, is cut off and resumes, is
//! told just what was said in their rooms while they were members, in one rising order, and ends up with the right rosters.

use std::collections::{BTreeMap, BTreeSet};

use chatterbox_proto::{Capabilities, RoomName};
use serde_json::Value;

use super::*;
use crate::freezing::tests::thawed;
use crate::replica::proposal::{Incarnation, Proposal, Say};
use crate::{
    AccountKey, BlockLists, Greeting, Identity, Join, Level, LoggedIn, Outcome, Rename, Resume,
    RoomActor, RoomChange, RoomMember, RoomNumber, RoomRef, RoomWish, Secrets, SessionKey,
};

mod checks;
mod client;
mod steps;

use client::Client;
use steps::{Step, steps};

const USERS: usize = 7;
/// The first of them have accounts, the others are guests.
const ACCOUNTS: usize = 4;
/// The first two and the first guest rename, the last of both kinds block: what a block on a name means when its owner has
/// another is told elsewhere.
const NAMES: [[&str; 2]; USERS] = [
    ["ann", "Anna"],
    ["bob", "rob"],
    ["cyd", "cyd"],
    ["dan", "dan"],
    ["eve", "yve"],
    ["fay", "fay"],
    ["gus", "gus"],
];
const ROOMS: usize = 20;

/// A room, as it ought to be.
#[derive(Debug, Default)]
struct Room {
    number: u64,
    owner: usize,
    /// Since which number of the log.
    members: BTreeMap<usize, u64>,
}

/// Something that was said.
#[derive(Debug, Clone)]
struct Said {
    id: u64,
    by: usize,
    /// The room, by number; 0 is the lobby.
    room: u64,
    to: Option<usize>,
}

#[derive(Debug)]
struct User {
    name: String,
    here: Option<MemberId>,
    session: Option<SessionKey>,
    /// The rooms that a guest was in when it was cut off.
    suspended: BTreeMap<usize, u64>,
    blocked: BTreeSet<usize>,
    due: Vec<u64>,
    client: Client,
}

struct World {
    hub: Hub,
    users: Vec<User>,
    rooms: BTreeMap<usize, Room>,
    said: Vec<Said>,
    number: u64,
    random: u128,
}

fn capabilities() -> Capabilities {
    Capabilities::parse_offer("ids/1 rename/1 commands/1 rooms/1").unwrap()
}

fn room_name(room: usize) -> RoomName {
    RoomName::parse(&format!("#room-{room}")).unwrap()
}

impl World {
    fn new() -> Self {
        let users = NAMES.map(|names| User {
            name: names[0].to_owned(),
            here: None,
            session: None,
            suspended: BTreeMap::new(),
            blocked: BTreeSet::new(),
            due: Vec::new(),
            client: Client::default(),
        });
        Self {
            hub: hub(),
            users: users.into(),
            rooms: BTreeMap::new(),
            said: Vec::new(),
            number: 0,
            random: 0,
        }
    }

    fn login(who: usize) -> Option<LoggedIn> {
        let account_key = AccountKey { id: i64::try_from(who).unwrap() + 1, epoch: 0 };
        (who < ACCOUNTS).then(|| LoggedIn { account: name(NAMES[who][0]), account_key })
    }

    fn propose(&mut self, proposal: Proposal, greeting: Option<Greeting<'_>>) -> crate::Applied {
        let applied = self.hub.step(Incarnation::default(), proposal, greeting);
        self.hub.replica = thawed(&self.hub.replica); // A node that starts from here goes on like this.
        applied
    }

    /// Whether somebody has another one on their list. What a guest blocks, counts while they are here.
    fn blocks(&self, one: usize, other: usize) -> bool {
        let user = &self.users[one];
        user.blocked.contains(&other) && (one < ACCOUNTS || user.here.is_some())
    }

    /// Whether neither of two sees what the other says.
    fn hides(&self, one: usize, other: usize) -> bool {
        self.blocks(one, other) || self.blocks(other, one)
    }

    /// Whether somebody does not see what another one says in a room. Its owner sees who blocks them, there.
    fn hides_in(&self, by: usize, from: usize, place: Option<usize>) -> bool {
        match place {
            Some(place) if self.rooms[&place].owner == from => self.blocks(from, by),
            _ => self.hides(by, from),
        }
    }

    /// What is shown of what waits is decided when it is handed out: it is, before a guest's list begins or ends to count.
    fn take_before_lists_change(&mut self, who: usize) {
        if who >= ACCOUNTS {
            let blocked: Vec<_> = self.users[who].blocked.iter().copied().collect();
            blocked.into_iter().for_each(|whom| self.take(whom));
        }
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Connect(who) => self.connect(who, false),
            Step::Resume(who) => self.connect(who, true),
            Step::Cut(who) => self.cut(who),
            Step::Create(who, room) => {
                let change = RoomChange::Create { name: room_name(room), password: None };
                let Some((number, granted)) = self.wish(who, change) else { return };
                assert_eq!(granted, !self.rooms.contains_key(&room));
                if granted {
                    let members = BTreeMap::from([(who, number)]);
                    self.rooms.insert(room, Room { number, owner: who, members });
                }
            }
            Step::Enter(who, room) => {
                let Some(found) = self.rooms.get(&room) else { return };
                let (is_new, shown) = (!found.members.contains_key(&who), None);
                let change = RoomChange::Enter { room: RoomNumber(found.number), shown };
                let Some((number, granted)) = self.wish(who, change) else { return };
                assert_eq!(granted, is_new);
                if is_new {
                    self.rooms.get_mut(&room).unwrap().members.insert(who, number);
                }
            }
            Step::Leave(who, room) => {
                let Some(found) = self.rooms.get(&room) else { return };
                let is_member = found.members.contains_key(&who);
                let change = RoomChange::Leave(RoomNumber(found.number));
                let Some((_, granted)) = self.wish(who, change) else { return };
                assert_eq!(granted, is_member);
                self.rooms.get_mut(&room).unwrap().members.remove(&who);
            }
            Step::Delete(who, room) => {
                let Some(found) = self.rooms.get(&room) else { return };
                let may = found.owner == who;
                let change = RoomChange::Delete(RoomNumber(found.number));
                let Some((_, granted)) = self.wish(who, change) else { return };
                assert_eq!(granted, may);
                if may {
                    let number = self.rooms.remove(&room).unwrap().number;
                    // What was not handed out of it is not handed out any more (RM-14).
                    let gone: BTreeSet<_> = self
                        .said
                        .iter()
                        .filter(|said| said.room == number)
                        .map(|said| said.id)
                        .collect();
                    for user in &mut self.users {
                        user.due.retain(|id| !gone.contains(id));
                    }
                }
            }
            Step::Kick(by, who, room) => {
                let Some(found) = self.rooms.get(&room) else { return };
                let may = found.owner == by && who != by && found.members.contains_key(&who);
                let number = RoomNumber(found.number);
                let Some(member) = self.room_member(who) else { return };
                let (reason, banned) = ("no".to_owned(), false);
                let change =
                    RoomChange::Remove { room: number, who: member, reason, banned, by: None };
                let Some((_, granted)) = self.wish(by, change) else { return };
                assert_eq!(granted, may);
                if may {
                    self.rooms.get_mut(&room).unwrap().members.remove(&who);
                }
            }
            Step::Say(who, room) => self.say(who, room),
            Step::Whisper(who, to) => self.whisper(who, to),
            Step::Rename(who) => self.rename(who),
            Step::Block(who, whom) => self.block(who, whom),
            Step::Take(who) => self.take(who),
        }
    }

    /// As whom a user is a member of rooms, if they can be one now.
    fn room_member(&self, who: usize) -> Option<RoomMember> {
        match Self::login(who) {
            Some(login) => Some(RoomMember::Account((&login).into())),
            None => self.users[who].here.map(RoomMember::Guest),
        }
    }

    /// Proposes what a user wishes, if they are here: the number that it had, and whether it was granted.
    fn wish(&mut self, who: usize, change: RoomChange) -> Option<(u64, bool)> {
        let by = RoomActor::Member(self.users[who].here?);
        let number = self.next();
        let wish = RoomWish { by, change, now: 1000 };
        let judged = self.hub.judge_room(&wish, number);
        let applied = self.propose(Proposal::Room(Box::new(wish), number), None);
        assert_eq!(judged.is_ok(), applied.outcome.is_ok(), "judged as it comes");
        Some((number, applied.outcome.is_ok()))
    }

    fn connect(&mut self, who: usize, resumes: bool) {
        let user = &self.users[who];
        // Without resuming the name has to be free, and another session begins.
        if user.here.is_some() && !resumes {
            return;
        }
        let key = user.session.filter(|_| resumes);
        if resumes && key.is_none() {
            return;
        }
        self.take_before_lists_change(who);
        let user = &self.users[who];
        let identity = Identity {
            login: Self::login(who),
            level: if who < ACCOUNTS { Level::USER } else { Level::GUEST },
            agreed: Some(capabilities()),
            ..Identity::guest(name(&user.name))
        };
        self.random += 1;
        let blocked = user.blocked.iter().map(|whom| name(NAMES[*whom][0])).collect();
        let blocked_by = (0..ACCOUNTS).filter(|other| self.users[*other].blocked.contains(&who));
        let named = |other: usize| (i64::try_from(other).unwrap() + 1, name(NAMES[other][0]));
        let lists = BlockLists::new(blocked, blocked_by.map(named).collect::<Vec<_>>()).into();
        let resume = key.map(|key| Resume { key: Some(key.proof()), only: false });
        let secrets = Secrets { fresh: self.random, shown: key.map(|key| key.secret) };
        let verifier = crate::Verifier::of(secrets.fresh);
        let join = Join { identity, lists, resume, verifier, hold: 0 };
        let after = key.map(|_| user.client.last);
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
        let applied = self.propose(Proposal::Join(Box::new(join)), Some(greeting));
        let Ok(Outcome::Welcomed(reply)) = applied.outcome else { panic!("{applied:?}") };
        let welcome = reply.welcome.assemble().unwrap().concat();
        let welcome: Value = serde_json::from_slice(&welcome[4..]).unwrap();
        let (is_resumed, was_here) = (welcome["RESUMED"] == true, self.users[who].here.is_some());
        assert_eq!(is_resumed, resumes);
        let user = &mut self.users[who];
        user.here = Some(reply.id);
        user.session = SessionKey::parse(welcome["RESUME"].as_str().unwrap());
        user.due.clear();
        let suspended = std::mem::take(&mut user.suspended);
        if is_resumed && !was_here {
            for (room, since) in suspended {
                if let Some(room) = self.rooms.get_mut(&room).filter(|room| room.number <= since) {
                    room.members.insert(who, since);
                }
            }
        }
        self.check_welcome(who, &welcome, after);
    }

    fn cut(&mut self, who: usize) {
        self.take_before_lists_change(who);
        let Some(id) = self.users[who].here.take() else { return };
        let _ = self.propose(Proposal::Leave(id), None);
        self.users[who].due.clear();
        if who >= ACCOUNTS {
            for (place, room) in &mut self.rooms {
                if let Some(since) = room.members.remove(&who) {
                    self.users[who].suspended.insert(*place, since);
                }
            }
        }
    }

    fn say(&mut self, who: usize, place: Option<usize>) {
        let Some(member) = self.users[who].here else { return };
        let source = self.users[who].name.clone();
        let id = self.next();
        let mut record = record(&source, None, &id.to_string());
        let mut room = 0;
        if let Some(place) = place {
            let Some(found) = self.rooms.get(&place) else { return };
            let may = self.hub.may_say_in(member, &room_name(place), 10);
            assert_eq!(may.is_ok(), found.members.contains_key(&who));
            room = found.number;
            let reference = RoomRef { number: RoomNumber(room), name: room_name(place) };
            record.destination = Destination::Room(reference);
        }
        let say = Say { member, number: id, tag: None, record };
        let applied = self.propose(Proposal::Say(say), None);
        let is_member = place.is_none_or(|place| self.rooms[&place].members.contains_key(&who));
        assert_eq!(applied.outcome.is_ok(), is_member);
        if !is_member {
            return;
        }
        let said = Said { id, by: who, room, to: None };
        for other in 0..USERS {
            let hears = place.is_none_or(|place| self.rooms[&place].members.contains_key(&other));
            let is_shown = other == who || !self.hides_in(who, other, place);
            if hears && is_shown && self.users[other].here.is_some() {
                self.users[other].due.push(id);
            }
        }
        self.said.push(said);
    }

    fn whisper(&mut self, who: usize, to: usize) {
        let Some(member) = self.users[who].here else { return };
        if self.users[to].here.is_none() || who == to || self.hides(who, to) {
            return;
        }
        let id = self.next();
        let (source, name) = (self.users[who].name.clone(), self.users[to].name.clone());
        let record = record(&source, Some(&name), &id.to_string());
        let say = Say { member, number: id, tag: None, record };
        assert!(self.propose(Proposal::Say(say), None).outcome.is_ok());
        self.users[to].due.push(id);
        self.said.push(Said { id, by: who, room: 0, to: Some(to) });
    }

    fn rename(&mut self, who: usize) {
        let Some(member) = self.users[who].here else { return };
        let [first, second] = NAMES[who];
        // Private messages stay with the name of a guest, so one that has got some keeps it.
        let is_bound = self.said.iter().any(|said| said.to == Some(who)) && who >= ACCOUNTS;
        if first == second || is_bound {
            return;
        }
        let other = if self.users[who].name == first { second } else { first };
        let rename = Rename { name: name(other), owns: false, blocked_by: Vec::new(), now: 0 };
        assert!(self.propose(Proposal::Rename(member, rename), None).outcome.is_ok());
        self.users[who].name = other.to_owned();
    }

    fn block(&mut self, who: usize, whom: usize) {
        let Some(member) = self.users[who].here else { return };
        let can = |user: usize| NAMES[user][0] == NAMES[user][1];
        if !can(who) || !can(whom) || who == whom {
            return;
        }
        // What is shown of what waits is decided when it is handed out.
        self.take(who);
        self.take(whom);
        let blocked = &mut self.users[who].blocked;
        if !blocked.remove(&whom) {
            blocked.insert(whom);
        }
        let names = blocked.iter().map(|whom| name(NAMES[*whom][0])).collect();
        let _ = self.propose(Proposal::SetBlocked(member, names), None);
    }

    /// Takes all that waits for a user, which has to be what is due.
    fn take(&mut self, who: usize) {
        let Some(id) = self.users[who].here else { return };
        let mut told = Vec::new();
        loop {
            match self.hub.take(id) {
                Delivery::Frames { frames, .. } => {
                    let mut decoder = Decoder::new(limits::SERVER_FRAME);
                    frames.frames().iter().for_each(|frame| decoder.push(frame));
                    while let Some(body) = decoder.next_body().unwrap() {
                        let object = serde_json::from_slice(&body).unwrap();
                        told.extend(self.users[who].client.read(&object));
                    }
                }
                Delivery::UpToDate => break,
                Delivery::Removed(why) => panic!("{why:?}"),
            }
        }
        let user = &mut self.users[who];
        assert_eq!(told, std::mem::take(&mut user.due), "{who}");
        self.check_rosters(who);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
    ))]

    #[test]
    fn everybody_is_told_what_is_said_in_their_rooms(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(&step);
        }
        for who in 0..USERS {
            world.take(who);
            // Whoever was cut off comes back to the same.
            world.cut(who);
            world.connect(who, true);
            world.take(who);
        }
    }
}
