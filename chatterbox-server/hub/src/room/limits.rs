//! The bounds of a room's history and timeline.

/// The bounds of the history; the oldest messages are dropped first (HI-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Messages.
    pub messages: u64,
    /// Bytes of JSON.
    pub bytes: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { messages: 1_000_000, bytes: 64 * 1024 * 1024 }
    }
}

impl Keep {
    pub(crate) const fn part(self, part: u64) -> Self {
        Self { messages: self.messages / part, bytes: self.bytes / part }
    }

    pub(crate) const fn is_exceeded_by(self, held: Self) -> bool {
        held.messages > self.messages || held.bytes > self.bytes
    }
}

/// The bounds of a timeline.
///
/// They have to be many times the size of a group that is applied at once (1,280 events), or a burst would overtake
/// everybody.
#[derive(Debug, Clone, Copy)]
pub struct TimelineLimits {
    /// Events.
    pub events: usize,
    /// Bytes of JSON.
    pub bytes: u64,
}

impl Default for TimelineLimits {
    fn default() -> Self {
        // A receiver that is so far behind has read nothing for 16 seconds, at 1,000 messages a second.
        Self { events: 16_384, bytes: 64 * 1024 * 1024 }
    }
}
