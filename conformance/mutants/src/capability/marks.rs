//! `marks`: how far a user has read.

use std::collections::BTreeMap;

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use crate::{
    chat::{Chat, Member},
    entry::Entry,
    session::Session,
};

/// What is unread is counted up to this.
const MOST_UNREAD: usize = 100;

impl Session {
    /// Takes `READ`.
    pub(crate) async fn read_up_to(&mut self, value: &Value) -> bool {
        let f = self.shared.faults.clone();
        let with = value.get("WITH").and_then(Value::as_str);
        let (Some(with), Some(upto)) = (with, value.get("UPTO").and_then(Value::as_u64)) else {
            return f.acts(Fault::MarkUnchecked) || self.error("READ is WITH and UPTO").await;
        };
        let kept = self.shared.chat.lock().await.mark(self.connection, with, upto);
        if !kept && f.acts(Fault::MarkOfGuestRefused) {
            return self.error("you have no account").await;
        }
        true
    }
}

impl Chat {
    /// Notes how far somebody has read; false of who has no account.
    fn mark(&mut self, connection: u64, with: &str, upto: u64) -> bool {
        let f = self.faults.clone();
        let Some(member) = self.member(connection).cloned() else { return false };
        let Some(account) = member.account.clone() else { return false };
        let newest = self.between(&member, with).iter().map(|entry| entry.id).max();
        let unclear = newest.is_none() && f.acts(Fault::MarkOfNothing);
        let newest = if unclear { upto } else { newest.unwrap_or_default() };
        let upto = if f.acts(Fault::MarkUnclamped) { upto } else { upto.min(newest) };
        let known = self.marks.entry((account.clone(), with.to_owned())).or_default();
        if upto == 0 || (upto <= *known && !f.acts(Fault::MarkGoesBack)) {
            return true;
        }
        *known = upto;
        if f.acts(Fault::MarkUntold) {
            return true;
        }
        for other in &self.members {
            let own = other.account.as_deref() == Some(&*account);
            let itself = other.connection == connection && !f.acts(Fault::MarkToItself);
            let told = own || f.acts(Fault::MarkToEverybody);
            if other.agreed.has("marks") && told && !itself {
                other.outbox.send(&json!({"READ": {with: upto}}));
            }
        }
        true
    }

    /// The messages of a conversation of somebody.
    fn between(&self, member: &Member, with: &str) -> Vec<&Entry> {
        if with.starts_with('#') {
            let past = self.rooms.past_for(&member.party(), with);
            let past = past.filter(|_| !self.faults.acts(Fault::MarkRoomMissing));
            return past.into_iter().flatten().collect();
        }
        let own = member.name.as_str();
        let is_of = |entry: &&Entry| match with {
            "ALL" => entry.dest() == "ALL",
            with => {
                (entry.src() == with && entry.dest() == own)
                    || (entry.src() == own && entry.dest() == with)
            }
        };
        self.history.iter().filter(is_of).collect()
    }

    /// A message of a user's own was stored: they have read up to there.
    pub(crate) fn said_by(&mut self, connection: u64, dest: &str, id: u64) {
        let account = self.member(connection).filter(|member| member.agreed.has("marks"));
        let Some(account) = account.and_then(|member| member.account.clone()) else { return };
        if !self.faults.acts(Fault::MarkOfOwnMissing) {
            self.marks.insert((account, dest.to_owned()), id);
        }
    }

    /// The keys of the welcome about what is read.
    pub(crate) fn tell_marks(&self, member: &Member, welcome: &mut Map<String, Value>) {
        let f = &self.faults;
        let Some(account) = member.account.as_ref().filter(|_| member.agreed.has("marks")) else {
            return;
        };
        let own = member.name.as_str();
        let mut conversations = BTreeMap::from([("ALL".to_owned(), 0)]);
        for entry in &self.history {
            if entry.dest() == own {
                conversations.insert(entry.src().to_owned(), 0);
            } else if entry.src() == own && entry.dest() != "ALL" {
                conversations.insert(entry.dest().to_owned(), 0);
            }
        }
        if member.agreed.has("rooms") {
            for room in self.rooms.names_of(&member.party()) {
                conversations.insert(room, 0);
            }
        }
        let (mut read, mut unread) = (Map::new(), Map::new());
        for with in conversations.into_keys() {
            let mark = self.marks.get(&(account.clone(), with.clone())).copied().unwrap_or(0);
            let counted = |entry: &&Entry| entry.id > mark && entry.src() != own;
            let mut count = self.between(member, &with).into_iter().filter(counted).count();
            if !f.acts(Fault::UnreadUncapped) {
                count = count.min(MOST_UNREAD);
            }
            read.insert(with.clone(), json!(mark));
            unread.insert(with, json!(count));
        }
        welcome.insert("READ".into(), Value::Object(read));
        welcome.insert("UNREAD".into(), Value::Object(unread));
    }
}
