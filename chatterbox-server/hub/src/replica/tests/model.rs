//! What ought to be: lists that are walked through, and the rules one by one.

use super::*;
use crate::replica::presence::Person;
use crate::replica::proposal::Up;

mod devices;

#[derive(Debug)]
struct Member {
    id: u64,
    /// The number of the first device of the user.
    user: u64,
    has_devices: bool,
    node: u64,
    name: usize,
    address: u8,
    login: Option<(i64, i64)>,
    hold: u64,
    session: Option<usize>,
    away: Option<String>,
}

#[derive(Debug)]
struct Session {
    secret: u128,
    name: usize,
    login: Option<(i64, i64)>,
    member: Option<u64>,
    ended: u64,
    tags: Vec<(String, u64)>,
    /// Of a user who has left.
    away: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) now: u64,
    /// The node in each place, and the number of its newest group.
    slots: BTreeMap<usize, (u64, u64)>,
    /// The nodes that count, with their newest groups.
    up: BTreeMap<u64, u64>,
    ended: Vec<u64>,
    members: Vec<Member>,
    /// By number.
    sessions: Vec<Session>,
    /// Name, until when, for whom.
    held: Vec<(usize, u64, u8)>,
    /// Old name, user, until when.
    renames: Vec<(usize, u64, u64)>,
    /// Account, first epoch that is good.
    bad: Vec<(i64, i64)>,
    nodes: u64,
    joined: u64,
    numbers: u64,
    /// Counts the secrets that were made.
    secrets: u128,
}

impl Model {
    /// The group of a step, and whether it is decided for the first time.
    pub(super) fn group(&mut self, step: &Step, decided: &[Group]) -> Option<(Group, bool)> {
        let own = |(node, number): (u64, u64), proposals| {
            (Group { from: Incarnation(node), number, proposals }, true)
        };
        match step {
            Step::Start(slot) => {
                self.nodes += 1;
                self.slots.insert(*slot, (self.nodes, 1));
                Some(own(
                    (self.nodes, 1),
                    vec![Proposal::Up(Up { read_to: self.now, ..Up::default() })],
                ))
            }
            Step::End { by, whom } => {
                let whom = Incarnation(self.slots.get(whom)?.0);
                Some(own(self.next(*by)?, vec![Proposal::Down(whom)]))
            }
            Step::Offer { by, proposals } => {
                let wishes = proposals.iter().map(|wish| self.proposal(wish)).collect();
                Some(own(self.next(*by)?, wishes))
            }
            Step::Again(which) => {
                let again = (!decided.is_empty()).then(|| which.get(decided).clone());
                Some((again?, false))
            }
            Step::Late { by, wish } => {
                let (node, number) = *self.slots.get(by)?;
                let proposal = self.proposal(wish);
                Some((own((node, number.saturating_sub(1)), vec![proposal]).0, false))
            }
            Step::Stranger(wish) => Some((own((u64::MAX, 1), vec![self.proposal(wish)]).0, false)),
            Step::Wait(time) => {
                self.now += time;
                None
            }
        }
    }

    /// The next group of whoever is in a place.
    fn next(&mut self, slot: usize) -> Option<(u64, u64)> {
        let (node, number) = self.slots.get_mut(&slot)?;
        *number += PIECES;
        Some((*node, *number))
    }

    fn member(&self, which: usize) -> MemberId {
        // Mostly somebody who is here, sometimes somebody who was.
        MemberId(self.members.get(which).map_or(which as u64, |member| member.id))
    }

    fn proposal(&mut self, wish: &Wish) -> Proposal {
        match wish {
            Wish::Join {
                name: wanted,
                account,
                resume,
                has_session,
                has_devices,
                address: from,
                hold,
            } => {
                let resume = resume.map(|(session, only)| {
                    let secret = self.sessions.get(session).map_or(0, |session| session.secret);
                    Resume {
                        key: Some(SessionProof {
                            id: SessionId(session as u64),
                            verifier: Verifier(secret),
                        }),
                        only,
                    }
                });
                let ids = Some(Capability::Ids).filter(|_| *has_session);
                let devices = Some(Capability::Devices).filter(|_| *has_devices);
                let agreed = ids.into_iter().chain(devices).collect();
                let identity = Identity {
                    login: login(*account),
                    address: address(*from),
                    agreed: Some(agreed),
                    ..Identity::guest(name(NAMES[*wanted]))
                };
                self.secrets += 1;
                let verifier = Verifier(self.secrets);
                let lists = Arc::default();
                Proposal::Join(Box::new(Join { identity, lists, resume, verifier, hold: *hold }))
            }
            Wish::Leave(who) => Proposal::Leave(self.member(*who)),
            Wish::Rename(who, to) => {
                let rename =
                    Rename { name: name(NAMES[*to]), owns: false, blocked_by: vec![], now: 0 };
                Proposal::Rename(self.member(*who), rename)
            }
            Wish::Say { who, tag, to } => {
                let destination =
                    to.map_or(Destination::All, |to| Destination::User(name(NAMES[to])));
                let record = Record {
                    source: name("x"),
                    destination,
                    json: "[]".into(),
                    arrived: 0,
                    filing: Filing::default(),
                    meta: None,
                };
                let tag = tag.map(|tag| Arc::from(tag.to_string()));
                self.numbers += 1;
                Proposal::Say(Say { member: self.member(*who), number: self.numbers, tag, record })
            }
            Wish::Block(who, names) => {
                let mut names = names.clone();
                names.sort_unstable();
                names.dedup();
                let names = names.into_iter().map(|blocked| name(NAMES[blocked])).collect();
                Proposal::SetBlocked(self.member(*who), names)
            }
            Wish::Login(who, account) => {
                let login = Some(login(*account).map_or(Login::Out, Login::In));
                Proposal::Amend(self.member(*who), Amendment { login, ..Amendment::default() })
            }
            Wish::Away(who, words) => {
                let words = words.map(|words| Arc::from(words.to_string()));
                Proposal::SetAway(self.member(*who), words)
            }
            Wish::Promote(who) => {
                let amendment = Amendment { level: Some(Level::ADMIN), ..Amendment::default() };
                Proposal::Amend(self.member(*who), amendment)
            }
            Wish::EndLogins(account, epoch) => Proposal::EndLogins(AccountChange {
                account: *account as i64,
                name: name(ACCOUNTS[*account]),
                kind: AccountChangeKind::LoginsEnded { epoch: *epoch, spared: None },
            }),
        }
    }

    /// What follows from each proposal of a group, if it counts.
    pub(super) fn apply(&mut self, group: &Group) -> Option<Vec<String>> {
        let (node, number) = (group.from.0, group.number);
        let starts = number == 1 && matches!(group.proposals[0], Proposal::Up(_));
        let is_known = self.up.contains_key(&node) || self.ended.contains(&node);
        let newer = self.up.get(&node).is_some_and(|newest| number > *newest);
        if !newer && (is_known || !starts) {
            return None;
        }
        self.up.insert(node, number);
        let step = |proposal| match self.step(node, proposal) {
            Ok(told) => told,
            Err(refused) => format!("no: {refused:?}"),
        };
        Some(group.proposals.iter().map(step).collect())
    }

    fn here(&self, node: u64, id: MemberId) -> Result<usize, Refused> {
        let found = self.members.iter().position(|member| member.id == id.0 && member.node == node);
        found.ok_or(Refused::NotHere)
    }

    fn who(&self, wanted: usize) -> Option<u64> {
        self.members.iter().find(|member| member.name == wanted).map(|member| member.id)
    }

    fn remove(&mut self, place: usize) -> String {
        let Member { id, name, address, hold, session, away, .. } = self.members.remove(place);
        if let Some(session) = session {
            (self.sessions[session].member, self.sessions[session].ended) = (None, self.now);
            self.sessions[session].away = away.filter(|_| self.who(name).is_none());
        }
        let is_last = self.who(name).is_none();
        if hold > 0 && is_last {
            self.held.retain(|(held, ..)| *held != name);
            self.held.push((name, self.now + hold, address));
        }
        format!(" -{id}{}", if is_last { "" } else { " device" })
    }

    /// Whether somebody can have a name.
    fn check(&self, wanted: usize, may: bool, address: u8) -> Result<(), Refused> {
        if self.who(wanted).is_some() {
            return Err(Refusal::Taken.into());
        }
        let held = self.held.iter().find(|(held, until, _)| *held == wanted && self.now < *until);
        match held {
            Some((.., for_whom)) if *for_whom != address && !may => Err(Refusal::Held.into()),
            _ => Ok(()),
        }
    }

    fn is_bad(&self, login: Option<(i64, i64)>) -> bool {
        login.is_some_and(|(account, epoch)| {
            self.bad.iter().any(|(other, good)| *other == account && epoch < *good)
        })
    }

    fn step(&mut self, node: u64, proposal: &Proposal) -> Result<String, Refused> {
        let place_of = |wanted: &Username| NAMES.iter().position(|other| wanted.is(other)).unwrap();
        match proposal {
            Proposal::Room(..) => unreachable!("rooms have a model of their own"),
            Proposal::Speak(_) => unreachable!("nodes have tests of their own"),
            Proposal::Moderate(_) => unreachable!("so has moderation"),
            Proposal::Old(_) => unreachable!("so have old messages"),
            Proposal::Crowded(_) | Proposal::Tell(_) | Proposal::Read(_) => {
                unreachable!("no node changes for it")
            }
            Proposal::Up(_) | Proposal::Tick(_) | Proposal::Store(_) | Proposal::Pardon(_) => {
                Ok("up".to_owned())
            }
            Proposal::Down(Incarnation(whom)) => {
                let mut told = "down".to_owned();
                if self.up.remove(whom).is_some() {
                    self.ended.push(*whom);
                    while let Some(at) = self.members.iter().position(|one| one.node == *whom) {
                        told += &self.remove(at);
                    }
                }
                Ok(told)
            }
            Proposal::Join(join) => {
                let wanted = place_of(&join.identity.name);
                let login = join.identity.login.as_ref();
                let login = login.map(|login| (login.account_key.id, login.account_key.epoch));
                let address = u8::from(join.identity.address == super::address(1));
                self.join(node, wanted, login, address, join)
            }
            Proposal::Leave(id) => {
                let place = self.here(node, *id)?;
                Ok(self.remove(place))
            }
            Proposal::Rename(id, rename) => {
                let place = self.here(node, *id)?;
                let (old, to) = (self.members[place].name, place_of(&rename.name));
                if old != to {
                    self.check(to, false, self.members[place].address)?;
                }
                self.held.retain(|(held, ..)| *held != to);
                for device in self.devices(place) {
                    self.members[device].name = to;
                    if let Some(session) = self.members[device].session {
                        self.sessions[session].name = to;
                    }
                }
                self.rename_cut_off(place, old, to);
                self.renames.push((old, self.members[place].user, self.now + 10_000));
                Ok(format!("b\"\\\"{}\\\"\" is b\"\\\"{}\\\"\"", NAMES[old], NAMES[to]))
            }
            Proposal::Say(Say { member, number, tag, record }) => {
                let place = self.here(node, *member)?;
                if let (Some(session), Some(tag)) = (self.members[place].session, tag) {
                    let tags = &mut self.sessions[session].tags;
                    let known = tags.iter().find(|(known, _)| **known == **tag);
                    if let Some((_, known)) = known {
                        return Err(Refused::Known(*known));
                    }
                    tags.push((tag.to_string(), *number));
                }
                let to = match &record.destination {
                    Destination::All | Destination::Room(_) => None,
                    Destination::User(to) => {
                        let to = place_of(to);
                        let mut followed = self.renames.iter().rev();
                        let followed =
                            followed.find(|(old, _, until)| *old == to && self.now < *until);
                        let first = |user: u64| self.members.iter().find(|one| one.user == user);
                        let followed = followed.and_then(|(_, user, _)| first(*user));
                        self.who(to).or(followed.map(|one| one.id))
                    }
                };
                let is_private = matches!(record.destination, Destination::User(_));
                let copies = if is_private { self.copies(member.0, to) } else { Vec::new() };
                let is_away = self.members[place].away.is_some();
                for device in self.devices(place) {
                    self.members[device].away = None;
                }
                let back = if is_away { " back" } else { "" };
                Ok(format!("#{number} {to:?} {copies:?}{back}"))
            }
            Proposal::SetAway(id, words) => {
                let place = self.here(node, *id)?;
                let words = words.as_deref().map(str::to_owned);
                let is_news = self.members[place].away != words;
                for device in self.devices(place) {
                    self.members[device].away.clone_from(&words);
                }
                Ok(if is_news { format!("away {}", id.0) } else { "unseen".to_owned() })
            }
            Proposal::SetBlocked(id, _) => self.here(node, *id).map(|_| "unseen".to_owned()),
            Proposal::Amend(id, amendment) => {
                let place = self.members.iter().position(|member| member.id == id.0);
                let place = place.ok_or(Refused::NotHere)?;
                let before = self.members[place].login;
                let after = match &amendment.login {
                    None => before,
                    Some(Login::Out) => None,
                    Some(Login::In(LoggedIn { account_key, .. })) => {
                        Some((account_key.id, account_key.epoch))
                    }
                };
                Ok(self.logs_in_otherwise(place, after))
            }
            Proposal::EndLogins(change) => {
                let AccountChangeKind::LoginsEnded { epoch, .. } = change.kind else {
                    unreachable!("nobody wishes it")
                };
                let account = change.account;
                self.bad.push((account, epoch));
                let mut told = "logins ended".to_owned();
                let is_over = |model: &Self| {
                    model.members.iter().position(|member| {
                        member.login.is_some_and(|(other, _)| other == account)
                            && model.is_bad(member.login)
                    })
                };
                while let Some(place) = is_over(self) {
                    told += &self.remove(place);
                }
                Ok(told)
            }
        }
    }

    fn join(
        &mut self,
        node: u64,
        wanted: usize,
        login: Option<(i64, i64)>,
        address: u8,
        join: &Join,
    ) -> Result<String, Refused> {
        if self.is_bad(login) {
            return Err(Refusal::Busy.into());
        }
        let wanted = self.name_of_now(wanted, login, join);
        let has_session = join.identity.agreed.unwrap().has(Capability::Ids);
        let has_devices = join.identity.agreed.unwrap().has(Capability::Devices);
        let many = self.members.iter().filter(|member| member.name == wanted).count();
        let fellows =
            (has_devices && self.are_fellows(wanted, login)).then_some(many < limits::DEVICES);
        let key = join.resume.and_then(|resume| resume.key);
        let shown = key.map(|key| (usize::try_from(key.id().0).unwrap(), key.verifier.0));
        let resumed = shown.filter(|(number, secret)| {
            let Some(session) = self.sessions.get(*number) else { return false };
            let is_there = session.member.is_some() || self.now - session.ended < RESUMABLE;
            let is_theirs =
                session.name == wanted && session.login == login && session.secret == *secret;
            // Somebody else may have the name.
            let has_name = match (self.who(wanted), session.member) {
                (Some(_), None) => fellows == Some(true),
                (Some(_), Some(_)) if many > 1 && !has_devices => false,
                (here, member) => {
                    let of = |id: Option<u64>| self.members.iter().find(|one| Some(one.id) == id);
                    of(here).map(|one| one.name) == of(member).map(|one| one.name)
                }
            };
            has_session && is_there && is_theirs && has_name
        });
        let resumed = resumed.map(|(number, _)| number);
        let is_full = fellows == Some(false);
        if resumed.is_none() && !is_full && join.resume.is_some_and(|resume| resume.only) {
            return Err(self.not_resumable(wanted, login, join));
        }
        let replaced = resumed.and_then(|session| self.sessions[session].member);
        if replaced.is_none() && is_full {
            return Err(Refusal::TooManyDevices.into());
        }
        let leader = self.members.iter().find(|member| member.name == wanted);
        let of_leader = leader.map(|leader| leader.away.clone()).filter(|_| fellows.is_some());
        if replaced.is_none() && fellows.is_none() {
            let owns = login.is_some_and(|(account, _)| {
                ACCOUNTS[usize::try_from(account).unwrap()] == NAMES[wanted]
            });
            self.check(wanted, owns || resumed.is_some(), address)?;
        }
        let of_session = resumed.and_then(|session| self.sessions[session].away.take());
        let before = self.members.iter_mut().find(|member| Some(member.id) == replaced);
        let of_replaced = before.map(|member| member.away.take());
        self.members.retain(|member| Some(member.id) != replaced);
        let is_device = self.who(wanted).is_some();
        let of_session = of_session.filter(|_| !is_device);
        let away = of_replaced.or(of_leader).flatten().or(of_session);
        self.held.retain(|(held, ..)| *held != wanted);
        let id = self.joined;
        self.joined += 1;
        let session = resumed.or_else(|| {
            has_session.then(|| {
                let tags = Vec::new();
                let (secret, name) = (join.verifier.0, wanted);
                let session =
                    Session { secret, name, login, member: None, ended: 0, tags, away: None };
                self.sessions.push(session);
                self.sessions.len() - 1
            })
        });
        if let Some(session) = session {
            (self.sessions[session].member, self.sessions[session].login) = (Some(id), login);
        }
        let hold = join.hold;
        let user = self.members.iter().find(|member| member.name == wanted);
        let user = user.map_or(id, |member| member.user);
        let of_user = Member {
            id,
            user,
            has_devices,
            node,
            name: wanted,
            address,
            login,
            hold,
            session,
            away,
        };
        self.members.push(of_user);
        let is_resumed = resumed.is_some();
        let device = if is_device { " device" } else { "" };
        Ok(format!("+{id} \"{}\" {session:?} {is_resumed} {replaced:?}{device}", NAMES[wanted]))
    }

    /// Whether this copy says the same about everybody.
    pub(super) fn check_copy(&self, replica: &Replica) {
        let people: Vec<_> = replica.presence().people().map(|(id, _)| id.0).collect();
        let expected: Vec<_> = self.members.iter().map(|member| member.id).collect();
        assert_eq!(people, expected);
        let away =
            |(_, person): (MemberId, &Person)| person.identity.away.as_deref().map(str::to_owned);
        let away: Vec<_> = replica.presence().people().map(away).collect();
        let expected: Vec<_> = self.members.iter().map(|member| member.away.clone()).collect();
        assert_eq!(away, expected);
        let mut names: Vec<_> = self.members.iter().map(|member| member.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(replica.presence().count(), names.len());
        assert_eq!(replica.presence().users().count(), names.len());
        let listed = replica.presence().user_list().concat();
        assert_eq!(listed.split(|byte| *byte == b',').count() - 1, names.len(), "each once");
        for (place, text) in NAMES.iter().enumerate() {
            assert_eq!(replica.who(&name(text)).map(|id| id.0), self.who(place));
        }
    }
}
