//! How fast the frames of a member are taken: by the bytes that its address sends, and by those that it posts.

use std::net::IpAddr;
use std::time::Duration;

use chatterbox_hub::guard::pace::INPUT_PIECE;

use crate::chat::pace::FLOOR_BYTES;
use crate::pacing::InputPacing;

/// A member may be so many milliseconds ahead of receivers who take [`FLOOR_BYTES`] a second: a message of the greatest size
/// costs no wait, unless its bytes have to be escaped.
const AHEAD: u64 = 500;

/// A frame counts as so many bytes at least. To look up a member, to judge a name and to note a fault cost as much in the shortest
/// frame as in a longer one: 131,072 frames at once and 16,384 a second come from one address.
const LEAST: usize = 256;

/// The pace of one connection.
#[derive(Debug)]
pub(super) struct InputPace {
    address: IpAddr,
    /// Bytes of frames that are not counted yet.
    uncounted: usize,
    /// Bytes of messages that were posted since then.
    posted: usize,
    /// When the receivers are expected to have taken what it posted, in the chat's milliseconds.
    taken_at: u64,
}

impl InputPace {
    pub(super) const fn new(address: IpAddr) -> Self {
        Self { address, uncounted: 0, posted: 0, taken_at: 0 }
    }

    /// Counts a frame, and messages that were posted. Says how long to wait before the next frame.
    pub(super) fn wait(
        &mut self,
        frame: usize,
        posted: usize,
        now: u64,
        input: &InputPacing,
    ) -> Duration {
        self.uncounted = self.uncounted.saturating_add(frame.max(LEAST));
        self.posted = self.posted.saturating_add(posted);
        if self.uncounted < INPUT_PIECE {
            return Duration::ZERO;
        }
        let wait = input.take(self.address, self.uncounted);
        self.uncounted %= INPUT_PIECE;
        let posted = std::mem::take(&mut self.posted) as u64;
        let taking = posted.saturating_mul(1000) / u64::from(FLOOR_BYTES);
        self.taken_at = self.taken_at.max(now).saturating_add(taking);
        let ahead = self.taken_at.saturating_sub(now).saturating_sub(AHEAD);
        wait.max(Duration::from_millis(ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_short_frames_wait_as_fewer_longer_ones_do() {
        let (input, here) = (InputPacing::default(), IpAddr::from([127, 0, 0, 1]));
        let mut pace = InputPace::new(here);
        let at_once = (32 << 20) / LEAST;
        let mut longest = |frames: usize| {
            let waits = (0..frames).map(|_| pace.wait(15, 0, 0, &input));
            waits.max().unwrap_or_default()
        };
        assert_eq!(longest(at_once), Duration::ZERO, "what a class sends at the same moment");
        let wait = longest(at_once / 8);
        assert!((900..=1_100).contains(&wait.as_millis()), "{wait:?}");
    }
}
