//! Writing JSON: ASCII only, into one buffer that is the frame.
//!
//! Several peers decode bodies as ASCII, so everything beyond it is escaped (JS-4). [`Object`] builds the frame in
//! place: four bytes are kept free for the length, members are appended, and [`Object::finish`] puts length and padding in.

use bytes::Bytes;
use serde_json::Value;

use crate::frame::{self, TooLong};
use crate::limits::PREFIX;

/// Appends `text` as a JSON string, ASCII only.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Appends the inside of a JSON string, without the quotes: a long text can be written piece by piece.
pub fn push_escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let push_unit = |out: &mut Vec<u8>, unit: u16| {
        out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            out.extend(HEX.get(usize::from(unit >> shift & 0xf)));
        }
    };
    let mut rest = text;
    while !rest.is_empty() {
        let (run, tail) = rest.split_at(plain_length(rest.as_bytes()));
        out.extend_from_slice(run.as_bytes());
        let mut chars = tail.chars();
        match chars.next() {
            None => {}
            Some('"') => out.extend_from_slice(b"\\\""),
            Some('\\') => out.extend_from_slice(b"\\\\"),
            Some('\n') => out.extend_from_slice(b"\\n"),
            Some('\r') => out.extend_from_slice(b"\\r"),
            Some('\t') => out.extend_from_slice(b"\\t"),
            Some(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    push_unit(out, *unit);
                }
            }
        }
        rest = chars.as_str();
    }
}

/// How many bytes at the beginning of these stand in a JSON string as they are. Behind a run of them they are looked at in blocks,
/// without a branch for each byte, which processors do many at a time: a piece of a file is 22 KB without anything to escape.
fn plain_length(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let is_plain = |byte: &u8| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=0x7f);
    let is_all_plain =
        |block: &&[u8]| block.iter().fold(true, |plain, byte| plain & is_plain(byte));
    let (first, rest) = bytes.split_at(bytes.len().min(BLOCK));
    if let Some(end) = first.iter().position(|byte| !is_plain(byte)) {
        return end;
    }
    let blocks = rest.chunks_exact(BLOCK).take_while(is_all_plain).count() * BLOCK;
    let last = rest.iter().skip(blocks).take_while(|byte| is_plain(byte)).count();
    first.len() + blocks + last
}

/// `text` as a JSON string of its own.
pub fn string(text: &str) -> Bytes {
    let mut out = Vec::new();
    push_string(&mut out, text);
    out.into()
}

/// Appends an integer.
pub fn push_integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends any value, ASCII only. The values are ours, so they are not deep.
pub fn push_value(out: &mut Vec<u8>, value: &Value) {
    let separate = |out: &mut Vec<u8>, first: &mut bool| {
        if !std::mem::take(first) {
            out.extend_from_slice(LIST_SEPARATOR);
        }
    };
    let mut first = true;
    match value {
        Value::String(text) => push_string(out, text),
        Value::Array(elements) => {
            out.push(b'[');
            for element in elements {
                separate(out, &mut first);
                push_value(out, element);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (key, member) in members {
                separate(out, &mut first);
                push_string(out, key);
                out.extend_from_slice(b": ");
                push_value(out, member);
            }
            out.push(b'}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            out.extend_from_slice(value.to_string().as_bytes());
        }
    }
}

/// One JSON object being written as the body of one frame.
#[derive(Debug)]
pub struct Object {
    out: Vec<u8>,
}

impl Object {
    /// An empty object, with room for `capacity` bytes of body.
    pub fn with_capacity(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(PREFIX + capacity + 2);
        out.extend_from_slice(&[0; PREFIX]);
        out.push(b'{');
        Self { out }
    }

    fn key(&mut self, key: &str) {
        if self.out.len() > PREFIX + 1 {
            self.out.extend_from_slice(b", ");
        }
        push_string(&mut self.out, key);
        self.out.extend_from_slice(b": ");
    }

    /// Adds a string.
    #[must_use]
    pub fn string(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        push_string(&mut self.out, value);
        self
    }

    /// Adds a value that is JSON already.
    #[must_use]
    pub fn json(mut self, key: &str, value: &[u8]) -> Self {
        self.key(key);
        self.out.extend_from_slice(value);
        self
    }

    /// Adds a boolean.
    #[must_use]
    pub fn boolean(mut self, key: &str, value: bool) -> Self {
        self.key(key);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    /// Adds an integer.
    #[must_use]
    pub fn integer(mut self, key: &str, value: i64) -> Self {
        self.key(key);
        push_integer(&mut self.out, value);
        self
    }

    /// Adds any value.
    #[must_use]
    pub fn value(mut self, key: &str, value: &Value) -> Self {
        self.key(key);
        push_value(&mut self.out, value);
        self
    }

    /// Adds members that are JSON already, as [`Object::into_members`] gives them.
    #[must_use]
    pub fn members(mut self, members: &[u8]) -> Self {
        if !members.is_empty() {
            if self.out.len() > PREFIX + 1 {
                self.out.extend_from_slice(LIST_SEPARATOR);
            }
            self.out.extend_from_slice(members);
        }
        self
    }

    /// Adds a list whose elements are JSON already.
    #[must_use]
    pub fn list<T: AsRef<[u8]>>(
        mut self,
        key: &str,
        elements: impl IntoIterator<Item = T>,
    ) -> Self {
        self.begin_list(key);
        self.elements(elements)
    }

    /// Adds a list whose key and elements are JSON already.
    #[must_use]
    pub fn list_behind<T: AsRef<[u8]>>(
        mut self,
        key: &[u8],
        elements: impl IntoIterator<Item = T>,
    ) -> Self {
        if self.out.len() > PREFIX + 1 {
            self.out.extend_from_slice(LIST_SEPARATOR);
        }
        self.out.extend_from_slice(key);
        self.out.extend_from_slice(b": [");
        self.elements(elements)
    }

    fn elements<T: AsRef<[u8]>>(mut self, elements: impl IntoIterator<Item = T>) -> Self {
        let mut first = true;
        for element in elements {
            if !first {
                self.out.extend_from_slice(LIST_SEPARATOR);
            }
            first = false;
            self.out.extend_from_slice(element.as_ref());
        }
        self.out.push(b']');
        self
    }

    /// Opens a list for a caller who writes its elements, the end of it and of the object elsewhere.
    pub fn begin_list(&mut self, key: &str) {
        self.key(key);
        self.out.push(b'[');
    }

    /// Closes the object: length, body and padding as one piece (FR-7).
    ///
    /// # Errors
    /// [`TooLong`] when the body does not fit a 4-byte length.
    pub fn finish(mut self) -> Result<Bytes, TooLong> {
        self.out.push(b'}');
        frame::seal(self.out)
    }

    /// How many bytes are written so far.
    pub const fn written(&self) -> usize {
        self.out.len()
    }

    /// The object as a value inside another one.
    pub fn into_value(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out.split_off(PREFIX)
    }

    /// The members without their braces, to stand in an object beside others.
    pub fn into_members(mut self) -> Bytes {
        self.out.split_off(PREFIX + 1).into()
    }

    /// What is written so far, behind the free place for the length, with nothing closed.
    ///
    /// For bodies whose end lies in shared buffers: the caller fills in [`frame::prefix`] of the whole.
    pub fn into_open(self) -> Vec<u8> {
        self.out
    }
}

/// What stands between two elements of a list.
pub const LIST_SEPARATOR: &[u8] = b", ";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strings_are_ascii_with_pairs_beyond_the_first_plane() {
        assert_eq!(&string("a\"b\\c\n\u{1}é👍")[..], br#""a\"b\\c\n\u0001\u00e9\ud83d\udc4d""#);
    }

    #[test]
    fn an_object_is_one_frame() {
        let frame = Object::with_capacity(0)
            .boolean("A", true)
            .string("B", "x")
            .list("C", ["1", "2"])
            .finish()
            .unwrap();
        assert_eq!(&frame[..], b"\0\0\0\x22{\"A\": true, \"B\": \"x\", \"C\": [1, 2]}");
        assert_eq!(&Object::with_capacity(0).finish().unwrap()[..], b"\0\0\0\x02{}");
    }

    #[test]
    fn objects_stand_in_and_beside_others() {
        let inner = Object::with_capacity(0).integer("n", -1).into_value();
        let members = Object::with_capacity(0).json("O", &inner).boolean("B", false).into_members();
        assert_eq!(&members[..], br#""O": {"n": -1}, "B": false"#);
        let whole = Object::with_capacity(0).members(b"").members(&members).members(&members);
        assert_eq!(
            whole.into_value(),
            br#"{"O": {"n": -1}, "B": false, "O": {"n": -1}, "B": false}"#
        );
    }

    #[test]
    fn any_value_is_written_in_ascii() {
        let value = serde_json::json!({"\u{e9}": [1, 2.5, null, true, "\u{1f44d}"], "x": {}});
        let mut out = Vec::new();
        push_value(&mut out, &value);
        assert!(out.is_ascii());
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), value);
    }

    proptest! {
        #[test]
        fn every_string_comes_back(text in any::<String>()) {
            let written = string(&text);
            prop_assert!(written.is_ascii() && written.iter().all(|byte| *byte >= b' '));
            prop_assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
        }

        #[test]
        fn what_is_plain_ends_anywhere(
            before in "[ -~]{0,100}",
            escaped in prop_oneof![Just("\""), Just("\\"), Just("\n"), Just("\u{7f}\u{80}"), Just("")],
            after in "[ -~]{0,100}",
        ) {
            let text = [before.as_str(), escaped, after.as_str()].concat();
            let written = string(&text);
            prop_assert!(written.is_ascii() && written.iter().all(|byte| *byte >= b' '));
            prop_assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
        }

        #[test]
        fn every_integer_comes_back(value in any::<i64>()) {
            let mut out = Vec::new();
            push_integer(&mut out, value);
            prop_assert_eq!(serde_json::from_slice::<i64>(&out).unwrap(), value);
        }
    }
}
