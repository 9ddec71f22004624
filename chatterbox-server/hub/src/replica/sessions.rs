//! Sessions that can be resumed after their connection has ended (ID-7), with the idempotency keys of what they sent (ID-5).

use std::collections::{HashMap, VecDeque};
use std::hash::Hasher as _;
use std::sync::Arc;
// An address is a number here; nothing of the network is used.
use core::net::IpAddr;

use chatterbox_proto::{Username, limits};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::digest::{Digest, Digester};
use crate::guard::Shares;
use crate::identity::{Identity, LoggedIn};
use crate::ids::RoomNumber;
use crate::ids::{MemberId, SessionId, SessionProof, Verifier};
use crate::record::Sequence;
use crate::replica::moderation_act::Whom;
use crate::sorted;

/// How long a session outlives its connection, in milliseconds.
pub const RESUMABLE: u64 = 10 * 60 * 1000;

/// Sessions that are kept; those that ended first go first.
const SESSIONS: usize = 20_000;

/// A session that ends sooner than this, in milliseconds, is cheap to make: of those of one address the newest go first.
const BRIEF: u64 = 10_000;

/// One user's session, over all its connections.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    verifier: Verifier,
    /// The name under which it is resumed.
    pub name: Username,
    /// The account that the user is logged in with, which need not have this name.
    pub account: Option<LoggedIn>,
    /// Its connection, if there is one.
    pub member: Option<MemberId>,
    /// Its newest connection, which may have ended.
    newest: MemberId,
    /// When it began.
    since: u64,
    /// How many of its connections have ended.
    ends: u64,
    tags: Tags,
    /// The rooms that its guest was in when its connection ended, with the numbers since which (RM-2).
    rooms: Vec<(RoomNumber, Sequence)>,
    /// The words of its user, if they were away when its connection ended (PR-2).
    away: Option<Arc<str>>,
}

/// Idempotency keys: the newest tags and the numbers of their messages. Of a tag only a hash is kept, keyed with the verifier
/// of the session, so that every node comes to the same; two tags of one session share one with a chance of one to 2^56.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Tags(VecDeque<(u64, Sequence)>);

/// The end of one of a session's connections. The session may have been resumed since.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Ended {
    at: u64,
    session: SessionId,
    /// How many of its connections had ended by then.
    ends: u64,
    /// Where the connection came from.
    network: Option<IpAddr>,
    /// Whether the session was short.
    brief: bool,
}

impl Session {
    /// Whether somebody's it is.
    pub fn is_of(&self, whom: &Whom) -> bool {
        match (whom, &self.account) {
            (Whom::Account(account), Some(login)) => login.account_key.id == account.id,
            (Whom::Guest(name, _), None) => self.name == *name,
            _ => false,
        }
    }

    /// Its user, as far as it knows them.
    pub fn identity(&self) -> Identity {
        Identity { login: self.account.clone(), ..Identity::guest(self.name.clone()) }
    }

    fn hash(&self, tag: &str) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.verifier.0.to_le_bytes());
        hasher.write(tag.as_bytes());
        hasher.finish()
    }
}

/// All sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sessions {
    #[serde(with = "sorted")]
    by_id: HashMap<SessionId, Session>,
    /// In order.
    ended: VecDeque<Ended>,
    /// The same by where they came from: nobody makes the sessions of others worthless by coming and going.
    shares: Shares<Ended>,
    next: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            by_id: HashMap::new(),
            ended: VecDeque::new(),
            shares: Shares::new(SESSIONS),
            next: 0,
        }
    }
}

impl Sessions {
    /// Begins a session for a member; the verifier is that of its secret.
    pub fn begin(
        &mut self,
        name: Username,
        account: Option<LoggedIn>,
        member: MemberId,
        verifier: Verifier,
        now: u64,
    ) -> SessionProof {
        let id = SessionId(self.next);
        self.next += 1;
        let (newest, member) = (member, Some(member));
        let (tags, rooms) = (Tags::default(), Vec::new());
        let session = Session {
            verifier,
            name,
            account,
            member,
            newest,
            since: now,
            ends: 0,
            tags,
            rooms,
            away: None,
        };
        self.by_id.insert(id, session);
        SessionProof { id, verifier }
    }

    /// The session of a key, if there is one and it is this name's.
    pub fn find(&self, key: SessionProof, name: &Username) -> Option<(SessionId, &Session)> {
        self.of_key(key).filter(|(_, session)| session.name == *name)
    }

    /// The session of a key, whatever its name is.
    pub fn of_key(&self, key: SessionProof) -> Option<(SessionId, &Session)> {
        let session = self.by_id.get(&key.id)?;
        // Compared as one number, not byte by byte: how long it takes tells nothing.
        let same = (session.verifier.0 ^ key.verifier.0) == 0;
        same.then_some((key.id, session))
    }

    /// Gives the sessions without a connection that an account has under a name another one.
    pub fn rename_cut_off(&mut self, account: &LoggedIn, old: &Username, new: &Username) {
        let is_cut_off = |one: &Session| {
            let login = one.account.as_ref();
            let is_theirs = login.is_some_and(|login| login.is_same_account(account));
            one.member.is_none() && is_theirs && one.name == *old
        };
        let cut_off = self.by_id.values_mut().filter(|one| is_cut_off(one));
        cut_off.for_each(|session| session.name = new.clone());
    }

    /// A session by its number.
    pub fn session_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.by_id.get_mut(&id)
    }

    /// The connection of a session, if it has one.
    pub fn member(&self, id: SessionId) -> Option<MemberId> {
        self.by_id.get(&id)?.member
    }

    /// A session goes on with another connection, whose user is logged in like this.
    pub fn go_on(
        &mut self,
        id: SessionId,
        account: Option<LoggedIn>,
        member: MemberId,
    ) -> Option<SessionProof> {
        let session = self.by_id.get_mut(&id)?;
        (session.member, session.account) = (Some(member), account);
        session.newest = member;
        Some(SessionProof { id, verifier: session.verifier })
    }

    /// Remembers the rooms that a guest was in.
    pub fn leave_rooms(&mut self, id: SessionId, rooms: Vec<(RoomNumber, Sequence)>) {
        if let Some(session) = self.by_id.get_mut(&id) {
            session.rooms = rooms;
        }
    }

    /// Remembers whether its user was away.
    pub fn keep_away(&mut self, id: SessionId, away: Option<Arc<str>>) {
        if let Some(session) = self.by_id.get_mut(&id) {
            session.away = away;
        }
    }

    /// Takes the words of its user, if they were away.
    pub fn take_away(&mut self, id: SessionId) -> Option<Arc<str>> {
        self.by_id.get_mut(&id)?.away.take()
    }

    /// Ends sessions for good: none of them can be resumed (MO-2).
    pub fn forget_those(&mut self, which: impl Fn(SessionId, &Session) -> bool) {
        self.by_id.retain(|id, session| !which(*id, session));
    }

    /// The session whose newest connection this is.
    pub fn of_newest(&self, member: MemberId) -> Option<SessionId> {
        self.by_id.iter().find(|(_, session)| session.newest == member).map(|(id, _)| *id)
    }

    /// The newest connection of a guest of this name who is not here and may come back to their session.
    pub fn cut_off(&self, name: &Username) -> Option<MemberId> {
        let guests =
            self.by_id.values().filter(|one| one.member.is_none() && one.account.is_none());
        guests.filter(|one| one.name == *name).map(|one| one.newest).max()
    }

    /// Whether the guest of a session that may be resumed is in a room then.
    pub fn is_in(&self, id: SessionId, room: RoomNumber) -> bool {
        let session = self.by_id.get(&id);
        session.is_some_and(|session| session.rooms.iter().any(|(in_room, _)| *in_room == room))
    }

    /// The guest of a session is in a room no longer.
    pub fn leave_room(&mut self, id: SessionId, room: RoomNumber) {
        if let Some(session) = self.by_id.get_mut(&id) {
            session.rooms.retain(|(in_room, _)| *in_room != room);
        }
    }

    /// The newest connection of a session, which may have ended.
    pub fn newest(&self, id: SessionId) -> Option<MemberId> {
        self.by_id.get(&id).map(|session| session.newest)
    }

    /// Takes the rooms that a guest was in.
    pub fn take_rooms(&mut self, id: SessionId) -> Vec<(RoomNumber, Sequence)> {
        self.by_id
            .get_mut(&id)
            .map(|session| std::mem::take(&mut session.rooms))
            .unwrap_or_default()
    }

    /// Notes that the connection of a session has ended, which came from this network.
    pub fn end(&mut self, id: SessionId, network: Option<IpAddr>, now: u64) {
        let Some(session) = self.by_id.get_mut(&id) else { return };
        session.member = None;
        session.ends += 1;
        let brief = now.saturating_sub(session.since) < BRIEF;
        let ended = Ended { at: now, session: id, ends: session.ends, network, brief };
        self.ended.push_back(ended);
        let is_over = |ended: &Ended| Self::is_over(&self.by_id, ended);
        for gone in self.shares.add(network, &ended, is_over, |ended| ended.brief) {
            self.by_id.remove(&gone.session);
        }
        self.forget(now);
    }

    /// Whether a session has no connection since then.
    fn is_over(by_id: &HashMap<SessionId, Session>, ended: &Ended) -> bool {
        let session = by_id.get(&ended.session);
        session.is_some_and(|s| s.member.is_none() && s.ends == ended.ends)
    }

    /// Forgets sessions that ended too long ago, and the oldest beyond the bound.
    pub fn forget(&mut self, now: u64) {
        if self.ended.len() > 2 * SESSIONS {
            // Those that were resumed or forgotten meanwhile push out no others.
            self.ended.retain(|ended| Self::is_over(&self.by_id, ended));
            self.shares.forget(|ended| Self::is_over(&self.by_id, ended));
        }
        while let Some(first) = self.ended.front().copied() {
            let over = Self::is_over(&self.by_id, &first);
            let old = now.saturating_sub(first.at) >= RESUMABLE;
            if over && !old && self.by_id.len() <= SESSIONS {
                return;
            }
            self.ended.pop_front();
            if over {
                self.by_id.remove(&first.session);
            }
            // What ended before it has gone by now.
            self.shares.trim(first.network, |ended| Self::is_over(&self.by_id, ended));
        }
    }

    /// The number of the message that a session sent with this tag, if that is among the last (ID-5).
    pub fn known(&self, id: SessionId, tag: &str) -> Option<Sequence> {
        let session = self.by_id.get(&id)?;
        let hash = session.hash(tag);
        session.tags.0.iter().rev().find(|(known, _)| *known == hash).map(|(_, number)| *number)
    }

    /// Notes the number of a message with a tag.
    pub fn sent(&mut self, id: SessionId, tag: &str, number: Sequence) {
        let Some(session) = self.by_id.get_mut(&id) else { return };
        let hash = session.hash(tag);
        if session.tags.0.len() == limits::TAGS {
            session.tags.0.pop_front();
        }
        session.tags.0.push_back((hash, number));
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}

impl Digest for Session {
    fn digest(&self, to: &mut Digester) {
        let Self {
            verifier,
            name,
            account,
            member,
            newest,
            since,
            ends,
            tags: Tags(tags),
            rooms,
            away,
        } = self;
        to.add(verifier).add(name).add(account).add(member).add(newest).add(since).add(ends);
        to.add(tags).add(rooms).add(away);
    }
}

impl Digest for Ended {
    fn digest(&self, to: &mut Digester) {
        let Self { at, session, ends, network, brief } = self;
        to.add(at).add(session).add(ends).add(network).add(brief);
    }
}

impl Digest for Sessions {
    fn digest(&self, to: &mut Digester) {
        let Self { by_id, ended, shares, next } = self;
        to.add(by_id).add(ended).add(shares).add(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SessionKey;

    const OF_ONE_NETWORK: usize = SESSIONS / 20;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    fn begin(sessions: &mut Sessions, user: &str, random: u128) -> SessionProof {
        sessions.begin(name(user), None, MemberId::default(), Verifier::of(random), 0)
    }

    #[test]
    fn a_session_is_found_by_its_token_and_name() {
        let mut sessions = Sessions::default();
        let key = begin(&mut sessions, "ann", 7);
        let token = SessionKey { id: key.id, secret: 7 }.to_string();
        let read = SessionKey::parse(&token).unwrap().proof();
        assert!(sessions.find(read, &name("ANN")).is_some());
        assert!(sessions.find(read, &name("bob")).is_none());
        assert!(
            sessions.find(SessionProof { verifier: Verifier(8), ..key }, &name("ann")).is_none()
        );
        for token in ["", "-", "0", "0-", "x-1", "0-x", "0-100000000000000000000000000000000"] {
            assert!(SessionKey::parse(token).is_none(), "{token}");
        }
    }

    #[test]
    fn it_lasts_ten_minutes_after_its_end() {
        let mut sessions = Sessions::default();
        let (ann, bob) = (begin(&mut sessions, "ann", 1), begin(&mut sessions, "bob", 2));
        sessions.forget(100 * RESUMABLE);
        assert_eq!(sessions.len(), 2, "there is a connection");
        sessions.end(ann.id, None, 5);
        sessions.end(bob.id, None, 6);
        sessions.forget(RESUMABLE + 4);
        assert_eq!(sessions.len(), 2);
        // Resuming begins the ten minutes anew.
        sessions.session_mut(ann.id).unwrap().member = Some(MemberId::default());
        sessions.forget(RESUMABLE + 6);
        assert!(sessions.find(ann, &name("ann")).is_some() && sessions.len() == 1);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut sessions = Sessions::default();
        let first = begin(&mut sessions, "ann", 0);
        sessions.end(first.id, None, 0);
        for number in 0..SESSIONS as u128 {
            let key = begin(&mut sessions, "ann", number);
            sessions.end(key.id, None, 1);
        }
        assert!(sessions.len() == SESSIONS && sessions.find(first, &name("ann")).is_none());
        let again = begin(&mut sessions, "bob", 0);
        for _ in 0..10 * SESSIONS {
            sessions.session_mut(again.id).unwrap().member = Some(MemberId::default());
            sessions.end(again.id, None, 2);
        }
        assert!(sessions.ended.len() <= 2 * SESSIONS + 1);
    }

    #[test]
    fn nobody_makes_the_sessions_of_others_worthless_by_coming_and_going() {
        let network = |number: u32| Some(IpAddr::V4(number.into()));
        let mut sessions = Sessions::default();
        // The others are elsewhere, or behind the same address; their sessions may have been short, too.
        let others = [(network(1), 0), (network(2), 0), (network(2), BRIEF)];
        let others = others.map(|(network, lasted)| {
            let key = begin(&mut sessions, "ann", 1);
            sessions.end(key.id, network, lasted);
            key
        });
        let flood = |sessions: &mut Sessions, lasts: u64, count: usize| -> Vec<_> {
            let come_and_go = |number| {
                let member = MemberId::default();
                let key = sessions.begin(name("eve"), None, member, Verifier(number), BRIEF);
                sessions.end(key.id, network(2), BRIEF + lasts);
                key
            };
            (0..count as u128).map(come_and_go).collect()
        };
        let kept = |sessions: &Sessions, keys: &[SessionProof], user| {
            keys.iter().filter(|key| sessions.find(**key, &name(user)).is_some()).count()
        };
        let keys = flood(&mut sessions, 1, 4 * OF_ONE_NETWORK);
        assert_eq!(kept(&sessions, &others, "ann"), 3);
        assert_eq!(kept(&sessions, &keys, "eve"), OF_ONE_NETWORK - 2);
        // Whoever keeps connections open for it pushes out those of one address, and nobody's elsewhere.
        let keys = flood(&mut sessions, BRIEF, 4 * OF_ONE_NETWORK);
        assert_eq!(kept(&sessions, &others, "ann"), 1);
        assert!(sessions.len() <= 1 + OF_ONE_NETWORK);
        // One that has a connection again does not count, and lasts as long as that.
        let resumed = *keys.last().unwrap();
        sessions.session_mut(resumed.id).unwrap().member = Some(MemberId::default());
        flood(&mut sessions, BRIEF, 2 * OF_ONE_NETWORK);
        assert!(sessions.find(resumed, &name("eve")).is_some());
        assert!(sessions.len() <= 2 + OF_ONE_NETWORK);
        for _ in 0..10 * OF_ONE_NETWORK {
            sessions.session_mut(resumed.id).unwrap().member = Some(MemberId::default());
            sessions.end(resumed.id, network(2), 3 * BRIEF);
        }
        assert!(sessions.shares.len() <= 1 + OF_ONE_NETWORK);
        sessions.forget(3 * BRIEF + RESUMABLE);
        assert_eq!((sessions.len(), sessions.ended.len(), sessions.shares.len()), (0, 0, 0));
    }

    #[test]
    fn the_last_tags_are_known() {
        let mut sessions = Sessions::default();
        let (ann, bob) = (begin(&mut sessions, "ann", 1), begin(&mut sessions, "bob", 2));
        for number in 0..=limits::TAGS as u64 {
            sessions.sent(ann.id, &number.to_string(), number + 10);
        }
        assert_eq!(sessions.known(ann.id, "0"), None, "too long ago");
        assert_eq!(sessions.known(ann.id, "1"), Some(11));
        assert_eq!(sessions.known(ann.id, "256"), Some(266));
        assert_eq!(sessions.known(bob.id, "1"), None, "another session");
    }
}
