//! From frames behind their lengths to the messages of a client.

use super::header::{self, LONGEST_CONTROL, Opcode};

/// Cuts a stream of frames into messages, without holding any of it back: what is known of a header goes out.
#[derive(Debug, Default)]
pub struct Encoder {
    /// The bytes of the length that have come.
    length: Vec<u8>,
    /// The mask of the present frame, turned so that its first byte is the next to be used.
    mask: [u8; 4],
    /// How many bytes of its body are still to come.
    missing: u32,
}

impl Encoder {
    /// Whether a frame has begun and not ended: nothing else can be sent meanwhile.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        self.missing > 0 || !self.length.is_empty()
    }

    /// Takes bytes of the stream; `mask` makes up a mask for each frame.
    pub fn take(&mut self, mut bytes: &[u8], out: &mut Vec<u8>, mut mask: impl FnMut() -> [u8; 4]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.missing > 0 {
                let count = usize::try_from(self.missing).unwrap_or(usize::MAX).min(bytes.len());
                let (body, rest) = bytes.split_at(count);
                self.body(body, out);
                bytes = rest;
                continue;
            }
            if self.length.is_empty() {
                // Whatever the length will be, a message begins: a length in pieces is a header in pieces.
                out.push(header::first_byte(Opcode::Text));
            }
            self.length.push(*first);
            bytes = rest;
            if let Some(length) = self.length.first_chunk::<4>() {
                self.missing = u32::from_be_bytes(*length);
                self.length.clear();
                self.mask = mask();
                header::write_rest(self.missing, self.mask, out);
            }
        }
    }

    fn body(&mut self, body: &[u8], out: &mut Vec<u8>) {
        out.extend(body.iter().zip(self.mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.mask.rotate_left(body.len() % 4);
        let count = u32::try_from(body.len()).unwrap_or(u32::MAX);
        self.missing = self.missing.saturating_sub(count);
    }

    /// Writes a pong with the payload of its ping; nothing, and false, inside a frame.
    pub(super) fn pong(&self, payload: &[u8], mask: [u8; 4], out: &mut Vec<u8>) -> bool {
        self.control(Opcode::Pong, payload, mask, out)
    }

    /// Writes a close frame; nothing, and false, inside a frame.
    pub(super) fn close(&self, code: Option<u16>, mask: [u8; 4], out: &mut Vec<u8>) -> bool {
        let code = code.map(u16::to_be_bytes);
        self.control(Opcode::Close, code.as_ref().map_or(&[], |code| &code[..]), mask, out)
    }

    fn control(&self, opcode: Opcode, payload: &[u8], mask: [u8; 4], out: &mut Vec<u8>) -> bool {
        if self.is_inside() {
            return false;
        }
        let payload = payload.get(..LONGEST_CONTROL).unwrap_or(payload);
        out.push(header::first_byte(opcode));
        header::write_rest(u32::try_from(payload.len()).unwrap_or_default(), mask, out);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        true
    }
}
