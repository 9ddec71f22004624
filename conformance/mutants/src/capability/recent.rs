//! `recent`: a welcome with the newest messages alone.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value};

use super::agreed::Agreed;
use crate::{
    chat::{Chat, Member},
    entry::Entry,
    session::Session,
};

/// The number in RECENT, if it is one.
fn read(value: &Value) -> Option<usize> {
    let number = value.as_u64().filter(|number| *number <= 1_000)?;
    usize::try_from(number).ok()
}

impl Session {
    /// How many of the newest messages are asked for.
    pub(crate) fn recent(&self, agreed: &Agreed, beside: &Map<String, Value>) -> Option<usize> {
        beside.get("RECENT").filter(|_| agreed.has("recent")).and_then(read)
    }

    /// Whether RECENT is none.
    pub(crate) fn odd_recent(&self, agreed: &Agreed, beside: &Map<String, Value>) -> bool {
        let asked = beside.get("RECENT").filter(|_| agreed.has("recent"));
        let odd = asked.is_some_and(|value| read(value).is_none());
        odd && !self.shared.faults.acts(Fault::RecentUnchecked)
    }
}

impl Chat {
    /// The newest of so many messages, and whether there are older ones, where somebody asked for that.
    pub(crate) fn newest<'a>(
        &self,
        mut past: Vec<&'a Entry>,
        member: &Member,
        recent: Option<usize>,
    ) -> (Vec<&'a Entry>, Option<bool>) {
        let f = &self.faults;
        let short = member.agreed.has("recent") && f.acts(Fault::RecentByDefault);
        let limit = if short { Some(1) } else { recent };
        let ignored = recent.is_some() && f.acts(Fault::RecentIgnored);
        let Some(limit) = limit.filter(|_| !ignored) else {
            return (past, recent.map(|_| false));
        };
        if limit == 0 && f.acts(Fault::RecentZeroIsAll) {
            return (past, Some(false));
        }
        let more = past.len() > limit && !f.acts(Fault::RecentNeverMore);
        if f.acts(Fault::RecentOldest) {
            past.truncate(limit);
        } else {
            let older: Vec<_> = past.drain(..past.len().saturating_sub(limit)).collect();
            // What a device has not read is never left out, nor what is private behind it.
            let owed = older.iter().position(|entry| self.is_unread(member, entry));
            let owed = owed.and_then(|first| older.get(first..)).unwrap_or_default();
            let private = owed.iter().copied().filter(|entry| entry.dest() != "ALL");
            past = private.chain(past).collect();
        }
        (past, recent.map(|_| more))
    }
}
