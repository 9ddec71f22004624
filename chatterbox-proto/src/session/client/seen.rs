//! Deduplication of received messages by id and content.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::capability::ids::Id;
use crate::entry::Entry;

/// The number of recent messages that are remembered one by one.
const KEPT: usize = 4096;

/// The last messages that had a number.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// A digest of each message, since after a restart without its database a server counts from 1 again.
    recent: BTreeMap<Id, u64>,
    last: Id,
}

impl Seen {
    /// The number of the last message; 0 is the place before the first.
    pub(super) fn last(&self) -> Id {
        self.last
    }

    /// Remembers a message. Says whether it is new.
    pub(super) fn note(&mut self, id: Id, entry: &Entry<'_>) -> bool {
        let digest = digest(entry);
        if self.recent.insert(id, digest) == Some(digest) {
            return false;
        }
        if self.recent.len() > KEPT {
            self.recent.pop_first();
        }
        self.last = self.last.max(id);
        true
    }

    /// Everything up to this number is known, or of no interest.
    pub(super) fn reach(&mut self, id: Id) {
        self.last = self.last.max(id);
    }

    /// Whether no message was seen that had a number.
    pub(super) fn is_empty(&self) -> bool {
        self.recent.is_empty()
    }

    /// Whether this very message was seen. A history without any such message may be another one, with ids of its own.
    pub(super) fn has(&self, id: Id, entry: &Entry<'_>) -> bool {
        self.recent.get(&id).is_some_and(|seen| *seen == digest(entry))
    }

    /// Forgets everything, for another history.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn digest(entry: &Entry<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&entry.source, &entry.destination, entry.timestamp, &entry.content).hash(&mut hasher);
    hasher.finish()
}
