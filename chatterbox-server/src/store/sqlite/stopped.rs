//! A database that no server uses, while it moves into a cluster or out of one.

use std::path::{Path, PathBuf};

use chatterbox_hub::{
    Group, Moderation, Party, Record, RoomNumber, RoomRecord, Sanction, Sequence,
};
use rusqlite::{Connection, Row};

use crate::store::followed::Followed;
use crate::store::sqlite::database::{self, Opened};
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::options::{Durability, SqliteOptions};
use crate::store::sqlite::retention::Retention;
use crate::store::sqlite::row::{COLUMNS, Records, WEIGHT, signed, text, unsigned};
use crate::store::sqlite::{commands, dump, followed, numbers, rooms, sanctions};

/// The database of a folder, locked: no server can start with it meanwhile.
pub struct Stopped {
    opened: Opened,
}

/// Shows the path only.
impl std::fmt::Debug for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stopped").field("path", &self.opened.path).finish_non_exhaustive()
    }
}

/// How much there is to move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Messages.
    pub messages: u64,
    /// Bytes of their JSON.
    pub bytes: u64,
}

/// Messages that somebody may read still. What was cleared, or belongs to a room or an account that is removed, is going to be deleted:
/// it must not get into a log from which nothing can be.
const READABLE: &str = "CASE
    WHEN room IS NOT NULL THEN EXISTS (
        SELECT 1 FROM rooms WHERE number = room AND sequence > floor AND (keep IS NULL OR keep > 0)
    )
    WHEN recipient IS NULL THEN
        sequence > coalesce((SELECT floor FROM rooms WHERE number = 0), 0)
    ELSE mailbox IS NULL OR substr(mailbox, 1, 1) <> char(9)
        OR CAST(substr(mailbox, 2) AS INTEGER) IN (SELECT id FROM accounts)
    END";

impl Stopped {
    /// Opens it; it is migrated when needed.
    ///
    /// # Errors
    /// [`OpenError`], [`OpenError::InUse`] among them.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let retention = Retention { messages: 0, bytes: 0, age: None };
        let folder = folder.to_owned();
        let options = SqliteOptions { folder, durability: Durability::Power, retention };
        Ok(Self { opened: database::open(&options)? })
    }

    fn path(&self) -> &PathBuf {
        &self.opened.path
    }

    fn read<T>(
        &self,
        function: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, OpenError> {
        let done = function(&self.opened.connection);
        done.map_err(|error| OpenError::database(self.path(), error))
    }

    fn write<T>(
        &mut self,
        function: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, OpenError> {
        let write = || {
            let transaction = self.opened.writing()?;
            let done = function(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        let done = write();
        done.map_err(|error| OpenError::database(self.path(), error))
    }

    /// The cluster that it belongs to, and how far it has followed the order of that.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn cluster(&self) -> Result<Option<(String, Followed)>, OpenError> {
        self.read(followed::of)
    }

    /// The greatest number that was ever used: of a message, of a room, or of a sanction, for those are numbered by places, too, when
    /// there are several nodes.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn newest(&self) -> Result<Sequence, OpenError> {
        self.read(|connection| {
            let number = |select: &str| -> Result<u64, rusqlite::Error> {
                let number: Option<i64> = connection.query_row(select, [], |row| row.get(0))?;
                Ok(number.map_or(0, i64::unsigned_abs))
            };
            let used = |table: &str| {
                number(&format!("SELECT max(seq) FROM sqlite_sequence WHERE name = '{table}'"))
            };
            // An act has so many of them, with numbers that are those of the act times as many.
            let acts = used("sanctions")? / Moderation::SANCTIONS as u64;
            Ok(used("messages")?.max(acts).max(number("SELECT max(number) FROM rooms")?))
        })
    }

    /// When the newest message arrived, in seconds since 1970 UTC; 0 when there is none.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn moment(&self) -> Result<i64, OpenError> {
        self.read(|connection| {
            let select = "SELECT coalesce(max(arrived), 0) FROM messages";
            connection.query_row(select, [], |row| row.get(0))
        })
    }

    /// How much there is to move.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn load(&self) -> Result<Load, OpenError> {
        self.read(|connection| {
            let select = format!(
                "SELECT count(*), coalesce(sum({WEIGHT}), 0) FROM messages WHERE {READABLE}"
            );
            let read =
                |row: &Row<'_>| Ok(Load { messages: unsigned(row, 0)?, bytes: unsigned(row, 1)? });
            connection.query_row(&select, [], read)
        })
    }

    /// Messages behind a number that can be read still, oldest first: of the lobby, of rooms, and private ones, with those under whom
    /// they are filed. At most `most`, and no more once they have so many bytes.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn messages(
        &self,
        after: Sequence,
        most: usize,
        bytes: usize,
    ) -> Result<Vec<(Sequence, Record)>, OpenError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT {COLUMNS}, conversation FROM messages
                 WHERE sequence > ? AND {READABLE} ORDER BY sequence LIMIT ?"
            ))?;
            let (mut all, mut records, mut read) = (Vec::new(), Records::default(), 0);
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let mut rows = select.query((signed(after), most))?;
            while let Some(row) = rows.next()? {
                let (number, mut record) = records.read(row)?;
                if let Some(conversation) = text(row, 11)? {
                    record.filing.from = sender(&record, &conversation);
                }
                // A large one has a group of its own: with others it might be more than the log takes.
                if !all.is_empty() && read + record.weight() > bytes {
                    break;
                }
                read += record.weight();
                all.push((number, record));
                if read >= bytes {
                    break;
                }
            }
            Ok(all)
        })
    }

    /// All that is so of rooms, as facts.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn rooms(&self) -> Result<Vec<RoomRecord>, OpenError> {
        // By no clock: whoever moves in again has to come to the same.
        let moment = self.moment()?;
        self.read(|connection| rooms::records(connection, moment))
    }

    /// The greatest number of a message of each room that has any.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn newest_of_rooms(&self) -> Result<Vec<(RoomNumber, Sequence)>, OpenError> {
        self.read(rooms::newest)
    }

    /// Who may not be here, or not write.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn sanctions(&self) -> Result<Vec<Sanction>, OpenError> {
        let moment = self.moment()?;
        self.read(|connection| sanctions::read(connection, moment))
    }

    /// What all nodes store alike beside messages.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn dump(&mut self) -> Result<Vec<u8>, OpenError> {
        let dumped = dump::dump(&mut self.opened.connection);
        dumped.map_err(|error| OpenError::database(self.path(), error))
    }

    /// Makes it one of a cluster, as if it had followed the order of that so far. It does not start alone any more.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed then.
    pub fn enter(&mut self, cluster: &str, to: Followed) -> Result<(), OpenError> {
        self.write(|transaction| {
            // As every start does.
            rooms::forget_accounts(transaction)?;
            followed::enter(transaction, cluster)?;
            followed::note(transaction, to)?;
            commands::note(transaction, commands::newest(transaction)?)
        })
    }

    /// Makes it one of a node that is alone. Numbers go on above all that were given at the places that it has followed, and up to the
    /// last one that is known.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed then.
    pub fn leave(&mut self, last: u64) -> Result<(), OpenError> {
        self.write(|transaction| {
            let Some((_, Followed { place, .. })) = followed::of(transaction)? else {
                return Ok(());
            };
            let place = place.max(last);
            if place > 0 {
                numbers::use_up_to(transaction, Group::number_of(place, Group::PROPOSALS - 1))?;
            }
            followed::leave(transaction)?;
            commands::forget(transaction)
        })
    }
}

/// Who sent a private message. It is in the key of its conversation, beside whom it is to; a guest is found by the name.
fn sender(record: &Record, conversation: &str) -> Option<Party> {
    let (one, other) = conversation.split_once('\n')?;
    let to = record.recipient()?;
    let from = if one == to.key() { other } else { one };
    (from != record.source.key()).then(|| Party::of_key(from))
}
