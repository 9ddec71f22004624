//! What a client puts with a message (MT-2).

use super::file::{FileToken, push_token};
use super::sealed::Sealed;
use super::{E2EE, FILE, MENTIONS, REPLY};
use crate::capability::id::Id;
use crate::json;

/// What stands around a value, about: its key, quotes and separators.
const AROUND: usize = 8;

/// What a client puts with one message: well-formed, but not looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewMeta {
    /// The message that is answered.
    pub reply: Option<Id>,
    /// The names of those who are meant, at most [`limits::MENTIONS`](crate::limits::MENTIONS): users, `ALL`, or the room.
    pub mentions: Vec<String>,
    /// The file that goes with the message.
    pub file: Option<FileToken>,
    /// The encrypted text.
    pub e2ee: Option<Sealed>,
}

impl NewMeta {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// About how long it is as a client writes it, in bytes, without escapes.
    pub fn size(&self) -> usize {
        let part = |is_there: bool, length: usize| if is_there { AROUND + length } else { 0 };
        let names: usize = self.mentions.iter().map(|name| AROUND + name.len()).sum();
        part(self.reply.is_some(), 0)
            + part(!self.mentions.is_empty(), names)
            + self.file.as_ref().map_or(0, |file| AROUND + file.as_str().len())
            + self.e2ee.as_ref().map_or(0, Sealed::size)
    }

    /// Appends the object, as a client writes it.
    pub fn push_json(&self, out: &mut Vec<u8>) {
        let mut object = Members::begin(out);
        if let Some(reply) = self.reply {
            object.key(REPLY);
            json::push_integer(object.out, i64::try_from(reply).unwrap_or(i64::MAX));
        }
        if !self.mentions.is_empty() {
            object.key(MENTIONS);
            object.strings(self.mentions.iter().map(String::as_str));
        }
        if let Some(file) = &self.file {
            object.key(FILE);
            push_token(object.out, file);
        }
        if let Some(sealed) = &self.e2ee {
            object.key(E2EE);
            sealed.push_json(object.out);
        }
        object.end();
    }
}

/// An object that is written behind what is there already.
pub(super) struct Members<'o> {
    pub(super) out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Members<'o> {
    pub(super) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_first: true }
    }

    pub(super) fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.is_first) {
            self.out.extend_from_slice(json::LIST_SEPARATOR);
        }
        json::push_string(self.out, key);
        self.out.extend_from_slice(b": ");
    }

    pub(super) fn strings<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        self.out.push(b'[');
        for (place, text) in texts.enumerate() {
            if place > 0 {
                self.out.extend_from_slice(json::LIST_SEPARATOR);
            }
            json::push_string(self.out, text);
        }
        self.out.push(b']');
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }
}
