//! What has become of accounts, for a server that runs beside whoever did it.

use chatterbox_hub::{AccountChange, AccountChangeKind};
use rusqlite::{Connection, Row};

use crate::store::sqlite::row::name;

/// The changes that are kept for a server that runs beside whoever made them. It reads them within seconds.
const CHANGES: i64 = 10_000;

/// Notes a change of an account for the server that may be running. Without an epoch the account is removed.
pub(super) fn note(
    transaction: &Connection,
    writer: i64,
    id: i64,
    name: &str,
    epoch: Option<i64>,
) -> Result<(), rusqlite::Error> {
    let insert = "INSERT INTO account_changes (account, name, epoch, writer) VALUES (?, ?, ?, ?)";
    transaction.execute(insert, (id, name, epoch, writer))?;
    let newest = transaction.last_insert_rowid();
    let old = "DELETE FROM account_changes WHERE number <= ?";
    transaction.execute(old, [newest.saturating_sub(CHANGES)])?;
    Ok(())
}

/// Notes that an account has changed: all its logins of earlier epochs have ended. Where only its level has changed, the epoch is
/// the same, so that none ends, and the server reads the account again.
pub(super) fn note_change(
    transaction: &Connection,
    writer: i64,
    id: i64,
) -> Result<(), rusqlite::Error> {
    let select = "SELECT name, epoch FROM accounts WHERE id = ?";
    let (name, epoch): (String, i64) =
        transaction.query_row(select, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    note(transaction, writer, id, &name, Some(epoch))
}

fn change(row: &Row<'_>) -> Result<(i64, AccountChange), rusqlite::Error> {
    let kind = match row.get(3)? {
        None => AccountChangeKind::Removed,
        Some(epoch) => AccountChangeKind::LoginsEnded { epoch, spared: None },
    };
    Ok((row.get(0)?, AccountChange { account: row.get(1)?, name: name(row, 2)?, kind }))
}

/// The changes after one, other than those of this writer, with their numbers.
pub(super) fn after(
    connection: &Connection,
    seen: i64,
    writer: i64,
) -> Result<Vec<(i64, AccountChange)>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT number, account, name, epoch FROM account_changes
         WHERE number > ? AND writer <> ? ORDER BY number",
    )?;
    select.query_map((seen, writer), change)?.collect()
}
