//! The clocks of a session; everything else takes `now` as an argument.

#![allow(clippy::disallowed_methods, reason = "the clocks are read here")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The clocks of one session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// The time of the monotonic clock, for deadlines.
    pub(super) fn now(&self) -> Instant {
        Instant::now()
    }

    /// The time since the session started.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Seconds since 1970; before that, 0.
    pub(super) fn unix_now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or_default()
    }
}
