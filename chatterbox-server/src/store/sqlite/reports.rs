//! What users have reported, in the database.

use chatterbox_hub::Sequence;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::moderation::{
    Closed, FORGOTTEN, NewReport, OPEN_REPORTS, REPORTS, Report, ReportFilter,
};
use crate::store::sqlite::audit::room;
use crate::store::sqlite::row::{signed, text};

const COLUMNS: &str = "number, at, reporter, reporter_account, subject, message, text, room, room_name, reason, closed_at,
     closed_by";

/// The reports that are open.
pub(super) fn count_open(connection: &Connection) -> Result<usize, rusqlite::Error> {
    let select = "SELECT count(*) FROM reports WHERE closed_at IS NULL";
    let count: i64 = connection.query_row(select, [], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Writes a report, whose number SQLite assigns.
pub(super) fn insert(transaction: &Connection, new: &NewReport) -> Result<i64, rusqlite::Error> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO reports (at, reporter, reporter_account, subject, message, text, room, room_name, reason)
         VALUES (:at, :reporter, :reporter_account, :subject, :message, :text, :room, :room_name, :reason)",
    )?;
    insert.execute(named_params! {
        ":at": new.at,
        ":reporter": &*new.reporter,
        ":reporter_account": new.reporter_account,
        ":subject": &*new.subject,
        ":message": new.message.map(signed),
        ":text": new.text.as_deref(),
        ":room": new.room.as_ref().map(|room| signed(room.number.0)),
        ":room_name": new.room.as_ref().map(|room| room.name.as_str()),
        ":reason": &*new.reason,
    })?;
    let number = transaction.last_insert_rowid();
    remove_beyond(transaction)?;
    Ok(number)
}

/// Removes the oldest of those that were dealt with, beyond what is kept.
fn remove_beyond(transaction: &Connection) -> Result<(), rusqlite::Error> {
    let mut delete = transaction.prepare_cached(
        "DELETE FROM reports WHERE number IN
            (SELECT number FROM reports WHERE closed_at IS NOT NULL ORDER BY number
             LIMIT max(0, (SELECT count(*) FROM reports) - ?))",
    )?;
    delete.execute([i64::try_from(REPORTS).unwrap_or(i64::MAX)]).map(drop)
}

/// Reports, the newest first.
pub(super) fn read(
    connection: &Connection,
    filter: ReportFilter,
) -> Result<Vec<Report>, rusqlite::Error> {
    let limit = match filter.limit {
        0 => OPEN_REPORTS,
        limit => limit.min(OPEN_REPORTS),
    };
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM reports
         WHERE (?1 OR closed_at IS NULL) AND (?2 IS NULL OR room = ?2) AND (?4 IS NULL OR number < ?4)
         ORDER BY number DESC LIMIT ?3"
    ))?;
    let room = filter.room.map(|room| signed(room.0));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    select.query_map((filter.closed_too, room, limit, filter.before), report)?.collect()
}

/// The report of a number.
pub(super) fn find(
    connection: &Connection,
    number: i64,
) -> Result<Option<Report>, rusqlite::Error> {
    let select = format!("SELECT {COLUMNS} FROM reports WHERE number = ?");
    connection.prepare_cached(&select)?.query_row([number], report).optional()
}

fn report(row: &Row<'_>) -> Result<Report, rusqlite::Error> {
    let words = |column| Ok::<_, rusqlite::Error>(text(row, column)?.unwrap_or_default());
    let what = NewReport {
        at: row.get(1)?,
        reporter: (&*words(2)?).into(),
        reporter_account: row.get(3)?,
        subject: (&*words(4)?).into(),
        message: row.get::<_, Option<i64>>(5)?.map(i64::unsigned_abs as fn(i64) -> Sequence),
        text: text(row, 6)?.map(|text| (&*text).into()),
        room: room(row, 7)?,
        reason: (&*words(9)?).into(),
    };
    let closed = match row.get(10)? {
        Some(at) => Some(Closed { at, by: (&*words(11)?).into() }),
        None => None,
    };
    Ok(Report { number: row.get(0)?, what, closed })
}

/// Closes a report. Returns whether it was open.
pub(super) fn close(
    transaction: &Connection,
    number: i64,
    by: &str,
    at: i64,
) -> Result<bool, rusqlite::Error> {
    let mut update = transaction.prepare_cached(
        "UPDATE reports SET closed_at = ?, closed_by = ? WHERE number = ? AND closed_at IS NULL",
    )?;
    Ok(update.execute((at, by, number))? > 0)
}

/// Removes reports that are older than this, some at a time. Returns whether there may be more of them.
pub(super) fn forget(connection: &Connection, before: i64) -> Result<bool, rusqlite::Error> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM reports WHERE number IN (SELECT number FROM reports WHERE at < ? ORDER BY at LIMIT ?)",
    )?;
    let most = i64::try_from(FORGOTTEN).unwrap_or(i64::MAX);
    Ok(delete.execute((before, most))? == FORGOTTEN)
}
