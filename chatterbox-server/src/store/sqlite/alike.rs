//! One number for all that nodes of a cluster store alike, so that they can compare it.
//!
//! It is a sum over rows, so that nothing has to be sorted, and does not depend on where SQLite keeps them. What a node has seen
//! itself, such as who was here when, is not in it.

use chatterbox_hub::Sequence;
use ring::digest::{Context, SHA256};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::store::sqlite::commands;

/// The tables, and their columns that are the same on all nodes. Nodes of two versions compare the result: whoever adds a column or a
/// table to this list raises the format level of the order, because digests are compared within one level only.
const TABLES: &[(&str, &[&str])] = &[
    ("accounts", &["id", "name", "key", "password", "level", "created", "epoch", "hides_seen"]),
    ("account_looks", &["look", "account"]),
    ("tokens", &["number", "hash", "account", "expires"]),
    ("blocks", &["account", "key", "name"]),
    ("marks", &["account", "conversation", "upto"]),
    (
        "files",
        &[
            "token",
            "account",
            "scope",
            "name",
            "size",
            "sha256",
            "begun",
            "until",
            "there",
            "claim",
            "claimed",
            "message",
            "source",
            "recipient",
        ],
    ),
    ("e2ee_identities", &["account", "identity"]),
    (
        "e2ee_devices",
        &[
            "number",
            "account",
            "device",
            "curve25519",
            "ed25519",
            "signature",
            "fallback_name",
            "fallback",
            "fallback_signature",
            "newest_key",
            "done",
        ],
    ),
    ("e2ee_keys", &["number", "device", "name", "public_key", "signature"]),
    ("settings", &["name", "value"]),
    ("disabled_commands", &["command"]),
    (
        "sanctions",
        &[
            "id",
            "kind",
            "subject",
            "account",
            "name",
            "network",
            "guests_only",
            "about",
            "room",
            "author",
            "reason",
            "since",
            "until",
        ],
    ),
    (
        "audit",
        &[
            "id",
            "at",
            "author",
            "author_key",
            "author_account",
            "act",
            "about",
            "about_key",
            "is_address",
            "room",
            "room_name",
            "room_key",
            "detail",
            "reason",
            "until",
        ],
    ),
    (
        "reports",
        &[
            "number",
            "at",
            "reporter",
            "reporter_account",
            "subject",
            "message",
            "text",
            "room",
            "room_name",
            "reason",
            "closed_at",
            "closed_by",
        ],
    ),
];

/// The digest, and the number of the last command that was carried out by then, within a transaction.
pub(super) fn of(moment: &Connection) -> Result<(Sequence, u64), rusqlite::Error> {
    let number = commands::newest(moment)?;
    let mut all = Context::new(&SHA256);
    all.update(&number.to_le_bytes());
    for (name, columns) in TABLES {
        let (rows, sum) = table(moment, name, columns)?;
        let used: i64 = moment.query_row(
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?",
            [name],
            |row| row.get(0),
        )?;
        all.update(&rows.to_le_bytes());
        all.update(&sum.to_le_bytes());
        all.update(&used.to_le_bytes());
    }
    Ok((number, first(all)))
}

/// How many rows a table has, and the sum of their hashes.
fn table(
    connection: &Connection,
    name: &str,
    columns: &[&str],
) -> Result<(u64, u64), rusqlite::Error> {
    let mut select = connection.prepare(&format!("SELECT {} FROM {name}", columns.join(", ")))?;
    let mut found = select.query([])?;
    let (mut rows, mut sum) = (0_u64, 0_u64);
    while let Some(row) = found.next()? {
        let mut hash = Context::new(&SHA256);
        for column in 0..columns.len() {
            add(&mut hash, row.get_ref(column)?);
        }
        (rows, sum) = (rows + 1, sum.wrapping_add(first(hash)));
    }
    Ok((rows, sum))
}

/// Adds a cell: its type, and its value with its length, so that no two rows are written alike.
fn add(hash: &mut Context, cell: ValueRef<'_>) {
    let mut bytes = |kind: u8, bytes: &[u8]| {
        hash.update(&[kind]);
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    match cell {
        ValueRef::Null => bytes(0, &[]),
        ValueRef::Integer(number) => bytes(1, &number.to_le_bytes()),
        ValueRef::Real(number) => bytes(2, &number.to_bits().to_le_bytes()),
        ValueRef::Text(text) => bytes(3, text),
        ValueRef::Blob(blob) => bytes(4, blob),
    }
}

fn first(hash: Context) -> u64 {
    hash.finish().as_ref().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::dump;
    use crate::store::sqlite::migrate;

    /// What each node has seen itself.
    const OWN: &[(&str, &str)] = &[
        ("accounts", "seen"),
        ("guests_seen", "key"),
        ("guests_seen", "name"),
        ("guests_seen", "seen"),
    ];

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::migrate(&mut connection, 0).unwrap();
        // A row of each, with something in each column.
        for name in dump::TABLES {
            let columns = columns(&connection, name);
            let value = |(column, kind): &(String, String)| match (column.as_str(), kind.as_str()) {
                ("kind", _) => "'ban'".to_owned(),
                ("subject", _) => "'name'".to_owned(),
                (_, "INTEGER") => "1".to_owned(),
                (_, "BLOB") => "x'07'".to_owned(),
                _ => "'x'".to_owned(),
            };
            let values: Vec<_> = columns.iter().map(value).collect();
            let insert = format!("INSERT INTO {name} VALUES ({})", values.join(", "));
            connection.execute(&insert, []).unwrap();
        }
        connection
    }

    fn columns(connection: &Connection, table: &str) -> Vec<(String, String)> {
        let mut select = connection.prepare("SELECT name, type FROM pragma_table_info(?)").unwrap();
        let found = select.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        found.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn everything_that_a_dump_has_is_in_it_but_what_a_node_has_seen_itself() {
        let connection = database();
        for name in dump::TABLES {
            for (column, _) in columns(&connection, name) {
                let is_own = OWN.contains(&(name, &column));
                let is_listed = TABLES
                    .iter()
                    .any(|(table, all)| table == name && all.contains(&column.as_str()));
                assert!(is_own != is_listed, "{name}.{column}");
            }
        }
    }

    #[test]
    fn whatever_is_another_is_noticed() {
        let connection = database();
        connection.pragma_update(None, "ignore_check_constraints", true).unwrap();
        let before = of(&connection).unwrap();
        assert_eq!(of(&connection).unwrap(), before);
        let mut changes = Vec::new();
        for name in dump::TABLES {
            for (column, kind) in columns(&connection, name) {
                let other = match kind.as_str() {
                    "INTEGER" => "2",
                    "BLOB" => "x'08'",
                    _ => "'y'",
                };
                let differs = !OWN.contains(&(name, &column));
                changes.push((format!("UPDATE {name} SET {column} = {other}"), differs));
            }
            let differs = *name != "guests_seen";
            changes.push((format!("DELETE FROM {name}"), differs));
        }
        changes.push(("UPDATE sqlite_sequence SET seq = 9 WHERE name = 'audit'".into(), true));
        changes.push(("INSERT INTO commands VALUES (0, 5)".into(), true));
        for (change, differs) in changes {
            connection.execute_batch("PRAGMA foreign_keys = off; SAVEPOINT before").unwrap();
            connection.execute(&change, []).unwrap();
            assert_eq!(of(&connection).unwrap() != before, differs, "{change}");
            connection.execute_batch("ROLLBACK TO before; RELEASE before").unwrap();
        }
    }

    #[test]
    fn the_order_of_rows_is_no_difference() {
        let mut digests = Vec::new();
        for names in [["a", "b"], ["b", "a"]] {
            let connection = database();
            for name in names {
                connection.execute("INSERT INTO settings VALUES (?, 'v')", [name]).unwrap();
            }
            digests.push(of(&connection).unwrap());
        }
        assert_eq!(digests[0], digests[1]);
    }
}
