//! Conversations: a timeline, and what of it is unread.

use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::ids::Id;

use super::item::{Body, Delivery, Item, Key, Moves, Speech};
use super::timeline::Timeline;
use crate::target::Target;

/// Whether there is more before the oldest item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// Nobody knows: it can be asked for, where the server has pages.
    Unknown,
    /// There is.
    More,
    /// It was asked for.
    Asked,
    /// The oldest item is the beginning.
    Beginning,
}

/// What was said at one target.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Where it is said.
    pub target: Target,
    /// What is talked about, of a room.
    pub topic: ScreenText,
    /// The items.
    pub timeline: Timeline,
    /// How many messages of others were not seen.
    pub unread: usize,
    /// How many of them name this user, or are private.
    pub mentions: usize,
    /// Behind this item begins what is new since the user looked elsewhere.
    pub marker: Option<Key>,
    /// What is before the oldest item.
    pub older: Older,
}

impl Conversation {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            topic: ScreenText::new(""),
            timeline: Timeline::default(),
            unread: 0,
            mentions: 0,
            marker: None,
            older: Older::Unknown,
        }
    }

    /// Whether it is the one at this target; names of users and rooms are compared without regard to case.
    pub fn is_at(&self, target: &Target) -> bool {
        match (&self.target, target) {
            (Target::Room(own), Target::Room(other)) | (Target::User(own), Target::User(other)) => {
                own == other || own.to_lowercase() == other.to_lowercase()
            }
            (own, other) => own == other,
        }
    }

    /// The user has seen its end: nothing is unread.
    pub(super) fn read(&mut self) {
        self.unread = 0;
        self.mentions = 0;
    }

    /// The user looks elsewhere: what comes from now on is new.
    pub(super) fn leave(&mut self) {
        self.marker = self.timeline.last_key();
    }

    /// Says whether the message was not there yet.
    pub(super) fn insert(&mut self, key: Key, time: i64, speech: Speech) -> bool {
        self.timeline.insert(Item { key, time, body: Body::Speech(speech) })
    }

    pub(super) fn push(&mut self, item: Item) {
        self.timeline.push(item);
    }

    /// Changes the comings and goings at the end, where there are none yet begins with them.
    pub(super) fn moves(&mut self, key: Key, time: i64, change: impl FnOnce(&mut Moves)) {
        if !matches!(self.timeline.last_mut(), Some(Item { body: Body::Moves(_), .. })) {
            self.push(Item { key, time, body: Body::Moves(Moves::default()) });
        }
        self.timeline.change_last(|item| {
            if let Body::Moves(moves) = &mut item.body {
                change(moves);
                item.time = time;
            }
        });
    }

    /// Notes what became of the message of this key. Says whether there is one.
    pub(super) fn delivered(&mut self, tag: &str, delivery: &Delivery, id: Option<Id>) -> bool {
        let is_it = |item: &Item| match &item.body {
            Body::Speech(speech) => speech.tag.as_deref() == Some(tag),
            _ => false,
        };
        let Some(item) = self.timeline.find_newest(is_it) else { return false };
        if let Body::Speech(speech) = &mut item.body {
            speech.delivery = delivery.clone();
            speech.id = speech.id.or(id);
        }
        true
    }

    /// Forgets the oldest item; it can be asked for again.
    pub(super) fn drop_oldest(&mut self) {
        let dropped = self.timeline.pop_oldest();
        if dropped.is_some_and(|item| matches!(item.body, Body::Speech(_))) {
            self.older = Older::More;
        }
    }
}
