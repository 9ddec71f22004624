//! All that nodes of a cluster store alike, as one value: for a node that begins with it instead of all commands from the start.
//!
//! A dump is the rows of the tables below, by the names of their columns, and what SQLite remembers of numbers that were used. So a
//! newer version can begin with the dump of an older one; and an older one with that of a newer one, while tables that it does not
//! know are empty, since those are not named. Who was here when is what each node has seen itself; it is in the dump, so
//! that a new node knows it, too.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, TransactionBehavior, params_from_iter};
use serde::{Deserialize, Serialize};

use crate::store::sqlite::commands;
use crate::store::sqlite::writing::Writing;

/// The tables, those first that others refer to.
pub(super) const TABLES: &[&str] = &[
    "accounts",
    "account_looks",
    "tokens",
    "blocks",
    "marks",
    "files",
    "e2ee_identities",
    "e2ee_devices",
    "e2ee_keys",
    "settings",
    "disabled_commands",
    "guests_seen",
    "sanctions",
    "audit",
    "reports",
];

/// The format of dumps that this program writes and reads.
const FORMAT: u8 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Dump {
    format: u8,
    /// The number of the last command that was carried out.
    number: u64,
    tables: Vec<Table>,
    /// The greatest number that each table has used.
    used: Vec<(String, i64)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    name: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl TryFrom<ValueRef<'_>> for Cell {
    type Error = rusqlite::Error;

    fn try_from(value: ValueRef<'_>) -> Result<Self, rusqlite::Error> {
        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Text(_) => Self::Text(value.as_str()?.to_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_owned()),
            ValueRef::Real(_) => return Err(damaged("a table has a number that is none of ours")),
        })
    }
}

impl From<Cell> for Value {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(number) => Self::Integer(number),
            Cell::Text(text) => Self::Text(text),
            Cell::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

fn damaged(what: &str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(what.into())
}

/// Writes all of it, as it is at one moment.
pub(super) fn dump(connection: &mut Connection) -> Result<Vec<u8>, rusqlite::Error> {
    of(&*connection.transaction_with_behavior(TransactionBehavior::Deferred)?)
}

/// The same within a transaction.
pub(super) fn of(moment: &Connection) -> Result<Vec<u8>, rusqlite::Error> {
    let mut tables = TABLES
        .iter()
        .map(|name| table(moment, name))
        .collect::<Result<Vec<_>, rusqlite::Error>>()?;
    tables.retain(|table| !table.rows.is_empty());
    let mut select = moment.prepare("SELECT name, seq FROM sqlite_sequence ORDER BY name")?;
    let used = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let used: Vec<(String, i64)> = used.collect::<Result<_, _>>()?;
    let used = used.into_iter().filter(|(name, _)| TABLES.contains(&name.as_str())).collect();
    let dump = Dump { format: FORMAT, number: commands::newest(moment)?, tables, used };
    postcard::to_allocvec(&dump).map_err(|error| damaged(&error.to_string()))
}

fn table(connection: &Connection, name: &str) -> Result<Table, rusqlite::Error> {
    let mut select = connection.prepare(&format!("SELECT * FROM {name}"))?;
    let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
    let mut rows = Vec::new();
    let mut found = select.query([])?;
    while let Some(row) = found.next()? {
        let cells = (0..columns.len()).map(|column| row.get_ref(column)?.try_into());
        rows.push(cells.collect::<Result<_, rusqlite::Error>>()?);
    }
    Ok(Table { name: name.to_owned(), columns, rows })
}

/// Takes a dump in place of all that is here; nothing at all is the dump of a node that has not begun.
pub(super) fn restore(connection: &mut Connection, state: &[u8]) -> Result<(), rusqlite::Error> {
    let dump = match state {
        [] => Dump { format: FORMAT, number: 0, tables: Vec::new(), used: Vec::new() },
        state => match postcard::take_from_bytes(state) {
            Ok((dump, [])) => dump,
            _ => return Err(damaged("what nodes store alike can't be read")),
        },
    };
    if dump.format != FORMAT {
        return Err(damaged("what nodes store alike is of another version of this program"));
    }
    let writing = Writing::begin(connection)?;
    for name in TABLES.iter().rev() {
        writing.execute(&format!("DELETE FROM {name}"), [])?;
        writing.execute("DELETE FROM sqlite_sequence WHERE name = ?", [name])?;
    }
    // What is told of accounts is for those who are here.
    writing.execute("DELETE FROM account_changes", [])?;
    for Table { name, columns, rows } in dump.tables {
        let Some(name) = TABLES.iter().find(|known| **known == name) else {
            return Err(damaged("what nodes store alike has a table that is not known here"));
        };
        insert(&writing, name, &columns, rows)?;
    }
    for (name, number) in dump.used {
        writing.execute("DELETE FROM sqlite_sequence WHERE name = ?", [&name])?;
        let insert = "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)";
        writing.execute(insert, (&name, number))?;
    }
    commands::note(&writing, dump.number)?;
    writing.commit()
}

fn insert(
    connection: &Connection,
    table: &str,
    columns: &[String],
    rows: Vec<Vec<Cell>>,
) -> Result<(), rusqlite::Error> {
    // They become part of a statement.
    let known = connection.prepare(&format!("SELECT * FROM {table}"))?;
    let known: Vec<_> = known.column_names().collect();
    if columns.iter().any(|column| !known.contains(&column.as_str())) {
        return Err(damaged("what nodes store alike has a column that is not known here"));
    }
    let places = vec!["?"; columns.len()].join(", ");
    let statement = format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", "));
    let mut insert = connection.prepare(&statement)?;
    for row in rows {
        insert.execute(params_from_iter(row.into_iter().map(Value::from)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate;

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::migrate(&mut connection, 0).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection
    }

    fn named(dump: &[u8]) -> Vec<String> {
        let dump: Dump = postcard::from_bytes(dump).unwrap();
        dump.tables.into_iter().map(|table| table.name).collect()
    }

    #[test]
    fn a_table_without_rows_is_not_named_and_is_empty_wherever_it_is_taken() {
        let (mut one, mut other) = (database(), database());
        let mark = "INSERT INTO marks VALUES (1, '', 5)";
        one.execute("INSERT INTO settings VALUES ('prefix', '!')", []).unwrap();
        other.execute(mark, []).unwrap();
        let before = dump(&mut one).unwrap();
        assert_eq!(named(&before), ["settings"], "all of these are known to older versions");
        restore(&mut other, &before).unwrap();
        assert_eq!(dump(&mut other).unwrap(), before);
        one.execute(mark, []).unwrap();
        let after = dump(&mut one).unwrap();
        assert_eq!(named(&after), ["marks", "settings"]);
        restore(&mut other, &after).unwrap();
        assert_eq!(dump(&mut other).unwrap(), after);
    }
}
