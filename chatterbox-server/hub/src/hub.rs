//! The state of the chat, and the messages that change it.
//!
//! Nothing in here waits, reads a clock or touches a socket. `chatterbox-server` holds the hub behind one lock for
//! single calls, and notifies the members that the returned [`Wake`] names.
//!
//! A room is a `timeline`, and a receiver is one moment, its cursor, so a broadcast copies nothing into queues of
//! connections. An event for one member goes to a small queue of its own. All of them are stamped by one clock, so that one
//! order holds for all events.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chatterbox_proto::{Code, NameKey, Username};

use crate::asked_marks::AskedMarks;
use crate::block_lists::BlockFilter;
use crate::budget::{Budget, WAITING};
use crate::durable::Durable;
use crate::elsewhere::Elsewhere;
use crate::event::Event;
use crate::identity::{Identity, LoggedIn};
use crate::ids::{MemberId, SessionId};
use crate::mail_desk::WaitingMail;
use crate::mark_desk::MarkDesk;
use crate::member::Member;
use crate::own_queue::Kind;
use crate::presence_desk::PresenceDesk;
use crate::record::{Record, Sequence};
use crate::removal::Removal;
use crate::replica::proposal::Incarnation;
use crate::replica::state::Replica;
use crate::room::history::History;
use crate::room::limits::{Keep, TimelineLimits};
use crate::room::stamp::Stamp;
use crate::room::timeline::Lag;
use crate::room_desk::RoomDesk;
use crate::rooms::Rooms;
use crate::track::Track;
use crate::unread::NewestInRooms;
use crate::wake::Wake;

/// The state of the whole chat.
#[derive(Debug)]
pub struct Hub {
    /// What is on its way to the members of this node.
    pub(crate) members: BTreeMap<MemberId, Member>,
    /// What all nodes have in common.
    pub(crate) replica: Replica,
    /// The members that the hub has removed, until their connections leave, so there are no more than connections.
    pub(crate) removed: HashMap<MemberId, Removal>,
    /// Turns names and networks into numbers that stand for them ([`crate::filing::Sender`]).
    pub(crate) sender_hasher: RandomState,
    pub(crate) rooms: Rooms,
    /// What this node knows of rooms beside the lobby.
    pub(crate) desk: RoomDesk,
    /// Of whom something is to be told.
    pub(crate) presence: PresenceDesk,
    pub(crate) waiting_mail: WaitingMail,
    /// How far users have read, as far as it is under way.
    pub(crate) marks: MarkDesk,
    /// The same, where it is not known yet how far it may go.
    pub(crate) asked_marks: AskedMarks,
    pub(crate) newest_in_rooms: NewestInRooms,
    /// What it knows of members of other nodes.
    pub(crate) elsewhere: Elsewhere,
    pub(crate) track: Track,
    /// What has to be stored, where somebody stores it afterwards.
    pub(crate) durable: Option<Vec<Durable>>,
    /// The history of the lobby.
    pub(crate) history: History,
    pub(crate) budget: Budget,
    /// The newest time from [`Hub::tick`], in milliseconds of some clock: what is reading is judged by it, and nothing else.
    pub(crate) now: u64,
}

impl Hub {
    /// An empty chat.
    pub fn new(lobby: TimelineLimits, keep: Keep) -> Self {
        Self {
            members: BTreeMap::new(),
            replica: Replica::default(),
            removed: HashMap::new(),
            sender_hasher: RandomState::new(),
            rooms: Rooms::new(lobby),
            desk: RoomDesk::default(),
            presence: PresenceDesk::default(),
            waiting_mail: WaitingMail::default(),
            marks: MarkDesk::default(),
            asked_marks: AskedMarks::default(),
            newest_in_rooms: NewestInRooms::default(),
            elsewhere: Elsewhere::default(),
            track: Track::default(),
            durable: None,
            history: History::new(keep),
            budget: Budget::new(WAITING),
            now: 0,
        }
    }

    /// Sets the time of this node, in milliseconds of any clock that does not go back.
    pub fn tick(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    /// Who a member is now.
    pub fn identity(&self, id: MemberId) -> Option<&Identity> {
        self.replica.presence().identity(id)
    }

    /// The name of a member.
    pub fn name_of(&self, id: MemberId) -> Option<&Username> {
        self.identity(id).map(|identity| &identity.name)
    }

    /// Who is here under a name.
    pub fn find(&self, name: &Username) -> Option<(MemberId, &Identity)> {
        self.replica.presence().find(name)
    }

    /// Which member is here under a name.
    pub fn who(&self, name: &impl NameKey) -> Option<MemberId> {
        self.replica.who(name)
    }

    /// The members that are logged in with an account, under whatever names; not those of an earlier account of its name.
    pub fn logged_in<'a>(
        &'a self,
        account: &'a LoggedIn,
    ) -> impl Iterator<Item = (MemberId, &'a Identity)> {
        self.replica.presence().logged_in(account)
    }

    /// Whom a member blocks, in the order in which it did.
    pub fn blocked(&self, id: MemberId) -> &[Username] {
        self.replica.presence().blocked(id)
    }

    /// The number of the newest message; 0 when there was none.
    pub fn newest(&self) -> Sequence {
        self.history.newest()
    }

    /// What block lists mean for a member now.
    pub fn filter(&self, id: MemberId) -> BlockFilter {
        self.replica.presence().filter(id)
    }

    /// What block lists mean for a member, shared with its deliveries.
    pub fn shared_filter(&mut self, id: MemberId) -> Arc<BlockFilter> {
        self.refresh_filter(id);
        self.members.get(&id).and_then(Member::filter).cloned().unwrap_or_default()
    }

    /// Works out what block lists mean for a member, if anything has changed since. It is put off until it is needed:
    /// somebody with many blockers may come and go often.
    pub(crate) fn refresh_filter(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(&id)
            && member.is_filter_stale()
        {
            member.set_filter(Arc::new(self.replica.presence().filter(id)));
        }
    }

    /// The session that a member can go on with later.
    pub fn session(&self, id: MemberId) -> Option<SessionId> {
        self.replica.session(id)
    }

    /// The number of the message that a session sent with this idempotency key, if it is one of its last (ID-5).
    pub fn known_tag(&self, session: SessionId, tag: &str) -> Option<Sequence> {
        self.replica.known_tag(session, tag)
    }

    /// Whether somebody has a name who can be told something: also one device of several is enough. Of who was disconnected, or was
    /// removed, the name is there until they leave.
    pub fn is_reachable(&self, name: &impl NameKey) -> bool {
        let Some(member) = self.who(name) else { return false };
        let is_connected = |id| self.is_elsewhere(id) || self.members.contains_key(&id);
        is_connected(member) || self.replica.presence().other_devices(member).any(is_connected)
    }

    /// Reserves room for a private message of about `bytes` of a member, and gives its recipient with the spelling that it is
    /// here under (DE-2). At other nodes nothing can be reserved: there it counts what they have said.
    ///
    /// [`Hub::release`] gives the room back, whatever has become of the message.
    ///
    /// # Errors
    /// [`Code::NoSuchUser`], also where whoever has the name is not [reachable](Self::is_reachable); [`Code::Blocked`] when one of the
    /// two blocks the other; [`Code::RecipientBusy`] when too much waits for the recipient already.
    pub fn reserve(
        &mut self,
        sender: MemberId,
        name: &impl NameKey,
        bytes: usize,
    ) -> Result<(MemberId, Username), Code> {
        let recipient = self.who(name).ok_or(Code::NoSuchUser)?;
        let spelling = self.name_of(recipient).cloned().ok_or(Code::NoSuchUser)?;
        Ok((self.reserve_for(sender, recipient, bytes)?, spelling))
    }

    /// The same where it is known which member it is. Gives the device of the user that has the room: it is enough that one of them
    /// reads (DV-2).
    pub(crate) fn reserve_for(
        &mut self,
        sender: MemberId,
        recipient: MemberId,
        bytes: usize,
    ) -> Result<MemberId, Code> {
        self.refresh_filter(sender);
        self.refresh_filter(recipient);
        let refuses = |one: MemberId, other: MemberId| {
            let (member, name) = (self.members.get(&one), self.name_of(other));
            member.zip(name).is_some_and(|(member, name)| member.refuses(name))
        };
        if refuses(sender, recipient) || refuses(recipient, sender) {
            return Err(Code::Blocked);
        }
        let mut refused = Code::NoSuchUser;
        let mut others = Vec::new().into_iter();
        let mut next = Some(recipient);
        while let Some(device) = next {
            match self.reserve_at(device, bytes) {
                Ok(()) => return Ok(device),
                Err(code) if refused != Code::RecipientBusy => refused = code,
                Err(_) => {}
            }
            if device == recipient {
                let all: Vec<_> = self.replica.presence().other_devices(recipient).collect();
                others = all.into_iter();
            }
            next = others.next();
        }
        Err(refused)
    }

    /// Reserves room at one device.
    fn reserve_at(&mut self, device: MemberId, bytes: usize) -> Result<(), Code> {
        if self.is_elsewhere(device) {
            return if self.is_crowded(device) { Err(Code::RecipientBusy) } else { Ok(()) };
        }
        let reserved = self.with_member(device, |member| {
            let has_room = member.has_room(Kind::Message, bytes);
            if has_room {
                member.reserve(bytes);
            }
            has_room
        });
        if reserved.ok_or(Code::NoSuchUser)? { Ok(()) } else { Err(Code::RecipientBusy) }
    }

    /// Gives back the room that was reserved for a message of this size to a member.
    pub fn release(&mut self, recipient: MemberId, bytes: usize) {
        self.with_member(recipient, |member| member.release(bytes));
    }

    /// Adds a message of an earlier run to the history.
    pub fn remember(&mut self, id: Sequence, record: &Record) {
        match (record.room(), record.recipient()) {
            // What was said in rooms is read from the store, but for how much it is.
            (Some(room), _) => self.newest_in_rooms.note(room, id, record),
            (None, None) => self.history.push_public(id, record),
            (None, Some(recipient)) => self.history.push_private(id, &recipient, record),
        }
    }

    /// Drops the messages of the history that arrived before `oldest`, in seconds since 1970 UTC.
    pub fn forget_before(&mut self, oldest: i64) {
        self.history.expire(oldest);
    }

    /// Tells everybody an event that is not part of the history.
    pub fn announce(&mut self, event: Event) -> Wake {
        self.rooms.push_lobby(event);
        Wake::All
    }

    /// Queues an answer for one member, behind everything that has happened so far.
    pub fn tell(&mut self, id: MemberId, event: Event) -> Wake {
        self.queue(id, Kind::Answer, event)
    }

    pub(crate) fn queue(&mut self, id: MemberId, kind: Kind, event: Event) -> Wake {
        let at = self.rooms.clock();
        match self.with_member(id, |member| member.push_direct(at, kind, event)) {
            Some(()) => Wake::One(id),
            None => Wake::Nobody,
        }
    }

    /// Whether an answer of this size can be queued for a member; for one that is gone it can, since nothing is queued.
    pub fn has_room(&self, id: MemberId, bytes: usize) -> bool {
        self.members.get(&id).is_none_or(|member| member.has_room(Kind::Answer, bytes))
    }

    /// Who is here, in the order in which they joined.
    pub fn users(&self) -> impl Iterator<Item = &Identity> {
        self.replica.presence().users().map(|(_, person)| &person.identity)
    }

    /// The number of users, each counted once however many devices they have.
    pub fn members(&self) -> usize {
        self.replica.presence().count()
    }

    /// The number of members of a node, with those whose connections have ended and who have not left.
    pub fn members_at(&self, node: Incarnation) -> usize {
        let people = self.replica.presence().people();
        people.filter(|(_, person)| person.connection.node == node).count()
    }

    /// The stamp of whatever happens next in any room.
    pub fn clock(&self) -> Stamp {
        self.rooms.clock()
    }

    /// The volume that went through the timelines so far.
    pub fn volume(&self) -> Lag {
        self.rooms.volume()
    }
}

#[cfg(test)]
mod tests;
