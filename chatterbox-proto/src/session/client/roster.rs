//! Presence: the users in the chat, in the order in which the server named them.

use std::collections::{BTreeMap, HashMap};

use crate::text::WireText;

/// The most users that are kept: a hostile server could name millions.
const USERS_KEPT: usize = 200_000;

/// The users of the chat.
#[derive(Debug, Default)]
pub(super) struct Roster {
    by_place: BTreeMap<u64, WireText<'static>>,
    places: HashMap<WireText<'static>, u64>,
    next: u64,
}

impl Roster {
    pub(super) fn names(&self) -> impl Iterator<Item = &WireText<'static>> {
        self.by_place.values()
    }

    pub(super) fn has(&self, name: &WireText<'static>) -> bool {
        self.places.contains_key(name)
    }

    /// Adds a user. Says whether the name is new.
    pub(super) fn add(&mut self, name: WireText<'static>) -> bool {
        if self.places.len() >= USERS_KEPT || self.has(&name) {
            return false;
        }
        self.places.insert(name.clone(), self.next);
        self.by_place.insert(self.next, name);
        self.next += 1;
        true
    }

    /// Removes a user. Says whether the name was there.
    pub(super) fn remove(&mut self, name: &WireText<'static>) -> bool {
        self.places.remove(name).and_then(|place| self.by_place.remove(&place)).is_some()
    }

    /// Gives a user another name, at the same place. Says whether the old name was there.
    pub(super) fn rename(&mut self, old: &WireText<'static>, new: WireText<'static>) -> bool {
        let Some(place) = self.places.remove(old) else {
            self.add(new);
            return false;
        };
        // The server may rename to a name that is present, by mistake; the two become one user.
        if let Some(other) = self.places.insert(new.clone(), place) {
            self.by_place.remove(&other);
        }
        self.by_place.insert(place, new);
        true
    }
}
