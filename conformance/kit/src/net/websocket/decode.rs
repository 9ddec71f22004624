//! From the messages of a server to frames behind their lengths.

use thiserror::Error;

use super::{
    close::Close,
    header::{Header, LONGEST, LONGEST_CONTROL, Opcode},
    text::Text,
};
use crate::wire::{decoder::LARGEST_BODY, prefix::Prefix};

/// What a server sends that is none of RFC 6455, or none of our protocol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the server broke WebSocket: {0}")]
pub struct Violation(String);

impl From<&str> for Violation {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// What comes between messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// A ping, which wants its payload back.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The end: nothing counts that comes behind it.
    Close(Close),
}

/// What is being read.
#[derive(Debug)]
enum State {
    /// The header of the next frame, as far as it has come.
    Head,
    /// A message in one frame, of which so much is missing. It is handed on as it comes: its length is known.
    Whole(u64),
    /// A part of a message in several frames, of which so much is missing, and whether it is the last.
    Part(u64, bool),
    /// A control frame, of which so much is missing.
    Control(Opcode, u64),
    /// Behind a close frame.
    Ended,
}

/// Reads a server's frames, whatever the borders of reads are.
///
/// It holds no more than a header, a control frame, and a message in several frames, which it does not take when it is
/// larger than [`LARGEST_BODY`].
#[derive(Debug)]
pub struct Decoder {
    state: State,
    head: Vec<u8>,
    /// The message that comes in several frames, once its first one has come.
    parts: Option<Vec<u8>>,
    control: Vec<u8>,
    text: Text,
}

impl Default for Decoder {
    fn default() -> Self {
        let (head, control) = (Vec::with_capacity(LONGEST), Vec::new());
        Self { state: State::Head, head, parts: None, control, text: Text::default() }
    }
}

impl Decoder {
    /// Whether a message or a frame has begun and not ended.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        match self.state {
            State::Head => !self.head.is_empty() || self.parts.is_some(),
            State::Ended => false,
            _ => true,
        }
    }

    /// Takes bytes of the connection, and writes what they mean into the stream of frames.
    ///
    /// # Errors
    /// At the first thing that no server may send; what came before it is in the stream.
    pub fn take(
        &mut self,
        mut bytes: &[u8],
        stream: &mut Vec<u8>,
        mut control: impl FnMut(Control),
    ) -> Result<(), Violation> {
        while let Some((first, behind)) = bytes.split_first() {
            match self.state {
                State::Head => {
                    self.head.push(*first);
                    bytes = behind;
                    let Some(header) = Header::read(&self.head) else { continue };
                    self.head.clear();
                    self.state = self.begin(header)?;
                    if let State::Whole(length) = self.state {
                        let length = usize::try_from(length).unwrap_or(usize::MAX);
                        stream.extend(Prefix::NETWORK.announce(length));
                    }
                }
                State::Whole(missing) => {
                    let piece = take(&mut bytes, missing);
                    self.check(piece)?;
                    stream.extend(piece);
                    self.state = State::Whole(less(missing, piece));
                }
                State::Part(missing, last) => {
                    let piece = take(&mut bytes, missing);
                    self.check(piece)?;
                    self.parts.get_or_insert_default().extend(piece);
                    self.state = State::Part(less(missing, piece), last);
                }
                State::Control(opcode, missing) => {
                    let piece = take(&mut bytes, missing);
                    self.control.extend(piece);
                    self.state = State::Control(opcode, less(missing, piece));
                }
                State::Ended => return Ok(()),
            }
            self.end(stream, &mut control)?;
        }
        Ok(())
    }

    /// What follows a header.
    fn begin(&self, header: Header) -> Result<State, Violation> {
        let opcode = header.opcode.map_err(|bits| Violation(format!("the opcode {bits}")))?;
        if header.reserved {
            return Err("a reserved bit, without an extension that was agreed on".into());
        }
        if header.masked {
            return Err("a masked frame: only clients mask".into());
        }
        if !header.minimal {
            return Err(Violation(format!(
                "a length of {} in more bytes than it needs",
                header.length
            )));
        }
        let length = header.length;
        if opcode.is_control() {
            if !header.fin {
                return Err("a control frame in parts".into());
            }
            if usize::try_from(length).map_or(true, |length| length > LONGEST_CONTROL) {
                return Err(Violation(format!("a control frame of {length} bytes")));
            }
            return Ok(State::Control(opcode, length));
        }
        match (opcode, &self.parts) {
            (Opcode::Binary, _) => return Err("a binary message: frames are text".into()),
            (Opcode::Continuation, None) => return Err("the continuation of no message".into()),
            (Opcode::Text, Some(_)) => return Err("a message inside another one".into()),
            _ => {}
        }
        if opcode == Opcode::Text && header.fin {
            // A length that no frame can have is judged where the lengths of frames are.
            return match u32::try_from(length) {
                Ok(_) => Ok(State::Whole(length)),
                Err(_) => Err(Violation(format!("a message of {length} bytes"))),
            };
        }
        let before = self.parts.as_ref().map_or(0, Vec::len);
        let fits = usize::try_from(length).is_ok_and(|length| length <= LARGEST_BODY - before);
        if !fits {
            return Err(Violation(format!("a message of more than {LARGEST_BODY} bytes in parts")));
        }
        Ok(State::Part(length, header.fin))
    }

    /// Ends what is complete.
    fn end(
        &mut self,
        stream: &mut Vec<u8>,
        control: &mut impl FnMut(Control),
    ) -> Result<(), Violation> {
        match self.state {
            State::Whole(0) => self.check_end()?,
            State::Part(0, true) => {
                self.check_end()?;
                let body = self.parts.take().unwrap_or_default();
                stream.extend(Prefix::NETWORK.frame(&body));
            }
            State::Part(0, false) => {
                self.parts.get_or_insert_default();
            }
            State::Control(opcode, 0) => {
                let payload = std::mem::take(&mut self.control);
                match opcode {
                    Opcode::Ping => control(Control::Ping(payload)),
                    Opcode::Close => {
                        let close = Close::read(&payload).map_err(Violation)?;
                        self.state = State::Ended;
                        control(Control::Close(close));
                        return Ok(());
                    }
                    _ => control(Control::Pong),
                }
            }
            _ => return Ok(()),
        }
        self.state = State::Head;
        Ok(())
    }

    fn check(&mut self, piece: &[u8]) -> Result<(), Violation> {
        if self.text.take(piece) { Ok(()) } else { Err("a text message that is no UTF-8".into()) }
    }

    fn check_end(&mut self) -> Result<(), Violation> {
        if self.text.end() {
            Ok(())
        } else {
            Err("a text message that ends inside a character".into())
        }
    }
}

/// Takes at most so many bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], most: u64) -> &'a [u8] {
    let count = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
    let (piece, rest) = bytes.split_at(count);
    *bytes = rest;
    piece
}

fn less(missing: u64, piece: &[u8]) -> u64 {
    missing.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX))
}
