//! The client's side of one connection: what a server's frames mean for the person in front of it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use crate::clause;
use crate::client_frame;
use crate::entry::Entry;
use crate::frame::TooLong;
use crate::name::Username;
use crate::server_frame::{Deviation, Deviations, ServerFrame};
use crate::text::WireText;
use crate::{ALL, limits};

/// One message, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub source: WireText<'static>,
    /// To whom it was said; `None` is everybody.
    pub recipient: Option<WireText<'static>>,
    /// Seconds since 1970-01-01 UTC, by the sender's clock.
    pub timestamp: i64,
    /// What is said.
    pub content: WireText<'static>,
}

/// Something that the person is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The name was accepted; who is here and what was said before.
    Accepted {
        /// The server's greeting, if any (IN-1).
        info: Option<WireText<'static>>,
        /// Everybody in the chat, as the server says.
        users: Vec<WireText<'static>>,
        /// What was said, oldest first.
        history: Vec<Message>,
    },
    /// The name was not accepted; another one may be asked for.
    Refused {
        /// The server's reason, if any (IN-1).
        info: Option<WireText<'static>>,
    },
    /// Somebody else joined.
    Joined(WireText<'static>),
    /// A message came.
    Message(Message),
    /// Somebody left.
    Left(WireText<'static>),
    /// A text of the server that belongs to nothing else.
    Info(WireText<'static>),
    /// The server says that something was wrong (DS-1).
    Error(WireText<'static>),
    /// The server does something otherwise than the norm says.
    Deviation(Deviation),
}

/// Why a message can't be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SayError {
    /// There is no name yet.
    #[error("not joined yet")]
    NotJoined,
    /// It does not fit a frame.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Nameless,
    Asked(String),
    Joined(String),
}

/// One connection, as the client sees it.
#[derive(Debug)]
pub struct ClientSession {
    state: State,
    roster: Roster,
    /// What was sent and may come back as an echo (RT-3): destination and content. The time is left out, since some
    /// servers set their own.
    unechoed: VecDeque<(String, String)>,
    /// Whether what was said last has come back.
    last_echoed: bool,
}

/// A server that never echoes must not make the client remember everything it said.
const UNECHOED_KEPT: usize = 256;

/// More users than this are not kept apart; a hostile server could name millions.
const USERS_KEPT: usize = 200_000;

impl Default for ClientSession {
    fn default() -> Self {
        Self {
            state: State::Nameless,
            roster: Roster::default(),
            unechoed: VecDeque::new(),
            last_echoed: false,
        }
    }
}

impl ClientSession {
    /// A fresh connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// The frame that asks for a name (NM-1).
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit a frame.
    pub fn ask(&mut self, name: &str) -> Result<Bytes, TooLong> {
        let frame = client_frame::join(name)?;
        self.state = State::Asked(name.to_owned());
        Ok(frame)
    }

    /// The name under which this connection has joined.
    pub fn me(&self) -> Option<&str> {
        match &self.state {
            State::Joined(name) => Some(name),
            _ => None,
        }
    }

    /// Who is here, in the order in which the server named them.
    pub fn users(&self) -> impl Iterator<Item = &WireText<'static>> {
        self.roster.by_place.values()
    }

    /// The frame that says something, to `recipient` or to everybody.
    ///
    /// # Errors
    /// [`SayError::NotJoined`] without a name, [`SayError::TooLong`] when it does not fit a frame.
    pub fn say(
        &mut self,
        recipient: Option<&str>,
        content: &str,
        now: i64,
    ) -> Result<Bytes, SayError> {
        let me = self.me().ok_or(SayError::NotJoined)?;
        let destination = recipient.unwrap_or(ALL);
        let entry = Entry {
            source: me.into(),
            destination: destination.into(),
            timestamp: now,
            content: content.into(),
        };
        let frame = client_frame::say([&entry])?;
        if self.unechoed.len() == UNECHOED_KEPT {
            self.unechoed.pop_front();
        }
        self.unechoed.push_back((destination.to_owned(), content.to_owned()));
        self.last_echoed = false;
        Ok(frame)
    }

    /// Whether the message said last has come back, and with it everything that was due before (RT-3, RT-4).
    ///
    /// A client that is done uses it to leave early; servers that send no echo never make it true.
    pub fn last_echoed(&self) -> bool {
        self.last_echoed
    }

    /// Takes the body of one frame of the server.
    pub fn receive(&mut self, body: &[u8]) -> Vec<Event> {
        let (frame, mut notes) = match ServerFrame::parse(body) {
            Ok(read) => read,
            Err(code) => return vec![Event::Deviation(Deviation::Unreadable(code))],
        };
        let mut events = Vec::new();
        self.take(frame, &mut notes, &mut events);
        events.extend(notes.into_vec().into_iter().map(Event::Deviation));
        events
    }

    /// The order in which the parts of one object are meant (PB-2).
    fn take(&mut self, frame: ServerFrame, notes: &mut Deviations, events: &mut Vec<Event>) {
        let mut info = frame.info;
        let mut messages = frame.messages;
        match (frame.accepted, &mut self.state) {
            (Some(true), State::Asked(name)) => {
                self.state = State::Joined(std::mem::take(name));
                if frame.user_list.is_none() {
                    notes.note(Deviation::WelcomeWithout("USER_LIST", clause::UL_1));
                }
                if messages.is_none() {
                    notes.note(Deviation::WelcomeWithout("MESSAGES", clause::HI_1));
                }
                self.roster = Roster::default();
                for user in frame.user_list.unwrap_or_default() {
                    self.roster.add(user);
                }
                let history = messages.take().unwrap_or_default();
                events.push(Event::Accepted {
                    info: info.take(),
                    users: self.users().cloned().collect(),
                    history: history.into_iter().map(Message::from).collect(),
                });
            }
            (Some(false), State::Asked(_)) => {
                self.state = State::Nameless;
                events.push(Event::Refused { info: info.take() });
            }
            _ => {}
        }
        for name in frame.joined {
            // Before the welcome nobody is listed: it will name them all.
            let news = self.me().is_some() && self.roster.add(name.clone());
            if news && !self.is_me(name.as_wire()) {
                events.push(Event::Joined(name));
            }
        }
        for entry in messages.into_iter().flatten() {
            if !self.is_echo(&entry) {
                events.push(Event::Message(entry.into()));
            }
        }
        for name in frame.left {
            if self.roster.remove(&name) {
                events.push(Event::Left(name));
            } else {
                notes.note(Deviation::LeftUnknown(name));
            }
        }
        events.extend(info.map(Event::Info));
        events.extend(frame.error.map(Event::Error));
    }

    fn is_me(&self, name: &str) -> bool {
        self.me().is_some_and(|me| {
            me == name
                || Username::parse_within(me, limits::USERNAME_CHARS).is_ok_and(|me| me.is(name))
        })
    }

    /// A copy of what this client said itself was seen when it was said (RT-3, RT-7).
    fn is_echo(&mut self, entry: &Entry<'_>) -> bool {
        if !self.is_me(&entry.source) {
            return false;
        }
        let sent = self.unechoed.iter().position(|(destination, content)| {
            *content == entry.content && destination.eq_ignore_ascii_case(&entry.destination)
        });
        if sent.is_some_and(|index| index + 1 == self.unechoed.len()) {
            self.last_echoed = true;
        }
        sent.and_then(|index| self.unechoed.remove(index)).is_some()
    }
}

/// Who is here, in the order in which the server named them.
#[derive(Debug, Default)]
struct Roster {
    by_place: BTreeMap<u64, WireText<'static>>,
    places: HashMap<WireText<'static>, u64>,
    next: u64,
}

impl Roster {
    /// Says whether the name is news.
    fn add(&mut self, name: WireText<'static>) -> bool {
        if self.places.len() >= USERS_KEPT || self.places.contains_key(&name) {
            return false;
        }
        self.places.insert(name.clone(), self.next);
        self.by_place.insert(self.next, name);
        self.next += 1;
        true
    }

    /// Says whether the name was there.
    fn remove(&mut self, name: &WireText<'static>) -> bool {
        self.places.remove(name).and_then(|place| self.by_place.remove(&place)).is_some()
    }
}

impl From<Entry<'static>> for Message {
    fn from(entry: Entry<'static>) -> Self {
        let recipient = (entry.destination != ALL).then(|| WireText::new(entry.destination));
        Self {
            source: WireText::new(entry.source),
            recipient,
            timestamp: entry.timestamp,
            content: WireText::new(entry.content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &'static str) -> WireText<'static> {
        WireText::new(text)
    }

    fn joined() -> ClientSession {
        let mut session = ClientSession::new();
        session.ask("ann").unwrap();
        let events = session.receive(
            br#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": []}"#,
        );
        assert!(
            matches!(&events[..], [Event::Accepted { info: None, users, .. }] if users.len() == 2)
        );
        session
    }

    #[test]
    fn a_refused_name_may_be_followed_by_another() {
        let mut session = ClientSession::new();
        session.ask("bob").unwrap();
        assert_eq!(
            session.receive(br#"{"USERNAME_ACCEPTED": false, "INFO": "no"}"#),
            [Event::Refused { info: Some(wire("no")) }]
        );
        assert_eq!(session.me(), None);
        session.ask("ann").unwrap();
        let events = session.receive(br#"{"USERNAME_ACCEPTED": "true"}"#);
        assert!(matches!(&events[0], Event::Accepted { .. }));
        assert_eq!(events.len(), 4, "three deviations: {events:?}");
        assert_eq!(session.me(), Some("ann"));
    }

    #[test]
    fn everything_may_come_in_one_object_and_keeps_its_order() {
        let events = joined().receive(
            br#"{"ERROR": "e", "USERS_LEFT": ["bob"], "MESSAGES": [["bob", "ALL", 1, "x"], ["bob", "ann", 2, "y"]],
                "USERS_JOINED": ["cyd", "ann"], "INFO": "i"}"#,
        );
        let [
            Event::Joined(cyd),
            Event::Message(public),
            Event::Message(private),
            Event::Left(bob),
            rest @ ..,
        ] = &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!((cyd, bob), (&wire("cyd"), &wire("bob")));
        assert_eq!(
            (public.recipient.as_ref(), private.recipient.as_ref()),
            (None, Some(&wire("ann")))
        );
        assert_eq!(rest, [Event::Info(wire("i")), Event::Error(wire("e"))]);
    }

    #[test]
    fn own_messages_are_never_seen_twice() {
        let mut session = joined();
        session.say(None, "hi", 100).unwrap();
        session.say(Some("Bob"), "psst", 100).unwrap();
        session.say(None, "hi", 101).unwrap();
        // The server sets its own time and the spelling of the name.
        assert_eq!(
            session.receive(
                br#"{"MESSAGES": [["ann", "ALL", 999, "hi"], ["ann", "bob", 9, "psst"]]}"#
            ),
            []
        );
        assert_eq!(session.receive(br#"{"MESSAGES": [["ann", "ALL", 999, "hi"]]}"#), []);
        // What this client did not say is shown.
        assert_eq!(session.receive(br#"{"MESSAGES": [["ann", "ALL", 999, "hi"]]}"#).len(), 1);
        assert_eq!(session.receive(br#"{"MESSAGES": [["bob", "ALL", 999, "hi"]]}"#).len(), 1);
    }

    #[test]
    fn the_echo_of_the_last_message_is_noticed() {
        let mut session = joined();
        assert!(!session.last_echoed());
        session.say(None, "hi", 1).unwrap();
        session.say(None, "hi", 1).unwrap();
        session.receive(br#"{"MESSAGES": [["ann", "ALL", 1, "hi"]]}"#);
        assert!(!session.last_echoed(), "this was the echo of the first");
        session.receive(br#"{"MESSAGES": [["ann", "ALL", 1, "hi"]]}"#);
        assert!(session.last_echoed());
        session.say(Some("bob"), "psst", 1).unwrap();
        assert!(!session.last_echoed());
    }

    #[test]
    fn a_server_that_never_echoes_costs_a_bounded_memory() {
        let mut session = joined();
        for number in 0..1000 {
            session.say(None, &number.to_string(), 1).unwrap();
        }
        assert_eq!(session.unechoed.len(), UNECHOED_KEPT);
    }

    #[test]
    fn who_leaves_without_being_there_harms_nobody() {
        let mut session = joined();
        assert_eq!(
            session.receive(br#"{"USERS_LEFT": ["zoe"]}"#),
            [Event::Deviation(Deviation::LeftUnknown(wire("zoe")))]
        );
        assert_eq!(session.users().count(), 2);
        assert!(matches!(
            session.receive(b"xyz")[..],
            [Event::Deviation(Deviation::Unreadable(_))]
        ));
    }

    #[test]
    fn nothing_can_be_said_without_a_name() {
        assert_eq!(ClientSession::new().say(None, "x", 1), Err(SayError::NotJoined));
    }
}
