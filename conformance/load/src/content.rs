//! The text of every message of the tool: who sent it, which one it is, when it was to be sent, and
//! enough filling to reach the size that was asked for. A receiver that knows this can tell a
//! message that was altered, and needs no list of what is on its way.

use super::user_names::{NONCE, UserNames};

/// Microseconds in ten hexadecimal digits last for twelve days.
const TIME: usize = 10;
const SENDER: usize = 6;
const SEQUENCE: usize = 8;

/// The smallest text of a message: everything but the filling.
pub const SMALLEST: usize = 1 + NONCE + SENDER + SEQUENCE + TIME + 1;

/// The largest text, which every server that keeps to `LG-2` takes.
pub const LARGEST: usize = 1024 * 1024;

/// The purpose of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// It is for everybody, and measured.
    Public,
    /// It is for one user.
    Private,
    /// It fills the history before the run begins.
    History,
}

impl Purpose {
    const fn letter(self) -> u8 {
        match self {
            Self::Public => b'm',
            Self::Private => b'p',
            Self::History => b'h',
        }
    }

    const fn of(letter: u8) -> Option<Self> {
        match letter {
            b'm' => Some(Self::Public),
            b'p' => Some(Self::Private),
            b'h' => Some(Self::History),
            _ => None,
        }
    }
}

/// The facts in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub purpose: Purpose,
    pub sender: u32,
    /// How many the sender had sent before it.
    pub sequence: u32,
    /// When it was to be sent, in microseconds since the run began.
    pub micros: u64,
}

/// How a text is not what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strange {
    /// It is none of this run.
    NotOurs,
    /// It was one of this run, and is not as it was sent.
    Altered,
}

/// Writes and reads the texts of one run.
#[derive(Debug, Clone)]
pub struct Texts {
    nonce: [u8; NONCE],
    payload: usize,
    pattern: Vec<u8>,
}

/// The filling begins at another letter for each message: one with the filling of another is noticed.
const TURNS: usize = 61;

impl Texts {
    /// Texts of this many bytes, at least [`SMALLEST`].
    #[must_use]
    pub fn new(names: &UserNames, payload: usize) -> Self {
        let payload = payload.clamp(SMALLEST, LARGEST);
        let letters = b'A'..=b'Z';
        let pattern = letters.chain(b'a'..=b'z').chain(b'0'..=b'9').cycle().take(payload + TURNS);
        Self { nonce: *names.nonce(), payload, pattern: pattern.collect() }
    }

    /// Appends a text.
    pub fn write(&self, facts: Facts, out: &mut Vec<u8>) {
        out.push(facts.purpose.letter());
        out.extend_from_slice(&self.nonce);
        hexadecimal(u64::from(facts.sender), SENDER, out);
        hexadecimal(u64::from(facts.sequence), SEQUENCE, out);
        hexadecimal(facts.micros, TIME, out);
        out.push(b'.');
        out.extend_from_slice(self.filling(facts.sequence));
    }

    fn filling(&self, sequence: u32) -> &[u8] {
        let from = usize::try_from(sequence).unwrap_or_default() % TURNS;
        let length = self.payload.saturating_sub(SMALLEST);
        self.pattern.get(from..from.saturating_add(length)).unwrap_or_default()
    }

    /// Reads a text.
    ///
    /// # Errors
    /// When it is not one that this run sent.
    pub fn read(&self, text: &[u8]) -> Result<Facts, Strange> {
        let (letter, rest) = text.split_first().ok_or(Strange::NotOurs)?;
        let purpose = Purpose::of(*letter).ok_or(Strange::NotOurs)?;
        let rest = rest.strip_prefix(&self.nonce).ok_or(Strange::NotOurs)?;
        let (sender, rest) = number(rest, SENDER).ok_or(Strange::Altered)?;
        let (sequence, rest) = number(rest, SEQUENCE).ok_or(Strange::Altered)?;
        let (micros, rest) = number(rest, TIME).ok_or(Strange::Altered)?;
        let sender = u32::try_from(sender).map_err(|_| Strange::Altered)?;
        let sequence = u32::try_from(sequence).map_err(|_| Strange::Altered)?;
        if rest.strip_prefix(b".") != Some(self.filling(sequence)) {
            return Err(Strange::Altered);
        }
        Ok(Facts { purpose, sender, sequence, micros })
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn hexadecimal(number: u64, width: usize, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        let digit = usize::try_from((number >> (4 * place)) & 0xF).unwrap_or_default();
        out.extend(DIGITS.get(digit));
    }
}

fn number(text: &[u8], width: usize) -> Option<(u64, &[u8])> {
    let (digits, rest) = text.split_at_checked(width)?;
    let mut number = 0;
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        number = number << 4 | u64::from(value);
    }
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(sequence: u32) -> Facts {
        Facts { purpose: Purpose::Public, sender: 4_711, sequence, micros: 86_400_000_000 }
    }

    #[test]
    fn a_text_is_read_back_and_has_its_size() {
        let names = UserNames::new("ab3de");
        for payload in [0, SMALLEST, 64, 5_000] {
            let texts = Texts::new(&names, payload);
            for sequence in [0, 1, 60, 61, u32::MAX] {
                let mut text = Vec::new();
                texts.write(facts(sequence), &mut text);
                assert_eq!(text.len(), payload.max(SMALLEST));
                assert_eq!(texts.read(&text), Ok(facts(sequence)));
            }
        }
    }

    #[test]
    fn every_other_byte_is_noticed() {
        let texts = Texts::new(&UserNames::new("ab3de"), 96);
        let mut text = Vec::new();
        texts.write(facts(7), &mut text);
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 1;
            assert_ne!(texts.read(&other), Ok(facts(7)), "byte {at}");
        }
        assert_eq!(texts.read(&text[..text.len() - 1]), Err(Strange::Altered));
        assert_eq!(texts.read(b"hello"), Err(Strange::NotOurs));
        assert_eq!(texts.read(b""), Err(Strange::NotOurs));
    }
}
