//! Messages in flight: those that may be echoed, and those that are not acknowledged.

use std::collections::{BTreeSet, VecDeque};

use super::event::Message;
use crate::capability::ids::Id;
use crate::capability::meta::NewMeta;
use crate::entry::Entry;
use crate::limits;
use crate::name::ALL;

/// The most messages whose echo is awaited: a server that never echoes must not make the client keep everything.
pub(super) const UNECHOED_KEPT: usize = 256;

/// So many numbers of own messages are remembered, as many as of those that were received.
const STORED_KEPT: usize = 4096;

/// So many messages wait until it is known which device has said them; others are shown at once.
const HELD_KEPT: usize = 256;

/// A message that may be echoed.
#[derive(Debug)]
struct Unechoed {
    destination: String,
    content: String,
    /// Its idempotency key, if it has one.
    tag: Option<String>,
    /// Which of all messages it is.
    number: u64,
}

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

    /// Whether this is its text, and said to the same.
    fn is_like(&self, destination: &str, content: &str) -> bool {
        self.content == content && self.destination.eq_ignore_ascii_case(destination)
    }

    /// About how much is written of it: its text, and what goes with it.
    pub(super) fn size(&self) -> usize {
        self.content.len() + self.meta.as_ref().map_or(0, |meta| meta.size())
    }
}

/// The messages in flight.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Messages that may be echoed (RT-3), without the time: some servers set their own.
    unechoed: VecDeque<Unechoed>,
    /// How many messages were said.
    said: u64,
    /// Whether the message sent last was echoed.
    last_echoed: bool,
    unanswered: VecDeque<Unacknowledged>,
    tags: u64,
    /// The numbers of the messages that were acknowledged: what comes under one of them is this client's own.
    stored: BTreeSet<Id>,
    /// Messages of this user with the text of one in flight. They are that one, or another device has said the same.
    held: Vec<Message>,
}

impl Sent {
    pub(super) fn say(&mut self, destination: &str, content: &str, tag: Option<&str>) {
        if self.unechoed.len() == UNECHOED_KEPT {
            self.unechoed.pop_front();
        }
        self.said += 1;
        self.unechoed.push_back(Unechoed {
            destination: destination.to_owned(),
            content: content.to_owned(),
            tag: tag.map(str::to_owned),
            number: self.said,
        });
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

    /// Removes the message with this key, which has its number now. Says whether there was one.
    pub(super) fn stored(&mut self, tag: &str, id: Id) -> bool {
        let awaited = self.answered(tag);
        if awaited {
            self.stored.insert(id);
            if self.stored.len() > STORED_KEPT {
                self.stored.pop_first();
            }
        }
        awaited
    }

    /// Whether the message of this number was acknowledged as this client's own.
    pub(super) fn is_stored(&self, id: Id) -> bool {
        self.stored.contains(&id)
    }

    /// Forgets the numbers: another history has others.
    pub(super) fn forget_numbers(&mut self) {
        self.stored.clear();
    }

    /// Removes the message with this key: its echo comes before the answer or never (ID-4). Says whether there was one.
    pub(super) fn answered(&mut self, tag: &str) -> bool {
        self.unechoed.retain(|message| message.tag.as_deref() != Some(tag));
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
            !message.arrived && message.is_like(&entry.destination, &entry.content)
        });
        if let Some(message) = message {
            message.arrived = true;
        }
    }

    /// Drops the messages that are known to be stored, since the server has forgotten the keys and would store them again.
    pub(super) fn forget_arrived(&mut self) {
        let Self { unanswered, unechoed, .. } = self;
        unanswered.retain(|message| {
            if message.arrived {
                unechoed.retain(|echo| echo.tag.as_ref() != Some(&message.tag));
            }
            !message.arrived
        });
    }

    /// Whether a message with this text is on its way, so that only its acknowledgement tells it from one of another device.
    pub(super) fn is_in_flight(&self, destination: &str, content: &str) -> bool {
        let mut sent = self.unanswered.iter().filter(|message| !message.put_off);
        sent.any(|message| message.is_like(destination, content))
    }

    /// Keeps a message until it is known which device has said it. Gives it back where too many are kept.
    pub(super) fn hold(&mut self, message: Message) -> Option<Message> {
        if self.held.iter().any(|held| held.id == message.id) {
            return None;
        }
        if self.held.len() >= HELD_KEPT {
            return Some(message);
        }
        self.held.push(message);
        None
    }

    /// Takes out of those that are kept what another device has said: nothing with the same text is in flight any more, and none
    /// of this client's messages was stored under that number.
    pub(super) fn release(&mut self) -> Vec<Message> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let held = std::mem::take(&mut self.held);
        let own = |message: &Message| message.id.is_some_and(|id| self.is_stored(id));
        let (open, known): (Vec<_>, Vec<_>) =
            held.into_iter().filter(|message| !own(message)).partition(|message| {
                self.is_in_flight(destination(message), message.content.as_wire())
            });
        self.held = open;
        known
    }

    /// The same where the server has forgotten the keys, so that it acknowledges none of those messages: the sender's clock
    /// decides.
    pub(super) fn release_all(&mut self) -> Vec<Message> {
        let held = std::mem::take(&mut self.held);
        let others = held.into_iter().filter(|message| {
            let own = message.id.is_some_and(|id| self.is_stored(id));
            let content = message.content.as_wire();
            !own && !self.arrived_at(destination(message), content, message.timestamp)
        });
        others.collect()
    }

    /// Notes that a message is stored that was sent with this text at this time, if there is one. Says whether there is: another
    /// device has hardly said the same to the same in the same second, and the server leaves the sender's time as it is (ID-9).
    pub(super) fn arrived_at(&mut self, destination: &str, content: &str, timestamp: i64) -> bool {
        let message = self.unanswered.iter_mut().find(|message| {
            !message.arrived
                && message.timestamp == timestamp
                && message.is_like(destination, content)
        });
        message.map(|message| message.arrived = true).is_some()
    }

    /// Whether this is the echo of a message in flight (RT-3, RT-7).
    pub(super) fn is_echo(&mut self, entry: &Entry<'_>) -> bool {
        let place = self.unechoed.iter().position(|message| {
            message.content == entry.content
                && message.destination.eq_ignore_ascii_case(&entry.destination)
        });
        let echoed = place.and_then(|place| self.unechoed.remove(place));
        self.last_echoed |= echoed.as_ref().is_some_and(|message| message.number == self.said);
        echoed.is_some()
    }

    pub(super) fn last_echoed(&self) -> bool {
        self.last_echoed
    }

    #[cfg(test)]
    pub(super) fn unechoed(&self) -> usize {
        self.unechoed.len()
    }
}

/// Where a message was said, as on the wire.
pub(super) fn destination(message: &Message) -> &str {
    message.recipient.as_ref().map_or(ALL, |recipient| recipient.as_wire())
}
