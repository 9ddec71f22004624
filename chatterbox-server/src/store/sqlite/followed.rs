//! Which cluster a database belongs to, and how far it has followed the order of that.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};

use crate::store::followed::Followed;
use crate::store::sqlite::database::open_to_read;
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::migrate;
use crate::store::sqlite::place::{DATABASE_FILE, resolved};
use crate::store::sqlite::row::{signed, unsigned};

/// The name of the cluster, and the place; nothing where the node is alone.
pub(super) fn of(connection: &Connection) -> Result<Option<(String, Followed)>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT name, place, read FROM cluster")?
        .query_row([], |row| {
            // A checksum has all 64 bits.
            let read: i64 = row.get(2)?;
            let followed = Followed { place: unsigned(row, 1)?, read: read.cast_unsigned() };
            Ok((row.get(0)?, followed))
        })
        .optional()
}

/// Marks a database as one of this cluster, which has followed nothing of its order.
pub(super) fn enter(transaction: &Transaction<'_>, name: &str) -> Result<(), rusqlite::Error> {
    let sql = "INSERT INTO cluster (only, name, place, read) VALUES (0, ?, 0, 0)";
    transaction.execute(sql, [name]).map(drop)
}

/// Notes how far it has followed.
pub(super) fn note(transaction: &Transaction<'_>, to: Followed) -> Result<(), rusqlite::Error> {
    let parameters = named_params! {":place": signed(to.place), ":read": to.read.cast_signed()};
    transaction
        .prepare_cached("UPDATE cluster SET place = :place, read = :read")?
        .execute(parameters)
        .map(drop)
}

/// Makes a database one of no cluster.
pub(super) fn leave(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    transaction.execute("DELETE FROM cluster", []).map(drop)
}

/// The name of the cluster that the database of a folder belongs to, if it belongs to one. There may be a server that uses it.
///
/// # Errors
/// [`OpenError`].
pub fn cluster_of(folder: &Path) -> Result<Option<String>, OpenError> {
    let path = resolved(&folder.join(DATABASE_FILE));
    let (connection, version) = open_to_read(folder)?;
    if version < migrate::CLUSTERS {
        return Ok(None);
    }
    let found = of(&connection).map_err(|error| OpenError::database(&path, error))?;
    Ok(found.map(|(name, _)| name))
}
