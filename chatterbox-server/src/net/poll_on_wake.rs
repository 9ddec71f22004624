//! A future that is polled only when it was woken itself, not whenever its task is.
//!
//! A connection waits for its socket, the chat and the shutdown at the same time, and `select!` polls all of them at every
//! wake. During a broadcast to thousands of connections, polling each socket for input would cost a good part of the write.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};

use crate::chat::wake_flag::WakeFlag;

/// A future that is polled only when it was woken.
pub(super) struct PollOnWake<'f, F> {
    future: Pin<&'f mut F>,
    flag: Arc<WokenFlag>,
    /// Raises the flag.
    waker: Waker,
}

#[derive(Default)]
struct WokenFlag(WakeFlag);

impl Wake for WokenFlag {
    fn wake(self: Arc<Self>) {
        self.0.raise();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.raise();
    }
}

impl<'f, F: Future> PollOnWake<'f, F> {
    pub(super) fn new(future: Pin<&'f mut F>) -> Self {
        let flag = Arc::new(WokenFlag::default());
        // For the first poll.
        flag.0.raise();
        Self { future, waker: Waker::from(Arc::clone(&flag)), flag }
    }
}

impl<F: Future> Future for PollOnWake<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        ready!(this.flag.0.poll_raised(context));
        this.future.as_mut().poll(&mut Context::from_waker(&this.waker))
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::sync::Notify;

    use super::*;

    /// Counts its polls until it was notified `times` times.
    async fn counted(notify: &Notify, times: u32, polled: &AtomicU32) {
        for _ in 0..times {
            let mut waiting = pin!(notify.notified());
            poll_fn(|context| {
                polled.fetch_add(1, Ordering::Relaxed);
                waiting.as_mut().poll(context)
            })
            .await;
        }
    }

    #[tokio::test]
    async fn only_who_was_woken_is_polled() {
        let (busy, idle) = (Arc::new(Notify::new()), Notify::new());
        let (busy_polled, idle_polled) = (AtomicU32::new(0), AtomicU32::new(0));
        let notifying = tokio::spawn({
            let busy = Arc::clone(&busy);
            async move {
                for _ in 0..10 {
                    busy.notify_one();
                    tokio::task::yield_now().await;
                }
            }
        });
        let mut idle_future = pin!(counted(&idle, 1, &idle_polled));
        let mut idle_future = PollOnWake::new(idle_future.as_mut());
        {
            let mut busy_future = pin!(counted(&busy, 10, &busy_polled));
            let busy_future = PollOnWake::new(busy_future.as_mut());
            let both = async {
                tokio::select! {
                    biased;
                    () = &mut idle_future => panic!("nobody woke it"),
                    () = busy_future => {}
                }
            };
            tokio::time::timeout(Duration::from_secs(60), both).await.unwrap();
        }
        notifying.await.unwrap();
        assert!(busy_polled.load(Ordering::Relaxed) >= 10);
        assert_eq!(idle_polled.load(Ordering::Relaxed), 1);
        idle.notify_one();
        tokio::time::timeout(Duration::from_secs(60), idle_future).await.unwrap();
    }

    #[tokio::test]
    async fn it_is_woken_again_and_again() {
        let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        // Another task, so that only the flag wakes this one.
        let asking = tokio::spawn({
            let (ping, pong) = (Arc::clone(&ping), Arc::clone(&pong));
            async move {
                for _ in 0..100 {
                    ping.notify_one();
                    pong.notified().await;
                }
            }
        });
        let mut answering = pin!(async {
            for _ in 0..100 {
                ping.notified().await;
                pong.notify_one();
            }
        });
        let answering = PollOnWake::new(answering.as_mut());
        tokio::time::timeout(Duration::from_secs(60), answering).await.unwrap();
        asking.await.unwrap();
    }

    #[tokio::test]
    async fn it_may_move_to_another_task() {
        let notify = Arc::new(Notify::new());
        let waiting = Arc::clone(&notify);
        let mut future = Box::pin(async move { waiting.notified().await });
        let first =
            tokio::time::timeout(Duration::from_millis(1), PollOnWake::new(future.as_mut()));
        assert!(first.await.is_err());
        let task = tokio::spawn(async move { PollOnWake::new(future.as_mut()).await });
        tokio::task::yield_now().await;
        notify.notify_one();
        tokio::time::timeout(Duration::from_secs(60), task).await.unwrap().unwrap();
    }
}
