//! What was said and is not over: what may come back as an echo, and what the server has not answered.

use std::collections::VecDeque;

use crate::entry::Entry;
use crate::limits;

/// A server that never echoes must not make the client remember everything it said.
pub(super) const UNECHOED_KEPT: usize = 256;

/// A message with a tag that the server has not answered (ID-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unanswered {
    pub(super) tag: String,
    pub(super) destination: String,
    pub(super) timestamp: i64,
    pub(super) content: String,
    /// Whether it came back, so that it is stored whatever became of the answer.
    arrived: bool,
}

impl Unanswered {
    /// The message, by somebody who is called `me` now.
    pub(super) fn entry<'a>(&'a self, me: &'a str) -> Entry<'a> {
        Entry {
            source: me.into(),
            destination: self.destination.as_str().into(),
            timestamp: self.timestamp,
            content: self.content.as_str().into(),
        }
    }
}

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Destination and content of what may come back (RT-3). The time is left out, since some servers set their own.
    unechoed: VecDeque<(String, String)>,
    /// Whether what was said last has come back.
    last_echoed: bool,
    unanswered: VecDeque<Unanswered>,
    tags: u64,
}

impl Sent {
    pub(super) fn say(&mut self, destination: &str, content: &str) {
        if self.unechoed.len() == UNECHOED_KEPT {
            self.unechoed.pop_front();
        }
        self.unechoed.push_back((destination.to_owned(), content.to_owned()));
        self.last_echoed = false;
    }

    /// Keeps a message until it is answered. `None` when too many wait: the server tells no more than
    /// [`limits::TAGS`] apart (ID-5).
    pub(super) fn tag(
        &mut self,
        destination: &str,
        content: &str,
        timestamp: i64,
    ) -> Option<&Unanswered> {
        if self.unanswered.len() >= limits::TAGS {
            return None;
        }
        self.tags += 1;
        self.unanswered.push_back(Unanswered {
            tag: self.tags.to_string(),
            destination: destination.to_owned(),
            timestamp,
            content: content.to_owned(),
            arrived: false,
        });
        self.unanswered.back()
    }

    pub(super) fn unanswered(&self) -> &VecDeque<Unanswered> {
        &self.unanswered
    }

    /// Says whether the tag was waiting.
    pub(super) fn answered(&mut self, tag: &str) -> bool {
        let place = self.unanswered.iter().position(|message| message.tag == tag);
        place.and_then(|place| self.unanswered.remove(place)).is_some()
    }

    /// Forgets the tags: the server that has them is gone, and what waited is taken back.
    pub(super) fn take_unanswered(&mut self) -> VecDeque<Unanswered> {
        std::mem::take(&mut self.unanswered)
    }

    /// A message that came back, or was found in the history, arrived.
    pub(super) fn arrived(&mut self, entry: &Entry<'_>) {
        let message = self.unanswered.iter_mut().find(|message| {
            !message.arrived
                && message.content == entry.content
                && message.destination.eq_ignore_ascii_case(&entry.destination)
        });
        if let Some(message) = message {
            message.arrived = true;
        }
    }

    /// The server does not know the tags any more: what arrived is not answered, and not to be sent again.
    pub(super) fn forget_arrived(&mut self) {
        self.unanswered.retain(|message| !message.arrived);
    }

    /// Whether this is a copy of what was said here (RT-3, RT-7).
    pub(super) fn is_echo(&mut self, entry: &Entry<'_>) -> bool {
        let place = self.unechoed.iter().position(|(destination, content)| {
            *content == entry.content && destination.eq_ignore_ascii_case(&entry.destination)
        });
        if place.is_some_and(|place| place + 1 == self.unechoed.len()) {
            self.last_echoed = true;
        }
        place.and_then(|place| self.unechoed.remove(place)).is_some()
    }

    pub(super) fn last_echoed(&self) -> bool {
        self.last_echoed
    }

    #[cfg(test)]
    pub(super) fn unechoed(&self) -> usize {
        self.unechoed.len()
    }
}
