//! The order: what has been decided, as one list of groups that everybody applies from the front.
//!
//! Whoever wants to change the chat offers a group of proposals. What is in the order stays there, at one place, and is
//! followed by the proposer like by everybody else: a change is made when it has come round, and at no other moment.
//!
//! [`Alone`](crate::order::Alone) is the order of a chat with one node, in memory. Nodes of a cluster have theirs in an engine,
//! which other nodes offer to as well, which may be out of reach for a while, and which outlives all of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::Group;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

/// For how long an engine has to say something that must not be, and nothing else, until it is believed: that the order ends before
/// what was read of it, has a hole, or is another one. A server of it that was hung or away answers with what it knew then, until it has
/// caught up with the others.
pub const DOUBT: Duration = Duration::from_secs(12);

/// A place in the order, from 1.
pub type Place = u64;

/// A group in its place.
#[derive(Debug)]
pub struct Decided {
    /// Where it is.
    pub place: Place,
    /// The time at which it got there, in milliseconds of a clock that is the same for all places and never goes back.
    pub at: u64,
    /// A checksum of what was read at this place, the same for everybody who has read the same; 0 where nobody compares.
    pub read: u64,
    /// The group. In the order of several nodes, what is numbered has its numbers from the place
    /// ([`Group::number_by_place`]).
    pub group: Arc<Group>,
}

/// The places that can be followed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The first place that there still is. It is behind the last where there is none.
    pub first: Place,
    /// The newest; 0 where there never was one.
    pub last: Place,
}

/// All that nodes have in common, as it was behind a place. Whoever begins with it and applies what comes behind has the same as
/// whoever has applied everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The place.
    pub place: Place,
    /// The checksum of everything that was read up to there.
    pub read: u64,
    /// The state, as whoever keeps it writes it.
    pub state: Bytes,
}

/// Why the order can't be followed from a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// Somebody has written what this program does not know: a newer version, or nobody of ours.
    #[error("what is at place {place} of the order can't be read: {why}")]
    Unreadable {
        /// Where.
        place: Place,
        /// What is wrong with it.
        why: String,
    },
    /// Where the order was is another one now.
    #[error(
        "what is at place {place} of the order is not what was read there before: another order is in its place"
    )]
    Replaced {
        /// The last place that was read.
        place: Place,
    },
    /// The engine does not do what it is asked for. Whoever asks again may be luckier.
    #[error("the engine does not answer: {0}")]
    Engine(String),
    /// Nothing more is decided.
    #[error("the order has ended")]
    Ended,
}

/// Why whoever has offered a group does not know that it is in the order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// Nobody knows whether it is there, or will be. Offering it again is harmless: a group counts once.
    #[error("the engine has not confirmed a group: {0}")]
    Unconfirmed(String),
    /// The order takes no group like this one, however often it is offered, and it never was there.
    #[error("the order does not take a group: {0}")]
    TooLarge(String),
}

/// One order for everything that nodes share.
pub trait Order: Send + Sync + std::fmt::Debug {
    /// Puts a group into the order, and is done when it is there. It is offered once: whoever is not sure offers it again, until it
    /// has come round or can't count any more.
    ///
    /// # Errors
    /// [`OfferError`].
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>>;

    /// What is behind a place, now and later: in order, without holes, and nothing twice. While the engine is out of reach nothing
    /// comes; it goes on by itself. After an error nothing more comes.
    fn follow(&self, after: Place) -> BoxStream<'_, Result<Arc<Decided>, OrderError>>;

    /// The bytes up to which a group is collected. One entry of the queue that is larger has a group of its own.
    fn group_bytes(&self) -> usize {
        2 * 1024 * 1024
    }

    /// The places that can be followed now.
    ///
    /// # Errors
    /// [`OrderError::Engine`].
    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>>;
}

/// Where snapshots of what nodes have in common are kept, as far back as the order can be followed.
pub trait Snapshots: Send + Sync + std::fmt::Debug {
    /// The places of those that are kept whole, rising.
    ///
    /// # Errors
    /// [`OrderError::Engine`].
    fn places(&self) -> BoxFuture<'_, Result<Vec<Place>, OrderError>>;

    /// Reads one; `None` when it is not kept, or not whole.
    ///
    /// # Errors
    /// [`OrderError::Engine`].
    fn read(&self, place: Place) -> BoxFuture<'_, Result<Option<Snapshot>, OrderError>>;

    /// Keeps one. It counts when all of it is there; keeping it twice is harmless. Others go for it: what stays is the newest few, and
    /// behind them ever fewer, down to the oldest with which the order can be followed.
    ///
    /// # Errors
    /// [`OrderError::Engine`].
    fn keep(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), OrderError>>;
}
