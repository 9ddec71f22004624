//! Pages of one conversation: found by their indexes, whatever lies between (ID-6).

use chatterbox_hub::{Conversation, Sequence, conversation, key};
use chatterbox_proto::capability::ids::Side;
use chatterbox_proto::session::Destination;
use rusqlite::{Connection, Transaction};

use crate::store::page::{Page, PageQuery};
use crate::store::sqlite::writer::record;

/// Gives a page.
pub(super) fn page(connection: &Connection, query: &PageQuery) -> Result<Page, rusqlite::Error> {
    let (of, wanted) = match &query.of {
        Conversation::Public => ("recipient IS NULL AND ?1 IS NULL", None),
        Conversation::Between(one, other) => ("conversation = ?1", Some(key(one, other))),
    };
    let (bound, order, id) = match query.side {
        Side::Before(id) => ("sequence < ?2", "DESC", id),
        Side::Newest => ("sequence <= ?2", "DESC", Sequence::MAX),
        Side::After(id) => ("sequence > ?2", "ASC", id),
    };
    let mut select = connection.prepare_cached(&format!(
        "SELECT sequence, arrived, recipient, json FROM messages
         WHERE {of} AND {bound} ORDER BY sequence {order} LIMIT ?3"
    ))?;
    let id = i64::try_from(id).unwrap_or(i64::MAX);
    // One more, to know whether there are others.
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = select.query_map((wanted, id, limit), record)?;
    Page::collect(query, found)
}

/// Says of every private message of an older version to which conversation it belongs.
pub(super) fn sort_into_conversations(step: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let mut select = step.prepare(
        "SELECT sequence, arrived, recipient, json FROM messages
         WHERE recipient IS NOT NULL AND sequence > ? ORDER BY sequence LIMIT 1000",
    )?;
    let mut update = step.prepare("UPDATE messages SET conversation = ? WHERE sequence = ?")?;
    let mut last: Sequence = 0;
    loop {
        let after = i64::try_from(last).unwrap_or(i64::MAX);
        let some: Vec<_> = select.query_map([after], record)?.collect::<Result<_, _>>()?;
        let Some((newest, _)) = some.last() else { return Ok(()) };
        last = *newest;
        for (number, record) in &some {
            debug_assert!(record.destination != Destination::All);
            update.execute((conversation(record), i64::try_from(*number).unwrap_or(i64::MAX)))?;
        }
    }
}
