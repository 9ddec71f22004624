//! What one node knows of all nodes, for who looks after them.

use std::time::Duration;

use chatterbox_hub::Incarnation;
use tokio::time::Instant;

use crate::chat::cluster::life::Life;
use crate::order::Place;

/// What one node knows of all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// What the operator calls this node.
    pub(crate) name: Box<str>,
    /// The last place that it has applied.
    pub(crate) place: Place,
    /// The nodes that are up, this one first.
    pub(crate) nodes: Vec<NodeReport>,
}

/// What is known of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeReport {
    pub(crate) name: Box<str>,
    pub(crate) node: Incarnation,
    /// The format that it reads and writes.
    pub(crate) speaks: u16,
    /// When something of it came round last; of this node, a tick.
    pub(crate) heard: Option<Instant>,
    /// The last place that it is known to have applied.
    pub(crate) applied: Place,
}

impl Report {
    /// How it is now; `began` is the moment from which the life of nodes counts.
    pub(crate) fn of(life: &Life, name: &str, began: Instant) -> Self {
        let at = |time: Duration| began + time;
        let place = life.place();
        let (own, speaks) = life.own();
        let heard = life.ticked().map(at);
        let own = NodeReport { name: name.into(), node: own, speaks, heard, applied: place };
        let others = life.others().map(|(node, other)| NodeReport {
            name: other.name.clone(),
            node,
            speaks: other.speaks,
            heard: Some(at(other.heard)),
            applied: other.applied,
        });
        Self { name: name.into(), place, nodes: std::iter::once(own).chain(others).collect() }
    }
}
