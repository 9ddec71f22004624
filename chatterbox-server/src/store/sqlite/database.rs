//! Opening the database: whose it is, which version it has, and how it gets to ours.

#![allow(clippy::disallowed_methods, reason = "the edge: this is where the database is opened")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::sqlite::backlog::{Durability, SqliteOptions};
use crate::store::sqlite::pages::sort_into_conversations;

/// The database in its folder.
pub const DATABASE_FILE: &str = "chatterbox.db";
const LOCK_FILE: &str = "chatterbox.lock";

/// Marks a database as ours ("chbx").
const APPLICATION: i32 = 0x6368_6278;

/// Each brings the database from the version of its place to the next. Never change one that was released.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE messages (
        -- Rising, never used twice, so AUTOINCREMENT.
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        -- When it arrived, in seconds since 1970 UTC.
        arrived INTEGER NOT NULL,
        -- NULL is everybody.
        recipient TEXT,
        -- The 4-tuple as ASCII JSON.
        json TEXT NOT NULL
    ) STRICT;
",
    "
    -- Names that belong to somebody.
    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        -- As it was registered.
        name TEXT NOT NULL,
        -- What names that are the same have in common (NM-4).
        key TEXT NOT NULL UNIQUE,
        -- argon2id, in the PHC text form.
        password TEXT NOT NULL,
        level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
        -- In seconds since 1970 UTC, like all times here.
        created INTEGER NOT NULL
    ) STRICT;
    -- What names that look the same have in common (UTS 39).
    CREATE TABLE account_looks (
        look TEXT NOT NULL,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        PRIMARY KEY (look, account)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX account_looks_of ON account_looks (account);
    CREATE TABLE tokens (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        -- SHA-256.
        hash BLOB NOT NULL UNIQUE,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        expires INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX tokens_of ON tokens (account);
    -- Whom the owner of an account does not want to hear.
    CREATE TABLE blocks (
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (account, key)
    ) STRICT, WITHOUT ROWID;
    -- What admins have set while the server ran.
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE disabled_commands (command TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
",
    "
    -- What the private messages between two users have in common, in both directions; NULL for public ones.
    ALTER TABLE messages ADD COLUMN conversation TEXT;
    CREATE INDEX messages_of ON messages (conversation, sequence) WHERE conversation IS NOT NULL;
    CREATE INDEX messages_public ON messages (sequence) WHERE recipient IS NULL;
",
    "
    -- Who blocks somebody.
    CREATE INDEX blocks_of ON blocks (key);
",
    "
    -- Rises with whatever ends all logins of an account; a session that goes on has to be of the same one.
    ALTER TABLE accounts ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
",
];

/// The migration that is followed by [`sort_into_conversations`].
const CONVERSATIONS: usize = 2;

/// Why a database can't be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder or a file in it can't be used.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server uses it.
    #[error("{0} is in use by another server")]
    InUse(PathBuf),
    /// It was written by a newer version of this program.
    #[error("{path} has version {found}, this program knows {known} and older ones")]
    TooNew {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// It is a database of another program, or none at all.
    #[error("{0} is not a database of this program")]
    Foreign(PathBuf),
    /// It is damaged.
    #[error("{path} is damaged: {source}")]
    Corrupt {
        /// Which.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// SQLite says no.
    #[error("{path}: {source}")]
    Database {
        /// Which.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// No thread could be started.
    #[error("can't start a thread: {source}")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// Sorts what SQLite says.
    pub(crate) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign(path),
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, source },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse(path),
            _ => Self::Database { path, source },
        }
    }
}

/// A database that only we use, of our version.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// Held for as long as the database is open.
    pub(super) _lock: File,
}

/// Opens the database of a folder for the one server that uses it.
pub(super) fn open(options: &SqliteOptions) -> Result<Opened, OpenError> {
    make_folder(&options.folder)?;
    let lock = lock(&options.folder.join(LOCK_FILE))?;
    let path = options.folder.join(DATABASE_FILE);
    let connection = open_locked(&path, options.durability)?;
    Ok(Opened { connection, path, _lock: lock })
}

fn make_folder(folder: &Path) -> Result<(), OpenError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))
}

/// Opens the database, made or migrated when needed, for whoever holds the lock.
fn open_locked(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    // Made here, so that it is nobody else's to read; SQLite gives its other files the same rights.
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(at(path))?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version = version(&connection, path)?;
    prepare(&mut connection, version, durability)
        .map_err(|error| OpenError::database(path, error))?;
    Ok(connection)
}

/// Opens the database of a folder to read and write, beside the server that may be using it.
///
/// Where none is, the database is made or brought to our version first. The lock is not kept: a server may start beside us.
///
/// # Errors
/// [`OpenError`].
pub(crate) fn open_shared(folder: &Path) -> Result<(Connection, PathBuf), OpenError> {
    make_folder(folder)?;
    let path = folder.join(DATABASE_FILE);
    match lock(&folder.join(LOCK_FILE)) {
        Ok(_lock) => Ok((open_locked(&path, Durability::Process)?, path)),
        Err(OpenError::InUse(_)) => {
            let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            match version(&connection, &path)? {
                // The server that uses it is older than we are, and would not understand what we make of it.
                found if found < MIGRATIONS.len() => Err(OpenError::InUse(path)),
                _ => Ok((connection, path)),
            }
        }
        Err(error) => Err(error),
    }
}

/// Opens the database of a folder beside the server that may be using it.
pub(super) fn open_to_read(folder: &Path) -> Result<(Connection, PathBuf), OpenError> {
    let path = folder.join(DATABASE_FILE);
    fs::metadata(&path).map_err(at(&path))?;
    // Reading a database in WAL mode needs the right to write its index; nothing else is written.
    let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match version(&connection, &path)? {
        0 => Err(OpenError::Foreign(path)),
        _ => Ok((connection, path)),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    |source| OpenError::File { path, source }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.with_file_name(DATABASE_FILE))),
        Err(TryLockError::Error(error)) => Err(at(path)(error)),
    }
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| OpenError::database(path, error))?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(|error| OpenError::database(path, error))?;
    Ok(connection)
}

/// The version of a database of ours; 0 is an empty one.
fn version(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map_err(|error| OpenError::database(path, error))
    };
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| OpenError::database(path, error))?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    let foreign = || OpenError::Foreign(path.to_owned());
    let found = usize::try_from(version).map_err(|_| foreign())?;
    if application != APPLICATION || found == 0 {
        return Err(foreign());
    }
    let known = MIGRATIONS.len();
    if found > known {
        return Err(OpenError::TooNew { path: path.to_owned(), found, known });
    }
    Ok(found)
}

fn prepare(
    connection: &mut Connection,
    version: usize,
    durability: Durability,
) -> Result<(), rusqlite::Error> {
    if version == 0 {
        // Only an empty database can still choose it: room that is freed goes back to the disk.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    for (place, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        let step = connection.transaction()?;
        step.execute_batch(migration)?;
        if place == CONVERSATIONS {
            sort_into_conversations(&step)?;
        }
        step.pragma_update(None, "application_id", APPLICATION)?;
        step.pragma_update(None, "user_version", i64::try_from(place + 1).unwrap_or(i64::MAX))?;
        step.commit()?;
    }
    Ok(())
}
