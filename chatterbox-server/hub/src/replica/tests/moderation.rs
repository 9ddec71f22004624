//! Sanctions and kicks against a naive model, which keeps a list and looks at all of it each time.

use std::sync::Arc;

use chatterbox_proto::capability::commands::OutcomeCode;
use proptest::prelude::*;

use super::*;
use crate::replica::moderation_act::{Moderation, ModerationAct, Whom};
use crate::replica::rooms::definition::AccountRef;
use crate::sanction::{Network, Sanction, SanctionId, SanctionKind, SanctionSubject};

/// The first two look the same to who does not mind case.
const PEOPLE: [&str; 4] = ["b0b", "BOB", "cyd", "dan"];
const NODE: Incarnation = Incarnation(1);

#[derive(Debug, Clone, Copy)]
enum Act {
    Join { name: usize, account: Option<usize>, address: u8, resume: Option<usize>, session: bool },
    Leave(usize),
    Rename(usize, usize),
    Login(usize, usize),
    Say(usize, Option<usize>),
    Ban(On, Option<u8>),
    Mute(On, Option<u8>),
    Lift(usize),
    Kick(On),
    Promote(usize, u8),
    Wait(u8),
}

/// Whom it is for.
#[derive(Debug, Clone, Copy)]
enum On {
    Account(usize),
    Name(usize),
    Member(usize),
    Address(u8, bool),
}

fn act() -> impl Strategy<Value = Act> {
    let name = || 0..PEOPLE.len();
    let account = || 0..ACCOUNTS.len();
    let who = || 0_usize..5;
    let on = || {
        prop_oneof![
            account().prop_map(On::Account),
            name().prop_map(On::Name),
            who().prop_map(On::Member),
            (0_u8..2, any::<bool>()).prop_map(|(address, guests)| On::Address(address, guests)),
        ]
    };
    let end = || prop::option::of(1_u8..60);
    prop_oneof![
        6 => (name(), prop::option::of(account()), 0_u8..2, prop::option::of(0_usize..4), any::<bool>())
            .prop_map(|(name, account, address, resume, session)| Act::Join { name, account, address, resume, session }),
        1 => who().prop_map(Act::Leave),
        2 => (who(), name()).prop_map(|(who, name)| Act::Rename(who, name)),
        1 => (who(), account()).prop_map(|(who, account)| Act::Login(who, account)),
        3 => (who(), prop::option::of(name())).prop_map(|(who, to)| Act::Say(who, to)),
        2 => (on(), end()).prop_map(|(on, end)| Act::Ban(on, end)),
        2 => (on(), end()).prop_map(|(on, end)| Act::Mute(on, end)),
        1 => (0_usize..6).prop_map(Act::Lift),
        1 => on().prop_map(Act::Kick),
        1 => (who(), 0_u8..6).prop_map(|(who, level)| Act::Promote(who, level)),
        2 => (1_u8..40).prop_map(Act::Wait),
    ]
}

/// Somebody who is here, as the model knows them.
#[derive(Debug, Clone)]
struct Person {
    member: MemberId,
    session: Option<SessionId>,
    name: usize,
    account: Option<usize>,
    address: u8,
    level: u8,
}

#[derive(Default)]
struct World {
    replica: Replica,
    now: i64,
    next: i64,
    here: Vec<Person>,
    /// Keys of sessions, with what the model knows of their users.
    keys: Vec<SessionProof>,
    sanctions: Vec<Sanction>,
    kicks: Vec<(On, i64)>,
}

fn same_look(a: usize, b: usize) -> bool {
    a == b || (a < 2 && b < 2)
}

fn network(address: u8) -> Network {
    Network::new(super::address(address).unwrap(), None).unwrap()
}

fn account(place: usize) -> AccountRef {
    AccountRef { id: place as i64, name: name(ACCOUNTS[place]) }
}

impl World {
    /// Whether a sanction is on somebody, worked out from nothing but its text.
    fn is_on(sanction: &Sanction, person: &Person) -> bool {
        match &sanction.subject {
            SanctionSubject::Account(on) => person.account.map(|of| of as i64) == Some(on.id),
            SanctionSubject::Name(on) => {
                let on = PEOPLE.iter().position(|one| on.as_str() == *one).unwrap();
                same_look(on, person.name)
            }
            SanctionSubject::Guest { name: on, session, member } => {
                let on = PEOPLE.iter().position(|one| on.as_str() == *one).unwrap();
                let is_ban = sanction.kind == SanctionKind::Ban;
                on == person.name
                    || (is_ban && same_look(on, person.name))
                    || (session.is_some() && *session == person.session)
                    || *member == Some(person.member)
            }
            SanctionSubject::Network { network: on, guests_only } => {
                *on == network(person.address) && !(*guests_only && person.account.is_some())
            }
        }
    }

    fn is_under(&self, kind: SanctionKind, person: &Person) -> bool {
        let holds =
            |one: &&Sanction| one.kind == kind && one.until.is_none_or(|end| self.now < end);
        self.sanctions.iter().filter(holds).any(|one| Self::is_on(one, person))
    }

    fn is_kicked(&self, person: &Person) -> bool {
        self.kicks.iter().any(|(on, end)| {
            self.now < *end
                && match on {
                    On::Account(of) => person.account == Some(*of),
                    On::Name(of) => person.account.is_none() && person.name == *of,
                    On::Member(_) | On::Address(..) => false,
                }
        })
    }

    fn person(&self, who: usize) -> Option<Person> {
        self.here.get(who).cloned()
    }

    fn subject(&self, on: On) -> Option<SanctionSubject> {
        Some(match on {
            On::Account(of) => SanctionSubject::Account(account(of)),
            On::Name(of) => SanctionSubject::Name(name(PEOPLE[of])),
            On::Member(who) => {
                let person = self.person(who)?;
                let (name, member) = (name(PEOPLE[person.name]), Some(person.member));
                SanctionSubject::Guest { name, session: None, member }
            }
            On::Address(of, guests_only) => {
                SanctionSubject::Network { network: network(of), guests_only }
            }
        })
    }

    fn step(&mut self, proposal: Proposal) -> Result<Effect, Refused> {
        self.replica.step(NODE, proposal)
    }

    fn moderate(&mut self, act: ModerationAct) -> Result<Effect, Refused> {
        let (now, level) = (self.now, Some(Level::MODERATOR));
        let moderation =
            Moderation { by: "prof".into(), level, now, silent: false, written: None, act };
        self.step(Proposal::Moderate(Box::new(moderation)))
    }

    fn impose(&mut self, kind: SanctionKind, on: On, end: Option<u8>) {
        let Some(subject) = self.subject(on) else { return };
        self.next += 1;
        let mut sanction = Sanction {
            id: SanctionId(self.next),
            kind,
            subject,
            about: "them".into(),
            room: None,
            by: "prof".into(),
            reason: "spam".into(),
            since: self.now,
            until: end.map(|end| self.now + i64::from(end)),
        };
        let imposed = self.moderate(ModerationAct::Impose(vec![sanction.clone()])).unwrap();
        if let (SanctionSubject::Guest { session, .. }, On::Member(who)) =
            (&mut sanction.subject, on)
        {
            *session = self.here[who].session;
        }
        self.sanctions.push(sanction.clone());
        let Effect::Moderated(moderated) = imposed else { panic!("{imposed:?}") };
        let gone: Vec<_> = moderated.left.iter().map(|left| left.member).collect();
        let expected: Vec<_> = self
            .here
            .iter()
            .filter(|one| kind == SanctionKind::Ban && one.level < 3 && Self::is_on(&sanction, one))
            .map(|one| one.member)
            .collect();
        assert_eq!(gone, expected, "{sanction:?} {:?}", self.here);
        self.here.retain(|one| !gone.contains(&one.member));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Join { name: of, account, address, resume, session } => {
                let key = resume.and_then(|place| self.keys.get(place).copied());
                let identity = Identity {
                    login: login(account.map(|account| (account, 0))),
                    address: super::address(address),
                    since: self.now,
                    agreed: session.then(|| [Capability::Ids].into_iter().collect()),
                    ..Identity::guest(name(PEOPLE[of]))
                };
                let join = Join {
                    identity,
                    lists: Arc::default(),
                    resume: key.map(|key| Resume { key: Some(key), only: false }),
                    verifier: Verifier(u128::try_from(self.keys.len()).unwrap()),
                    hold: 0,
                };
                let before = self.here.clone();
                let outcome = self.step(Proposal::Join(Box::new(join)));
                let wanted = Person {
                    member: MemberId(u64::MAX),
                    session: key.map(SessionProof::id),
                    name: of,
                    account,
                    address,
                    level: 0,
                };
                let excluded = self.is_under(SanctionKind::Ban, &wanted) || self.is_kicked(&wanted);
                match outcome {
                    Ok(Effect::Joined(joined)) => {
                        assert!(!excluded || !joined.is_resumed && key.is_some(), "{wanted:?}");
                        let fresh = Person { session: None, ..wanted };
                        let is_out =
                            self.is_under(SanctionKind::Ban, &fresh) || self.is_kicked(&fresh);
                        assert!(!is_out, "{fresh:?} {:?}", self.sanctions);
                        self.here
                            .retain(|one| Some(one.member) != joined.replaced.map(|(old, _)| old));
                        let session = joined.session.map(SessionProof::id);
                        self.keys.extend(joined.session.filter(|_| !joined.is_resumed));
                        let name = before
                            .iter()
                            .find(|one| Some(one.member) == joined.replaced.map(|(old, _)| old))
                            .map_or(of, |old| old.name);
                        self.here.push(Person { member: joined.member, session, name, ..fresh });
                    }
                    Err(Refused::Name(Refusal::Banned(why))) => {
                        assert!(self.is_under(SanctionKind::Ban, &wanted), "{wanted:?}");
                        assert_eq!(&*why.reason, "spam");
                    }
                    Err(Refused::Name(Refusal::Kicked(_))) => assert!(self.is_kicked(&wanted)),
                    Err(_) => {}
                    Ok(other) => panic!("{other:?}"),
                }
            }
            Act::Leave(who) => {
                let Some(person) = self.person(who) else { return };
                let _ = self.step(Proposal::Leave(person.member)).unwrap();
                self.here.remove(who);
            }
            Act::Rename(who, to) => {
                let Some(person) = self.person(who) else { return };
                let rename = Rename {
                    name: name(PEOPLE[to]),
                    owns: false,
                    blocked_by: Vec::new(),
                    now: self.now,
                };
                let outcome = self.step(Proposal::Rename(person.member, rename));
                let wanted = Person { name: to, ..person };
                let is_out = self.is_under(SanctionKind::Ban, &wanted) || self.is_kicked(&wanted);
                match outcome {
                    Ok(_) => {
                        assert!(!is_out, "{wanted:?} {:?}", self.sanctions);
                        self.here[who].name = to;
                    }
                    Err(Refused::Name(Refusal::Banned(_) | Refusal::Kicked(_))) => assert!(is_out),
                    Err(_) => {}
                }
            }
            Act::Login(who, account) => {
                let Some(person) = self.person(who) else { return };
                let amendment = Amendment::logged_in(login(Some((account, 0))).unwrap());
                let wanted = Person { account: Some(account), ..person };
                let outcome = self.step(Proposal::Amend(person.member, amendment));
                if outcome.is_ok() {
                    if person.account.is_none() {
                        // Nobody escapes by registering.
                        let guests = self.sanctions.iter_mut().filter(|one| {
                            let is_guest = matches!(one.subject, SanctionSubject::Guest { .. });
                            is_guest && Self::is_on(one, &person)
                        });
                        guests.for_each(|one| {
                            one.subject = SanctionSubject::Account(self::account(account));
                        });
                    }
                    self.here[who] = wanted;
                }
            }
            Act::Say(who, to) => {
                let Some(person) = self.person(who) else { return };
                let destination =
                    to.map_or(Destination::All, |to| Destination::User(name(PEOPLE[to])));
                let record = Record {
                    source: name(PEOPLE[person.name]),
                    destination,
                    json: bytes::Bytes::from_static(b"[]"),
                    arrived: self.now,
                    filing: Filing::default(),
                    meta: None,
                };
                let say = Say { member: person.member, number: 1, tag: None, record };
                let outcome = self.step(Proposal::Say(say));
                let helps = to
                    .is_some_and(|to| self.here.iter().any(|one| one.name == to && one.level >= 3));
                let is_muted = self.is_under(SanctionKind::Mute, &person) && !helps;
                assert_eq!(matches!(outcome, Err(Refused::Muted(_))), is_muted, "{person:?}");
            }
            Act::Ban(on, end) => self.impose(SanctionKind::Ban, on, end),
            Act::Mute(on, end) => self.impose(SanctionKind::Mute, on, end),
            Act::Lift(place) => {
                if place >= self.sanctions.len() {
                    return;
                }
                let lifted = self.sanctions.remove(place);
                let _ = self.moderate(ModerationAct::Lift(vec![lifted.id])).unwrap();
            }
            Act::Kick(on) => {
                let whom = match on {
                    On::Account(of) => Whom::Account(account(of)),
                    On::Name(of) => Whom::Guest(name(PEOPLE[of]), None),
                    On::Member(_) | On::Address(..) => return,
                };
                let is_meant = |one: &Person| match on {
                    On::Account(of) => one.account == Some(of),
                    On::Name(of) => one.account.is_none() && one.name == of,
                    On::Member(_) | On::Address(..) => false,
                };
                let outcome = self.moderate(ModerationAct::Kick { whom, reason: "out".into() });
                let is_above = self.here.iter().any(|one| is_meant(one) && one.level >= 3);
                if is_above {
                    let refused = Refused::Moderation(OutcomeCode::Forbidden);
                    assert_eq!(outcome.unwrap_err(), refused, "ranks are strict");
                    return;
                }
                let _ = outcome.unwrap();
                self.here.retain(|one| !is_meant(one));
                self.kicks.push((on, self.now + 30));
            }
            Act::Promote(who, level) => {
                let Some(person) = self.person(who).filter(|one| one.account.is_some()) else {
                    return;
                };
                let amendment =
                    Amendment { level: Level::new(level.into()), ..Amendment::default() };
                let _ = self.step(Proposal::Amend(person.member, amendment)).unwrap();
                self.here[who].level = level;
            }
            Act::Wait(seconds) => {
                self.now += i64::from(seconds);
                self.replica.tick(u64::try_from(self.now).unwrap() * 1000);
            }
        }
        let here: Vec<_> = self.replica.presence().people().map(|(id, _)| id).collect();
        let mut expected: Vec<_> = self.here.iter().map(|one| one.member).collect();
        expected.sort_unstable();
        assert_eq!(here, expected);
    }
}

proptest! {
    #[test]
    fn nobody_is_here_or_says_anything_who_may_not(acts in prop::collection::vec(act(), 0..50)) {
        let (mut one, mut other) = (World::default(), World::default());
        for act in acts {
            one.act(act);
            other.act(act);
            // A node that starts from here goes on like the other.
            one.replica = crate::freezing::tests::thawed(&one.replica);
            prop_assert_eq!(digest_of(&one.replica), digest_of(&other.replica));
        }
    }
}
