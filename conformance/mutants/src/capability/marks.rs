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
        let with = value.get("WITH").and_then(Value::as_str);
        let (Some(with), Some(upto)) = (with, value.get("UPTO").and_then(Value::as_u64)) else {
            return self.error("READ is WITH and UPTO").await;
        };
        self.shared.chat.lock().await.mark(self.connection, with, upto);
        true
    }
}

impl Chat {
    fn mark(&mut self, connection: u64, with: &str, upto: u64) {
        let f = self.faults.clone();
        let Some(member) = self.member(connection).cloned() else { return };
        let Some(account) = member.account.clone() else { return };
        let newest = self.between(&member, with).map(|entry| entry.id).max().unwrap_or_default();
        let upto = if f.acts(Fault::MarkUnclamped) { upto } else { upto.min(newest) };
        let known = self.marks.entry((account.clone(), with.to_owned())).or_default();
        if upto == 0 || (upto <= *known && !f.acts(Fault::MarkGoesBack)) {
            return;
        }
        *known = upto;
        if f.acts(Fault::MarkUntold) {
            return;
        }
        for other in &self.members {
            let own = other.account.as_deref() == Some(&*account);
            let itself = other.connection == connection && !f.acts(Fault::MarkToItself);
            let told = own || f.acts(Fault::MarkToEverybody);
            if other.agreed.has("marks") && told && !itself {
                other.outbox.send(&json!({"READ": {with: upto}}));
            }
        }
    }

    /// The messages of a conversation of somebody.
    fn between<'a>(&'a self, member: &'a Member, with: &'a str) -> impl Iterator<Item = &'a Entry> {
        let own = member.name.as_str();
        self.history.iter().filter(move |entry| match with {
            "ALL" => entry.dest() == "ALL",
            with => {
                (entry.src() == with && entry.dest() == own)
                    || (entry.src() == own && entry.dest() == with)
            }
        })
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
        let (mut read, mut unread) = (Map::new(), Map::new());
        for with in conversations.into_keys() {
            let mark = self.marks.get(&(account.clone(), with.clone())).copied().unwrap_or(0);
            let counted = |entry: &&Entry| entry.id > mark && entry.src() != own;
            let mut count = self.between(member, &with).filter(counted).count();
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
