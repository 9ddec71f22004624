//! Messages and the lists of their ids and times, put together.

use crate::capability::ids::{self, Id};
use crate::capability::meta::{self, Meta};
use crate::capability::{Capabilities, Capability};
use crate::entry::Entry;
use crate::server_frame::{Deviation, Deviations, Element, Entries, Ids, List, Metas, Times};

/// The messages of a frame, each with its number and its time where the lists fit together (ID-1). They are read from the
/// frame when they are needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbered {
    messages: Entries,
    ids: Option<Ids>,
    times: Option<Times>,
    metas: Option<Metas>,
}

/// The lists that stand beside MESSAGES.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    pub(super) ids: Option<Ids>,
    pub(super) times: Option<Times>,
    pub(super) metas: Option<Metas>,
}

impl Beside {
    /// Drops the lists of what was offered, but not agreed.
    pub(super) fn retain(&mut self, agreed: Capabilities) {
        if !agreed.has(Capability::Ids) {
            (self.ids, self.times) = (None, None);
        }
        if !agreed.has(Capability::Meta) {
            self.metas = None;
        }
    }
}

/// What the server has written beside a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) id: Option<Id>,
    /// When the server took the message, in seconds since 1970 UTC.
    pub(super) taken: Option<i64>,
    /// What goes with the message.
    pub(super) meta: Option<Box<Meta>>,
}

impl Numbered {
    pub(super) fn new(messages: Option<Entries>, beside: Beside, notes: &mut Deviations) -> Self {
        let messages = messages.unwrap_or_default();
        let Beside { ids, times, metas } = beside;
        let count = messages.len();
        let ids = fitting(ids::IDS, Capability::Ids, ids, count, notes);
        let times = fitting(ids::TIMES, Capability::Ids, times, count, notes);
        let metas = fitting(meta::META, Capability::Meta, metas, count, notes);
        Self { messages, ids, times, metas }
    }

    /// How many messages follow.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Hands the next message to `take`, with its text borrowed from the frame.
    pub(super) fn next_with<T>(&mut self, take: impl FnOnce(Stamp, Entry<'_>) -> T) -> Option<T> {
        let id = self.ids.as_mut().and_then(|ids| ids.next_with(|id| id)).flatten();
        let taken = self.times.as_mut().and_then(|times| times.next_with(|time| time)).flatten();
        let meta = self.metas.as_mut().and_then(|metas| metas.next_with(|meta| meta)).flatten();
        self.messages.next_with(|entry| take(Stamp { id, taken, meta }, entry))
    }

    /// Hands all messages to `each`, without taking them.
    pub(super) fn look(&self, mut each: impl FnMut(&Stamp, &Entry<'_>)) {
        let mut messages = self.clone();
        while messages.next_with(|stamp, entry| each(&stamp, &entry)).is_some() {}
    }
}

/// The list, if it is as long as MESSAGES.
fn fitting<E: Element>(
    key: &'static str,
    of: Capability,
    list: Option<List<E>>,
    messages: usize,
    notes: &mut Deviations,
) -> Option<List<E>> {
    let fits = list.as_ref().is_none_or(|list| list.len() == messages);
    if !fits {
        notes.note(Deviation::WrongValue(key, of));
    }
    list.filter(|_| fits)
}
