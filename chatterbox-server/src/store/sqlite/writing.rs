//! A transaction that may write, or a part of one that is under way.

use std::ops::Deref;

use rusqlite::{Connection, Savepoint, Transaction, TransactionBehavior};

/// What is written wholly or not at all: dropped without a commit, nothing of it has happened.
pub(super) enum Writing<'c> {
    /// A transaction of its own.
    Whole(Transaction<'c>),
    /// A part of one that somebody else commits.
    Part(Savepoint<'c>),
}

impl Deref for Writing<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Whole(transaction) => transaction,
            Self::Part(savepoint) => savepoint,
        }
    }
}

impl<'c> Writing<'c> {
    /// Begins to write. What is read in it decides what is written, so the right to write is taken first.
    pub(super) fn begin(connection: &'c mut Connection) -> Result<Self, rusqlite::Error> {
        if connection.is_autocommit() {
            let immediate = TransactionBehavior::Immediate;
            connection.transaction_with_behavior(immediate).map(Self::Whole)
        } else {
            connection.savepoint().map(Self::Part)
        }
    }

    pub(super) fn commit(self) -> Result<(), rusqlite::Error> {
        match self {
            Self::Whole(transaction) => transaction.commit(),
            Self::Part(savepoint) => savepoint.commit(),
        }
    }
}
