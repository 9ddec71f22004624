//! Pages of one conversation, found by indexes, however many other messages lie between (ID-6).

use std::cmp::Reverse;

use chatterbox_hub::{Conversation, Sequence};
use chatterbox_proto::capability::ids::Side;
use rusqlite::Connection;

use crate::store::page::{Page, PageQuery};
use crate::store::sqlite::row::{COLUMNS, Records, unsigned};

pub(super) fn page(connection: &Connection, query: &PageQuery) -> Result<Page, rusqlite::Error> {
    let (bound, order, id) = match query.side {
        Side::Before(id) => ("sequence < ?2", "DESC", id),
        Side::Newest => ("sequence <= ?2", "DESC", Sequence::MAX),
        Side::After(id) => ("sequence > ?2", "ASC", id),
    };
    let of = match &query.of {
        Conversation::Public => "recipient IS NULL AND ?1 IS NULL",
        Conversation::Between(..) => "conversation = ?1",
        // Nobody can have said anything in one yet.
        Conversation::Room { .. } => return Ok(Page::default()),
    };
    // One more, to know whether there are others.
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let id = i64::try_from(id).unwrap_or(i64::MAX);
    let mut keys: Vec<_> = query.of.keys().into_iter().map(Some).collect();
    if query.of == Conversation::Public {
        keys.push(None);
    }
    let mut records = Records::default();
    if let [key] = &keys[..] {
        let mut select = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM messages
             WHERE {of} AND {bound} ORDER BY sequence {order} LIMIT ?3"
        ))?;
        let found = select.query_map((key, id, limit), |row| records.read(row))?;
        return Page::collect(query, found);
    }
    // The same users may have messages under their names and under their accounts: the numbers come from the index, and
    // only the messages of the page are read.
    let mut numbers: Vec<Sequence> = Vec::new();
    let mut select = connection.prepare_cached(&format!(
        "SELECT sequence FROM messages WHERE {of} AND {bound} ORDER BY sequence {order} LIMIT ?3"
    ))?;
    for key in &keys {
        for number in select.query_map((key, id, limit), |row| unsigned(row, 0))? {
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
