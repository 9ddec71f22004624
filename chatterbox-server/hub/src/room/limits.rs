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
    /// No messages.
    pub const NOTHING: Self = Self { messages: 0, bytes: 0 };

    /// One message of this size.
    pub const fn one(bytes: u64) -> Self {
        Self { messages: 1, bytes }
    }

    /// All private messages together have these bounds, beside the public ones.
    pub const fn of_private(self) -> Self {
        self.part(4)
    }

    /// What was said in all rooms together has these bounds, beside the lobby.
    pub const fn of_rooms(self) -> Self {
        const TIMES: u64 = 4;
        Self {
            messages: self.messages.saturating_mul(TIMES),
            bytes: self.bytes.saturating_mul(TIMES),
        }
    }

    pub(crate) const fn part(self, part: u64) -> Self {
        Self { messages: self.messages / part, bytes: self.bytes / part }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            messages: self.messages.saturating_add(more.messages),
            bytes: self.bytes.saturating_add(more.bytes),
        }
    }

    /// What is left without these.
    #[must_use]
    pub const fn minus(self, less: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(less.messages),
            bytes: self.bytes.saturating_sub(less.bytes),
        }
    }

    /// Whether this much is too much.
    pub const fn is_exceeded_by(self, held: Self) -> bool {
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
