//! How fast a transfer is, from where it was lately.

use std::collections::VecDeque;
use std::time::Duration;

/// What was further back says nothing of how it goes now.
const WINDOW: Duration = Duration::from_secs(8);

/// Where a transfer was, and when.
#[derive(Debug, Default)]
pub(crate) struct Rate(VecDeque<(Duration, u64)>);

impl Rate {
    /// Notes where it is now, by a monotonic clock.
    pub(crate) fn sample(&mut self, now: Duration, done: u64) {
        // After a cut it may go on from further back.
        if self.0.back().is_some_and(|(_, before)| *before > done) {
            self.0.clear();
        }
        self.0.push_back((now, done));
        while self.0.len() > 2
            && self.0.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW)
        {
            self.0.pop_front();
        }
    }

    /// Forgets it, after a break.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Bytes in a second, as soon as that is known.
    pub(crate) fn per_second(&self) -> Option<u64> {
        let ((from, before), (to, done)) = self.0.front().zip(self.0.back())?;
        let millis =
            u64::try_from(to.saturating_sub(*from).as_millis()).ok().filter(|ms| *ms > 0)?;
        Some(done.saturating_sub(*before).saturating_mul(1000) / millis)
    }
}

/// So many seconds are left of a transfer at this rate.
pub(crate) fn left(rate: Option<u64>, bytes: u64) -> Option<u64> {
    rate.filter(|rate| *rate > 0).map(|rate| bytes.div_ceil(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(), None);
        for second in 0..30 {
            rate.sample(Duration::from_secs(second), second * 100);
        }
        assert_eq!(rate.per_second(), Some(100));
        for second in 30..60 {
            rate.sample(Duration::from_secs(second), 3000 + (second - 30) * 1000);
        }
        assert_eq!(rate.per_second(), Some(1000));
        assert_eq!(
            (left(Some(1000), 1500), left(Some(0), 5), left(None, 5)),
            (Some(2), None, None)
        );
        rate.sample(Duration::from_secs(61), 5);
        assert_eq!(rate.per_second(), None, "it goes on from further back");
    }
}
