//! One frame of a subject, and the forgiving questions that cases ask of it.
//!
//! Every question understands the known dialects: `"true"` for `true`, one bare string where a list
//! belongs, objects with a name in `USER_LIST`, an error as a bare JSON string. The invariants look
//! at the same frame without mercy, so each habit is charged once and hides nothing.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{decoder::Body, message::Message, zstd};

/// The most values in one body: a history of 800,000 messages has fewer, and a body of nothing but
/// empty lists would take fifty times its size in memory.
const MOST_PARTS: usize = 4_000_000;

/// A frame as it arrived.
#[derive(Debug, Clone)]
pub struct Frame {
    /// When it was complete, counted from the beginning of the run.
    pub at: Duration,
    /// The body.
    pub body: Vec<u8>,
    /// The body as JSON; `None` when it is not.
    pub value: Option<Value>,
    /// The violation in its length.
    pub complaint: Option<String>,
    /// How it was compressed, if it was; the body is what was inside then.
    pub packed: Option<Packed>,
}

/// A compressed frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// How many bytes its body had.
    pub bytes: usize,
    /// What is wrong with it; then its body is as it came.
    pub wrong: Option<String>,
}

impl Frame {
    /// Reads a body.
    #[must_use]
    pub fn read(at: Duration, body: Body) -> Self {
        let parts = body.bytes.iter().filter(|byte| matches!(byte, b'[' | b'{' | b',')).count();
        let value =
            if parts > MOST_PARTS { None } else { serde_json::from_slice(&body.bytes).ok() };
        Self { at, body: body.bytes, value, complaint: body.complaint, packed: None }
    }

    /// The same on a connection on which compressed frames may come.
    #[must_use]
    pub fn read_packed(at: Duration, mut body: Body) -> Self {
        if !body.bytes.starts_with(&zstd::MAGIC) {
            return Self::read(at, body);
        }
        let mut packed = Packed { bytes: body.bytes.len(), wrong: None };
        match zstd::inflate(&body.bytes) {
            Ok(inflated) => body.bytes = inflated,
            Err(wrong) => packed.wrong = Some(wrong),
        }
        Self { packed: Some(packed), ..Self::read(at, body) }
    }

    /// The object, when the body is one.
    #[must_use]
    pub fn object(&self) -> Option<&Map<String, Value>> {
        self.value.as_ref()?.as_object()
    }

    /// The value of a key.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<&Value> {
        self.object()?.get(key)
    }

    /// The answer to `USERNAME`.
    #[must_use]
    pub fn accepted(&self) -> Option<bool> {
        match self.key("USERNAME_ACCEPTED")? {
            Value::Bool(answer) => Some(*answer),
            Value::String(word) if word.eq_ignore_ascii_case("true") => Some(true),
            Value::String(word) if word.eq_ignore_ascii_case("false") => Some(false),
            Value::Number(number) => Some(number.as_f64() != Some(0.0)),
            _ => None,
        }
    }

    /// The names of `USER_LIST`.
    #[must_use]
    pub fn user_list(&self) -> Option<Vec<String>> {
        self.names("USER_LIST")
    }

    /// The names of `USERS_JOINED`.
    #[must_use]
    pub fn joined(&self) -> Option<Vec<String>> {
        self.names("USERS_JOINED")
    }

    /// The names of `USERS_LEFT`.
    #[must_use]
    pub fn left(&self) -> Option<Vec<String>> {
        self.names("USERS_LEFT")
    }

    /// Every message that can be read.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.key("MESSAGES")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Message::read).collect())
            .unwrap_or_default()
    }

    /// The text of an error, as a bare string too.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        match self.value.as_ref()? {
            Value::String(text) => Some(text.clone()),
            Value::Object(object) => object.get("ERROR").map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
            _ => None,
        }
    }

    fn names(&self, key: &str) -> Option<Vec<String>> {
        Some(match self.key(key)? {
            Value::String(name) => vec![name.clone()],
            Value::Array(list) => list.iter().filter_map(name_of).collect(),
            Value::Object(map) => map.keys().cloned().collect(),
            _ => Vec::new(),
        })
    }
}

/// A name, also when it comes inside an object or a list: the first string that it holds, one
/// under a key that sounds like a name before all others.
fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(map) => map
            .iter()
            .find(|(key, value)| key.to_ascii_lowercase().contains("name") && value.is_string())
            .or_else(|| map.iter().find(|(_, value)| value.is_string()))
            .and_then(|(_, value)| value.as_str())
            .map(str::to_owned),
        Value::Array(list) => list.iter().find_map(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Frame {
        let body = Body { bytes: text.as_bytes().to_vec(), complaint: None };
        Frame::read(Duration::ZERO, body)
    }

    #[test]
    fn dialects_are_understood() {
        assert_eq!(frame(r#"{"USERNAME_ACCEPTED": "True"}"#).accepted(), Some(true));
        assert_eq!(frame(r#"{"USERNAME_ACCEPTED": false}"#).accepted(), Some(false));
        assert_eq!(frame(r#""no""#).error().as_deref(), Some("no"));
        assert_eq!(frame(r#"{"USERS_JOINED": "ann"}"#).joined().unwrap(), ["ann"]);
        let list = frame(r#"{"USER_LIST": [{"id": "7", "username": "ann"}, ["bob", 1], "cyd"]}"#);
        assert_eq!(list.user_list().unwrap(), ["ann", "bob", "cyd"]);
    }

    #[test]
    fn nonsense_gives_nothing() {
        let odd = frame(r#"{"MESSAGES": [1, ["a"], ["a", "b", 1, 2]], "USER_LIST": 7}"#);
        assert!(odd.messages().is_empty());
        assert_eq!(odd.user_list().unwrap(), Vec::<String>::new());
        assert_eq!(frame("xyz").accepted(), None);
    }
}
