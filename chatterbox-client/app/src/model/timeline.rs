//! A timeline: the items of one conversation, in their order.

use std::collections::VecDeque;

use chatterbox_proto::capability::ids::Id;

use super::item::{Body, Item, Key};

/// The items of one conversation.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Timeline {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The item at a place.
    pub fn item(&self, place: usize) -> Option<&Item> {
        self.items.get(place)
    }

    /// All items, from the oldest on.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Item> + ExactSizeIterator {
        self.items.iter()
    }

    /// The place of an item.
    pub fn place(&self, key: Key) -> Option<usize> {
        self.items.iter().position(|item| item.key == key)
    }

    /// The newest item.
    pub fn last_key(&self) -> Option<Key> {
        self.items.back().map(|item| item.key)
    }

    /// The number of the oldest message that has one.
    pub fn oldest_id(&self) -> Option<Id> {
        self.items.iter().find_map(|item| id(item))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, item: Item) {
        self.bytes += item.body.bytes();
        self.items.push_back(item);
    }

    /// Puts a message where its number belongs. Says whether it was not there yet.
    pub(super) fn insert(&mut self, item: Item) -> bool {
        let Some(number) = id(&item) else {
            self.push(item);
            return true;
        };
        // From the end, since nearly everything is new.
        let mut place = self.items.len();
        for (at, known) in self.items.iter().enumerate().rev() {
            match id(known) {
                Some(known) if known == number => return false,
                Some(known) if known < number => break,
                Some(_) => place = at,
                None => {}
            }
        }
        self.bytes += item.body.bytes();
        self.items.insert(place, item);
        true
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Item> {
        self.items.back_mut()
    }

    /// The newest item that is like this.
    pub(super) fn find_newest(&mut self, like: impl Fn(&Item) -> bool) -> Option<&mut Item> {
        self.items.iter_mut().rev().find(|item| like(item))
    }

    /// Changes the newest item, and counts its bytes anew.
    pub(super) fn change_last(&mut self, change: impl FnOnce(&mut Item)) {
        if let Some(item) = self.items.back_mut() {
            self.bytes = self.bytes.saturating_sub(item.body.bytes());
            change(item);
            self.bytes += item.body.bytes();
        }
    }

    pub(super) fn pop_oldest(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes = self.bytes.saturating_sub(item.body.bytes());
        Some(item)
    }
}

fn id(item: &Item) -> Option<Id> {
    match &item.body {
        Body::Speech(speech) => speech.id,
        _ => None,
    }
}
