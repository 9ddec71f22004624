//! A thread that calls the directory, so that a slow disk blocks no task but those that wait for it.
//!
//! Before every call it looks for what others have changed in the same store, and tells the observer. So no login is
//! checked, and no guest let in, before the observer knows of the changes that decide about it.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use chatterbox_hub::AccountChange;
use tokio::sync::{mpsc, oneshot};

use crate::accounts::directory::{Directory, DirectoryError};

/// Is told of every change of an account, in the thread of the directory, so it must not block.
pub type Observer = Box<dyn Fn(&AccountChange) + Send + Sync>;

/// The observer, as long as there is one.
#[derive(Clone, Default)]
pub(super) struct Observed(Arc<RwLock<Option<Observer>>>);

impl Observed {
    /// Tells the observer of a change.
    pub(super) fn tell(&self, change: &AccountChange) {
        if let Some(observer) = &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            observer(change);
        }
    }

    fn is_there(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn replace(&self, observer: Option<Observer>) {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, observer);
        drop(place);
        // It may have what ends the thread.
        drop(before);
    }

    /// Tells the observer what others have changed. Without one, nothing is read, so nothing is lost.
    fn look(&self, directory: &mut dyn Directory) {
        if !self.is_there() {
            return;
        }
        match directory.changes() {
            Ok(changes) => changes.iter().for_each(|change| self.tell(change)),
            Err(error) => tracing::warn!(%error, "changes of accounts could not be read"),
        }
    }
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Observed").field(&self.is_there()).finish()
    }
}

/// Ends the observing when it is dropped.
#[derive(Debug)]
pub struct Observing(Observed);

impl Drop for Observing {
    fn drop(&mut self) {
        self.0.replace(None);
    }
}

type Job = Box<dyn FnOnce(&mut dyn Directory) + Send>;

/// Calls that may wait for the thread; further callers wait for room.
const WAITING_JOBS: usize = 64;

/// The directory as tasks call it.
#[derive(Debug)]
pub struct DirectoryThread {
    /// `None` only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    observed: Observed,
}

impl DirectoryThread {
    /// # Errors
    /// When a thread can't be started.
    pub fn new(mut directory: impl Directory + 'static) -> io::Result<Self> {
        let (jobs, mut inbox) = mpsc::channel::<Job>(WAITING_JOBS);
        let observed = Observed::default();
        let observing = observed.clone();
        let thread = std::thread::Builder::new().name("accounts".into()).spawn(move || {
            while let Some(job) = inbox.blocking_recv() {
                observing.look(&mut directory);
                directory.begin();
                job(&mut directory);
            }
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), observed })
    }

    /// Sets the observer, in place of another, until the guard is dropped. What observes often has the accounts itself, and neither
    /// would ever be dropped if this kept it.
    #[must_use]
    pub fn observe(&self, observer: Observer) -> Observing {
        self.observed.replace(Some(observer));
        Observing(self.observed.clone())
    }

    /// The observer, for the calls that change accounts.
    pub(super) fn observed(&self) -> Observed {
        self.observed.clone()
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
