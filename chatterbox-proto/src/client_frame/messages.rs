//! The messages of a frame, read a few at a time.
//!
//! A frame is judged as a whole before any of its messages counts, so all of it is read once; but only the first messages
//! are kept then. The others are read again out of the frame's bytes when their turn comes, so that what is kept beside a
//! frame does not grow with it.

use serde::de::DeserializeSeed as _;
use serde::{Deserialize, Deserializer};

use crate::code::Code;
use crate::entry::Entry;
use crate::fault::{Fault, Faults};
use crate::json::read::{ReadShape, ReadTuple, TupleShape, reading_failed};

/// How many messages are read at a time, at most.
pub const CHUNK_MESSAGES: usize = 32;

/// The bytes of JSON after which no further message is read at a time.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// The elements of `MESSAGES` (MM-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages<'a> {
    first: Option<Chunk<'a>>,
    rest: Elements<'a>,
    /// The index of the first element of the rest.
    next: usize,
    count: usize,
    faults: Faults,
}

/// Some messages that follow each other in their list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The valid messages, with their indices in the list.
    pub entries: Vec<(usize, Entry<'a>)>,
    /// The indices of the invalid elements, with the reasons (IV-5).
    pub refused: Vec<(usize, Code)>,
}

impl<'a> Messages<'a> {
    /// Reads the value of `MESSAGES`: all of it is checked, the first messages are kept.
    ///
    /// # Errors
    /// The outer one is a fault of the whole frame (JS-1, JS-5), the inner one [`Code::MessagesNotList`].
    pub(super) fn read(json: &'a str) -> Result<Result<Self, Code>, Code> {
        let Some(mut elements) = Elements::of(json) else {
            let mut reader = serde_json::Deserializer::from_str(json);
            ReadShape::MEMBER.deserialize(&mut reader).map_err(|error| reading_failed(&error))?;
            return Ok(Err(Code::MessagesNotList));
        };
        let mut index = 0;
        let first = Chunk::read(&mut elements, &mut index)?;
        let mut messages =
            Self { first: None, rest: elements, next: index, count: 0, faults: Faults::new() };
        for (index, code) in &first.refused {
            messages.faults.note(|| Fault::message(*index, *code));
        }
        while let Some(tuple) = elements.next() {
            if let Err(code) = Entry::from_tuple(tuple?) {
                messages.faults.note(|| Fault::message(index, code));
            }
            index += 1;
        }
        messages.rest.longest = elements.longest;
        (messages.first, messages.count) = (Some(first), index);
        Ok(Ok(messages))
    }

    /// How many elements the list has, valid or not.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The faults of all elements that are no messages (IV-5).
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Whether all of them have been taken.
    pub fn is_empty(&self) -> bool {
        self.first.is_none() && self.next >= self.count
    }

    /// How many bytes the next chunk is read from, at most.
    pub fn next_bytes(&self) -> usize {
        match self.first {
            Some(_) => 0,
            None => {
                let longest = self.rest.longest;
                let most = (CHUNK_MESSAGES * longest).min(CHUNK_BYTES + longest);
                most.min(self.rest.rest.len())
            }
        }
    }

    /// Takes the next few: at most [`CHUNK_MESSAGES`], and no more behind [`CHUNK_BYTES`].
    pub fn next_chunk(&mut self) -> Option<Chunk<'a>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if self.next >= self.count {
            return None;
        }
        let chunk = Chunk::read(&mut self.rest, &mut self.next);
        if chunk.is_err() {
            // The same bytes were read before, so this does not happen.
            self.next = self.count;
        }
        chunk.ok()
    }

    /// All valid messages, with their indices in the list.
    pub fn into_entries(mut self) -> Vec<(usize, Entry<'a>)> {
        std::iter::from_fn(|| self.next_chunk()).flat_map(|chunk| chunk.entries).collect()
    }
}

impl<'a> Chunk<'a> {
    fn read(elements: &mut Elements<'a>, index: &mut usize) -> Result<Self, Code> {
        let mut chunk = Self::default();
        let begin = elements.rest.len();
        for _ in 0..CHUNK_MESSAGES {
            if begin - elements.rest.len() >= CHUNK_BYTES {
                break;
            }
            let Some(tuple) = elements.next() else { break };
            match Entry::from_tuple(tuple?) {
                Ok(entry) => chunk.entries.push((*index, entry)),
                Err(code) => chunk.refused.push((*index, code)),
            }
            *index += 1;
        }
        Ok(chunk)
    }
}

/// The elements of a JSON list that are still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Elements<'a> {
    /// What is behind the bracket, or behind an element.
    rest: &'a str,
    /// The length of the longest element that was read, with what is around it.
    longest: usize,
}

impl<'a> Elements<'a> {
    /// The elements of a value, if it is a list.
    fn of(json: &'a str) -> Option<Self> {
        json.trim_start_matches(WHITE).strip_prefix('[').map(|rest| Self { rest, longest: 0 })
    }

    fn next(&mut self) -> Option<Result<TupleShape<'a>, Code>> {
        let rest = self.rest.trim_start_matches(WHITE);
        let rest = rest.strip_prefix(',').unwrap_or(rest);
        if rest.trim_start_matches(WHITE).starts_with(']') {
            return None;
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Element<'a>>();
        let value = values.next()?;
        let behind = rest.get(values.byte_offset()..).unwrap_or_default();
        self.longest = self.longest.max(self.rest.len() - behind.len());
        self.rest = behind;
        Some(value.map(|element| element.0).map_err(|error| reading_failed(&error)))
    }
}

/// The white space of JSON.
const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

struct Element<'a>(TupleShape<'a>);

impl<'a, 'de: 'a> Deserialize<'de> for Element<'a> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let within = ReadShape::MEMBER.inner()?;
        ReadTuple { within }.deserialize(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Messages<'_> {
        Messages::read(json).unwrap().unwrap()
    }

    #[test]
    fn many_messages_are_taken_a_few_at_a_time_and_none_is_left_out() {
        let one = r#"["a", "ALL", 1, "x"]"#;
        for count in [0, 1, 31, 32, 33, 64, 65, 1000] {
            let json = format!("[{}]", vec![one; count].join(" ,\n"));
            let mut messages = read(&json);
            assert_eq!(messages.count(), count);
            let mut seen = 0;
            while let Some(chunk) = messages.next_chunk() {
                assert!(chunk.entries.len() <= CHUNK_MESSAGES && chunk.refused.is_empty());
                for (index, entry) in chunk.entries {
                    assert_eq!((index, &*entry.content), (seen, "x"));
                    seen += 1;
                }
            }
            assert!(seen == count && messages.is_empty());
        }
    }

    #[test]
    fn what_is_kept_of_a_frame_does_not_grow_with_it() {
        let long = format!(r#"["a", "ALL", 1, "{}"]"#, "x".repeat(CHUNK_BYTES / 3));
        let json = format!("[{}]", vec![&*long; 40].join(","));
        let mut messages = read(&json);
        let mut chunks = 0;
        while let Some(chunk) = messages.next_chunk() {
            assert!(chunk.entries.len() <= 3);
            chunks += 1;
            assert!(messages.next_bytes() <= CHUNK_BYTES + long.len() + 1);
        }
        assert_eq!(chunks, 14);
        // Two bytes an element.
        let json = format!("[{}1]", "1,".repeat(100_000));
        let messages = read(&json);
        assert_eq!(
            (messages.count(), messages.first.as_ref().unwrap().refused.len()),
            (100_001, 32)
        );
        assert!(
            messages.faults().text().ends_with("and 99993 more"),
            "{}",
            messages.faults().text()
        );
    }

    proptest! {
        #[test]
        fn elements_are_those_of_the_list(
            elements in prop::collection::vec(
                prop_oneof![
                    Just(r#"["a", "b", 1, "c"]"#.to_owned()),
                    Just(r#" ["]", "[,", -1, "\"\\"]"#.to_owned()),
                    Just("{\"x\": [1, 2]}\n".to_owned()),
                    Just("null".to_owned()),
                    Just("-1.5e3".to_owned()),
                    Just("\"\\u00e9,\" ".to_owned()),
                    Just("[]".to_owned()),
                ],
                0..80,
            ),
        ) {
            let json = format!(" [{}] ", elements.join(","));
            let messages = read(&json);
            let valid = elements.iter().filter(|element| element.trim().matches(", ").count() >= 3).count();
            prop_assert_eq!(messages.count(), elements.len());
            prop_assert_eq!(messages.into_entries().len(), valid);
        }
    }
}
