//! Messages and the lists of their ids and times, put together.

use crate::capability::Capability;
use crate::capability::ids::{self, Id};
use crate::entry::Entry;
use crate::server_frame::{Deviation, Deviations, Element, Entries, Ids, List, Times};

/// The messages of a frame, each with its number and its time where the lists fit together (ID-1). They are read from the
/// frame when they are needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbered {
    messages: Entries,
    ids: Option<Ids>,
    times: Option<Times>,
}

/// What the server has written beside a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) id: Option<Id>,
    /// When the server took the message, in seconds since 1970 UTC.
    pub(super) taken: Option<i64>,
}

impl Numbered {
    pub(super) fn new(
        messages: Option<Entries>,
        ids: Option<Ids>,
        times: Option<Times>,
        notes: &mut Deviations,
    ) -> Self {
        let messages = messages.unwrap_or_default();
        let ids = fitting(ids::IDS, ids, messages.len(), notes);
        let times = fitting(ids::TIMES, times, messages.len(), notes);
        Self { messages, ids, times }
    }

    /// How many messages follow.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Hands the next message to `take`, with its text borrowed from the frame.
    pub(super) fn next_with<T>(&mut self, take: impl FnOnce(Stamp, Entry<'_>) -> T) -> Option<T> {
        let id = self.ids.as_mut().and_then(|ids| ids.next_with(|id| id)).flatten();
        let taken = self.times.as_mut().and_then(|times| times.next_with(|time| time)).flatten();
        self.messages.next_with(|entry| take(Stamp { id, taken }, entry))
    }

    /// Hands all messages to `each`, without taking them.
    pub(super) fn look(&self, mut each: impl FnMut(Option<Id>, &Entry<'_>)) {
        let mut messages = self.clone();
        while messages.next_with(|stamp, entry| each(stamp.id, &entry)).is_some() {}
    }
}

/// The list, if it is as long as MESSAGES.
fn fitting<E: Element>(
    key: &'static str,
    list: Option<List<E>>,
    messages: usize,
    notes: &mut Deviations,
) -> Option<List<E>> {
    let fits = list.as_ref().is_none_or(|list| list.len() == messages);
    if !fits {
        notes.note(Deviation::WrongValue(key, Capability::Ids));
    }
    list.filter(|_| fits)
}
