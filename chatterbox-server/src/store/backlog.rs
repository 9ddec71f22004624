//! What happened is written down first, in one order, and only then seen by anybody.
//!
//! A [`Backlog`] takes records and gives each a sequence number; when an append is done, the records are as safe as this
//! kind of backlog makes them. Only then are they applied to the hub, so whatever anybody has seen is in the backlog.
//!
//! The seam is kept free of the ways of any one store: appends are groups, ordered, asynchronous; reading is in order
//! from a number on. [`Memory`] keeps the newest records while the process lives, [`Sqlite`] keeps them in a
//! database. Every implementation passes the
//! `contract` tests.

use chatterbox_hub::{Record, Sequence};
use futures_util::future::BoxFuture;

use crate::store::page::{Page, PageQuery};

/// Why a backlog could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BacklogError {
    /// There is no room for more now; what was to be appended is not kept.
    #[error("there is no room for more messages")]
    Full,
    /// The store failed.
    #[error("the message store failed: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An ordered log of messages.
pub trait Backlog: Send + Sync + std::fmt::Debug {
    /// Appends records, all or none, and gives the number of the first.
    ///
    /// When it is done, they are kept. Appends are never called at the same time.
    fn append<'a>(&'a self, records: &'a [Record])
    -> BoxFuture<'a, Result<Sequence, BacklogError>>;

    /// Gives the kept records from number `from` on, oldest first, at most `limit`; fewer when they are long, none only when
    /// there are none.
    fn read(
        &self,
        from: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, BacklogError>>;

    /// Gives a page of one conversation, as far as it is kept (ID-6).
    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, BacklogError>>;
}
