//! The header of a WebSocket frame (RFC 6455, section 5.2).

/// A header has so many bytes, at most.
pub(super) const LONGEST: usize = 14;

/// The longest payload of a control frame.
pub(super) const CONTROL: usize = 125;

/// The final bit.
const FINAL: u8 = 0x80;

/// Bits that only an extension may set, and none is ever agreed to.
const RESERVED: u8 = 0x70;

/// The bit that says that a mask follows.
const MASKED: u8 = 0x80;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The header of a frame of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) is_final: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: [u8; 4],
    pub(super) length: u64,
}

/// A header that RFC 6455 does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a header of a WebSocket frame of a client")]
pub(super) struct BrokenHeader;

impl FrameHeader {
    /// How long a header is that begins so; what is not known yet is not counted.
    pub(super) fn size(begin: &[u8]) -> usize {
        match begin.get(1).map(|byte| byte & !MASKED) {
            None => 2,
            Some(126) => 2 + 2 + 4,
            Some(127) => 2 + 8 + 4,
            Some(_) => 2 + 4,
        }
    }

    /// Whether it is no part of a message.
    pub(super) fn is_control(&self) -> bool {
        matches!(self.opcode, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }

    /// Reads a whole header.
    ///
    /// # Errors
    /// [`BrokenHeader`]: no mask, a reserved bit or opcode, a length that is not written in its shortest form, or a control frame that is long or
    /// in parts.
    pub(super) fn parse(header: &[u8]) -> Result<Self, BrokenHeader> {
        let (&first, rest) = header.split_first().ok_or(BrokenHeader)?;
        let (&second, rest) = rest.split_first().ok_or(BrokenHeader)?;
        if first & RESERVED != 0 || second & MASKED == 0 {
            return Err(BrokenHeader);
        }
        let opcode = match first & 0x0f {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xa => Opcode::Pong,
            _ => return Err(BrokenHeader),
        };
        let (length, least, mask) = match second & !MASKED {
            126 => {
                let (length, mask) = rest.split_first_chunk().ok_or(BrokenHeader)?;
                (u64::from(u16::from_be_bytes(*length)), 126, mask)
            }
            127 => {
                let (length, mask) = rest.split_first_chunk().ok_or(BrokenHeader)?;
                (u64::from_be_bytes(*length), 1 << 16, mask)
            }
            length => (u64::from(length), 0, rest),
        };
        let is_final = first & FINAL != 0;
        let is_control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        if length < least
            || length > i64::MAX as u64
            || is_control && (!is_final || length > CONTROL as u64)
        {
            return Err(BrokenHeader);
        }
        let mask = mask.try_into().map_err(|_| BrokenHeader)?;
        Ok(Self { is_final, opcode, mask, length })
    }
}

/// The header of a frame of the server, which has no mask.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ServerHeader {
    bytes: [u8; 10],
    length: u8,
}

impl ServerHeader {
    /// Of a whole text message of so many bytes.
    pub(super) fn text(body: u32) -> Self {
        let mut bytes = [0; 10];
        let [first, second, rest @ ..] = &mut bytes;
        *first = FINAL | 0x1;
        let length = match (u8::try_from(body), u16::try_from(body)) {
            (Ok(short @ ..=125), _) => {
                *second = short;
                2
            }
            (_, Ok(length)) => {
                *second = 126;
                let [high, low, ..] = rest;
                [*high, *low] = length.to_be_bytes();
                4
            }
            _ => {
                *second = 127;
                *rest = u64::from(body).to_be_bytes();
                10
            }
        };
        Self { bytes, length }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// A whole control frame of the server; what is longer than it may be is cut.
pub(super) fn control(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let code = match opcode {
        Opcode::Pong => 0xa,
        Opcode::Ping => 0x9,
        _ => 0x8,
    };
    let payload = payload.get(..CONTROL).unwrap_or(payload);
    let length = u8::try_from(payload.len()).unwrap_or_default();
    let mut frame = Vec::with_capacity(2 + payload.len());
    frame.extend_from_slice(&[FINAL | code, length]);
    frame.extend_from_slice(payload);
    frame
}

/// Takes the mask off, whose first byte is for the byte at `offset`.
pub(super) fn unmask(bytes: &mut [u8], mut mask: [u8; 4], offset: usize) {
    mask.rotate_left(offset % 4);
    let (chunks, rest) = bytes.as_chunks_mut::<4>();
    for chunk in chunks {
        for (byte, mask) in chunk.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn parse(first: u8, rest: &[u8]) -> Result<FrameHeader, BrokenHeader> {
        let header = [&[first], rest, &MASK].concat();
        assert!(FrameHeader::size(&header[..1]) == 2 && FrameHeader::size(&header) == header.len());
        FrameHeader::parse(&header)
    }

    #[test]
    fn each_form_of_a_length_is_read() {
        for (rest, length) in [
            (&[0x80][..], 0),
            (&[0x80 | 125], 125),
            (&[0x80 | 126, 0, 126], 126),
            (&[0x80 | 126, 0xff, 0xff], 0xffff),
            (&[0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0], 0x1_0000),
            (&[0x80 | 127, 0, 0, 1, 0, 0, 0, 0, 0], 1 << 40),
        ] {
            let header = FrameHeader { is_final: true, opcode: Opcode::Text, mask: MASK, length };
            assert_eq!(parse(0x81, rest), Ok(header));
        }
    }

    #[test]
    fn what_the_protocol_forbids_is_broken() {
        for (first, rest) in [
            (0x83, &[0x80][..]),
            (0x8b, &[0x80]),
            (0xc1, &[0x80]),
            (0xa1, &[0x80]),
            (0x91, &[0x80]),
            // A control frame that goes on, and one that is too long.
            (0x09, &[0x80]),
            (0x89, &[0x80 | 126, 0, 126]),
            // Lengths that are not in their shortest form, and one that is negative.
            (0x81, &[0x80 | 126, 0, 125]),
            (0x81, &[0x80 | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
            (0x81, &[0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            assert_eq!(parse(first, rest), Err(BrokenHeader), "{first:#x} {rest:x?}");
        }
        assert_eq!(FrameHeader::parse(&[0x81, 1, 1, 2, 3, 4]), Err(BrokenHeader), "unmasked");
        assert_eq!(FrameHeader::parse(&[]), Err(BrokenHeader));
        assert_eq!(FrameHeader::parse(&[0x81, 0x80, 1]), Err(BrokenHeader));
    }

    #[test]
    fn a_mask_goes_on_where_it_was() {
        let text: Vec<u8> = (0..100).collect();
        let mut masked = text.clone();
        unmask(&mut masked, MASK, 0);
        assert_ne!(masked, text);
        for at in 0..text.len() {
            let mut split = masked.clone();
            let (one, two) = split.split_at_mut(at);
            unmask(one, MASK, 0);
            unmask(two, MASK, at);
            assert_eq!(split, text);
        }
    }
}
