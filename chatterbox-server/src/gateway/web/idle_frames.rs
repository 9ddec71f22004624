//! How many frames a WebSocket may send that are no part of a message.
//!
//! Pings, pongs and empty fragments are nothing that the limits of the chat see, and each costs work.

use std::time::Duration;

use tokio::time::Instant;

/// So many may come at once.
const AT_ONCE: u32 = 100;

/// And one more in this time.
const EVERY: Duration = Duration::from_millis(500);

/// Counts them.
#[derive(Debug, Default)]
pub(super) struct IdleFrames {
    /// When none would count any more.
    until: Option<Instant>,
}

impl IdleFrames {
    /// Whether so many more may come now.
    pub(super) fn admits(&mut self, frames: u32, now: Instant) -> bool {
        let from = self.until.map_or(now, |until| until.max(now));
        let until = from + EVERY.saturating_mul(frames);
        self.until = Some(until);
        until - now <= EVERY * AT_ONCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "some time to begin with")]
    fn who_sends_one_now_and_then_may_do_so_for_ever() {
        let start = Instant::now();
        let (mut flood, mut steady) = (IdleFrames::default(), IdleFrames::default());
        assert!(steady.admits(AT_ONCE, start));
        assert!(flood.admits(AT_ONCE, start) && !flood.admits(1, start));
        for place in 1..1000 {
            assert!(steady.admits(1, start + EVERY * place));
        }
        assert!(!IdleFrames::default().admits(u32::MAX, start));
    }
}
