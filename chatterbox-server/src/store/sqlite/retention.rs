//! The bounds of the stored messages, in number, size and age.

use std::time::Duration;

/// The bounds of a backlog; the oldest messages are removed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Messages.
    pub messages: u64,
    /// Bytes of their JSON.
    pub bytes: u64,
    /// Age, counted from their arrival.
    pub age: Option<Duration>,
}

/// The messages that a backlog holds, in number and size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holdings {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl Retention {
    /// Whether messages have to be removed for their number or size.
    pub(super) fn exceeded_by(&self, holdings: Holdings) -> bool {
        holdings.messages > self.messages || holdings.bytes > self.bytes
    }

    /// The time (in seconds since 1970) before which messages are too old.
    pub(super) fn oldest(&self, now: i64) -> Option<i64> {
        let age = i64::try_from(self.age?.as_secs()).ok()?;
        now.checked_sub(age)
    }
}
