//! The loop of a node: it collects what is to change the chat into groups, offers one at a time to the order, and applies whatever
//! is decided, its own and that of others.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{Group, Incarnation, Proposal, Sequence};
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chat::batch::{Batch, Bounds};
use crate::chat::cluster::common::{Cluster, Standing};
use crate::chat::cluster::error::ClusterError;
use crate::chat::cluster::follower::Follower;
use crate::chat::cluster::life::{self, Life};
use crate::chat::cluster::namesakes::Namesakes;
use crate::chat::cluster::pulse::Pulse;
use crate::chat::cluster::under_way::UnderWay;
use crate::chat::pace::{Pace, Pause};
use crate::chat::proposals::{Entry, ProposalQueue};
use crate::order::{Decided, Order, OrderError, Place, Snapshots};
use crate::store::{StoreCommands, StoreError};

/// What a node says of the queues of its members in one group: one proposal has all of them.
const QUEUES: usize = 1;

/// Beside what a batch has: what a node says of the life of all, and of the queues of its members. With one proposal more than a group may
/// have ([`Group::PROPOSALS`]) all of it would be dropped.
const _: () = assert!(Bounds::MOST_OF_SEVERAL + life::PROPOSALS + QUEUES <= Group::PROPOSALS);

/// A node that stops waits so long for what it has still to propose.
const LAST_ROUNDS: Duration = Duration::from_secs(5);

/// Digests of all that nodes have alike.
#[derive(Debug)]
pub(super) struct Made {
    /// The place behind which it was like that.
    pub(super) place: Place,
    pub(super) state: Option<u64>,
    /// Of what they store alike, where there is something, with the number of the last command by then.
    pub(super) stores: Option<Result<(Sequence, u64), StoreError>>,
}

/// The rounds that groups of this node make through the order, and what comes round of others.
pub(super) struct Rounds<'a> {
    pub(super) name: &'a str,
    pub(super) order: &'a dyn Order,
    pub(super) decided: BoxStream<'a, Result<Arc<Decided>, OrderError>>,
    pub(super) follower: Follower,
    pub(super) snapshots: &'a Arc<dyn Snapshots>,
    /// What all nodes store alike.
    pub(super) commands: Option<&'a Arc<dyn StoreCommands>>,
    /// The snapshot that is being kept.
    pub(super) keeping: JoinSet<()>,
    /// Looks for accounts that have gone.
    pub(super) looking: JoinSet<()>,
    /// Digests that are being made.
    pub(super) digesting: Option<BoxFuture<'static, Made>>,
    /// The life of all nodes.
    pub(super) life: Life,
    /// Other nodes of this name.
    pub(super) namesakes: Namesakes,
    /// The moment from which the times of lives count.
    pub(super) began: Instant,
    pub(super) pulse: &'a Pulse,
    /// This life of the node.
    pub(super) own: Incarnation,
    /// The number of the newest group of this life.
    pub(super) number: u64,
    /// That group, until it has come round.
    pub(super) under_way: Option<UnderWay<'a>>,
    /// How often the beginning of a life has come round without counting, since one has.
    pub(super) refused: u32,
    /// When another life is begun, if this one can't.
    pub(super) begins: Option<Instant>,
    pub(super) pace: Pace,
    /// The pause in which nothing is applied.
    pub(super) pause: Option<Pause>,
    pub(super) standing: &'a watch::Sender<Standing>,
    /// Whether this node has proposed its own end.
    pub(super) is_leaving: bool,
    pub(super) stop: &'a CancellationToken,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(
        cluster: &'a Cluster,
        follower: Follower,
        life: Life,
        pace: Pace,
        (pulse, standing): (&'a Pulse, &'a watch::Sender<Standing>),
        stop: &'a CancellationToken,
    ) -> Self {
        let order = &*cluster.order;
        Self {
            name: &cluster.node,
            order,
            decided: order.follow(follower.position.place),
            follower,
            snapshots: &cluster.snapshots,
            commands: cluster.commands.as_ref(),
            keeping: JoinSet::new(),
            looking: JoinSet::new(),
            digesting: None,
            life,
            namesakes: Namesakes::default(),
            began: Instant::now(),
            pulse,
            own: Incarnation::default(),
            number: 0,
            under_way: None,
            refused: 0,
            begins: None,
            pace,
            pause: None,
            standing,
            is_leaving: false,
            stop,
        }
    }

    /// Reads what was decided before, begins a life, and goes on until `stop`, or until it can't go on.
    ///
    /// Posts that were under way when it can't go on are left without a verdict: nobody here knows any more what becomes of them.
    pub(super) async fn run(mut self, mut queue: ProposalQueue) -> Result<(), ClusterError> {
        if !self.catch_up().await? || !self.watch_namesakes().await? {
            return Ok(());
        }
        self.begin_life();
        let bounds = Bounds::of_several(self.order.group_bytes());
        let mut give_up: Option<Instant> = None;
        loop {
            let last = give_up.unwrap_or_else(Instant::now);
            let is_free = self.under_way.is_none() && self.begins.is_none();
            let tick = self.life.next().filter(|_| is_free && !self.is_leaving);
            let tick = tick.map(|time| self.began + time);
            let offering = async {
                match &mut self.under_way {
                    Some(under_way) => under_way.keep_offering().await,
                    None => std::future::pending().await,
                }
            };
            let made = async {
                match &mut self.digesting {
                    Some(made) => made.await,
                    None => std::future::pending().await,
                }
            };
            let look = self.pause.as_ref().map(Pause::looks_at);
            tokio::select! {
                // In a pause nothing is applied, and everything else goes on.
                decided = self.decided.next(), if look.is_none() => {
                    if !self.take(decided).await? {
                        return Ok(());
                    }
                    self.pause = self.pace.begin_pause(&self.follower.chat);
                }
                () = at(look), if look.is_some() => {
                    let pause = self.pause.take();
                    self.pause = pause.and_then(|pause| self.pace.go_on(pause, &self.follower.chat));
                }
                why = offering => self.is_too_large(&why),
                made = made => self.has_digests(made),
                first = queue.recv(), if is_free => match first {
                    Some(first) => self.propose(first, &mut queue, &bounds),
                    None if self.is_leaving || !self.is_up() => break,
                    None => self.leave(),
                },
                () = at(tick), if tick.is_some() => self.offer_all(Vec::new(), Batch::default()),
                () = at(self.begins), if self.begins.is_some() => self.begin_life(),
                () = self.stop.cancelled(), if give_up.is_none() => {
                    if self.begins.is_some() {
                        break;
                    }
                    give_up = Some(Instant::now() + LAST_ROUNDS);
                    queue.close();
                }
                () = tokio::time::sleep_until(last), if give_up.is_some() => {
                    tracing::warn!("the order can't be reached; what was to be proposed is dropped");
                    break;
                }
            }
        }
        self.follower.store_now(self.stop).await?;
        Ok(())
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

    pub(super) fn offer(&mut self, mut proposals: Vec<Proposal>, batch: Batch) {
        // Behind all for which somebody waits.
        proposals.extend(self.follower.chat.take_crowded());
        self.number += 1;
        let group = Group { from: self.own, number: self.number, proposals };
        self.under_way = Some(UnderWay::new(group, batch, self.order));
    }

    pub(super) fn is_up(&self) -> bool {
        *self.standing.borrow() == Standing::Up(self.own)
    }
}

/// Waits for a moment; for ever where there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
