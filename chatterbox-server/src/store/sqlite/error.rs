//! The reasons why a database can't be used.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// The reason why a database can't be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder or a file in it can't be used.
    #[error("{path}: {}", plain(source))]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Another server uses it.
    #[error("{0} is in use by another server")]
    InUse(PathBuf),
    /// It was written by a newer version of this program.
    #[error("{path} has version {found}, this program knows {known} and older ones")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// It is a database of another program, or none at all.
    #[error("{0} is not a database of this program")]
    Foreign(PathBuf),
    /// It has a second name, under which another server might use it.
    #[error(
        "{0} is a hard link: it has another name elsewhere, and using it under both would damage it"
    )]
    HardLink(PathBuf),
    /// It is damaged.
    #[error("{path} is damaged")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// There is no room.
    #[error("{0}: the disk is full")]
    Full(PathBuf),
    /// The disk does not do what it is asked for.
    #[error(
        "{0}: the disk takes no more, or fails: a limit on the size of files (ulimit -f), or a fault"
    )]
    Disk(PathBuf),
    /// It may not be opened or written.
    #[error("{0} can't be opened and written: it, or its folder, is not ours")]
    Forbidden(PathBuf),
    /// SQLite refuses it.
    #[error("{path} can't be used as a database")]
    Database {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// What is in it was made by a server that was alone, and nodes of a cluster have to have the same.
    #[error("the accounts, settings or acts in {0} were made by a server that was alone")]
    MadeAlone(PathBuf),
    /// It belongs to a cluster, and is to be used alone.
    #[error("{path} is the database of a node of cluster {cluster}: it does not start alone")]
    OfCluster {
        /// The file.
        path: PathBuf,
        /// The name of the cluster.
        cluster: String,
    },
    /// What nodes of a cluster store alike can't be read.
    #[error("{path} can't be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// No thread could be started.
    #[error("can't start a thread: {}", plain(source))]
    Thread {
        /// The error of the system.
        source: io::Error,
    },
}

impl OpenError {
    /// The error for one of SQLite's.
    pub(crate) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign(path),
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, source },
            Some(ErrorCode::DiskFull) => Self::Full(path),
            // On a full disk SQLite may say this as well.
            Some(ErrorCode::SystemIoFailure) if is_full(&path) => Self::Full(path),
            Some(ErrorCode::SystemIoFailure) => Self::Disk(path),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Forbidden(path)
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse(path),
            _ => Self::Database { path, source },
        }
    }
}

/// The sentence of the system, without its number.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Whether there is no room left where a file is or would be.
fn is_full(path: &Path) -> bool {
    /// Less than SQLite needs at once.
    const LITTLE: u64 = 64 * 1024;
    let found = path.parent().and_then(|folder| rustix::fs::statvfs(folder).ok());
    found.is_some_and(|found| found.f_bavail.saturating_mul(found.f_frsize) < LITTLE)
}
