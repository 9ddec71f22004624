//! What the nodes of a cluster have in common, and how it is with one of them.

use std::sync::Arc;

use chatterbox_hub::Incarnation;

use crate::order::{Order, Snapshots};
use crate::store::StoreCommands;

/// What the nodes of a cluster have in common.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The name of the cluster.
    pub name: Box<str>,
    /// What the operator calls this node.
    pub node: Box<str>,
    /// Where it is decided.
    pub order: Arc<dyn Order>,
    /// Where the states of some places are kept.
    pub snapshots: Arc<dyn Snapshots>,
    /// What all nodes store alike beside messages, where there is something.
    pub commands: Option<Arc<dyn StoreCommands>>,
}

/// How it is with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It reads what was decided before.
    Starting,
    /// It is one of the nodes that are up, in this life.
    Up(Incarnation),
    /// The others have decided that it has ended. It begins another life.
    Fenced,
}
