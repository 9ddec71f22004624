//! Files of this machine that are sent and fetched: what the application wants to be done with them, one thing at a time, in a thread
//! that may wait for a disk.
#![allow(clippy::disallowed_methods, reason = "files are read and written here")]

mod fetched;
mod leftover;
mod place;
mod sent;
mod store;
mod trouble;

use std::future::pending;

use chatterbox_app::{FileFault, FileNews, FileWork};
use tokio::task::{JoinHandle, spawn_blocking};

use self::store::Store;

/// The files of a session. When it is dropped, nothing is left of what was not fetched wholly.
pub(crate) struct Files {
    /// `None` while the thread has it.
    store: Option<Store>,
    job: Option<Job>,
}

/// Something that is being done.
struct Job {
    /// The transfer that it is for.
    id: u64,
    done: JoinHandle<(Store, Option<FileNews>)>,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { store: Some(Store::default()), job: None }
    }

    /// Whether something can be started.
    pub(crate) fn is_idle(&self) -> bool {
        self.job.is_none()
    }

    /// Starts something; nothing else is under way.
    pub(crate) fn start(&mut self, work: FileWork) {
        let id = store::transfer_of(&work);
        let mut store = self.store.take().unwrap_or_default();
        let done = spawn_blocking(move || {
            let news = store.perform(work);
            (store, news)
        });
        self.job = Some(Job { id, done });
    }

    /// Waits for the end of what was started; `None` where it is nothing to be told. Cancelling it loses nothing.
    pub(crate) async fn news(&mut self) -> Option<FileNews> {
        let Some(job) = &mut self.job else { return pending().await };
        let (id, done) = (job.id, (&mut job.done).await);
        self.job = None;
        match done {
            Ok((store, news)) => {
                self.store = Some(store);
                news
            }
            // The files of all transfers went with the thread; the next piece of each fails.
            Err(_) => {
                let why = FileFault::Other("it can't be read or written".to_owned());
                Some(FileNews::Failed { id, why })
            }
        }
    }
}
