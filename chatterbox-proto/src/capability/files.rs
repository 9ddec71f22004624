//! `files`: files that the server keeps for a user or a room (FI-1 to FI-7).
//!
//! A client uploads a file with FILE_PUT and FILE_CHUNK, then announces it with an ordinary message whose META names it; whoever
//! can read that message fetches it with FILE_GET. Both directions move chunks within a credit that the receiver gives, so neither
//! end ever holds more of a file than it has asked for.

mod name;
mod request;
mod told;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use crate::frame::TooLong;
use crate::json::Object;
use crate::limits;

pub use name::{BadFileName, FileName};
pub use request::{FileGet, FilePut, FileRequest};
pub use told::{FileAnswer, Space, SpaceOf};

/// The answer to FILE_PUT and FILE_GET, the end of a transfer, and what is wrong with one (FI-1, FI-2).
pub const FILE: &str = "FILE";
/// What a client wants to upload (FI-1).
pub const FILE_PUT: &str = "FILE_PUT";
/// Bytes of a file, in either direction (FI-2).
pub const FILE_CHUNK: &str = "FILE_CHUNK";
/// How far the other end may send, in either direction (FI-2).
pub const FILE_CREDIT: &str = "FILE_CREDIT";
/// One end gives up a transfer, in either direction (FI-2).
pub const FILE_STOP: &str = "FILE_STOP";
/// What a client wants to fetch (FI-4).
pub const FILE_GET: &str = "FILE_GET";

const ID: &str = "ID";
const AT: &str = "AT";
const DATA: &str = "DATA";
const UPTO: &str = "UPTO";
const CREDIT: &str = "CREDIT";

/// Bytes of a file at their place (FI-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChunk {
    /// The token of the file.
    pub file: String,
    /// How many bytes of the file come before these.
    pub at: u64,
    /// At most [`limits::FILE_CHUNK`] bytes; `None` where DATA is longer, or no base64.
    pub data: Option<Vec<u8>>,
}

impl FileChunk {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = value.get(DATA)?.as_str()?;
        let fits = text.len() <= ENCODED_CHUNK;
        let data = fits.then(|| STANDARD.decode(text).ok()).flatten();
        let data = data.filter(|data| data.len() <= limits::FILE_CHUNK);
        Some(Self { file: read_token(value)?, at: read_place(value.get(AT)?)?, data })
    }

    /// The frame `{"FILE_CHUNK": {"FILE", "AT", "DATA"}}`.
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit a frame.
    pub fn frame(file: &str, at: u64, data: &[u8]) -> Result<Bytes, TooLong> {
        let mut text = String::with_capacity(ENCODED_CHUNK);
        STANDARD.encode_string(data, &mut text);
        let chunk = Object::with_capacity(text.len() + file.len() + 48)
            .string(FILE, file)
            .integer(AT, place(at))
            .string(DATA, &text)
            .into_value();
        Object::with_capacity(chunk.len() + 16).json(FILE_CHUNK, &chunk).finish()
    }
}

/// The length of a whole chunk in base64, with its padding.
const ENCODED_CHUNK: usize = limits::FILE_CHUNK.div_ceil(3) * 4;

/// How far the other end may send (FI-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCredit {
    /// The token of the file.
    pub file: String,
    /// The place in the file up to which chunks may go, exclusive.
    pub upto: u64,
}

impl FileCredit {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self { file: read_token(value)?, upto: read_place(value.get(UPTO)?)? })
    }

    /// The object `{"FILE_CREDIT": {"FILE", "UPTO"}}`.
    pub fn to_object(&self) -> Object {
        let credit = Object::with_capacity(64).string(FILE, &self.file);
        let credit = credit.integer(UPTO, place(self.upto)).into_value();
        Object::with_capacity(credit.len() + 16).json(FILE_CREDIT, &credit)
    }
}

/// The object `{"FILE_STOP": {"FILE"}}` (FI-2).
pub fn file_stop(file: &str) -> Object {
    let stop = Object::with_capacity(64).string(FILE, file).into_value();
    Object::with_capacity(stop.len() + 16).json(FILE_STOP, &stop)
}

/// The token in a value of FILE_STOP.
pub(crate) fn read_stop(value: &Value) -> Option<String> {
    read_token(value)
}

/// The token of a file, as a client or a server wrote it.
fn read_token(value: &Value) -> Option<String> {
    let token = value.get(FILE)?.as_str()?;
    (1..=limits::FILE_TOKEN).contains(&token.len()).then(|| token.to_owned())
}

/// A place in a file, or its size: what every JSON reader takes for an exact number.
fn read_place(value: &Value) -> Option<u64> {
    value.as_u64().filter(|place| *place <= limits::LARGEST_ID)
}

/// Places are far below the bounds of 64 bits.
fn place(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inner(object: &Bytes, key: &str) -> Value {
        let whole: Value = serde_json::from_slice(&object[limits::PREFIX..]).unwrap();
        whole[key].clone()
    }

    #[test]
    fn a_chunk_is_at_most_so_long_and_nothing_but_base64() {
        let data = |text: &str| {
            let value = serde_json::json!({"FILE": "t", "AT": 5, "DATA": text});
            FileChunk::read(&value).unwrap().data
        };
        assert_eq!(data(""), Some(Vec::new()));
        assert_eq!(data("aGk="), Some(b"hi".to_vec()));
        for text in ["aGk", "aGk=\n", "aG k=", "a-k=", "====", "aGl="] {
            assert_eq!(data(text), None, "{text:?}");
        }
        let whole = STANDARD.encode(vec![7; limits::FILE_CHUNK]);
        assert_eq!(data(&whole).map(|data| data.len()), Some(limits::FILE_CHUNK));
        assert_eq!(data(&STANDARD.encode(vec![7; limits::FILE_CHUNK + 1])), None);
        assert_eq!(data(&"A".repeat(ENCODED_CHUNK + 4)), None);
    }

    #[test]
    fn what_is_malformed_is_none() {
        for value in [
            serde_json::json!({"FILE": "", "AT": 5, "DATA": ""}),
            serde_json::json!({"FILE": "t".repeat(limits::FILE_TOKEN + 1), "AT": 5, "DATA": ""}),
            serde_json::json!({"FILE": "t", "AT": -1, "DATA": ""}),
            serde_json::json!({"FILE": "t", "AT": limits::LARGEST_ID + 1, "DATA": ""}),
            serde_json::json!({"FILE": "t", "AT": 1.5, "DATA": ""}),
            serde_json::json!({"FILE": "t", "AT": 5, "DATA": 7}),
            serde_json::json!({"FILE": "t", "AT": 5}),
            serde_json::json!([]),
        ] {
            assert_eq!(FileChunk::read(&value), None, "{value}");
        }
        assert_eq!(FileCredit::read(&serde_json::json!({"FILE": "t", "UPTO": "1"})), None);
        assert_eq!(read_stop(&serde_json::json!({"FILE": 5})), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            file in "[A-Za-z0-9_-]{22}",
            at in 0..=limits::LARGEST_ID,
            data in prop::collection::vec(any::<u8>(), 0..600)
        ) {
            let chunk = inner(&FileChunk::frame(&file, at, &data).unwrap(), FILE_CHUNK);
            let read = FileChunk { file: file.clone(), at, data: Some(data) };
            prop_assert_eq!(FileChunk::read(&chunk), Some(read));
            let credit = FileCredit { file: file.clone(), upto: at };
            let written = inner(&credit.to_object().finish().unwrap(), FILE_CREDIT);
            prop_assert_eq!(FileCredit::read(&written), Some(credit));
            let stop = inner(&file_stop(&file).finish().unwrap(), FILE_STOP);
            prop_assert_eq!(read_stop(&stop), Some(file));
        }
    }
}
