//! Words that are written piece by piece: an output of many megabytes never exists twice, nor in its longer form.

use chatterbox_proto::{ScreenPieces, first_bytes, json};

use crate::output::Wire;

/// A piece of an output with one appearance. A line break stands in a span of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The meaning that the screen gives an appearance.
    pub role: Role,
    /// What is written.
    pub words: Words,
}

/// The meaning of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The text of a message, a table, a line break.
    Plain,
    /// Notices and times.
    Quiet,
    /// Errors and refusals.
    Alarm,
    /// Private recipients, and questions of the server.
    Private,
    /// The sender of a message.
    Sender,
    /// The mark of a message that is meant for the user.
    Mention,
}

/// Words that may be long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// This program's own words, safe to show; they are short.
    Own(String),
    /// Text from the network, which is made safe when it is written.
    Wire(ScreenPieces),
    /// Text from the network inside a JSON string, and the place of its next piece.
    Json(Wire, usize),
}

impl Words {
    /// Appends the next piece to a line: about `bytes` bytes of the text. Own words come whole.
    pub fn push_next(&mut self, line: &mut String, bytes: usize) {
        match self {
            Self::Own(words) => line.push_str(&std::mem::take(words)),
            Self::Wire(pieces) => pieces.push_next(line, bytes),
            Self::Json(text, at) => {
                let piece = first_bytes(text.as_wire().get(*at..).unwrap_or_default(), bytes);
                let mut escaped = Vec::with_capacity(piece.len());
                json::push_escaped(&mut escaped, piece);
                *at += piece.len();
                line.push_str(&String::from_utf8_lossy(&escaped));
            }
        }
    }

    /// The beginning of text from the network, as the screen shows it, of about so many bytes.
    pub fn peek(&self, bytes: usize) -> String {
        match self {
            Self::Wire(pieces) => pieces.peek(bytes).to_string(),
            Self::Own(_) | Self::Json(..) => String::new(),
        }
    }

    /// How many bytes of the text are left.
    pub fn left(&self) -> usize {
        match self {
            Self::Own(words) => words.len(),
            Self::Wire(pieces) => pieces.left(),
            Self::Json(text, at) => text.as_wire().len().saturating_sub(*at),
        }
    }

    /// All of it at once, for what is known to be short.
    pub(crate) fn whole(mut self) -> String {
        let mut line = String::new();
        while self.left() > 0 {
            self.push_next(&mut line, usize::MAX);
        }
        line
    }
}

impl From<&str> for Words {
    fn from(words: &str) -> Self {
        Self::Own(words.to_owned())
    }
}

impl From<String> for Words {
    fn from(words: String) -> Self {
        Self::Own(words)
    }
}

impl From<Wire> for Words {
    fn from(text: Wire) -> Self {
        Self::Wire(text.into())
    }
}

/// All spans as one text.
pub(crate) fn whole(spans: Vec<Span>) -> String {
    spans.into_iter().map(|span| span.words.whole()).collect()
}

/// Words with one appearance.
pub(crate) fn line<const N: usize>(role: Role, words: [Words; N]) -> Vec<Span> {
    words.into_iter().map(|words| Span { role, words }).collect()
}

/// `1 page`, `2 pages`.
pub(crate) fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
