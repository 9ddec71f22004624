//! Whatever is wished by whomever, and whoever comes, goes, renames, is promoted or loses their account: what clients are told
//! of their rooms makes the same rooms as the hub has (RM-11), what lies written of a room is what is so, and what was stored
//! makes the same rooms in another hub.

use serde_json::Value;

use super::room_kit::*;
use super::*;
use client::{Client, comparable};
use steps::{ACCOUNTS, ROOMS, Step, USERS, Wish, steps};

use crate::replica::proposal::Proposal;
use crate::replica::rooms::definition::RoomDefinition;
use crate::{
    Amendment, ConfiguredRoom, Identity, Level, Rename, RoomChange, RoomMember, RoomNumber,
    RoomSetting, SessionKey,
};

mod client;
mod steps;

/// One connection, and what its client knows.
#[derive(Debug)]
struct Connection {
    who: usize,
    id: MemberId,
    client: Client,
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
                let rename = Rename { name: name(to), owns: true, blocked_by: Vec::new(), now: 0 };
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
