//! The order of a chat with one node: groups in memory, in the order in which they were offered.
//!
//! It outlives nothing but its followers. What has to outlive the process was stored before it was offered.

#![allow(clippy::disallowed_methods, reason = "the edge: gives places their time")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatterbox_hub::Group;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::order::total_order::{Decided, OfferError, Order, OrderError, Place, Reach};

/// The groups that are kept for those who follow. The sequencer applies each before it offers the next.
const KEPT: usize = 4;

/// The order of one node.
#[derive(Debug)]
pub struct Alone {
    log: Mutex<Log>,
    grown: Notify,
    start: Instant,
}

/// The newest groups.
#[derive(Debug, Default)]
struct Log {
    newest: Place,
    kept: VecDeque<Arc<Decided>>,
}

impl Log {
    /// The group behind a place, if it is there already.
    fn behind(&self, after: Place) -> Result<Option<Arc<Decided>>, OrderError> {
        if after == self.newest {
            return Ok(None);
        }
        let first = self.newest + 1 - self.kept.len() as u64;
        let index = (after + 1).checked_sub(first).and_then(|index| usize::try_from(index).ok());
        let found = index.and_then(|index| self.kept.get(index));
        found.cloned().map(Some).ok_or(OrderError::OutOfReach { after, first })
    }
}

impl Default for Alone {
    fn default() -> Self {
        Self { log: Mutex::default(), grown: Notify::new(), start: Instant::now() }
    }
}

impl Alone {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the group behind a place.
    async fn next(&self, after: Place) -> Result<Arc<Decided>, OrderError> {
        loop {
            // Subscribes before it looks, so that nothing offered between the two is missed.
            let grown = self.grown.notified();
            if let Some(decided) = self.log().behind(after)? {
                return Ok(decided);
            }
            grown.await;
        }
    }
}

impl Order for Alone {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        {
            let mut log = self.log();
            log.newest += 1;
            // Under the lock, so that it does not go back from one place to the next.
            let at = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
            let decided = Arc::new(Decided { place: log.newest, at, read: 0, group });
            if log.kept.len() == KEPT {
                log.kept.pop_front();
            }
            log.kept.push_back(decided);
        }
        self.grown.notify_waiters();
        ready(Ok(())).boxed()
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
        let log = self.log();
        let reach = Reach { first: log.newest + 1 - log.kept.len() as u64, last: log.newest };
        ready(Ok(reach)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_an_order() {
        crate::order::contract::holds(async || Arc::new(Alone::default())).await;
    }

    #[tokio::test]
    async fn what_it_keeps_is_bounded() {
        let alone = Alone::default();
        for number in 1..=1000 {
            alone.offer(crate::order::contract::group(number)).await.unwrap();
        }
        assert_eq!(alone.log().kept.len(), KEPT);
        let reach = alone.reach().await.unwrap();
        assert_eq!(reach, Reach { first: 1001 - KEPT as u64, last: 1000 });
        let lost = alone.follow(0).next().await.unwrap().unwrap_err();
        assert_eq!(lost, OrderError::OutOfReach { after: 0, first: 1001 - KEPT as u64 });
    }
}
