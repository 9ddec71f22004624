//! The state of the chat behind one lock: presence and history.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    capability::{
        agreed::Agreed,
        filed::Files,
        flood::Flood,
        keys::Directory,
        moderation::Moderation,
        rooms::room::Rooms,
        state::{Accounts, Party, Presence, Resumption, Sitting, Standing},
    },
    entry::Entry,
    faults::Faults,
    outbox::Outbox,
};

/// The address of whom nobody is behind.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) connection: u64,
    pub(super) name: String,
    pub(super) outbox: Outbox,
    pub(super) agreed: Agreed,
    /// The token of the session.
    pub(super) token: String,
    /// The account that the user is logged in with.
    pub(super) account: Option<String>,
    /// The name before the last change.
    pub(super) once: Option<String>,
    /// Where the connection comes from.
    pub(super) address: IpAddr,
    /// Which device of its account it is.
    pub(super) device: Option<String>,
}

impl Member {
    /// Who is behind the connection, for whatever outlives it.
    pub(super) fn party(&self) -> Party {
        match &self.account {
            Some(name) => Party::Account(name.clone()),
            None => Party::Guest(self.token.clone()),
        }
    }
}

/// The login request of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Joining {
    pub(super) agreed: Agreed,
    /// It wants to go on with a session.
    pub(super) resumes: bool,
    /// That session, when it can.
    pub(super) resumption: Option<Resumption>,
    /// The result of authenticating it.
    pub(super) standing: Standing,
    /// How many of the newest messages it wants.
    pub(super) recent: Option<usize>,
    /// Where it comes from.
    pub(super) address: Option<IpAddr>,
    /// Which device of its account it says that it is.
    pub(super) device: Option<String>,
}

/// The members, their sessions and the history.
#[derive(Debug, Default)]
pub(super) struct Chat {
    pub(super) faults: Faults,
    pub(super) members: Vec<Member>,
    pub(super) sessions: BTreeMap<String, Sitting>,
    pub(super) accounts: Accounts,
    pub(super) rooms: Rooms,
    pub(super) moderation: Moderation,
    pub(super) flood: Flood,
    pub(super) presence: Presence,
    /// Block lists, as pairs of a user and the user whom it blocks.
    pub(super) blocks: BTreeSet<(String, String)>,
    /// The calls of commands that wait for an answer.
    pub(super) asking: BTreeSet<String>,
    /// How far accounts have read, by conversation.
    pub(super) marks: BTreeMap<(String, String), u64>,
    /// The public keys of accounts.
    pub(super) keys: Directory,
    /// The connection whose message is being passed on.
    pub(super) speaking: Option<u64>,
    pub(super) history: Vec<Entry>,
    pub(super) last_id: u64,
    pub(super) unjoined: Vec<(u64, Outbox)>,
    /// What goes with the message that is being taken.
    pub(super) meta: Option<Value>,
    pub(super) files: Files,
    pub(super) held_back: Option<Entry>,
    /// Nothing is delivered any more.
    pub(super) mute: bool,
    /// Somebody stands behind a user whom nobody is behind, and gets nothing for that.
    pub(super) haunted: bool,
    pub(super) deliveries: usize,
    gone: Vec<String>,
    leaves: usize,
}

impl Chat {
    pub(super) fn new(faults: Faults) -> Self {
        let mut chat = Self { faults, ..Self::default() };
        chat.hire();
        chat
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
    pub(super) fn join(&mut self, connection: u64, name: &str, outbox: &Outbox, asks: &Joining) {
        let f = self.faults.clone();
        let Joining { agreed, resumes, resumption, standing, recent, address, device } = asks;
        let rosters = self.rosters();
        self.unjoined.retain(|(other, _)| *other != connection);
        let replaced = resumption.as_ref().is_some_and(|resumption| self.replace(resumption));
        let is_device = agreed.has("devices") && self.is_here(name);
        let is_device = is_device && !f.acts(Fault::DevicesAnnounced);
        if !replaced && !is_device {
            self.announce_join(name, agreed);
        }
        let token = self.sit_down(name, resumption.as_ref(), standing);
        let member = Member {
            connection,
            name: name.to_owned(),
            outbox: outbox.clone(),
            agreed: agreed.clone(),
            token,
            account: standing.account().map(str::to_owned),
            once: None,
            address: address.unwrap_or(NOWHERE),
            device: device.clone(),
        };
        self.members.push(member.clone());
        self.has_come(&member);
        self.take_seats(&member, resumption.is_some());
        let mut welcome = self.welcome(&member, resumption.as_ref(), *recent);
        self.answer_offer(agreed, &mut welcome);
        self.tell_account(agreed, standing, &mut welcome);
        self.tell_session(&member, *resumes, resumption.is_some(), &mut welcome);
        self.tell_memberships(&member, resumption.as_ref(), &mut welcome);
        self.tell_who_is_here(&member, &mut welcome);
        self.tell_marks(&member, &mut welcome);
        if agreed.has("zstd") || (agreed.offered() && f.acts(Fault::ZstdUnasked)) {
            outbox.speak_zstd();
        }
        let odd = |entry: &Entry| entry.parts.get(3).and_then(Value::as_str) == Some("");
        if self.history.iter().any(odd) && f.acts(Fault::KeepsOddMessages) {
            outbox.send_unreadable();
        } else if !agreed.offered() && f.acts(Fault::SeparateFrames) {
            for (key, value) in welcome {
                outbox.send(&json!({key: value}));
            }
        } else {
            outbox.send(&Value::Object(welcome));
        }
        if agreed.has("utf8") {
            outbox.speak_utf8();
        }
        self.tell_rosters(&rosters, Some(connection));
        if f.acts(Fault::JoinedToSelf) {
            outbox.send(&json!({"USERS_JOINED": [name]}));
        }
        if f.acts(Fault::UnaskedExtension) {
            outbox.send(&json!({"X_WEATHER": "sunny"}));
        }
    }

    fn welcome(
        &self,
        member: &Member,
        resumption: Option<&Resumption>,
        recent: Option<usize>,
    ) -> serde_json::Map<String, Value> {
        let f = &self.faults;
        let mut welcome = serde_json::Map::new();
        let yes = if f.acts(Fault::AcceptedAsString) { json!("true") } else { json!(true) };
        welcome.insert("USERNAME_ACCEPTED".into(), yes);
        if !f.acts(Fault::NoInfo) {
            let info = if f.has(Fault::LengthInCharacters) { "Café, señor!" } else { "Welcome!" };
            welcome.insert("INFO".into(), json!(info));
        }
        if !f.acts(Fault::NoUserList) {
            welcome.insert("USER_LIST".into(), self.user_list(&member.name));
        }
        let empty = self.history.is_empty() && f.acts(Fault::NoMessagesWhenEmpty);
        if !empty && !f.acts(Fault::NoMessagesKey) {
            let (past, more) = match resumption {
                Some(resumption) => (self.missed(member, resumption), None),
                None => self.newest(self.past_of(member), member, recent),
            };
            let messages: Vec<Value> =
                past.iter().map(|entry| self.spelled(&entry.parts)).collect();
            welcome.insert("MESSAGES".into(), json!(messages));
            let numbered = member.agreed.has("ids") || f.acts(Fault::IdsToEverybody);
            if numbered && !f.acts(Fault::NoIdsInWelcome) {
                welcome.insert("IDS".into(), self.numbers(&past));
                welcome.insert("TIMES".into(), self.times(&past));
            }
            if let Some(meta) = self.past_meta_of(member, &past, resumption.is_some()) {
                welcome.insert("META".into(), meta);
            }
            if let Some(more) = more {
                welcome.insert("MORE".into(), json!(more));
            }
        }
        if f.acts(Fault::ExtraKey) {
            welcome.insert("X_SERVER".into(), json!("mutant"));
        }
        welcome
    }

    fn user_list(&self, own: &str) -> Value {
        let f = &self.faults;
        let mut names: Vec<&str> = Vec::new();
        for member in &self.members {
            let known = member.agreed.has("devices") && names.contains(&member.name.as_str());
            if !known || f.acts(Fault::DevicesListed) {
                names.push(&member.name);
            }
        }
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

    fn past_of(&self, member: &Member) -> Vec<&Entry> {
        let (f, own) = (&self.faults, member.name.as_str());
        let has_own = member.agreed.has("devices") && member.account.is_some();
        let has_own = has_own && !f.acts(Fault::DeviceWithoutOwnPrivate);
        let due = |entry: &&Entry| {
            let (src, dest) = (entry.src(), entry.dest());
            (dest == "ALL" && !self.hides_past(own, entry))
                || (dest == own && !f.acts(Fault::NoPrivateHistory))
                || (src == own && (has_own || f.acts(Fault::HistoryWithSentPrivate)))
                || (src != own && dest != own && f.acts(Fault::HistoryLeaksPrivate))
        };
        let mut past: Vec<_> = self.history.iter().filter(due).collect();
        past.retain(|entry| !self.is_too_secret(member, entry));
        if f.acts(Fault::NoHistory) {
            past.clear();
        }
        if f.acts(Fault::HistoryNewestFirst) {
            past.reverse();
        }
        if past.len() > 10 && f.acts(Fault::HistoryOfTen) {
            past.drain(..past.len() - 10);
        }
        if f.acts(Fault::HistoryDoubles) {
            past = past.repeat(2);
        }
        past
    }

    /// A message as this mutant writes it.
    pub(super) fn spelled(&self, entry: &[Value]) -> Value {
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

    pub(super) fn announce_join(&self, name: &str, agreed: &Agreed) {
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
            for member in &self.members {
                let hidden = agreed.offered() && !member.agreed.offered();
                if !(hidden && f.acts(Fault::ExtendedUsersHidden)) {
                    member.outbox.send(&notice);
                }
            }
        }
    }

    /// A name was refused.
    pub(super) fn refused(&mut self, name: &str, outbox: &Outbox) {
        if self.faults.acts(Fault::RefusedAnnounced) {
            self.announce_join(name, &Agreed::default());
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
        self.end_transfers(connection);
        let Some(at) = self.members.iter().position(|m| m.connection == connection) else { return };
        let rosters = self.rosters();
        let member = self.members.remove(at);
        let is_device = member.agreed.has("devices") && self.is_here(&member.name);
        if is_device && !self.faults.acts(Fault::DevicesLeave) {
            // Another device of the same user is here.
            return;
        }
        self.leave_seats(&member);
        self.has_gone(&member);
        self.tell_rosters(&rosters, None);
        let name = member.name;
        self.announce_left(&name);
        if self.faults.acts(Fault::HistoryDropsLeavers) {
            self.history.retain(|entry| entry.src() != name);
        }
        self.gone.push(name);
    }

    pub(super) fn announce_left(&mut self, name: &str) {
        let f = &self.faults;
        self.leaves += usize::from(self.members.len() > 3);
        let busy = self.members.len() > 3 && self.leaves.is_multiple_of(3);
        if f.acts(Fault::NoLeftNotice) || (busy && f.acts(Fault::LosesLeavesUnderLoad)) {
            return;
        }
        let last = self.members.last().map(|member| member.name.clone());
        let name = match &last {
            Some(last) if f.acts(Fault::LeftNamesLast) => last,
            _ => name,
        };
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

    /// A user whom nobody is behind: stands first in the list, and never leaves.
    pub(super) fn haunt(&mut self, name: &str) {
        let ghost = Member {
            connection: u64::MAX,
            name: name.to_owned(),
            outbox: Outbox::nowhere(self.faults.clone()),
            agreed: Agreed::default(),
            token: String::new(),
            account: None,
            once: None,
            address: NOWHERE,
            device: None,
        };
        self.members.insert(0, ghost);
    }

    pub(super) fn kick_all(&self) {
        for member in &self.members {
            member.outbox.close();
        }
    }

    /// Tells the user who joined last of an error that somebody made.
    pub(super) fn error_to_last(&self, text: &str) {
        if let Some(member) = self.members.last() {
            member.outbox.error(text);
        }
    }

    /// Tells everybody of an error that one of them made.
    pub(super) fn error_to_all(&self, text: &str) {
        for member in &self.members {
            member.outbox.error(text);
        }
    }

    /// Another agreement than the one of the joining.
    pub(super) fn agree(&mut self, connection: u64, agreed: &Agreed) {
        for member in self.members.iter_mut().filter(|member| member.connection == connection) {
            member.agreed = agreed.clone();
        }
    }

    /// The member behind a connection.
    pub(super) fn member(&self, connection: u64) -> Option<&Member> {
        self.members.iter().find(|member| member.connection == connection)
    }

    pub(super) fn is_here(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// The most frames that wait for one connection.
    pub(super) fn longest_queue(&self) -> usize {
        self.members.iter().map(|member| member.outbox.waiting()).max().unwrap_or_default()
    }
}
