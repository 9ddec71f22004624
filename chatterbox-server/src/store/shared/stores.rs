//! The stores of one node that do what the order says, in a thread of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Proposal, Sequence};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::{mpsc, oneshot, watch};

use crate::store::message_store::StoreError;
use crate::store::shared::asking::{Asking, PATIENCE};
use crate::store::shared::directory::Shared as SharedDirectory;
use crate::store::shared::files::Shared as SharedFiles;
use crate::store::shared::moderation::Shared as SharedModeration;
use crate::store::shared::tables::Tables;
use crate::store::sqlite::{
    Moment, OpenError, SqliteDirectory, SqliteFiles, SqliteModeration, refused,
};
use crate::store::store_commands::{Proposer, StoreCommands};

type Job = Box<dyn FnOnce(&mut Tables) + Send>;

/// Calls that may wait for the thread: whoever follows the order makes one at a time, and has one digest and one dump made beside it.
const WAITING_JOBS: usize = 8;

/// What all nodes store alike, in the database of this one.
#[derive(Debug)]
pub struct Shared {
    folder: PathBuf,
    asking: Arc<Asking>,
    /// `None` only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Shared {
    /// Opens the database of a folder, which is made or migrated when nobody uses it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::with_patience(folder, PATIENCE)
    }

    /// The same where nobody waits for longer than this.
    pub(super) fn with_patience(folder: &Path, patience: Duration) -> Result<Self, OpenError> {
        let directory = SqliteDirectory::open(folder)?;
        let moderation = SqliteModeration::open(folder)?;
        let files = SqliteFiles::open(folder)?;
        let before = directory.newest_command().and_then(|applied| {
            let has_own = directory.has_own()?;
            Ok((applied, has_own))
        });
        let (applied, has_own) = before.map_err(|error| {
            let (path, source) = (folder.to_owned(), Box::new(error));
            OpenError::Unreadable { path, source }
        })?;
        if has_own {
            return Err(OpenError::MadeAlone(folder.to_owned()));
        }
        let mut own = [0; 8];
        SystemRandom::new().fill(&mut own).map_err(|_| OpenError::Random)?;
        let asking = Arc::new(Asking::new(u64::from_le_bytes(own), patience));
        let mut tables = Tables { directory, moderation, files, applied };
        let (jobs, mut inbox) = mpsc::channel::<Job>(WAITING_JOBS);
        let thread = std::thread::Builder::new()
            .name("shared".into())
            .spawn(move || {
                while let Some(job) = inbox.blocking_recv() {
                    job(&mut tables);
                }
            })
            .map_err(|source| OpenError::Thread { source })?;
        let folder = folder.to_owned();
        Ok(Self { folder, asking, jobs: Some(jobs), thread: Some(thread) })
    }

    /// The accounts, which are changed on all nodes.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn directory(&self) -> Result<SharedDirectory, OpenError> {
        let reader = SqliteDirectory::open(&self.folder)?;
        Ok(SharedDirectory::new(reader, Arc::clone(&self.asking)))
    }

    /// What is stored of moderation, which is changed on all nodes.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn moderation(&self) -> Result<SharedModeration, OpenError> {
        let reader = SqliteModeration::open(&self.folder)?;
        Ok(SharedModeration::new(reader, Arc::clone(&self.asking)))
    }

    /// What is known about files, which is changed on all nodes.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn files(&self) -> Result<SharedFiles, OpenError> {
        let reader = SqliteFiles::open(&self.folder)?;
        Ok(SharedFiles::new(reader, Arc::clone(&self.asking)))
    }

    async fn call<T: Send + 'static>(
        &self,
        function: impl FnOnce(&mut Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        // The caller may have been cancelled meanwhile.
        let job: Job = Box::new(move |tables| drop(reply.send(function(tables))));
        jobs.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Reads all of it as it is behind what was called before, in a thread for which nobody else waits: whoever carries commands out goes
    /// on meanwhile.
    fn read_now<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Moment) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let folder = self.folder.clone();
        let moment = self.call_now(move |tables| tables.moment(&folder));
        async move {
            let moment = moment.await?;
            let read = tokio::task::spawn_blocking(move || read(&moment)).await;
            read.map_err(|error| StoreError::Failed(Box::new(error)))?.map_err(refused)
        }
        .boxed()
    }

    /// Calls behind what was called before, and before what is called later, whenever the answer is waited for.
    fn call_now<T: Send + 'static>(
        &self,
        function: impl FnOnce(&mut Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |tables| drop(reply.send(function(tables))));
        let sent = self.jobs.as_ref().map(|jobs| jobs.try_send(job).is_ok());
        match sent {
            Some(true) => async move { answer.await.map_err(|_| gone())? }.boxed(),
            Some(false) => ready(Err(StoreError::Busy("too much waits for it".into()))).boxed(),
            None => ready(Err(gone())).boxed(),
        }
    }
}

fn gone() -> StoreError {
    StoreError::Failed("its thread has ended".into())
}

impl StoreCommands for Shared {
    fn begin(&self, proposer: Arc<dyn Proposer>) {
        self.asking.begin(proposer);
    }

    fn apply<'a>(
        &'a self,
        number: Sequence,
        proposal: &'a Proposal,
        accepted: bool,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let asking = Arc::clone(&self.asking);
        match proposal {
            Proposal::Store(command) if accepted => {
                let command = command.clone();
                self.call(move |tables| {
                    if number <= tables.applied {
                        return Ok(());
                    }
                    Ok(tables.command(number, &command, &asking)?)
                })
                .boxed()
            }
            Proposal::Moderate(done) if accepted && done.written.is_some() => {
                let done = done.clone();
                self.call(move |tables| {
                    if number <= tables.applied {
                        return Ok(());
                    }
                    Ok(tables.moderated(number, &done)?)
                })
                .boxed()
            }
            Proposal::Say(say) if accepted => match say.record.file() {
                Some(token) => {
                    let token = token.to_owned();
                    self.call(move |tables| {
                        if number <= tables.applied {
                            return Ok(());
                        }
                        Ok(tables.announced(number, &token)?)
                    })
                    .boxed()
                }
                None => ready(Ok(())).boxed(),
            },
            _ => ready(Ok(())).boxed(),
        }
    }

    fn applied(&self) -> BoxFuture<'_, Result<Sequence, StoreError>> {
        self.call(|tables| Ok(tables.applied)).boxed()
    }

    fn settings(&self) -> watch::Receiver<u64> {
        self.asking.settings()
    }

    fn dump(&self) -> BoxFuture<'static, Result<Bytes, StoreError>> {
        self.read_now(|moment| Ok(moment.dump()?.into()))
    }

    fn digest(&self) -> BoxFuture<'static, Result<(Sequence, u64), StoreError>> {
        self.read_now(Moment::digest)
    }

    fn gone(&self, accounts: Vec<i64>) -> BoxFuture<'static, Result<Vec<i64>, StoreError>> {
        self.read_now(move |moment| moment.gone(&accounts))
    }

    fn restore(&self, state: Bytes) -> BoxFuture<'_, Result<(), StoreError>> {
        let asking = Arc::clone(&self.asking);
        self.call(move |tables| {
            tables.restore(&state)?;
            asking.settings_changed();
            Ok(())
        })
        .boxed()
    }
}

/// Waits for the calls in the queue.
impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of what nodes store alike has panicked");
        }
    }
}
