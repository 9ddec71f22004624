//! Own messages that have no number yet: what became of them is looked up here, not in the timelines.

use std::collections::VecDeque;

use chatterbox_proto::limits;

use super::item::Key;

/// The session itself keeps no more than [`limits::TAGS`] that are not answered.
const KEPT: usize = 2 * limits::TAGS;

/// An own message without a number.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) serial: u64,
    pub(super) key: Key,
    /// Its idempotency key.
    pub(super) tag: String,
    /// The time that was sent with it.
    pub(super) time: i64,
}

/// The own messages without a number, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unnumbered(VecDeque<Sent>);

impl Unnumbered {
    pub(super) fn push(&mut self, sent: Sent) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(sent);
    }

    /// Takes the message with a tag.
    pub(super) fn take(&mut self, tag: &str) -> Option<Sent> {
        let place = self.0.iter().position(|sent| sent.tag == tag)?;
        self.0.remove(place)
    }

    /// Those of a conversation that were sent at a time.
    pub(super) fn sent_at(&self, serial: u64, time: i64) -> impl Iterator<Item = &Sent> {
        self.0.iter().filter(move |sent| sent.serial == serial && sent.time == time)
    }

    /// Takes all that the server answers no more.
    pub(super) fn settle(&mut self, awaited: impl Fn(&str) -> bool) -> Vec<Sent> {
        let all = std::mem::take(&mut self.0).into_iter();
        let (kept, settled): (Vec<_>, Vec<_>) = all.partition(|sent| awaited(&sent.tag));
        self.0 = kept.into();
        settled
    }
}
