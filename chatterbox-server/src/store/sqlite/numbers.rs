//! The numbers of messages and of what changes rooms, which nothing has twice.

use chatterbox_hub::Sequence;
use rusqlite::{Connection, OptionalExtension as _};

use crate::store::sqlite::row::{signed, unsigned};

/// Uses a number, and all below it, that no message is going to have.
pub(super) fn use_up_to(connection: &Connection, number: Sequence) -> Result<(), rusqlite::Error> {
    let execute = |sql| connection.execute(sql, [signed(number)]);
    let update = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'messages'";
    if execute(update)? == 0 {
        execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', ?)")?;
    }
    Ok(())
}

/// The greatest number that was ever used: AUTOINCREMENT remembers it when the message has gone, and so it can be told of others.
pub(super) fn newest(connection: &Connection) -> Result<Sequence, rusqlite::Error> {
    connection
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")?
        .query_row([], |row| unsigned(row, 0))
        .optional()
        .map(Option::unwrap_or_default)
}
