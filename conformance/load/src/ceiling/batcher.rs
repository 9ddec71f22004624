//! Puts what all senders say together into batches, and hands each batch to every thread.

use std::{
    net::TcpStream,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use conformance_kit::wire::prefix::Prefix;
use tokio::sync::{Notify, mpsc};

/// Between two looks whether a batch still grows.
const LOOK: Duration = Duration::from_millis(1);

/// After so many looks at which it has not grown it goes out.
const QUIET_LOOKS: u32 = 5;

/// How often it is looked at most.
const MOST_LOOKS: u32 = 20;

/// What stands in front of the messages of a frame.
pub(super) const OPEN: &[u8] = br#"{"MESSAGES": ["#;

/// What stands behind them.
pub(super) const CLOSE: &[u8] = b"]}";

/// How many messages each write has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Batches {
    /// So many, the mean, from 1 on.
    Sized(f64),
    /// All that senders have given: at once when it is so many, which is all that they have on their
    /// way. Otherwise it is gathered until the batch before was handed to all connections, where those
    /// that are blocked have it waiting, and until nothing more has come for 5 ms; for 20 ms at most.
    Free(usize),
}

/// The bytes of one frame.
pub(super) type Batch = Arc<[u8]>;

/// The queue of one thread: new connections and batches.
#[derive(Clone)]
pub(super) struct ThreadQueue {
    /// Connections that it is to look after.
    pub arrivals: mpsc::UnboundedSender<TcpStream>,
    batches: Arc<Mutex<Vec<Batch>>>,
    /// Rung when there are batches.
    pub news: Arc<Notify>,
    rounds: Arc<Rounds>,
}

/// How far the threads are with what was published.
#[derive(Default)]
struct Rounds {
    /// Batches that threads have not handed on yet, counted once for each thread.
    unwritten: AtomicUsize,
    /// Rung by the first message of a batch, and when all is handed on.
    bell: Notify,
}

impl ThreadQueue {
    /// The queues of so many threads, and where these find their connections.
    pub fn of(threads: usize) -> (Vec<Self>, Vec<mpsc::UnboundedReceiver<TcpStream>>) {
        let rounds = Arc::new(Rounds::default());
        (0..threads)
            .map(|_| {
                let (arrivals, received) = mpsc::unbounded_channel();
                let (batches, news) = (Arc::default(), Arc::new(Notify::new()));
                (Self { arrivals, batches, news, rounds: Arc::clone(&rounds) }, received)
            })
            .unzip()
    }

    /// The batches that have come.
    pub fn take(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.batches.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says that so many were handed to all connections of this thread: written, or waiting where one is
    /// blocked.
    pub fn written(&self, batches: usize) {
        if batches > 0 && self.rounds.unwritten.fetch_sub(batches, SeqCst) == batches {
            self.rounds.bell.notify_one();
        }
    }
}

/// Collects messages into batches and publishes each batch to every thread.
pub(super) struct Batcher {
    queues: Vec<ThreadQueue>,
    batches: Batches,
    published: f64,
    count: usize,
    bytes: Vec<u8>,
    is_fresh: bool,
}

impl Batcher {
    pub fn new(queues: Vec<ThreadQueue>, batches: Batches) -> Self {
        let (published, count, bytes, is_fresh) = (0.0, 0, Vec::new(), false);
        Self { queues, batches, published, count, bytes, is_fresh }
    }

    /// How many messages the next batch has: whole numbers with the right mean.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a batch has at most as many messages as are on their way"
    )]
    fn size(&self) -> usize {
        let mean = match self.batches {
            Batches::Sized(mean) => mean.max(1.0),
            Batches::Free(most) => return most,
        };
        (((self.published + 1.0) * mean).floor() - (self.published * mean).floor()) as usize
    }

    /// Takes one message.
    pub fn take(&mut self, message: &[u8]) {
        if self.count == 0 {
            self.bytes.extend_from_slice(&[0; 4]);
            self.bytes.extend_from_slice(OPEN);
        } else {
            self.bytes.extend_from_slice(b", ");
        }
        self.bytes.extend_from_slice(message);
        self.count += 1;
        self.is_fresh = true;
        if self.count >= self.size().max(1) {
            self.publish();
        } else if self.count == 1
            && self.is_free()
            && let Some(queue) = self.queues.first()
        {
            queue.rounds.bell.notify_one();
        }
    }

    const fn is_free(&self) -> bool {
        matches!(self.batches, Batches::Free(_))
    }

    fn publish(&mut self) {
        self.bytes.extend_from_slice(CLOSE);
        let length = Prefix::NETWORK.announce(self.bytes.len() - 4);
        if let Some(prefix) = self.bytes.first_chunk_mut::<4>() {
            *prefix = length;
        }
        let batch: Batch = self.bytes.as_slice().into();
        self.bytes.clear();
        self.count = 0;
        self.published += 1.0;
        if let Some(queue) = self.queues.first() {
            queue.rounds.unwritten.fetch_add(self.queues.len(), SeqCst);
        }
        for queue in &self.queues {
            let mut batches = queue.batches.lock().unwrap_or_else(PoisonError::into_inner);
            batches.push(Arc::clone(&batch));
            queue.news.notify_one();
        }
    }

    /// Publishes an unfinished batch of a fixed size that has waited since the last call.
    pub fn publish_stale(&mut self) {
        if self.is_free() {
            return;
        }
        if self.count > 0 && !self.is_fresh {
            self.publish();
        }
        self.is_fresh = false;
    }

    /// Whether anything has come since the last call.
    fn has_grown(&mut self) -> bool {
        std::mem::take(&mut self.is_fresh)
    }
}

/// Publishes free-running batches, for ever; nothing where batches have a size.
pub(super) async fn gather(batcher: &Mutex<Batcher>) {
    let rounds = lock(batcher).queues.first().map(|queue| Arc::clone(&queue.rounds));
    let Some(rounds) = rounds.filter(|_| lock(batcher).is_free()) else {
        return std::future::pending().await;
    };
    loop {
        rounds.bell.notified().await;
        let number = {
            let mut batcher = lock(batcher);
            if rounds.unwritten.load(SeqCst) > 0 || batcher.count == 0 {
                continue;
            }
            batcher.has_grown();
            batcher.published
        };
        let mut quiet = 0;
        for _ in 0..MOST_LOOKS {
            tokio::time::sleep(LOOK).await;
            let mut batcher = lock(batcher);
            quiet = if batcher.has_grown() { 0 } else { quiet + 1 };
            if quiet == QUIET_LOOKS || batcher.published > number {
                break;
            }
        }
        let mut batcher = lock(batcher);
        // One that had all that can come has gone out by itself.
        if batcher.published <= number {
            batcher.publish();
        }
    }
}

fn lock(batcher: &Mutex<Batcher>) -> MutexGuard<'_, Batcher> {
    batcher.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_the_mean_that_was_asked_for() {
        let mut batcher = Batcher::new(Vec::new(), Batches::Sized(3.25));
        let mut sizes = Vec::new();
        for _ in 0..100 {
            sizes.push(batcher.size());
            batcher.published += 1.0;
        }
        assert_eq!(sizes.iter().sum::<usize>(), 325);
        assert!(sizes.iter().all(|size| *size == 3 || *size == 4));
    }

    fn messages(batch: &Batch) -> usize {
        batch.iter().filter(|byte| **byte == b'!').count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_free_batch_is_all_that_has_come_while_the_one_before_was_written() {
        let (queues, _connections) = ThreadQueue::of(2);
        let batcher = Mutex::new(Batcher::new(queues.clone(), Batches::Free(100)));
        let [one, two] = &queues[..] else { panic!("two queues") };
        let writing = async {
            for _ in 0..3 {
                lock(&batcher).take(b"!");
            }
            one.news.notified().await;
            two.news.notified().await;
            let taken = [one.take(), two.take()];
            assert_eq!(taken.map(|batches| batches.iter().map(messages).sum::<usize>()), [3, 3]);
            // These come while it is written: they wait for both threads, however long that takes.
            for _ in 0..5 {
                lock(&batcher).take(b"!");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            one.written(1);
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(one.take().is_empty() && two.take().is_empty());
            two.written(1);
            one.news.notified().await;
            let batches = one.take();
            assert_eq!((batches.len(), batches.iter().map(messages).sum::<usize>()), (1, 5));
        };
        tokio::select! {
            () = gather(&batcher) => unreachable!("it gathers for ever"),
            () = writing => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_free_batch_with_all_that_can_come_goes_out_at_once_and_another_one_waits() {
        let (queues, _connections) = ThreadQueue::of(1);
        let batcher = Mutex::new(Batcher::new(queues.clone(), Batches::Free(3)));
        let [queue] = &queues[..] else { panic!("one queue") };
        let sizes = || queue.take().iter().map(messages).collect::<Vec<_>>();
        let milliseconds = |count| tokio::time::sleep(Duration::from_millis(count));
        let writing = async {
            for _ in 0..2 {
                lock(&batcher).take(b"!");
                // What pauses for a moment has not ended.
                milliseconds(2).await;
                assert_eq!(sizes(), [0; 0]);
            }
            lock(&batcher).take(b"!");
            assert_eq!(sizes(), [3]);
            queue.news.notified().await;
            queue.written(1);
            // The looks at the batch before are none at this one.
            for _ in 0..2 {
                lock(&batcher).take(b"!");
                milliseconds(3).await;
                assert_eq!(sizes(), [0; 0]);
            }
            queue.news.notified().await;
            assert_eq!(sizes(), [2]);
        };
        tokio::select! {
            () = gather(&batcher) => unreachable!("it gathers for ever"),
            () = writing => {}
        }
    }
}
