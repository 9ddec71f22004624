//! Copies of a database that may be in use, as a database or as JSON lines.

#![allow(
    clippy::disallowed_methods,
    reason = "the edge: writes the files of whoever runs the server"
)]

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::store::sqlite::database;
use crate::store::sqlite::error::OpenError;

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
    #[error("{path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The database failed half way.
    #[error("{0}")]
    Database(#[from] rusqlite::Error),
    /// The reader of the copy has gone, or its disk is full.
    #[error("{0}")]
    Output(#[from] io::Error),
}

/// Copies the database of a folder into a new file, as of one moment, while a server may be writing to it.
///
/// Restoring is putting that file in place of the database while no server runs.
///
/// # Errors
/// [`CopyError`]; an existing file is never overwritten, and half a copy is removed.
pub fn backup(folder: &Path, file: &Path) -> Result<(), CopyError> {
    let (connection, _) = database::open_to_read(folder)?;
    let exists = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(file.to_owned()),
        _ => CopyError::Write { path: file.to_owned(), source: error },
    };
    // It holds private conversations, so only its owner may read it. SQLite accepts an empty file as new.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(exists)?;
    let copied = match file.to_str() {
        Some(name) => {
            connection.execute("VACUUM INTO ?", [name]).map(drop).map_err(CopyError::from)
        }
        None => Err(CopyError::Write {
            path: file.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidInput, "the name is not UTF-8"),
        }),
    };
    if copied.is_err() {
        let _ = fs::remove_file(file);
    }
    copied
}

/// Writes every message as one line of JSON, oldest first: `{"sequence": 7, "arrived": 1700000000, "message": [...]}`.
///
/// Returns their number.
///
/// # Errors
/// [`CopyError`].
pub fn export(folder: &Path, out: &mut impl Write) -> Result<u64, CopyError> {
    let (connection, _) = database::open_to_read(folder)?;
    let mut select =
        connection.prepare("SELECT sequence, arrived, json FROM messages ORDER BY sequence")?;
    let mut rows = select.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (sequence, arrived): (i64, i64) = (row.get(0)?, row.get(1)?);
        // The tuple is stored as one line of ASCII JSON.
        let json = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        writeln!(out, r#"{{"sequence": {sequence}, "arrived": {arrived}, "message": {json}}}"#)?;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}
