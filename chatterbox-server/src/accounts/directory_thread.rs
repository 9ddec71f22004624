//! The thread that asks the directory: a disk that is slow stops nobody who is not waiting for it.

use std::io;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::accounts::directory::{Directory, DirectoryError};

type Job = Box<dyn FnOnce(&mut dyn Directory) + Send>;

/// Questions that may wait for the thread; further ones wait to be put.
const WAITING_JOBS: usize = 64;

/// The directory, for tasks.
#[derive(Debug)]
pub struct DirectoryThread {
    /// There until the end.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl DirectoryThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(mut directory: impl Directory + 'static) -> io::Result<Self> {
        let (jobs, mut inbox) = mpsc::channel::<Job>(WAITING_JOBS);
        let thread = std::thread::Builder::new().name("accounts".into()).spawn(move || {
            while let Some(job) = inbox.blocking_recv() {
                job(&mut directory);
            }
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Asks the directory something.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Directory) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<T, DirectoryError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(DirectoryError::Closed)?;
        let job: Job = Box::new(move |directory| {
            // Whoever does not wait any more does not need the answer.
            let _ = reply.send(question(directory));
        });
        jobs.send(job).await.map_err(|_| DirectoryError::Closed)?;
        answer.await.map_err(|_| DirectoryError::Closed)?
    }
}

/// Waits for what was asked by then.
impl Drop for DirectoryThread {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the accounts' thread has panicked");
        }
    }
}
