//! The messages in a SQLite database: each that was delivered survives the end of the process.
//!
//! One thread owns the database. Every group is one transaction, and the sequencer makes one group of all messages that
//! have come meanwhile, so under load many messages share the cost of one commit. Old messages are removed in small steps
//! between groups.

use std::thread::JoinHandle;

use chatterbox_hub::{Durable, Record, RoomNumber, RoomRecord, Sequence};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::store::followed::Followed;
use crate::store::message_store::{Store, StoreError};
use crate::store::page::{Page, PageQuery};
use crate::store::sqlite::database::{self, Opened};
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::followed;
use crate::store::sqlite::options::SqliteOptions;
use crate::store::sqlite::store_time::OrderTime;
use crate::store::sqlite::writer::{Job, Writer};

/// The most jobs that may wait for the thread: a group to keep and a few reads.
const WAITING_JOBS: usize = 16;

/// The database, open.
#[derive(Debug)]
pub struct Sqlite {
    /// There until the end.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    time: OrderTime,
}

/// Waits for the thread, which puts everything into one file before it ends.
impl Drop for Sqlite {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the message store's thread has panicked");
        }
    }
}

impl Sqlite {
    /// Opens the database, made or migrated when needed.
    ///
    /// # Errors
    /// [`OpenError`] when it can't be used; nothing in it is changed then.
    pub fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        Self::with(database::open(options)?, options)
    }

    /// The same for a node that is alone: a database of a cluster has to stay as that of the others, unless it is moved out.
    ///
    /// # Errors
    /// [`OpenError`], [`OpenError::OfCluster`] among them.
    pub fn open_alone(options: &SqliteOptions) -> Result<Self, OpenError> {
        let opened = database::open(options)?;
        let cluster = followed::of(&opened.connection);
        match cluster.map_err(|error| OpenError::database(&opened.path, error))? {
            Some((cluster, _)) => Err(OpenError::OfCluster { path: opened.path, cluster }),
            None => Self::with(opened, options),
        }
    }

    fn with(opened: Opened, options: &SqliteOptions) -> Result<Self, OpenError> {
        let writer = Writer::new(opened, options.retention)?;
        let time = writer.order_time();
        let (jobs, inbox) = mpsc::channel(WAITING_JOBS);
        let thread = std::thread::Builder::new()
            .name("messages".into())
            .spawn(move || writer.run(inbox))
            .map_err(|source| OpenError::Thread { source })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), time })
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let gone = || StoreError::Failed("its thread has ended".into());
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Store for Sqlite {
    fn keep<'a>(
        &'a self,
        records: &'a [(Sequence, Record)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let records = records.to_vec();
        self.ask(|reply| Job::Keep { records, reply }).boxed()
    }

    fn keep_rooms<'a>(
        &'a self,
        number: Sequence,
        records: &'a [RoomRecord],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let records = records.to_vec();
        self.ask(move |reply| Job::KeepRooms { number, records, reply }).boxed()
    }

    fn rooms(&self) -> BoxFuture<'_, Result<Vec<RoomRecord>, StoreError>> {
        self.ask(|reply| Job::Rooms { reply }).boxed()
    }

    fn newest_of_rooms(&self) -> BoxFuture<'_, Result<Vec<(RoomNumber, Sequence)>, StoreError>> {
        self.ask(|reply| Job::NewestOfRooms { reply }).boxed()
    }

    fn newest(&self) -> BoxFuture<'_, Result<Sequence, StoreError>> {
        self.ask(|reply| Job::Newest { reply }).boxed()
    }

    fn read(
        &self,
        from: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, StoreError>> {
        self.ask(move |reply| Job::Read { from, limit, reply }).boxed()
    }

    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.ask(move |reply| Job::Page { query, reply }).boxed()
    }

    fn forget_sealed(&self, before: i64) -> BoxFuture<'_, ()> {
        async move {
            if let Some(jobs) = &self.jobs {
                let _ = jobs.send(Job::ForgetSealed { before }).await;
            }
        }
        .boxed()
    }

    fn forget_account(&self, account: i64) -> BoxFuture<'_, ()> {
        async move {
            // If the thread has ended they go at the next start.
            if let Some(jobs) = &self.jobs {
                let _ = jobs.send(Job::ForgetAccount { account }).await;
            }
        }
        .boxed()
    }

    fn backlog(&self) -> (usize, usize) {
        let jobs = self.jobs.as_ref();
        jobs.map_or((0, 0), |jobs| (jobs.max_capacity() - jobs.capacity(), jobs.max_capacity()))
    }

    fn enter<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Followed, StoreError>> {
        let cluster = cluster.to_owned();
        self.ask(|reply| Job::Enter { cluster, reply }).boxed()
    }

    fn time_is(&self, now: i64) {
        self.time.is(now);
    }

    fn follow<'a>(
        &'a self,
        to: Followed,
        durable: &'a [Durable],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let durable = durable.to_vec();
        self.ask(move |reply| Job::Follow { to, durable, reply }).boxed()
    }
}

#[cfg(test)]
mod tests;
