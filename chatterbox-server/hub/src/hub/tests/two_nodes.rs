//! Two nodes that apply the same groups: every member is told exactly what one node that has all of them would tell it, and is
//! answered the same.
//!
//! A third hub, which knows of no cluster, greets everybody and is the measure. How events are put together into objects may
//! differ, as it does with any pace of reading; what is told, and in which order, may not.

use std::sync::Arc;

use chatterbox_proto::{Capabilities, RoomName};
use serde_json::Value;

use super::*;
use crate::{
    AccountChange, AccountChangeKind, AccountKey, AccountRef, Amendment, Audience, BlockLists,
    Greeting, Group, Identity, Incarnation, Join, Level, LoggedIn, Moderation, ModerationAct,
    Outcome, Proposal, Refused, Rename, Resume, RoomActor, RoomChange, RoomMember, RoomNumber,
    RoomWish, Sanction, SanctionId, SanctionKind, SanctionSubject, Say, SessionKey, Tell, Up,
};
use steps::{ACCOUNTS, ROOMS, RoomStep, Step, TellStep, USERS, level, steps};
use told::{facts, read, welcomed};

mod lists;
mod steps;
mod told;

/// One node.
struct Node {
    life: Incarnation,
    hub: Hub,
    groups: u64,
}

/// A user's connection.
#[derive(Debug, Clone, Copy)]
struct Here {
    id: MemberId,
    node: usize,
}

#[derive(Debug, Default)]
struct User {
    here: Option<Here>,
    session: Option<SessionKey>,
    /// The newest id that it has seen.
    last: u64,
    blocked: Vec<Username>,
}

struct Cluster {
    /// All members at one place.
    whole: Hub,
    nodes: [Node; 2],
    place: u64,
    /// The time of the order, and of every node, in milliseconds.
    at: u64,
    users: Vec<User>,
    lives: u64,
    random: u128,
    sanctions: i64,
}

fn account(who: usize) -> AccountRef {
    AccountRef { id: 1 + who as i64, name: name(USERS[who].0) }
}

fn login(who: usize) -> LoggedIn {
    let AccountRef { id, name } = account(who);
    LoggedIn { account: name, account_key: AccountKey { id, epoch: 0 } }
}

fn agreed(who: usize) -> Option<Capabilities> {
    let offer = USERS[who].2;
    (!offer.is_empty()).then(|| Capabilities::parse_offer(offer).unwrap())
}

impl Cluster {
    fn new() -> Self {
        let node = |life| Node { life: Incarnation(life), hub: hub(), groups: 0 };
        let users = USERS.iter().map(|_| User::default()).collect();
        let mut cluster = Self {
            whole: hub(),
            nodes: [node(1), node(2)],
            place: 0,
            at: 0,
            users,
            lives: 2,
            random: 0,
            sanctions: 0,
        };
        cluster.start(0);
        cluster.start(1);
        cluster
    }

    fn start(&mut self, node: usize) {
        let Node { life, hub, .. } = &mut self.nodes[node];
        hub.serves(*life);
        self.offer(node, Proposal::Up(Up { read_to: self.at, ..Up::default() }), None).unwrap();
    }

    /// A node proposes something, and everybody applies it. All come to the same; what the node answers is what the whole would.
    fn offer(
        &mut self,
        node: usize,
        proposal: Proposal,
        greeting: Option<Greeting<'_>>,
    ) -> Result<Outcome, Refused> {
        self.place += 1;
        let Node { life, groups, .. } = &mut self.nodes[node];
        *groups += 1;
        let mut group = Group { from: *life, number: *groups, proposals: vec![proposal] };
        group.number_by_place(self.place);
        let at = self.at;
        let apply = |hub: &mut Hub, greeting| {
            hub.tick(at);
            assert!(hub.begin(&group, at));
            hub.step(group.from, group.proposals[0].clone(), greeting)
        };
        let whole = apply(&mut self.whole, greeting);
        let here = |place: usize| greeting.filter(|_| place == node);
        let [one, other] = &mut self.nodes;
        let applied = [apply(&mut one.hub, here(0)), apply(&mut other.hub, here(1))];
        for Node { hub, .. } in &self.nodes {
            assert_eq!(hub.digest(), self.whole.digest(), "{group:?}");
            assert_eq!(hub.newest(), self.whole.newest());
        }
        let mut removed: Vec<_> = applied.iter().flat_map(|all| all.removed.clone()).collect();
        let mut expected = whole.removed.clone();
        removed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(removed, expected, "whose connections have to end: {group:?}");
        let [one, other] = applied.map(|applied| applied.outcome);
        let outcome = if node == 0 { one } else { other };
        match (&outcome, &whole.outcome) {
            (Ok(Outcome::Welcomed(one)), Ok(Outcome::Welcomed(whole))) => {
                assert_eq!(welcomed(one), welcomed(whole));
                assert_eq!((one.id, one.replaced), (whole.id, whole.replaced));
            }
            (one, whole) => assert_eq!(format!("{one:?}"), format!("{whole:?}")),
        }
        outcome
    }

    fn identity(&self, who: usize) -> Identity {
        let is_account = who < ACCOUNTS;
        Identity {
            login: is_account.then(|| login(who)),
            level: if is_account { Level::USER } else { Level::GUEST },
            agreed: agreed(who),
            since: self.place.cast_signed(),
            ..Identity::guest(name(USERS[who].0))
        }
    }

    fn come(&mut self, who: usize, node: usize, resume: Option<Resume>) {
        self.random += 1;
        let blocked_by = Vec::new();
        let lists = Arc::new(BlockLists::new(self.users[who].blocked.clone(), blocked_by));
        let mut identity = self.identity(who);
        if let Some(called) = resume
            .and_then(|_| self.users[who].here)
            .and_then(|here| self.whole.name_of(here.id).cloned())
        {
            identity.name = called;
        }
        let hold = if who == ACCOUNTS { 5_000 } else { 0 };
        let join =
            Join { identity, lists, resume, verifier: crate::Verifier::of(self.random), hold };
        let after = resume.map(|_| self.users[who].last);
        let shown = resume.and(self.users[who].session).map(|key| key.secret);
        let secrets = crate::Secrets { fresh: self.random, shown };
        let greeting = Greeting {
            info: "hi",
            extra: br#""X": 1"#,
            after,
            recent: None,
            marks: &[],
            device: None,
            zstd: false,
            secrets,
        };
        let joined = self.offer(node, Proposal::Join(Box::new(join)), Some(greeting));
        let Ok(Outcome::Welcomed(reply)) = joined else { return };
        let before = self.users[who].here.replace(Here { id: reply.id, node });
        if let Some(before) = before {
            assert_eq!(reply.replaced, Some(before.id));
            self.disconnect(before);
        }
        let welcome = welcomed(&reply);
        if let Some(session) = welcome["RESUME"].as_str() {
            self.users[who].session = SessionKey::parse(session);
            self.seen(who, &welcome["IDS"]);
        }
    }

    fn disconnect(&mut self, Here { id, node }: Here) {
        assert_eq!(self.nodes[node].hub.removal(id), self.whole.removal(id));
        self.nodes[node].hub.disconnect(id);
        self.whole.disconnect(id);
    }

    /// The connection of a user has ended, whatever it ended of.
    fn go(&mut self, who: usize) {
        if let Some(here) = self.users[who].here.take() {
            self.disconnect(here);
            let _ = self.offer(here.node, Proposal::Leave(here.id), None);
        }
    }

    fn seen(&mut self, who: usize, ids: &Value) {
        let newest = ids.as_array().into_iter().flatten().filter_map(Value::as_u64).max();
        self.users[who].last = self.users[who].last.max(newest.unwrap_or(0));
    }

    /// A user reads all that waits, and finds out whether it was removed.
    fn take(&mut self, who: usize) {
        let Some(Here { id, node }) = self.users[who].here else { return };
        let (told, removal) = read(&mut self.nodes[node].hub, id);
        let (expected, expected_removal) = read(&mut self.whole, id);
        assert_eq!(facts(&told), facts(&expected), "{} at {node}", USERS[who].0);
        assert_eq!(removal, expected_removal);
        for (_, ids) in told.iter().flat_map(|told| &told.0).filter(|(key, _)| key == "IDS") {
            self.seen(who, ids);
        }
        if removal.is_some() {
            self.go(who);
        }
    }

    fn room(&self, room: usize) -> RoomNumber {
        let name = RoomName::parse(ROOMS[room]).unwrap();
        let found = self.whole.replica.rooms.named(name.key());
        found.map_or(RoomNumber(u64::MAX), |room| room.definition.number)
    }

    fn room_member(&self, who: usize) -> Option<RoomMember> {
        if who < ACCOUNTS {
            return Some(RoomMember::Account(account(who)));
        }
        self.users[who].here.map(|here| RoomMember::Guest(here.id))
    }

    fn say(&mut self, who: usize, to: Option<&str>, content: &str) {
        let Some(Here { id, node }) = self.users[who].here else { return };
        let Some(called) = self.whole.name_of(id).cloned() else { return };
        let [whole, own] = [&mut self.whole, &mut self.nodes[node].hub];
        let (destination, filed, reserved) = match to {
            None => {
                let may = own.may_say_to_all(id);
                assert_eq!(may, whole.may_say_to_all(id));
                (Destination::All, None, None)
            }
            Some(room) if room.starts_with('#') => {
                let room = RoomName::parse(room).unwrap();
                let may = own.may_say_in(id, &room, 1);
                assert_eq!(may, whole.may_say_in(id, &room, 1));
                let Ok(room) = may else { return };
                (Destination::Room(room), None, None)
            }
            Some(to) => {
                let reserved = own.reserve(id, &name(to), content.len());
                assert_eq!(reserved, whole.reserve(id, &name(to), content.len()), "{to}");
                let Ok((to, spelling)) = reserved else { return };
                let filed = whole.identity(to).map(Identity::party);
                (Destination::User(spelling), filed, Some(to))
            }
        };
        let mut record = record(called.as_str(), None, content);
        record.destination = destination;
        record.filing.to = filed;
        let mut records = [record];
        own.file_from(id, &mut records);
        let [record] = records;
        let say = Say { member: id, number: 0, tag: None, record };
        let _ = self.offer(node, Proposal::Say(say), None);
        if let Some(to) = reserved {
            self.whole.release(to, content.len());
            self.nodes[node].hub.release(to, content.len());
        }
    }

    fn moderate(&mut self, node: usize, act: ModerationAct) {
        let (level, now, by, written) = (None, 1_000_000, "op".into(), None);
        let moderation = Moderation { by, level, now, silent: false, written, act };
        let _ = self.offer(node, Proposal::Moderate(Box::new(moderation)), None);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Come(who, node) => {
                let is_taken = self.whole.who(&name(USERS[*who].0)).is_some();
                if self.users[*who].here.is_none() && !is_taken {
                    self.come(*who, *node, None);
                }
            }
            Step::Go(who) => self.go(*who),
            Step::Resume(who, node) => {
                if let Some(key) = self.users[*who].session {
                    self.come(*who, *node, Some(Resume { key: Some(key.proof()), only: true }));
                }
            }
            Step::SayToAll(who) => self.say(*who, None, "to all"),
            Step::Whisper(who, to) => {
                let called = self.users[*to].here.and_then(|here| self.whole.name_of(here.id));
                let called =
                    called.map_or(USERS[*to].0.to_owned(), |name| name.as_str().to_owned());
                self.say(*who, Some(&called), "to you");
            }
            Step::SayIn(who, room) => self.say(*who, Some(ROOMS[*room]), "in a room"),
            Step::Kick(node, who) => {
                let Some(whom) = self.whom(*who) else { return };
                self.moderate(*node, ModerationAct::Kick { whom, reason: "so".into() });
            }
            Step::Ban(node, who, is_ban) => self.impose(*node, *who, *is_ban),
            Step::Lift(node) => {
                let all = (1..=self.sanctions).map(SanctionId).collect();
                self.moderate(*node, ModerationAct::Lift(all));
            }
            Step::EndLogins(node, who) => {
                let kind = AccountChangeKind::LoginsEnded { epoch: 0, spared: None };
                let AccountRef { id, name } = account(*who);
                let change = AccountChange { account: id, name, kind };
                let _ = self.offer(*node, Proposal::EndLogins(change), None);
            }
            Step::Promote(node, who, new) => {
                let Some(here) = self.users[*who].here else { return };
                let amendment = Amendment { level: Some(level(*new)), ..Amendment::default() };
                let _ = self.offer(*node, Proposal::Amend(here.id, amendment), None);
            }
            Step::Tell(node, tell) => self.tell(*node, tell),
            Step::Down(node) => self.down(*node),
            Step::Wait(millis) => self.wait(*millis),
            Step::Take(who) => self.take(*who),
            Step::Rename(who) | Step::Block(who, _) | Step::Away(who, _) | Step::Room(who, _) => {
                let Some(here) = self.users[*who].here else { return };
                self.own_step(*who, here, step);
            }
        }
    }

    fn own_step(&mut self, who: usize, Here { id, node }: Here, step: &Step) {
        let proposal = match step {
            Step::Rename(_) => {
                let (first, second, _) = USERS[who];
                let is_first = self.whole.name_of(id).is_some_and(|name| name.is(first));
                let to = name(if is_first { second } else { first });
                let rename = Rename { name: to, owns: true, blocked_by: Vec::new(), now: 0 };
                Proposal::Rename(id, rename)
            }
            Step::Block(_, whom) => {
                let whom: Vec<_> = whom.iter().map(|whom| name(USERS[*whom].0)).collect();
                self.users[who].blocked.clone_from(&whom);
                Proposal::SetBlocked(id, whom)
            }
            Step::Away(_, away) => Proposal::SetAway(id, away.then(|| "lunch".into())),
            Step::Room(_, step) => {
                let Some(change) = self.change(step) else { return };
                let wish = RoomWish { by: RoomActor::Member(id), change, now: 1_000_000 };
                Proposal::Room(Box::new(wish), 0)
            }
            _ => return,
        };
        let _ = self.offer(node, proposal, None);
    }

    fn change(&self, step: &RoomStep) -> Option<RoomChange> {
        Some(match step {
            RoomStep::Create(room) => {
                RoomChange::Create { name: RoomName::parse(ROOMS[*room]).unwrap(), password: None }
            }
            RoomStep::Enter(room) => RoomChange::Enter { room: self.room(*room), shown: None },
            RoomStep::Leave(room) => RoomChange::Leave(self.room(*room)),
            RoomStep::Delete(room) => RoomChange::Delete(self.room(*room)),
            RoomStep::Set(room, setting) => RoomChange::Set(self.room(*room), setting.setting()),
            RoomStep::Invite(room, who) => {
                RoomChange::Invite(self.room(*room), self.room_member(*who)?)
            }
            RoomStep::Uninvite(room, who) => {
                RoomChange::Uninvite(self.room(*room), self.room_member(*who)?)
            }
            RoomStep::Clear(room) => {
                RoomChange::Clear(room.map_or(RoomNumber::LOBBY, |room| self.room(room)))
            }
            RoomStep::Level(room, who, new) => {
                RoomChange::SetLevel(self.room(*room), account(*who), level(*new))
            }
            RoomStep::Remove(room, who) => RoomChange::Remove {
                room: self.room(*room),
                who: self.room_member(*who)?,
                reason: "so".into(),
                banned: false,
                by: None,
            },
        })
    }

    fn whom(&self, who: usize) -> Option<crate::Whom> {
        if who < ACCOUNTS {
            return Some(crate::Whom::Account(account(who)));
        }
        let here = self.users[who].here?;
        Some(crate::Whom::Guest(self.whole.name_of(here.id)?.clone(), Some(here.id)))
    }

    fn impose(&mut self, node: usize, who: usize, is_ban: bool) {
        let subject = match self.whom(who) {
            Some(crate::Whom::Account(account)) => SanctionSubject::Account(account),
            Some(crate::Whom::Guest(name, member)) => {
                SanctionSubject::Guest { name, session: None, member }
            }
            None => return,
        };
        self.sanctions += 1;
        let sanction = Sanction {
            id: SanctionId(self.sanctions),
            kind: if is_ban { SanctionKind::Ban } else { SanctionKind::Mute },
            subject,
            about: USERS[who].0.into(),
            room: None,
            by: "op".into(),
            reason: "spam".into(),
            since: 1_000_000,
            until: None,
        };
        self.moderate(node, ModerationAct::Impose(vec![sanction]));
    }

    fn tell(&mut self, node: usize, tell: &TellStep) {
        let room = |room: &usize| self.room(*room);
        let whom = match tell {
            TellStep::All => Audience::All,
            TellStep::Room(in_room) => Audience::Room(room(in_room)),
            TellStep::Staff(of, least) => Audience::Staff(of.as_ref().map(room), level(*least)),
            TellStep::Report(of, about) => {
                Audience::Report(of.as_ref().map(room), name(USERS[*about].0))
            }
            TellStep::One(who) => {
                let Some(here) = self.users[*who].here else { return };
                Audience::Member(here.id)
            }
        };
        let plain = match &whom {
            Audience::Member(_) => Bytes::from_static(br#""heard""#),
            _ => Bytes::from_static(br#"["SERVER", "ALL", 1, "heard"]"#),
        };
        let notice = Bytes::from_static(br#"{"CODE": "announcement", "INFO": "heard"}"#);
        let tell = Tell { whom, plain, notice };
        self.offer(node, Proposal::Tell(Box::new(tell)), None).unwrap();
    }

    /// The other node says that a node is down. Its connections end, and it comes up again.
    fn down(&mut self, node: usize) {
        let life = self.nodes[node].life;
        self.offer(1 - node, Proposal::Down(life), None).unwrap();
        for user in &mut self.users {
            if let Some(here) = user.here.take_if(|here| here.node == node) {
                self.nodes[node].hub.disconnect(here.id);
                self.whole.disconnect(here.id);
            }
        }
        self.lives += 1;
        (self.nodes[node].life, self.nodes[node].groups) = (Incarnation(self.lives), 0);
        self.start(node);
    }

    /// Time passes: what is told now and then is told. It is long enough for that, because a node paces it by what it has told
    /// itself, and one where nobody listens has told nothing.
    fn wait(&mut self, millis: u64) {
        self.at += millis.max(2_000);
        let nodes = self.nodes.iter_mut().map(|node| &mut node.hub);
        for hub in nodes.chain([&mut self.whole]) {
            hub.tick(self.at);
            let _ = hub.tell_presence();
            let _ = hub.tell_counts();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
    ))]

    #[test]
    fn every_member_is_told_what_one_node_would_tell_it(steps in steps()) {
        let mut cluster = Cluster::new();
        for step in &steps {
            cluster.step(step);
        }
        cluster.wait(60_000);
        for who in 0..USERS.len() {
            cluster.take(who);
            // Whoever comes back, at the other node, finds the same.
            cluster.step(&Step::Go(who));
            cluster.step(&Step::Resume(who, who % 2));
            cluster.take(who);
        }
    }
}
