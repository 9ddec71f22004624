//! A page of one conversation: what somebody can read back by number (ID-6).

use chatterbox_hub::{Conversation, Record, Sequence};
use chatterbox_proto::capability::ids::Side;

/// A page ends with the message that makes it longer than this.
pub const PAGE_BYTES: usize = 128 * 1024;

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
