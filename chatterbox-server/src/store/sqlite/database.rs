//! Opening the database: its lock, its owner and its version.

#![allow(clippy::disallowed_methods, reason = "the edge: this is where the database is opened")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::migrate::{self, APPLICATION, VERSION};
use crate::store::sqlite::options::{Durability, SqliteOptions};
pub(super) use crate::store::sqlite::place::DATABASE_FILE;
use crate::store::sqlite::place::{LOCK_FILE, Place, resolved};

/// How often a lock that somebody has is tried again, and how long in between: half a second in all.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A database of our version that no other server uses.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// Held for as long as the database is open.
    pub(super) _lock: File,
}

impl Opened {
    /// A transaction that may write from its beginning. The accounts are written by another connection: nothing that it reads may be
    /// outdated when its write follows.
    pub(super) fn writing(&mut self) -> Result<Transaction<'_>, rusqlite::Error> {
        self.connection.transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

/// Opens the database of a folder for the one server that uses it.
pub(super) fn open(options: &SqliteOptions) -> Result<Opened, OpenError> {
    make_folder(&options.folder)?;
    let path = resolved(&options.folder.join(DATABASE_FILE));
    let lock = lock_soon(&path.with_file_name(LOCK_FILE))?;
    let connection = open_locked(&path, options.durability)?;
    Ok(Opened { connection, path, _lock: lock })
}

fn make_folder(folder: &Path) -> Result<(), OpenError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))
}

/// Opens the database, created or migrated if needed. The caller holds the lock.
fn open_locked(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    // Created here, so that no other user can read it; SQLite gives its other files the same permissions.
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(at(path))?;
    // Under another name it would have another write-ahead log, and two servers would damage it.
    if file.metadata().map_err(at(path))?.nlink() > 1 {
        return Err(OpenError::HardLink(path.to_owned()));
    }
    drop(file);
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version = version(&connection, path)?;
    prepare(&mut connection, version, durability)
        .map_err(|error| OpenError::database(path, error))?;
    commit_in_place_only(&mut connection, path)?;
    Ok(connection)
}

/// Makes commits fail when they would go to files that are not at their path any more.
fn commit_in_place_only(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let place = Place::of(path).map_err(at(path))?;
    // `true` turns the commit into a rollback.
    connection
        .commit_hook(Some(move || place.check().is_err()))
        .map_err(|error| OpenError::database(path, error))
}

/// Opens the database of a folder to read and write, beside the server that may be using it.
///
/// If there is no server, the database is created or migrated first. The lock is not kept, so that a server may start.
///
/// # Errors
/// [`OpenError`].
pub(crate) fn open_shared(folder: &Path) -> Result<(Connection, PathBuf), OpenError> {
    make_folder(folder)?;
    let path = resolved(&folder.join(DATABASE_FILE));
    match lock(&path.with_file_name(LOCK_FILE)) {
        Ok(_lock) => Ok((open_locked(&path, Durability::Process)?, path)),
        Err(OpenError::InUse(_)) => {
            let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            commit_in_place_only(&mut connection, &path)?;
            match version(&connection, &path)? {
                // The server that uses it is an older one, and does not know the tables of our version.
                found if found < VERSION => Err(OpenError::InUse(path)),
                _ => Ok((connection, path)),
            }
        }
        Err(error) => Err(error),
    }
}

/// Opens the database of a folder, which has this version, beside the server that may be using it.
pub(super) fn open_to_read(folder: &Path) -> Result<(Connection, usize), OpenError> {
    let path = folder.join(DATABASE_FILE);
    fs::metadata(&path).map_err(at(&path))?;
    // Reading a database in WAL mode needs write access to its index; nothing else is written.
    let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match version(&connection, &path)? {
        0 => Err(OpenError::Foreign(path)),
        version => Ok((connection, version)),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    |source| OpenError::File { path, source }
}

/// Takes the lock, and tries it again for a moment: a process that was forked from one that had it, has it too until it runs its own
/// program, and a server that is stopped ends a little later than it seems.
fn lock_soon(path: &Path) -> Result<File, OpenError> {
    for _ in 0..LOCK_TRIES {
        match lock(path) {
            Err(OpenError::InUse(_)) => thread::sleep(LOCK_PAUSE),
            taken => return taken,
        }
    }
    lock(path)
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
    if found > VERSION {
        return Err(OpenError::TooNew { path: path.to_owned(), found, known: VERSION });
    }
    Ok(found)
}

fn prepare(
    connection: &mut Connection,
    version: usize,
    durability: Durability,
) -> Result<(), rusqlite::Error> {
    if version == 0 {
        // Freed pages can go back to the file system; this can be set in an empty database only.
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
    connection.pragma_update(None, "foreign_keys", true)?;
    migrate::migrate(connection, version)
}
