//! Splits a byte stream into bodies, at any read boundary, also when a subject's lengths are wrong.
//!
//! A wrong length would put everything behind it out of step, and every later case would fail for
//! it. So a body that is not one JSON text is compared with where its JSON really ends; the decoder
//! goes on from there, and the complaint is charged to `inv.length` alone.

use serde::de::IgnoredAny;

use super::prefix::Prefix;

/// The largest body the suite takes; whoever announces more is not followed any further.
pub const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// How far behind its announced end a JSON text is looked for.
const LONGEST_OVERRUN: usize = 1024 * 1024;

/// One body, and what was wrong with its length.
#[derive(Debug, PartialEq, Eq)]
pub struct Body {
    /// The bytes behind the length.
    pub bytes: Vec<u8>,
    /// The violation of `FR-1` in its length; `None` when it was right.
    pub complaint: Option<String>,
}

/// The state of the decoder after the bytes so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A body is complete.
    Body(Body),
    /// More bytes are needed.
    More,
    /// A length above [`LARGEST_BODY`] was announced: nothing behind it can be understood.
    Absurd(u32),
}

/// How far the first JSON text of some bytes reaches.
enum Extent {
    Ends(usize),
    Unfinished,
    NotJson,
}

/// An incremental decoder for one direction of one connection.
#[derive(Debug)]
pub struct Decoder {
    prefix: Prefix,
    buffer: Vec<u8>,
    /// How many bytes there have to be before an unfinished text is looked at again: a subject that
    /// never finishes must not make the suite parse everything for every read.
    retry_at: usize,
}

impl Decoder {
    /// Starts at the beginning of a stream.
    #[must_use]
    pub const fn new(prefix: Prefix) -> Self {
        Self { prefix, buffer: Vec::new(), retry_at: 0 }
    }

    /// Takes bytes from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a frame has begun and is not complete.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Takes out the next body.
    pub fn step(&mut self) -> Step {
        let Some((head, rest)) = self.buffer.split_first_chunk::<4>() else { return Step::More };
        let announced = self.prefix.decode(*head);
        let Some(length) = usize::try_from(announced).ok().filter(|n| *n <= LARGEST_BODY) else {
            return Step::Absurd(announced);
        };
        let Some(body) = rest.get(..length) else { return Step::More };
        if length == 0 {
            return self.take(0, None);
        }
        match extent(body) {
            Extent::Ends(end) if body.iter().skip(end).all(u8::is_ascii_whitespace) => {
                self.take(length, None)
            }
            Extent::Ends(end) => {
                self.take(end, Some(format!("the length says {length}, the JSON has {end} bytes")))
            }
            Extent::NotJson => self.take(length, None),
            Extent::Unfinished if rest.len() < self.retry_at => Step::More,
            Extent::Unfinished => match extent(rest) {
                Extent::Ends(end) => self.take(
                    end,
                    Some(format!("the length says {length}, the JSON goes on to byte {end}")),
                ),
                _ if rest.len() > length.saturating_add(LONGEST_OVERRUN) => self.take(length, None),
                _ => {
                    self.retry_at = rest.len().saturating_mul(2);
                    Step::More
                }
            },
        }
    }

    /// Makes sense of what is left when nothing has come for a while: a length that was too long
    /// leaves a complete JSON text waiting for bytes that never come.
    pub fn flush(&mut self) -> Option<Body> {
        let (head, rest) = self.buffer.split_first_chunk::<4>()?;
        let length = usize::try_from(self.prefix.decode(*head)).ok()?;
        let step = match extent(rest) {
            Extent::Ends(end) if end < length => {
                self.take(end, Some(format!("the length says {length}, only {end} bytes came")))
            }
            _ if rest.len() >= length => self.take(length, None),
            _ => return None,
        };
        match step {
            Step::Body(body) => Some(body),
            _ => None,
        }
    }

    fn take(&mut self, length: usize, complaint: Option<String>) -> Step {
        self.retry_at = 0;
        let end = length.saturating_add(4).min(self.buffer.len());
        let mut bytes: Vec<u8> = self.buffer.drain(..end).collect();
        bytes.drain(..4.min(bytes.len()));
        Step::Body(Body { bytes, complaint })
    }
}

fn extent(bytes: &[u8]) -> Extent {
    let mut texts = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    match texts.next() {
        Some(Ok(_)) => Extent::Ends(texts.byte_offset()),
        Some(Err(error)) if error.is_eof() => Extent::Unfinished,
        None => Extent::Unfinished,
        Some(Err(_)) => Extent::NotJson,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(decoder: &mut Decoder) -> Vec<(String, bool)> {
        let mut bodies = Vec::new();
        while let Step::Body(body) = decoder.step() {
            bodies.push((String::from_utf8(body.bytes).unwrap(), body.complaint.is_some()));
        }
        bodies
    }

    #[test]
    fn any_split_gives_the_same_bodies() {
        let mut stream = Prefix::NETWORK.frame(br#"{"A": 1}"#);
        stream.extend(Prefix::NETWORK.frame(br#""bare""#));
        for at in 0..=stream.len() {
            let mut decoder = Decoder::new(Prefix::NETWORK);
            decoder.push(&stream[..at]);
            let mut bodies = drain(&mut decoder);
            decoder.push(&stream[at..]);
            bodies.extend(drain(&mut decoder));
            assert_eq!(bodies, [("{\"A\": 1}".into(), false), ("\"bare\"".into(), false)]);
        }
    }

    #[test]
    fn a_short_length_is_forgiven_and_reported() {
        let mut decoder = Decoder::new(Prefix::NETWORK);
        decoder.push(&[0, 0, 0, 5]);
        decoder.push(br#"{"A": 1}"#);
        decoder.push(&Prefix::NETWORK.frame(b"{}"));
        assert_eq!(drain(&mut decoder), [("{\"A\": 1}".into(), true), ("{}".into(), false)]);
    }

    #[test]
    fn a_long_length_is_forgiven_and_reported() {
        let mut decoder = Decoder::new(Prefix::NETWORK);
        decoder.push(&[0, 0, 0, 12]);
        decoder.push(br#"{"A": 1}"#);
        assert_eq!(decoder.step(), Step::More);
        assert!(decoder.flush().unwrap().complaint.is_some());
        assert!(!decoder.is_partial());
    }

    #[test]
    fn an_absurd_length_is_not_followed() {
        let mut decoder = Decoder::new(Prefix::NETWORK);
        decoder.push(&[0xFF; 8]);
        assert_eq!(decoder.step(), Step::Absurd(u32::MAX));
    }

    #[test]
    fn a_text_that_never_ends_is_given_up() {
        let mut decoder = Decoder::new(Prefix::NETWORK);
        decoder.push(&[0, 0, 0, 2]);
        let mut bodies = 0;
        for _ in 0..64 {
            decoder.push(&[b'['; 64 * 1024]);
            while let Step::Body(_) = decoder.step() {
                bodies += 1;
            }
        }
        assert!(bodies > 0);
    }

    #[test]
    fn no_bytes_are_too_strange() {
        let mut nonces = crate::nonce::Nonces::new(1, "decoder");
        for _ in 0..2_000 {
            let mut decoder = Decoder::new(Prefix::NETWORK);
            for _ in 0..4 {
                let strange = nonces.number().to_be_bytes().map(|byte| byte & 0x7F);
                decoder.push(&[0, 0, 0, strange[0] % 8]);
                decoder.push(&strange);
                while let Step::Body(body) = decoder.step() {
                    assert!(body.bytes.len() < 40);
                }
                decoder.flush();
            }
        }
    }

    #[test]
    fn junk_and_emptiness_are_bodies_too() {
        let mut decoder = Decoder::new(Prefix::NETWORK);
        decoder.push(&Prefix::NETWORK.frame(b"xyz"));
        decoder.push(&Prefix::NETWORK.frame(b""));
        decoder.push(&Prefix::NETWORK.frame(b"{\"half"));
        assert_eq!(drain(&mut decoder), [("xyz".into(), false), (String::new(), false)]);
        assert_eq!(decoder.flush().unwrap().bytes, b"{\"half");
    }
}
