//! The least that a member has to read while much waits for it.
//!
//! Any progress is enough for a stall timeout, so who takes a few bytes now and then could hold a whole welcome for hours.

#![allow(clippy::disallowed_methods, reason = "the edge: reads the clock")]

use std::time::Duration;

use tokio::time::Instant;

/// More than this is much, in bytes. Who is on a slow line and has little to read is left alone.
const MUCH: usize = 1024 * 1024;

/// So many bytes have to be taken in each period.
const LEAST: usize = 60 * 64 * 1024;
const PERIOD: Duration = Duration::from_secs(60);

/// Watches one member's reading.
#[derive(Debug, Default)]
pub(super) struct MinimumRate {
    /// When the period began, and what has been taken in it; `None` while little waits, which is nearly always.
    period: Option<Box<(Instant, usize)>>,
}

impl MinimumRate {
    /// Notes that so many bytes were written and so many wait; says whether that is fast enough.
    pub(super) fn is_kept(&mut self, written: usize, waiting: usize) -> bool {
        if waiting <= MUCH {
            self.period = None;
            return true;
        }
        let now = Instant::now();
        let (begin, taken) = &mut **self.period.get_or_insert_with(|| Box::new((now, 0)));
        *taken += written;
        if now - *begin < PERIOD {
            return true;
        }
        let is_kept = *taken >= LEAST;
        (*begin, *taken) = (now, 0);
        is_kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_little_of_much_is_too_slow() {
        let kept = |step: usize, waiting: usize, seconds: u64| async move {
            let mut rate = MinimumRate::default();
            for _ in 0..seconds {
                if !rate.is_kept(step, waiting) {
                    return false;
                }
                tokio::time::advance(Duration::from_secs(1)).await;
            }
            true
        };
        assert!(!kept(10 * 1024, 2 * MUCH, 62).await, "10 KiB/s");
        assert!(kept(10 * 1024, 2 * MUCH, 60).await, "for a minute it may be");
        assert!(kept(65 * 1024, 2 * MUCH, 600).await, "65 KiB/s");
        assert!(kept(1, MUCH, 600).await, "little waits");
        // What waited before does not count when it was read.
        let mut rate = MinimumRate::default();
        for _ in 0..10 {
            for _ in 0..50 {
                assert!(rate.is_kept(1, 2 * MUCH));
                tokio::time::advance(Duration::from_secs(1)).await;
            }
            assert!(rate.is_kept(MUCH, MUCH));
        }
    }
}
