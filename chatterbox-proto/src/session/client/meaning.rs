//! What a frame of the server means, in the order of the protocol.

use super::event::Event;
use super::file_bounds::FileBounds;
use super::numbered::{Beside, Numbered};
use super::session::{ClientSession, State};
use super::unfolding::Part;
use crate::capability::Capability;
use crate::capability::rooms::{self, RoomTold};
use crate::clause;
use crate::server_frame::{Deviation, LazyFrame, Names, ServerKeys};
use crate::text::WireText;

/// The lists of the base protocol beside a frame's other keys.
#[derive(Debug, Default)]
struct Lists {
    joined: Names,
    messages: Numbered,
    left: Names,
}

/// The two texts of a frame that belong to no other key.
#[derive(Debug, Default)]
struct Texts {
    info: Option<WireText<'static>>,
    error: Option<WireText<'static>>,
}

impl ClientSession {
    /// Puts the parts of a frame into the order of the protocol (PB-2, CP-10).
    pub(super) fn unfold(&mut self, frame: LazyFrame) {
        let LazyFrame { accepted, info, user_list, joined, messages, left, error, .. } = frame;
        let LazyFrame { ids, times, metas, keys, .. } = frame;
        let mut beside = Beside { ids, times, metas };
        let mut keys = keys.map(|keys| *keys).unwrap_or_default();
        let mut texts = Texts { info, error };
        self.frame.complains = texts.error.is_some();
        match (accepted, &mut self.state) {
            (Some(true), State::Asked(name) | State::AskedAgain(name)) => {
                let name = std::mem::take(name);
                if user_list.is_none() {
                    self.frame.notes.note(Deviation::WelcomeWithout("USER_LIST", clause::UL_1));
                }
                if messages.is_none() {
                    self.frame.notes.note(Deviation::WelcomeWithout("MESSAGES", clause::HI_1));
                }
                self.agreed = keys.agreed.unwrap_or_default().and(self.offer);
                beside.retain(self.agreed);
                let longest = keys.limits.and_then(|limits| limits.frame);
                self.content = keys.limits.and_then(|limits| limits.content);
                self.file_bounds = keys.limits.map(FileBounds::of).unwrap_or_default();
                self.longest = longest.and_then(|limit| usize::try_from(limit).ok());
                let history = Numbered::new(messages, beside, &mut self.frame.notes);
                let users = user_list.unwrap_or_default();
                let is_first = matches!(self.state, State::Asked(_));
                self.state = State::Joined(name);
                if is_first {
                    self.welcomed(texts.info.take(), users, history, &mut keys);
                } else {
                    // The user has seen the greeting of the first welcome.
                    texts.info = None;
                    self.welcomed_back(users, history, &mut keys);
                }
                let lists = Lists { joined, messages: Numbered::default(), left };
                self.others(keys, lists, texts);
            }
            (Some(false), State::Asked(_) | State::AskedAgain(_)) => {
                self.state = match std::mem::replace(&mut self.state, State::Nameless) {
                    State::AskedAgain(name) => State::Lost(name),
                    _ => State::Nameless,
                };
                let (info, code) = (texts.info.take(), keys.code.take());
                self.frame.event(Event::Refused { info, code, until: keys.until });
                self.say_texts(texts);
                self.closes(&mut keys);
            }
            _ => {
                let messages = Numbered::new(messages, beside, &mut self.frame.notes);
                self.others(keys, Lists { joined, messages, left }, texts);
            }
        }
        if self.frame.is_over() {
            // The notes come behind the last part.
            self.frame.push(Part::Left(Names::default()));
        }
    }

    /// The objects of `ROOMS` that a frame has.
    pub(super) fn take_rooms(&mut self, keys: &mut ServerKeys) -> Vec<RoomTold> {
        let (rooms, all) = keys.rooms.take().unwrap_or((Vec::new(), true));
        if !all {
            self.frame.notes.note(Deviation::WrongValue(rooms::ROOMS, Capability::Rooms));
        }
        rooms
    }

    /// The answers to messages, of which the user is told behind the messages of the frame.
    fn answers(&mut self, keys: &mut ServerKeys) -> Vec<Event> {
        let mut answers = Vec::new();
        for (tag, id) in std::mem::take(&mut keys.acks) {
            if self.sent.stored(tag.as_wire(), id) {
                answers.push(Event::Stored { tag: tag.as_wire().to_owned(), id });
            }
        }
        for refused in std::mem::take(&mut keys.refused) {
            let wait = refused.wait.filter(|wait| self.is_patient(&refused, *wait));
            match wait {
                Some(wait) if self.sent.put_off(refused.tag.as_wire()) => {
                    answers.push(Event::PutOff { wait });
                }
                None if self.sent.answered(refused.tag.as_wire()) => {
                    answers.push(Event::Rejected(refused));
                }
                _ => {}
            }
        }
        answers
    }

    /// The keys that any frame may have.
    fn others(&mut self, mut keys: ServerKeys, lists: Lists, texts: Texts) {
        let rooms = self.take_rooms(&mut keys);
        let answers = self.answers(&mut keys);
        self.frame.push(Part::Joined(lists.joined));
        self.frame
            .push(Part::RoomUsersJoined(std::mem::take(&mut keys.room_users_joined).into_iter()));
        self.frame.push(Part::Renamed(std::mem::take(&mut keys.renamed).into_iter()));
        self.frame.push(Part::Rooms(rooms.into_iter()));
        // What has waited for these answers is older than the messages of this frame. It is what another device has said in the same
        // words as one of these messages, so what became of that is told before.
        let released = self.sent.release();
        let (before, answers) =
            if released.is_empty() { (Vec::new(), answers) } else { (answers, Vec::new()) };
        for event in before.into_iter().chain(released.into_iter().map(Event::Message)) {
            self.frame.event(event);
        }
        self.frame.push(Part::Live(lists.messages));
        self.frame.push(Part::Presence(std::mem::take(&mut keys.presence).into_iter()));
        self.frame.push(Part::Notices(std::mem::take(&mut keys.notices).into_iter()));
        self.frame.push(Part::RoomUsersLeft(std::mem::take(&mut keys.room_users_left).into_iter()));
        self.frame.push(Part::RoomsLeft(std::mem::take(&mut keys.rooms_left).into_iter()));
        self.frame.push(Part::Left(lists.left));
        for answer in answers {
            self.frame.event(answer);
        }
        self.say_texts(texts);
        let (commands, prefix) = (keys.commands.take(), keys.prefix.take());
        let catalogue = (commands.is_some() || prefix.is_some())
            .then_some(Event::Catalogue { commands, prefix });
        let events = [
            keys.history.take().map(Event::Page),
            keys.file_credit.take().map(Event::FileCredit),
            keys.file_chunk.take().map(Event::FileChunk),
            keys.file_stop.take().map(Event::FileStop),
            keys.file.take().map(Event::File),
            keys.directory.take().map(Box::new).map(Event::Keys),
            keys.keys_low.take().map(Event::KeysLow),
            catalogue,
            keys.result.take().map(Event::Result),
            keys.prompt.take().map(Event::Prompt),
            keys.ping.take().map(Event::Ping),
            keys.pong.take().map(Event::Pong),
        ];
        for event in events.into_iter().flatten() {
            self.frame.event(event);
        }
        let (read, unread) = (std::mem::take(&mut keys.read), std::mem::take(&mut keys.unread));
        if !read.is_empty() || !unread.is_empty() {
            self.frame.event(Event::Marks { read, unread });
        }
        self.closes(&mut keys);
    }

    fn say_texts(&mut self, texts: Texts) {
        let Texts { info, error } = texts;
        for event in info.map(Event::Info).into_iter().chain(error.map(Event::Error)) {
            self.frame.event(event);
        }
    }

    /// Why the connection ends is behind everything else (CP-10, NO-3).
    fn closes(&mut self, keys: &mut ServerKeys) {
        if let Some(closed) = keys.closed.take() {
            self.frame.event(Event::Closed(closed));
        }
    }
}
