//! A timeline: the items of one conversation, in their order.
//!
//! Messages with a number stand in the order of their numbers, each number once; holes cut it into stretches, and each stretch has
//! an order of its own, since behind a hole another history may begin. Everything else stands where it came.

use std::collections::VecDeque;

use chatterbox_proto::capability::ids::Id;

use super::item::{Body, Hole, Item, Key};

/// The items of one conversation.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    items: VecDeque<Item>,
    /// The same items' keys, close together: a screen looks for a key with every frame.
    keys: VecDeque<Key>,
    bytes: usize,
    /// The greatest number of the last stretch.
    newest: Option<Id>,
    holes: usize,
}

/// Where a message is to be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// In the last stretch.
    End,
    /// In the first stretch: it is on a page of older ones.
    Top,
    /// Behind this hole.
    Behind(Key),
}

/// What has become of a message that was to be put somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It was there already.
    Known,
    /// It is the last item.
    Last,
    /// It is before others.
    Before,
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

    /// The place of an item; near the end it is found at once.
    pub fn place(&self, key: Key) -> Option<usize> {
        const NEAR: usize = 256;
        let end = self.keys.iter().rev().take(NEAR).position(|known| *known == key);
        match end {
            Some(behind) => Some(self.keys.len() - 1 - behind),
            None => self.keys.iter().position(|known| *known == key),
        }
    }

    /// The newest item.
    pub fn last_key(&self) -> Option<Key> {
        self.keys.back().copied()
    }

    /// The newest item that is no hole: holes are closed, and the marker stands behind what stays.
    pub(super) fn end(&self) -> Option<Key> {
        self.end_before(self.items.len())
    }

    /// The same before a place.
    pub(super) fn end_before(&self, place: usize) -> Option<Key> {
        let mut before = self.items.range(..place.min(self.items.len())).rev();
        before.find(|item| !is_hole(item)).map(|item| item.key)
    }

    /// The number of the oldest message that has one.
    pub fn oldest_id(&self) -> Option<Id> {
        self.items.iter().find_map(id)
    }

    /// The greatest number of the last stretch.
    pub(super) fn newest_id(&self) -> Option<Id> {
        self.newest
    }

    /// The last message up to a number.
    pub(super) fn last_up_to(&self, upto: Id) -> Option<Key> {
        let mut newest_first = self.items.iter().rev();
        newest_first.find(|item| id(item).is_some_and(|id| id <= upto)).map(|item| item.key)
    }

    /// The numbers of the messages of others behind a number.
    pub(super) fn others_behind(&self, upto: Id) -> impl Iterator<Item = Id> {
        let others = self
            .items
            .iter()
            .filter(|item| matches!(&item.body, Body::Speech(speech) if !speech.own));
        others.filter_map(id).filter(move |id| *id > upto)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes of all items, counted anew.
    #[cfg(test)]
    pub(crate) fn bytes_for_test(&self) -> usize {
        self.items.iter().map(|item| item.body.bytes()).sum()
    }

    pub(super) fn push(&mut self, item: Item) {
        self.put(self.items.len(), item);
    }

    /// The number of the first message behind an item.
    pub(super) fn first_id_behind(&self, key: Key) -> Option<Id> {
        self.items.range(self.place(key)? + 1..).find_map(id)
    }

    /// Puts a message where its number belongs, if it has one.
    pub(super) fn insert(&mut self, item: Item, spot: Spot) -> Put {
        let Some(number) = id(&item) else {
            self.push(item);
            return Put::Last;
        };
        if spot == Spot::End && self.newest.is_none_or(|newest| newest < number) {
            self.push(item);
            return Put::Last;
        }
        if let Spot::Behind(hole) = spot {
            self.close(hole, number, &item);
        }
        let (start, end) = self.stretch(spot, number);
        match self.search(number, start, end) {
            Ok(_) => Put::Known,
            Err(place) => {
                let last = place == self.items.len();
                self.put(place, item);
                if last { Put::Last } else { Put::Before }
            }
        }
    }

    /// Says that messages are missing at the end, where there are messages with numbers.
    pub(super) fn push_hole(&mut self, key: Key, time: i64) {
        if self.newest.is_some() {
            self.push(Item { key, time, body: Body::Hole(Hole::Open) });
        }
    }

    /// Gives a message its number, and puts it where that belongs. A message with this number that is there already stays alone.
    pub(super) fn number(&mut self, key: Key, number: Id) {
        let Some(place) = self.place(key) else { return };
        let Some(item) = self.items.get(place) else { return };
        if id(item).is_some() {
            return;
        }
        // It was said now, as the server counts now, unless it comes before all of that.
        let (own, last) = (self.stretch_at(place), self.stretch_at(self.items.len()));
        let first = self.items.range(last.0..last.1).find_map(id);
        let (start, end) = if first.is_some_and(|first| number < first) { own } else { last };
        let found = self.search(number, start, end);
        let Some(mut item) = self.remove(place) else { return };
        let Err(to) = found else { return };
        if let Body::Speech(speech) = &mut item.body {
            speech.id = Some(number);
        }
        let to = if to > place { to - 1 } else { to };
        // Where neither a message with a number nor a hole is between both places, it may stay.
        let mut between = self.items.range(place.min(to)..place.max(to));
        let stays = between.all(|item| id(item).is_none() && !is_hole(item));
        self.put(if stays { place } else { to }, item);
    }

    /// Changes an item, and counts its bytes anew.
    pub(super) fn change<R>(&mut self, key: Key, change: impl FnOnce(&mut Body) -> R) -> Option<R> {
        let place = self.place(key)?;
        let item = self.items.get_mut(place)?;
        self.bytes = self.bytes.saturating_sub(item.body.bytes());
        let result = change(&mut item.body);
        self.bytes += item.body.bytes();
        Some(result)
    }

    /// The last item.
    pub(super) fn last(&self) -> Option<&Item> {
        self.items.back()
    }

    pub(super) fn touch_last(&mut self, time: i64) {
        if let Some(item) = self.items.back_mut() {
            item.time = time;
        }
    }

    pub(super) fn pop_oldest(&mut self) -> Option<Item> {
        self.remove(0)
    }

    pub(super) fn pop_newest(&mut self) -> Option<Item> {
        self.remove(self.items.len().checked_sub(1)?)
    }

    /// Removes the messages up to a number, and holes that nothing is above of; gives their keys.
    pub(super) fn clear(&mut self, floor: Id) -> Vec<Key> {
        let mut cleared = Vec::new();
        let items = std::mem::take(self).items;
        for item in items {
            let leads = is_hole(&item) && !self.items.iter().any(is_speech);
            if leads || id(&item).is_some_and(|id| id <= floor) {
                cleared.push(item.key);
            } else {
                self.push(item);
            }
        }
        cleared
    }

    fn put(&mut self, place: usize, item: Item) {
        self.bytes += item.body.bytes();
        if is_hole(&item) {
            self.holes += 1;
            self.newest = None;
        }
        self.newest = self.newest.max(id(&item).filter(|_| self.is_in_last_stretch(place)));
        self.keys.insert(place, item.key);
        self.items.insert(place, item);
    }

    fn remove(&mut self, place: usize) -> Option<Item> {
        let item = self.items.remove(place)?;
        self.keys.remove(place);
        self.bytes = self.bytes.saturating_sub(item.body.bytes());
        let number = id(&item);
        if is_hole(&item) {
            self.holes -= 1;
        }
        if is_hole(&item) || number.is_some() && number == self.newest {
            let last = self.items.iter().rev().take_while(|item| !is_hole(item));
            self.newest = last.filter_map(id).max();
        }
        Some(item)
    }

    fn is_in_last_stretch(&self, place: usize) -> bool {
        self.holes == 0 || !self.items.range(place.min(self.items.len())..).any(is_hole)
    }

    /// Removes a hole, and those above it up to a message that is above them already and comes on the page that is to fill it:
    /// nothing is missing between both then.
    fn close(&mut self, hole: Key, number: Id, item: &Item) {
        let Some(place) = self.place(hole) else { return };
        let mut end = place;
        loop {
            let (start, _) = self.stretch_at(end);
            if self.has_same(number, item, start, end) {
                return self.merge(start, place);
            }
            match start.checked_sub(1) {
                Some(above) => end = above,
                None => return,
            }
        }
    }

    /// Whether a message stands between two places. In another history its number is that of something else.
    fn has_same(&self, number: Id, item: &Item, start: usize, end: usize) -> bool {
        let Ok(known) = self.search(number, start, end) else { return false };
        let Some(known) = self.items.get(known) else { return false };
        // A user may have had another name.
        match (&known.body, &item.body) {
            (Body::Speech(one), Body::Speech(other)) => {
                one.lines == other.lines && (one.from == other.from || known.time == item.time)
            }
            _ => false,
        }
    }

    /// Removes the holes between two places, and puts every message of that stretch where it belongs: those of a page may be older
    /// than the first ones above it.
    fn merge(&mut self, start: usize, hole: usize) {
        for place in (start..=hole).rev() {
            if self.items.get(place).is_some_and(is_hole) {
                self.remove(place);
            }
        }
        let mut late = Vec::new();
        let mut newest = None;
        let mut place = start;
        while let Some(item) = self.items.get(place).filter(|item| !is_hole(item)) {
            match id(item) {
                number @ Some(_) if number <= newest => late.extend(self.remove(place)),
                number => {
                    newest = newest.max(number);
                    place += 1;
                }
            }
        }
        for item in late {
            let Some(number) = id(&item) else { continue };
            let (_, end) = self.stretch_at(start);
            if let Err(place) = self.search(number, start, end) {
                self.put(place, item);
            }
        }
    }

    /// The stretch that a message belongs to.
    fn stretch(&self, spot: Spot, number: Id) -> (usize, usize) {
        if self.holes == 0 {
            return (0, self.items.len());
        }
        match spot {
            Spot::Top => self.stretch_at(0),
            Spot::Behind(hole) => match self.place(hole) {
                Some(place) => self.stretch_at(place + 1),
                None => self.home(number),
            },
            Spot::End => self.stretch_at(self.items.len()),
        }
    }

    /// The stretch around a place, which is no hole.
    fn stretch_at(&self, place: usize) -> (usize, usize) {
        let place = place.min(self.items.len());
        if self.holes == 0 {
            return (0, self.items.len());
        }
        let before = self.items.range(..place).rev().position(is_hole);
        let behind = self.items.range(place..).position(is_hole);
        (
            before.map_or(0, |steps| place - steps),
            behind.map_or(self.items.len(), |steps| place + steps),
        )
    }

    /// The last stretch that begins before a number.
    fn home(&self, number: Id) -> (usize, usize) {
        let mut end = self.items.len();
        loop {
            let (start, end_of_it) = self.stretch_at(end);
            let first = self.items.range(start..end_of_it).find_map(id);
            if start == 0 || first.is_some_and(|first| first <= number) {
                return (start, end_of_it);
            }
            end = start - 1;
        }
    }

    /// The place of a number between two places, or else the place where it belongs: right behind the one before it.
    fn search(&self, number: Id, start: usize, end: usize) -> Result<usize, usize> {
        let (mut low, mut high) = (start, end);
        while low < high {
            let middle = low + (high - low) / 2;
            let numbered = self.items.range(middle..high).zip(middle..);
            let Some((known, at)) = numbered.filter_map(|(item, at)| Some((id(item)?, at))).next()
            else {
                high = middle;
                continue;
            };
            match known.cmp(&number) {
                std::cmp::Ordering::Equal => return Ok(at),
                std::cmp::Ordering::Less => low = at + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }
}

fn is_speech(item: &Item) -> bool {
    matches!(item.body, Body::Speech(_))
}

fn is_hole(item: &Item) -> bool {
    matches!(item.body, Body::Hole(_))
}

fn id(item: &Item) -> Option<Id> {
    match &item.body {
        Body::Speech(speech) => speech.id,
        _ => None,
    }
}
