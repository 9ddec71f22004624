//! Whatever is wished by whomever, and whoever comes, goes, renames, is promoted or loses their account: what clients are told
//! of their rooms makes the same rooms as the hub has (RM-11), what lies written of a room is what is so, and what was stored
//! makes the same rooms in another hub.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::room_kit::*;
use super::*;
use crate::replica::proposal::Proposal;
use crate::replica::rooms::definition::RoomDefinition;
use crate::{
    Amendment, ConfiguredRoom, Identity, Level, Rename, RoomChange, RoomKeep, RoomMember,
    RoomNumber, RoomSetting, RoomShow, SessionKey,
};

/// The first have accounts, and these levels on the server.
const USERS: [(&str, &str, Option<Level>); 7] = [
    ("ann", "Anna", Some(Level::USER)),
    ("bob", "rob", Some(Level::USER)),
    ("cyd", "cydney", Some(Level::HELPER)),
    ("dan", "daniel", Some(Level::ADMIN)),
    ("eve", "yve", None),
    ("fay", "fayence", None),
    ("gus", "gustav", None),
];
const ACCOUNTS: usize = 4;
const ROOMS: [&str; 4] = ["#lab", "#talk", "#staff", "#old"];

#[derive(Debug, Clone)]
enum Step {
    Come(usize, bool, bool),
    Go(usize),
    Resume(usize),
    Rename(usize),
    Promote(usize, usize),
    Register(usize),
    RemoveAccount(usize),
    Wish(usize, Wish),
    Wait(i64),
}

#[derive(Debug, Clone)]
enum Wish {
    Create(usize),
    Enter(usize),
    Leave(usize),
    Delete(usize),
    Set(usize, Setting),
    Invite(usize, usize),
    Uninvite(usize, usize),
    Clear(usize),
    SetLevel(usize, usize, usize),
    SetDefault(Option<usize>),
    Remove(usize, usize),
    Configure(usize, bool, Option<usize>),
    Release(usize),
    EnterAuto(usize),
}

#[derive(Debug, Clone)]
enum Setting {
    Topic(u8),
    Description(u8),
    Limit(u32),
    Password(Option<u8>),
    Hidden(bool),
    Closed(bool),
    Talk(usize),
    Slow(u32),
    Length(u32),
    Keep(u32),
    Show(bool),
    Roster(bool),
}

fn settings() -> impl Strategy<Value = Setting> {
    prop_oneof![
        any::<u8>().prop_map(Setting::Topic),
        any::<u8>().prop_map(Setting::Description),
        (0..4_u32).prop_map(Setting::Limit),
        prop::option::of(0..2_u8).prop_map(Setting::Password),
        any::<bool>().prop_map(Setting::Hidden),
        any::<bool>().prop_map(Setting::Closed),
        (0..6_usize).prop_map(Setting::Talk),
        (0..4000_u32).prop_map(Setting::Slow),
        (0..5000_u32).prop_map(Setting::Length),
        (0..5_u32).prop_map(Setting::Keep),
        any::<bool>().prop_map(Setting::Show),
        any::<bool>().prop_map(Setting::Roster),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..USERS.len();
    let room = || prop_oneof![3 => 0..1_usize, 2 => 0..ROOMS.len()];
    let wish = prop_oneof![
        4 => room().prop_map(Wish::Create),
        12 => room().prop_map(Wish::Enter),
        4 => room().prop_map(Wish::Leave),
        1 => room().prop_map(Wish::Delete),
        4 => (room(), settings()).prop_map(|(room, setting)| Wish::Set(room, setting)),
        3 => (room(), who()).prop_map(|(room, who)| Wish::Invite(room, who)),
        1 => (room(), who()).prop_map(|(room, who)| Wish::Uninvite(room, who)),
        1 => room().prop_map(Wish::Clear),
        4 => (room(), 0..ACCOUNTS, 0..6_usize)
            .prop_map(|(room, who, level)| Wish::SetLevel(room, who, level)),
        1 => prop::option::of(room()).prop_map(Wish::SetDefault),
        2 => (room(), who()).prop_map(|(room, who)| Wish::Remove(room, who)),
        1 => (room(), any::<bool>(), prop::option::of(0..ACCOUNTS))
            .prop_map(|(room, auto, owner)| Wish::Configure(room, auto, owner)),
        1 => room().prop_map(Wish::Release),
        1 => (0..ACCOUNTS).prop_map(Wish::EnterAuto),
    ];
    let step = prop_oneof![
        8 => (who(), any::<bool>(), any::<bool>())
            .prop_map(|(who, nick, second)| Step::Come(who, nick, second)),
        2 => who().prop_map(Step::Go),
        3 => who().prop_map(Step::Resume),
        2 => who().prop_map(Step::Rename),
        1 => (0..ACCOUNTS, 1..6_usize).prop_map(|(who, level)| Step::Promote(who, level)),
        1 => (ACCOUNTS..USERS.len()).prop_map(Step::Register),
        1 => (0..USERS.len()).prop_map(Step::RemoveAccount),
        30 => (who(), wish).prop_map(|(who, wish)| Step::Wish(who, wish)),
        1 => prop_oneof![Just(1), Just(8 * 24 * 60 * 60)].prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..120)
}

/// One connection, and what its client knows.
#[derive(Debug)]
struct Connection {
    who: usize,
    id: MemberId,
    client: Client,
}

#[derive(Debug, Default)]
struct Client {
    rooms: BTreeMap<u64, Map<String, Value>>,
    names: BTreeMap<String, u64>,
}

struct Play {
    world: World,
    here: Vec<Connection>,
    /// Of each user: the account as which they come, and their last session and its name.
    accounts: [Option<i64>; USERS.len()],
    levels: [Level; USERS.len()],
    sessions: [Option<(SessionKey, String)>; USERS.len()],
    next_account: i64,
}

impl Play {
    fn new() -> Self {
        let mut accounts = [None; USERS.len()];
        for (who, account) in accounts.iter_mut().enumerate().take(ACCOUNTS) {
            *account = i64::try_from(who + 1).ok();
        }
        Self {
            world: World::with_twin(),
            here: Vec::new(),
            accounts,
            levels: USERS.map(|(.., level)| level.unwrap_or_default()),
            sessions: Default::default(),
            next_account: 100,
        }
    }

    fn identity(&self, who: usize, called: &str) -> Identity {
        let (text, ..) = USERS[who];
        match self.accounts[who] {
            Some(id) => Identity { name: name(called), ..user(id, text, self.levels[who]) },
            None => guest(called),
        }
    }

    fn place(&self, who: usize) -> Option<usize> {
        self.here.iter().position(|connection| connection.who == who)
    }

    fn room(&self, room: usize) -> RoomNumber {
        let found = self.world.hub.replica.rooms.named(room_name(ROOMS[room]).key());
        found.map_or(RoomNumber(u64::MAX), |room| room.definition.number)
    }

    fn member(&self, who: usize) -> Option<RoomMember> {
        match self.accounts[who] {
            Some(id) => Some(RoomMember::Account(account(id, USERS[who].0))),
            None => Some(RoomMember::Guest(self.here[self.place(who)?].id)),
        }
    }

    fn welcome(&mut self, who: usize, newcomer: &Newcomer, called: String) {
        self.sessions[who] = Some((newcomer.session, called));
        let mut client = Client::default();
        client.read(&newcomer.welcome);
        self.here.push(Connection { who, id: newcomer.id, client });
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Come(who, nick, second) => {
                let (text, other, _) = USERS[*who];
                let called = if *nick { other } else { text };
                let is_taken = self.world.hub.who(&name(called)).is_some();
                let is_here = self.place(*who).is_some();
                // An account may be here twice, under two names.
                if is_taken || (is_here && (!second || self.accounts[*who].is_none())) {
                    return;
                }
                let newcomer = self.world.come(self.identity(*who, called), None, 0);
                self.welcome(*who, &newcomer, called.to_owned());
            }
            Step::Go(who) => {
                let Some(place) = self.place(*who) else { return };
                let connection = self.here.remove(place);
                self.world.leave(connection.id);
            }
            Step::Resume(who) => {
                let Some((session, called)) = self.sessions[*who].clone() else { return };
                let holder = self.world.hub.who(&name(&called));
                let is_other = |id| !self.here.iter().any(|one| one.id == id && one.who == *who);
                if holder.is_some_and(is_other) {
                    return;
                }
                let identity = self.identity(*who, &called);
                if self.world.hub.resumable(session, &name(&called)).is_none() {
                    return;
                }
                let newcomer = self.world.resume(identity, session, self.world.number);
                self.here.retain(|one| Some(one.id) != holder);
                self.welcome(*who, &newcomer, called);
            }
            Step::Rename(who) => {
                let Some(place) = self.place(*who) else { return };
                let id = self.here[place].id;
                let (text, other, _) = USERS[*who];
                let old = self.world.hub.name_of(id).unwrap().as_str().to_owned();
                let to = if old == text { other } else { text };
                let rename = Rename { name: name(to), owns: true, blocked_by: Vec::new() };
                if self.world.propose(Proposal::Rename(id, rename), None).is_ok()
                    && let Some((_, called)) = &mut self.sessions[*who]
                    && *called == old
                {
                    *called = to.to_owned();
                }
            }
            Step::Promote(who, level) => {
                self.levels[*who] = Level::ALL[*level];
                let amendment =
                    Amendment { level: Some(self.levels[*who]), ..Amendment::default() };
                let connections = self.here.iter().filter(|one| one.who == *who);
                let ids: Vec<_> = connections.map(|one| one.id).collect();
                for id in ids {
                    self.world.propose(Proposal::Amend(id, amendment.clone()), None).unwrap();
                }
            }
            Step::Register(who) => {
                let Some(place) = self.place(*who) else { return };
                let id = self.here[place].id;
                // Only under the name that the account is going to have.
                if self.accounts[*who].is_some()
                    || !self.world.hub.name_of(id).unwrap().is(USERS[*who].0)
                {
                    return;
                }
                self.next_account += 1;
                (self.accounts[*who], self.levels[*who]) = (Some(self.next_account), Level::USER);
                let login = login(self.next_account, USERS[*who].0);
                let amendment =
                    Amendment { level: Some(Level::USER), ..Amendment::logged_in(login) };
                self.world.propose(Proposal::Amend(id, amendment), None).unwrap();
                self.world.wish(id, RoomChange::Adopt).unwrap();
            }
            Step::RemoveAccount(who) => {
                let Some(id) = self.accounts[*who] else { return };
                let applied = self.world.remove_account(id, USERS[*who].0);
                for removed in &applied.removed {
                    self.world.leave(*removed);
                }
                self.here.retain(|one| one.who != *who);
                self.next_account += 1;
                // Somebody registers the name anew.
                (self.accounts[*who], self.levels[*who]) = (Some(self.next_account), Level::USER);
            }
            Step::Wish(who, wish) => self.wish(*who, wish),
            Step::Wait(seconds) => self.world.now += seconds,
        }
    }

    fn wish(&mut self, who: usize, wish: &Wish) {
        let number = |room: &usize| self.room(*room);
        let change = match wish {
            Wish::Create(room) => create(ROOMS[*room]),
            // Half of them know the password.
            Wish::Enter(room) => RoomChange::Enter {
                room: number(room),
                shown: who.is_multiple_of(2).then(|| "0".into()),
            },
            Wish::Leave(room) => RoomChange::Leave(number(room)),
            Wish::Delete(room) => RoomChange::Delete(number(room)),
            Wish::Set(room, setting) => RoomChange::Set(number(room), setting.setting()),
            Wish::Invite(room, whom) => {
                let Some(whom) = self.member(*whom) else { return };
                RoomChange::Invite(number(room), whom)
            }
            Wish::Uninvite(room, whom) => {
                let Some(whom) = self.member(*whom) else { return };
                RoomChange::Uninvite(number(room), whom)
            }
            Wish::Clear(room) => RoomChange::Clear(number(room)),
            Wish::SetLevel(room, whom, level) => {
                let Some(RoomMember::Account(account)) = self.member(*whom) else { return };
                RoomChange::SetLevel(number(room), account, Level::ALL[*level])
            }
            Wish::SetDefault(room) => RoomChange::SetDefault(room.as_ref().map(number)),
            Wish::Remove(room, whom) => {
                let Some(whom) = self.member(*whom) else { return };
                remove(number(room), whom)
            }
            Wish::Configure(room, auto, owner) => {
                let owner = owner.and_then(|owner| match self.member(owner)? {
                    RoomMember::Account(account) => Some(account),
                    RoomMember::Guest(_) => None,
                });
                let settings = vec![RoomSetting::Topic("of the file".into())];
                let (name, auto) = (room_name(ROOMS[*room]), *auto);
                let room = ConfiguredRoom { name, settings, owner, auto };
                let _ = self.world.operator(RoomChange::Configure(Box::new(room)));
                return;
            }
            Wish::Release(room) => {
                let _ = self.world.operator(RoomChange::Release(number(room)));
                return;
            }
            Wish::EnterAuto(whom) => {
                let Some(RoomMember::Account(account)) = self.member(*whom) else { return };
                self.world.operator(RoomChange::EnterAuto(account)).unwrap();
                return;
            }
        };
        let Some(place) = self.place(who) else { return };
        let _ = self.world.wish(self.here[place].id, change);
    }

    /// What every client has been told is what is so.
    fn check(&mut self) {
        self.world.members();
        for Connection { id, client, .. } in &mut self.here {
            for object in self.world.read(*id) {
                client.read(&object);
            }
            let who = self.world.hub.replica.room_member(*id).unwrap();
            let rooms: Vec<_> = self.world.hub.replica.rooms.iter().map(|(room, _)| room).collect();
            let is_in = |room: &RoomNumber| {
                self.world.hub.replica.rooms.get(*room).is_some_and(|room| room.has((&who).into()))
            };
            let mine: Vec<_> = rooms.into_iter().filter(is_in).collect();
            assert_eq!(
                client.rooms.keys().copied().collect::<Vec<_>>(),
                mine.iter().map(|room| room.0).collect::<Vec<_>>(),
                "{id:?} is in these rooms"
            );
            for room in mine {
                let truth = self.world.truth(*id, room).unwrap();
                let told = Value::Object(client.rooms[&room.0].clone());
                assert_eq!(comparable(told), comparable(truth), "{id:?}");
            }
        }
    }
}

/// Without what is counted by the client itself, and lists without an order.
fn comparable(mut room: Value) -> Value {
    let object = room.as_object_mut().unwrap();
    for key in ["COUNT", "LAST", "GAP"] {
        object.remove(key);
    }
    in_order(room)
}

impl Client {
    fn room(&mut self, called: &str) -> &mut Map<String, Value> {
        self.rooms.get_mut(&self.names[called]).unwrap()
    }

    fn read(&mut self, object: &Value) {
        let each = |key: &str| object[key].as_object().cloned().unwrap_or_default();
        for (room, names) in each("ROOM_USERS_JOINED") {
            let room = self.room(&room);
            assert_eq!(room["ROSTER"], true, "RM-10");
            let users = room["USERS"].as_array_mut().unwrap();
            for name in names.as_array().unwrap() {
                assert!(!users.contains(name), "{name} was there already");
                users.push(name.clone());
            }
        }
        for (old, new) in each("USERS_RENAMED") {
            for room in self.rooms.values_mut() {
                let users = room.get_mut("USERS").and_then(Value::as_array_mut);
                for name in users.into_iter().flatten().filter(|name| **name == old) {
                    *name = new.clone();
                }
                let staff = room["STAFF"].as_object_mut().unwrap();
                if let Some(level) = staff.remove(&old) {
                    staff.insert(new.as_str().unwrap().to_owned(), level);
                }
            }
        }
        for told in object["ROOMS"].as_array().into_iter().flatten() {
            let Some(number) = told["NUMBER"].as_u64() else { continue };
            let told = told.as_object().unwrap().clone();
            if told.contains_key("LAST") {
                self.names.insert(told["ROOM"].as_str().unwrap().to_owned(), number);
                self.rooms.insert(number, told);
            } else {
                let known = self.rooms.get_mut(&number).expect("a change of a known room");
                if told.get("ROSTER") == Some(&Value::Bool(false)) {
                    known.remove("USERS");
                }
                known.extend(told);
            }
        }
        for (room, names) in each("ROOM_USERS_LEFT") {
            let room = self.room(&room);
            assert_eq!(room["ROSTER"], true, "RM-10");
            for name in names.as_array().unwrap() {
                let users = room["USERS"].as_array_mut().unwrap();
                let place = users.iter().position(|user| user == name);
                users.remove(place.unwrap_or_else(|| panic!("{name} was not there")));
                room["STAFF"].as_object_mut().unwrap().remove(name.as_str().unwrap());
            }
        }
        for left in object["ROOMS_LEFT"].as_array().into_iter().flatten() {
            let known = self.rooms.remove(&left["NUMBER"].as_u64().unwrap());
            assert!(known.is_some() || object.get("USER_LIST").is_some(), "{left}");
            self.names.remove(left["ROOM"].as_str().unwrap());
        }
    }
}

impl Setting {
    fn setting(&self) -> RoomSetting {
        match self {
            Self::Topic(text) => RoomSetting::Topic(text.to_string().into()),
            Self::Description(text) => RoomSetting::Description(text.to_string().into()),
            Self::Limit(limit) => RoomSetting::Limit(*limit),
            Self::Password(password) => {
                RoomSetting::Password(password.map(|password| password.to_string().into()))
            }
            Self::Hidden(hidden) => RoomSetting::Hidden(*hidden),
            Self::Closed(closed) => RoomSetting::Closed(*closed),
            Self::Talk(level) => RoomSetting::Talk(Level::ALL[*level]),
            Self::Slow(seconds) => RoomSetting::Slow(*seconds),
            Self::Length(length) => RoomSetting::Length(*length),
            Self::Keep(0) => RoomSetting::Keep(RoomKeep::Off),
            Self::Keep(1) => RoomSetting::Keep(RoomKeep::All),
            Self::Keep(messages) => RoomSetting::Keep(RoomKeep::Newest(*messages)),
            Self::Show(true) => RoomSetting::Show(RoomShow::All),
            Self::Show(false) => RoomSetting::Show(RoomShow::Joined),
            Self::Roster(roster) => RoomSetting::Roster(*roster),
        }
    }
}

/// All that outlives the process of a hub's rooms, as text. Which settings the configuration names is said again at the start.
fn durable(world: &World) -> String {
    let mut all = format!("{:?}\n", world.hub.lobby());
    let rooms = &world.hub.replica.rooms;
    let mut people = std::collections::BTreeSet::new();
    for (number, room) in rooms.iter() {
        let definition: &RoomDefinition = &room.definition;
        all += &format!("{definition:?}\n");
        for (account, since) in room.in_order() {
            people.insert(account.id);
            all += &format!("{number} has {account:?} since {since}\n");
        }
        all += &format!("levels {:?} out {:?}\n", room.levels(), room.left_by());
        let invited = room.all_invitations(world.now);
        for (who, by) in invited.filter(|(who, _)| matches!(who, RoomMember::Account(_))) {
            all += &format!("invited {who:?} {by:?}\n");
        }
    }
    for id in people {
        let default = rooms.default_of(crate::replica::rooms::room::Who::Account(id));
        all += &format!("{id} begins in {:?}\n", default.map(|room| room.definition.number));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
    ))]

    #[test]
    fn what_clients_are_told_and_what_is_stored_is_what_is_so(steps in steps()) {
        let mut play = Play::new();
        for step in &steps {
            play.step(step);
            play.check();
        }
        prop_assert_eq!(durable(&play.world.restored()), durable(&play.world));
    }
}
