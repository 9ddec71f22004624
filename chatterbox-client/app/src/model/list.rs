//! The list of conversations: their order, how one is found, and the bounds of them all together.

use std::collections::HashMap;

use super::conversation::Conversation;
use super::item::{Item, Key};
use super::limits::Limits;
use crate::target::Target;

/// Of each conversation that is not in front so many items are left as long as others have more.
const SPARED: usize = 50;

/// The lobby, then rooms in the order in which they were joined, then users in the order in which they were opened.
#[derive(Debug)]
pub(super) struct List {
    limits: Limits,
    conversations: Vec<Conversation>,
    /// The identities of the conversations, by folded target.
    serials: HashMap<Target, u64>,
    /// How many items and bytes all have.
    items: usize,
    bytes: usize,
    last_key: u64,
    last_serial: u64,
}

impl List {
    pub(super) fn new(limits: Limits) -> Self {
        let mut list = Self {
            limits,
            conversations: Vec::new(),
            serials: HashMap::new(),
            items: 0,
            bytes: 0,
            last_key: 0,
            last_serial: 0,
        };
        list.add(Target::Lobby, 0);
        list
    }

    pub(super) fn all(&self) -> &[Conversation] {
        &self.conversations
    }

    pub(super) fn find(&self, target: &Target) -> Option<&Conversation> {
        self.conversations.get(self.place(target)?)
    }

    /// The place of a conversation in the list.
    pub(super) fn place(&self, target: &Target) -> Option<usize> {
        let serial = *self.serials.get(&target.folded())?;
        self.conversations.iter().position(|conversation| conversation.serial == serial)
    }

    pub(super) fn with_serial(&self, serial: u64) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.serial == serial)
    }

    /// The room with a number, whatever its name.
    pub(super) fn room(&self, number: u64) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.number == Some(number))
    }

    pub(super) fn next_key(&mut self) -> Key {
        self.last_key += 1;
        Key::new(self.last_key)
    }

    /// Changes a conversation, and keeps count of what all have.
    pub(super) fn change<R>(
        &mut self,
        target: &Target,
        change: impl FnOnce(&mut Conversation) -> R,
    ) -> Option<R> {
        let place = self.place(target)?;
        self.change_at(place, change)
    }

    pub(super) fn change_at<R>(
        &mut self,
        place: usize,
        change: impl FnOnce(&mut Conversation) -> R,
    ) -> Option<R> {
        let conversation = self.conversations.get_mut(place)?;
        self.items -= conversation.timeline.len();
        self.bytes = self.bytes.saturating_sub(conversation.timeline.bytes());
        let result = change(conversation);
        self.items += conversation.timeline.len();
        self.bytes += conversation.timeline.bytes();
        Some(result)
    }

    /// Changes every conversation.
    pub(super) fn change_all(&mut self, mut change: impl FnMut(&mut Conversation)) {
        for place in 0..self.conversations.len() {
            self.change_at(place, &mut change);
        }
    }

    /// Opens a conversation, where there is none. The one of its kind that was not used for longest makes room for it, except the
    /// one in front. Gives the one that is gone.
    pub(super) fn open(&mut self, target: &Target, front: &Target) -> Option<Conversation> {
        if self.place(target).is_some() {
            return None;
        }
        let is_user = matches!(target, Target::User(_));
        let same = |open: &Conversation| {
            open.target != Target::Lobby && is_user == matches!(open.target, Target::User(_))
        };
        let most = if is_user { self.limits.users } else { self.limits.rooms };
        let gone = if self.conversations.iter().filter(|open| same(open)).count() < most {
            None
        } else {
            let front = self.find(front).map(|front| front.serial);
            let is_other = |open: &&Conversation| same(open) && Some(open.serial) != front;
            let others = self.conversations.iter().filter(is_other);
            let oldest = others.min_by_key(|open| (open.opened, open.timeline.last_key()));
            oldest.map(|open| open.target.clone()).and_then(|oldest| self.remove(&oldest))
        };
        let is_user = |open: &Conversation| matches!(open.target, Target::User(_));
        let users = self.conversations.iter().position(is_user);
        let place = match (target, users) {
            (Target::Room(_), Some(place)) => place,
            _ => self.conversations.len(),
        };
        self.add(target.clone(), place);
        gone
    }

    fn add(&mut self, target: Target, place: usize) {
        self.last_serial += 1;
        self.serials.insert(target.folded(), self.last_serial);
        self.conversations.insert(place, Conversation::new(target, self.last_serial));
    }

    /// Takes a conversation off the list.
    pub(super) fn remove(&mut self, target: &Target) -> Option<Conversation> {
        let place = self.place(target).filter(|place| *place > 0)?;
        let gone = self.conversations.remove(place);
        self.items -= gone.timeline.len();
        self.bytes = self.bytes.saturating_sub(gone.timeline.bytes());
        self.serials.remove(&gone.target.folded());
        Some(gone)
    }

    /// Gives a conversation another name, unless there is another one of that name. Says whether it has it now.
    pub(super) fn rename(&mut self, old: &Target, new: &Target) -> bool {
        let Some(place) = self.place(old) else { return false };
        if self.place(new).is_some_and(|known| known != place) {
            return false;
        }
        let Some(serial) = self.serials.remove(&old.folded()) else { return false };
        if let Some(conversation) = self.conversations.get_mut(place) {
            conversation.target = new.clone();
        }
        self.serials.insert(new.folded(), serial);
        true
    }

    /// Whether another page would still find room in a conversation.
    pub(super) fn has_room(&self, target: &Target, page: usize) -> bool {
        let own = self.find(target).map_or(0, |conversation| conversation.timeline.len());
        own + page <= self.limits.items
            && self.items + page <= self.limits.all_items
            && self.bytes < self.limits.bytes
    }

    /// Drops what is beyond the bounds: the oldest items of the conversation that was changed, or of those that were not in front
    /// for longest.
    pub(super) fn trim(&mut self, changed: &Target, front: &Target) -> Vec<Item> {
        let mut dropped = Vec::new();
        let limits = self.limits;
        while self.find(changed).is_some_and(|one| one.timeline.len() > limits.items) {
            let item = self.change(changed, Conversation::drop_oldest);
            dropped.extend(item.flatten());
        }
        while self.items > limits.all_items || self.bytes > limits.bytes {
            let Some(place) = self.to_shorten(front) else { break };
            let tenth = self.conversations.get(place).map_or(0, |one| one.timeline.len() / 10);
            for _ in 0..tenth.max(1) {
                let item = self.change_at(place, Conversation::drop_oldest);
                dropped.extend(item.flatten());
            }
        }
        dropped
    }

    /// The place of the conversation that loses its oldest items.
    fn to_shorten(&self, front: &Target) -> Option<usize> {
        let front = self.place(front);
        let all = || self.conversations.iter().enumerate();
        let others =
            all().filter(|(place, one)| one.timeline.len() > SPARED && Some(*place) != front);
        let unused = others.min_by_key(|(_, one)| (one.opened, one.timeline.last_key()));
        let longest = || {
            let filled = all().filter(|(_, one)| !one.timeline.is_empty());
            filled.max_by_key(|(_, one)| one.timeline.bytes())
        };
        unused.or_else(longest).map(|(place, _)| place)
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.items, self.bytes)
    }
}
