//! Presence: the users in the chat, in the order in which the server named them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most users that are kept: a hostile server could name millions.
pub(super) const USERS_KEPT: usize = 100_000;

/// The most bytes of all their names: a hostile server could name thousands of a hundred kilobytes.
const NAMES_KEPT: usize = 16 * 1024 * 1024;

/// The users of the chat. A name is stored once, and shared by the two ways to it.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// The users in their order; `None` where one has left.
    in_order: Vec<Option<Arc<str>>>,
    /// Where each of them is.
    places: HashMap<Arc<str>, usize>,
    /// Those of them who are away.
    away: HashSet<Arc<str>>,
    /// How many bytes their names have.
    bytes: usize,
}

impl Roster {
    /// All users whom a welcome names.
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.in_order.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Adds a user. Says whether the name is new.
    pub(super) fn add(&mut self, name: &str) -> bool {
        if self.places.len() >= USERS_KEPT || self.has(name) || !self.has_room(name) {
            return false;
        }
        self.bytes += name.len();
        if self.in_order.len() >= 2 * self.places.len().max(16) {
            self.close_gaps();
        }
        let name: Arc<str> = name.into();
        self.places.insert(Arc::clone(&name), self.in_order.len());
        self.in_order.push(Some(name));
        true
    }

    /// Removes a user. Says whether the name was there.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.away.remove(name);
        self.places.remove(name).is_some_and(|place| {
            self.bytes = self.bytes.saturating_sub(name.len());
            self.take(place)
        })
    }

    /// Gives a user another name, at the same place. Says whether the old name was there.
    pub(super) fn rename(&mut self, old: &str, new: &str) -> bool {
        let Some(place) = self.places.remove(old) else {
            self.add(new);
            return false;
        };
        self.bytes = self.bytes.saturating_sub(old.len());
        if !self.has_room(new) {
            self.away.remove(old);
            return self.take(place);
        }
        let new: Arc<str> = new.into();
        if self.away.remove(old) {
            self.away.insert(Arc::clone(&new));
        }
        // The server may rename to a name that is present, by mistake; the two become one user.
        match self.places.insert(Arc::clone(&new), place) {
            Some(other) => drop(self.take(other)),
            None => self.bytes += new.len(),
        }
        if let Some(name) = self.in_order.get_mut(place) {
            *name = Some(new);
        }
        true
    }

    /// Whether a user is away.
    pub(super) fn is_away(&self, name: &str) -> bool {
        self.away.contains(name)
    }

    /// Notes whether a user who is here is away. Says whether they were before.
    pub(super) fn set_away(&mut self, name: &str, away: bool) -> bool {
        let Some((name, _)) = self.places.get_key_value(name) else { return false };
        let name = Arc::clone(name);
        if away { !self.away.insert(name) } else { self.away.remove(&name) }
    }

    fn has_room(&self, name: &str) -> bool {
        self.bytes.saturating_add(name.len()) <= NAMES_KEPT
    }

    fn take(&mut self, place: usize) -> bool {
        self.in_order.get_mut(place).and_then(Option::take).is_some()
    }

    /// Moves the users together, once as many have left as are there: each removal pays for one move.
    fn close_gaps(&mut self) {
        self.in_order.retain(Option::is_some);
        for (place, name) in self.in_order.iter().enumerate() {
            if let Some(known) = name.as_ref().and_then(|name| self.places.get_mut(name)) {
                *known = place;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Add(u8),
        Remove(u8),
        Rename(u8, u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let name = 0..12_u8;
        let step = prop_oneof![
            4 => name.clone().prop_map(Step::Add),
            3 => name.clone().prop_map(Step::Remove),
            2 => (name.clone(), name).prop_map(|(old, new)| Step::Rename(old, new)),
        ];
        prop::collection::vec(step, 0..200)
    }

    #[test]
    fn names_have_room_as_a_whole_and_give_it_back() {
        let mut roster = Roster::default();
        let long = |number: usize| format!("{number}{}", "x".repeat(1024 * 1024));
        assert_eq!((0..20).filter(|number| roster.add(&long(*number))).count(), 15);
        assert!(roster.add("short") && !roster.add(&long(20)));
        assert!(
            roster.rename("short", &long(20)) && !roster.has("short") && !roster.has(&long(20))
        );
        assert!(roster.remove(&long(3)) && roster.add(&long(20)) && !roster.add(&long(21)));
        assert!(roster.rename(&long(20), "short") && roster.add(&long(21)));
        assert_eq!((roster.len(), roster.names().count()), (16, 16));
    }

    proptest! {
        /// Against a list that is searched.
        #[test]
        fn it_is_a_list_of_names_without_doubles(steps in steps()) {
            let mut roster = Roster::default();
            let mut model: Vec<String> = Vec::new();
            for step in steps {
                let place = |model: &[String], name: u8| {
                    model.iter().position(|known| *known == name.to_string())
                };
                match step {
                    Step::Add(name) => {
                        let news = place(&model, name).is_none();
                        if news {
                            model.push(name.to_string());
                        }
                        prop_assert_eq!(roster.add(&name.to_string()), news);
                    }
                    Step::Remove(name) => {
                        let at = place(&model, name);
                        at.map(|at| model.remove(at));
                        prop_assert_eq!(roster.remove(&name.to_string()), at.is_some());
                    }
                    Step::Rename(old, new) => {
                        let at = place(&model, old);
                        prop_assert_eq!(
                            roster.rename(&old.to_string(), &new.to_string()),
                            at.is_some()
                        );
                        match (at, place(&model, new)) {
                            (Some(at), other) => {
                                model[at] = new.to_string();
                                if let Some(other) = other.filter(|other| *other != at) {
                                    model.remove(other);
                                }
                            }
                            (None, None) => model.push(new.to_string()),
                            (None, Some(_)) => {}
                        }
                    }
                }
                let names: Vec<_> = roster.names().map(|name| name.to_string()).collect();
                prop_assert_eq!(&names, &model);
                prop_assert_eq!(roster.len(), model.len());
            }
        }
    }

    #[test]
    fn a_hostile_server_fills_it_to_its_bound() {
        let mut roster = Roster::default();
        for number in 0..USERS_KEPT + 10 {
            roster.add(&number.to_string());
        }
        assert_eq!(roster.len(), USERS_KEPT);
        // Names that come and go leave nothing behind.
        for number in 0..5 * USERS_KEPT {
            roster.remove(&number.to_string());
            roster.add(&(number + 1).to_string());
        }
        assert!(roster.in_order.len() <= 2 * USERS_KEPT + 1, "{}", roster.in_order.len());
    }
}
