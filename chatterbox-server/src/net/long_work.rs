//! Work on long frames, which takes milliseconds, beside the threads that serve connections.
//!
//! A task that computes for long keeps its thread from all other connections. Such work is announced to the runtime, which
//! serves the others on another thread meanwhile, and only so much of it is done at the same time that a part of the
//! processors is always left for them.

use tokio::runtime::{self, RuntimeFlavor};
use tokio::sync::Semaphore;

use crate::chat::Handle;

/// Work on more bytes than this is long: reading them takes more than half a millisecond.
pub const LONG_WORK: usize = 64 * 1024;

/// Admits long work, as much at a time as half of the processors can do.
#[derive(Debug)]
pub struct LongWork(Semaphore);

impl Default for LongWork {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Semaphore::new((processors / 2).max(1)))
    }
}

impl LongWork {
    /// Does some work on so many bytes, at once if they are few.
    pub async fn on<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        if bytes <= LONG_WORK {
            return work();
        }
        // It is never closed.
        let _admitted = self.0.acquire().await.ok();
        match runtime::Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
            // There is no other thread to serve the others.
            _ => work(),
        }
    }

    /// The same for what reads the frames of a member: what writes to it is in the same task, which is not run meanwhile.
    pub async fn for_reader<T>(
        &self,
        member: &Handle,
        bytes: usize,
        work: impl FnOnce() -> T,
    ) -> T {
        let work = || {
            if bytes > LONG_WORK {
                member.postpone();
            }
            work()
        };
        self.on(bytes, work).await
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_are_served_while_long_work_is_done() {
        let work = Arc::new(LongWork::default());
        let (told, asked) = std::sync::mpsc::channel();
        let long = tokio::spawn({
            let work = Arc::clone(&work);
            // It waits for another task of the only thread, which is served by a new one.
            async move { work.on(LONG_WORK + 1, move || asked.recv().is_ok()).await }
        });
        tokio::spawn(async move { told.send(()) }).await.unwrap().unwrap();
        assert!(long.await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn only_so_much_is_done_at_a_time() {
        let work = Arc::new(LongWork(Semaphore::new(1)));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (work, now, most) = (Arc::clone(&work), Arc::clone(&now), Arc::clone(&most));
                tokio::spawn(async move {
                    for _ in 0..100 {
                        work.on(usize::MAX, || {
                            most.fetch_max(
                                now.fetch_add(1, Ordering::SeqCst) + 1,
                                Ordering::SeqCst,
                            );
                            std::thread::yield_now();
                            now.fetch_sub(1, Ordering::SeqCst);
                        })
                        .await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }
}
