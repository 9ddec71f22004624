//! Delivers messages, and stores them in the history.

use conformance_kit::clock;
use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    chat::{Chat, Member},
    entry::Entry,
};

impl Chat {
    /// Makes a message a part of the history; one of five elements is passed on, and not kept.
    pub(super) fn store(&mut self, message: &[Value], tag: Option<&str>) -> Entry {
        self.last_id += 1;
        let parts = message.to_vec();
        let tag = tag.map(str::to_owned);
        let (meta, taken) = (self.meta.take(), clock::unix_seconds());
        let entry = Entry { id: self.last_id, parts, tag, taken, meta };
        if message.len() == 4 {
            self.history.push(entry.clone());
        }
        entry
    }

    /// Stores a message and passes it on to where `route` says; its id.
    pub(super) fn deliver(&mut self, message: &[Value], route: &str, tag: Option<&str>) -> u64 {
        let f = self.faults.clone();
        let mut message = message.to_vec();
        if let (Some(time), true) = (message.get_mut(2), f.acts(Fault::Restamps)) {
            *time = json!(clock::unix_seconds());
        }
        if let Some(Value::String(content)) = message.get_mut(3) {
            if let (Some((head, _)), true) = (content.split_once('}'), route != "ALL")
                && f.acts(Fault::PrivateTextCut)
            {
                *content = head.to_owned();
            }
            if content.trim().len() != content.len() && f.acts(Fault::ContentStripped) {
                *content = content.trim().to_owned();
            }
            let odd = content.contains(['"', '\\']) || !content.is_ascii();
            if odd && f.acts(Fault::EscapesKept) {
                *content = content.escape_default().to_string();
            }
        }
        let entry = self.store(&message, tag);
        let id = entry.id;
        let sender = message.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        if f.has(Fault::Reorders) && route == "ALL" {
            // Every second message waits until the next one has overtaken it.
            let _ = f.acts(Fault::Reorders);
            let text = message.get(3).and_then(Value::as_str).unwrap_or_default();
            // Cases count behind a space; the filling of the load tool ends so now and then.
            if text.ends_with(" 4") || text.ends_with("01234") {
                self.held_back = Some(entry);
                return id;
            }
            self.pass_on(&entry, &sender, route);
            if let Some(late) = self.held_back.take() {
                self.pass_on(&late, &sender, route);
            }
            return id;
        }
        if route == sender && f.acts(Fault::StuckAfterSelfTalk) {
            self.pass_on(&entry, &sender, route);
            self.mute = true;
            return id;
        }
        let twice = f.acts(Fault::DeliversTwice) || (route != "ALL" && f.acts(Fault::PrivateTwice));
        for _ in 0..if twice { 2 } else { 1 } {
            self.pass_on(&entry, &sender, route);
        }
        id
    }

    fn pass_on(&mut self, entry: &Entry, sender: &str, route: &str) {
        let f = self.faults.clone();
        if self.mute || self.haunted {
            return;
        }
        let text = entry.parts.get(3).and_then(Value::as_str).unwrap_or_default();
        let called = text.strip_prefix('@').and_then(|rest| rest.split(' ').next());
        let called = called.filter(|name| self.is_here(name) && f.acts(Fault::AtMakesPrivate));
        let route = called.unwrap_or(route);
        let public = route == "ALL" || f.acts(Fault::PrivateToAll);
        if !public && f.acts(Fault::PrivateLost) {
            return;
        }
        let last = self.members.len().saturating_sub(1);
        let utf8 = |member: &Member| member.name == sender && member.agreed.has("utf8");
        let by_utf8 = self.members.iter().any(utf8);
        let first = self.members.iter().find(|member| member.name == route);
        let first = first.map(|member| member.connection);
        for (n, member) in self.members.iter().enumerate() {
            let own = member.name == sender;
            let other = own && self.speaking.is_some_and(|by| by != member.connection);
            let due = if public {
                if own && !other { !f.acts(Fault::NoEcho) } else { !f.acts(Fault::EchoOnly) }
            } else {
                let copied = other && !f.acts(Fault::DeviceCopiesMissing);
                let reached = member.name == route
                    && (first == Some(member.connection) || !f.acts(Fault::DeviceFirstAlone));
                reached || copied || (own && f.acts(Fault::PrivateCopyToSender))
            };
            let skipped = public && n == last && !own && f.acts(Fault::BroadcastSkipsOne);
            self.deliveries += 1;
            let lost = self.deliveries.is_multiple_of(101) && f.acts(Fault::LosesUnderLoad);
            let hidden =
                (public && self.hides(member, sender)) || self.is_too_secret(member, entry);
            if due && !skipped && !lost && !hidden {
                let framed = self.framed(member, entry);
                if by_utf8 && f.acts(Fault::RawFromWhoAgreed) {
                    member.outbox.send_raw(&framed);
                } else {
                    member.outbox.send(&framed);
                }
            }
        }
        if public && f.acts(Fault::UnjoinedHear) {
            let object = json!({"MESSAGES": [self.spelled(&entry.parts)]});
            for (_, outbox) in &self.unjoined {
                outbox.send(&object);
            }
        }
    }
}
