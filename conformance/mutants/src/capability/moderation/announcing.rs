//! What is broadcast: a notice for who agreed on notices, a message of SERVER for all others.

use conformance_kit::clock;
use conformance_suite::fault::Fault;
use serde_json::json;

use super::{
    super::state::{Refusal, Reply},
    removing::of_server,
    words::{MISSING, Order},
};
use crate::{
    chat::{Chat, Member},
    entry::Entry,
};

impl Chat {
    /// `broadcast <room> <text...>` and `server-broadcast <text...>`
    pub(super) fn broadcast(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let f = self.faults.clone();
        let mut words: Vec<&str> = order.subject.into_iter().collect();
        words.extend(order.rest.iter().map(String::as_str));
        let text = words.join(" ");
        if text.is_empty() {
            return Err(MISSING);
        }
        let room = order.room.and_then(|number| self.rooms.get(number));
        let dest = room.map_or("ALL", |room| &room.name).to_owned();
        let due = |member: &&Member| {
            room.is_none_or(|room| member.agreed.has("rooms") && room.has(&member.party()))
        };
        let due: Vec<Member> = self.members.iter().filter(due).cloned().collect();
        let kept = f.acts(Fault::BroadcastWithId).then(|| {
            self.last_id += 1;
            let parts = json!(["SERVER", dest, clock::unix_seconds(), text]);
            let parts = parts.as_array().cloned().unwrap_or_default();
            let taken = clock::unix_seconds();
            let entry = Entry { id: self.last_id, parts, tag: None, taken, meta: None };
            self.history.push(entry.clone());
            entry
        });
        for member in due {
            let message = kept.as_ref().map(|entry| self.framed(&member, entry));
            let message = message.unwrap_or_else(|| of_server(&member, &dest, &text));
            if !member.agreed.has("notices") || f.acts(Fault::BroadcastToMessagesOnly) {
                member.outbox.send(&message);
                continue;
            }
            if f.acts(Fault::BroadcastBothWays) {
                member.outbox.send(&message);
            }
            let room = order.room.map(|_| dest.clone());
            let notice = json!({"CODE": "announcement", "BY": order.member.name, "ROOM": room,
                "INFO": text});
            member.outbox.send(&json!({"NOTICES": [notice]}));
        }
        Ok(Reply::done("told"))
    }
}
