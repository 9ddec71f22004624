//! The model: what a screen shows of the chat, as a fold over the outputs.
//!
//! ```text
//! Output -> Model::apply -> conversations: timeline, unread, mentions, marker
//! Intent -> App::intend  -> which conversation is in front, and whether its end is seen
//! ```
//!
//! It reads no clock, does no I/O and knows no screen. Everything in it is bounded ([`Limits`]) and safe to show.

mod conversation;
mod item;
mod mention;
mod timeline;

use std::collections::VecDeque;

use chatterbox_proto::{ALL, SERVER, ScreenText};

pub use self::conversation::{Conversation, Older};
pub use self::item::{Body, Delivery, Item, Key, Moves, NoticeKind, Speech};
pub use self::mention::mentions;
pub use self::timeline::Timeline;
use crate::output::{Message, MessageKind, Output, RoomWhy, Wire};
use crate::target::Target;

/// The bounds of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items of one conversation.
    pub items: usize,
    /// Items of all conversations.
    pub all_items: usize,
    /// Bytes of text of all conversations.
    pub bytes: usize,
    /// Conversations with users.
    pub users: usize,
}

impl Limits {
    /// Those of an ordinary session.
    pub const USUAL: Self =
        Self { items: 10_000, all_items: 50_000, bytes: 16 * 1024 * 1024, users: 200 };
}

/// Something that a user who looks elsewhere is told by a bell or a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The conversation.
    pub target: Target,
    /// Who has said it.
    pub from: ScreenText,
    /// The beginning of the text.
    pub text: ScreenText,
}

/// At most so many alerts wait for a screen that takes none.
const ALERTS: usize = 32;

/// What a screen shows of the chat.
#[derive(Debug)]
pub struct Model {
    limits: Limits,
    /// The lobby, then rooms in the order in which they were joined, then users in the order in which they were opened.
    conversations: Vec<Conversation>,
    front: Target,
    /// Whether the end of the conversation in front is seen.
    seeing: bool,
    last_key: u64,
    alerts: VecDeque<Alert>,
}

impl Model {
    /// A model of a chat in which nothing was said.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            conversations: vec![Conversation::new(Target::Lobby)],
            front: Target::Lobby,
            seeing: true,
            last_key: 0,
            alerts: VecDeque::new(),
        }
    }

    /// The conversations, in the order in which they are numbered.
    pub fn conversations(&self) -> &[Conversation] {
        &self.conversations
    }

    /// The target of the conversation in front.
    pub fn front(&self) -> &Target {
        &self.front
    }

    /// The conversation in front.
    pub fn in_front(&self) -> Option<&Conversation> {
        self.conversation(&self.front)
    }

    /// The conversation at a target, if there is one.
    pub fn conversation(&self, target: &Target) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.is_at(target))
    }

    /// Takes the next alert.
    pub fn take_alert(&mut self) -> Option<Alert> {
        self.alerts.pop_front()
    }

    /// Brings a conversation to the front. That which was there until now is read up to here: its marker is set to its end if
    /// that was seen.
    pub(crate) fn bring(&mut self, target: &Target) {
        if *target == self.front {
            return;
        }
        let seeing = self.seeing;
        let front = self.front.clone();
        if let Some(left) = self.find(&front).filter(|_| seeing) {
            left.leave();
        }
        self.open(target);
        self.front = target.clone();
        if let Some(conversation) = self.find(target).filter(|_| seeing) {
            conversation.read();
        }
    }

    /// Whether the end of the conversation in front is seen from now on.
    pub(crate) fn see(&mut self, seeing: bool) {
        let before = std::mem::replace(&mut self.seeing, seeing);
        let front = self.front.clone();
        if let Some(conversation) = self.find(&front) {
            match (before, seeing) {
                (false, true) => conversation.read(),
                (true, false) => conversation.leave(),
                _ => {}
            }
        }
    }

    /// Takes the conversation with a user off the list.
    pub(crate) fn close(&mut self, target: &Target) {
        if matches!(target, Target::User(_)) {
            self.conversations.retain(|conversation| !conversation.is_at(target));
        }
    }

    /// A page of older messages was asked for.
    pub(crate) fn older_asked(&mut self, target: &Target) {
        if let Some(conversation) = self.find(target) {
            conversation.older = Older::Asked;
        }
    }

    /// Takes an output; `me` is the name of this user, `now` is in seconds since 1970.
    pub(crate) fn apply(&mut self, output: &Output, me: &str, now: i64) {
        match output {
            Output::Message(message) => self.message(message, me),
            Output::Stored { tag, id } => self.delivered(tag, Delivery::Stored, Some(*id)),
            Output::Rejected { refused, .. } => {
                let why = ScreenText::new(refused.error.as_wire());
                self.delivered(refused.tag.as_wire(), Delivery::Refused(why), None);
            }
            Output::Page { with, more, code, .. } => {
                let target = self.target_of(with);
                if let Some(conversation) = self.find(&target) {
                    let more = *more && code.is_none();
                    conversation.older = if more { Older::More } else { Older::Beginning };
                }
            }
            Output::Welcome { more, .. } => {
                if let Some(lobby) = self.find(&Target::Lobby) {
                    lobby.older = if *more { Older::More } else { lobby.older };
                }
            }
            Output::Rooms { rooms, .. } => {
                for room in rooms {
                    self.open(&Target::Room(room.as_wire().to_owned()));
                }
            }
            Output::Room(room, why) => {
                let target = self.target_of(&room.name);
                if matches!(why, RoomWhy::Member | RoomWhy::Joined | RoomWhy::Front) {
                    self.open(&target);
                }
                if let Some(conversation) = self.find(&target) {
                    conversation.topic = ScreenText::new(room.topic.as_wire());
                }
                if matches!(why, RoomWhy::Changed(_)) {
                    self.notice(&target, output, now);
                }
            }
            Output::Lobby | Output::WithUser(_) => {}
            Output::RoomLeft(left) => {
                let target = Target::Room(left.room.as_wire().to_owned());
                let front = self.front.clone();
                self.notice(&target, output, now);
                if front != target {
                    self.notice(&front, output, now);
                    self.conversations.retain(|conversation| !conversation.is_at(&target));
                }
            }
            Output::RoomUsers { room, users, joined } => {
                let target = self.target_of(room);
                for user in users {
                    self.moved(&target, &|moves, user| moves.add(user, *joined), user, now);
                }
            }
            Output::Joined(name) => {
                self.moved(&Target::Lobby, &|moves, user| moves.add(user, true), name, now);
            }
            Output::Left(name) => {
                self.moved(&Target::Lobby, &|moves, user| moves.add(user, false), name, now);
            }
            Output::Renamed { old, new } => {
                self.renamed(old.as_wire(), new.as_wire());
                self.notice(&Target::Lobby, output, now);
            }
            Output::Notice(notice, _) => {
                let target = notice.room.as_ref().map(|room| self.target_of(room));
                let target = target.filter(|target| self.conversation(target).is_some());
                let target = target.unwrap_or_else(|| self.front.clone());
                self.notice(&target, output, now);
            }
            // A screen counts and lists these itself.
            Output::Unread(_) | Output::Users { .. } | Output::Prompt { .. } => {}
            // Those one by one come as well; a timeline has its own way to set apart what was before.
            Output::Moves { .. } | Output::Earlier(_) => {}
            Output::Presence(_) => self.notice(&Target::Lobby, output, now),
            _ => {
                let front = self.front.clone();
                self.notice(&front, output, now);
            }
        }
        self.trim();
    }

    fn message(&mut self, message: &Message, me: &str) {
        let from = message.from.as_wire();
        let own = from == me;
        let target = match &message.to {
            Some(room) if message.in_room => Target::Room(room.as_wire().to_owned()),
            Some(to) if own => Target::User(to.as_wire().to_owned()),
            Some(_) => Target::User(from.to_owned()),
            None if from == SERVER => self.front.clone(),
            None => Target::Lobby,
        };
        let live = matches!(message.kind, MessageKind::Live | MessageKind::Missed);
        let speech = Speech::new(message, own, !own && mentions(message.text.as_wire(), me));
        let is_private = matches!(target, Target::User(_));
        let alerts = live && !own && (speech.mention || is_private);
        let key = self.next_key();
        let unseen = live && !own && !(self.seeing && target == self.front);
        self.open(&target);
        if alerts {
            let alert = Alert {
                target: target.clone(),
                from: speech.from.clone(),
                text: ScreenText::shortened(message.text.as_wire(), 200),
            };
            self.alerts.push_back(alert);
            while self.alerts.len() > ALERTS {
                self.alerts.pop_front();
            }
        }
        let Some(conversation) = self.find(&target) else { return };
        if conversation.insert(key, message.taken.unwrap_or(message.time), speech) && unseen {
            conversation.unread += 1;
            conversation.mentions += usize::from(alerts);
        }
    }

    fn delivered(&mut self, tag: &str, delivery: Delivery, id: Option<u64>) {
        for conversation in &mut self.conversations {
            if conversation.delivered(tag, &delivery, id) {
                return;
            }
        }
    }

    /// Shows the words of an output in a conversation.
    fn notice(&mut self, target: &Target, output: &Output, now: i64) {
        let key = self.next_key();
        if let Some(conversation) = self.find(target) {
            conversation.push(Item { key, time: now, body: Body::notice(output) });
        }
    }

    fn moved(
        &mut self,
        target: &Target,
        add: &dyn Fn(&mut Moves, ScreenText),
        user: &Wire,
        now: i64,
    ) {
        let key = self.next_key();
        let name = ScreenText::shortened(user.as_wire(), item::NAME);
        if let Some(conversation) = self.find(target) {
            conversation.moves(key, now, |moves| add(moves, name));
        }
    }

    fn renamed(&mut self, old: &str, new: &str) {
        let target = Target::User(old.to_owned());
        if self.conversation(&Target::User(new.to_owned())).is_none()
            && let Some(conversation) = self.find(&target)
        {
            conversation.target = Target::User(new.to_owned());
            if self.front == target {
                self.front = Target::User(new.to_owned());
            }
        }
    }

    /// Opens a conversation, where there is none.
    fn open(&mut self, target: &Target) {
        if self.conversation(target).is_some() {
            return;
        }
        let conversation = Conversation::new(target.clone());
        let is_user = |conversation: &Conversation| matches!(conversation.target, Target::User(_));
        let users = self.conversations.iter().position(is_user);
        match (target, users) {
            (Target::Room(_), Some(place)) => self.conversations.insert(place, conversation),
            _ => self.conversations.push(conversation),
        }
        // The one that was not used for longest makes room for others.
        if self.conversations.iter().filter(|open| is_user(open)).count() > self.limits.users {
            let front = self.front.clone();
            let oldest = self
                .conversations
                .iter()
                .filter(|open| is_user(open) && !open.is_at(&front) && !open.is_at(target))
                .min_by_key(|open| open.timeline.last_key())
                .map(|open| open.target.clone());
            if let Some(oldest) = oldest {
                self.close(&oldest);
            }
        }
    }

    fn trim(&mut self) {
        let limits = self.limits;
        for conversation in &mut self.conversations {
            while conversation.timeline.len() > limits.items {
                conversation.drop_oldest();
            }
        }
        loop {
            let items: usize = self.conversations.iter().map(|one| one.timeline.len()).sum();
            let bytes: usize = self.conversations.iter().map(|one| one.timeline.bytes()).sum();
            if items <= limits.all_items && bytes <= limits.bytes {
                return;
            }
            // The longest one loses its oldest tenth.
            let longest = self.conversations.iter_mut().max_by_key(|one| one.timeline.bytes());
            let Some(longest) = longest else { return };
            for _ in 0..(longest.timeline.len() / 10).max(1) {
                longest.drop_oldest();
            }
        }
    }

    fn target_of(&self, name: &Wire) -> Target {
        match name.as_wire() {
            "" | ALL => Target::Lobby,
            name => Target::parse(name, true),
        }
    }

    fn next_key(&mut self) -> Key {
        self.last_key += 1;
        Key::new(self.last_key)
    }

    fn find(&mut self, target: &Target) -> Option<&mut Conversation> {
        self.conversations.iter_mut().find(|conversation| conversation.is_at(target))
    }
}
