//! The sources of a segment's messages: every name is kept once with its sender, and each message has an index to it.
//!
//! Only a member who hides somebody, and the shares of senders, need them, so they are small: two bytes a message, and no
//! allocation a name.

use std::collections::{HashMap, HashSet};

use chatterbox_proto::Username;

/// The sources of the messages of one segment, in the order of the messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The keys of the names ([`Username::key`]), one behind the other.
    keys: String,
    /// The end of each key.
    ends: Vec<u32>,
    /// Whose share ([`crate::filing::Sender::number`]) the messages with each name take.
    senders: Vec<i64>,
    /// The index of the source of each message.
    each: Vec<u16>,
    /// The indexes of the names, for as long as messages are added.
    indexes: HashMap<(Username, i64), u16>,
    /// The source of the newest message, until then.
    newest: Option<(Username, i64)>,
}

impl Sources {
    /// Whether one more name would not have an index.
    pub(crate) fn is_full(&self) -> bool {
        self.ends.len() > usize::from(u16::MAX)
    }

    /// Adds the source of the next message, for which there has to be an index.
    pub(crate) fn push(&mut self, source: &Username, sender: i64) {
        // Many say several things in a row.
        let same = self.newest.as_ref().is_some_and(|(name, of)| name == source && *of == sender);
        let index = self.each.last().copied().filter(|_| same).unwrap_or_else(|| {
            self.newest = Some((source.clone(), sender));
            self.index_of(source, sender)
        });
        self.each.push(index);
    }

    fn index_of(&mut self, source: &Username, sender: i64) -> u16 {
        let both = (source.clone(), sender);
        if let Some(index) = self.indexes.get(&both) {
            return *index;
        }
        let new = self.add(source.key(), sender);
        self.indexes.insert(both, new);
        new
    }

    fn add(&mut self, key: &str, sender: i64) -> u16 {
        let new = u16::try_from(self.ends.len()).unwrap_or(u16::MAX);
        self.keys.push_str(key);
        self.ends.push(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        self.senders.push(sender);
        new
    }

    /// Adds the sources of the messages at some places of another segment, for which there has to be room. They are not
    /// looked up again: a name that is in both is kept twice.
    pub(crate) fn push_from(&mut self, other: &Self, places: impl Iterator<Item = usize>) {
        let mut indexes = vec![None; other.ends.len()];
        for place in places {
            let Some(old) = other.each.get(place).copied() else { continue };
            let Some(known) = indexes.get_mut(usize::from(old)) else { continue };
            let sender = other.senders.get(usize::from(old)).copied().unwrap_or_default();
            let index = *known.get_or_insert_with(|| self.add(other.key(usize::from(old)), sender));
            self.each.push(index);
        }
    }

    /// Whether the sources of another segment fit behind these.
    pub(crate) fn takes(&self, other: &Self) -> bool {
        self.ends.len() + other.ends.len() <= usize::from(u16::MAX)
    }

    /// The senders of the names, each at least once.
    pub(crate) fn senders(&self) -> &[i64] {
        &self.senders
    }

    /// The sender of the message at this place.
    pub(crate) fn sender_of(&self, place: usize) -> i64 {
        let index = self.each.get(place).map(|index| usize::from(*index));
        index.and_then(|index| self.senders.get(index).copied()).unwrap_or_default()
    }

    /// Gives back the memory that only adding needs.
    pub(crate) fn seal(&mut self) {
        (self.indexes, self.newest) = (HashMap::new(), None);
        self.keys.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.senders.shrink_to_fit();
        self.each.shrink_to_fit();
    }

    /// Which of the names are among these, by their index; nothing if none is. It looks at each name once, and at no message.
    pub(crate) fn among(&self, names: &HashSet<Username>) -> Option<Vec<bool>> {
        let among: Vec<_> =
            (0..self.ends.len()).map(|index| names.contains(self.key(index))).collect();
        among.contains(&true).then_some(among)
    }

    /// The index of the name that the message at this place is from.
    pub(crate) fn index_at(&self, place: usize) -> Option<usize> {
        self.each.get(place).map(|index| usize::from(*index))
    }

    fn key(&self, index: usize) -> &str {
        let end = |index: usize| self.ends.get(index).map_or(0, |end| *end as usize);
        let start = index.checked_sub(1).map_or(0, end);
        self.keys.get(start..end(index)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_its_source_and_every_name_is_kept_once() {
        let said = ["ann", "ANN", "b\u{f6}b", "ann", "B\u{d6}B", "cyd", "cyd"];
        let mut sources = Sources::default();
        for name in said {
            sources.push(&Username::parse(name).unwrap(), 7);
        }
        let check = |sources: &Sources| {
            for (place, name) in said.into_iter().enumerate() {
                let index = sources.index_at(place).unwrap();
                assert_eq!(sources.key(index), Username::parse(name).unwrap().key());
            }
            assert_eq!(sources.index_at(said.len()), None);
            assert_eq!(sources.key(3), "");
            let names =
                |texts: &[&str]| texts.iter().map(|t| Username::parse(t).unwrap()).collect();
            assert_eq!(sources.among(&names(&["Cyd", "eve"])), Some(vec![false, false, true]));
            assert_eq!(sources.among(&names(&["eve"])), None);
            assert_eq!(sources.keys, "annb\u{f6}bcyd");
        };
        check(&sources);
        sources.seal();
        check(&sources);
        assert!(sources.indexes.is_empty());
    }
}
