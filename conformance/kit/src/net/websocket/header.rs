//! The header of a WebSocket frame (RFC 6455, section 5.2).

/// The first bit: the frame is the last one of its message.
const FIN: u8 = 0x80;
/// The three bits that extensions may use.
const RESERVED: u8 = 0x70;
/// The first bit of the length: the payload is masked.
const MASKED: u8 = 0x80;
/// A length of two bytes follows.
const TWO_BYTES: u8 = 126;
/// A length of eight bytes follows.
const EIGHT_BYTES: u8 = 127;
/// The longest header of a server: two bytes, and a length of eight.
pub(super) const LONGEST: usize = 10;
/// The longest payload of a frame that is no part of a message.
pub(super) const LONGEST_CONTROL: usize = 125;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    /// Goes on with the message of before.
    Continuation,
    /// Begins a message of text.
    Text,
    /// Begins a message of bytes.
    Binary,
    /// Ends the connection.
    Close,
    /// Wants a pong.
    Ping,
    /// The answer.
    Pong,
}

impl Opcode {
    const fn read(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    /// Whether the frame is none of a message.
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The first byte of a frame that is a whole message.
pub(super) const fn first_byte(opcode: Opcode) -> u8 {
    FIN | opcode.bits()
}

/// Writes the rest of the header of a client's frame: its length in as few bytes as it needs, and the mask.
pub(super) fn write_rest(length: u32, mask: [u8; 4], out: &mut Vec<u8>) {
    if let Some(short) = u8::try_from(length).ok().filter(|length| *length < TWO_BYTES) {
        out.push(MASKED | short);
    } else if let Ok(length) = u16::try_from(length) {
        out.push(MASKED | TWO_BYTES);
        out.extend(length.to_be_bytes());
    } else {
        out.push(MASKED | EIGHT_BYTES);
        out.extend(u64::from(length).to_be_bytes());
    }
    out.extend(mask);
}

/// A header as its bytes say it, right or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) reserved: bool,
    /// The bits, where they are no opcode.
    pub(super) opcode: Result<Opcode, u8>,
    pub(super) masked: bool,
    pub(super) length: u64,
    /// The length was written in as few bytes as it needs.
    pub(super) minimal: bool,
}

impl Header {
    /// Reads a header; `None` while bytes of it are missing. The mask of a header that says there is one is not read:
    /// no server masks.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else { return None };
        let (length, minimal) = match second & !MASKED {
            TWO_BYTES => {
                let length = u16::from_be_bytes(*rest.first_chunk()?);
                (u64::from(length), length >= u16::from(TWO_BYTES))
            }
            EIGHT_BYTES => {
                let length = u64::from_be_bytes(*rest.first_chunk()?);
                (length, length > u64::from(u16::MAX))
            }
            length => (u64::from(length), true),
        };
        let bits = first & 0x0F;
        Some(Self {
            fin: first & FIN != 0,
            reserved: first & RESERVED != 0,
            opcode: Opcode::read(bits).ok_or(bits),
            masked: second & MASKED != 0,
            length,
            minimal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_as_few_bytes_as_it_needs() {
        for (length, bytes) in [
            (0_u32, &[0x80][..]),
            (125, &[0xFD]),
            (126, &[0xFE, 0, 126]),
            (65_535, &[0xFE, 0xFF, 0xFF]),
            (65_536, &[0xFF, 0, 0, 0, 0, 0, 1, 0, 0]),
            (u32::MAX, &[0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ] {
            let mut out = vec![first_byte(Opcode::Text)];
            write_rest(length, [1, 2, 3, 4], &mut out);
            assert_eq!(out, [&[0x81], bytes, &[1, 2, 3, 4]].concat(), "{length}");
            let header = Header::read(&out).unwrap();
            assert_eq!((header.length, header.minimal), (length.into(), true));
            assert!(header.fin && header.masked && !header.reserved);
            // Without its last byte of the length it is no header yet.
            assert_eq!(Header::read(&out[..bytes.len()]), None);
        }
    }

    #[test]
    fn what_is_wrong_is_read_all_the_same() {
        assert!(!Header::read(&[0x81, 126, 0, 125]).unwrap().minimal);
        assert!(!Header::read(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]).unwrap().minimal);
        assert!(Header::read(&[0xC1, 0]).unwrap().reserved);
        assert_eq!(Header::read(&[0x83, 0]).unwrap().opcode, Err(3));
        assert_eq!(Header::read(&[0x81]), None);
    }
}
