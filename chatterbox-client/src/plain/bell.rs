//! The bell: it rings when somebody names the user or speaks to them alone, and not so often that it is a nuisance.

use tokio::time::Instant;

use crate::terminal::Pace;

/// The bell of a terminal.
#[derive(Debug, Default)]
pub(super) struct Bell {
    pace: Pace,
    is_due: bool,
}

impl Bell {
    /// There is a reason to ring.
    pub(super) fn ask(&mut self) {
        self.is_due = true;
    }

    /// Whether it rings now.
    pub(super) fn rings(&mut self, now: Instant) -> bool {
        std::mem::take(&mut self.is_due) && self.pace.allows(now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the test owns the clock")]

    use super::*;

    #[test]
    fn it_rings_once_for_each_reason_and_not_for_each_of_a_flood() {
        let (mut bell, now) = (Bell::default(), Instant::now());
        assert!(!bell.rings(now), "there is no reason");
        let mut rings = || {
            bell.ask();
            bell.rings(now)
        };
        assert_eq!((0..20).filter(|_| rings()).count(), 5);
        assert!(!bell.rings(now + std::time::Duration::from_secs(60)), "that reason is over");
    }
}
