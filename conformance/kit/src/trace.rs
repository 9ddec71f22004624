//! The trace of one case: every event on the wire, in order, with its time.

use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{clock::Clock, escape};

/// The most bytes kept of one piece.
const LONGEST_PIECE: usize = 2_048;
/// The most pieces kept of one case: a subject that never stops must not fill the memory.
const MOST_PIECES: usize = 600;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A connection was opened.
    Opened,
    /// The suite wrote bytes.
    Sent,
    /// The subject wrote bytes.
    Received,
    /// A connection ended.
    Closed,
    /// The case waited for something, and it did not come.
    Missing,
    /// A remark of the suite.
    Note,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Microseconds since the run began.
    pub at: u64,
    /// Which connection, by the role of its user.
    pub connection: String,
    /// What happened.
    pub kind: Kind,
    /// How many bytes there were.
    pub length: usize,
    /// The first of them, in hexadecimal.
    pub hex: String,
    /// The same bytes as text, or the remark; escaped.
    pub text: String,
}

/// Records what happens in one case; clones write to the same trace.
#[derive(Debug, Clone)]
pub struct Trace {
    clock: Clock,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Trace {
    /// An empty trace.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, events: Arc::default() }
    }

    /// Records bytes.
    pub fn bytes(&self, connection: &str, kind: Kind, bytes: &[u8]) {
        let head = bytes.get(..LONGEST_PIECE).unwrap_or(bytes);
        let hex = head.iter().map(|byte| format!("{byte:02x}")).collect();
        self.push(connection, kind, bytes.len(), hex, escape::bytes(head, LONGEST_PIECE));
    }

    /// Records a remark.
    pub fn note(&self, connection: &str, kind: Kind, text: &str) {
        self.push(connection, kind, 0, String::new(), escape::visible(text));
    }

    /// Takes what was recorded.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The first bytes that came on a connection.
    #[must_use]
    pub fn received(&self, connection: &str) -> Vec<u8> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let came = |e: &&Event| e.kind == Kind::Received && e.connection == connection;
        events.iter().find(came).map(|event| unhex(&event.hex)).unwrap_or_default()
    }

    fn push(&self, connection: &str, kind: Kind, length: usize, hex: String, text: String) {
        let at = u64::try_from(self.clock.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() < MOST_PIECES {
            events.push(Event { at, connection: connection.to_owned(), kind, length, hex, text });
        }
    }
}

/// Bytes from their hexadecimal form, as far as it is one.
#[must_use]
pub fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map_while(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
