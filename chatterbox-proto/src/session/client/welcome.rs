//! The welcome: the snapshot of users and history that a client gets when it joins, and when it joins again.

use super::event::{Event, Message};
use super::roster::Roster;
use super::session::ClientSession;
use crate::capability::accounts::Secret;
use crate::capability::ids::Id;
use crate::entry::Entry;
use crate::server_frame::ServerKeys;
use crate::text::WireText;

impl ClientSession {
    pub(super) fn welcomed(
        &mut self,
        info: Option<WireText<'static>>,
        users: Vec<WireText<'static>>,
        history: Vec<(Option<Id>, Entry<'static>)>,
        keys: &mut ServerKeys,
        events: &mut Vec<Event>,
    ) {
        self.resume = keys.resume.take().map(|token| Secret::new(token.as_wire()));
        self.meet(users);
        for (id, entry) in &history {
            if let Some(id) = id {
                self.seen.note(*id, entry);
            }
        }
        events.push(Event::Accepted {
            info,
            users: self.users().cloned().collect(),
            history: history.into_iter().map(|(id, entry)| Message::numbered(entry, id)).collect(),
            agreed: self.agreed,
            account: keys.account.take(),
        });
    }

    pub(super) fn welcomed_back(
        &mut self,
        users: Vec<WireText<'static>>,
        history: Vec<(Option<Id>, Entry<'static>)>,
        keys: &mut ServerKeys,
        events: &mut Vec<Event>,
    ) {
        if let Some(token) = keys.resume.take() {
            self.resume = Some(Secret::new(token.as_wire()));
        }
        let resumed = keys.resumed == Some(true);
        let whole = history.iter().map(|(id, entry)| (*id, entry));
        let from = if resumed { Some(0) } else { self.seen.continues(whole) };
        if from.is_none() {
            self.seen.forget();
        }
        let mut missed = Vec::new();
        for (id, entry) in history {
            let old = !resumed && id.zip(from).is_some_and(|(id, from)| id <= from);
            let news = id.is_none_or(|id| self.seen.note(id, &entry));
            if old || !news {
                continue;
            }
            if self.is_me(&entry.source) {
                self.sent.arrived(&entry);
                if self.sent.is_echo(&entry) {
                    continue;
                }
            }
            missed.push(Message::numbered(entry, id));
        }
        if !resumed {
            self.sent.forget_arrived();
        }
        events.push(Event::Rejoined {
            missed,
            complete: from.is_some(),
            agreed: self.agreed,
            account: keys.account.take(),
        });
        let before = std::mem::take(&mut self.roster);
        self.meet(users);
        let left = before.names().filter(|name| !self.roster.has(name)).cloned();
        events.extend(left.filter(|name| !self.is_me(name.as_wire())).map(Event::Left));
        let came = self.roster.names().filter(|name| !before.has(name)).cloned();
        events.extend(came.filter(|name| !self.is_me(name.as_wire())).map(Event::Joined));
    }

    fn meet(&mut self, users: Vec<WireText<'static>>) {
        self.roster = Roster::default();
        for user in users {
            self.roster.add(user);
        }
    }
}
