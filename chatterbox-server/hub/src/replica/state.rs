//! The state, and the one step that changes it.

use chatterbox_proto::{NameKey, Refusal, json};
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::encode::view::View;
use crate::guard::network;
use crate::identity::Identity;
use crate::ids::{MemberId, SessionId, SessionProof};
use crate::mark::ReadMark;
use crate::record::Sequence;
use crate::replica::effect::{Effect, Joined, Left, Refused, Renamed};
use crate::replica::ended_logins::EndedLogins;
use crate::replica::nodes::Nodes;
use crate::replica::presence::{Connection, Person, Presence, Stale};
use crate::replica::proposal::{Group, Incarnation, Join, Proposal, Rename};
use crate::replica::recent_renames::RecentRenames;
use crate::replica::rooms::room::Who;
use crate::replica::rooms::table::RoomTable;
use crate::replica::rooms::wish::RoomActor;
use crate::replica::roster::Claimant;
use crate::replica::sanctions::{Known, Sanctions};
use crate::replica::sessions::Sessions;

/// One copy of the state that all nodes share.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Replica {
    /// Written beside the rest, and before it.
    #[serde(skip)]
    pub(super) presence: Presence,
    pub(crate) sessions: Sessions,
    pub(super) recent_renames: RecentRenames,
    pub(crate) ended_logins: EndedLogins,
    pub(crate) rooms: RoomTable,
    pub(crate) sanctions: Sanctions,
    pub(crate) nodes: Nodes,
    /// The number of the next member.
    next: u64,
    /// The greatest number of a message, or of a wish about rooms.
    pub(super) newest: Sequence,
    /// The time, as the order has it: milliseconds of some clock, never going back.
    pub(crate) now: u64,
}

impl Replica {
    /// Begins with a group that was written into the order at this time, and says whether its proposals count. Each of them is
    /// a [`Self::step`] then.
    pub(crate) fn begin(&mut self, group: &Group, at: u64) -> bool {
        self.tick(at);
        let starts = match group.proposals.first() {
            Some(Proposal::Up(up)) if group.number == 1 => Some(up),
            _ => None,
        };
        self.nodes.admits(group.from, group.number, starts, self.now)
    }

    /// Whether this life of a node counts.
    pub(crate) fn is_up(&self, node: Incarnation) -> bool {
        self.nodes.is_up(node)
    }

    /// The time, in milliseconds: that of the newest group.
    pub(crate) const fn time(&self) -> u64 {
        self.now
    }

    /// Sets the time; it never goes back.
    pub(crate) fn tick(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    /// Judges a proposal of a node, and changes the state if it is accepted. Nothing changes otherwise.
    ///
    /// # Errors
    /// [`Refused`] says why not.
    pub(crate) fn step(
        &mut self,
        from: Incarnation,
        proposal: Proposal,
    ) -> Result<Effect, Refused> {
        match proposal {
            Proposal::Up(_) | Proposal::Tick(_) | Proposal::Store(_) | Proposal::Pardon(_) => {
                Ok(Effect::Nothing)
            }
            Proposal::Tell(tell) => Ok(Effect::Told(tell)),
            Proposal::Down(node) => Ok(Effect::Down(self.down(node))),
            Proposal::Join(join) => self.join(from, *join).map(Effect::Joined),
            Proposal::Leave(member) => {
                self.speaks_for(from, member)?;
                self.remove(member).map(Effect::Left).ok_or(Refused::NotHere)
            }
            Proposal::Rename(member, rename) => {
                self.speaks_for(from, member)?;
                self.rename(member, rename).map(Effect::Renamed)
            }
            Proposal::Say(say) => {
                self.speaks_for(from, say.member)?;
                self.say(say).map(Effect::Said)
            }
            Proposal::SetBlocked(member, blocked) => {
                self.speaks_for(from, member)?;
                Ok(Effect::Unseen(self.presence.set_blocked_of_user(member, &blocked), Vec::new()))
            }
            Proposal::SetAway(member, away) => {
                self.speaks_for(from, member)?;
                Ok(if self.presence.set_away(member, away) {
                    Effect::Away(member)
                } else {
                    Effect::Unseen(Stale::default(), Vec::new())
                })
            }
            // An admin may be a member of another node.
            Proposal::Amend(member, amendment) => self.amended(member, amendment),
            Proposal::Room(wish, number) => {
                if let RoomActor::Member(member) = wish.by {
                    self.speaks_for(from, member)?;
                }
                let changed = self.grant(&wish, number).map_err(Refused::Room)?;
                self.uses(number);
                Ok(Effect::Rooms(changed))
            }
            Proposal::Crowded(mut members) => {
                members.truncate(Proposal::CROWDED);
                members.retain(|(member, _)| self.speaks_for(from, *member).is_ok());
                Ok(Effect::Crowded(members))
            }
            Proposal::Read(mut marks) => {
                marks.truncate(ReadMark::AT_ONCE);
                Ok(Effect::Read(marks))
            }
            Proposal::Speak(level) if self.nodes.speak(level) => {
                Ok(Effect::Unseen(Stale::default(), Vec::new()))
            }
            Proposal::Speak(_) => Err(Refused::NotSpoken),
            Proposal::EndLogins(change) => Ok(Effect::LoginsEnded(self.end_logins(&change))),
            Proposal::Moderate(act) => self.moderate(*act).map(Effect::Moderated),
            Proposal::Old(old) => self.take_old(old).map(Effect::Old),
        }
    }

    /// Notes that a number is used.
    pub(super) fn uses(&mut self, number: Sequence) {
        self.newest = self.newest.max(number);
    }

    /// The greatest number of a message, or of a wish about rooms.
    pub(crate) const fn newest(&self) -> Sequence {
        self.newest
    }

    /// Checks that a member is here, as one of this node.
    pub(super) fn speaks_for(&self, node: Incarnation, member: MemberId) -> Result<(), Refused> {
        let person = self.presence.person(member).ok_or(Refused::NotHere)?;
        if person.connection.node == node { Ok(()) } else { Err(Refused::NotHere) }
    }

    /// A node has ended.
    fn down(&mut self, node: Incarnation) -> Vec<Left> {
        if !self.nodes.end(node, self.now) {
            return Vec::new();
        }
        let people = self.presence.people();
        let members: Vec<_> = people
            .filter(|(_, person)| person.connection.node == node)
            .map(|(member, _)| member)
            .collect();
        members.into_iter().filter_map(|member| self.remove(member)).collect()
    }

    /// Lets a user in, under a name that nobody has. A connection that resumes a session takes the place of the one that had
    /// it (ID-7).
    fn join(&mut self, node: Incarnation, mut join: Join) -> Result<Joined, Refused> {
        self.sessions.forget(self.now);
        // The account may have been removed, or its password changed, since this login was checked.
        if join.identity.login.as_ref().is_some_and(|login| self.ended_logins.has(login)) {
            return Err(Refusal::Busy.into());
        }
        let has_session = View::of(join.identity.agreed.unwrap_or_default()).ids();
        if let Some(name) = self.name_of_now(&join).filter(|_| has_session) {
            join.identity.name = name;
        }
        let resumed = self.session_of(&join).filter(|_| has_session);
        if resumed.is_none() && join.resume.is_some_and(|resume| resume.only) {
            // That there are too many devices is the reason which the user can do something about.
            self.fellow(&join.identity)?;
            let is_taken = has_session && self.is_beside_devices(&join);
            return Err(if is_taken { Refusal::Taken.into() } else { Refused::NotResumable });
        }
        let old = resumed.and_then(|session| self.sessions.session_mut(session)?.member);
        let known = Known { identity: &join.identity, member: old, session: resumed };
        if let Some(refusal) = self.sanctions.excludes(known, join.identity.since) {
            return Err(refusal.into());
        }
        let Join { mut identity, lists, verifier, hold, .. } = join;
        match old.and_then(|old| self.presence.identity(old)) {
            // The session goes on under the name that it has now, which may be a nick.
            // Nobody sees that it is another connection, so they are here since then, and away as before.
            Some(Identity { name, since, away, .. }) => {
                (identity.name, identity.since) = (name.clone(), *since);
                identity.away.clone_from(away);
            }
            None => match self.fellow(&identity)?.and_then(|here| self.presence.person(here)) {
                // The user is here since their first device came, and away as they are.
                Some(Person { identity: Identity { name, since, away, .. }, .. }) => {
                    (identity.name, identity.since) = (name.clone(), *since);
                    identity.away.clone_from(away);
                }
                None => {
                    let claimant = Claimant {
                        owns: identity.account() == Some(&identity.name),
                        address: identity.address.map(network),
                        resumes: resumed.is_some(),
                    };
                    self.presence.roster().check(&identity.name, claimant, self.now)?;
                }
            },
        }
        let member = MemberId(self.next);
        self.next += 1;
        let in_rooms = self.names_in_rooms(identity.login.as_ref());
        let is_guest = identity.login.is_none();
        let mut stale = Stale::default();
        let replaced = old.map(|old| (old, self.presence.user(old)));
        if let Some((_, others, _)) = old.and_then(|old| self.presence.remove(old)) {
            stale = others;
        }
        // Whoever has the name now is another device of theirs.
        let other = self.who(&identity.name);
        let (user, lists) = match other {
            // A list may have been changed since this one was read.
            Some(other) => (self.presence.user(other), self.presence.lists(other)),
            None => (member, lists),
        };
        let (name, login) = (identity.name.clone(), identity.login.clone());
        let (mut suspended, mut suspended_away) = (Vec::new(), None);
        let session = match resumed {
            Some(session) => {
                suspended = self.sessions.take_rooms(session);
                suspended_away = self.sessions.take_away(session);
                if let Some(before) = self.sessions.newest(session).filter(|_| is_guest) {
                    self.rooms.departures.go_on(before, member);
                }
                self.sessions.go_on(session, login, member)
            }
            None if has_session => {
                Some(self.sessions.begin(name, login, member, verifier, self.now))
            }
            None => None,
        };
        let session_id = session.map(SessionProof::id);
        let connection = Connection { node, session: session_id, hold, user };
        let suspended_away = suspended_away.filter(|_| other.is_none());
        let identity = Identity { away: identity.away.or(suspended_away), ..identity };
        stale.extend(self.presence.insert(member, identity, lists, connection));
        let name_json = self.presence.person(member).map(|person| person.name_json.clone());
        let (mut rooms, mut lost) = (self.renamed_in_rooms(in_rooms), Vec::new());
        if is_guest {
            if let Some(old) = old {
                self.guest_is_replaced(old, member);
            }
            let (told, gone) = self.guest_returns(member, suspended);
            rooms.extend(told);
            lost = gone;
        }
        Ok(Joined {
            member,
            name_json: name_json.unwrap_or_default(),
            session,
            is_resumed: resumed.is_some(),
            replaced,
            is_device: other.is_some(),
            stale,
            rooms,
            lost,
        })
    }

    /// Takes a member out: its session can be resumed for a while, and its name is kept for it.
    pub(super) fn remove(&mut self, member: MemberId) -> Option<Left> {
        let identity = self.presence.identity(member)?;
        let (name, login) = (identity.name.clone(), identity.login.clone());
        let in_rooms = self.names_in_rooms(login.as_ref());
        let (left_rooms, mut rooms) = self.guest_leaves_rooms(member, &name);
        let (person, stale, is_last) = self.presence.remove(member)?;
        rooms.extend(self.renamed_in_rooms(in_rooms));
        let Identity { name, address, away, .. } = &person.identity;
        let network = address.map(network);
        let Connection { session, hold, .. } = person.connection;
        let hold = if is_last { hold } else { 0 };
        if let Some(session) = session {
            self.sessions.leave_rooms(session, left_rooms);
            // While other devices are here, the user is away or back by them, and whoever resumes this one is as they are.
            self.sessions.keep_away(session, away.clone().filter(|_| is_last));
            self.sessions.end(session, network, self.now);
        }
        if hold > 0 {
            let until = self.now.saturating_add(hold);
            self.presence.roster_mut().hold(name, network, until, self.now);
        }
        let Person { identity, name_json, .. } = *person;
        Some(Left { member, identity, is_last, name_json, stale, rooms })
    }

    /// Gives a member another name. Name, session and block lists change in this one step.
    fn rename(&mut self, member: MemberId, rename: Rename) -> Result<Renamed, Refused> {
        let Rename { name, owns, blocked_by, now } = rename;
        let person = self.presence.person(member).ok_or(Refused::NotHere)?;
        let wanted = Identity { name: name.clone(), ..person.identity.clone() };
        let session = person.connection.session;
        let known = Known { identity: &wanted, member: Some(member), session };
        if let Some(refusal) = self.sanctions.excludes(known, now) {
            return Err(refusal.into());
        }
        let login = person.identity.login.clone().filter(|_| self.have_devices(member));
        let (old, old_json) = (person.identity.name.clone(), person.name_json.clone());
        let old_name = old.clone();
        let address = person.identity.address.map(network);
        let claimant = Claimant { owns, address, resumes: false };
        let stale = self.presence.rename(member, &name, &blocked_by, claimant, self.now)?;
        let devices: Vec<_> = self.presence.devices(member).collect();
        for session in devices.iter().filter_map(|device| self.session(*device)).collect::<Vec<_>>()
        {
            if let Some(session) = self.sessions.session_mut(session) {
                session.name = name.clone();
            }
        }
        if let Some(login) = login {
            // Devices that are cut off are called so, too: else they would come back as a second user.
            self.sessions.rename_cut_off(&login, &old, &name);
        }
        self.recent_renames.note(old, self.presence.user(member), self.now);
        let rooms = self
            .room_member(member)
            .map(|who| self.rooms.rooms_of(Who::from(&who)).map(|(number, _)| number).collect());
        let rooms = rooms.unwrap_or_default();
        Ok(Renamed {
            member,
            devices,
            old_name,
            old: old_json,
            new: json::string(name.as_str()),
            stale,
            rooms,
        })
    }

    /// Who is here.
    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Which member is here under a name.
    pub(crate) fn who(&self, name: &impl NameKey) -> Option<MemberId> {
        self.presence.roster().who(name)
    }

    /// The session that a member can resume later.
    pub(crate) fn session(&self, member: MemberId) -> Option<SessionId> {
        self.presence.person(member)?.connection.session
    }

    /// The number of the message that a session sent with this idempotency key, if it is one of its last (ID-5).
    pub(crate) fn known_tag(&self, session: SessionId, tag: &str) -> Option<Sequence> {
        self.sessions.known(session, tag)
    }

    /// Remembers the number of a message that a session sent with this idempotency key.
    pub(crate) fn note_tag(&mut self, session: SessionId, tag: &str, number: Sequence) {
        self.sessions.sent(session, tag, number);
    }
}

impl Digest for Replica {
    fn digest(&self, to: &mut Digester) {
        let Self {
            presence,
            sessions,
            recent_renames,
            ended_logins,
            rooms,
            sanctions,
            nodes,
            next,
            newest,
            now,
        } = self;
        to.add(presence).add(sessions).add(recent_renames).add(ended_logins).add(rooms);
        to.add(sanctions).add(nodes).add(next).add(newest).add(now);
    }
}
