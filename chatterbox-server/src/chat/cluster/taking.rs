//! What a node does with what is decided: it applies it, carries it out, stores it, and keeps the state for others.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::Group;
use futures_util::FutureExt as _;
use futures_util::stream::StreamExt as _;

use crate::chat::cluster::engine_patience::until_answered;
use crate::chat::cluster::error::ClusterError;
use crate::chat::cluster::rounds::{Made, Rounds};
use crate::chat::cluster::under_way::UnderWay;
use crate::order::{Decided, Order, OrderError, Place};

/// An order that could not be followed is followed again after this time.
const AGAIN: Duration = Duration::from_secs(1);

/// The groups that are applied at once, at most: in between, the node looks at everything else.
const GROUPS: usize = 256;

/// What comes of the order next.
type Next = Option<Result<Arc<Decided>, OrderError>>;

impl Rounds<'_> {
    /// Applies all that was decided before this node began. Says `false` if it is to stop.
    pub(super) async fn catch_up(&mut self) -> Result<bool, ClusterError> {
        let reach = until_answered(|| self.order.reach());
        let Some(reach) = self.stop.run_until_cancelled(reach).await else { return Ok(false) };
        let began = self.follower.position.place;
        let last = reach?.last;
        if !self.read_up_to(last).await? {
            return Ok(false);
        }
        if last > began {
            tracing::info!(places = last - began, "has read what was decided before");
        }
        Ok(true)
    }

    /// Applies everything up to a place. Says `false` if it is to stop.
    pub(super) async fn read_up_to(&mut self, last: Place) -> Result<bool, ClusterError> {
        while self.follower.position.place < last {
            let Some(decided) = self.stop.run_until_cancelled(self.decided.next()).await else {
                return Ok(false);
            };
            if !self.take(decided).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Applies what was decided, and what is decided behind it already, and stores what follows. Says `false` if it is to stop
    /// before it could store that: whoever starts again finds it in the order.
    pub(super) async fn take(&mut self, first: Next) -> Result<bool, ClusterError> {
        let mut next = Some(first);
        let mut groups = 0;
        while let Some(decided) = next {
            match decided.unwrap_or(Err(OrderError::Ended)) {
                Ok(decided) if self.apply(&decided).await? => {}
                Ok(_) => return Ok(false),
                Err(OrderError::Engine(error)) => {
                    tracing::warn!(%error, "the order could not be followed; trying again");
                    let (order, place) = (self.order, self.follower.position.place);
                    let again = async move {
                        tokio::time::sleep(AGAIN).await;
                        order.follow(place)
                    };
                    self.decided = again.flatten_stream().boxed();
                }
                Err(OrderError::OutOfReach { after, first }) => {
                    return Err(out_of_reach(self.order, after, first).await);
                }
                Err(error) => return Err(error.into()),
            }
            groups += 1;
            let goes_on = groups < GROUPS && !self.follower.is_full();
            next = goes_on.then(|| self.decided.next().now_or_never()).flatten();
        }
        self.follower.store(self.stop).await
    }

    /// Applies a group, and answers those who wait for it. Says `false` as [`Self::take`] does.
    async fn apply(&mut self, decided: &Decided) -> Result<bool, ClusterError> {
        if self.follower.asks_stores(decided) && !self.follower.store_now(self.stop).await? {
            return Ok(false);
        }
        let Group { from, number, .. } = &*decided.group;
        let is_own = |under_way: &mut UnderWay<'_>| {
            under_way.group.from == *from && under_way.group.number == *number
        };
        let batch = self.under_way.take_if(is_own).map(|UnderWay { batch, .. }| batch);
        let greeting = |index| batch.as_ref().and_then(|batch| batch.greeting(index));
        let outcomes = self.follower.apply(decided, greeting)?;
        // A group that counts has an outcome for each proposal.
        let counts = !outcomes.is_empty();
        let (at, read) = (self.follower.chat.time_of_order(), self.follower.position.read);
        let due = match self.life.applied(decided, (at, read), counts, self.began.elapsed()) {
            Ok(due) => due,
            Err(split) => return Err(self.warn_others(split).await),
        };
        if due.ticked {
            self.beat();
        }
        if let Some(split) = due.past {
            tracing::warn!(%split, "nodes have disagreed before this one was up; it compares itself with those that are");
        }
        if !self.follower.carry_out(decided, &outcomes, self.stop).await? {
            return Ok(false);
        }
        // Before it is up nobody is compared with it, and it may have months of minutes to read.
        if due.digest && self.is_up() {
            self.begin_digests(decided.place);
        }
        if let Some(batch) = batch {
            batch.answer(outcomes, &self.follower.chat);
        }
        if due.snapshot && self.is_up() {
            if !self.follower.store_now(self.stop).await? {
                return Ok(false);
            }
            self.keep_snapshot();
        }
        let level = self.follower.chat.level();
        self.life.writes(level);
        if level > self.life.own().1 {
            // The others raise it when this node is not up any more. One that is about to end has read its own end by now, and needs
            // nothing that comes behind it.
            return if self.stop.is_cancelled() {
                Ok(false)
            } else {
                Err(ClusterError::TooOldFor(level))
            };
        }
        if counts && self.namesakes.hear(*from) {
            return Err(ClusterError::NameTaken { name: self.name.into(), life: *from });
        }
        self.look_at_life();
        Ok(true)
    }

    /// Begins to make digests of all that nodes have alike, as it is behind this place, beside what is applied meanwhile.
    fn begin_digests(&mut self, place: Place) {
        if self.digesting.is_some() {
            return tracing::warn!("nodes are not compared: digests took longer than a minute");
        }
        let state = self.follower.chat.copy_state();
        let stores = self.commands.map(|commands| commands.digest());
        let made = async move {
            let state = tokio::task::spawn_blocking(move || state.digest()).await;
            let stores = match stores {
                Some(stores) => Some(stores.await),
                None => None,
            };
            Made { place, state: state.ok(), stores }
        };
        self.digesting = Some(made.boxed());
    }

    /// Takes the digests.
    pub(super) fn has_digests(&mut self, made: Made) {
        self.digesting = None;
        let Made { place, state, stores } = made;
        if let Some(digest) = state {
            self.life.has_digest(place, digest);
        }
        match stores {
            // One of tables that are ahead of the place is none of it.
            Some(Ok((number, digest))) if number < Group::number_of(place.saturating_add(1), 0) => {
                self.life.has_digest_of_stores(place, digest);
            }
            Some(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "accounts are not compared: they can't be read");
            }
            Some(Ok(_)) | None => {}
        }
    }

    /// Keeps the state as it is behind this place, beside what is applied meanwhile. One is kept at a time; a place without one costs
    /// those who begin later some more of the order.
    fn keep_snapshot(&mut self) {
        while self.keeping.try_join_next().is_some() {}
        if !self.keeping.is_empty() {
            tracing::warn!("a snapshot is left out: the one before it is not kept yet");
            return;
        }
        let freezing = self.follower.freeze();
        let snapshots = Arc::clone(self.snapshots);
        self.keeping.spawn(async move {
            let snapshot = match freezing.await {
                Ok(snapshot) => snapshot,
                Err(error) => return tracing::error!(%error, "there is no snapshot"),
            };
            let (place, bytes) = (snapshot.place, snapshot.state.len());
            match snapshots.keep(snapshot).await {
                Ok(()) => tracing::info!(place, bytes, "a snapshot is kept"),
                Err(error) => tracing::warn!(place, %error, "a snapshot could not be kept"),
            }
        });
    }
}

/// Why a place can't be followed: what is behind it is not kept any more, or the order has lost its end.
async fn out_of_reach(order: &dyn Order, followed: Place, first: Place) -> ClusterError {
    if followed.saturating_add(1) < first {
        return ClusterError::TooOld { followed, from: first.saturating_sub(1) };
    }
    let last = order.reach().await.map_or(first.saturating_sub(1), |reach| reach.last);
    ClusterError::EndsEarly { followed, last }
}
