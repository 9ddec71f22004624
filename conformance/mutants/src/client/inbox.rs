//! Bytes of the server to frames.

use conformance_kit::wire::prefix::Prefix;
use conformance_suite::fault::ClientFault;
use serde_json::{Map, Value};

use crate::faults::Faults;

/// The keys that a server of the base protocol sends.
pub(crate) const KNOWN: [&str; 7] =
    ["USERNAME_ACCEPTED", "INFO", "USER_LIST", "MESSAGES", "USERS_JOINED", "USERS_LEFT", "ERROR"];

/// One piece of the server's bytes.
pub(crate) enum Incoming {
    /// A frame.
    Frame(Map<String, Value>),
    /// A body that is no object.
    Junk,
    /// The client falls over.
    Raises(&'static str),
}

pub(crate) struct Inbox {
    buffer: Vec<u8>,
    /// How many reads have brought a part of the length that comes next.
    length_reads: usize,
    faults: Faults,
}

/// How this client writes and reads lengths.
pub(crate) fn prefix(faults: &Faults) -> Prefix {
    Prefix {
        little_endian: faults.acts(ClientFault::LittleEndian),
        counts_itself: faults.acts(ClientFault::LengthCountsItself),
    }
}

impl Inbox {
    pub(crate) const fn new(faults: Faults) -> Self {
        Self { buffer: Vec::new(), length_reads: 0, faults }
    }

    /// Takes what one read brought.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Incoming> {
        let f = self.faults.clone();
        if f.has(ClientFault::OneReadOneBody) {
            return self.one_body(bytes);
        }
        if self.buffer.is_empty() && bytes.len() < 4 && f.acts(ClientFault::SplitHeaderRaises) {
            return vec![Incoming::Raises("struct.error: unpack requires a buffer of 4 bytes")];
        }
        if self.buffer.len() < 4 {
            self.length_reads += 1;
        }
        self.buffer.extend_from_slice(bytes);
        if self.length_reads > 2 && f.acts(ClientFault::LengthInTwoReads) {
            return vec![Incoming::Raises("struct.error: unpack requires a buffer of 4 bytes")];
        }
        let mut frames = Vec::new();
        while let Some(body) = self.take() {
            self.length_reads = usize::from(!self.buffer.is_empty());
            frames.push(self.read(body));
            if !self.buffer.is_empty() && f.acts(ClientFault::SecondFrameDropped) {
                self.buffer.clear();
            }
        }
        if self.buffer.len() > 4 && f.acts(ClientFault::SplitBodyRaises) {
            return vec![Incoming::Raises("json.decoder.JSONDecodeError: Unterminated string")];
        }
        frames
    }

    fn one_body(&self, bytes: &[u8]) -> Vec<Incoming> {
        let length = bytes.first_chunk::<4>().map(|head| prefix(&self.faults).decode(*head));
        if length.and_then(|length| usize::try_from(length).ok())
            != Some(bytes.len().wrapping_sub(4))
        {
            let _ = self.faults.acts(ClientFault::OneReadOneBody);
        }
        vec![self.read(bytes.get(4..).unwrap_or_default().to_vec())]
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let f = &self.faults;
        let (head, rest) = self.buffer.split_first_chunk::<4>()?;
        let mut length = usize::try_from(prefix(f).decode(*head)).ok()?;
        if length > 0xFFFF && f.acts(ClientFault::CutsAt64KiB) {
            length &= 0xFFFF;
        }
        let mut skip = 0;
        if head.contains(&b'{') && f.acts(ClientFault::SearchesForBrace) {
            skip = 1;
        }
        let body = rest.get(..length)?.to_vec();
        self.buffer.drain(..length + 4);
        let mut found = b"{".repeat(skip);
        found.extend(body);
        Some(found)
    }

    fn read(&self, mut body: Vec<u8>) -> Incoming {
        let f = &self.faults;
        if !body.is_ascii() && f.acts(ClientFault::AsciiOnly) {
            return Incoming::Junk;
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        if text.contains("\\u") && f.acts(ClientFault::EscapesKept) {
            body = text.replace("\\u", "\\\\u").into_bytes();
        }
        if body.first().is_some_and(u8::is_ascii_whitespace)
            && f.acts(ClientFault::RefusesLeadingBlank)
        {
            return Incoming::Junk;
        }
        let brace = body.iter().position(|byte| *byte == b'}').map(|at| at + 1);
        if let Some(end) =
            brace.filter(|end| !body.get(*end..).unwrap_or_default().trim_ascii().is_empty())
            && f.acts(ClientFault::EndsAtBrace)
        {
            body.truncate(end);
        }
        let first = first_key(&body);
        if first.is_some_and(|key| !KNOWN.contains(&key.as_str()))
            && f.acts(ClientFault::UnknownKeyFirst)
        {
            return Incoming::Frame(Map::new());
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(object)) => Incoming::Frame(object),
            _ if f.acts(ClientFault::JunkRaises) => {
                Incoming::Raises("json.decoder.JSONDecodeError: Expecting value")
            }
            _ => Incoming::Junk,
        }
    }
}

/// The key that stands first in an object: a map in memory has forgotten it.
fn first_key(body: &[u8]) -> Option<String> {
    let inside = body.trim_ascii_start().strip_prefix(b"{")?;
    serde_json::Deserializer::from_slice(inside).into_iter::<String>().next()?.ok()
}
