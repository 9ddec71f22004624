//! One bell: rung from anywhere, waited for by one future.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// Remembers that it was rung until somebody has heard it; ringing twice is ringing once.
///
/// Cheaper than a `Notify`, which keeps a list of who waits: here it is one, the task of a connection.
#[derive(Debug, Default)]
pub struct Bell {
    rung: AtomicBool,
    waiting: AtomicWaker,
}

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        // Whoever was woken for the ring before has not looked yet, and will find this one too.
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.waiting.wake();
        }
    }

    /// Whether it was rung since this was asked last; if not, the task is woken by the next ring.
    pub fn poll_rung(&self, context: &mut Context<'_>) -> Poll<()> {
        // Before looking, so that no ring between the two is lost.
        self.waiting.register(context.waker());
        if self.rung.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits until it was rung.
    pub async fn rung(&self) {
        poll_fn(|context| self.poll_rung(context)).await;
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
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        bell.rung().await;
        assert!(tokio::time::timeout(Duration::from_millis(1), bell.rung()).await.is_err());
        bell.ring();
        bell.rung().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_tasks_ring_for_each_other() {
        let (there, back) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let task = tokio::spawn({
            let (there, back) = (Arc::clone(&there), Arc::clone(&back));
            async move {
                for _ in 0..10_000 {
                    there.rung().await;
                    back.ring();
                }
            }
        });
        let asking = async {
            for _ in 0..10_000 {
                there.ring();
                back.rung().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asking).await.unwrap();
        task.await.unwrap();
    }
}
