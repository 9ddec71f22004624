//! What can happen to a receiver, encoded once for all of them.

use bytes::Bytes;
use chatterbox_proto::json;

/// One thing that a joined connection is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Under which key it goes.
    pub kind: Kind,
    /// The element of that key's list (or its value), as JSON.
    pub json: Bytes,
}

/// The keys, in the order of their meaning inside one object (PB-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `USERS_JOINED`
    Joined,
    /// `MESSAGES`
    Message,
    /// `USERS_LEFT`
    Left,
    /// `ERROR`, one per object.
    Error,
}

impl Kind {
    /// The key of the protocol.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Joined => "USERS_JOINED",
            Self::Message => "MESSAGES",
            Self::Left => "USERS_LEFT",
            Self::Error => "ERROR",
        }
    }
}

impl Event {
    /// A message, already a JSON tuple.
    pub const fn message(json: Bytes) -> Self {
        Self { kind: Kind::Message, json }
    }

    /// An ERROR text.
    pub fn error(text: &str) -> Self {
        Self { kind: Kind::Error, json: json::string(text) }
    }
}
