//! The one way into the chat: a proposal is applied to the replicated state, and what follows from it is told to the members
//! of this node before the next one is looked at.

use std::sync::Arc;

use chatterbox_proto::frame::TooLong;
use chatterbox_proto::session::Destination;

use crate::digest::digest_of;
use crate::event::Event;
use crate::filing::Party;
use crate::greeting::{Greeting, JoinReply, Newcomer};
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::member::Member;
use crate::own_queue::Kind;
use crate::record::Sequence;
use crate::removal::Removal;
use crate::replica::effect::{Effect, Joined, Left, LoginsEnded, Refused, Renamed, Said};
use crate::replica::moderation_act::ModerationDone;
use crate::replica::presence::Stale;
use crate::replica::proposal::{Group, Incarnation, Old, Proposal, Say};
use crate::replica::rooms::room::Who;
use crate::replica::rooms::told::RoomsChanged;
use crate::replica::rooms::wish::RoomDone;
use crate::track::Happened;
use crate::wake::Wake;

/// What has become of a proposal.
#[derive(Debug)]
pub struct Applied {
    /// For whoever has proposed it.
    pub outcome: Result<Outcome, Refused>,
    /// Who has something to read now.
    pub wake: Wake,
    /// Who else has.
    pub wakes: Vec<Wake>,
    /// The members of this node that are not here any more for it, and that did not ask to go.
    pub removed: Vec<MemberId>,
    /// The members of this node that have another name for it, whichever device of theirs has asked.
    pub renamed: Vec<MemberId>,
}

/// What follows from a proposal that was accepted, for whoever has proposed it.
#[derive(Debug)]
pub enum Outcome {
    /// Somebody is here, and this is what they are told.
    Welcomed(Box<JoinReply>),
    /// Somebody is here, and can't be told what they have to know. They have to go again.
    NotWelcomed(MemberId, TooLong),
    /// Something was said, under this number.
    Said(Sequence),
    /// A wish about rooms is granted.
    Rooms(RoomDone),
    /// Somebody has moderated.
    Moderated(ModerationDone),
    /// Nothing more.
    Done,
}

impl Applied {
    /// What nobody is told.
    pub(crate) fn unseen(outcome: Result<Outcome, Refused>) -> Self {
        let (wakes, removed, renamed) = Default::default();
        Self { outcome, wake: Wake::Nobody, wakes, removed, renamed }
    }

    /// What everybody is told in a moment.
    pub(crate) fn told(removed: Vec<MemberId>) -> Self {
        Self { wake: Wake::AllSoon, removed, ..Self::unseen(Ok(Outcome::Done)) }
    }
}

impl Hub {
    /// Begins with a group that was decided at this time, in milliseconds of any clock, and says whether its proposals count:
    /// each of them is a [`Hub::step`] then. A group that is there twice, late, or of a node that has ended does not count.
    pub fn begin(&mut self, group: &Group, at: u64) -> bool {
        self.replica.begin(group, at)
    }

    /// Applies a proposal of a node. A user of this node who joins is greeted with `greeting`; one of another node is only
    /// announced.
    pub fn step(
        &mut self,
        from: Incarnation,
        proposal: Proposal,
        greeting: Option<Greeting<'_>>,
    ) -> Applied {
        if let Proposal::Leave(member) = &proposal {
            // Whoever asks for it has no connection any more, whether the member is here still or not.
            self.disconnect(*member);
        }
        let by = match &proposal {
            Proposal::Moderate(act) => Some((Arc::clone(&act.by), act.now)),
            _ => None,
        };
        let number = match &proposal {
            Proposal::Room(_, number) => *number,
            _ => 0,
        };
        match self.replica.step(from, proposal) {
            Err(refused) => Applied::unseen(Err(refused)),
            Ok(Effect::Nothing) => Applied::unseen(Ok(Outcome::Done)),
            Ok(Effect::Down(left)) => {
                let mut applied = Applied::told(Vec::new());
                for left in left {
                    if let Some(member) = self.left(left, &mut applied.wakes) {
                        self.removed.insert(member, Removal::Fenced);
                        applied.removed.push(member);
                    }
                }
                applied
            }
            Ok(Effect::Joined(joined)) => self.joined(joined, greeting),
            Ok(Effect::Left(left)) => {
                let mut applied = Applied::told(Vec::new());
                let _ = self.left(left, &mut applied.wakes);
                applied
            }
            Ok(Effect::LoggedOut(left)) => {
                let mut applied = Applied::unseen(Ok(Outcome::Done));
                // Its queue stays until its connection has ended, behind the answer to its command.
                self.note_left(left, &mut applied.wakes);
                applied
            }
            Ok(Effect::Renamed(renamed)) => {
                let Renamed { member, devices, old_name, old, new, stale, rooms } = renamed;
                self.note(|hub| {
                    let who = hub.identity(member)?.clone();
                    Some(Happened::Renamed(old_name, Box::new(who)))
                });
                self.note_presence(member);
                self.mark_stale(stale);
                self.forget_rooms(&rooms);
                self.rooms.push_lobby(Event::renamed(old, new));
                let ours = devices.into_iter().filter(|id| self.members.contains_key(id));
                Applied { renamed: ours.collect(), ..Applied::told(Vec::new()) }
            }
            Ok(Effect::Said(said)) => {
                let number = said.number;
                self.note_said(&said.record);
                self.leave_message(number, &said.record);
                if let Some(member) = said.back {
                    self.note_presence(member);
                }
                self.note_slow(from, &said);
                if let Some(by) = said.by.filter(|by| self.is_marking(*by)) {
                    self.note_own_message(by, number, &said.record);
                }
                let mut applied = Applied::unseen(Ok(Outcome::Said(number)));
                self.deliver(said, &mut applied);
                applied
            }
            Ok(Effect::Unseen(stale, rooms)) => {
                self.mark_stale(stale);
                let mut applied = Applied::unseen(Ok(Outcome::Done));
                self.tell_rooms(rooms, &mut applied.wakes);
                applied
            }
            Ok(Effect::Away(member)) => {
                self.note_presence(member);
                Applied::unseen(Ok(Outcome::Done))
            }
            Ok(Effect::Rooms(RoomsChanged { done, told, records })) => {
                self.leave_rooms(number, records);
                let mut applied = Applied::unseen(Ok(Outcome::Rooms(done)));
                self.tell_rooms(told, &mut applied.wakes);
                applied
            }
            Ok(Effect::Told(tell)) => {
                let mut applied = Applied::unseen(Ok(Outcome::Done));
                self.tell_those(*tell, &mut applied.wakes);
                applied
            }
            Ok(Effect::Read(marks)) => {
                let mut applied = Applied::unseen(Ok(Outcome::Done));
                self.tell_marks(&marks, &mut applied.wakes);
                applied
            }
            Ok(Effect::Crowded(members)) => {
                self.note_crowded(from, members);
                Applied::unseen(Ok(Outcome::Done))
            }
            Ok(Effect::Old(Old { number, record, .. })) => {
                self.remember(number, &record);
                self.leave_message(number, &record);
                Applied::unseen(Ok(Outcome::Done))
            }
            Ok(Effect::LoginsEnded(ended)) => self.logins_ended(ended),
            Ok(Effect::Moderated(moderated)) => self.moderated(moderated, &by.unwrap_or_default()),
        }
    }

    /// Numbers the messages that are going to be accepted if a node proposes them next, from `first` on, and files them as they
    /// are going to be filed. Says of each whether it is one of them.
    pub fn judge(&self, from: Incarnation, says: &mut [Say], first: Sequence) -> Vec<bool> {
        self.replica.judge(from, says, first)
    }

    /// The greatest number of a message, or of a wish about rooms, of what was applied.
    pub fn newest_number(&self) -> Sequence {
        self.replica.newest()
    }

    /// Whether this life of a node counts.
    pub fn is_up(&self, node: Incarnation) -> bool {
        self.replica.is_up(node)
    }

    /// One number for all that nodes have in common. Two of them that have applied the same have the same.
    pub fn digest(&self) -> u64 {
        digest_of(&self.replica)
    }

    /// Drops what waits for a member whose connection has ended. It is here until its leaving is applied.
    pub fn disconnect(&mut self, id: MemberId) {
        self.removed.remove(&id);
        self.budget.has_left(id);
        self.forget_member(id);
    }

    fn joined(&mut self, joined: Joined, greeting: Option<Greeting<'_>>) -> Applied {
        let Joined { member, name_json, session, is_resumed, replaced, .. } = joined;
        let Joined { is_device, stale, rooms, lost, .. } = joined;
        self.mark_stale(stale);
        if !is_device && self.identity(member).is_some_and(|identity| identity.away.is_some()) {
            // Whoever comes is not away, as far as the others know.
            self.note_presence(member);
        }
        let mut applied = match replaced {
            // The others need not know how many devices somebody has.
            None if is_device => Applied::unseen(Ok(Outcome::Done)),
            None => {
                self.note(|hub| Some(Happened::Joined(Box::new(hub.identity(member)?.clone()))));
                self.rooms.push_lobby(Event::joined(name_json));
                Applied::told(Vec::new())
            }
            // The others need not know which connection it is.
            Some((old, user)) => {
                let mut applied = Applied::unseen(Ok(Outcome::Done));
                self.presence.replaced(user, self.replica.presence().user(member));
                // A guest has another place in the lists of rooms now.
                let theirs = self.replica.rooms.rooms_of(Who::Guest(member));
                let theirs: Vec<_> = theirs.map(|(number, _)| number).collect();
                self.forget_rooms(&theirs);
                if self.forget_member(old) {
                    self.removed.insert(old, Removal::Resumed);
                    applied.removed.push(old);
                }
                applied
            }
        };
        // The newcomer finds all of it in the welcome.
        self.tell_rooms(rooms, &mut applied.wakes);
        let replaced = replaced.map(|(old, _)| old);
        let newcomer = Newcomer { id: member, session, is_resumed, replaced, lost };
        match greeting.map(|greeting| self.welcome(&newcomer, greeting)) {
            Some(Ok(Some(reply))) => applied.outcome = Ok(Outcome::Welcomed(Box::new(reply))),
            Some(Err(error)) => applied.outcome = Ok(Outcome::NotWelcomed(member, error)),
            Some(Ok(None)) | None => {}
        }
        applied
    }

    /// Somebody is not here any more; says who, if they were connected with this node.
    pub(crate) fn left(&mut self, left: Left, wakes: &mut Vec<Wake>) -> Option<MemberId> {
        let member = left.member;
        let is_ours = self.forget_member(member);
        self.note_left(left, wakes);
        is_ours.then_some(member)
    }

    /// The same for the others: what waits for the member itself stays.
    fn note_left(&mut self, left: Left, wakes: &mut Vec<Wake>) {
        let Left { member: _, identity, is_last, name_json, stale, rooms } = left;
        if let Some(login) = &identity.login
            && self.logged_in(login).next().is_none()
        {
            let (account, newest) = (login.account_key.id, self.history.newest());
            self.waiting_mail.has_left(account, newest);
        }
        if is_last {
            self.note(|_| Some(Happened::Left(Box::new(identity))));
        }
        self.mark_stale(stale);
        self.tell_rooms(rooms, wakes);
        if is_last {
            self.rooms.push_lobby(Event::left(name_json));
        }
    }

    fn logins_ended(&mut self, ended: LoginsEnded) -> Applied {
        let LoginsEnded { left, reason, removed, stale, rooms } = ended;
        let mut wakes = Vec::new();
        if let Some(account) = removed {
            self.history.forget_account(account);
            self.leave_removed(account);
        }
        let is_seen = !left.is_empty();
        let ours: Vec<_> =
            left.into_iter().filter_map(|left| self.left(left, &mut wakes)).collect();
        self.mark_stale(stale);
        self.tell_rooms(rooms, &mut wakes);
        self.removed.extend(ours.iter().map(|member| (*member, reason.clone())));
        let applied =
            if is_seen { Applied::told(ours) } else { Applied::unseen(Ok(Outcome::Done)) };
        Applied { wakes, ..applied }
    }

    /// Drops what waits for a member; says whether there was one of this node.
    pub(crate) fn forget_member(&mut self, id: MemberId) -> bool {
        self.elsewhere.forget(id);
        let Some(member) = self.members.remove(&id) else { return false };
        self.budget.change(member.own_bytes(), 0);
        if let Some(rooms) = member.rooms() {
            for room in rooms.now() {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.remove_reader(id);
                }
            }
        }
        true
    }

    fn mark_stale(&mut self, stale: Stale) {
        for id in stale.0 {
            if let Some(member) = self.members.get_mut(&id) {
                member.mark_filter_stale();
            }
        }
    }

    /// Adds a message to the history, and queues it for its receivers; notes who has something to read, and who is not here any
    /// more for it.
    pub(crate) fn deliver(&mut self, said: Said, applied: &mut Applied) {
        let Said { number, record, to, copies, .. } = said;
        applied.wake = match &record.destination {
            Destination::Room(room) => {
                self.newest_in_rooms.note(room.number, number, &record);
                match self.desk.id(room.number) {
                    Some(id) if self.rooms.push(id, Event::message(number, record, None)) => {
                        Wake::Room(id)
                    }
                    _ => Wake::Nobody,
                }
            }
            Destination::All => {
                self.history.push_public(number, &record);
                self.rooms.push_lobby(Event::message(number, record, None));
                Wake::All
            }
            // A recipient that has left meanwhile gets it in the snapshot of its next join.
            Destination::User(name) => {
                let filed = record.filing.to.clone();
                let filed = filed.unwrap_or_else(|| Party::Guest(name.clone()));
                self.history.push_private(number, &filed, &record);
                // Each device is told its own part of what is encrypted.
                for copy in copies {
                    let message = Event::message(number, record.clone(), self.device_of(copy));
                    let wake = self.hand_over(copy, message, &mut applied.removed);
                    applied.wakes.push(wake);
                }
                match to {
                    Some(to) => {
                        let message = Event::message(number, record, self.device_of(to));
                        self.hand_over(to, message, &mut applied.removed)
                    }
                    None => Wake::Nobody,
                }
            }
        };
    }

    /// Queues a private message for a device that has to have it. In a cluster, and where a user has several devices, it may be one for
    /// which nobody could reserve room: who has not enough of it does not read, and goes. Only for a device whose last other one goes
    /// while messages are on their way to that one more waits than fits: at most what there was room for at the other.
    fn hand_over(&mut self, to: MemberId, message: Event, removed: &mut Vec<MemberId>) -> Wake {
        let bytes = message.size();
        let is_full = |member: &Member| !member.takes(bytes);
        if self.members.get(&to).is_some_and(is_full)
            && (!self.elsewhere.is_alone() || self.has_other_devices(to))
        {
            self.remove_slow(to);
            removed.push(to);
            return Wake::One(to);
        }
        let wake = self.queue(to, Kind::Message, message);
        if self.members.get(&to).is_some_and(Member::is_half_full) {
            self.elsewhere.fills(to);
        }
        wake
    }

    /// Whether a member is one of several devices of its user.
    fn has_other_devices(&self, id: MemberId) -> bool {
        self.replica.presence().other_devices(id).next().is_some()
    }

    /// Notes that something is to be told of the user of a member.
    pub(crate) fn note_presence(&mut self, member: MemberId) {
        self.presence.note(self.replica.presence().user(member));
    }
}
