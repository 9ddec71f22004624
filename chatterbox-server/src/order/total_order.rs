//! The order: what has been decided, as one list of groups that everybody applies from the front.
//!
//! Whoever wants to change the chat offers a group of proposals. What is in the order stays there, at one place, and is
//! followed by the proposer like by everybody else: a change is made when it has come round, and at no other moment.
//!
//! [`Alone`](crate::order::Alone) is the order of a chat with one node. The trait has what that needs: there are no
//! snapshots, since a node that is alone has nobody to learn them from, and an offer can't fail, since nothing is between the
//! node and the order.

use std::sync::Arc;

use chatterbox_hub::Group;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

/// A place in the order, from 1.
pub type Place = u64;

/// A group in its place.
#[derive(Debug)]
pub struct Decided {
    /// Where it is.
    pub place: Place,
    /// The time at which it got there, in milliseconds of a clock that is the same for all places and never goes back.
    pub at: u64,
    /// The group.
    pub group: Group,
}

/// Why the order can't be followed from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// What is behind that place is not kept any more, or not there yet.
    #[error("the order can be followed from place {first} on, and not from behind {after}")]
    OutOfReach {
        /// The place that was asked for.
        after: Place,
        /// The first that there is.
        first: Place,
    },
    /// Nothing more is decided.
    #[error("the order has ended")]
    Ended,
}

/// One order for everything that nodes share.
pub trait Order: Send + Sync + std::fmt::Debug {
    /// Puts a group into the order, and is done when it is there.
    fn offer(&self, group: Group) -> BoxFuture<'_, ()>;

    /// What is behind a place, now and later: in order, without holes, and nothing twice.
    fn follow(&self, after: Place) -> BoxStream<'_, Result<Arc<Decided>, OrderError>>;
}
