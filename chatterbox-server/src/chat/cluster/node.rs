//! The loop of a node: it collects what is to change the chat into groups, offers one at a time to the order, and applies whatever
//! is decided, its own and that of others.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{Group, Incarnation, NodeUp, Proposal, TimelineLimits, Up, format};
use futures_util::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chat::batch::{Batch, Bounds};
use crate::chat::cluster::common::{Cluster, Standing};
use crate::chat::cluster::error::ClusterError;
use crate::chat::cluster::follower::Follower;
use crate::chat::cluster::life::{Due, Life, Split};
use crate::chat::cluster::progress::Progress;
use crate::chat::cluster::pulse::Pulse;
use crate::chat::cluster::report::Report;
use crate::chat::cluster::starting;
use crate::chat::cluster::under_way::UnderWay;
use crate::chat::pace::Pace;
use crate::chat::proposals::{Entry, ProposalQueue};
use crate::chat::shared::Chat;
use crate::order::{Decided, Order, OrderError, Snapshots};
use crate::store::Store;

/// A node.
pub struct Node {
    /// What the nodes have in common.
    pub cluster: Cluster,
    /// What is changed.
    pub chat: Arc<Chat>,
    /// Where it is stored.
    pub store: Arc<dyn Store>,
    /// Is told how far it is.
    pub progress: Arc<Progress>,
    /// Is told when it was heard, and of whom it has heard.
    pub pulse: Arc<Pulse>,
    /// Is told how it is with it.
    pub standing: watch::Sender<Standing>,
}

/// A node that stops waits so long for what it has still to propose.
const LAST_ROUNDS: Duration = Duration::from_secs(5);

/// A node that must not go on tells the others for so long.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// An order that could not be followed is followed again after this time.
const AGAIN: Duration = Duration::from_secs(1);

impl Node {
    /// Proposes and applies until `stop`; what was in the queue by then is finished, if the order can be reached.
    ///
    /// # Errors
    /// [`ClusterError`] when it can't begin, or can't go on.
    pub async fn run(
        self,
        queue: ProposalQueue,
        limits: TimelineLimits,
        stop: CancellationToken,
    ) -> Result<(), ClusterError> {
        let Self { cluster, chat, store, progress, pulse, standing } = &self;
        let begun = starting::begin(cluster, chat, store, progress);
        let Some(follower) = stop.run_until_cancelled(begun).await else { return Ok(()) };
        let follower = follower?;
        if let Some(commands) = &cluster.commands {
            commands.begin(chat.proposer());
        }
        let up = chat
            .nodes_up()
            .into_iter()
            .map(|NodeUp { node, name, speaks }| (node, Up { name, speaks, ..Up::default() }));
        let order = &*cluster.order;
        let rounds = Rounds {
            name: &cluster.node,
            order,
            decided: order.follow(follower.position.place),
            life: Life::new(
                (Incarnation::default(), format::LEVEL),
                (follower.position.place, follower.position.read),
                up,
                Duration::ZERO,
            ),
            began: Instant::now(),
            pulse,
            own: Incarnation::default(),
            number: 0,
            under_way: None,
            pace: Pace::new(limits, chat.volume(), Instant::now()),
            follower,
            snapshots: &cluster.snapshots,
            keeping: JoinSet::new(),
            standing,
            is_leaving: false,
            stop: &stop,
        };
        rounds.run(queue).await
    }
}

/// The rounds that groups of this node make through the order, and what comes round of others.
struct Rounds<'a> {
    name: &'a str,
    order: &'a dyn Order,
    decided: BoxStream<'a, Result<Arc<Decided>, OrderError>>,
    follower: Follower,
    snapshots: &'a Arc<dyn Snapshots>,
    /// The snapshot that is being kept.
    keeping: JoinSet<()>,
    /// The life of all nodes.
    life: Life,
    /// The moment from which the times of lives count.
    began: Instant,
    pulse: &'a Pulse,
    /// This life of the node.
    own: Incarnation,
    /// The number of the newest group of this life.
    number: u64,
    /// That group, until it has come round.
    under_way: Option<UnderWay<'a>>,
    pace: Pace,
    standing: &'a watch::Sender<Standing>,
    /// Whether this node has proposed its own end.
    is_leaving: bool,
    stop: &'a CancellationToken,
}

impl Rounds<'_> {
    async fn run(mut self, mut queue: ProposalQueue) -> Result<(), ClusterError> {
        if !self.catch_up().await? {
            return Ok(());
        }
        self.begin_life();
        let bounds = Bounds::of_several(self.order.group_bytes());
        let mut give_up: Option<Instant> = None;
        loop {
            let last = give_up.unwrap_or_else(Instant::now);
            let is_free = self.under_way.is_none();
            let tick = self.life.next().filter(|_| is_free && !self.is_leaving);
            let tick = tick.map(|time| self.began + time);
            let offering = async {
                match &mut self.under_way {
                    Some(under_way) => under_way.keep_offering().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                decided = self.decided.next() => {
                    if !self.take(decided).await? {
                        return Ok(());
                    }
                }
                why = offering => self.is_too_large(&why),
                first = queue.recv(), if is_free => match first {
                    Some(first) => self.propose(first, &mut queue, &bounds),
                    None if self.is_leaving || !self.is_up() => break,
                    None => self.leave(),
                },
                () = tokio::time::sleep_until(tick.unwrap_or(last)), if tick.is_some() => {
                    self.offer_all(Vec::new(), Batch::default());
                }
                () = self.stop.cancelled(), if give_up.is_none() => {
                    give_up = Some(Instant::now() + LAST_ROUNDS);
                    queue.close();
                }
                () = tokio::time::sleep_until(last), if give_up.is_some() => {
                    tracing::warn!("the order can't be reached; what was to be proposed is dropped");
                    break;
                }
            }
        }
        self.follower.store_now(self.stop).await;
        Ok(())
    }

    /// Applies all that was decided before this node began. Says `false` if it is to stop.
    async fn catch_up(&mut self) -> Result<bool, ClusterError> {
        let last = self.order.reach().await?.last;
        let began = self.follower.position.place;
        while self.follower.position.place < last {
            let Some(decided) = self.stop.run_until_cancelled(self.decided.next()).await else {
                return Ok(false);
            };
            if !self.take(decided).await? {
                return Ok(false);
            }
        }
        if last > began {
            tracing::info!(places = last - began, "has read what was decided before");
        }
        Ok(true)
    }

    /// Begins a life, as a node that has read everything so far.
    fn begin_life(&mut self) {
        self.own = incarnation();
        self.follower.chat.serves(self.own);
        self.number = 0;
        let read_to = self.follower.position.at;
        self.life.is_reborn(self.own, self.began.elapsed());
        let up = Up { read_to, name: self.name.into(), speaks: format::LEVEL };
        self.offer(vec![Proposal::Up(up)], Batch::default());
    }

    /// Collects what has come for one group, and offers it.
    fn propose(&mut self, first: Entry, queue: &mut ProposalQueue, bounds: &Bounds) {
        let mut batch = Batch::default();
        batch.add_within(first, bounds);
        while batch.has_room(bounds)
            && let Ok(entry) = queue.try_recv()
        {
            if let Some(entry) = batch.add_within(entry, bounds) {
                queue.give_back(entry);
                break;
            }
        }
        let proposals = batch.take_unjudged();
        if proposals.is_empty() {
            // Turns of senders whose messages were refused.
            batch.answer(Vec::new(), &self.follower.chat);
        } else {
            self.offer_all(proposals, batch);
        }
    }

    /// Offers proposals of a batch with what this node has to say of the life of nodes. That stands behind them, for whoever waits is
    /// found by the index.
    fn offer_all(&mut self, mut proposals: Vec<Proposal>, batch: Batch) {
        proposals.append(&mut self.life.proposals(self.began.elapsed()));
        if !proposals.is_empty() {
            self.offer(proposals, batch);
        }
    }

    /// The order does not take the group under way. Whoever waits for it is told so, and what this node had to say beside it is offered
    /// alone.
    fn is_too_large(&mut self, why: &str) {
        let Some(UnderWay { group, batch, .. }) = self.under_way.take() else { return };
        tracing::error!(why, "what was to be proposed is dropped");
        let waited_for = batch.proposals();
        batch.answer(Vec::new(), &self.follower.chat);
        let rest: Vec<_> = group.proposals.iter().skip(waited_for).cloned().collect();
        if waited_for > 0 && !rest.is_empty() {
            self.offer(rest, Batch::default());
        }
    }

    /// Ends this life: what is still here of its members goes, and nobody has to miss it first.
    fn leave(&mut self) {
        self.is_leaving = true;
        self.offer(vec![Proposal::Down(self.own)], Batch::default());
    }

    fn is_up(&self) -> bool {
        *self.standing.borrow() == Standing::Up(self.own)
    }

    fn offer(&mut self, mut proposals: Vec<Proposal>, batch: Batch) {
        // Behind all for which somebody waits.
        proposals.extend(self.follower.chat.take_crowded());
        self.number += 1;
        let group = Group { from: self.own, number: self.number, proposals };
        self.under_way = Some(UnderWay::new(group, batch, self.order));
    }

    /// Applies what was decided, and what is decided behind it already, and stores what follows. Says `false` if it is to stop
    /// before it could store that: whoever starts again finds it in the order.
    async fn take(
        &mut self,
        first: Option<Result<Arc<Decided>, OrderError>>,
    ) -> Result<bool, ClusterError> {
        let mut next = Some(first);
        while let Some(decided) = next {
            match decided.unwrap_or(Err(OrderError::Ended)) {
                Ok(decided) if self.apply(&decided).await? => {}
                Ok(_) => return Ok(false),
                Err(OrderError::Engine(error)) => {
                    tracing::warn!(%error, "the order could not be followed; trying again");
                    tokio::time::sleep(AGAIN).await;
                    self.decided = self.order.follow(self.follower.position.place);
                }
                Err(error) => return Err(error.into()),
            }
            let goes_on = !self.follower.is_full();
            next = goes_on.then(|| self.decided.next().now_or_never()).flatten();
        }
        if !self.follower.store(self.stop).await {
            return Ok(false);
        }
        self.pace.keep(&self.follower.chat).await;
        Ok(true)
    }

    /// Applies a group, and answers those who wait for it. Says `false` as [`Self::take`] does.
    async fn apply(&mut self, decided: &Decided) -> Result<bool, ClusterError> {
        if self.follower.asks_stores(decided) && !self.follower.store_now(self.stop).await {
            return Ok(false);
        }
        let Group { from, number, .. } = &*decided.group;
        let own = self.under_way.take_if(|under_way| {
            under_way.group.from == *from && under_way.group.number == *number
        });
        let batch = own.map(|UnderWay { batch, .. }| batch);
        let greeting = |index| batch.as_ref().and_then(|batch| batch.greeting(index));
        let outcomes = self.follower.apply(decided, greeting)?;
        // A group that counts has an outcome for each proposal.
        let read = self.follower.position.read;
        let now = self.began.elapsed();
        let due = match self.life.applied(decided, read, !outcomes.is_empty(), now) {
            Ok(due) => due,
            Err(split) => return Err(self.warn_others(split).await),
        };
        self.attend(due);
        if !self.follower.carry_out(decided, &outcomes, self.stop).await {
            return Ok(false);
        }
        if let Some(batch) = batch {
            batch.answer(outcomes, &self.follower.chat);
        }
        if due.snapshot && self.is_up() {
            if !self.follower.store_now(self.stop).await {
                return Ok(false);
            }
            self.keep_snapshot().await;
        }
        let level = self.follower.chat.level();
        if level > format::LEVEL {
            return Err(ClusterError::TooOldFor(level));
        }
        self.look_at_life();
        Ok(true)
    }

    /// Tells the others what this node has read, before it stops.
    async fn warn_others(&mut self, split: Split) -> ClusterError {
        if self.is_up() {
            self.number += 1;
            let proposals = vec![self.life.last_words()];
            let group = Group { from: self.own, number: self.number, proposals };
            let _ = tokio::time::timeout(LAST_WORDS, self.order.offer(Arc::new(group))).await;
        }
        split.into()
    }

    /// Does what is due behind the place that was applied just now.
    fn attend(&mut self, due: Due) {
        if due.digest {
            self.life.has_digest(self.follower.chat.digest());
        }
        if due.ticked {
            self.beat();
        }
    }

    /// Keeps the state as it is behind this place, beside what is applied meanwhile. One is kept at a time; a place without one costs
    /// those who begin later some more of the order.
    async fn keep_snapshot(&mut self) {
        while self.keeping.try_join_next().is_some() {}
        if !self.keeping.is_empty() {
            tracing::warn!("a snapshot is left out: the one before it is not kept yet");
            return;
        }
        let snapshot = match self.follower.freeze().await {
            Ok(snapshot) => snapshot,
            Err(error) => return tracing::error!(%error, "there is no snapshot"),
        };
        let (place, bytes) = (snapshot.place, snapshot.state.len());
        let snapshots = Arc::clone(self.snapshots);
        self.keeping.spawn(async move {
            match snapshots.keep(snapshot).await {
                Ok(()) => tracing::info!(place, bytes, "a snapshot is kept"),
                Err(error) => tracing::warn!(place, %error, "a snapshot could not be kept"),
            }
        });
    }

    fn beat(&self) {
        let report = Report::of(&self.life, self.name, self.began);
        self.pulse.beats(Instant::now(), report);
    }

    /// Looks whether this life has begun, or has ended.
    fn look_at_life(&mut self) {
        if self.own == Incarnation::default() || self.is_leaving {
            return;
        }
        let is_up = self.follower.chat.is_up(self.own);
        let was_up = self.is_up();
        match (was_up, is_up) {
            (false, true) => {
                tracing::info!(node = self.name, life = %self.own, "is up");
                self.beat();
                self.standing.send_replace(Standing::Up(self.own));
            }
            (true, false) => {
                tracing::error!(
                    node = self.name, life = %self.own,
                    "the others have missed this node, and decided that it has ended; it begins again"
                );
                self.standing.send_replace(Standing::Fenced);
                self.end_life();
                self.begin_life();
            }
            // It came round and did not count: what it had read was too long ago by then.
            (false, false) if self.under_way.is_none() => self.begin_life(),
            (false, false) | (true, true) => {}
        }
    }

    /// What is under way counts no more, wherever it is.
    fn end_life(&mut self) {
        if let Some(UnderWay { batch, .. }) = self.under_way.take() {
            batch.answer(Vec::new(), &self.follower.chat);
        }
    }
}

/// A life that nobody else has.
fn incarnation() -> Incarnation {
    let random = ring::rand::generate::<[u8; 8]>(&ring::rand::SystemRandom::new());
    // Without random numbers there was no TLS either.
    let random = random.map(|random| u64::from_le_bytes(random.expose()));
    Incarnation(random.unwrap_or_default() >> 1)
}
