//! Sleep: whether the program was stopped for a while, with Ctrl-Z, or together with the machine.
//!
//! A deadline is there for others to do something in the meantime. While the program sleeps nothing of what they do arrives, so
//! that time does not count.

use std::time::Duration;

use tokio::time::Instant;

/// The session looks at the clock at least this often.
const TICK: Duration = Duration::from_secs(10);

/// A tick that is late by more than this was slept through.
const LATE: Duration = Duration::from_secs(5);

/// The clock on the wall goes on while a machine sleeps, and the monotonic one may not. So much is no adjustment.
const JUMP: Duration = Duration::from_secs(30);

/// The time that was slept.
#[derive(Debug)]
pub(super) struct Wakefulness {
    seen: Instant,
    /// The clock on the wall at that time, in seconds since 1970.
    wall: i64,
    slept: Duration,
}

impl Wakefulness {
    pub(super) fn new(now: Instant, wall: i64) -> Self {
        Self { seen: now, wall, slept: Duration::ZERO }
    }

    /// When to look at the clock again.
    pub(super) fn deadline(&self) -> Instant {
        self.seen + TICK
    }

    /// Looks at the clocks. After a sleep it gives the part of it that the monotonic clock has counted.
    pub(super) fn notice(&mut self, now: Instant, wall: i64) -> Option<Duration> {
        let passed = now.saturating_duration_since(self.seen);
        let seconds = u64::try_from(wall.saturating_sub(self.wall)).unwrap_or_default();
        let uncounted = Duration::from_secs(seconds).saturating_sub(passed);
        (self.seen, self.wall) = (now, wall);
        let stopped = if passed > TICK + LATE { passed - TICK } else { Duration::ZERO };
        if stopped.is_zero() && uncounted <= JUMP {
            return None;
        }
        self.slept += stopped;
        Some(stopped)
    }

    /// How long the program was awake of this time since its start.
    pub(super) fn awake(&self, elapsed: Duration) -> Duration {
        elapsed.saturating_sub(self.slept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::clock::Clock;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn sleep_is_told_from_waiting_by_either_clock() {
        let start = Clock::start().now();
        // Monotonic seconds, seconds on the wall, and what is noticed.
        let table = [
            (10, 10, None),
            (14, 14, None),
            // Ctrl-Z: both clocks go on.
            (15 + 60, 75, Some(S(65))),
            // The machine sleeps: only the clock on the wall goes on.
            (1, 3600, Some(S(0))),
            // An adjustment, and a clock that is set back.
            (10, 25, None),
            (10, -3600, None),
        ];
        for (passed, wall, expected) in table {
            let mut sleep = Wakefulness::new(start, 1_000_000);
            assert_eq!(
                sleep.notice(start + S(passed), 1_000_000 + wall),
                expected,
                "{passed} {wall}"
            );
            assert_eq!(sleep.deadline(), start + S(passed) + TICK);
        }
    }

    #[test]
    fn only_the_time_awake_counts() {
        let start = Clock::start().now();
        let mut sleep = Wakefulness::new(start, 0);
        assert_eq!(sleep.awake(S(7)), S(7));
        sleep.notice(start + S(1010), 1010);
        assert_eq!(sleep.awake(S(1010)), S(10));
        sleep.notice(start + S(1020), 1020);
        assert_eq!(sleep.awake(S(1020)), S(20));
    }
}
