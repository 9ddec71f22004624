//! One chat message as a subject sent it, read as far as it can be read.

use serde_json::Value;

/// `[SRC, DEST, TIMESTAMP, CONTENT]` (`T4-1`); the strings are what a tolerant client would show.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// SRC.
    pub src: String,
    /// DEST.
    pub dest: String,
    /// TIMESTAMP, whatever its type.
    pub time: Value,
    /// CONTENT.
    pub content: String,
}

impl Message {
    /// Reads a message from a list that has at least four elements with strings in the right
    /// places; that it has exactly four is for the invariants to judge.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let [src, dest, time, content, ..] = value.as_array()?.as_slice() else { return None };
        Some(Self {
            src: src.as_str()?.to_owned(),
            dest: dest.as_str()?.to_owned(),
            time: time.clone(),
            content: content.as_str()?.to_owned(),
        })
    }

    /// The time in seconds, when it is a number or a string that spells one.
    #[must_use]
    pub fn seconds(&self) -> Option<f64> {
        match &self.time {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        }
    }
}
