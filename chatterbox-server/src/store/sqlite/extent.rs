//! How much is stored, for whoever runs the server.

#![allow(clippy::disallowed_methods, reason = "the edge: looks at files")]

use std::fs;
use std::path::Path;

use crate::store::sqlite::database::open_to_read;
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::place::{DATABASE_FILE, resolved};

/// How much there is in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The messages, of rooms and private ones too.
    pub messages: u64,
    /// The bytes on the disk, those of the write-ahead log included.
    pub bytes: u64,
}

/// Counts what is in the database of a folder, beside the server that uses it.
///
/// # Errors
/// [`OpenError`].
pub fn extent(folder: &Path) -> Result<Extent, OpenError> {
    let path = resolved(&folder.join(DATABASE_FILE));
    let (connection, _) = open_to_read(folder)?;
    let count = connection.query_row("SELECT count(*) FROM messages", [], |row| row.get(0));
    let messages: i64 = count.map_err(|error| OpenError::database(&path, error))?;
    let mut log = path.clone().into_os_string();
    log.push("-wal");
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let bytes = size(&path) + size(Path::new(&log));
    Ok(Extent { messages: messages.unsigned_abs(), bytes })
}
