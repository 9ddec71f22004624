//! The elements of META for one reader, in pieces: null for most messages, which no reader has a copy of.

use std::sync::LazyLock;

use bytes::Bytes;
use chatterbox_proto::capability::utf8;
use chatterbox_proto::json::LIST_SEPARATOR;

/// As many nulls as one piece has, each with a separator before it.
static NULLS: LazyLock<Bytes> = LazyLock::new(|| NULL.repeat(MANY).into());

const NULL: &[u8] = b", null";

/// The nulls of one piece.
const MANY: usize = 1024;

/// What an element of META takes for a message that nothing goes with.
pub(crate) const NULL_LENGTH: usize = NULL.len();

/// A list of META that is being written.
#[derive(Debug, Default)]
pub(crate) struct MetaList {
    pieces: Vec<Bytes>,
    /// So many messages that nothing goes with have come since.
    nulls: usize,
    /// The bytes that were written for this reader alone.
    copied: usize,
    /// By how much it is shorter without escapes.
    saved: usize,
}

impl MetaList {
    /// Adds messages that nothing goes with.
    pub(crate) fn push_nulls(&mut self, count: usize) {
        self.nulls += count;
    }

    /// Adds a message with what goes with it, as JSON.
    pub(crate) fn push(&mut self, json: &Bytes) {
        self.write_nulls();
        let piece = [LIST_SEPARATOR, json].concat();
        self.copied += piece.len();
        self.saved += piece.len() - utf8::unescaped_len(&piece);
        self.pieces.push(piece.into());
    }

    fn write_nulls(&mut self) {
        while self.nulls > 0 {
            let count = self.nulls.min(MANY);
            self.pieces.push(NULLS.slice(..count * NULL.len()));
            self.nulls -= count;
        }
    }

    /// The memory that it takes beside what it shares with others; each piece takes so much.
    pub(crate) fn own_bytes(&self, piece: usize) -> usize {
        self.copied + self.pieces.capacity() * piece
    }

    /// By how much it is shorter without escapes.
    pub(crate) fn saved(&self) -> usize {
        self.saved
    }

    /// The pieces, each element with a separator before it; `None` where nothing goes with any message.
    pub(crate) fn finish(mut self) -> Option<Vec<Bytes>> {
        if self.pieces.is_empty() {
            return None;
        }
        self.write_nulls();
        Some(self.pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_take_the_places_of_messages_that_nothing_goes_with() {
        for (before, after) in [(0, 0), (1, 0), (0, 3), (MANY, MANY + 1), (3 * MANY + 1, 1)] {
            let mut list = MetaList::default();
            list.push_nulls(before);
            list.push(&Bytes::from_static(b"{}"));
            list.push_nulls(after);
            let written = list.finish().unwrap().concat();
            let expected =
                [", null".repeat(before), ", {}".into(), ", null".repeat(after)].concat();
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
        let mut list = MetaList::default();
        list.push_nulls(5000);
        assert_eq!(list.finish(), None);
    }
}
