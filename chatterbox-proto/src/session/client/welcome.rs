//! The welcome: the snapshot of users and history that a client gets when it joins, and when it joins again.

use super::changes::Changes;
use super::event::{Event, Message};
use super::numbered::{Numbered, Stamp};
use super::room::{Room, Rooms};
use super::roster::Roster;
use super::sent;
use super::session::ClientSession;
use super::unfolding::Part;
use crate::capability::Capability;
use crate::capability::accounts::Secret;
use crate::capability::ids::Id;
use crate::capability::rooms::RoomLeft;
use crate::entry::Entry;
use crate::server_frame::{Names, ServerKeys};
use crate::text::WireText;

/// Whether the user does not know a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Is,
    IsNot,
    /// It is one in flight of this device, or another device of the user has said the same.
    Open,
}

impl ClientSession {
    pub(super) fn welcomed(
        &mut self,
        info: Option<WireText<'static>>,
        users: Names,
        history: Numbered,
        keys: &mut ServerKeys,
    ) {
        self.resume = keys.resume.take().map(|token| Secret::new(token.as_wire()));
        self.meet(users, keys);
        self.enter(keys);
        self.frame.event(Event::Accepted {
            info,
            history: history.len(),
            agreed: self.agreed,
            account: keys.account.take(),
            server: keys.server.take(),
            more: keys.more.unwrap_or_default(),
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
        let known = self.seen.last();
        if from.is_none() {
            self.seen.forget();
            self.sent.forget_numbers();
        }
        // No key that the server has forgotten is acknowledged: it is said now which device these are of.
        let held = if resumed { Vec::new() } else { self.sent.release_all() };
        let mut missed = Vec::new();
        history.look(|stamp, entry| {
            let old = !resumed && stamp.id.zip(from).is_some_and(|(id, from)| id <= from);
            let is_news = match self.judge(stamp.id, entry) {
                News::Is => true,
                News::IsNot => false,
                News::Open if resumed => {
                    let message = Message::stamped(entry.clone().into_owned(), stamp.clone());
                    self.sent.hold(message).is_some()
                }
                News::Open => {
                    let Entry { destination, content, timestamp, .. } = entry;
                    !self.sent.arrived_at(destination, content, *timestamp)
                }
            };
            missed.push(is_news && !old);
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
        let before = self.enter(keys);
        let gap = |room: &&Room| {
            // The welcome of a session that was not resumed has nothing of rooms (RH-5).
            let unsent = from.is_some() && before.has(room.number) && room.last > known;
            if resumed { room.gap } else { unsent }
        };
        for room in self.rooms.iter().filter(|room| !before.has(room.number)) {
            self.frame.event(Event::RoomJoined(room.name.clone()));
        }
        for room in self.rooms.iter().filter(gap) {
            self.frame.event(Event::Gap { room: room.name.clone(), after: known });
        }
        for message in held {
            self.frame.event(Event::Message(message));
        }
        self.frame.push(Part::Missed(history, missed.into_iter()));
        self.frame.push(Part::RoomsLeft(self.lost(&before, keys).into_iter()));
        let before = std::mem::take(&mut self.roster);
        self.meet(users, keys);
        self.frame
            .push(Part::Changes(Changes::between(&before, &self.roster, |name| self.is_me(name))));
    }

    /// The id after which the messages of a history are new, if the history contains a message that was seen.
    fn continues(&self, history: &Numbered) -> Option<Id> {
        let mut known = self.seen.is_empty();
        if !known {
            history.look(|stamp, entry| {
                known |= stamp.id.is_some_and(|id| self.seen.has(id, entry));
            });
        }
        known.then(|| self.seen.last())
    }

    /// Whether the user is to be told of a message; those that are open are kept until it is known.
    pub(super) fn is_news(&mut self, stamp: &Stamp, entry: &Entry<'_>) -> bool {
        match self.judge(stamp.id, entry) {
            News::Is => true,
            News::IsNot => false,
            News::Open => {
                let message = Message::stamped(entry.clone().into_owned(), stamp.clone());
                self.sent.hold(message).is_some()
            }
        }
    }

    /// Notes a message as seen, and as the echo of one that was sent. With `devices` the text says nothing of who has sent it:
    /// the user's other devices say the same words, and no echo of a private message comes to the device that has said it. The
    /// number in its acknowledgement does.
    fn judge(&mut self, id: Option<Id>, entry: &Entry<'_>) -> News {
        if id.is_some_and(|id| !self.seen.note(id, entry)) {
            return News::IsNot;
        }
        // Also one that was said under a name which the user had before.
        if id.is_some_and(|id| self.sent.is_stored(id)) {
            return News::IsNot;
        }
        if !self.is_me(&entry.source) {
            return News::Is;
        }
        if id.is_some() && self.agreed.has(Capability::Devices) {
            let open = self.sent.is_in_flight(&entry.destination, &entry.content);
            return if open { News::Open } else { News::Is };
        }
        self.sent.arrived(entry);
        if self.sent.is_echo(entry) { News::IsNot } else { News::Is }
    }

    /// Whether a message under this user's name, on a page that fills a gap, was said on another device. One that may be in flight is
    /// told later, if it was.
    pub fn is_of_other_device(&mut self, message: &Message) -> bool {
        let has_devices = self.agreed.has(Capability::Devices);
        let Some(id) = message.id.filter(|_| has_devices) else { return false };
        if self.sent.is_stored(id) {
            return false;
        }
        if self.sent.is_in_flight(sent::destination(message), message.content.as_wire()) {
            return self.sent.hold(message.clone()).is_some();
        }
        true
    }

    /// Takes the rooms of a welcome (RM-5); gives those of before.
    fn enter(&mut self, keys: &mut ServerKeys) -> Rooms {
        let before = std::mem::take(&mut self.rooms);
        self.rooms.default = keys.default.take();
        for mut told in self.take_rooms(keys) {
            self.rooms.take(&mut told);
        }
        // What a room has said before the welcome is not missed later: one number is the place in all rooms (CP-11).
        for room in self.rooms.iter() {
            self.seen.reach(room.last);
        }
        before
    }

    /// The rooms that a welcome does not name any more, and does not say why.
    fn lost(&self, before: &Rooms, keys: &ServerKeys) -> Vec<RoomLeft> {
        let said = |room: &&Room| keys.rooms_left.iter().any(|left| left.room == room.name);
        let gone = before.iter().filter(|room| !self.rooms.has(room.number) && !said(room));
        gone.map(|room| RoomLeft {
            room: room.name.clone(),
            number: Some(room.number),
            ..RoomLeft::default()
        })
        .collect()
    }

    fn meet(&mut self, mut users: Names, keys: &ServerKeys) {
        let mut roster = Roster::default();
        while users.next_with(|user| roster.add(user.as_wire())).is_some() {}
        self.roster = roster;
        for user in keys.presence.iter().filter(|user| user.away.is_some()) {
            self.roster.set_away(user.name.as_wire(), true);
        }
    }
}
