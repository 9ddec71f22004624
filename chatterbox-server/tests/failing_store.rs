//! A store that fails: what it does not keep is seen by nobody, and said to its sender (IV-1).
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod harness;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatterbox_hub::{Record, RoomNumber, RoomRecord, Sequence};
use chatterbox_server::Config;
use chatterbox_server::store::{Memory, Page, PageQuery, Store, StoreError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use harness::Server;

/// A store that can be made to fail.
#[derive(Debug, Default)]
struct Fickle {
    memory: Memory,
    full: AtomicBool,
    /// Whether it fails when it has kept a group already.
    unsure: AtomicBool,
}

impl Store for Fickle {
    fn keep<'a>(
        &'a self,
        records: &'a [(Sequence, Record)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        if self.full.load(Ordering::SeqCst) {
            return futures_util::future::ready(Err(StoreError::Full)).boxed();
        }
        if self.unsure.load(Ordering::SeqCst) {
            let kept = self.memory.keep(records);
            return kept.map(|_| Err(StoreError::Failed("did it?".into()))).boxed();
        }
        self.memory.keep(records)
    }

    fn keep_rooms<'a>(
        &'a self,
        number: Sequence,
        records: &'a [RoomRecord],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        if self.full.load(Ordering::SeqCst) {
            return futures_util::future::ready(Err(StoreError::Full)).boxed();
        }
        self.memory.keep_rooms(number, records)
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
}

#[tokio::test]
async fn what_is_not_stored_is_seen_by_nobody_and_said_to_its_sender() {
    let store = Arc::new(Fickle::default());
    let server = Server::with_store(Config::default(), Arc::clone(&store) as _).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut bob, _) = server.join("bob").await;
    store.full.store(true, Ordering::SeqCst);
    ann.say("ALL", "lost").await;
    assert!(ann.error().await.contains("can't store"));
    store.full.store(false, Ordering::SeqCst);
    ann.say("ALL", "kept").await;
    assert_eq!(bob.until("kept").await, ["kept"]);
    let (_, welcome) = server.join("cyd").await;
    assert_eq!(welcome.messages.unwrap().len(), 1);
}

#[tokio::test]
async fn a_group_that_may_have_been_stored_takes_no_number_from_the_next() {
    let store = Arc::new(Fickle::default());
    let server = Server::with_store(Config::default(), Arc::clone(&store) as _).await;
    let (mut ann, _) = server.join("ann").await;
    ann.say("ALL", "first").await;
    assert_eq!(ann.until("first").await, ["first"]);
    store.unsure.store(true, Ordering::SeqCst);
    ann.say("ALL", "unsure").await;
    assert!(ann.error().await.contains("can't store"));
    store.unsure.store(false, Ordering::SeqCst);
    ann.say("ALL", "kept").await;
    assert_eq!(ann.until("kept").await, ["kept"]);
    let kept: Vec<_> = store.read(0, 9).await.unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(kept, [1, 2, 3]);
}
