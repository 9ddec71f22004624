//! Messages and the list of their ids, put together.

use crate::capability::Capability;
use crate::capability::ids::{self, Id};
use crate::entry::Entry;
use crate::server_frame::{Deviation, Deviations, Entries, Ids};

/// The messages of a frame, each with its number where the two lists fit together (ID-1). They are read from the frame
/// when they are needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbered {
    messages: Entries,
    ids: Option<Ids>,
}

impl Numbered {
    pub(super) fn new(messages: Option<Entries>, ids: Option<Ids>, notes: &mut Deviations) -> Self {
        let messages = messages.unwrap_or_default();
        let fit = ids.as_ref().is_none_or(|ids| ids.len() == messages.len());
        if !fit {
            notes.note(Deviation::WrongValue(ids::IDS, Capability::Ids));
        }
        Self { messages, ids: ids.filter(|_| fit) }
    }

    /// How many messages follow.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Hands the next message to `take`, with its text borrowed from the frame.
    pub(super) fn next_with<T>(
        &mut self,
        take: impl FnOnce(Option<Id>, Entry<'_>) -> T,
    ) -> Option<T> {
        let id = self.ids.as_mut().and_then(|ids| ids.next_with(|id| id)).flatten();
        self.messages.next_with(|entry| take(id, entry))
    }

    /// Hands all messages to `each`, without taking them.
    pub(super) fn look(&self, mut each: impl FnMut(Option<Id>, &Entry<'_>)) {
        let mut messages = self.clone();
        while messages.next_with(|id, entry| each(id, &entry)).is_some() {}
    }
}
