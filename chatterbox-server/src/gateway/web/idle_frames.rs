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

    #[tokio::test(start_paused = true)]
    async fn who_sends_one_now_and_then_may_do_so_for_ever() {
        let (mut flood, mut steady) = (IdleFrames::default(), IdleFrames::default());
        assert!(steady.admits(AT_ONCE, Instant::now()));
        assert!(flood.admits(AT_ONCE, Instant::now()) && !flood.admits(1, Instant::now()));
        for _ in 0..1000 {
            tokio::time::advance(EVERY).await;
            assert!(steady.admits(1, Instant::now()));
        }
        assert!(!IdleFrames::default().admits(u32::MAX, Instant::now()));
    }
}
