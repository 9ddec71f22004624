//! A store in memory that fails as it is told to, for tests of the library and of the program: whoever includes this says in
//! `store_api` where stores are.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use chatterbox_hub::{Durable, Record, RoomNumber, RoomRecord, Sequence};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::store_api::{Followed, Memory, Page, PageQuery, Store, StoreError};

/// A store that can be out of room, unsure, or slow.
#[derive(Debug, Default)]
pub struct FailingStore {
    /// What it has.
    pub memory: Memory,
    /// Whether it has no room for anything more.
    pub is_full: AtomicBool,
    /// Whether it fails when it has kept something already.
    pub is_unsure: AtomicBool,
    /// How often it had no room.
    pub refused: AtomicUsize,
    /// How many messages it was given each time.
    pub groups: Mutex<Vec<usize>>,
    /// How many changes of rooms it was given, and whoever locks this keeps them from being stored.
    pub asked: AtomicUsize,
    pub rooms: tokio::sync::Mutex<()>,
}

impl FailingStore {
    /// Keeps something, or fails before or behind it.
    async fn kept<'a>(
        &'a self,
        keep: impl FnOnce(&'a Memory) -> BoxFuture<'a, Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        if self.is_full.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Full);
        }
        keep(&self.memory).await?;
        let is_unsure = self.is_unsure.load(Ordering::SeqCst);
        if is_unsure { Err(StoreError::Failed("did it?".into())) } else { Ok(()) }
    }
}

impl Store for FailingStore {
    fn keep<'a>(
        &'a self,
        records: &'a [(Sequence, Record)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).push(records.len());
        self.kept(|memory| memory.keep(records)).boxed()
    }

    fn keep_rooms<'a>(
        &'a self,
        number: Sequence,
        records: &'a [RoomRecord],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        async move {
            let _turn = self.rooms.lock().await;
            self.kept(|memory| memory.keep_rooms(number, records)).await
        }
        .boxed()
    }

    fn rooms(&self) -> BoxFuture<'_, Result<Vec<RoomRecord>, StoreError>> {
        self.memory.rooms()
    }

    fn newest_of_rooms(&self) -> BoxFuture<'_, Result<Vec<(RoomNumber, Sequence)>, StoreError>> {
        self.memory.newest_of_rooms()
    }

    fn newest(&self) -> BoxFuture<'_, Result<Sequence, StoreError>> {
        self.memory.newest()
    }

    fn read(
        &self,
        from: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, StoreError>> {
        self.memory.read(from, limit)
    }

    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.memory.page(query)
    }

    fn forget_account(&self, account: i64) -> BoxFuture<'_, ()> {
        self.memory.forget_account(account)
    }

    fn enter<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Followed, StoreError>> {
        self.memory.enter(cluster)
    }

    fn follow<'a>(
        &'a self,
        to: Followed,
        durable: &'a [Durable],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.kept(move |memory| memory.follow(to, durable)).boxed()
    }
}
