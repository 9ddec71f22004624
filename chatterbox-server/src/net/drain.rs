//! Ends the connections of a node one after the other, so that those who go on at another node don't all come there at once.

#![allow(clippy::disallowed_methods, reason = "the edge: has a timer")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::net::stream::End;

/// When connections have to end.
#[derive(Debug, Default)]
pub struct Drain {
    /// Cancelled when the first of them ends.
    begun: CancellationToken,
    /// Cancelled when the last of them ends.
    over: CancellationToken,
    /// The time between the two; none where all end at once.
    spread: OnceLock<Duration>,
    /// How many have asked for their turn.
    asked: AtomicU64,
}

/// Whether whoever was connected may go on at another node now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// At another node, at once.
    Elsewhere,
    /// Nowhere, as far as this server knows.
    Nowhere,
}

impl From<Turn> for End {
    fn from(turn: Turn) -> Self {
        match turn {
            Turn::Elsewhere => Self::Moving,
            Turn::Nowhere => Self::Closing,
        }
    }
}

impl Drain {
    /// Begins: all connections end within this time, and go on elsewhere.
    pub fn begin(&self, spread: Duration) {
        if !self.begun.is_cancelled() && self.spread.set(spread).is_ok() {
            self.begun.cancel();
        }
    }

    /// All that are left end now.
    pub fn end(&self) {
        self.over.cancel();
        self.begun.cancel();
    }

    /// Waits for the turn of one connection.
    pub async fn turn(&self) -> Turn {
        self.begun.cancelled().await;
        self.rest_of_turn().await
    }

    /// Boxed: each connection has the memory of the future above, and few ever wait here.
    fn rest_of_turn(&self) -> BoxFuture<'_, Turn> {
        async {
            let Some(spread) = self.spread.get() else { return Turn::Nowhere };
            let wait = spread.mul_f64(share(self.asked.fetch_add(1, Ordering::Relaxed)));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.over.cancelled() => {}
            }
            Turn::Elsewhere
        }
        .boxed()
    }
}

/// The part of the time after which the connection that was the n-th to ask ends. Multiples of the golden ratio lie evenly, however
/// many there are.
fn share(number: u64) -> f64 {
    let turned = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    f64::from(u32::try_from(turned >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::JoinSet;
    use tokio::time::Instant;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn waiting(drain: &Arc<Drain>, count: usize) -> JoinSet<(Turn, Duration)> {
        let mut all = JoinSet::new();
        for _ in 0..count {
            let drain = Arc::clone(drain);
            all.spawn(async move {
                let start = Instant::now();
                (drain.turn().await, start.elapsed())
            });
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn connections_end_one_after_the_other_and_all_in_time() {
        let drain = Arc::new(Drain::default());
        let all = waiting(&drain, 1000);
        tokio::time::sleep(60 * SECOND).await;
        drain.begin(5 * SECOND);
        let mut ended = [0; 6];
        for (turn, after) in all.join_all().await {
            assert_eq!(turn, Turn::Elsewhere);
            ended[usize::try_from((after - 60 * SECOND).as_secs()).unwrap()] += 1;
        }
        assert!(ended[..5].iter().all(|count| (190..=210).contains(count)), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_ends_at_once_when_it_has_to() {
        let drain = Arc::new(Drain::default());
        let all = waiting(&drain, 50);
        tokio::task::yield_now().await;
        drain.begin(3600 * SECOND);
        tokio::time::sleep(SECOND).await;
        drain.end();
        let longest = all.join_all().await.into_iter().map(|(_, after)| after).max();
        assert!(longest < Some(2 * SECOND), "{longest:?}");
        // Without others there is nobody to be spared.
        let drain = Arc::new(Drain::default());
        let all = waiting(&drain, 50);
        tokio::task::yield_now().await;
        drain.end();
        drain.begin(3600 * SECOND);
        let turns = all.join_all().await;
        assert!(turns.iter().all(|turn| *turn == (Turn::Nowhere, Duration::ZERO)), "{turns:?}");
    }
}
