//! Why a node can't go on.

use chatterbox_hub::Incarnation;

use crate::chat::cluster::life::Split;
use crate::order::{OrderError, Place};
use crate::store::StoreError;

/// Why a node can't begin, or can't go on. It must not skip anything, so it ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The order can't be followed.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// What is stored here can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The order has lost something, or is not the one that this node has followed.
    #[error(
        "this node has followed the order up to place {followed}, and the order ends at {last}: \
         it is another one, or has lost what was decided"
    )]
    EndsEarly {
        /// How far this node has followed it.
        followed: Place,
        /// The newest place.
        last: Place,
    },
    /// Nodes have read, or made, something else.
    #[error(transparent)]
    Split(#[from] Split),
    /// The nodes have agreed on a format that this version does not read.
    #[error(
        "the nodes of this cluster write format {0}, which this version does not read: it is too old"
    )]
    TooOldFor(u16),
    /// What is in the order is not what this node has read there before.
    #[error("up to place {0} the order is not the one that this node has followed")]
    AnotherOrder(Place),
    /// Something that is decided can't be carried out by this version.
    #[error(
        "what was decided at place {0} is of a newer version of this program, and may not be left out: this version is too old"
    )]
    NotUnderstood(Place),
    /// Another node has the name of this one.
    #[error(
        "another node of this cluster is called {name}, too, and is up (life {life}): give this one another name with --node"
    )]
    NameTaken {
        /// The name.
        name: Box<str>,
        /// The life of the other node.
        life: Incarnation,
    },
    /// What lies between is not kept any more.
    #[error(
        "this node has followed the order up to place {followed}, and the order can be followed from \
         {from} on: give it an empty data folder, and it begins with what the others have"
    )]
    TooOld {
        /// How far this node has followed it.
        followed: Place,
        /// Behind which place it would go on.
        from: Place,
    },
    /// There is nothing to begin with.
    #[error(
        "the order begins at place {0}, and there is no snapshot from which it could be followed; where a \
         database is being moved in, `chatterbox-server cluster move-in` has to end first: run it again"
    )]
    NoSnapshot(Place),
    /// A snapshot is none that this program reads, or can't be made.
    #[error("the snapshot of place {place} is of no use: {why}")]
    Snapshot {
        /// Its place.
        place: Place,
        /// What is wrong with it.
        why: String,
    },
}

impl ClusterError {
    /// Whether starting the node again comes to the same: somebody has to look first. Two chats that look like one are worse than a
    /// node that stays away.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Order(error) => !matches!(error, OrderError::Engine(_) | OrderError::Ended),
            Self::Store(error) => !error.may_pass(),
            Self::EndsEarly { .. }
            | Self::Split(_)
            | Self::TooOldFor(_)
            | Self::AnotherOrder(_)
            | Self::NotUnderstood(_)
            | Self::NameTaken { .. }
            | Self::TooOld { .. }
            | Self::NoSnapshot(_)
            | Self::Snapshot { .. } => true,
        }
    }
}
