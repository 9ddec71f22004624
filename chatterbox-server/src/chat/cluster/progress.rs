//! How far a node has applied and stored, and reading what is stored without missing what was applied.

#![allow(clippy::disallowed_methods, reason = "the edge: a read waits for a bounded time")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chatterbox_hub::{Durable, Record, RoomNumber, RoomRecord, Sequence};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::order::Place;
use crate::store::{Followed, Page, PageQuery, Store, StoreError};

/// How far a node is.
#[derive(Debug, Default)]
pub struct Progress {
    /// The place that is being applied, or was applied last.
    applied: AtomicU64,
    /// The place up to which everything is stored.
    stored: watch::Sender<Place>,
}

impl Progress {
    /// Notes that a place is going to be applied.
    pub(super) fn applies(&self, place: Place) {
        self.applied.store(place, Ordering::Release);
    }

    /// Notes that everything up to a place is stored.
    pub(super) fn has_stored(&self, place: Place) {
        self.stored.send_replace(place);
    }

    /// The newest place that was applied, or is being applied.
    pub fn applied(&self) -> Place {
        self.applied.load(Ordering::Acquire)
    }

    /// How many places are applied, and not stored yet.
    pub fn unstored(&self) -> u64 {
        self.applied().saturating_sub(*self.stored.borrow())
    }

    /// Waits until everything up to a place is stored.
    pub async fn stores(&self, place: Place) {
        // It is as old as the sender.
        let _ = self.stored.subscribe().wait_for(|stored| *stored >= place).await;
    }
}

/// A read waits so long for what was applied: longer than a group takes to be stored, and no longer than somebody waits who wants
/// to look at what there is while the disk is full.
const PATIENCE: Duration = Duration::from_secs(2);

/// A store behind what is applied, for those who read: what somebody was told is found there.
#[derive(Debug)]
pub struct StoredBehind {
    /// The store.
    pub store: Arc<dyn Store>,
    /// How far its node is.
    pub progress: Arc<Progress>,
}

impl Store for StoredBehind {
    fn keep<'a>(
        &'a self,
        records: &'a [(Sequence, Record)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.keep(records)
    }

    fn time_is(&self, now: i64) {
        self.store.time_is(now);
    }

    fn newest(&self) -> BoxFuture<'_, Result<Sequence, StoreError>> {
        self.store.newest()
    }

    fn keep_rooms<'a>(
        &'a self,
        number: Sequence,
        records: &'a [RoomRecord],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.keep_rooms(number, records)
    }

    fn rooms(&self) -> BoxFuture<'_, Result<Vec<RoomRecord>, StoreError>> {
        self.store.rooms()
    }

    fn newest_of_rooms(&self) -> BoxFuture<'_, Result<Vec<(RoomNumber, Sequence)>, StoreError>> {
        self.store.newest_of_rooms()
    }

    fn read(
        &self,
        from: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, StoreError>> {
        self.store.read(from, limit)
    }

    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, StoreError>> {
        async move {
            // Where nothing can be stored, what was stored before can be read.
            let _ =
                tokio::time::timeout(PATIENCE, self.progress.stores(self.progress.applied())).await;
            self.store.page(query).await
        }
        .boxed()
    }

    fn backlog(&self) -> (usize, usize) {
        self.store.backlog()
    }

    fn forget_sealed(&self, before: i64) -> BoxFuture<'_, ()> {
        self.store.forget_sealed(before)
    }

    fn forget_account(&self, account: i64) -> BoxFuture<'_, ()> {
        self.store.forget_account(account)
    }

    fn enter<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Followed, StoreError>> {
        self.store.enter(cluster)
    }

    fn follow<'a>(
        &'a self,
        to: Followed,
        durable: &'a [Durable],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.follow(to, durable)
    }
}
