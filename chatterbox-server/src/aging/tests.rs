use std::sync::Mutex;

use chatterbox_hub::{Record, RoomNumber, RoomRecord, Sequence};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending};

use super::*;
use crate::chat::cluster::kit::Kit;
use crate::store::{Page, PageQuery, StoreError};

/// A store that notes what time it is told, and does nothing else.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<i64>>);

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Store for Told {
    fn keep<'a>(&'a self, _records: &'a [(Sequence, Record)]) -> Answer<'a, ()> {
        pending().boxed()
    }

    fn newest(&self) -> Answer<'_, Sequence> {
        pending().boxed()
    }

    fn keep_rooms<'a>(&'a self, _: Sequence, _: &'a [RoomRecord]) -> Answer<'a, ()> {
        pending().boxed()
    }

    fn rooms(&self) -> Answer<'_, Vec<RoomRecord>> {
        pending().boxed()
    }

    fn newest_of_rooms(&self) -> Answer<'_, Vec<(RoomNumber, Sequence)>> {
        pending().boxed()
    }

    fn read(&self, _from: Sequence, _limit: usize) -> Answer<'_, Vec<(Sequence, Record)>> {
        pending().boxed()
    }

    fn page(&self, _query: PageQuery) -> Answer<'_, Page> {
        pending().boxed()
    }

    fn forget_account(&self, _account: i64) -> BoxFuture<'_, ()> {
        pending().boxed()
    }

    fn time_is(&self, now: i64) {
        self.0.lock().unwrap().push(now);
    }
}

/// The engine of these tests began at second 0, and the clock of this machine says something else.
#[tokio::test(start_paused = true)]
async fn nodes_of_a_cluster_have_the_time_of_the_order() {
    let node = Kit::new().node("one").await;
    let time = Time::Order(Arc::clone(&node.chat));
    let store = Told::default();
    let alone = forget_messages(&node.chat, &store, None, &Time::Machine);
    assert!(alone.now_or_never().is_none());
    assert!(store.0.lock().unwrap().is_empty(), "a node that is alone needs no other clock");
    let forgetting = forget_messages(&node.chat, &store, None, &time);
    // Three looks, while the ticks of the node come round.
    assert!(tokio::time::timeout(AGE_CHECKS * 5 / 2, forgetting).await.is_err());
    let told = store.0.lock().unwrap().clone();
    let expected = [0, 60, 120];
    let is_near = |(told, expected): (&i64, &i64)| (expected - 2..=expected + 2).contains(told);
    assert!(told.len() == 3 && told.iter().zip(&expected).all(is_near), "{told:?}");
    assert!(Time::Machine.now() > 1_500_000_000);
    node.end().await;
}
