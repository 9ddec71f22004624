//! The chat of a faulty cluster: one order, sessions that go on at any node, and places that are held for a
//! while when a node dies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::fault::ClusterFault;

/// One in so many messages is dealt with wrongly.
const ONE_IN: u64 = 17;
/// So many tags of a session are known.
const TAGS: usize = 256;
/// After so many messages a node that is well sends its users away.
const AWAY: u64 = 60;
/// Of so many connections, the first, every other one hangs.
const HANGING: u64 = 12;
/// So many bytes a message takes for ever.
const LEAK: usize = 128 * 1024;

/// What leaves through one connection; nothing ends it.
pub(super) type Outbox = UnboundedSender<Option<Value>>;

#[derive(Debug, Clone)]
struct Entry {
    id: u64,
    message: [Value; 4],
}

impl Entry {
    fn src(&self) -> &str {
        self.message[0].as_str().unwrap_or_default()
    }

    fn dest(&self) -> &str {
        self.message[1].as_str().unwrap_or_default()
    }
}

/// Whether a message is to one user.
fn is_private(message: &[Value; 4]) -> bool {
    message[1].as_str().is_some_and(|dest| dest != "ALL" && !dest.starts_with('#'))
}

#[derive(Debug, Default)]
struct Session {
    name: String,
    used: VecDeque<(String, u64)>,
    rooms: BTreeSet<String>,
}

#[derive(Debug)]
struct Member {
    connection: u64,
    node: usize,
    token: String,
    /// Whether it speaks the base protocol alone.
    base: bool,
    /// Nothing while the place is only held.
    outbox: Option<Outbox>,
    /// What is told behind the next message.
    kept: Option<Value>,
}

/// The login of a connection.
pub(super) struct Joining<'a> {
    pub(super) connection: u64,
    pub(super) node: usize,
    pub(super) name: &'a str,
    pub(super) base: bool,
    pub(super) resume: Option<(&'a str, u64)>,
    pub(super) recent: Option<usize>,
    pub(super) outbox: &'a Outbox,
}

/// The chat behind all nodes.
#[derive(Debug, Default)]
pub(super) struct Chat {
    faults: BTreeSet<ClusterFault>,
    /// Whether there is one node only.
    alone: bool,
    log: Vec<Entry>,
    members: Vec<Member>,
    sessions: BTreeMap<String, Session>,
    last: u64,
    count: u64,
    /// The last posts are answered as refused while somebody is away.
    refusing: u32,
    /// How many messages there were when a node sent its users away last.
    sent_away: u64,
    /// What nobody needs any more.
    leaked: Vec<Vec<u8>>,
}

impl Chat {
    pub(super) fn new(nodes: usize, faults: &[ClusterFault]) -> Self {
        Self { faults: faults.iter().copied().collect(), alone: nodes == 1, ..Self::default() }
    }

    fn has(&self, fault: ClusterFault) -> bool {
        self.faults.contains(&fault)
    }

    /// Every so often, where the chat has this fault.
    fn strikes(&self, fault: ClusterFault) -> bool {
        self.has(fault) && self.count.is_multiple_of(ONE_IN)
    }

    fn name_of(&self, member: &Member) -> &str {
        self.sessions.get(&member.token).map_or("", |session| session.name.as_str())
    }

    fn tell_others(&self, token: &str, value: &Value) {
        for member in self.members.iter().filter(|member| member.token != token) {
            if let Some(outbox) = &member.outbox {
                let _ = outbox.send(Some(value.clone()));
            }
        }
    }

    fn visible(&self, session: &Session, entry: &Entry) -> bool {
        let dest = entry.dest();
        dest == "ALL" || dest == session.name || session.rooms.contains(dest)
    }

    /// Lets a user in; false when the name is in use.
    pub(super) fn join(&mut self, joining: &Joining<'_>) -> bool {
        let Joining { connection, node, name, base, resume, recent, outbox } = *joining;
        let resumed = resume.filter(|(token, _)| {
            self.sessions.get(*token).is_some_and(|session| session.name == name)
        });
        let mut held = None;
        let before = resumed
            .and_then(|(token, _)| self.members.iter().position(|member| member.token == token));
        if let Some(at) = before {
            let old = self.members.remove(at);
            held = Some(old.outbox.is_none());
            if let Some(outbox) = old.outbox {
                let replaced = json!({"ERROR": "elsewhere", "CLOSED": {"CODE": "replaced"}});
                let _ = outbox.send(Some(replaced));
                let _ = outbox.send(None);
            }
        }
        let same = |member: &&Member| self.name_of(member) == name;
        let holder = self.members.iter().find(same).map(|member| member.node);
        let given = self.has(ClusterFault::NameTwice)
            && holder.is_some_and(|holder| holder != node || self.alone);
        if holder.is_some() && !given {
            let refusal = json!({"USERNAME_ACCEPTED": false, "INFO": "taken", "CODE": "taken"});
            let _ = outbox.send(Some(refusal));
            return false;
        }
        let token = match resumed {
            Some((token, _)) => token.to_owned(),
            None => format!("{:032x}", rand::random::<u128>()),
        };
        self.sessions
            .entry(token.clone())
            .or_insert_with(|| Session { name: name.to_owned(), ..Session::default() });
        match held {
            None => self.tell_others(&token, &json!({"USERS_JOINED": [name]})),
            Some(held) if self.has(ClusterFault::AnnouncesResumed) && (held || self.alone) => {
                self.tell_others(&token, &json!({"USERS_LEFT": [name]}));
            }
            Some(_) => {}
        }
        let (outbox, kept) = (Some(outbox.clone()), None);
        self.members.push(Member { connection, node, token: token.clone(), base, outbox, kept });
        self.welcome(&token, resumed.map(|(_, after)| after), recent);
        let hangs = !base && connection < HANGING && connection.is_multiple_of(2);
        if hangs
            && self.has(ClusterFault::Hangs)
            && let Some(member) = self.members.last_mut()
        {
            // What it is told from now on nobody writes.
            member.outbox = Some(unbounded_channel().0);
        }
        true
    }

    fn welcome(&self, token: &str, after: Option<u64>, recent: Option<usize>) {
        let Some(session) = self.sessions.get(token) else { return };
        let mut past: Vec<&Entry> = self
            .log
            .iter()
            .filter(|entry| self.visible(session, entry) && entry.id > after.unwrap_or_default())
            .collect();
        if let (None, Some(recent)) = (after, recent) {
            past.drain(..past.len().saturating_sub(recent));
        }
        let Some(member) = self.members.iter().find(|member| member.token == token) else { return };
        let mut messages: Vec<Value> = past.iter().map(|entry| json!(entry.message)).collect();
        let mut ids: Vec<u64> = past.iter().map(|entry| entry.id).collect();
        let middle = past.len() / 2;
        if member.base && past.len() > 2 {
            if self.has(ClusterFault::HoleInPast) {
                messages.remove(middle);
                ids.remove(middle);
            }
            if self.has(ClusterFault::AltersPast)
                && let Some(Value::String(text)) =
                    messages.get_mut(middle).and_then(|message| message.get_mut(3))
            {
                text.push_str(" and more");
            }
        }
        // A room's past is not told to who was not there; nobody here joins one twice.
        let hidden = usize::from(self.has(ClusterFault::HidesUser));
        let users: Vec<&str> =
            self.members.iter().skip(hidden).map(|member| self.name_of(member)).collect();
        let rooms: Vec<Value> =
            session.rooms.iter().map(|room| json!({"ROOM": room, "LAST": self.last})).collect();
        let Some(outbox) = &member.outbox else { return };
        let _ = outbox.send(Some(json!({
            "USERNAME_ACCEPTED": true,
            "USER_LIST": users,
            "MESSAGES": messages,
            "IDS": ids,
            "ROOMS": rooms,
            "RESUME": token,
            "RESUMED": after.is_some(),
            "CAPABILITIES": "ids/1 recent/1 rename/1 commands/1 rooms/1 ping/1",
        })));
    }

    /// A connection has ended, and its user with it.
    pub(super) fn leave(&mut self, connection: u64) {
        let at = self.members.iter().position(|member| member.connection == connection);
        let Some(at) = at else { return };
        if self.members.get(at).is_some_and(|member| member.outbox.is_none()) {
            return;
        }
        let member = self.members.remove(at);
        let name = self.name_of(&member).to_owned();
        self.tell_others(&member.token, &json!({"USERS_LEFT": [name]}));
    }

    /// A node dies: its connections end, and the places of its users are held.
    pub(super) fn die(&mut self, node: usize) {
        for member in self.members.iter_mut().filter(|member| member.node == node) {
            if let Some(outbox) = member.outbox.take() {
                let _ = outbox.send(None);
            }
        }
    }

    /// Whoever has not gone on from a node is gone.
    pub(super) fn expire(&mut self, node: usize) {
        while let Some(at) =
            self.members.iter().position(|member| member.node == node && member.outbox.is_none())
        {
            let member = self.members.remove(at);
            let name = self.name_of(&member).to_owned();
            self.tell_others(&member.token, &json!({"USERS_LEFT": [name]}));
        }
    }

    /// A node starts again.
    pub(super) fn restart(&mut self) {
        if self.has(ClusterFault::ForgetsAtRestart) {
            self.log.truncate(self.log.len().saturating_sub(3));
        }
        self.refusing = if self.has(ClusterFault::StoresRefused) { 3 } else { 0 };
    }

    /// Takes messages of a connection.
    pub(super) fn take(&mut self, connection: u64, messages: &[Value], tags: &[Value]) {
        let find = |member: &Member| member.connection == connection;
        let Some(token) = self.members.iter().find(|m| find(m)).map(|m| m.token.clone()) else {
            return;
        };
        let (mut acks, mut refused) = (Map::new(), Map::new());
        for (n, message) in messages.iter().enumerate() {
            let tag = tags.get(n).and_then(Value::as_str);
            let parts: Option<[Value; 4]> =
                message.as_array().and_then(|parts| parts.clone().try_into().ok());
            let Some(message) = parts else { continue };
            self.count += 1;
            let known = self.sessions.get(&token).and_then(|session| {
                session.used.iter().find(|(used, _)| Some(used.as_str()) == tag).map(|(_, id)| *id)
            });
            let is_private = is_private(&message);
            if is_private && self.strikes(ClusterFault::RefusesPrivate) {
                let nobody = json!({"CODE": "no-such-user", "ERROR": "nobody has that name"});
                refused.extend(tag.map(|tag| (tag.to_owned(), nobody)));
                continue;
            }
            let id = match known {
                Some(id) if !self.has(ClusterFault::ForgetsTags) => id,
                _ => self.store(&token, tag, message),
            };
            let Some(tag) = tag else { continue };
            if self.refusing > 0 {
                self.refusing -= 1;
                refused.insert(tag.to_owned(), json!({"CODE": "busy", "ERROR": "busy"}));
            } else {
                acks.insert(tag.to_owned(), json!(id));
            }
        }
        // A tag only matters where the answer is lost on the way.
        if self.has(ClusterFault::ForgetsTags) && self.count.is_multiple_of(ONE_IN) {
            let member = self.members.iter().find(|member| find(member));
            if let Some(outbox) = member.and_then(|member| member.outbox.as_ref()) {
                let _ = outbox.send(None);
            }
            return;
        }
        let mut answer = Map::new();
        if !acks.is_empty() {
            answer.insert("ACKS".to_owned(), Value::Object(acks));
        }
        if !refused.is_empty() {
            answer.insert("REFUSED".to_owned(), Value::Object(refused));
        }
        self.answer(connection, Value::Object(answer));
        if self.has(ClusterFault::SendsAway) && self.count.saturating_sub(self.sent_away) > AWAY {
            self.sent_away = self.count;
            self.send_away();
        }
    }

    /// All users of the first member's node are gone, as far as the others are told.
    fn send_away(&mut self) {
        let Some(node) = self.members.first().map(|member| member.node) else { return };
        let (away, stay) = std::mem::take(&mut self.members)
            .into_iter()
            .partition(|member: &Member| member.node == node && member.outbox.is_some());
        self.members = stay;
        for member in away {
            if let Some(outbox) = &member.outbox {
                let closed = json!({"ERROR": "go away", "CLOSED": {"CODE": "shutdown"}});
                let _ = outbox.send(Some(closed));
                let _ = outbox.send(None);
            }
            let name = self.name_of(&member).to_owned();
            self.tell_others(&member.token, &json!({"USERS_LEFT": [name]}));
        }
    }

    /// Tells one connection something.
    pub(super) fn answer(&self, connection: u64, value: Value) {
        let member = self.members.iter().find(|member| member.connection == connection);
        if let Some(outbox) = member.and_then(|member| member.outbox.as_ref()) {
            let _ = outbox.send(Some(value));
        }
    }

    fn store(&mut self, token: &str, tag: Option<&str>, message: [Value; 4]) -> u64 {
        self.last += 1 + self.count % 3 * 1_024;
        let entry = Entry { id: self.last, message };
        if let (Some(session), Some(tag)) = (self.sessions.get_mut(token), tag) {
            session.used.push_back((tag.to_owned(), self.last));
            if session.used.len() > TAGS {
                session.used.pop_front();
            }
        }
        if self.has(ClusterFault::Leaks) {
            self.leaked.push(vec![1; LEAK]);
        }
        if self.strikes(ClusterFault::LosesMessages) {
            return self.last;
        }
        self.tell(&entry);
        self.log.push(entry);
        let id = self.last;
        if self.strikes(ClusterFault::Invents)
            && let Some(mut entry) = self.log.last().cloned()
            && let Value::String(text) = &mut entry.message[3]
        {
            text.push_str(" indeed");
            self.last += 1;
            entry.id = self.last;
            self.tell(&entry);
            self.log.push(entry);
        }
        id
    }

    fn tell(&mut self, entry: &Entry) {
        let value = json!({"MESSAGES": [entry.message], "IDS": [entry.id]});
        let due: Vec<bool> = self
            .members
            .iter()
            .map(|member| {
                let session = self.sessions.get(&member.token);
                session.is_some_and(|session| self.visible(session, entry))
            })
            .collect();
        let is_private = due.iter().filter(|due| **due).count() < 2;
        let skips = self.strikes(ClusterFault::SkipsReceiver);
        let twice = self.strikes(ClusterFault::TellsTwice);
        let leaks =
            self.has(ClusterFault::LeaksPrivate) && is_private && self.count.is_multiple_of(5);
        let late = self.strikes(ClusterFault::Disorders);
        let base_twice = self.strikes(ClusterFault::TellsBaseTwice);
        let base_never = self.strikes(ClusterFault::HidesFromBase);
        let src = entry.src().to_owned();
        let mut special = true;
        for (n, due) in due.into_iter().enumerate() {
            let to_self = self.members.get(n).map(|member| self.name_of(member) == src);
            let Some(member) = self.members.get_mut(n) else { continue };
            let Some(outbox) = &member.outbox else { continue };
            if !due {
                if leaks && special && to_self == Some(false) {
                    special = false;
                    let _ = outbox.send(Some(value.clone()));
                }
                continue;
            }
            let first = std::mem::take(&mut special);
            if (first && skips) || (member.base && base_never) {
                continue;
            }
            if first && late && member.kept.is_none() {
                member.kept = Some(value.clone());
                continue;
            }
            let _ = outbox.send(Some(value.clone()));
            if let Some(kept) = member.kept.take() {
                let _ = outbox.send(Some(kept));
            }
            if (first && twice) || (member.base && base_twice) {
                let _ = outbox.send(Some(value.clone()));
            }
        }
    }

    /// A user joins a room.
    pub(super) fn enter(&mut self, connection: u64, call: &Value, room: &str) {
        let find = |member: &&Member| member.connection == connection;
        let Some(token) = self.members.iter().find(find).map(|m| m.token.clone()) else { return };
        if let Some(session) = self.sessions.get_mut(&token) {
            session.rooms.insert(room.to_owned());
        }
        let last = self.log.iter().rev().find(|entry| entry.dest() == room);
        let last = last.map_or(0, |entry| entry.id);
        let rooms = json!([{"ROOM": room, "LAST": last}]);
        let result = json!({"ID": call, "OK": true, "CODE": "ok"});
        self.answer(connection, json!({"ROOMS": rooms, "RESULT": result}));
    }

    /// A page of history behind an id.
    pub(super) fn page(&self, connection: u64, asked: &Value) {
        let find = |member: &&Member| member.connection == connection;
        let Some(member) = self.members.iter().find(find) else { return };
        let me = self.name_of(member);
        let with = asked.get("WITH").and_then(Value::as_str).unwrap_or_default();
        let after = asked.get("AFTER").and_then(Value::as_u64).unwrap_or_default();
        let limit = asked.get("LIMIT").and_then(Value::as_u64).unwrap_or(100);
        let limit = usize::try_from(limit).unwrap_or(100);
        let due = |entry: &&Entry| {
            let (src, dest) = (entry.src(), entry.dest());
            let told = if with == "ALL" || with.starts_with('#') {
                dest == with
            } else {
                (src == me && dest == with) || (src == with && dest == me)
            };
            let differs = self.has(ClusterFault::PagesDiffer) && member.node == 1;
            told && entry.id > after && !(differs && entry.id.is_multiple_of(ONE_IN))
        };
        let mut page: Vec<&Entry> = self.log.iter().filter(due).take(limit + 1).collect();
        let differs = self.has(ClusterFault::PagesDiffer) && self.alone;
        let told = |entry: &Entry| {
            let mut message = entry.message.clone();
            if differs
                && entry.dest() == me
                && let Value::String(text) = &mut message[3]
            {
                text.push_str(" or so");
            }
            message
        };
        let more = page.len() > limit;
        page.truncate(limit);
        self.answer(
            connection,
            json!({"HISTORY": {
                "WITH": with,
                "MESSAGES": page.iter().map(|entry| told(entry)).collect::<Vec<_>>(),
                "IDS": page.iter().map(|entry| entry.id).collect::<Vec<_>>(),
                "MORE": more,
            }}),
        );
    }
}
