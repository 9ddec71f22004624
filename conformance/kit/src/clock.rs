//! The only clock: all other code takes durations or seconds from here.
#![allow(clippy::disallowed_methods, reason = "the clock of a run; everybody else gets durations")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since a run began.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Seconds since 1970-01-01 UTC, as `TS-1` wants them.
#[must_use]
pub fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
