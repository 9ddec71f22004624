//! A flag that wakes the one future that waits for it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// Stays raised until it is taken; raising it twice is raising it once.
///
/// It is cheaper than a `Notify`, which keeps a list of waiters: here there is one, the task of a connection.
#[derive(Debug, Default)]
pub struct WakeFlag {
    raised: AtomicBool,
    waiting: AtomicWaker,
}

impl WakeFlag {
    pub fn raise(&self) {
        // While it is raised the waiter has been woken and has not taken it yet: it will see this event too.
        if !self.raised.swap(true, Ordering::AcqRel) {
            self.waiting.wake();
        }
    }

    /// Takes the flag: ready if it was raised since the last call, otherwise the next raise wakes the task.
    pub fn poll_raised(&self, context: &mut Context<'_>) -> Poll<()> {
        // Registered before the check, so that no raise between the two is lost.
        self.waiting.register(context.waker());
        if self.raised.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits until it is raised, and takes it.
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
    async fn no_wake_is_lost_and_two_are_one() {
        let flag = WakeFlag::default();
        flag.raise();
        flag.raise();
        flag.raised().await;
        assert!(tokio::time::timeout(Duration::from_millis(1), flag.raised()).await.is_err());
        flag.raise();
        flag.raised().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_tasks_wake_each_other() {
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
