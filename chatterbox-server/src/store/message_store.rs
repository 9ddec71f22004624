//! The store of messages: what one node keeps of their order, to read it again later.
//!
//! A [`Store`] is given records with their numbers, oldest first. When [`Store::keep`] is done, the records are as
//! durable as this kind of store makes them. Only then are they applied to the hub, so every message that was delivered
//! is in the store. What has changed of rooms goes the same way, through [`Store::keep_rooms`]. Only what has to outlive the
//! process does: who comes and goes does not.
//!
//! Numbers are made by whoever gives the order, and rise with gaps. What is kept again is kept once, so whoever is not
//! sure whether a group was kept may give it again, however it is cut.
//!
//! The trait assumes nothing of one store: it is asynchronous, groups are kept wholly or not at all, and reads are in order
//! from a number on. [`Memory`] keeps the newest records while the process lives, [`Sqlite`] keeps them in a database.
//! Every implementation passes the `contract` tests.
//!
//! [`Memory`]: crate::store::Memory
//! [`Sqlite`]: crate::store::Sqlite

use chatterbox_hub::{Durable, Record, RoomNumber, RoomRecord, Sequence};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::store::followed::Followed;
use crate::store::page::{Page, PageQuery};

/// The failure of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room for the messages; none of them is kept.
    #[error("there is no room for more messages")]
    Full,
    /// What would be stored could not be found later; none of it is kept.
    #[error("the data folder is not in its place any more: it was removed, moved or replaced")]
    Moved,
    /// The disk does not do what it is asked for; none of the messages is kept.
    #[error(
        "the disk takes no more, or fails: a limit on the size of files (ulimit -f), or a fault"
    )]
    Disk,
    /// The database can't be used at the moment: somebody else writes, or the system gives no memory, no files or no rights. None of it
    /// is kept.
    #[error("the database can't be used at the moment: {0}")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is to be done is of another version of this program, and trying again changes nothing.
    #[error("what is to be stored is of another version of this program")]
    NotUnderstood,
    /// It belongs to another cluster, or what it has was written by a node that is alone.
    #[error("the messages that are stored here are not those of cluster {cluster}: {found}")]
    OtherCluster {
        /// The cluster that it was to belong to.
        cluster: String,
        /// What it is instead.
        found: String,
    },
    /// A node of a cluster can't begin, or can't go on.
    #[error("this node can't go on")]
    Node(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store failed.
    #[error("the message store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same may be stored later: it is the disk or the system that does not take it, and not the database or what is to
    /// be stored.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Full | Self::Moved | Self::Disk | Self::Busy(_))
    }
}

/// Messages by number.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Keeps records under their numbers, which are above 0 and rise; all or none.
    ///
    /// A number that is not above the newest was kept before, and is passed over: also when its record was removed
    /// meanwhile, and also in a gap, behind which others have read already. Groups are never kept concurrently.
    ///
    /// Of a message to a room that keeps nothing (RH-2), or to one that is not there, only the number is used.
    fn keep<'a>(
        &'a self,
        records: &'a [(Sequence, Record)],
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The greatest number that was ever kept, of messages and of rooms, whether its record is still there or not; 0 when
    /// there was none.
    fn newest(&self) -> BoxFuture<'_, Result<Sequence, StoreError>>;

    /// Keeps what has changed of rooms, under the next number of the log; all or nothing.
    ///
    /// Messages and changes have one sequence of numbers: a number that is not above the newest was kept before, and is
    /// passed over. So are facts that end with the process ([`RoomRecord::is_durable`]), and those about a room or an account
    /// that is not there any more. Calls of this and of [`Store::keep`] are never concurrent.
    ///
    /// From here on, what was said in a room that is deleted, or up to the floor of one, is not read any more; it is removed soon.
    fn keep_rooms<'a>(
        &'a self,
        number: Sequence,
        records: &'a [RoomRecord],
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// All that is so of rooms, as facts that make them again when they are applied in this order: the rooms by number, then
    /// members in the order in which they joined, those that stay out, levels, invitations that are not over, and defaults.
    fn rooms(&self) -> BoxFuture<'_, Result<Vec<RoomRecord>, StoreError>>;

    /// The greatest number of a kept message of each room that has any (LAST).
    fn newest_of_rooms(&self) -> BoxFuture<'_, Result<Vec<(RoomNumber, Sequence)>, StoreError>>;

    /// Reads the kept records of the lobby and the private ones from number `from` on, oldest first, at most `limit`; fewer
    /// when they are long, and none only when there are none. What was said in rooms is read by pages only: whoever starts
    /// would read all of it, and keep nothing.
    fn read(
        &self,
        from: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, StoreError>>;

    /// Reads a page of one conversation, as far as it is kept (ID-6).
    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, StoreError>>;

    /// Deletes all private messages to an account that is removed, soon; nobody can ask for them any more. Rooms forget it,
    /// too: it is no member, has no level, and is not invited. A room that it owned goes to the member of level 4 in it who joined
    /// first, or to nobody (RL-3).
    fn forget_account(&self, account: i64) -> BoxFuture<'_, ()>;

    /// Drops some of the encrypted texts that are stored and told to nobody any more (EE-4): all devices that they are for have read them,
    /// or they are of messages that arrived before this, in seconds since 1970 UTC. Whoever keeps nothing over restarts need not.
    fn forget_sealed(&self, before: i64) -> BoxFuture<'_, ()> {
        let _ = before;
        ready(()).boxed()
    }

    /// How many calls wait for it now, and how many may; further callers wait until there is room.
    fn backlog(&self) -> (usize, usize) {
        (0, 0)
    }

    /// Makes this the store of a node of a cluster, and says how far it has followed the order of that. A fresh one has followed
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError::OtherCluster`].
    fn enter<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Followed, StoreError>> {
        let _ = cluster;
        ready(Err(StoreError::Failed("it is no store of a cluster".into()))).boxed()
    }

    /// Says what time it is by the order of a cluster, in seconds since 1970 UTC. A store of a cluster has no other clock for what is
    /// old: so all nodes remove the same, whatever their machines take for the time. Before it is told, nothing is old.
    fn time_is(&self, now: i64) {
        let _ = now;
    }

    /// Keeps what follows from the order of a cluster up to a place, and that it has followed it so far. All of it is kept, or the place is not
    /// noted, and whoever tries again keeps once what was kept before.
    ///
    /// What was said to an account that is removed on the way ([`Durable::AccountRemoved`]) goes as with [`Store::forget_account`], on a
    /// node that was not there, too.
    ///
    /// A place that is not behind the one before was followed already, and is passed over with all that follows from it. Otherwise this
    /// is [`Store::keep`] and [`Store::keep_rooms`], which a node of a cluster does not call.
    fn follow<'a>(
        &'a self,
        to: Followed,
        durable: &'a [Durable],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let _ = (to, durable);
        ready(Err(StoreError::Failed("it is no store of a cluster".into()))).boxed()
    }
}

/// Why a store is not one of a cluster.
pub(super) fn other_cluster(cluster: &str, of: Option<&str>) -> StoreError {
    let found = match of {
        Some(of) => format!("they belong to cluster {of}"),
        None => "they were written by a node that was alone; `chatterbox-server cluster move-in` makes a cluster of them"
            .to_owned(),
    };
    StoreError::OtherCluster { cluster: cluster.to_owned(), found }
}

/// Those of a group that were not kept before, when `newest` is the greatest number that was.
pub(super) fn not_kept_before(
    mut newest: Sequence,
    records: &[(Sequence, Record)],
) -> impl Iterator<Item = &(Sequence, Record)> {
    records.iter().filter(move |(number, _)| {
        let is_new = *number > newest;
        newest = newest.max(*number);
        is_new
    })
}
