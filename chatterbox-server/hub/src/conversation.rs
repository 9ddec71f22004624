//! Messages that belong together, for whoever reads them back (ID-6).

use chatterbox_proto::session::Destination;
use chatterbox_proto::{Entry, Username};

use crate::record::Record;

/// Roster were checked when they joined; what is stored may have been allowed to be longer then.
const ANY_NAME: usize = 256;

/// Messages that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// Those to everybody.
    Public,
    /// The private ones between two users, in both directions.
    Between(Username, Username),
}

/// What the private messages between two users have in common, whoever of them says it; `None` for a public one.
pub fn conversation(record: &Record) -> Option<String> {
    let Destination::User(recipient) = &record.destination else { return None };
    let source = Entry::parse(&record.json)
        .and_then(|entry| Username::parse_within(&entry.source, ANY_NAME).ok());
    Some(source.map_or_else(|| recipient.key().to_owned(), |source| key(&source, recipient)))
}

/// The same for two names. No name has a line break in it.
pub fn key(one: &Username, other: &Username) -> String {
    let mut keys = [one.key(), other.key()];
    keys.sort_unstable();
    keys.join("\n")
}
