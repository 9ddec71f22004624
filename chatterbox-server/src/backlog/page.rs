//! A page of one conversation: what somebody can read back by number (ID-6).

use chatterbox_proto::capability::ids::Side;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Entry, Username};

use super::{Record, Sequence};

/// A page ends with the message that makes it longer than this.
pub const PAGE_BYTES: usize = 128 * 1024;

/// Names were checked when they joined; what is stored may have been allowed to be longer then.
const ANY_NAME: usize = 256;

/// Messages that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// Those to everybody.
    Public,
    /// The private ones between two users, in both directions.
    Between(Username, Username),
}

/// Which page.
#[derive(Debug, Clone)]
pub struct PageQuery {
    /// Of what.
    pub of: Conversation,
    /// From where, and to which side.
    pub side: Side,
    /// How many messages at most.
    pub limit: usize,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Oldest first.
    pub records: Vec<(Sequence, Record)>,
    /// Whether there are others on the side that was asked for.
    pub more: bool,
}

impl Page {
    /// Takes what comes, from the side that was asked for on, as far as it fits.
    pub(super) fn collect<E>(
        query: &PageQuery,
        found: impl Iterator<Item = Result<(Sequence, Record), E>>,
    ) -> Result<Self, E> {
        let mut page = Self::default();
        let mut bytes = 0;
        for one in found {
            let one = one?;
            if page.records.len() == query.limit || bytes > PAGE_BYTES {
                page.more = true;
                break;
            }
            bytes += one.1.json.len();
            page.records.push(one);
        }
        if !matches!(query.side, Side::After(_)) {
            page.records.reverse();
        }
        Ok(page)
    }
}

/// What the private messages between two users have in common, whoever of them says it; `None` for a public one.
pub(super) fn conversation(record: &Record) -> Option<String> {
    let Destination::User(recipient) = &record.destination else { return None };
    let source = Entry::parse(&record.json)
        .and_then(|entry| Username::parse_within(&entry.source, ANY_NAME).ok());
    Some(source.map_or_else(|| recipient.key().to_owned(), |source| key(&source, recipient)))
}

/// The same for two names. No name has a line break in it.
pub(super) fn key(one: &Username, other: &Username) -> String {
    let mut keys = [one.key(), other.key()];
    keys.sort_unstable();
    keys.join("\n")
}
