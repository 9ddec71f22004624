//! Pages of one conversation, read back by number (ID-6).

use chatterbox_hub::{Conversation, Record, Sequence};
use chatterbox_proto::capability::ids::Side;

/// A page ends with the message that makes it longer than this.
pub const PAGE_BYTES: usize = 128 * 1024;

/// A request for one page.
#[derive(Debug, Clone)]
pub struct PageQuery {
    /// The conversation.
    pub of: Conversation,
    /// The number to begin at, and the direction.
    pub side: Side,
    /// The most messages that it may have.
    pub limit: usize,
}

/// Successive messages of one conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The messages, oldest first.
    pub records: Vec<(Sequence, Record)>,
    /// Whether there are more messages in the direction of the request.
    pub more: bool,
}

impl Page {
    /// Collects messages in the direction of the request, as far as they fit.
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
            bytes += one.1.weight();
            page.records.push(one);
        }
        if !matches!(query.side, Side::After(_)) {
            page.records.reverse();
        }
        Ok(page)
    }
}
