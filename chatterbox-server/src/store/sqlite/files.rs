//! What is known about files, in the database of the messages, through a connection of its own.
//!
//! Bytes of files are not here ([`Spool`](crate::files::Spool)). A row is there before the first byte is, and goes before the
//! last one does, so that bytes without a row belong to nobody.

use std::path::{Path, PathBuf};

use chatterbox_hub::{FileScope, Party, Sequence};
use chatterbox_proto::Username;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, named_params};

use crate::files::{
    CLAIM_AGE, Claim, FILES, FILES_OF_ACCOUNT, FileStore, FileStoreError, NewFile, Quota, Quotas,
    Reserved, StoredFile, UPLOAD_AGE,
};
use crate::store::sqlite::commands::{self, Connected};
use crate::store::sqlite::database::open_shared;
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::row::{damaged, signed, text, unsigned};
use crate::store::sqlite::writing::Writing;

const COLUMNS: &str = "token, account, scope, name, size, sha256, begun, until, there, message, \
    source, recipient, claimed";

/// What is known about files, in a database.
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens the database of a folder, whether a server is using it or not; it is made or migrated when none is.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (connection, path) = open_shared(folder)?;
        let prepare = || {
            // Whoever was told that a file is there finds it, whatever happens to the power.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "trusted_schema", false)
        };
        prepare().map_err(|error| OpenError::database(&path, error))?;
        Ok(Self { connection, path })
    }

    fn writing(&mut self) -> Result<Writing<'_>, rusqlite::Error> {
        Writing::begin(&mut self.connection)
    }

    /// Whether there is an account of this number.
    ///
    /// # Errors
    /// [`FileStoreError`].
    pub(crate) fn has_account(&self, account: i64) -> Result<bool, FileStoreError> {
        let select = "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?)";
        let mut select = self.connection.prepare_cached(select)?;
        Ok(select.query_row([account], |row| row.get(0))?)
    }

    /// Carries the command of a number out.
    ///
    /// # Errors
    /// Those of the function, and of the database; nothing was done then.
    pub(crate) fn carry_out<T, E: From<rusqlite::Error>>(
        &mut self,
        number: Sequence,
        function: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        commands::carry_out(self, number, function)
    }
}

impl Connected for Sqlite {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl From<rusqlite::Error> for FileStoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) => Self::Disk,
            _ => Self::Store(error.into()),
        }
    }
}

impl FileStore for Sqlite {
    fn reserve(&mut self, new: &NewFile, quotas: Quotas) -> Result<Reserved, FileStoreError> {
        let writing = self.writing()?;
        if let Some(begun) = begun(&writing, new)? {
            return Ok(Reserved::Again(begun));
        }
        let scope = new.scope.to_string();
        let of_account = sum(&writing, "account = ?", [new.account])?;
        let of_room = match &new.scope {
            FileScope::All | FileScope::Room(_) => sum(&writing, "scope = ?", [&scope])?,
            // What is for one user is in no room.
            FileScope::User(_) => (0, 0),
        };
        let all = sum(&writing, "1", [])?;
        if of_account.0 >= FILES_OF_ACCOUNT || all.0 >= FILES {
            return Ok(Reserved::TooMany);
        }
        for (quota, most, taken) in [
            (Quota::Account, quotas.account, of_account.1),
            (Quota::Room, quotas.room, of_room.1),
            (Quota::All, quotas.all, all.1),
        ] {
            let left = most.saturating_sub(taken);
            let is_counted = quota != Quota::Room || !matches!(new.scope, FileScope::User(_));
            if is_counted && new.size > left {
                return Ok(Reserved::NoSpace { quota, most, left });
            }
        }
        let insert = "INSERT INTO files (token, account, scope, name, size, sha256, begun, until)
             VALUES (:token, :account, :scope, :name, :size, :sha256, :begun, :until)";
        writing.prepare_cached(insert)?.execute(named_params! {
            ":token": new.token,
            ":account": new.account,
            ":scope": scope,
            ":name": new.name,
            ":size": signed(new.size),
            ":sha256": new.sha256,
            ":begun": new.now,
            ":until": new.until,
        })?;
        let stored = find(&writing, &new.token)?;
        writing.commit()?;
        stored.map(Reserved::New).ok_or_else(|| FileStoreError::Store("it is not there".into()))
    }

    fn complete(&mut self, token: &str) -> Result<bool, FileStoreError> {
        let update = "UPDATE files SET there = 1 WHERE token = ?";
        Ok(self.connection.prepare_cached(update)?.execute([token])? > 0)
    }

    fn claim(&mut self, claim: &Claim) -> Result<Option<StoredFile>, FileStoreError> {
        let writing = self.writing()?;
        let update = "UPDATE files
             SET claim = :key, claimed = :now, source = :source, recipient = :recipient
             WHERE token = :token AND account = :account AND scope = :scope AND there = 1
                 AND message IS NULL AND until > :now AND begun > :now - :upload
                 AND (claim IS NULL OR claim = :key OR claimed <= :now - :age)";
        let claimed = writing.prepare_cached(update)?.execute(named_params! {
            ":token": claim.token,
            ":account": claim.account,
            ":scope": claim.scope.to_string(),
            ":key": claim.key,
            ":now": claim.now,
            ":age": CLAIM_AGE,
            ":upload": UPLOAD_AGE,
            ":source": claim.source.as_str(),
            ":recipient": claim.recipient.as_ref().map(Party::key),
        })?;
        let stored = if claimed > 0 { find(&writing, &claim.token)? } else { None };
        writing.commit()?;
        Ok(stored)
    }

    fn release(&mut self, token: &str, key: &str) -> Result<(), FileStoreError> {
        let update = "UPDATE files SET claim = NULL, claimed = NULL
             WHERE token = ? AND claim = ? AND message IS NULL";
        Ok(self.connection.prepare_cached(update)?.execute([token, key]).map(drop)?)
    }

    fn announced(&mut self, token: &str, number: Sequence) -> Result<(), FileStoreError> {
        Ok(announced(&self.connection, token, number)?)
    }

    fn shorten(&mut self, token: &str, until: i64) -> Result<(), FileStoreError> {
        let update = "UPDATE files SET until = min(until, ?2) WHERE token = ?1";
        Ok(self.connection.prepare_cached(update)?.execute((token, until)).map(drop)?)
    }

    fn remove(&mut self, tokens: &[String]) -> Result<(), FileStoreError> {
        let writing = self.writing()?;
        let mut delete = writing.prepare_cached("DELETE FROM files WHERE token = ?")?;
        for token in tokens {
            delete.execute([token])?;
        }
        drop(delete);
        Ok(writing.commit()?)
    }

    fn give_up(&mut self, token: &str, account: i64, now: i64) -> Result<bool, FileStoreError> {
        // Looked at and removed at once: a message may take it at any moment.
        let delete = "DELETE FROM files WHERE token = ?1 AND account = ?2 AND message IS NULL
             AND (claim IS NULL OR claimed <= ?3 - ?4)";
        let mut delete = self.connection.prepare_cached(delete)?;
        Ok(delete.execute((token, account, now, CLAIM_AGE))? > 0)
    }

    fn find(&mut self, token: &str) -> Result<Option<StoredFile>, FileStoreError> {
        Ok(find(&self.connection, token)?)
    }

    fn list(&mut self, after: &str, limit: usize) -> Result<Vec<StoredFile>, FileStoreError> {
        let select = format!("SELECT {COLUMNS} FROM files WHERE token > ? ORDER BY token LIMIT ?");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut select = self.connection.prepare_cached(&select)?;
        let found = select.query_map((after, limit), file)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn being_written(&mut self) -> Result<u64, FileStoreError> {
        Ok(sum(&self.connection, "there = 0", [])?.1)
    }

    fn unfinished(&mut self, account: i64) -> Result<Vec<(String, u64)>, FileStoreError> {
        let select = "SELECT token, size FROM files WHERE account = ? AND there = 0 ORDER BY token";
        let mut select = self.connection.prepare_cached(select)?;
        let found = select.query_map([account], |row| {
            let token = text(row, 0)?.unwrap_or_default().into_owned();
            Ok((token, unsigned(row, 1)?))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

/// Notes that a message has announced a file. The one who stores messages does it in the same transaction.
pub(super) fn announced(
    connection: &Connection,
    token: &str,
    number: Sequence,
) -> Result<(), rusqlite::Error> {
    let update = "UPDATE files SET message = ?2 WHERE token = ?1 AND message IS NULL";
    connection.prepare_cached(update)?.execute((token, signed(number))).map(drop)
}

/// How many files there are of some kind, and their bytes.
fn sum(
    connection: &Connection,
    of: &str,
    parameters: impl rusqlite::Params,
) -> Result<(u64, u64), rusqlite::Error> {
    let select = format!("SELECT count(*), coalesce(sum(size), 0) FROM files WHERE {of}");
    let mut select = connection.prepare_cached(&select)?;
    select.query_row(parameters, |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))
}

/// The upload that somebody has begun before, and that is asked for again.
fn begun(connection: &Connection, new: &NewFile) -> Result<Option<StoredFile>, rusqlite::Error> {
    let select = format!(
        "SELECT {COLUMNS} FROM files
         WHERE account = :account AND scope = :scope AND size = :size AND sha256 = :sha256
             AND message IS NULL AND (claim IS NULL OR claimed <= :now - :claim)
             AND begun > :now - :age AND until > :now
         ORDER BY begun DESC LIMIT 1"
    );
    let parameters = named_params! {
        ":account": new.account,
        ":scope": new.scope.to_string(),
        ":size": signed(new.size),
        ":sha256": new.sha256,
        ":now": new.now,
        ":age": UPLOAD_AGE,
        ":claim": CLAIM_AGE,
    };
    connection.prepare_cached(&select)?.query_row(parameters, file).optional()
}

fn find(connection: &Connection, token: &str) -> Result<Option<StoredFile>, rusqlite::Error> {
    let select = format!("SELECT {COLUMNS} FROM files WHERE token = ?");
    connection.prepare_cached(&select)?.query_row([token], file).optional()
}

fn file(row: &Row<'_>) -> Result<StoredFile, rusqlite::Error> {
    let words = |column| Ok::<_, rusqlite::Error>(text(row, column)?.unwrap_or_default());
    let scope: Result<FileScope, _> = words(2)?.parse();
    Ok(StoredFile {
        token: words(0)?.into_owned(),
        account: row.get(1)?,
        scope: scope.map_err(|error| damaged(2, error.into()))?,
        name: words(3)?.into_owned(),
        size: unsigned(row, 4)?,
        sha256: row.get(5)?,
        begun: row.get(6)?,
        until: row.get(7)?,
        is_there: row.get(8)?,
        message: row.get::<_, Option<i64>>(9)?.map(i64::unsigned_abs),
        source: text(row, 10)?.map(|name| Username::stored(&name)),
        recipient: text(row, 11)?.map(|key| Party::of_key(&key)),
        claimed: row.get(12)?,
    })
}

#[cfg(test)]
mod tests;
