//! Pages of one conversation, found by indexes, however many other messages lie between (ID-6).

use std::cmp::Reverse;

use chatterbox_hub::{Conversation, RoomNumber, Sequence};
use chatterbox_proto::capability::ids::Side;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};

use crate::store::page::{Page, PageQuery};
use crate::store::sqlite::row::{COLUMNS, Records, signed, unsigned};
use crate::store::sqlite::stored::Stored;

/// Where the messages of a page are.
struct Place {
    /// The condition that its index is for, with `?1`.
    of: &'static str,
    /// What `?1` is: for private messages several, as the same users may have messages under their names and under their accounts.
    keys: Vec<Value>,
    /// Only what has a greater number.
    above: Sequence,
}

pub(super) fn page(
    connection: &Connection,
    stored: &Stored,
    query: &PageQuery,
) -> Result<Page, rusqlite::Error> {
    let (bound, order, id) = match query.side {
        Side::Before(id) => ("sequence < ?2", "DESC", id),
        Side::Newest => ("sequence <= ?2", "DESC", Sequence::MAX),
        Side::After(id) => ("sequence > ?2", "ASC", id),
    };
    let Some(Place { of, keys, above }) = place(connection, stored, &query.of)? else {
        return Ok(Page::default());
    };
    // One more, to know whether there are others.
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let (id, above) = (signed(id), signed(above));
    let mut records = Records::default();
    if let [key] = &keys[..] {
        let mut select = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM messages
             WHERE {of} AND {bound} AND sequence > ?4 ORDER BY sequence {order} LIMIT ?3"
        ))?;
        let found = select.query_map((key, id, limit, above), |row| records.read(row))?;
        return Page::collect(query, found);
    }
    // The numbers come from the index, and only the messages of the page are read.
    let mut numbers: Vec<Sequence> = Vec::new();
    let mut select = connection.prepare_cached(&format!(
        "SELECT sequence FROM messages
         WHERE {of} AND {bound} AND sequence > ?4 ORDER BY sequence {order} LIMIT ?3"
    ))?;
    for key in &keys {
        for number in select.query_map((key, id, limit, above), |row| unsigned(row, 0))? {
            numbers.push(number?);
        }
    }
    match query.side {
        Side::After(_) => numbers.sort_unstable(),
        _ => numbers.sort_unstable_by_key(|number| Reverse(*number)),
    }
    let mut select =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE sequence = ?"))?;
    let found = numbers.into_iter().map(|number| {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        select.query_row([number], |row| records.read(row))
    });
    Page::collect(query, found)
}

/// Where the messages of a conversation are; nothing where there is nothing to read.
fn place(
    connection: &Connection,
    stored: &Stored,
    of: &Conversation,
) -> Result<Option<Place>, rusqlite::Error> {
    Ok(Some(match of {
        Conversation::Public => Place {
            of: "recipient IS NULL AND ?1 IS NULL",
            keys: vec![Value::Null],
            above: stored.floor_of_lobby(),
        },
        Conversation::Between(..) => Place {
            of: "conversation = ?1",
            keys: of.keys().into_iter().map(Value::Text).collect(),
            above: 0,
        },
        Conversation::Room { room, above, newest } => {
            let Some(readable) = stored.rooms().readable(*room) else { return Ok(None) };
            let above = readable.above.max(*above);
            let newest = [*newest, readable.newest].into_iter().flatten().min();
            let behind = match newest {
                Some(newest) => behind_newest(connection, *room, newest)?,
                None => 0,
            };
            let keys = vec![Value::Integer(signed(room.0))];
            Place { of: "room = ?1", keys, above: above.max(behind) }
        }
    }))
}

/// The number of the message behind the newest so many of a room; 0 when there are no more than that.
fn behind_newest(
    connection: &Connection,
    room: RoomNumber,
    newest: u32,
) -> Result<Sequence, rusqlite::Error> {
    let behind =
        "SELECT sequence FROM messages WHERE room = ? ORDER BY sequence DESC LIMIT 1 OFFSET ?";
    let mut select = connection.prepare_cached(behind)?;
    let found = select.query_row((signed(room.0), newest), |row| unsigned(row, 0)).optional()?;
    Ok(found.unwrap_or_default())
}
