//! The room in front: where lines go, and what was said in the others meanwhile.
//!
//! A person reads one room at a time, the lobby or another one. What is said elsewhere is counted and told in one line; the
//! newest of it is kept until that room comes to the front.

use std::collections::VecDeque;

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::session::{Message, Room};
use chatterbox_proto::{ALL, WireText};

use crate::output::{MessageKind, Output, UnreadRoom};
use crate::target::Target;

/// The most messages that are kept of one room that is not in front, and their bytes.
const KEPT: usize = 100;
const KEPT_BYTES: usize = 64 * 1024;

/// The line that tells what is unread comes at most once in so many seconds, unless the user enters a line.
const PACE: i64 = 5;

/// A room of which this user was a member when it came to the front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InFront {
    pub(crate) name: String,
    number: u64,
}

impl InFront {
    pub(crate) fn new(room: &Room) -> Self {
        Self { name: room.name.as_wire().to_owned(), number: room.number }
    }

    /// Whether it is this very room. Another one may have its name by now.
    pub(crate) fn is(&self, room: &Room) -> bool {
        self.number == room.number && room.name.as_wire() == self.name
    }
}

/// What is in front.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum At {
    #[default]
    Lobby,
    Room(InFront),
    User(String),
}

impl At {
    /// As a destination on the wire; `ALL` is the lobby.
    pub(crate) fn wire(&self) -> &str {
        match self {
            Self::Lobby => ALL,
            Self::Room(room) => &room.name,
            Self::User(name) => name,
        }
    }

    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Lobby => Target::Lobby,
            Self::Room(room) => Target::Room(room.name.clone()),
            Self::User(name) => Target::User(name.clone()),
        }
    }
}

/// The conversation in front, and what is unread elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Front {
    at: At,
    /// The room that comes to the front when this user has become a member of it.
    wanted: Option<String>,
    /// Whether everything is shown at once, wherever it is said.
    shows_all: bool,
    unread: Vec<Unread>,
    /// When the user was told of it last, in seconds since 1970.
    told: Option<i64>,
    /// Whether there is something that the user was not told of.
    news: bool,
    /// The newest message of the lobby that the welcome had.
    lobby: Id,
}

/// What was said in one room behind the front.
#[derive(Debug)]
struct Unread {
    /// The name of the room; `ALL` is the lobby.
    room: String,
    /// How many are not kept: the server has counted them for the welcome, or they were too many.
    counted: usize,
    /// The newest of those.
    counted_to: Id,
    mentions: usize,
    kept: VecDeque<(Message, MessageKind)>,
    bytes: usize,
}

impl Unread {
    fn count(&self) -> usize {
        self.counted.saturating_add(self.kept.len())
    }
}

/// What was unread in the room that has come to the front.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unrolled {
    pub(crate) messages: VecDeque<(Message, MessageKind)>,
    /// How many older ones are not kept.
    pub(crate) older: usize,
}

impl Front {
    pub(crate) fn new(shows_all: bool) -> Self {
        Self { shows_all, ..Self::default() }
    }

    /// What is in front.
    pub(crate) fn at(&self) -> &At {
        &self.at
    }

    /// The room in front, if it is one other than the lobby.
    pub(crate) fn room(&self) -> Option<&InFront> {
        match &self.at {
            At::Room(room) => Some(room),
            At::Lobby | At::User(_) => None,
        }
    }

    /// A user has another name: the conversation with them stays in front.
    pub(crate) fn renamed(&mut self, old: &str, new: &str) {
        // Compared as the model does it: where one of them does not notice, a line goes to whoever takes the old name.
        if self.at.target().is(&Target::User(old.to_owned())) {
            self.at = At::User(new.to_owned());
        }
    }

    /// Whether what is said in this room is only counted; `ALL` is the lobby.
    pub(crate) fn hides(&self, room: &str) -> bool {
        !self.shows_all && !self.is_front(room)
    }

    fn is_front(&self, room: &str) -> bool {
        match &self.at {
            At::Lobby => room == ALL,
            At::Room(front) => room == front.name,
            At::User(_) => false,
        }
    }

    /// Counts a message of a room that is not in front, and keeps it as long as there is room for it; `mention` says whether it names the
    /// user.
    pub(crate) fn count(&mut self, room: &str, message: Message, kind: MessageKind, mention: bool) {
        self.news = true;
        let place = self.unread.iter().position(|unread| unread.room == room);
        let place = place.unwrap_or_else(|| {
            self.unread.push(Unread {
                room: room.to_owned(),
                counted: 0,
                counted_to: 0,
                mentions: 0,
                kept: VecDeque::new(),
                bytes: 0,
            });
            self.unread.len() - 1
        });
        let Some(unread) = self.unread.get_mut(place) else { return };
        unread.mentions += usize::from(mention);
        unread.bytes += size(&message);
        unread.kept.push_back((message, kind));
        while unread.kept.len() > KEPT || unread.bytes > KEPT_BYTES {
            let Some((oldest, _)) = unread.kept.pop_front() else { break };
            unread.bytes -= size(&oldest);
            unread.counted = unread.counted.saturating_add(1);
            unread.counted_to = unread.counted_to.max(oldest.id.unwrap_or(0));
        }
    }

    /// The line about what is unread, if there is something new and it is time for it. `asked` says that the user has
    /// entered a line.
    pub(crate) fn line(&mut self, now: i64, asked: bool) -> Option<Output> {
        let early = self.told.is_some_and(|told| (told..told.saturating_add(PACE)).contains(&now));
        if !self.news || (early && !asked) {
            return None;
        }
        self.told = Some(now);
        self.news = false;
        self.unread_line()
    }

    /// What is unread, whether the user was told of it or not.
    pub(crate) fn unread_line(&self) -> Option<Output> {
        let room = |unread: &Unread| UnreadRoom {
            room: WireText::new(unread.room.clone()),
            count: unread.count(),
            mentions: unread.mentions,
        };
        let rooms: Vec<_> = self.unread.iter().map(room).collect();
        (!rooms.is_empty()).then_some(Output::Unread(rooms))
    }

    /// Brings a conversation to the front; gives what was said in it meanwhile. Private messages never wait.
    pub(crate) fn bring(&mut self, at: At) -> Unrolled {
        self.at = at;
        self.wanted = None;
        let name = match &self.at {
            At::User(_) => return Unrolled::default(),
            at => at.wire(),
        };
        let place = self.unread.iter().position(|unread| unread.room == name);
        let Some(place) = place else { return Unrolled::default() };
        let unread = self.unread.remove(place);
        Unrolled { older: unread.counted, messages: unread.kept }
    }

    /// The user wants this room in front, and is not a member of it yet.
    pub(crate) fn want(&mut self, room: &str) {
        self.wanted = Some(room.to_owned());
    }

    /// Whether the user has asked for this room, which they are a member of now.
    pub(crate) fn is_wanted(&self, room: &str) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.to_lowercase() == room.to_lowercase())
    }

    /// The server has answered the wish to join, or does not. Says whether there was one.
    pub(crate) fn want_nothing(&mut self) -> bool {
        self.wanted.take().is_some()
    }

    /// A message of the lobby stands in the welcome.
    pub(crate) fn said_before(&mut self, id: Id) {
        self.lobby = self.lobby.max(id);
    }

    /// A room was read up to a message, on another device or before; `unread` is what is behind it, where the server says so, and
    /// `newest` the newest message of the room then.
    pub(crate) fn marked(&mut self, room: &str, upto: Id, unread: Option<usize>, newest: Id) {
        let is_room = room == ALL || room.starts_with('#');
        if !is_room || !self.hides(room) {
            return;
        }
        let place = self.unread.iter().position(|unread| unread.room == room);
        match (place, unread) {
            (None, Some(count)) if count > 0 => {
                self.news = true;
                let newest = if room == ALL { newest.max(self.lobby) } else { newest };
                self.unread.push(Unread {
                    room: room.to_owned(),
                    counted: count,
                    // Where nobody knows what the newest one is, whoever reads on has read them.
                    counted_to: newest.max(upto.saturating_add(1)),
                    mentions: 0,
                    kept: VecDeque::new(),
                    bytes: 0,
                });
            }
            _ => self.cleared(room, upto),
        }
    }

    /// Forgets what is unread in a room that this user has left.
    pub(crate) fn forget(&mut self, room: &str) {
        self.unread.retain(|unread| unread.room != room);
    }

    /// What was said in a room up to this message is not unread any more: it was read on another device, or is shown to nobody now
    /// (RH-4).
    pub(crate) fn cleared(&mut self, room: &str, floor: Id) {
        for unread in self.unread.iter_mut().filter(|unread| unread.room == room) {
            unread.kept.retain(|(message, _)| message.id.is_none_or(|id| id > floor));
            // Of what is only counted nobody knows how much is below the floor, unless all of it is.
            if unread.counted_to <= floor {
                unread.counted = 0;
            }
            unread.bytes = unread.kept.iter().map(|(message, _)| size(message)).sum();
        }
        self.unread.retain(|unread| unread.count() > 0);
    }
}

fn size(message: &Message) -> usize {
    message.source.as_wire().len() + message.content.as_wire().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: Id, text: &str) -> Message {
        Message {
            source: WireText::new("bob"),
            recipient: Some(WireText::new("#lab")),
            timestamp: 1,
            content: WireText::new(text.to_owned()),
            id: Some(id),
            taken: None,
            meta: None,
        }
    }

    fn lab() -> At {
        At::Room(InFront { name: "#lab".to_owned(), number: 1 })
    }

    #[test]
    fn one_line_in_a_while_tells_what_is_unread() {
        let mut front = Front::default();
        assert!(front.hides("#lab") && !front.hides(ALL));
        assert_eq!(front.line(100, true), None);
        let lines: Vec<_> = (100..113)
            .filter(|now| {
                front.count("#lab", message(5, "x"), MessageKind::Live, false);
                front.line(*now, false).is_some()
            })
            .collect();
        assert_eq!(lines, [100, 105, 110]);
        let line = front.line(112, true).map(|line| line.text());
        assert_eq!(line.as_deref(), Some("* unread: #lab 13 (/room #lab)"));
        assert_eq!(front.line(200, true), None, "there is nothing new");
        // A clock that is set back keeps nobody from being told.
        front.count("#talk", message(6, "x"), MessageKind::Live, false);
        let line = front.line(7, false).map(|line| line.text());
        assert_eq!(line.as_deref(), Some("* unread: #lab 13, #talk 1 (/room #lab)"));
    }

    #[test]
    fn what_is_kept_is_bounded_and_comes_back_in_its_order() {
        let mut front = Front::default();
        for id in 1..=250 {
            front.count("#lab", message(id, "x"), MessageKind::Live, false);
        }
        let Unrolled { messages, older } = front.bring(lab());
        assert_eq!((messages.len(), older), (KEPT, 150));
        let ids: Vec<_> = messages.iter().filter_map(|(message, _)| message.id).collect();
        assert_eq!(ids, (151..=250).collect::<Vec<_>>());
        assert_eq!(front.bring(lab()), Unrolled::default());
        assert!(front.hides(ALL) && !front.hides("#lab"));
        front.count("#talk", message(1, &"x".repeat(KEPT_BYTES)), MessageKind::Live, false);
        front.count("#talk", message(2, "y"), MessageKind::Live, false);
        let talk = At::Room(InFront { name: "#talk".to_owned(), number: 2 });
        let Unrolled { messages, older } = front.bring(talk);
        assert_eq!((messages.len(), older), (1, 1));
    }

    #[test]
    fn what_was_cleared_is_not_shown_from_here_either() {
        let mut front = Front::default();
        for id in 1..=3 {
            front.count("#lab", message(id, "x"), MessageKind::Live, false);
        }
        front.cleared("#talk", 9);
        front.cleared("#lab", 2);
        assert_eq!(front.bring(lab()).messages.len(), 1);
        front.bring(At::Lobby);
        front.count("#lab", message(4, "x"), MessageKind::Live, false);
        front.cleared("#lab", 4);
        assert_eq!(front.unread_line(), None);
    }

    fn count(front: &Front) -> usize {
        front.unread.iter().map(Unread::count).sum()
    }

    #[test]
    fn what_the_server_has_counted_goes_when_the_newest_of_it_is_read_and_not_before() {
        let mut front = Front::default();
        front.marked("#lab", 3, Some(100), 20);
        front.marked("#lab", 5, None, 20);
        assert_eq!(count(&front), 100, "it was read further, and nobody knows how much is left");
        front.count("#lab", message(21, "x"), MessageKind::Live, false);
        front.marked("#lab", 19, None, 21);
        assert_eq!(count(&front), 101);
        front.marked("#lab", 20, None, 21);
        assert_eq!(count(&front), 1);
        // What was cleared goes likewise.
        let mut front = Front::default();
        front.marked("#lab", 3, Some(100), 20);
        front.cleared("#lab", 19);
        assert_eq!(count(&front), 100);
        front.cleared("#lab", 20);
        assert_eq!(count(&front), 0);
    }

    #[test]
    fn what_is_not_kept_any_more_is_read_with_the_newest_of_it() {
        let mut front = Front::default();
        for id in 1..=150 {
            front.count("#lab", message(id, "x"), MessageKind::Live, false);
        }
        front.cleared("#lab", 49);
        assert_eq!(count(&front), 150);
        front.cleared("#lab", 50);
        assert_eq!(count(&front), 100);
        front.cleared("#lab", 60);
        assert_eq!(count(&front), 90);
    }

    #[test]
    fn of_the_lobby_the_welcome_says_what_is_newest() {
        let mut front = Front::default();
        front.bring(lab());
        front.said_before(8);
        front.marked(ALL, 2, Some(5), 0);
        front.marked(ALL, 7, None, 0);
        assert_eq!(count(&front), 5);
        front.marked(ALL, 8, None, 0);
        assert_eq!(count(&front), 0);
        // Where it has none of it, whoever reads on has read all.
        front.marked("#talk", 2, Some(5), 0);
        front.marked("#talk", 2, None, 0);
        assert_eq!(count(&front), 5);
        front.marked("#talk", 3, None, 0);
        assert_eq!(count(&front), 0);
    }
}
