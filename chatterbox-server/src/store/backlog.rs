//! The backlog: an ordered log of messages, written before anybody is told of them.
//!
//! A [`Backlog`] takes records and gives each a sequence number; when an append is done, the records are as durable as
//! this kind of backlog makes them. Only then are they applied to the hub, so every message that was delivered is in
//! the backlog.
//!
//! The trait assumes nothing of one store: appends are groups, ordered and asynchronous; reads are in order from a
//! number on. [`Memory`] keeps the newest records while the process lives, [`Sqlite`] keeps them in a database. Every
//! implementation passes the `contract` tests.
//!
//! [`Memory`]: crate::store::Memory
//! [`Sqlite`]: crate::store::Sqlite

use chatterbox_hub::{Record, Sequence};
use futures_util::future::BoxFuture;

use crate::store::page::{Page, PageQuery};

/// The failure of a backlog.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BacklogError {
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
    /// The store failed.
    #[error("the message store failed: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An ordered log of messages.
pub trait Backlog: Send + Sync + std::fmt::Debug {
    /// Appends records, all or none, and gives the number of the first.
    ///
    /// They are kept when it is done. Appends are never called concurrently.
    fn append<'a>(&'a self, records: &'a [Record])
    -> BoxFuture<'a, Result<Sequence, BacklogError>>;

    /// Reads the kept records from number `from` on, oldest first, at most `limit`; fewer when they are long, and none
    /// only when there are none.
    fn read(
        &self,
        from: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, BacklogError>>;

    /// Reads a page of one conversation, as far as it is kept (ID-6).
    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, BacklogError>>;

    /// Deletes all private messages to an account that is removed, soon; nobody can ask for them any more.
    fn forget_account(&self, account: i64) -> BoxFuture<'_, ()>;
}
