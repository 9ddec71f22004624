//! A bounded queue between two futures of one connection, which takes memory only for what waits in it.
//!
//! A channel of tokio allocates room for 32 values, and 512 bytes beside them, before there is one. A connection has several of
//! these queues, and nearly always nothing waits in any: as channels they were a half of its memory.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::chat::wake_flag::WakeFlag;

/// A queue of so many values at most.
pub fn short_queue<T>(most: usize) -> (Sender<T>, Receiver<T>) {
    let waiting = Mutex::new(Waiting { values: VecDeque::new(), is_closed: false });
    let queue = Arc::new(Queue { waiting, most, changed: WakeFlag::default() });
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

/// The end that values are put into. Dropped, it closes the queue: what waits is taken still.
pub struct Sender<T>(Arc<Queue<T>>);

/// The end that values are taken from. Dropped, it closes the queue, and what waits is dropped.
pub struct Receiver<T>(Arc<Queue<T>>);

struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    most: usize,
    changed: WakeFlag,
}

struct Waiting<T> {
    values: VecDeque<T>,
    is_closed: bool,
}

impl<T> Queue<T> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sender<T> {
    /// Puts a value into the queue.
    ///
    /// # Errors
    /// The value, when the queue is full or nobody takes from it any more.
    pub fn try_send(&self, value: T) -> Result<(), T> {
        let mut waiting = self.0.waiting();
        if waiting.is_closed || waiting.values.len() >= self.0.most {
            return Err(value);
        }
        waiting.values.push_back(value);
        drop(waiting);
        self.0.changed.raise();
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// The oldest value; `None` when there is none and there is not going to be one.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        loop {
            let mut waiting = self.0.waiting();
            if let Some(value) = waiting.values.pop_front() {
                if waiting.values.is_empty() {
                    waiting.values = VecDeque::new();
                }
                return Poll::Ready(Some(value));
            }
            if waiting.is_closed {
                return Poll::Ready(None);
            }
            drop(waiting);
            // One that is raised may be about a value that was taken already.
            if self.0.changed.poll_raised(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.waiting().is_closed = true;
        self.0.changed.raise();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.is_closed = true;
        let left = std::mem::take(&mut waiting.values);
        drop(waiting);
        drop(left);
    }
}

// Values may be secret.
impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn values_come_in_order_and_no_more_than_there_is_room_for() {
        let (sender, mut receiver) = short_queue(2);
        for _ in 0..3 {
            assert_eq!((sender.try_send(1), sender.try_send(2)), (Ok(()), Ok(())));
            assert_eq!(sender.try_send(3), Err(3));
            assert_eq!(receiver.recv().await, Some(1));
            assert_eq!(sender.try_send(3), Ok(()));
            assert_eq!((receiver.recv().await, receiver.recv().await), (Some(2), Some(3)));
            let more = tokio::time::timeout(Duration::from_millis(1), receiver.recv());
            assert!(more.await.is_err(), "nothing is left");
            assert_eq!(receiver.0.waiting().values.capacity(), 0, "nor its memory");
        }
    }

    #[tokio::test]
    async fn what_waits_is_taken_when_the_sender_is_gone() {
        let (sender, mut receiver) = short_queue(2);
        sender.try_send(1).unwrap();
        drop(sender);
        assert_eq!((receiver.recv().await, receiver.recv().await), (Some(1), None));
        let (sender, mut receiver) = short_queue::<u8>(1);
        let told = async { tokio::join!(receiver.recv(), async { drop(sender) }).0 };
        let told = tokio::time::timeout(Duration::from_secs(60), told).await;
        assert_eq!(told, Ok(None), "who waits already is told");
    }

    #[tokio::test]
    async fn nothing_is_put_where_nobody_takes_it() {
        let (sender, receiver) = short_queue(2);
        let value = Arc::new(());
        sender.try_send(Arc::clone(&value)).unwrap();
        drop(receiver);
        assert_eq!(Arc::strong_count(&value), 1, "what waited is dropped");
        assert!(sender.try_send(value).is_err());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_is_lost_between_two_threads() {
        let (sender, mut receiver) = short_queue(4);
        let sending = tokio::spawn(async move {
            for number in 0..10_000 {
                while sender.try_send(number).is_err() {
                    tokio::task::yield_now().await;
                }
            }
        });
        let taking = async {
            for number in 0..10_000 {
                assert_eq!(receiver.recv().await, Some(number));
            }
            assert_eq!(receiver.recv().await, None);
        };
        tokio::time::timeout(Duration::from_secs(60), taking).await.unwrap();
        sending.await.unwrap();
    }
}
