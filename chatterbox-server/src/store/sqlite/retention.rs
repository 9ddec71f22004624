//! The bounds of the stored messages, in number, size and age.

use std::time::Duration;

use chatterbox_hub::Keep;

/// The bounds of the stored messages. Of the public messages the oldest are removed first; the private ones have a part of the bounds
/// for themselves. No sender has more than a share of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Messages.
    pub messages: u64,
    /// Bytes of their JSON.
    pub bytes: u64,
    /// Age, counted from their arrival.
    pub age: Option<Duration>,
}

impl Retention {
    /// The bounds in number and size.
    pub(super) fn keep(&self) -> Keep {
        Keep { messages: self.messages, bytes: self.bytes }
    }

    /// The time (in seconds since 1970) before which messages are too old.
    pub(super) fn oldest(&self, now: i64) -> Option<i64> {
        let age = i64::try_from(self.age?.as_secs()).ok()?;
        now.checked_sub(age)
    }
}
