//! What can happen to a receiver, encoded once for all of them.

use std::num::NonZeroU64;

use bytes::Bytes;
use chatterbox_proto::capability::rename;
use chatterbox_proto::json::{self, Object};

use crate::record::Sequence;

/// One thing that a joined connection is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Under which key it goes.
    pub kind: Kind,
    /// The element of that key's list (or its value, or the members themselves), as JSON.
    pub json: Bytes,
    /// The number of a message that is part of the history (ID-1).
    pub id: Option<NonZeroU64>,
}

/// The keys, in the order of their meaning inside one object (PB-2, RN-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `USERS_JOINED`
    Joined,
    /// `USERS_RENAMED`, one per object; for the base protocol `USERS_LEFT` and then `USERS_JOINED`.
    Renamed,
    /// `MESSAGES`
    Message,
    /// `USERS_LEFT`
    Left,
    /// Keys of capabilities for one member, with their values: what nothing may stand behind.
    Own,
    /// `ERROR`, one per object.
    Error,
}

impl Kind {
    /// The key of the protocol; [`Kind::Own`] brings its own.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Joined => "USERS_JOINED",
            Self::Renamed => rename::USERS_RENAMED,
            Self::Message => "MESSAGES",
            Self::Left => "USERS_LEFT",
            Self::Own => "",
            Self::Error => "ERROR",
        }
    }

    /// Whether `next` can stand in the same object behind this.
    pub(crate) fn may_precede(self, next: Self) -> bool {
        match self {
            Self::Renamed => self < next,
            Self::Own | Self::Error => false,
            Self::Joined | Self::Message | Self::Left => self <= next,
        }
    }
}

impl Event {
    /// Under a key that has no more to it than its JSON.
    pub(crate) const fn plain(kind: Kind, json: Bytes) -> Self {
        Self { kind, json, id: None }
    }

    /// A message that is not part of the history, already a JSON tuple.
    pub const fn message(json: Bytes) -> Self {
        Self::plain(Kind::Message, json)
    }

    /// A message that the backlog has under this number.
    pub const fn stored(id: Sequence, json: Bytes) -> Self {
        Self { kind: Kind::Message, json, id: NonZeroU64::new(id) }
    }

    /// A change of name; both are JSON strings.
    pub(crate) fn renamed(old: &[u8], new: &[u8]) -> Self {
        let mut json = Vec::with_capacity(old.len() + new.len() + 2);
        rename::push_change(&mut json, old, new);
        Self::plain(Kind::Renamed, json.into())
    }

    /// A change of name as the base protocol has it: who left, who joined.
    pub(crate) fn left_and_joined(&self) -> [Self; 2] {
        let end = string_end(&self.json);
        let new = (end + RENAME_SEPARATOR).min(self.json.len());
        [
            Self::plain(Kind::Left, self.json.slice(..end)),
            Self::plain(Kind::Joined, self.json.slice(new..)),
        ]
    }

    /// Keys of capabilities, for one member.
    pub fn own(object: Object) -> Self {
        Self::plain(Kind::Own, object.into_members())
    }

    /// The same, written already.
    pub const fn members(members: Bytes) -> Self {
        Self::plain(Kind::Own, members)
    }

    /// An ERROR text.
    pub fn error(text: &str) -> Self {
        Self::plain(Kind::Error, json::string(text))
    }
}

/// What [`rename::push_change`] puts between the two names.
const RENAME_SEPARATOR: usize = ": ".len();

/// Where the JSON string ends that the text begins with.
fn string_end(json: &[u8]) -> usize {
    let mut escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_comes_apart_whatever_is_in_the_names() {
        for (old, new) in [("ann", "bob"), ("a\"b", "\\"), ("\\\"", "c: \"d"), ("\u{e9}", "x")] {
            let event = Event::renamed(&json::string(old), &json::string(new));
            let [left, joined] = event.left_and_joined();
            assert_eq!((left.kind, left.json), (Kind::Left, json::string(old)));
            assert_eq!((joined.kind, joined.json), (Kind::Joined, json::string(new)));
        }
    }
}
