//! An engine in memory that several nodes of one test share, and that does what engines do when something is wrong with them.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chatterbox_hub::{Group, format};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::order::total_order::{
    Decided, OfferError, Order, OrderError, Place, Reach, Snapshot, Snapshots,
};

/// The engine.
#[derive(Debug)]
pub struct Engine {
    log: Mutex<Log>,
    changed: Notify,
    start: Instant,
}

/// What it has, and what is wrong with it.
#[derive(Debug)]
struct Log {
    groups: Vec<Arc<Decided>>,
    /// Those that are not kept any more.
    dropped: u64,
    snapshots: BTreeMap<Place, Snapshot>,
    /// Whether it takes and gives nothing for now: no quorum.
    stopped: bool,
    /// The next groups are taken, but nobody hears of it.
    unconfirmed: usize,
    /// The next questions are not answered.
    failing: usize,
    /// Whoever asks is answered by a server that has yet to read so many places.
    behind: u64,
    /// How far its clock was set back.
    back: Duration,
    /// The bytes of the largest group that it takes.
    most: usize,
    /// Snapshots that are there, and gone when somebody reads them, with those that are there instead then.
    going: BTreeMap<Place, Option<Snapshot>>,
    /// What is not kept any more up to some place, from the reading of a snapshot on.
    dropping: BTreeMap<Place, Place>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            dropped: 0,
            snapshots: BTreeMap::new(),
            stopped: false,
            unconfirmed: 0,
            failing: 0,
            behind: 0,
            back: Duration::ZERO,
            most: usize::MAX,
            going: BTreeMap::new(),
            dropping: BTreeMap::new(),
        }
    }
}

impl Log {
    fn drops(&mut self, up_to: Place) {
        let count = usize::try_from(up_to.saturating_sub(self.dropped)).unwrap();
        self.groups.drain(..count);
        self.dropped = up_to;
    }
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

    /// It does not answer the next questions: how far it goes, and of snapshots.
    pub fn fails(&self, questions: usize) {
        self.log().failing = questions;
    }

    /// The questions that it is not going to answer.
    pub fn failing(&self) -> usize {
        self.log().failing
    }

    /// From now on it answers through a server that was away for so many places.
    pub fn is_behind(&self, places: u64) {
        self.log().behind = places;
        self.changed.notify_waiters();
    }

    /// Its clock is set back from now on.
    pub fn set_clock_back(&self, by: Duration) {
        self.log().back = by;
    }

    /// It loses everything behind this place.
    pub fn loses(&self, behind: Place) {
        let mut log = self.log();
        let left = usize::try_from(behind.saturating_sub(log.dropped)).unwrap();
        log.groups.truncate(left);
        drop(log);
        self.changed.notify_waiters();
    }

    fn answers(&self) -> Result<(), OrderError> {
        let mut log = self.log();
        if log.failing == 0 {
            return Ok(());
        }
        log.failing -= 1;
        Err(OrderError::Engine("an election".into()))
    }

    /// It keeps nothing any more up to this place.
    pub fn drops(&self, up_to: Place) {
        self.log().drops(up_to);
    }

    /// It keeps nothing any more up to a place, from the moment on in which somebody reads this snapshot.
    pub fn drops_while_read(&self, snapshot: Place, up_to: Place) {
        self.log().dropping.insert(snapshot, up_to);
    }

    /// It takes no group that has more bytes.
    pub fn takes(&self, most: usize) {
        self.log().most = most;
    }

    /// A snapshot is dropped between the list of them and the reading of it, and another one is kept in that moment.
    pub fn is_dropping(&self, place: Place, keeps: Option<Place>) {
        let mut log = self.log();
        let instead = keeps.and_then(|other| log.snapshots.remove(&other));
        log.going.insert(place, instead);
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
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        async move {
            let bytes = format::encode(&group).map_or(usize::MAX, |record| record.len());
            if bytes > self.engine.log().most {
                return Err(OfferError::TooLarge(format!("it has {bytes} bytes")));
            }
            self.open().await;
            let is_confirmed = {
                let mut log = self.engine.log();
                let place = log.dropped + log.groups.len() as u64 + 1;
                let mut group = Group::clone(&group);
                group.number_by_place(place);
                let time = self.engine.start.elapsed() - log.back;
                let at = u64::try_from(time.as_millis()).unwrap();
                let read = group.from.0 ^ group.number.rotate_left(32) ^ place;
                log.groups.push(Arc::new(Decided { place, at, read, group: Arc::new(group) }));
                let is_confirmed = log.unconfirmed == 0;
                log.unconfirmed = log.unconfirmed.saturating_sub(1);
                is_confirmed
            };
            self.engine.changed.notify_waiters();
            if is_confirmed {
                Ok(())
            } else {
                Err(OfferError::Unconfirmed("nobody heard of it".into()))
            }
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
        let answers = self.engine.answers();
        let log = self.engine.log();
        let last = log.dropped + log.groups.len() as u64;
        let reach = Reach { first: log.dropped + 1, last: last.saturating_sub(log.behind) };
        ready(answers.map(|()| reach)).boxed()
    }
}

impl Snapshots for Link {
    fn places(&self) -> BoxFuture<'_, Result<Vec<Place>, OrderError>> {
        let answers = self.engine.answers();
        ready(answers.map(|()| self.engine.log().snapshots.keys().copied().collect())).boxed()
    }

    fn read(&self, place: Place) -> BoxFuture<'_, Result<Option<Snapshot>, OrderError>> {
        if let Err(error) = self.engine.answers() {
            return ready(Err(error)).boxed();
        }
        let mut log = self.engine.log();
        if let Some(instead) = log.going.remove(&place) {
            log.snapshots.remove(&place);
            log.snapshots.extend(instead.map(|other| (other.place, other)));
        }
        if let Some(up_to) = log.dropping.remove(&place) {
            log.drops(up_to);
        }
        ready(Ok(log.snapshots.get(&place).cloned())).boxed()
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
