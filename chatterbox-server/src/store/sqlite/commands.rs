//! Commands that all nodes of a cluster carry out alike, each with its number in one transaction, so that it is done once.

use chatterbox_hub::Sequence;
use rusqlite::{Connection, OptionalExtension as _};

use crate::store::sqlite::row::{signed, unsigned};

/// The number of the last command that was carried out; 0 before the first.
pub(super) fn newest(connection: &Connection) -> Result<Sequence, rusqlite::Error> {
    connection
        .prepare_cached("SELECT number FROM commands")?
        .query_row([], |row| unsigned(row, 0))
        .optional()
        .map(Option::unwrap_or_default)
}

/// Notes that the command of this number is carried out.
pub(super) fn note(connection: &Connection, number: Sequence) -> Result<(), rusqlite::Error> {
    let upsert = "INSERT INTO commands (only, number) VALUES (0, ?1)
         ON CONFLICT (only) DO UPDATE SET number = ?1";
    connection.prepare_cached(upsert)?.execute([signed(number)]).map(drop)
}

/// Forgets that any command was carried out: what is here is changed without them from now on.
pub(super) fn forget(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM commands", []).map(drop)
}

/// Whether there is something of what nodes of a cluster store alike that no command has made: accounts, settings, acts.
pub(super) fn has_own(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let select = "SELECT NOT EXISTS (SELECT 1 FROM commands) AND (
        EXISTS (SELECT 1 FROM sqlite_sequence WHERE seq > 0
            AND name IN ('accounts', 'sanctions', 'audit', 'reports'))
        OR EXISTS (SELECT 1 FROM settings) OR EXISTS (SELECT 1 FROM disabled_commands))";
    connection.query_row(select, [], |row| row.get(0))
}

/// A store that has a connection.
pub(super) trait Connected {
    fn connection(&mut self) -> &mut Connection;
}

/// Carries the command of a number out: what the function does, and the note that it is done, are one transaction.
///
/// # Errors
/// Those of the function, and of the database; nothing was done then.
pub(super) fn carry_out<S: Connected, T, E: From<rusqlite::Error>>(
    store: &mut S,
    number: Sequence,
    function: impl FnOnce(&mut S) -> Result<T, E>,
) -> Result<T, E> {
    store.connection().execute_batch("BEGIN IMMEDIATE")?;
    let done = function(store).and_then(|done| {
        note(store.connection(), number)?;
        store.connection().execute_batch("COMMIT")?;
        Ok(done)
    });
    if done.is_err() && !store.connection().is_autocommit() {
        // The connection is as it was before; whatever is wrong with it shows again.
        let _ = store.connection().execute_batch("ROLLBACK");
    }
    done
}
