//! A thread that calls the directory, so that a slow disk blocks no task but those that wait for it.

use std::io;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::accounts::directory::{Directory, DirectoryError};

type Job = Box<dyn FnOnce(&mut dyn Directory) + Send>;

/// Calls that may wait for the thread; further callers wait for room.
const WAITING_JOBS: usize = 64;

/// The directory as tasks call it.
#[derive(Debug)]
pub struct DirectoryThread {
    /// `None` only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl DirectoryThread {
    /// # Errors
    /// When a thread can't be started.
    pub fn new(mut directory: impl Directory + 'static) -> io::Result<Self> {
        let (jobs, mut inbox) = mpsc::channel::<Job>(WAITING_JOBS);
        let thread = std::thread::Builder::new().name("accounts".into()).spawn(move || {
            while let Some(job) = inbox.blocking_recv() {
                job(&mut directory);
            }
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Calls the directory in the thread.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn call<T: Send + 'static>(
        &self,
        function: impl FnOnce(&mut dyn Directory) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<T, DirectoryError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(DirectoryError::Closed)?;
        let job: Job = Box::new(move |directory| {
            // The caller may have been cancelled meanwhile.
            let _ = reply.send(function(directory));
        });
        jobs.send(job).await.map_err(|_| DirectoryError::Closed)?;
        answer.await.map_err(|_| DirectoryError::Closed)?
    }
}

/// Waits for the calls in the queue.
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
