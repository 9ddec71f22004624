//! The server's side of a store of what is known about files: a thread that calls it, so that a slow disk blocks no task but
//! those that wait for it.

use std::io;
use std::thread::JoinHandle;

use chatterbox_hub::Sequence;
use tokio::sync::{mpsc, oneshot};

use crate::files::file_store::{FileStore, FileStoreError};
use crate::files::stored_file::{Claim, NewFile, Quotas, Reserved, StoredFile};

type Job = Box<dyn FnOnce(&mut dyn FileStore) + Send>;

/// Calls that may wait for the thread; further callers wait for room.
const WAITING_JOBS: usize = 64;

/// What is known about files, as tasks call it; the calls are those of [`FileStore`].
///
/// A call that was begun is done, also when the task that waits for it has ended meanwhile.
#[derive(Debug)]
pub struct FileRecords {
    /// `None` only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl FileRecords {
    /// # Errors
    /// When a thread can't be started.
    pub fn new(mut store: impl FileStore + 'static) -> io::Result<Self> {
        let (jobs, mut inbox) = mpsc::channel::<Job>(WAITING_JOBS);
        let thread = std::thread::Builder::new().name("files".into()).spawn(move || {
            while let Some(job) = inbox.blocking_recv() {
                job(&mut store);
            }
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    async fn call<T: Send + 'static>(
        &self,
        function: impl FnOnce(&mut dyn FileStore) -> Result<T, FileStoreError> + Send + 'static,
    ) -> Result<T, FileStoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(FileStoreError::Closed)?;
        let job: Job = Box::new(move |store| {
            // The caller may have been cancelled meanwhile.
            let _ = reply.send(function(store));
        });
        jobs.send(job).await.map_err(|_| FileStoreError::Closed)?;
        answer.await.map_err(|_| FileStoreError::Closed)?
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn reserve(&self, new: NewFile, quotas: Quotas) -> Result<Reserved, FileStoreError> {
        self.call(move |store| store.reserve(&new, quotas)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn complete(&self, token: String) -> Result<bool, FileStoreError> {
        self.call(move |store| store.complete(&token)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn claim(&self, claim: Claim) -> Result<Option<StoredFile>, FileStoreError> {
        self.call(move |store| store.claim(&claim)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn release(&self, token: String, key: String) -> Result<(), FileStoreError> {
        self.call(move |store| store.release(&token, &key)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn announced(&self, token: String, number: Sequence) -> Result<(), FileStoreError> {
        self.call(move |store| store.announced(&token, number)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn shorten(&self, token: String, until: i64) -> Result<(), FileStoreError> {
        self.call(move |store| store.shorten(&token, until)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn remove(&self, tokens: Vec<String>) -> Result<(), FileStoreError> {
        self.call(move |store| store.remove(&tokens)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn give_up(
        &self,
        token: String,
        account: i64,
        now: i64,
    ) -> Result<bool, FileStoreError> {
        self.call(move |store| store.give_up(&token, account, now)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn find(&self, token: String) -> Result<Option<StoredFile>, FileStoreError> {
        self.call(move |store| store.find(&token)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn list(
        &self,
        after: String,
        limit: usize,
    ) -> Result<Vec<StoredFile>, FileStoreError> {
        self.call(move |store| store.list(&after, limit)).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn being_written(&self) -> Result<u64, FileStoreError> {
        self.call(|store| store.being_written()).await
    }

    /// # Errors
    /// [`FileStoreError`].
    pub async fn unfinished(&self, account: i64) -> Result<Vec<(String, u64)>, FileStoreError> {
        self.call(move |store| store.unfinished(account)).await
    }
}

/// Waits for the calls in the queue.
impl Drop for FileRecords {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of files has panicked");
        }
    }
}
