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

/// Elements of META in a row, of which one at least is not null, each with a separator before it.
#[derive(Debug, Clone)]
pub(crate) struct MetaPart {
    json: Bytes,
    /// By how much it is shorter without escapes.
    saved: usize,
}

impl MetaPart {
    /// Takes elements that are written.
    pub(crate) fn new(json: Vec<u8>) -> Self {
        let saved = json.len() - utf8::unescaped_len(&json);
        Self { json: json.into(), saved }
    }

    /// The only element.
    pub(crate) fn one(json: &[u8]) -> Self {
        Self::new([LIST_SEPARATOR, json].concat())
    }
}

/// Writes elements of META for messages in a row.
#[derive(Debug, Default)]
pub(crate) struct MetaWriter {
    out: Vec<u8>,
    is_anything: bool,
}

impl MetaWriter {
    /// Adds messages that nothing goes with.
    pub(crate) fn push_nulls(&mut self, count: usize) {
        (0..count).for_each(|_| self.out.extend_from_slice(NULL));
    }

    /// Adds a message with what goes with it, as JSON.
    pub(crate) fn push(&mut self, json: &[u8]) {
        self.out.extend_from_slice(LIST_SEPARATOR);
        self.out.extend_from_slice(json);
        self.is_anything = true;
    }

    /// What was written; `None` where nothing goes with any message.
    pub(crate) fn finish(self) -> Option<MetaPart> {
        self.is_anything.then(|| MetaPart::new(self.out))
    }
}

/// A list of META that is being put together.
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

    /// Adds elements that other readers share.
    pub(crate) fn share(&mut self, part: MetaPart) {
        self.write_nulls();
        self.saved += part.saved;
        self.pieces.push(part.json);
    }

    /// Adds elements that were written for this reader.
    pub(crate) fn push(&mut self, part: MetaPart) {
        self.copied += part.json.len();
        self.share(part);
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
    fn elements_of_a_part_are_written_together() {
        let mut part = MetaWriter::default();
        part.push_nulls(2);
        assert!(MetaWriter { out: part.out.clone(), ..MetaWriter::default() }.finish().is_none());
        part.push(br#"{"MENTIONS": ["\u00e9"]}"#);
        part.push_nulls(1);
        let part = part.finish().unwrap();
        assert_eq!(&*part.json, br#", null, null, {"MENTIONS": ["\u00e9"]}, null"#);
        assert_eq!(part.saved, 4, "two bytes instead of six");
        let mut list = MetaList::default();
        list.share(part.clone());
        assert_eq!(list.own_bytes(0), 0, "shared");
        list.push(part.clone());
        assert_eq!((list.own_bytes(0), list.saved()), (part.json.len(), 8));
    }

    #[test]
    fn nulls_take_the_places_of_messages_that_nothing_goes_with() {
        for (before, after) in [(0, 0), (1, 0), (0, 3), (MANY, MANY + 1), (3 * MANY + 1, 1)] {
            let mut list = MetaList::default();
            list.push_nulls(before);
            list.push(MetaPart::one(b"{}"));
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
