//! Rows as values: texts become names and messages here, once, and nowhere further in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_hub::{Filing, Party, Record, RecordMeta, RoomNumber, RoomRef, Sender, Sequence};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{RoomName, Username, limits};
use rusqlite::Row;
use rusqlite::types::Type;

/// The columns that [`Records::read`] reads.
pub(super) const COLUMNS: &str =
    "sequence, arrived, source, recipient, json, mailbox, sender, origin, room, meta, sealed";

/// The bytes of a message by which what is stored is bounded, as [`Record::weight`] has them.
pub(super) const WEIGHT: &str =
    "(length(json) + ifnull(length(meta), 0) + ifnull(length(sealed), 0))";

/// A reader of messages, for one page or a part of one.
///
/// It keeps each name once: few users write many messages, so most messages share the memory of a name with others, and
/// the text is normalised once.
#[derive(Debug, Default)]
pub(super) struct Records {
    names: HashMap<Box<str>, Username>,
    rooms: HashMap<Box<str>, RoomName>,
}

impl Records {
    /// A message and its number.
    ///
    /// The names are not judged again: one message whose names today's rules refuse must not make all others
    /// unreadable. A source of NULL is an unknown one, with the empty name that no user has.
    pub(super) fn read(&mut self, row: &Row<'_>) -> Result<(Sequence, Record), rusqlite::Error> {
        let source = self.name(&text(row, 2)?.unwrap_or_default());
        let destination = match (text(row, 3)?, row.get::<_, Option<i64>>(8)?) {
            (None, None) => Destination::All,
            (Some(recipient), None) => Destination::User(self.name(&recipient)),
            (name, Some(number)) => Destination::Room(RoomRef {
                number: RoomNumber(number.unsigned_abs()),
                name: self.room(&name.unwrap_or_default()),
            }),
        };
        let json = Bytes::copy_from_slice(row.get_ref(4)?.as_str()?.as_bytes());
        let to = text(row, 5)?.map(|key| Party::of_key(&key));
        let filing = Filing { sender: sender(row, 6)?, from: None, to };
        let meta = RecordMeta { json: bytes(row, 9)?, sealed: bytes(row, 10)? };
        let meta = (meta.size() > 0).then(|| Arc::new(meta));
        let record = Record { source, destination, json, arrived: row.get(1)?, filing, meta };
        Ok((unsigned(row, 0)?, record))
    }

    fn name(&mut self, text: &str) -> Username {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let name = Username::stored(text);
        self.names.insert(text.into(), name.clone());
        name
    }

    fn room(&mut self, text: &str) -> RoomName {
        if let Some(name) = self.rooms.get(text) {
            return name.clone();
        }
        let name = RoomName::stored(text);
        self.rooms.insert(text.into(), name.clone());
        name
    }
}

/// Whose share a message takes: two columns from this one on.
pub(super) fn sender(row: &Row<'_>, column: usize) -> Result<Sender, rusqlite::Error> {
    let number: Option<i64> = row.get(column)?;
    Ok(Sender { number: number.unwrap_or_default(), origin: row.get(column + 1)? })
}

/// A text or NULL; what is no UTF-8 (half a surrogate pair, taken from JSON by SQLite) is replaced.
pub(super) fn text<'r>(
    row: &'r Row<'_>,
    column: usize,
) -> Result<Option<Cow<'r, str>>, rusqlite::Error> {
    Ok(row.get_ref(column)?.as_bytes_or_null()?.map(String::from_utf8_lossy))
}

/// The bytes of a text; NULL has none.
fn bytes(row: &Row<'_>, column: usize) -> Result<Bytes, rusqlite::Error> {
    let text = row.get_ref(column)?.as_bytes_or_null()?;
    Ok(text.map(Bytes::copy_from_slice).unwrap_or_default())
}

/// A name of an account. It was checked before it was stored, by the limit of that time.
pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Username, rusqlite::Error> {
    let text = row.get_ref(column)?.as_str()?;
    Username::parse_within(text, limits::USERNAME_CHARS_MOST)
        .map_err(|error| damaged(column, error.into()))
}

/// A number that is never negative.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

/// A number of the log, as SQLite has numbers: those that it has not were refused before.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The error for a text that this program would not have stored.
pub(super) fn damaged(
    column: usize,
    error: Box<dyn std::error::Error + Send + Sync>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
}
