//! Accounts in the database of the messages, through a connection of their own.
//!
//! The server has one, and whoever runs `chatterbox-server user` beside it has another; SQLite's own locking keeps them
//! apart. Nothing is remembered in here, so what one of them writes the other sees at once.

use std::path::{Path, PathBuf};

use chatterbox_hub::{AccountChange, AccountKey, Level, Sequence};
use chatterbox_proto::Username;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row};

use crate::accounts::{
    ACCOUNTS, Account, Added, BLOCKERS, BLOCKS, Directory, DirectoryError, LowDevices,
    PasswordHash, Settings, TOKENS, TokenHash,
};
use crate::store::sqlite::account_changes;
use crate::store::sqlite::commands::{self, Connected};
use crate::store::sqlite::database::open_shared;
use crate::store::sqlite::dump;
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::row::{damaged, name};
use crate::store::sqlite::writing::Writing;

/// Accounts in a database.
pub struct Sqlite {
    pub(super) connection: Connection,
    path: PathBuf,
    /// Tells the changes of this connection from those of others.
    writer: i64,
    /// The number of the last change that was read.
    seen: i64,
    /// What SQLite said when the changes were read last: it says something else when another connection has written.
    data_version: Option<i64>,
    /// Devices of which somebody has got a key here, and few are left.
    pub(super) low: LowDevices,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Whether guests may join, as it is stored.
const GUESTS: &str = "guests";
const ON: &str = "on";
const OFF: &str = "off";
const PREFIX: &str = "prefix";
const ADMIN_PASSWORD: &str = "admin-password";

impl Sqlite {
    /// Opens the database of a folder, whether a server is using it or not; it is made or migrated when none is.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (connection, path) = open_shared(folder)?;
        let prepare = || {
            connection.pragma_update(None, "foreign_keys", true)?;
            // A password that was changed stays changed, whatever happens to the power, and the old hash is overwritten.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "secure_delete", true)?;
            connection.pragma_update(None, "trusted_schema", false)
        };
        let newest = || {
            prepare()?;
            connection.query_row(
                "SELECT random(), coalesce(max(number), 0) FROM account_changes",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        };
        let (writer, seen) = newest().map_err(|error| OpenError::database(&path, error))?;
        let low = LowDevices::default();
        Ok(Self { connection, path, writer, seen, data_version: None, low })
    }

    /// The number of the last command that was carried out.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub(crate) fn newest_command(&self) -> Result<Sequence, DirectoryError> {
        Ok(commands::newest(&self.connection)?)
    }

    /// Whether there is something of what nodes store alike that no command has made.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub(crate) fn has_own(&self) -> Result<bool, DirectoryError> {
        Ok(commands::has_own(&self.connection)?)
    }

    /// Takes all that nodes store alike from another node, in place of all that is here; see [`dump`].
    ///
    /// # Errors
    /// [`DirectoryError`]; nothing was changed then.
    pub(crate) fn restore(&mut self, state: &[u8]) -> Result<(), DirectoryError> {
        Ok(dump::restore(&mut self.connection, state)?)
    }

    pub(super) fn writing(&mut self) -> Result<Writing<'_>, rusqlite::Error> {
        Writing::begin(&mut self.connection)
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

    fn add_if(&mut self, account: &Account, alike: bool) -> Result<Added, DirectoryError> {
        let transaction = self.writing()?;
        if id(&transaction, &account.name)?.is_some() {
            return Ok(Added::Already);
        }
        if !alike && look_alike(&transaction, &account.name)?.is_some() {
            return Ok(Added::Already);
        }
        if count(&transaction, "SELECT count(*) FROM accounts", [])? >= ACCOUNTS {
            return Ok(Added::Full);
        }
        transaction.execute(
            "INSERT INTO accounts (name, key, password, level, created) VALUES (?, ?, ?, ?, ?)",
            (
                account.name.as_str(),
                account.name.key(),
                account.password.as_str(),
                account.level.number(),
                account.created,
            ),
        )?;
        let id = transaction.last_insert_rowid();
        for look in account.name.looks() {
            let insert = "INSERT OR IGNORE INTO account_looks (look, account) VALUES (?, ?)";
            transaction.execute(insert, (look, id))?;
        }
        transaction.commit()?;
        Ok(Added::Yes)
    }

    fn setting(&self, name: &str) -> Result<Option<String>, rusqlite::Error> {
        let mut select =
            self.connection.prepare_cached("SELECT value FROM settings WHERE name = ?")?;
        select.query_row([name], |row| row.get(0)).optional()
    }

    fn set(&self, name: &str, value: &str) -> Result<(), rusqlite::Error> {
        let upsert = "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = ?2";
        self.connection.execute(upsert, (name, value)).map(drop)
    }
}

impl Connected for Sqlite {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl From<rusqlite::Error> for DirectoryError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) => Self::Disk,
            _ => Self::Store(error.into()),
        }
    }
}

const COLUMNS: &str = "accounts.id, accounts.name, password, level, created, epoch";

fn account(row: &Row<'_>) -> Result<Account, rusqlite::Error> {
    let level =
        Level::new(row.get(3)?).ok_or_else(|| damaged(3, "there is no such level".into()))?;
    Ok(Account {
        account_key: AccountKey { id: row.get(0)?, epoch: row.get(5)? },
        name: name(row, 1)?,
        password: PasswordHash::stored(row.get(2)?),
        level,
        created: row.get(4)?,
    })
}

fn id(transaction: &Connection, name: &Username) -> Result<Option<i64>, rusqlite::Error> {
    let mut select = transaction.prepare_cached("SELECT id FROM accounts WHERE key = ?")?;
    select.query_row([name.key()], |row| row.get(0)).optional()
}

fn look_alike(
    connection: &Connection,
    name: &Username,
) -> Result<Option<Username>, rusqlite::Error> {
    let [written, folded, seen] = name.looks();
    let mut select = connection.prepare_cached(
        "SELECT name FROM accounts JOIN account_looks ON account = id
         WHERE look IN (?1, ?2, ?3) AND key <> ?4 LIMIT 1",
    )?;
    select.query_row((written, folded, seen, name.key()), |row| self::name(row, 0)).optional()
}

fn count(
    transaction: &Connection,
    select: &str,
    of: impl rusqlite::Params,
) -> Result<usize, rusqlite::Error> {
    let count: i64 = transaction.query_row(select, of, |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

impl Directory for Sqlite {
    fn account(&mut self, name: &Username) -> Result<Option<Account>, DirectoryError> {
        let select = format!("SELECT {COLUMNS} FROM accounts WHERE key = ?");
        let mut select = self.connection.prepare_cached(&select)?;
        Ok(select.query_row([name.key()], account).optional()?)
    }

    fn look_alike(&mut self, name: &Username) -> Result<Option<Username>, DirectoryError> {
        Ok(look_alike(&self.connection, name)?)
    }

    fn add(&mut self, account: &Account) -> Result<Added, DirectoryError> {
        self.add_if(account, true)
    }

    fn add_unlike(&mut self, account: &Account) -> Result<Added, DirectoryError> {
        self.add_if(account, false)
    }

    fn change_password(
        &mut self,
        name: &Username,
        password: &PasswordHash,
    ) -> Result<bool, DirectoryError> {
        let writer = self.writer;
        let transaction = self.writing()?;
        let update = "UPDATE accounts SET password = ?, epoch = epoch + 1 WHERE key = ?";
        let changed = transaction.execute(update, (password.as_str(), name.key()))? > 0;
        if let Some(id) = id(&transaction, name)? {
            transaction.execute("DELETE FROM tokens WHERE account = ?", [id])?;
            account_changes::note_change(&transaction, writer, id)?;
        }
        transaction.commit()?;
        Ok(changed)
    }

    fn replace_hash(
        &mut self,
        name: &Username,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), DirectoryError> {
        let update = "UPDATE accounts SET password = ? WHERE key = ? AND password = ?";
        self.connection.execute(update, (new.as_str(), name.key(), old.as_str()))?;
        Ok(())
    }

    fn set_level(&mut self, name: &Username, level: Level) -> Result<bool, DirectoryError> {
        let writer = self.writer;
        let transaction = self.writing()?;
        let update = "UPDATE accounts SET level = ? WHERE key = ? RETURNING id";
        let id: Option<i64> = transaction
            .query_row(update, (level.number(), name.key()), |row| row.get(0))
            .optional()?;
        if let Some(id) = id {
            account_changes::note_change(&transaction, writer, id)?;
        }
        transaction.commit()?;
        Ok(id.is_some())
    }

    fn remove(&mut self, name: &Username) -> Result<Option<AccountKey>, DirectoryError> {
        let writer = self.writer;
        let transaction = self.writing()?;
        let removed = {
            let select = "SELECT id, epoch, name FROM accounts WHERE key = ?";
            let key = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            transaction.query_row(select, [name.key()], key).optional()?
        };
        let Some((id, epoch, spelling)): Option<(i64, i64, String)> = removed else {
            return Ok(None);
        };
        // Tokens, look-alikes and block lists go with it.
        transaction.execute("DELETE FROM accounts WHERE id = ?", [id])?;
        account_changes::note(&transaction, writer, id, &spelling, None)?;
        transaction.commit()?;
        Ok(Some(AccountKey { id, epoch }))
    }

    fn changes(&mut self) -> Result<Vec<AccountChange>, DirectoryError> {
        let version =
            self.connection.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0))?;
        if self.data_version == Some(version) {
            return Ok(Vec::new());
        }
        let found = account_changes::after(&self.connection, self.seen, self.writer)?;
        self.data_version = Some(version);
        self.seen = found.last().map_or(self.seen, |(number, _)| *number);
        Ok(found.into_iter().map(|(_, change)| change).collect())
    }

    fn list(&mut self, limit: usize) -> Result<Vec<Account>, DirectoryError> {
        let select = format!("SELECT {COLUMNS} FROM accounts ORDER BY key LIMIT ?");
        let mut select = self.connection.prepare_cached(&select)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(select.query_map([limit], account)?.collect::<Result<_, _>>()?)
    }

    fn add_token(
        &mut self,
        name: &Username,
        token: TokenHash,
        expires: i64,
    ) -> Result<(), DirectoryError> {
        let transaction = self.writing()?;
        let Some(id) = id(&transaction, name)? else { return Ok(()) };
        transaction.execute(
            "INSERT OR REPLACE INTO tokens (hash, account, expires) VALUES (?, ?, ?)",
            (&token.0[..], id, expires),
        )?;
        transaction.execute(
            "DELETE FROM tokens WHERE account = ?1 AND number NOT IN
             (SELECT number FROM tokens WHERE account = ?1 ORDER BY number DESC LIMIT ?2)",
            (id, i64::try_from(TOKENS).unwrap_or(i64::MAX)),
        )?;
        transaction.commit()?;
        Ok(())
    }

    fn token_owner(
        &mut self,
        token: TokenHash,
        now: i64,
    ) -> Result<Option<Account>, DirectoryError> {
        let select = format!(
            "SELECT {COLUMNS} FROM accounts JOIN tokens ON account = id
             WHERE hash = ? AND expires > ?"
        );
        let mut select = self.connection.prepare_cached(&select)?;
        Ok(select.query_row((&token.0[..], now), account).optional()?)
    }

    fn remove_token(&mut self, token: TokenHash) -> Result<(), DirectoryError> {
        self.connection.execute("DELETE FROM tokens WHERE hash = ?", [&token.0[..]])?;
        Ok(())
    }

    fn remove_tokens(&mut self, name: &Username) -> Result<(), DirectoryError> {
        let writer = self.writer;
        let transaction = self.writing()?;
        if let Some(id) = id(&transaction, name)? {
            transaction.execute("DELETE FROM tokens WHERE account = ?", [id])?;
            transaction.execute("UPDATE accounts SET epoch = epoch + 1 WHERE id = ?", [id])?;
            account_changes::note_change(&transaction, writer, id)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn blocked(&mut self, owner: &Username) -> Result<Vec<Username>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT blocks.name FROM blocks JOIN accounts ON account = id
             WHERE accounts.key = ? ORDER BY blocks.key",
        )?;
        let names = select.query_map([owner.key()], |row| name(row, 0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    fn blockers(&mut self, other: &Username) -> Result<Vec<(i64, Username)>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT accounts.id, accounts.name FROM blocks JOIN accounts ON account = id
             WHERE blocks.key = ? LIMIT ?",
        )?;
        let limit = i64::try_from(BLOCKERS).unwrap_or(i64::MAX);
        let names =
            select.query_map((other.key(), limit), |row| Ok((row.get(0)?, name(row, 1)?)))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    fn block(&mut self, owner: &Username, other: &Username) -> Result<Added, DirectoryError> {
        let transaction = self.writing()?;
        let Some(id) = id(&transaction, owner)? else { return Ok(Added::Full) };
        let there = "SELECT count(*) FROM blocks WHERE account = ? AND key = ?";
        if count(&transaction, there, (id, other.key()))? > 0 {
            return Ok(Added::Already);
        }
        if count(&transaction, "SELECT count(*) FROM blocks WHERE account = ?", [id])? >= BLOCKS {
            return Ok(Added::Full);
        }
        transaction.execute(
            "INSERT INTO blocks (account, key, name) VALUES (?, ?, ?)",
            (id, other.key(), other.as_str()),
        )?;
        transaction.commit()?;
        Ok(Added::Yes)
    }

    fn unblock(&mut self, owner: &Username, other: &Username) -> Result<bool, DirectoryError> {
        let removed = self.connection.execute(
            "DELETE FROM blocks
             WHERE account = (SELECT id FROM accounts WHERE key = ?) AND key = ?",
            (owner.key(), other.key()),
        )?;
        Ok(removed > 0)
    }

    fn settings(&mut self) -> Result<Settings, DirectoryError> {
        let mut select = self.connection.prepare_cached("SELECT command FROM disabled_commands")?;
        let disabled = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Settings {
            prefix: self.setting(PREFIX)?,
            disabled,
            guests: self.setting(GUESTS)?.map(|guests| guests == ON),
            admin_password: self.setting(ADMIN_PASSWORD)?.map(PasswordHash::stored),
        })
    }

    fn set_prefix(&mut self, prefix: &str) -> Result<(), DirectoryError> {
        Ok(self.set(PREFIX, prefix)?)
    }

    fn set_disabled(&mut self, command: &str, disabled: bool) -> Result<(), DirectoryError> {
        let change = if disabled {
            "INSERT OR IGNORE INTO disabled_commands (command) VALUES (?)"
        } else {
            "DELETE FROM disabled_commands WHERE command = ?"
        };
        self.connection.execute(change, [command])?;
        Ok(())
    }

    fn set_guests(&mut self, guests: bool) -> Result<(), DirectoryError> {
        Ok(self.set(GUESTS, if guests { ON } else { OFF })?)
    }

    fn set_admin_password(
        &mut self,
        password: Option<&PasswordHash>,
    ) -> Result<(), DirectoryError> {
        match password {
            Some(password) => self.set(ADMIN_PASSWORD, password.as_str())?,
            None => {
                self.connection.execute("DELETE FROM settings WHERE name = ?", [ADMIN_PASSWORD])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
