//! An engine in memory that several nodes of one test share, and that does what engines do when something is wrong with them.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use chatterbox_hub::Group;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::order::total_order::{
    Decided, Order, OrderError, Place, Reach, Snapshot, Snapshots, Unconfirmed,
};

/// The engine.
#[derive(Debug)]
pub struct Engine {
    log: Mutex<Log>,
    changed: Notify,
    start: Instant,
}

#[derive(Debug, Default)]
struct Log {
    groups: Vec<Arc<Decided>>,
    /// Those that are not kept any more.
    dropped: u64,
    snapshots: BTreeMap<Place, Snapshot>,
    /// Whether it takes and gives nothing for now: no quorum.
    stopped: bool,
    /// The next groups are taken, but nobody hears of it.
    unconfirmed: usize,
}

/// One node's way to the engine.
#[derive(Debug, Clone)]
pub struct Link {
    engine: Arc<Engine>,
    /// Whether it is cut.
    cut: Arc<Mutex<bool>>,
}

impl Engine {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { log: Mutex::default(), changed: Notify::new(), start: Instant::now() })
    }

    /// An empty one, whose log begins behind a place.
    pub fn behind(place: Place) -> Arc<Self> {
        let engine = Self::new();
        engine.log().dropped = place;
        engine
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }

    /// A way to it.
    pub fn link(self: &Arc<Self>) -> Link {
        Link { engine: Arc::clone(self), cut: Arc::default() }
    }

    /// It stops taking and giving anything, or goes on.
    pub fn stops(&self, stopped: bool) {
        self.log().stopped = stopped;
        self.changed.notify_waiters();
    }

    /// It takes the next groups, but does not say so.
    pub fn confirms_not(&self, groups: usize) {
        self.log().unconfirmed = groups;
    }

    /// It keeps nothing any more up to this place.
    pub fn drops(&self, up_to: Place) {
        let mut log = self.log();
        let count = usize::try_from(up_to.saturating_sub(log.dropped)).unwrap();
        log.groups.drain(..count);
        log.dropped = up_to;
    }

    /// All that is kept of it.
    pub fn groups(&self) -> Vec<Arc<Decided>> {
        self.log().groups.clone()
    }
}

impl Link {
    /// Cuts the way to the engine, or mends it.
    pub fn cut(&self, cut: bool) {
        *self.cut.lock().unwrap() = cut;
        self.engine.changed.notify_waiters();
    }

    fn is_open(&self) -> bool {
        !*self.cut.lock().unwrap() && !self.engine.log().stopped
    }

    /// Waits until the engine can be reached.
    async fn open(&self) {
        loop {
            let changed = self.engine.changed.notified();
            if self.is_open() {
                return;
            }
            changed.await;
        }
    }

    async fn next(&self, after: Place) -> Result<Arc<Decided>, OrderError> {
        loop {
            let changed = self.engine.changed.notified();
            if self.is_open() {
                let log = self.engine.log();
                let Some(index) = after.checked_sub(log.dropped) else {
                    return Err(OrderError::OutOfReach { after, first: log.dropped + 1 });
                };
                let index = usize::try_from(index).unwrap();
                if index > log.groups.len() {
                    return Err(OrderError::OutOfReach { after, first: log.dropped + 1 });
                }
                if let Some(decided) = log.groups.get(index) {
                    return Ok(Arc::clone(decided));
                }
            }
            changed.await;
        }
    }
}

impl Order for Link {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), Unconfirmed>> {
        async move {
            self.open().await;
            let is_confirmed = {
                let mut log = self.engine.log();
                let place = log.dropped + log.groups.len() as u64 + 1;
                let mut group = Group::clone(&group);
                group.number_by_place(place);
                let at = u64::try_from(self.engine.start.elapsed().as_millis()).unwrap();
                let read = group.from.0 ^ group.number.rotate_left(32) ^ place;
                log.groups.push(Arc::new(Decided { place, at, read, group: Arc::new(group) }));
                let is_confirmed = log.unconfirmed == 0;
                log.unconfirmed = log.unconfirmed.saturating_sub(1);
                is_confirmed
            };
            self.engine.changed.notify_waiters();
            if is_confirmed { Ok(()) } else { Err(Unconfirmed("nobody heard of it".into())) }
        }
        .boxed()
    }

    fn follow(&self, after: Place) -> BoxStream<'_, Result<Arc<Decided>, OrderError>> {
        unfold(Some(after), move |after| async move {
            let next = self.next(after?).await;
            let place = next.as_ref().ok().map(|decided| decided.place);
            Some((next, place))
        })
        .boxed()
    }

    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>> {
        let log = self.engine.log();
        let reach = Reach { first: log.dropped + 1, last: log.dropped + log.groups.len() as u64 };
        ready(Ok(reach)).boxed()
    }
}

impl Snapshots for Link {
    fn places(&self) -> BoxFuture<'_, Result<Vec<Place>, OrderError>> {
        ready(Ok(self.engine.log().snapshots.keys().copied().collect())).boxed()
    }

    fn read(&self, place: Place) -> BoxFuture<'_, Result<Option<Snapshot>, OrderError>> {
        ready(Ok(self.engine.log().snapshots.get(&place).cloned())).boxed()
    }

    fn keep(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), OrderError>> {
        self.engine.log().snapshots.insert(snapshot.place, snapshot);
        ready(Ok(())).boxed()
    }
}

#[tokio::test]
async fn it_is_an_order() {
    crate::order::contract::holds(async || Arc::new(Engine::new().link())).await;
}

#[tokio::test]
async fn nothing_comes_while_it_is_out_of_reach() {
    let engine = Engine::new();
    let (one, other) = (engine.link(), engine.link());
    one.offer(crate::order::contract::group(1)).await.unwrap();
    one.cut(true);
    let mut follow = one.follow(0);
    assert!(follow.next().now_or_never().is_none());
    assert!(one.offer(crate::order::contract::group(2)).now_or_never().is_none());
    assert_eq!(other.follow(0).next().await.unwrap().unwrap().place, 1);
    one.cut(false);
    assert_eq!(follow.next().await.unwrap().unwrap().place, 1);
    engine.confirms_not(1);
    assert!(one.offer(crate::order::contract::group(2)).await.is_err());
    assert_eq!(follow.next().await.unwrap().unwrap().place, 2, "it is there nevertheless");
    engine.stops(true);
    assert!(other.offer(crate::order::contract::group(3)).now_or_never().is_none());
}
