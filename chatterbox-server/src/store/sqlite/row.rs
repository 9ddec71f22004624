//! Rows as values: names and messages are parsed here, once, and nowhere further in.

use bytes::Bytes;
use chatterbox_hub::{Record, Sequence};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Username, limits};
use rusqlite::Row;
use rusqlite::types::Type;

/// The columns that [`record`] reads.
pub(super) const COLUMNS: &str = "sequence, arrived, source, recipient, json";

/// A message and its number.
pub(super) fn record(row: &Row<'_>) -> Result<(Sequence, Record), rusqlite::Error> {
    let destination = match row.get_ref(3)?.as_str_or_null()? {
        None => Destination::All,
        Some(_) => Destination::User(name(row, 3)?),
    };
    let json = Bytes::copy_from_slice(row.get_ref(4)?.as_str()?.as_bytes());
    let record = Record { source: name(row, 2)?, destination, json, arrived: row.get(1)? };
    Ok((unsigned(row, 0)?, record))
}

/// A name. It was checked before it was stored, by the limit of that time.
pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Username, rusqlite::Error> {
    let text = row.get_ref(column)?.as_str()?;
    Username::parse_within(text, limits::USERNAME_CHARS_MOST)
        .map_err(|error| damaged(column, error.into()))
}

/// A number that is never negative.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

/// The error for a text that this program would not have stored.
pub(super) fn damaged(
    column: usize,
    error: Box<dyn std::error::Error + Send + Sync>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
}
