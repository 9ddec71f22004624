//! Copies of a database that may be in use.

#![allow(
    clippy::disallowed_methods,
    reason = "the edge: writes the files of whoever runs the server"
)]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::store::sqlite::database;
use crate::store::sqlite::error::{OpenError, plain};

/// The reason why there is no copy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The database can't be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file is there already.
    #[error("{0} exists already and is left alone")]
    Exists(PathBuf),
    /// It can't be written.
    #[error("{path}: {}", plain(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// There is no room for it.
    #[error("{0}: the disk is full; no half copy is left")]
    Full(PathBuf),
    /// The disk does not take it.
    #[error(
        "{0}: the disk takes no more, or fails: a limit on the size of files (ulimit -f), or a fault; no half copy is left"
    )]
    Disk(PathBuf),
    /// The database failed half way.
    #[error("the database can't be read to its end")]
    Database(#[from] rusqlite::Error),
    /// The reader of the copy has gone, or its disk is full.
    #[error("{0}")]
    Output(#[from] io::Error),
}

/// Copies the database of a folder into a new file, as of one moment, while a server may be writing to it.
///
/// It is written beside, as `FILE.part`, and gets its name when it is whole and on the disk: a file of that name is a
/// backup, whatever ends this program. Restoring is putting that file in place of the database while no server runs.
///
/// # Errors
/// [`CopyError`]; an existing file is never overwritten, and half a copy is removed.
pub fn backup(folder: &Path, file: &Path) -> Result<(), CopyError> {
    let (connection, _) = database::open_to_read(folder)?;
    let write = |source| CopyError::Write { path: file.to_owned(), source };
    if fs::symlink_metadata(file).is_ok() {
        return Err(CopyError::Exists(file.to_owned()));
    }
    let place = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // One backup at a time in a folder: what is found under our name there is then left over from one that was killed.
    let place = File::open(place).map_err(write)?;
    // Some file systems of networks have no locks; two backups to one name at once are an oddity anyway.
    let _ = place.lock();
    let part = with_end(file, ".part");
    let leftovers = Leftovers([with_end(&part, "-journal"), part.clone()]);
    leftovers.remove();
    // It holds private conversations, so only its owner may read it. SQLite accepts an empty file as new.
    let whole = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)
        .map_err(write)?;
    let Some(name) = part.to_str() else {
        return Err(write(io::Error::new(io::ErrorKind::InvalidInput, "the name is not UTF-8")));
    };
    connection.execute("VACUUM INTO ?", [name]).map_err(|error| copying(file, error))?;
    whole.sync_all().map_err(write)?;
    publish(&part, file)?;
    // Not every file system can do this for a folder; the copy itself is on the disk.
    let _ = place.sync_all();
    Ok(())
}

/// Gives a whole copy its name, unless something has got that name meanwhile.
fn publish(part: &Path, file: &Path) -> Result<(), CopyError> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let renamed = match renameat_with(CWD, part, CWD, file, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::EXIST) => return Err(CopyError::Exists(file.to_owned())),
        // A file system that knows plain renames only: what has got the name within this moment is replaced.
        Err(_) => fs::rename(part, file),
        Ok(()) => Ok(()),
    };
    renamed.map_err(|source| CopyError::Write { path: file.to_owned(), source })
}

/// The files of a copy that is not whole, removed at the end whatever happens.
struct Leftovers([PathBuf; 2]);

impl Leftovers {
    fn remove(&self) {
        for path in &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        self.remove();
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// What is said when SQLite can't go on with a copy.
fn copying(file: &Path, error: rusqlite::Error) -> CopyError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => CopyError::Full(file.to_owned()),
        Some(ErrorCode::SystemIoFailure) => CopyError::Disk(file.to_owned()),
        _ => CopyError::Database(error),
    }
}
