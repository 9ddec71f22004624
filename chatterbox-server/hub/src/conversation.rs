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

impl Record {
    /// The [`key`] of the conversation that a private message belongs to; `None` for a public one.
    pub fn conversation(&self) -> Option<String> {
        match &self.destination {
            Destination::All => None,
            Destination::User(recipient) => Some(key(&self.source, recipient)),
        }
    }
}

/// A key that two users' private messages share, in both directions. No name has a line break in it.
pub fn key(one: &Username, other: &Username) -> String {
    let mut keys = [one.key(), other.key()];
    keys.sort_unstable();
    keys.join("\n")
}
