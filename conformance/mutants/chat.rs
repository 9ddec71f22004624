//! Who is here and what was said: the state behind one lock.

use serde_json::{Value, json};

use super::{
    fault::{Fault, Faults},
    outbox::Outbox,
};
use crate::clock;

/// One joined connection.
#[derive(Debug)]
struct Member {
    connection: u64,
    name: String,
    outbox: Outbox,
}

/// Who is here and what was said.
#[derive(Debug, Default)]
pub(super) struct Chat {
    faults: Faults,
    members: Vec<Member>,
    gone: Vec<String>,
    history: Vec<[Value; 4]>,
    unjoined: Vec<(u64, Outbox)>,
    held_back: Option<Value>,
    deliveries: usize,
    leaves: usize,
}

impl Chat {
    pub(super) fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    pub(super) fn connected(&mut self, connection: u64, outbox: Outbox) {
        self.unjoined.push((connection, outbox));
    }

    /// Whether a name is in use.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        let f = &self.faults;
        let same = |other: &str| {
            if other != name
                && other.eq_ignore_ascii_case(name)
                && f.acts(Fault::CaseSensitiveNames)
            {
                return false;
            }
            other.eq_ignore_ascii_case(name)
        };
        self.members.iter().any(|member| same(&member.name))
            || (self.gone.iter().any(|name| same(name)) && f.acts(Fault::NameNeverFreed))
    }

    /// Lets a connection in: welcome for it, notice for the others.
    pub(super) fn join(&mut self, connection: u64, name: &str, outbox: &Outbox) {
        let f = self.faults.clone();
        self.unjoined.retain(|(other, _)| *other != connection);
        self.announce_join(name);
        self.members.push(Member { connection, name: name.to_owned(), outbox: outbox.clone() });
        let mut welcome = self.welcome(name);
        if f.acts(Fault::SeparateFrames) {
            // A key of an extension alone would be more than a choice.
            let extra = welcome.remove("X_SERVER");
            for (key, value) in welcome {
                outbox.send(&json!({key: value, "X_SERVER": extra}));
            }
        } else {
            outbox.send(&Value::Object(welcome));
        }
        if f.acts(Fault::JoinedToSelf) {
            outbox.send(&json!({"USERS_JOINED": [name]}));
        }
        if f.acts(Fault::UnaskedExtension) {
            outbox.send(&json!({"X_WEATHER": "sunny"}));
        }
    }

    fn welcome(&self, name: &str) -> serde_json::Map<String, Value> {
        let f = &self.faults;
        let mut welcome = serde_json::Map::new();
        let yes = if f.acts(Fault::AcceptedAsString) { json!("true") } else { json!(true) };
        welcome.insert("USERNAME_ACCEPTED".into(), yes);
        if !f.acts(Fault::NoInfo) {
            let info = if f.has(Fault::LengthInCharacters) { "Café, señor!" } else { "Welcome!" };
            welcome.insert("INFO".into(), json!(info));
        }
        if !f.acts(Fault::NoUserList) {
            welcome.insert("USER_LIST".into(), self.user_list(name));
        }
        if !f.acts(Fault::NoMessagesKey) {
            welcome.insert("MESSAGES".into(), self.history_for(name));
        }
        if f.acts(Fault::ExtraKey) {
            welcome.insert("X_SERVER".into(), json!("mutant"));
        }
        welcome
    }

    fn user_list(&self, own: &str) -> Value {
        let f = &self.faults;
        let mut names: Vec<&str> = self.members.iter().map(|m| m.name.as_str()).collect();
        if f.acts(Fault::UserListEmpty) {
            names.clear();
        }
        if f.acts(Fault::ListWithoutSelf) {
            names.retain(|name| *name != own);
        }
        if f.has(Fault::LeaversStayListed) && !self.gone.is_empty() {
            let _ = f.acts(Fault::LeaversStayListed);
            names.extend(self.gone.iter().map(String::as_str));
        }
        if f.acts(Fault::ListDoubles) {
            names = names.repeat(2);
        }
        if f.acts(Fault::UserListObjects) {
            return names.iter().map(|name| json!({"username": name})).collect();
        }
        json!(names)
    }

    fn history_for(&self, own: &str) -> Value {
        let f = &self.faults;
        let due = |entry: &&[Value; 4]| {
            let [src, dest, ..] = entry;
            dest == "ALL"
                || (dest == own && !f.acts(Fault::NoPrivateHistory))
                || (src == own && f.acts(Fault::HistoryWithSentPrivate))
                || (src != own && dest != own && f.acts(Fault::HistoryLeaksPrivate))
        };
        let mut past: Vec<_> = self.history.iter().filter(due).collect();
        if f.acts(Fault::NoHistory) {
            past.clear();
        }
        if f.acts(Fault::HistoryNewestFirst) {
            past.reverse();
        }
        if f.acts(Fault::HistoryDoubles) {
            past = past.repeat(2);
        }
        past.iter().map(|entry| self.spelled(entry.as_slice())).collect()
    }

    /// A message as this mutant writes it.
    fn spelled(&self, entry: &[Value]) -> Value {
        let mut message = entry.to_vec();
        if let Some(time) = message.get_mut(2)
            && self.faults.acts(Fault::TimestampFloat)
        {
            *time = json!(time.as_f64().unwrap_or_default() + 0.5);
        }
        if self.faults.acts(Fault::FiveElements) {
            message.push(json!("extra"));
        }
        Value::Array(message)
    }

    fn announce_join(&self, name: &str) {
        let f = &self.faults;
        if f.acts(Fault::NoJoinedNotice) {
            return;
        }
        let notice = if f.acts(Fault::JoinsToldByInfo) {
            json!({"INFO": format!("{name} has joined")})
        } else if f.acts(Fault::JoinedBareString) {
            json!({"USERS_JOINED": name})
        } else {
            json!({"USERS_JOINED": [name]})
        };
        for _ in 0..if f.acts(Fault::JoinedTwice) { 2 } else { 1 } {
            self.to_all(&notice);
        }
    }

    /// A name was refused.
    pub(super) fn refused(&mut self, name: &str, outbox: &Outbox) {
        if self.faults.acts(Fault::RefusedAnnounced) {
            self.announce_join(name);
        }
        if self.faults.has(Fault::DuplicateStealsRoute) {
            for member in self.members.iter_mut().filter(|member| member.name == name) {
                let _ = self.faults.acts(Fault::DuplicateStealsRoute);
                member.outbox = outbox.clone();
            }
        }
    }

    /// A connection has ended.
    pub(super) fn leave(&mut self, connection: u64) {
        self.unjoined.retain(|(other, _)| *other != connection);
        let Some(at) = self.members.iter().position(|m| m.connection == connection) else { return };
        let name = self.members.remove(at).name;
        self.announce_left(&name);
        if self.faults.acts(Fault::HistoryDropsLeavers) {
            self.history.retain(|entry| entry.first() != Some(&json!(name)));
        }
        self.gone.push(name);
    }

    pub(super) fn announce_left(&mut self, name: &str) {
        let f = &self.faults;
        self.leaves += 1;
        if f.acts(Fault::NoLeftNotice)
            || (self.leaves.is_multiple_of(7) && f.acts(Fault::LosesLeavesUnderLoad))
        {
            return;
        }
        let notice = if f.acts(Fault::LeftBareString) {
            json!({"USERS_LEFT": name})
        } else {
            json!({"USERS_LEFT": [name]})
        };
        // Whoever is behind the leaver in the list, when there is more than one.
        let skipped = self.members.len().checked_sub(1);
        let skipped = skipped.filter(|last| *last > 0 && f.acts(Fault::LeftSkipsOne));
        for (n, member) in self.members.iter().enumerate() {
            if Some(n) != skipped {
                member.outbox.send(&notice);
            }
        }
    }

    pub(super) fn to_all(&self, object: &Value) {
        for member in &self.members {
            member.outbox.send(object);
        }
    }

    pub(super) fn kick_all(&self) {
        for member in &self.members {
            member.outbox.close();
        }
    }

    /// Tells everybody of an error that one of them made.
    pub(super) fn error_to_all(&self, text: &str) {
        for member in &self.members {
            member.outbox.error(text);
        }
    }

    pub(super) fn is_here(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// The most frames that wait for one connection.
    pub(super) fn longest_queue(&self) -> usize {
        self.members.iter().map(|member| member.outbox.waiting()).max().unwrap_or_default()
    }

    pub(super) fn store(&mut self, message: &[Value]) {
        if let [src, dest, time, content] = message {
            self.history.push([src.clone(), dest.clone(), time.clone(), content.clone()]);
        }
    }

    /// Stores a message and passes it on to where `route` says.
    pub(super) fn deliver(&mut self, message: &[Value], route: &str) {
        let f = self.faults.clone();
        let mut message = message.to_vec();
        if let (Some(time), true) = (message.get_mut(2), f.acts(Fault::Restamps)) {
            *time = json!(clock::unix_seconds());
        }
        if let Some(Value::String(content)) = message.get_mut(3) {
            if content.trim().len() != content.len() && f.acts(Fault::ContentStripped) {
                *content = content.trim().to_owned();
            }
            let odd = content.contains(['"', '\\']) || !content.is_ascii();
            if odd && f.acts(Fault::EscapesKept) {
                *content = content.escape_default().to_string();
            }
        }
        self.store(&message);
        let object = json!({"MESSAGES": [self.spelled(&message)]});
        let sender = message.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        if f.has(Fault::Reorders) && route == "ALL" {
            // Every second message waits until the next one has overtaken it.
            let _ = f.acts(Fault::Reorders);
            let text = message.get(3).and_then(Value::as_str).unwrap_or_default();
            if text.ends_with(" 4") {
                self.held_back = Some(object);
                return;
            }
            self.pass_on(&object, &sender, route);
            if let Some(late) = self.held_back.take() {
                self.pass_on(&late, &sender, route);
            }
            return;
        }
        let twice = f.acts(Fault::DeliversTwice) || (route != "ALL" && f.acts(Fault::PrivateTwice));
        for _ in 0..if twice { 2 } else { 1 } {
            self.pass_on(&object, &sender, route);
        }
    }

    fn pass_on(&mut self, object: &Value, sender: &str, route: &str) {
        let f = self.faults.clone();
        let public = route == "ALL" || f.acts(Fault::PrivateToAll);
        if !public && f.acts(Fault::PrivateLost) {
            return;
        }
        let last = self.members.len().saturating_sub(1);
        for (n, member) in self.members.iter().enumerate() {
            let own = member.name == sender;
            let due = if public {
                if own { !f.acts(Fault::NoEcho) } else { !f.acts(Fault::EchoOnly) }
            } else {
                member.name == route || (own && f.acts(Fault::PrivateCopyToSender))
            };
            let skipped = public && n == last && !own && f.acts(Fault::BroadcastSkipsOne);
            self.deliveries += 1;
            let lost = self.deliveries.is_multiple_of(101) && f.acts(Fault::LosesUnderLoad);
            if due && !skipped && !lost {
                member.outbox.send(object);
            }
        }
        if public && f.acts(Fault::UnjoinedHear) {
            for (_, outbox) in &self.unjoined {
                outbox.send(object);
            }
        }
    }
}
