//! `presence`: since when users are here, whether they are away, and everybody who was ever here.
#![allow(clippy::disallowed_methods, reason = "the telling of changes waits in a task of its own")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use conformance_kit::clock::{Clock, unix_seconds};
use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};
use tokio::{sync::Mutex, time::sleep};

use super::state::{Call, Refusal, Reply};
use crate::{
    chat::{Chat, Member},
    session::Session,
};

/// Changes are told at most so often.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest text of who is away, in characters.
const LONGEST_AWAY: usize = 200;
/// How many users are on one page of the list of everybody.
const PAGE: usize = 1_000;
const HOUR: i64 = 3_600;

const HIDING: Refusal = Refusal::new("bad-arguments", "on or off");

/// The commands: a name, an argument, and the level that it needs.
const COMMANDS: [(&str, &str, u8); 4] =
    [("away", "text", 0), ("back", "", 0), ("users", "option", 0), ("hide-last-seen", "on", 1)];

impl Session {
    /// Does a command about presence; `None` when it is none.
    pub(super) async fn presence_command(&self, name: &str, call: &Call) -> Option<Reply> {
        let mut chat = self.shared.chat.lock().await;
        let member = chat.member(self.connection)?.clone();
        let reply = match name {
            "away" => chat.go_away(self.connection, &call.arguments.join(" ")),
            "back" => {
                chat.end_away(self.connection);
                Reply::done("you are back")
            }
            "users" => chat.list_users(call.at(0) == Some("--all"), call.at(1)),
            "hide-last-seen" => chat.hide_last_seen(&member, call.at(0)),
            _ => return None,
        };
        drop(chat);
        self.tell_changes().await;
        Some(reply)
    }

    /// A message ends being away.
    pub(crate) async fn has_said(&self) {
        let mut chat = self.shared.chat.lock().await;
        let away = chat.presence.away.contains_key(&self.connection);
        if !away || chat.faults.acts(Fault::PresenceMessageUnheeded) {
            return;
        }
        chat.end_away(self.connection);
        drop(chat);
        self.tell_changes().await;
    }

    /// Tells what has changed, at once or when it may be told again.
    async fn tell_changes(&self) {
        let mut chat = self.shared.chat.lock().await;
        if chat.presence.changed.is_empty() || chat.presence.waiting {
            return;
        }
        let last = chat.presence.told.map(|told| told.elapsed());
        let left = last.and_then(|last| PAUSE.checked_sub(last)).unwrap_or_default();
        if left.is_zero() || chat.faults.acts(Fault::PresenceAtOnce) {
            chat.tell_presence();
            return;
        }
        chat.presence.waiting = true;
        tokio::spawn(tell_later(Arc::clone(&self.shared.chat), left));
    }
}

async fn tell_later(chat: Arc<Mutex<Chat>>, left: Duration) {
    sleep(left).await;
    let mut chat = chat.lock().await;
    chat.presence.waiting = false;
    chat.tell_presence();
}

impl Chat {
    fn go_away(&mut self, connection: u64, text: &str) -> Reply {
        if text.chars().count() > LONGEST_AWAY && !self.faults.acts(Fault::PresenceTextUnbounded) {
            return Refusal::new("too-long", "200 characters at most").into();
        }
        self.presence.away.insert(connection, text.to_owned());
        if !self.faults.acts(Fault::PresenceAwayUntold) {
            self.presence.changed.insert(connection);
        }
        Reply::done("you are away")
    }

    fn end_away(&mut self, connection: u64) {
        let was = self.presence.away.remove(&connection).is_some();
        if was && !self.faults.acts(Fault::PresenceBackUntold) {
            self.presence.changed.insert(connection);
        }
    }

    fn tell_presence(&mut self) {
        let changed = std::mem::take(&mut self.presence.changed);
        let is = |member: &&Member| changed.contains(&member.connection);
        let users: Map<String, Value> = self
            .members
            .iter()
            .filter(is)
            .map(|member| (member.name.clone(), self.presence_of(member)))
            .collect();
        self.presence.told = Some(Clock::start());
        if users.is_empty() {
            return;
        }
        let object = json!({"PRESENCE": users});
        for member in &self.members {
            if member.agreed.has("presence") || self.faults.acts(Fault::PresenceToEverybody) {
                member.outbox.send(&object);
            }
        }
    }

    fn presence_of(&self, member: &Member) -> Value {
        let since = self.presence.since.get(&member.connection);
        let since = since.filter(|_| !self.faults.acts(Fault::PresenceWithoutSince));
        json!({"SINCE": since, "AWAY": self.presence.away.get(&member.connection)})
    }

    /// Somebody is here from now on.
    pub(crate) fn has_come(&mut self, member: &Member) {
        self.presence.since.insert(member.connection, unix_seconds());
        self.presence.seen.remove(&member.name);
        if let Some(account) = &member.account {
            self.accounts.waiting.remove(account);
        }
    }

    /// Somebody is not here any more.
    pub(crate) fn has_gone(&mut self, member: &Member) {
        self.presence.since.remove(&member.connection);
        self.presence.away.remove(&member.connection);
        let name = member.account.as_ref().unwrap_or(&member.name);
        if !self.faults.acts(Fault::LastSeenForgotten) {
            self.presence.seen.insert(name.clone(), unix_seconds());
        }
    }

    /// The key of the welcome.
    pub(crate) fn tell_who_is_here(&self, member: &Member, welcome: &mut Map<String, Value>) {
        let f = &self.faults;
        if !member.agreed.has("presence") || f.acts(Fault::PresenceNotInWelcome) {
            return;
        }
        let listed =
            |other: &&Member| other.agreed.has("presence") || !f.acts(Fault::PresenceIncomplete);
        let of = |other: &Member| {
            let mut state = self.presence_of(other);
            if let Some(state) = state.as_object_mut()
                && f.acts(Fault::PresenceAwayForgotten)
            {
                state.insert("AWAY".into(), Value::Null);
            }
            (other.name.clone(), state)
        };
        let users: Map<String, Value> = self.members.iter().filter(listed).map(of).collect();
        welcome.insert("PRESENCE".into(), Value::Object(users));
    }

    /// `users`, and `users --all [after]`
    fn list_users(&self, all: bool, after: Option<&str>) -> Reply {
        let mut rows: BTreeMap<&str, (bool, Option<i64>)> = BTreeMap::new();
        if all {
            let seen = &self.presence.seen;
            rows.extend(
                seen.iter()
                    .map(|(name, since)| (name.as_str(), (false, self.last_seen(name, *since)))),
            );
        }
        for member in &self.members {
            let since = self.presence.since.get(&member.connection).copied();
            rows.insert(&member.name, (true, since));
        }
        rows.retain(|name, _| after.is_none_or(|after| *name > after));
        let more = rows.len() > PAGE;
        let rows: Vec<Value> = rows
            .into_iter()
            .take(PAGE)
            .map(|(name, (online, since))| json!([name, online, since]))
            .collect();
        let table = json!({"COLUMNS": ["NAME", "ONLINE", "SINCE"], "ROWS": rows, "MORE": more});
        Reply::done("here").with(table)
    }

    fn last_seen(&self, name: &str, since: i64) -> Option<i64> {
        if self.presence.hidden.contains(name) && !self.faults.acts(Fault::LastSeenShown) {
            return None;
        }
        Some(if self.faults.acts(Fault::LastSeenExact) { since } else { since - since % HOUR })
    }

    fn hide_last_seen(&mut self, member: &Member, asked: Option<&str>) -> Reply {
        let Some(account) = &member.account else {
            return Refusal::new("forbidden", "you have no account").into();
        };
        match asked {
            Some("on") => _ = self.presence.hidden.insert(account.clone()),
            Some("off") => _ = self.presence.hidden.remove(account),
            _ => return HIDING.into(),
        }
        Reply::done("as you wish")
    }
}

/// The entries of the catalogue.
pub(super) fn catalogue(level: u8) -> impl Iterator<Item = Value> {
    COMMANDS.into_iter().filter(move |command| command.2 <= level).map(|(name, argument, level)| {
        let rest = name == "away";
        let arguments = match argument {
            "" => json!([]),
            _ => json!([{"NAME": argument, "TYPE": "text", "OPTIONAL": level == 0, "REST": rest}]),
        };
        json!({"NAME": name, "ALIASES": [], "ARGUMENTS": arguments, "HELP": name,
            "EXAMPLE": format!("/{name}"), "LEVEL": level})
    })
}
