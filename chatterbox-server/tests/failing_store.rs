//! A store that fails: what it does not keep is seen by nobody, and said to its sender (IV-1).
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod harness;

/// Where stores are, for the kit.
mod store_api {
    pub use chatterbox_server::store::{Followed, Memory, Page, PageQuery, Store, StoreError};
}

#[path = "harness/failing_store.rs"]
mod kit;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chatterbox_server::Config;
use chatterbox_server::store::Store as _;
use harness::Server;
use kit::FailingStore;

#[tokio::test]
async fn what_is_not_stored_is_seen_by_nobody_and_said_to_its_sender() {
    let store = Arc::new(FailingStore::default());
    let server = Server::with_store(Config::default(), Arc::clone(&store) as _).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut bob, _) = server.join("bob").await;
    store.is_full.store(true, Ordering::SeqCst);
    ann.say("ALL", "lost").await;
    assert!(ann.error().await.contains("can't store"));
    store.is_full.store(false, Ordering::SeqCst);
    ann.say("ALL", "kept").await;
    assert_eq!(bob.until("kept").await, ["kept"]);
    let (_, welcome) = server.join("cyd").await;
    assert_eq!(welcome.messages.unwrap().len(), 1);
}

#[tokio::test]
async fn a_group_that_may_have_been_stored_takes_no_number_from_the_next() {
    let store = Arc::new(FailingStore::default());
    let server = Server::with_store(Config::default(), Arc::clone(&store) as _).await;
    let (mut ann, _) = server.join("ann").await;
    ann.say("ALL", "first").await;
    assert_eq!(ann.until("first").await, ["first"]);
    store.is_unsure.store(true, Ordering::SeqCst);
    ann.say("ALL", "unsure").await;
    assert!(ann.error().await.contains("can't store"));
    store.is_unsure.store(false, Ordering::SeqCst);
    ann.say("ALL", "kept").await;
    assert_eq!(ann.until("kept").await, ["kept"]);
    let kept: Vec<_> = store.read(0, 9).await.unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(kept, [1, 2, 3]);
}
