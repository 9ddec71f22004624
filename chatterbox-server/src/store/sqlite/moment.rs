//! All that nodes of a cluster store alike, as it is at one moment, read through a connection of its own.
//!
//! Reading all of it takes as long as there are rows, and whoever follows the order can't wait for that. In WAL mode a transaction that only
//! reads has the state of its beginning, whatever is written meanwhile, and holds up nobody who writes. While it lasts, what is
//! written stays in the log of the database, which becomes longer by that.

use std::path::Path;

use chatterbox_hub::Sequence;
use rusqlite::{Connection, OptionalExtension as _};

use crate::store::sqlite::database::open_to_read;
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::{alike, commands, dump};

/// The state of one moment. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Moment {
    connection: Connection,
    number: Sequence,
}

impl Moment {
    /// The moment of this call, in the database of a folder.
    ///
    /// # Errors
    /// [`OpenError`].
    pub(crate) fn begin(folder: &Path) -> Result<Self, OpenError> {
        let (connection, _) = open_to_read(folder)?;
        let begin = || {
            connection.pragma_update(None, "query_only", true)?;
            connection.pragma_update(None, "trusted_schema", false)?;
            // It is the state of the first reading that the transaction has.
            connection.execute_batch("BEGIN DEFERRED")?;
            commands::newest(&connection)
        };
        let number = begin().map_err(|error| OpenError::database(folder, error))?;
        Ok(Self { connection, number })
    }

    /// The number of the last command that was carried out by then.
    pub(crate) fn number(&self) -> Sequence {
        self.number
    }

    /// All of it; see [`dump`].
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn dump(&self) -> Result<Vec<u8>, rusqlite::Error> {
        dump::of(&self.connection)
    }

    /// One number for all of it, and the number of the last command by then; see [`alike`].
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn digest(&self) -> Result<(Sequence, u64), rusqlite::Error> {
        alike::of(&self.connection)
    }

    /// Those of these accounts that are not there.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn gone(&self, accounts: &[i64]) -> Result<Vec<i64>, rusqlite::Error> {
        let mut select = self.connection.prepare("SELECT 1 FROM accounts WHERE id = ?")?;
        let mut gone = Vec::new();
        for account in accounts {
            let is_there = select.query_row([account], |_| Ok(())).optional()?;
            gone.extend(is_there.is_none().then_some(*account));
        }
        Ok(gone)
    }
}
