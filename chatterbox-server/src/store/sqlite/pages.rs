//! Pages of one conversation, found by indexes, however many other messages lie between (ID-6).

use chatterbox_hub::{Conversation, Sequence};
use chatterbox_proto::capability::ids::Side;
use rusqlite::Connection;

use crate::store::page::{Page, PageQuery};
use crate::store::sqlite::row::{COLUMNS, Records};

pub(super) fn page(connection: &Connection, query: &PageQuery) -> Result<Page, rusqlite::Error> {
    let of = match &query.of {
        Conversation::Public => "recipient IS NULL AND ?1 IS NULL",
        Conversation::Between(..) => "conversation = ?1",
    };
    let (bound, order, id) = match query.side {
        Side::Before(id) => ("sequence < ?2", "DESC", id),
        Side::Newest => ("sequence <= ?2", "DESC", Sequence::MAX),
        Side::After(id) => ("sequence > ?2", "ASC", id),
    };
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages
         WHERE {of} AND {bound} ORDER BY sequence {order} LIMIT ?3"
    ))?;
    let id = i64::try_from(id).unwrap_or(i64::MAX);
    // One more, to know whether there are others.
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut records = Records::default();
    let found = select.query_map((query.of.key(), id, limit), |row| records.read(row))?;
    Page::collect(query, found)
}
