//! The pace at which a user may be disturbed: a flood of mentions is told a few times.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// So often at most, in so long a time.
const MOST: usize = 5;
const WITHIN: Duration = Duration::from_secs(10);

/// When the user was disturbed lately.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: VecDeque<Instant>,
}

impl Pace {
    /// Whether the user may be disturbed now; then they are.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        self.last.retain(|at| now.saturating_duration_since(*at) < WITHIN);
        let allows = self.last.len() < MOST;
        if allows {
            self.last.push_back(now);
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the test owns the clock")]

    use super::*;

    #[test]
    fn a_flood_disturbs_five_times_in_ten_seconds() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut times = |seconds| {
            let now = start + Duration::from_secs(seconds);
            (0..20).filter(|_| pace.allows(now)).count()
        };
        assert_eq!([times(0), times(9), times(10), times(19), times(40)], [5, 0, 5, 0, 5]);
    }
}
