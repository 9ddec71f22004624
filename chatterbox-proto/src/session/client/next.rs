//! The next event of the frame that is worked off.

use std::vec;

use super::event::{Event, Message};
use super::numbered::Numbered;
use super::numbered::Stamp;
use super::room::Taken;
use super::session::ClientSession;
use super::unfolding::{Part, RoomUser};
use crate::capability::Capability;
use crate::capability::presence::UserPresence;
use crate::capability::rooms::{self, RoomLeft, RoomTold};
use crate::entry::Entry;
use crate::server_frame::{Deviation, Names};
use crate::text::WireText;

impl ClientSession {
    /// The next event of the frame that was taken last; `None` when there is none left.
    pub fn next_event(&mut self) -> Option<Event> {
        while let Some(mut part) = self.frame.next_part() {
            let event = match &mut part {
                Part::Event(event) => Some(std::mem::replace(&mut **event, Event::Welcomed)),
                Part::Joined(names) => self.next_joined(names),
                Part::RoomUsersJoined(rooms) => self.next_room_users(rooms, true),
                Part::Renamed(names) => self.next_renamed(names),
                Part::Rooms(rooms) => self.next_room(rooms),
                Part::History(messages) => self.next_of_history(messages),
                Part::Missed(messages, missed) => self.next_missed(messages, missed),
                Part::Changes(changes) => changes.next(),
                Part::Live(messages) => self.next_message(messages),
                Part::Presence(users) => self.next_presence(users),
                Part::Notices(notices) => notices.next().map(Event::Notice),
                Part::RoomUsersLeft(rooms) => self.next_room_users(rooms, false),
                Part::RoomsLeft(rooms) => self.next_room_left(rooms),
                Part::Left(names) => self.next_left(names),
                Part::Notes(notes) => notes.next().map(Event::Deviation),
            };
            if event.is_some() && !matches!(part, Part::Event(_)) {
                self.frame.put_back(part);
            }
            if self.frame.is_over() {
                let notes = std::mem::take(&mut self.frame.notes).into_vec();
                if !notes.is_empty() {
                    self.frame.push(Part::Notes(notes.into_iter()));
                }
            }
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Whether the frame that was taken last has events left.
    pub fn has_events(&self) -> bool {
        !self.frame.is_over()
    }

    /// Whether that frame reports a fault of this client.
    pub fn complains(&self) -> bool {
        self.frame.complains
    }

    /// Passes over the next messages of the welcome that is under way: they count as seen, and the user is not told.
    pub fn skip(&mut self, count: usize) {
        // What has become of rooms may stand before the messages.
        let mut before = Vec::new();
        let mut part = loop {
            match self.frame.next_part() {
                Some(part @ (Part::History(_) | Part::Missed(..))) => break Some(part),
                Some(part) => before.push(part),
                None => break None,
            }
        };
        let mut left = count;
        match &mut part {
            Some(Part::History(messages)) => {
                while left > 0
                    && messages.next_with(|stamp, entry| self.note(&stamp, &entry)).is_some()
                {
                    left -= 1;
                }
            }
            Some(Part::Missed(messages, missed)) => {
                while left > 0
                    && let Some(missed) = missed.next()
                    && messages.next_with(|_, _| ()).is_some()
                {
                    left -= usize::from(missed);
                }
            }
            _ => {}
        }
        for part in before.into_iter().chain(part).rev() {
            self.frame.put_back(part);
        }
    }

    fn note(&mut self, stamp: &Stamp, entry: &Entry<'_>) {
        if let Some(id) = stamp.id {
            self.seen.note(id, entry);
        }
    }

    fn next_joined(&mut self, names: &mut Names) -> Option<Event> {
        // Before the snapshot of the welcome no presence is kept: it will name everybody.
        let joined = self.is_joined();
        loop {
            let roster = &mut self.roster;
            let name = names.next_with(|name| {
                let news = joined && roster.add(name.as_wire());
                news.then(|| name.into_owned())
            })?;
            if let Some(name) = name
                && !self.is_me(name.as_wire())
            {
                return Some(Event::Joined(name));
            }
        }
    }

    fn next_renamed(
        &mut self,
        names: &mut vec::IntoIter<(WireText<'static>, WireText<'static>)>,
    ) -> Option<Event> {
        let (old, new) = names.next()?;
        let was_me = self.is_me(old.as_wire());
        self.roster.rename(old.as_wire(), new.as_wire());
        self.rooms.renamed(&old, &new);
        Some(if self.is_renamed(was_me, &new) {
            Event::SelfRenamed(new)
        } else {
            Event::Renamed { old, new }
        })
    }

    fn next_of_history(&mut self, messages: &mut Numbered) -> Option<Event> {
        messages.next_with(|stamp, entry| {
            self.note(&stamp, &entry);
            Event::History(Message::stamped(entry.into_owned(), stamp))
        })
    }

    fn next_missed(
        &mut self,
        messages: &mut Numbered,
        missed: &mut vec::IntoIter<bool>,
    ) -> Option<Event> {
        for missed in missed {
            let event = messages.next_with(|stamp, entry| {
                missed.then(|| Event::Missed(Message::stamped(entry.into_owned(), stamp)))
            })?;
            if event.is_some() {
                return event;
            }
        }
        None
    }

    fn next_message(&mut self, messages: &mut Numbered) -> Option<Event> {
        loop {
            let message = messages.next_with(|stamp, entry| {
                let news = self.is_news(&stamp, &entry);
                news.then(|| Message::stamped(entry.into_owned(), stamp))
            })?;
            if let Some(message) = message {
                return Some(Event::Message(message));
            }
        }
    }

    /// What is told of who is not here says nothing.
    fn next_presence(&mut self, users: &mut vec::IntoIter<UserPresence>) -> Option<Event> {
        loop {
            let user = users.next()?;
            let name = user.name.as_wire();
            if self.roster.has(name) {
                let was_away = self.roster.set_away(name, user.away.is_some());
                return Some(Event::Presence { user, was_away });
            }
        }
    }

    fn next_room_users(
        &mut self,
        rooms: &mut vec::IntoIter<RoomUser>,
        joined: bool,
    ) -> Option<Event> {
        loop {
            let (room, users) = rooms.next()?;
            let users = if joined {
                self.rooms.came(room.as_wire(), users)
            } else {
                self.rooms.went(room.as_wire(), users)
            };
            match (users.is_empty(), joined) {
                (true, _) => {}
                (false, true) => return Some(Event::RoomUsersJoined { room, users }),
                (false, false) => return Some(Event::RoomUsersLeft { room, users }),
            }
        }
    }

    fn next_room(&mut self, told: &mut vec::IntoIter<RoomTold>) -> Option<Event> {
        loop {
            let mut room = told.next()?;
            match self.rooms.take(&mut room) {
                Taken::Joined => return Some(Event::RoomJoined(room.room)),
                Taken::Changed => return Some(Event::RoomChanged(Box::new(room))),
                Taken::Nothing => {
                    self.frame.notes.note(Deviation::WrongValue(rooms::ROOMS, Capability::Rooms));
                }
            }
        }
    }

    fn next_room_left(&mut self, rooms: &mut vec::IntoIter<RoomLeft>) -> Option<Event> {
        let left = rooms.next()?;
        self.rooms.remove(left.room.as_wire(), left.number);
        Some(Event::RoomLeft(left))
    }

    fn next_left(&mut self, names: &mut Names) -> Option<Event> {
        loop {
            let (roster, notes) = (&mut self.roster, &mut self.frame.notes);
            let name = names.next_with(|name| {
                let name = name.into_owned();
                if roster.remove(name.as_wire()) {
                    return Some(name);
                }
                notes.note(Deviation::LeftUnknown(name));
                None
            })?;
            if let Some(name) = name {
                return Some(Event::Left(name));
            }
        }
    }
}
