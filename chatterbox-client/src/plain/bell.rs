//! The bell: it rings when somebody names the user or speaks to them alone, and not so often that it is a nuisance.

use std::collections::VecDeque;

/// It rings at most so often in so many seconds.
const RINGS: usize = 5;
const SECONDS: i64 = 10;

/// The bell of a terminal.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: VecDeque<i64>,
    is_due: bool,
}

impl Bell {
    /// There is a reason to ring.
    pub(super) fn ask(&mut self) {
        self.is_due = true;
    }

    /// Whether it rings now, in seconds since 1970.
    pub(super) fn rings(&mut self, now: i64) -> bool {
        if !std::mem::take(&mut self.is_due) {
            return false;
        }
        // A clock that was set back must not silence it for ever.
        self.rung.retain(|at| (0..SECONDS).contains(&now.saturating_sub(*at)));
        let rings = self.rung.len() < RINGS;
        if rings {
            self.rung.push_back(now);
        }
        rings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_mentions_rings_five_times_in_ten_seconds() {
        let mut bell = Bell::default();
        assert!(!bell.rings(100), "there is no reason");
        let mut rings = |now| {
            bell.ask();
            bell.rings(now)
        };
        let rung = (0..20).filter(|_| rings(100)).count();
        assert_eq!(rung, 5);
        assert!(!rings(109));
        assert!(rings(110));
        assert!(rings(50), "the clock was set back");
    }
}
