//! One bell: rung from anywhere, waited for by one future.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// Remembers that it was rung until somebody has heard it; ringing twice is ringing once.
///
/// Cheaper than a `Notify`, which keeps a list of who waits: here it is one, the task of a connection.
#[derive(Debug, Default)]
pub struct WakeFlag {
    raised: AtomicBool,
    waiting: AtomicWaker,
}

impl WakeFlag {
    /// Rings.
    pub fn raise(&self) {
        // Whoever was woken for the ring before has not looked yet, and will find this one too.
        if !self.raised.swap(true, Ordering::AcqRel) {
            self.waiting.wake();
        }
    }

    /// Whether it was rung since this was asked last; if not, the task is woken by the next ring.
    pub fn poll_raised(&self, context: &mut Context<'_>) -> Poll<()> {
        // Before looking, so that no ring between the two is lost.
        self.waiting.register(context.waker());
        if self.raised.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits until it was rung.
    pub async fn raised(&self) {
        poll_fn(|context| self.poll_raised(context)).await;
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn no_ring_is_lost_and_two_are_one() {
        let bell = WakeFlag::default();
        bell.raise();
        bell.raise();
        bell.raised().await;
        assert!(tokio::time::timeout(Duration::from_millis(1), bell.raised()).await.is_err());
        bell.raise();
        bell.raised().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_tasks_ring_for_each_other() {
        let (there, back) = (Arc::new(WakeFlag::default()), Arc::new(WakeFlag::default()));
        let task = tokio::spawn({
            let (there, back) = (Arc::clone(&there), Arc::clone(&back));
            async move {
                for _ in 0..10_000 {
                    there.raised().await;
                    back.raise();
                }
            }
        });
        let asking = async {
            for _ in 0..10_000 {
                there.raise();
                back.raised().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asking).await.unwrap();
        task.await.unwrap();
    }
}
