//! How much is kept, and for how long.

use std::time::Duration;

/// The bounds of a backlog; the oldest messages go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Messages.
    pub messages: u64,
    /// Bytes of their JSON.
    pub bytes: u64,
    /// Age, counted from their arrival.
    pub age: Option<Duration>,
}

/// What a backlog holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holdings {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl Retention {
    /// Whether something has to go for its number or size.
    pub(super) fn exceeded_by(&self, holdings: Holdings) -> bool {
        holdings.messages > self.messages || holdings.bytes > self.bytes
    }

    /// What arrived before this moment (seconds since 1970) is too old.
    pub(super) fn oldest(&self, now: i64) -> Option<i64> {
        let age = i64::try_from(self.age?.as_secs()).ok()?;
        now.checked_sub(age)
    }
}
