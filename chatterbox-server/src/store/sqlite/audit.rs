//! The audit log in the database.

use chatterbox_hub::{RoomNumber, RoomRef};
use chatterbox_proto::RoomName;
use rusqlite::{Connection, Row, named_params};

use crate::moderation::{
    AUDIT_PAGE, About, Act, AuditEntry, AuditFilter, AuditRoom, FORGOTTEN, FoldedName,
};
use crate::store::sqlite::row::{signed, text, unsigned};

/// Writes an entry, whose number SQLite assigns.
pub(super) fn write(transaction: &Connection, entry: &AuditEntry) -> Result<(), rusqlite::Error> {
    let about = entry.about.as_ref();
    let mut insert = transaction.prepare_cached(
        "INSERT INTO audit
            (at, author, author_key, author_account, act, about, about_key, is_address, room, room_name, room_key,
             detail, reason, until)
         VALUES (:at, :author, :author_key, :author_account, :act, :about, :about_key, :is_address, :room, :room_name,
             :room_key, :detail, :reason, :until)",
    )?;
    insert.execute(named_params! {
        ":at": entry.at,
        ":author": &*entry.by,
        ":author_key": entry.by_key().as_str(),
        ":author_account": entry.by_account,
        ":act": entry.act.word(),
        ":about": about.map(About::text),
        ":about_key": about.map(About::key).as_ref().map(FoldedName::as_str),
        ":is_address": about.is_some_and(About::is_address),
        ":room": entry.room.as_ref().map(|room| signed(room.number.0)),
        ":room_name": entry.room.as_ref().map(|room| room.name.as_str()),
        ":room_key": entry.room.as_ref().map(|room| room.name.key()),
        ":detail": &*entry.detail,
        ":reason": &*entry.reason,
        ":until": entry.until,
    })?;
    Ok(())
}

/// Entries, the newest first.
pub(super) fn read(
    connection: &Connection,
    filter: &AuditFilter,
) -> Result<Vec<AuditEntry>, rusqlite::Error> {
    // What is not asked for is not in the text, so that SQLite takes the index of what is.
    let mut wanted = String::new();
    let (number, name) = match &filter.room {
        None => (None, None),
        Some(AuditRoom::Number(number)) => (Some(signed(number.0)), None),
        Some(AuditRoom::Name(name)) => (None, Some(name.key())),
    };
    let before = filter.before.unwrap_or(i64::MAX);
    let limit = match filter.limit {
        0 => AUDIT_PAGE,
        limit => limit.min(AUDIT_PAGE),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let about = filter.about.as_ref().map(FoldedName::as_str);
    let by = filter.by.as_ref().map(FoldedName::as_str);
    let mut parameters = named_params! { ":before": before, ":limit": limit }.to_vec();
    let conditions: [(&str, &str, &dyn rusqlite::ToSql, bool); 4] = [
        (" AND about_key = :about", ":about", &about, about.is_some()),
        (" AND author_key = :by", ":by", &by, by.is_some()),
        (" AND room = :room", ":room", &number, number.is_some()),
        (" AND room_key = :name", ":name", &name, name.is_some()),
    ];
    for (condition, parameter, value, is_asked) in conditions {
        if is_asked {
            wanted.push_str(condition);
            parameters.push((parameter, value));
        }
    }
    let mut select = connection.prepare_cached(&format!(
        "SELECT id, at, author, author_account, act, about, is_address, room, room_name, detail, reason, until
         FROM audit WHERE id < :before{wanted} ORDER BY id DESC LIMIT :limit"
    ))?;
    select.query_map(&*parameters, entry)?.collect()
}

fn entry(row: &Row<'_>) -> Result<AuditEntry, rusqlite::Error> {
    let is_address = row.get(6)?;
    let about = text(row, 5)?.map(|about| About::stored(&about, is_address));
    Ok(AuditEntry {
        id: row.get(0)?,
        at: row.get(1)?,
        by: (&*text(row, 2)?.unwrap_or_default()).into(),
        by_account: row.get(3)?,
        act: Act::stored(&text(row, 4)?.unwrap_or_default()),
        about,
        room: room(row, 7)?,
        detail: (&*text(row, 9)?.unwrap_or_default()).into(),
        reason: (&*text(row, 10)?.unwrap_or_default()).into(),
        until: row.get(11)?,
    })
}

/// A room: its number and its name in two columns from this one on.
pub(super) fn room(row: &Row<'_>, column: usize) -> Result<Option<RoomRef>, rusqlite::Error> {
    let Some(name) = text(row, column + 1)? else { return Ok(None) };
    let number = RoomNumber(unsigned(row, column)?);
    Ok(Some(RoomRef { number, name: RoomName::stored(&name) }))
}

/// Removes entries that are older than this, some at a time. Returns whether there may be more of them.
pub(super) fn forget(connection: &Connection, before: i64) -> Result<bool, rusqlite::Error> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)",
    )?;
    let most = i64::try_from(FORGOTTEN).unwrap_or(i64::MAX);
    Ok(delete.execute((before, most))? == FORGOTTEN)
}
