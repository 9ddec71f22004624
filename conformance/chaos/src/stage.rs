//! What a run acts upon: a cluster that can be broken.

use std::{net::SocketAddr, time::Duration};

use conformance_kit::clock::Clock;
use thiserror::Error;

use crate::evidence::{Fault, Struck};

/// Why a fault could not be put in.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct StageError(pub String);

/// A cluster that can be broken.
pub trait Stage: Send {
    /// Where users connect to each node.
    fn nodes(&self) -> Vec<SocketAddr>;

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
}
