//! The messages and rooms of a database that may be in use, as lines of JSON.

use std::io::Write;
use std::path::Path;

use chatterbox_hub::{RoomDefinition, RoomKeep, RoomMember, RoomRecord, RoomShow};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::ops::clock::unix_now;
use crate::store::sqlite::backup::CopyError;
use crate::store::sqlite::row::text;
use crate::store::sqlite::{database, migrate, rooms};

/// Writes every message as one line of JSON, oldest first: `{"sequence": 7, "arrived": 1700000000, "message": [...]}`, with
/// `"room": {"number": 3, "name": "#lab"}` behind `arrived` where it was said in a room, and `"meta": {...}` behind `message` where
/// something goes with it; encrypted texts are not written.
///
/// Before them stand the rooms, their members and levels, each a line. Returns the number of messages.
///
/// # Errors
/// [`CopyError`].
pub fn export(folder: &Path, out: &mut impl Write) -> Result<u64, CopyError> {
    let (mut connection, version) = database::open_to_read(folder)?;
    // All is of one moment, while a server may be writing.
    let connection = connection.transaction()?;
    if version < migrate::ROOMS {
        let all =
            "SELECT sequence, arrived, json, NULL, NULL, NULL FROM messages ORDER BY sequence";
        return messages(&connection, all, out);
    }
    for record in rooms::records(&connection, unix_now())? {
        if let Some(line) = line(&record) {
            writeln!(out, "{line}")?;
        }
    }
    let meta = if version < migrate::META { "NULL" } else { "meta" };
    // What nobody may read any more is in the database until it is removed, in steps.
    let all = format!(
        "SELECT sequence, arrived, json, room, recipient, {meta}
         FROM messages LEFT JOIN rooms
         ON number = CASE WHEN room IS NOT NULL THEN room WHEN recipient IS NULL THEN 0 END
         WHERE (number IS NOT NULL OR room IS NULL) AND sequence > coalesce(floor, 0)
         ORDER BY sequence"
    );
    messages(&connection, &all, out)
}

fn messages(connection: &Connection, select: &str, out: &mut impl Write) -> Result<u64, CopyError> {
    let mut select = connection.prepare(select)?;
    let mut rows = select.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (sequence, arrived): (i64, i64) = (row.get(0)?, row.get(1)?);
        // The tuple is stored as one line of ASCII JSON.
        let message = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        write!(out, r#"{{"sequence": {sequence}, "arrived": {arrived}, "#)?;
        if let Some(number) = row.get::<_, Option<i64>>(3)? {
            let name = Value::from(text(row, 4)?.unwrap_or_default());
            write!(out, r#""room": {{"number": {number}, "name": {name}}}, "#)?;
        }
        write!(out, r#""message": {message}"#)?;
        if let Some(meta) = text(row, 5)? {
            write!(out, r#", "meta": {meta}"#)?;
        }
        writeln!(out, "}}")?;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}

/// What is said of rooms; not who is invited, who has left and where somebody begins.
fn line(record: &RoomRecord) -> Option<Value> {
    Some(match record {
        RoomRecord::Defined(room) => json!({ "defined": definition(room) }),
        RoomRecord::Entered { room, who: RoomMember::Account(account), since } => json!({
            "member": { "room": room.0, "account": account.name.as_str(), "since": since }
        }),
        RoomRecord::LevelSet { room, account, level } => json!({
            "level": { "room": room.0, "account": account.name.as_str(), "level": level.number() }
        }),
        _ => return None,
    })
}

fn definition(room: &RoomDefinition) -> Value {
    let settings = &room.settings;
    json!({
        "number": room.number.0,
        "name": room.name.as_str(),
        "owner": room.owner.as_ref().map(|owner| owner.name.as_str()),
        "topic": &*settings.topic,
        "description": &*settings.description,
        "limit": settings.limit,
        // Its hash is in a backup only.
        "password": settings.password.is_some(),
        "hidden": settings.hidden,
        "closed": settings.closed,
        "talk": settings.talk.number(),
        "slow": settings.slow,
        "length": settings.length,
        "keep": match settings.keep {
            RoomKeep::Off => json!("off"),
            RoomKeep::Newest(count) => json!(count),
            RoomKeep::All => json!("all"),
        },
        "show": match settings.show {
            RoomShow::All => "all",
            RoomShow::Joined => "joined",
        },
        "roster": settings.roster,
        "configured": room.configured,
        "auto": room.auto,
        "floor": room.floor,
    })
}
