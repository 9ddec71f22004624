//! One message: the 4-tuple (SRC, DEST, TIMESTAMP, CONTENT) (T4-1).

use std::borrow::Cow;

use serde::de::DeserializeSeed as _;

use crate::code::Code;
use crate::json;
use crate::json::read::{ReadShape, ReadTuple, Shape, TUPLE, TupleShape};

/// One message as it stands in `MESSAGES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name of the sender.
    pub source: Cow<'a, str>,
    /// `ALL` or a user's name (DE-1).
    pub destination: Cow<'a, str>,
    /// Seconds since 1970-01-01 UTC, as the sender sees it (TS-1).
    pub timestamp: i64,
    /// The text.
    pub content: Cow<'a, str>,
}

impl<'a> Entry<'a> {
    /// Reads a tuple that is JSON of its own, as [`Entry::to_json`] writes it; `None` when it is none.
    pub fn parse(json: &'a [u8]) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_str(std::str::from_utf8(json).ok()?);
        let tuple = ReadTuple { within: ReadShape::MEMBER }.deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        Self::from_tuple(tuple).ok()
    }

    /// Checks a tuple strictly (T4-1).
    pub(crate) fn from_tuple(tuple: TupleShape<'a>) -> Result<Self, Code> {
        let TupleShape::List { elements, count } = tuple else {
            return Err(Code::MessageNotList);
        };
        let Ok([source, destination, timestamp, content]) =
            <[Shape<'a>; TUPLE]>::try_from(elements)
        else {
            return Err(Code::MessageNotFour);
        };
        if count != TUPLE {
            return Err(Code::MessageNotFour);
        }
        match (source, destination, timestamp, content) {
            (
                Shape::String(source),
                Shape::String(destination),
                Shape::Integer(timestamp),
                Shape::String(content),
            ) => Ok(Self { source, destination, timestamp, content }),
            (Shape::String(_), Shape::String(_), Shape::Integer(_), _) => {
                Err(Code::ContentNotString)
            }
            (Shape::String(_), Shape::String(_), _, _) => Err(Code::TimestampNotInteger),
            (Shape::String(_), _, _, _) => Err(Code::DestinationNotString),
            _ => Err(Code::SourceNotString),
        }
    }
}

impl Entry<'_> {
    /// Appends the tuple as JSON.
    pub fn push_json(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        json::push_string(out, &self.source);
        out.extend_from_slice(json::LIST_SEPARATOR);
        json::push_string(out, &self.destination);
        out.extend_from_slice(json::LIST_SEPARATOR);
        json::push_integer(out, self.timestamp);
        out.extend_from_slice(json::LIST_SEPARATOR);
        json::push_string(out, &self.content);
        out.push(b']');
    }

    /// The tuple as JSON of its own.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            self.source.len() + self.destination.len() + self.content.len() + 32,
        );
        self.push_json(&mut out);
        out
    }

    /// Copies borrowed text, for keeping the message longer than its frame.
    pub fn into_owned(self) -> Entry<'static> {
        Entry {
            source: Cow::Owned(self.source.into_owned()),
            destination: Cow::Owned(self.destination.into_owned()),
            timestamp: self.timestamp,
            content: Cow::Owned(self.content.into_owned()),
        }
    }
}
