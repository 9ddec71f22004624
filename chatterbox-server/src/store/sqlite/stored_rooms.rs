//! What is stored of rooms, and removing what has to go of it, the oldest of each room first.

use chatterbox_hub::{Keep, RoomNumber};
use rusqlite::{Connection, Transaction};

use crate::store::kept_rooms::KeptRooms;
use crate::store::sqlite::removed::Removed;
use crate::store::sqlite::row::{WEIGHT, unsigned};

/// Counts what is stored.
pub(super) fn count(connection: &Connection, rooms: &mut KeptRooms) -> Result<(), rusqlite::Error> {
    let mut select = connection.prepare(&format!(
        "SELECT room, count(*), sum({WEIGHT}) FROM messages WHERE room IS NOT NULL GROUP BY room",
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let many = Keep { messages: unsigned(row, 1)?, bytes: unsigned(row, 2)? };
        rooms.add(RoomNumber(unsigned(row, 0)?), many);
    }
    Ok(())
}

/// Removes what has to go, as far as a step of at most `most` messages has room for it.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    rooms: &mut KeptRooms,
    too_old: Option<i64>,
    most: usize,
    removed: &mut Removed,
) -> Result<(), rusqlite::Error> {
    while removed.left(most) > 0
        && let Some(room) = rooms.suspect()
    {
        remove_oldest(transaction, rooms, room, None, most, removed)?;
    }
    let aging = if too_old.is_some() { rooms.with_messages() } else { Vec::new() };
    for room in aging {
        if removed.left(most) > 0 {
            remove_oldest(transaction, rooms, room, too_old, most, removed)?;
        }
    }
    Ok(())
}

/// Removes the oldest messages of a room, up to one that does not have to go.
fn remove_oldest(
    transaction: &Transaction<'_>,
    rooms: &mut KeptRooms,
    room: RoomNumber,
    too_old: Option<i64>,
    most: usize,
    removed: &mut Removed,
) -> Result<(), rusqlite::Error> {
    let left = removed.left(most);
    let mut select = transaction.prepare_cached(&format!(
        "SELECT sequence, {WEIGHT}, arrived FROM messages
         WHERE room = ? ORDER BY sequence LIMIT ?",
    ))?;
    let number = i64::try_from(room.0).unwrap_or(i64::MAX);
    let mut gone: Vec<i64> = Vec::new();
    let mut is_settled = false;
    let mut rows = select.query((number, left))?;
    while let Some(row) = rows.next()? {
        let (id, bytes, arrived) = (unsigned(row, 0)?, unsigned(row, 1)?, row.get::<_, i64>(2)?);
        let is_old = too_old.is_some_and(|limit| arrived < limit);
        if !is_old && !rooms.has_to_go(room, id) {
            is_settled = true;
            break;
        }
        gone.push(row.get(0)?);
        rooms.remove(room, Keep::one(bytes));
        removed.rooms.push((room, bytes));
    }
    drop(rows);
    let mut delete = transaction.prepare_cached("DELETE FROM messages WHERE sequence = ?")?;
    for id in &gone {
        delete.execute([id])?;
    }
    if is_settled {
        rooms.is_settled(room);
    } else if removed.left(most) > 0 {
        // There are no others, whatever was counted.
        rooms.is_empty(room);
    }
    Ok(())
}
