//! What a run acts upon: nodes that can be broken.

use std::{net::SocketAddr, time::Duration};

use conformance_kit::clock::Clock;
use thiserror::Error;
use tokio::sync::watch;

use crate::evidence::{Fault, Struck};

/// Why a fault could not be put in.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct StageError(pub String);

/// What has ended although nobody ended it, as sentences.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    /// Nodes.
    pub nodes: Vec<String>,
    /// Others.
    pub others: Vec<String>,
}

/// Nodes that can be broken.
pub trait Stage: Send {
    /// Where users connect to each node.
    fn nodes(&self) -> Vec<SocketAddr>;

    /// Whether there is one server, which has nothing to do with others: no connection ends, or falls silent, without a reason then.
    fn is_alone(&self) -> bool {
        false
    }

    /// Puts a fault in, lets it last, and mends it. `choice` says which node, modulo their number; what was done is added to `struck`,
    /// also when not all of it could be done.
    fn strike(
        &mut self,
        fault: Fault,
        choice: u64,
        lasts: Duration,
        clock: &Clock,
        struck: &mut Vec<Struck>,
    ) -> impl Future<Output = Result<(), StageError>> + Send;

    /// What has ended by itself since this was asked last. It has been started again, so that there is something to break next.
    fn losses(&mut self) -> Losses {
        Losses::default()
    }

    /// The process of the first node, as it changes; nothing while there is none. Where this is nothing, it is not known.
    fn process(&self) -> Option<watch::Receiver<Option<u32>>> {
        None
    }
}
