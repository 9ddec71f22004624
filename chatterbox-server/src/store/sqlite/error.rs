//! The reasons why a database can't be used.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// The reason why a database can't be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder or a file in it can't be used.
    #[error("{path}: {source}")]
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
    /// It is damaged.
    #[error("{path} is damaged: {source}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// SQLite refuses it.
    #[error("{path}: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// No thread could be started.
    #[error("can't start a thread: {source}")]
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
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse(path),
            _ => Self::Database { path, source },
        }
    }
}
