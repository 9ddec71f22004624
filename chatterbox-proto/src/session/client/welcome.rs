//! The welcome: the snapshot of users and history that a client gets when it joins, and when it joins again.

use super::changes::Changes;
use super::event::Event;
use super::numbered::Numbered;
use super::roster::Roster;
use super::session::ClientSession;
use super::unfolding::Part;
use crate::capability::accounts::Secret;
use crate::capability::ids::Id;
use crate::entry::Entry;
use crate::server_frame::{Names, ServerKeys};
use crate::text::WireText;

impl ClientSession {
    pub(super) fn welcomed(
        &mut self,
        info: Option<WireText<'static>>,
        users: Names,
        history: Numbered,
        keys: &mut ServerKeys,
    ) {
        self.resume = keys.resume.take().map(|token| Secret::new(token.as_wire()));
        self.meet(users);
        self.frame.event(Event::Accepted {
            info,
            history: history.len(),
            agreed: self.agreed,
            account: keys.account.take(),
        });
        self.frame.push(Part::History(history));
        self.frame.event(Event::Welcomed);
    }

    pub(super) fn welcomed_back(&mut self, users: Names, history: Numbered, keys: &mut ServerKeys) {
        if let Some(token) = keys.resume.take() {
            self.resume = Some(Secret::new(token.as_wire()));
        }
        let resumed = keys.resumed == Some(true);
        let from = if resumed { Some(0) } else { self.continues(&history) };
        if from.is_none() {
            self.seen.forget();
        }
        let mut missed = Vec::new();
        history.look(|id, entry| {
            let old = !resumed && id.zip(from).is_some_and(|(id, from)| id <= from);
            missed.push(self.is_news(id, entry) && !old);
        });
        if !resumed {
            self.sent.forget_arrived();
        }
        self.frame.event(Event::Rejoined {
            missed: missed.iter().filter(|missed| **missed).count(),
            complete: from.is_some(),
            agreed: self.agreed,
            account: keys.account.take(),
        });
        self.frame.push(Part::Missed(history, missed.into_iter()));
        let before = std::mem::take(&mut self.roster);
        self.meet(users);
        self.frame
            .push(Part::Changes(Changes::between(&before, &self.roster, |name| self.is_me(name))));
    }

    /// The id after which the messages of a history are new, if the history contains a message that was seen.
    fn continues(&self, history: &Numbered) -> Option<Id> {
        let mut known = self.seen.is_empty();
        if !known {
            history.look(|id, entry| known |= id.is_some_and(|id| self.seen.has(id, entry)));
        }
        known.then(|| self.seen.last())
    }

    /// Whether the user is to be told of a message. It is noted as seen, and as the echo of one that was sent.
    pub(super) fn is_news(&mut self, id: Option<Id>, entry: &Entry<'_>) -> bool {
        if id.is_some_and(|id| !self.seen.note(id, entry)) {
            return false;
        }
        if self.is_me(&entry.source) {
            self.sent.arrived(entry);
            return !self.sent.is_echo(entry);
        }
        true
    }

    fn meet(&mut self, mut users: Names) {
        let mut roster = Roster::default();
        while users.next_with(|user| roster.add(user.as_wire())).is_some() {}
        self.roster = roster;
    }
}
