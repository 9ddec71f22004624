//! Messages in flight: those that may be echoed, and those that are not acknowledged.

use std::collections::VecDeque;

use crate::capability::meta::NewMeta;
use crate::entry::Entry;
use crate::limits;

/// The most messages whose echo is awaited: a server that never echoes must not make the client keep everything.
pub(super) const UNECHOED_KEPT: usize = 256;

/// A message that the server has neither acknowledged nor rejected (ID-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unacknowledged {
    pub(super) tag: String,
    pub(super) destination: String,
    pub(super) timestamp: i64,
    pub(super) content: String,
    /// What goes with it.
    pub(super) meta: Option<Box<NewMeta>>,
    /// Whether it was echoed or found in the history, so that it is stored even if its acknowledgement was lost.
    arrived: bool,
    /// Whether the server has refused it for now, and takes it later (CP-12).
    pub(super) put_off: bool,
}

impl Unacknowledged {
    /// The message, under the name that this user has now.
    pub(super) fn entry<'a>(&'a self, me: &'a str) -> Entry<'a> {
        Entry {
            source: me.into(),
            destination: self.destination.as_str().into(),
            timestamp: self.timestamp,
            content: self.content.as_str().into(),
        }
    }

    /// About how much is written of it: its text, and what goes with it.
    pub(super) fn size(&self) -> usize {
        self.content.len() + self.meta.as_ref().map_or(0, |meta| meta.size())
    }
}

/// The messages in flight.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Destination and content of messages that may be echoed (RT-3), without the time: some servers set their own.
    unechoed: VecDeque<(String, String)>,
    /// Whether the message sent last was echoed.
    last_echoed: bool,
    unanswered: VecDeque<Unacknowledged>,
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

    /// Gives a message an idempotency key and keeps it until it is acknowledged. `None` when too many are kept: the server
    /// remembers no more than [`limits::TAGS`] keys (ID-5).
    pub(super) fn tag(
        &mut self,
        destination: &str,
        content: &str,
        timestamp: i64,
        meta: Option<Box<NewMeta>>,
    ) -> Option<&Unacknowledged> {
        if self.unanswered.len() >= limits::TAGS {
            return None;
        }
        self.tags += 1;
        self.unanswered.push_back(Unacknowledged {
            tag: self.tags.to_string(),
            destination: destination.to_owned(),
            timestamp,
            content: content.to_owned(),
            meta,
            arrived: false,
            put_off: false,
        });
        self.unanswered.back()
    }

    pub(super) fn unanswered(&self) -> &VecDeque<Unacknowledged> {
        &self.unanswered
    }

    /// The key of the oldest of them that the server does not take later.
    pub(super) fn oldest_unanswered(&self) -> Option<&str> {
        self.unanswered.iter().find(|message| !message.put_off).map(|message| &*message.tag)
    }

    /// Keeps the message with this key, which the server takes later. Says whether there was one.
    pub(super) fn put_off(&mut self, tag: &str) -> bool {
        let message = self.unanswered.iter_mut().find(|message| message.tag == tag);
        message.map(|message| message.put_off = true).is_some()
    }

    /// Notes that all messages are sent again.
    pub(super) fn sent_again(&mut self) {
        self.put_off_are_sent(usize::MAX);
    }

    /// Notes that the first so many of those that were put off are sent again.
    pub(super) fn put_off_are_sent(&mut self, count: usize) {
        for message in self.unanswered.iter_mut().filter(|message| message.put_off).take(count) {
            message.put_off = false;
        }
    }

    /// Removes the message with this key. Says whether there was one.
    pub(super) fn answered(&mut self, tag: &str) -> bool {
        let place = self.unanswered.iter().position(|message| message.tag == tag);
        place.and_then(|place| self.unanswered.remove(place)).is_some()
    }

    /// Takes all messages out, since the server that knows their keys is gone.
    pub(super) fn take_unanswered(&mut self) -> VecDeque<Unacknowledged> {
        std::mem::take(&mut self.unanswered)
    }

    /// Notes that a message was echoed, or found in the history.
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

    /// Drops the messages that are known to be stored, since the server has forgotten the keys and would store them again.
    pub(super) fn forget_arrived(&mut self) {
        self.unanswered.retain(|message| !message.arrived);
    }

    /// Whether this is the echo of a message in flight (RT-3, RT-7).
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
