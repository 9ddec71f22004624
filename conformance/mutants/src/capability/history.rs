//! `HISTORY`: pages of what was said.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use crate::{
    chat::{Chat, Member},
    entry::Entry,
    session::Session,
};

const MOST: u64 = (1 << 53) - 1;

/// The page that is asked for.
pub(super) struct Wanted {
    pub(super) with: String,
    before: Option<u64>,
    after: Option<u64>,
    limit: usize,
}

impl Session {
    pub(crate) async fn history(&mut self, asked: &Value) -> bool {
        let f = self.shared.faults.clone();
        let wanted = match (self.wanted(asked), &self.name) {
            (_, None) => return self.error("join first").await,
            (Err(_), Some(name)) if f.acts(Fault::HistoryUnchecked) => {
                Wanted { with: name.clone(), before: None, after: None, limit: 1 }
            }
            (Err(text), _) => return self.error(text).await,
            (Ok(wanted), _) => wanted,
        };
        if wanted.with.starts_with('#') && self.agreed.has("rooms") {
            return self.room_history(&wanted).await;
        }
        let chat = self.shared.chat.lock().await;
        let had = |entry: &Entry| entry.src() == wanted.with || entry.dest() == wanted.with;
        if !chat.history.iter().any(had) && f.acts(Fault::EmptyPageRefused) {
            drop(chat);
            return self.error("who is that?").await;
        }
        let Some(member) = chat.member(self.connection) else { return true };
        let page = chat.page(member, self.name.as_deref().unwrap_or_default(), &wanted);
        self.outbox.send(&json!({"HISTORY": page}));
        true
    }

    fn wanted(&self, asked: &Value) -> Result<Wanted, &'static str> {
        let f = &self.shared.faults;
        let with = asked.get("WITH").and_then(Value::as_str).ok_or("WITH whom?")?.to_owned();
        let id = |key: &str| match asked.get(key) {
            None => Ok(None),
            Some(value) => {
                let id = value.as_u64().filter(|id| (1..=MOST).contains(id));
                id.map(Some).ok_or("that is no id")
            }
        };
        // 0 is the place before the first message.
        let zero = asked.get("AFTER").and_then(Value::as_u64) == Some(0);
        let zero = zero && !f.acts(Fault::AfterZeroRefused);
        let (before, after) = (id("BEFORE")?, if zero { Some(0) } else { id("AFTER")? });
        if before.is_some() && after.is_some() {
            return Err("BEFORE or AFTER");
        }
        let limit = match asked.get("LIMIT") {
            None => Some(if f.acts(Fault::PagesOfFifty) { 50 } else { 100 }),
            Some(limit) => limit.as_u64().filter(|limit| (1..=500).contains(limit)),
        };
        let limit = match limit {
            Some(limit) => limit,
            None if f.acts(Fault::LimitUnchecked) => 100,
            None => return Err("LIMIT is 1 to 500"),
        };
        Ok(Wanted { with, before, after, limit: usize::try_from(limit).unwrap_or(100) })
    }
}

impl Chat {
    fn page(&self, member: &Member, own: &str, wanted: &Wanted) -> Value {
        let past = self.history.iter().filter(|entry| self.belongs(own, &wanted.with, entry));
        Value::Object(self.page_of(member, past.collect(), wanted))
    }

    /// The page that is asked for, out of all that its reader may see.
    pub(super) fn page_of(
        &self,
        member: &Member,
        mut past: Vec<&Entry>,
        wanted: &Wanted,
    ) -> Map<String, Value> {
        let f = &self.faults;
        past.retain(|entry| match (wanted.before, wanted.after) {
            (Some(id), _) => entry.id < id || (entry.id == id && f.acts(Fault::BeforeIncluded)),
            (_, Some(id)) => entry.id > id,
            _ => true,
        });
        let mut limit = wanted.limit;
        if limit > 100 && f.acts(Fault::PagesOfHundred) {
            limit = 100;
        }
        let mut more = past.len() > limit;
        let mut oldest = wanted.after.is_some();
        if oldest && f.acts(Fault::AfterGivesNewest) {
            oldest = false;
        }
        if !oldest && wanted.before.is_none() && f.acts(Fault::HistoryOldest) {
            oldest = true;
        }
        if oldest {
            past.truncate(limit);
        } else {
            past.drain(..past.len().saturating_sub(limit));
        }
        if f.acts(Fault::PageNewestFirst) {
            past.reverse();
        }
        more = (more || f.acts(Fault::AlwaysMore)) && !f.acts(Fault::NeverMore);
        let mut page = Map::new();
        if !f.acts(Fault::PageWithoutWith) {
            page.insert("WITH".into(), json!(wanted.with));
        }
        let messages: Vec<Value> = past.iter().map(|entry| self.spelled(&entry.parts)).collect();
        page.insert("MESSAGES".into(), json!(messages));
        if !f.acts(Fault::PageWithoutIds) {
            page.insert("IDS".into(), self.numbers(&past));
            page.insert("TIMES".into(), self.times(&past));
        }
        if let Some(meta) = self.past_meta_of(member, &past, false) {
            page.insert("META".into(), meta);
        }
        page.insert("MORE".into(), json!(more));
        page
    }

    fn belongs(&self, own: &str, with: &str, entry: &Entry) -> bool {
        let f = &self.faults;
        let (src, dest) = (entry.src(), entry.dest());
        if self.hides_past(own, entry) {
            return false;
        }
        if with == "ALL" {
            return dest == "ALL" || f.acts(Fault::PublicPageLeaksPrivate);
        }
        if dest == "ALL" {
            return false;
        }
        let (received, sent) = (src == with && dest == own, src == own && dest == with);
        received
            || (sent && !f.acts(Fault::PageOneDirection))
            || ((src == with || dest == with) && f.acts(Fault::PageLeaksPrivate))
    }
}
