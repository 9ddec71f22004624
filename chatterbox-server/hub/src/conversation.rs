//! Messages that belong together, for reading them back page by page (ID-6).

use chatterbox_proto::Username;
use chatterbox_proto::session::Destination;

use crate::record::Record;

/// A set of messages that can be paged through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// The messages to everybody.
    Public,
    /// The private messages between two users, in both directions.
    Between(Username, Username),
}

impl Conversation {
    /// The key that its messages share, to look them up in a store; the public ones have none.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Public => None,
            Self::Between(one, other) => Some(key(one, other)),
        }
    }
}

impl Record {
    /// The [`Conversation::key`] of the conversation that it belongs to.
    pub fn conversation_key(&self) -> Option<String> {
        match &self.destination {
            Destination::All => None,
            Destination::User(recipient) => Some(key(&self.source, recipient)),
        }
    }
}

/// The same for both directions. No name has a line break in it.
fn key(one: &Username, other: &Username) -> String {
    let mut keys = [one.key(), other.key()];
    keys.sort_unstable();
    keys.join("\n")
}
