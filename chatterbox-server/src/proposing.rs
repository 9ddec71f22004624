//! What runs beside the connections of a server: the sequencer of a node that is alone, or the node of a cluster.

#![allow(
    clippy::disallowed_methods,
    reason = "the edge: starts the task that proposes, and waits by the clock"
)]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{Incarnation, TimelineLimits, format};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chat::cluster::guardian::{Members, guard};
use crate::chat::cluster::report::Report;
use crate::chat::cluster::{Cluster, ClusterError, Node, Progress, Pulse, Standing, StoredBehind};
use crate::chat::proposals::ProposalQueue;
use crate::chat::sequencer::Sequencer;
use crate::chat::shared::Chat;
use crate::ops::readiness::Health;
use crate::order::Alone;
use crate::store::Store;

/// Whoever proposes what is to change the chat.
pub(crate) struct Proposer {
    /// Ends when nothing more can be proposed.
    pub(crate) running: JoinHandle<Result<(), ClusterError>>,
    /// Where what was said is read.
    pub(crate) read: Arc<dyn Store>,
    /// The node, if it is one of several.
    pub(crate) node: Option<RunningNode>,
}

/// A node of several, as those see it who look after it.
pub(crate) struct RunningNode {
    standing: watch::Receiver<Standing>,
    pulse: Arc<Pulse>,
    progress: Arc<Progress>,
}

/// Starts to propose, and to apply what is decided: as a node of a cluster, or alone.
pub(crate) fn start(
    chat: &Arc<Chat>,
    store: &Arc<dyn Store>,
    cluster: Option<Cluster>,
    queue: ProposalQueue,
    limits: TimelineLimits,
    stop: &CancellationToken,
) -> Proposer {
    let (chat, store, stop) = (Arc::clone(chat), Arc::clone(store), stop.clone());
    let Some(cluster) = cluster else {
        let read = Arc::clone(&store);
        // The order is as old as this process, and nobody else is in it.
        let (node, order) = (Incarnation(1), Arc::new(Alone::default()));
        let sequencer = Sequencer { node, chat, store, order };
        let running = tokio::spawn(async move {
            sequencer.run(queue, limits, stop.cancelled_owned()).await;
            Ok(())
        });
        return Proposer { running, read, node: None };
    };
    let progress = Arc::new(Progress::default());
    let (standing, watched) = watch::channel(Standing::Starting);
    let read = StoredBehind { store: Arc::clone(&store), progress: Arc::clone(&progress) };
    let pulse = Arc::new(Pulse::new(Instant::now()));
    let node = Node {
        cluster,
        speaks: format::LEVEL,
        chat,
        store,
        progress: Arc::clone(&progress),
        pulse: Arc::clone(&pulse),
        standing,
    };
    let running = tokio::spawn(node.run(queue, limits, stop));
    let node = Some(RunningNode { standing: watched, pulse, progress });
    Proposer { running, read: Arc::new(read), node }
}

/// Those whose connections were closed by a node that drains have this long to go on at another one. Clients try again within half a
/// second.
const MOVES: Duration = Duration::from_secs(3);

/// The time between two looks at who has gone on.
const LOOKS: Duration = Duration::from_millis(50);

impl RunningNode {
    /// Waits until the node is up; says `false` if it has ended.
    pub(crate) async fn is_up(&self) -> bool {
        let is_up = |standing: &Standing| matches!(standing, Standing::Up(_));
        self.standing.clone().wait_for(is_up).await.is_ok()
    }

    /// What it knows of all nodes.
    pub(crate) fn report(&self) -> watch::Receiver<Option<Report>> {
        self.pulse.report()
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Guards the members of the node while nothing of it comes round.
    pub(crate) async fn guard(&self, chat: &Arc<Chat>, health: &Health) {
        let members = Members { chat: Arc::clone(chat), health: health.clone() };
        guard(&members, self.pulse.heard()).await;
    }

    /// Waits until nobody is at this node any more, for a while.
    pub(crate) async fn have_moved(&self, chat: &Chat) {
        let moved = async {
            loop {
                let is_left = match *self.standing.borrow() {
                    Standing::Up(life) => chat.members_at(life) > 0,
                    Standing::Starting | Standing::Fenced => false,
                };
                if !is_left {
                    return;
                }
                tokio::time::sleep(LOOKS).await;
            }
        };
        let _ = tokio::time::timeout(MOVES, moved).await;
    }
}
