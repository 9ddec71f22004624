//! A node of several, as whoever starts it sees it.

#![allow(clippy::disallowed_methods, reason = "the edge: has a clock")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{Incarnation, NodeUp, TimelineLimits, Up};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chat::cluster::common::{Cluster, Standing};
use crate::chat::cluster::error::ClusterError;
use crate::chat::cluster::life::Life;
use crate::chat::cluster::progress::Progress;
use crate::chat::cluster::pulse::Pulse;
use crate::chat::cluster::rounds::Rounds;
use crate::chat::cluster::starting;
use crate::chat::pace::Pace;
use crate::chat::proposals::ProposalQueue;
use crate::chat::shared::Chat;
use crate::store::Store;

/// A node.
pub struct Node {
    /// What the nodes have in common.
    pub cluster: Cluster,
    /// The newest format of groups that it reads.
    pub speaks: u16,
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
        let Self { cluster, speaks, chat, store, progress, pulse, standing } = &self;
        let begun = starting::begin(cluster, chat, store, progress);
        let Some(follower) = stop.run_until_cancelled(begun).await else { return Ok(()) };
        let follower = follower?;
        let up = chat
            .nodes_up()
            .into_iter()
            .map(|NodeUp { node, name, speaks }| (node, Up { name, speaks, ..Up::default() }));
        let position = follower.position;
        let life = Life::new(
            (Incarnation::default(), *speaks),
            (position.place, position.read),
            up,
            Duration::ZERO,
        );
        let pace = Pace::new(limits, chat.volume(), Instant::now());
        let rounds = Rounds::new(cluster, follower, life, pace, (pulse, standing), &stop);
        rounds.run(queue).await
    }
}
