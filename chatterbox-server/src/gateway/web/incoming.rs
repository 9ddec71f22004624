//! The reading half of a WebSocket: text messages become frames with a length in front.
//!
//! A message that comes in one WebSocket frame, which is how browsers send nearly all of theirs, says its length before its first byte. So it is
//! passed on as it comes, and is held back nowhere but in the decoder of frames, whose limits, budgets and deadlines hold for it. A message in
//! fragments has to be put together first, within the same limit.
//!
//! Bytes are decoded where they were read to, since a header is always longer than the length that replaces it.

use chatterbox_proto::limits::PREFIX;

use crate::gateway::web::close_code as code;
use crate::gateway::web::frame_header::{FrameHeader, LONGEST, Opcode, unmask};
use crate::gateway::web::utf8_check::Utf8Check;

/// The frames of the stream begin so far behind the bytes that were read: of a header, the first bytes may have come before, and nothing was written
/// for them.
pub(super) const HEADROOM: usize = PREFIX;

/// How the input has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The client has closed, with this code if it has said one.
    ByClient(Option<u16>),
    /// It has broken a rule.
    Broken(u16),
}

/// A WebSocket frame that has begun.
#[derive(Debug, Clone, Copy)]
struct Begun {
    header: FrameHeader,
    /// So many bytes of it were here.
    done: u64,
    /// Whether its bytes are passed on as they come.
    is_passed: bool,
}

/// Decodes what a client sends.
#[derive(Debug)]
pub(super) struct Incoming {
    /// The longest message that is passed on. Of a longer one only its length is, which is refused then.
    most: usize,
    header: [u8; LONGEST],
    have: usize,
    frame: Option<Begun>,
    /// The fragments of a message that are here, behind the place for its length.
    fragments: Option<Vec<u8>>,
    control: Vec<u8>,
    text: Utf8Check,
    is_discarding: bool,
    /// A message out of fragments, which goes before what comes after it.
    pub(super) whole: Option<Vec<u8>>,
    /// What the last ping has to be answered with.
    pub(super) pong: Option<Vec<u8>>,
    /// How many frames there were which are no part of a message, or an empty one.
    pub(super) idle_frames: u32,
    pub(super) ended: Option<Ended>,
}

impl Incoming {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            header: [0; LONGEST],
            have: 0,
            frame: None,
            fragments: None,
            control: Vec::new(),
            text: Utf8Check::default(),
            is_discarding: false,
            whole: None,
            pong: None,
            idle_frames: 0,
            ended: None,
        }
    }

    /// Whether a message of more than so many bytes has begun, and not ended. Who has not joined may send no longer one, and its length was refused
    /// when the connection ends behind it.
    pub(super) fn is_within(&self, bytes: usize) -> bool {
        self.frame.is_some_and(|frame| frame.is_passed && frame.header.length > bytes as u64)
    }

    /// How many bytes of fragments are held.
    pub(super) fn held(&self) -> usize {
        self.fragments.as_ref().map_or(0, Vec::len)
    }

    /// Whether a message was too long.
    pub(super) fn is_discarding(&self) -> bool {
        self.is_discarding
    }

    /// Closes for a broken rule.
    pub(super) fn fail(&mut self, code: u16) {
        self.ended.get_or_insert(Ended::Broken(code));
        self.fragments = None;
    }

    /// Decodes the bytes from `at` on into the beginning of the same buffer; `at` is [`HEADROOM`] at least. Gives how many bytes of frames were
    /// written, and up to where bytes were decoded: a message out of fragments has to be taken out before what comes after it.
    pub(super) fn decode(&mut self, buffer: &mut [u8], mut at: usize) -> (usize, usize) {
        let mut written = 0;
        while at < buffer.len() && self.whole.is_none() {
            if self.ended.is_some() || self.is_discarding {
                return (written, buffer.len());
            }
            match self.frame {
                None => at = self.read_header(buffer, at, &mut written),
                Some(frame) => at = self.read_payload(frame, buffer, at, &mut written),
            }
            if let Some(Begun { header, done, .. }) = self.frame
                && done == header.length
            {
                self.frame = None;
                self.frame_ends(header);
            }
        }
        (written, at)
    }

    /// Adds one byte to the header, and begins the frame if it is complete.
    fn read_header(&mut self, buffer: &mut [u8], at: usize, written: &mut usize) -> usize {
        if let (Some(place), Some(byte)) = (self.header.get_mut(self.have), buffer.get(at)) {
            *place = *byte;
            self.have += 1;
        }
        let here = self.header.get(..self.have).unwrap_or_default();
        if self.have == FrameHeader::size(here) {
            match FrameHeader::parse(here) {
                Ok(header) => self.begin(header, buffer, written),
                Err(_) => self.fail(code::PROTOCOL),
            }
            self.have = 0;
        }
        at + 1
    }

    fn begin(&mut self, header: FrameHeader, buffer: &mut [u8], written: &mut usize) {
        let mut frame = Begun { header, done: 0, is_passed: false };
        match (header.opcode, &self.fragments) {
            (Opcode::Binary, None) => return self.fail(code::UNSUPPORTED),
            (Opcode::Binary | Opcode::Text, Some(_)) | (Opcode::Continuation, None) => {
                return self.fail(code::PROTOCOL);
            }
            (Opcode::Text, None) => {
                if header.is_final || header.length > self.most as u64 {
                    frame.is_passed = true;
                    self.announce(header.length, buffer, written);
                } else {
                    self.fragments = Some(vec![0; PREFIX]);
                }
            }
            (Opcode::Continuation, Some(fragments)) => {
                let length = (fragments.len() - PREFIX) as u64 + header.length;
                if length > self.most as u64 {
                    self.fragments = None;
                    self.announce(length, buffer, written);
                }
            }
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => {}
        }
        if !frame.is_passed && (header.length == 0 || header.is_control()) {
            self.idle_frames += 1;
        }
        self.frame = Some(frame);
    }

    /// Writes the length of a message; what is too long for any frame is said to be as long as a frame can be.
    fn announce(&mut self, length: u64, buffer: &mut [u8], written: &mut usize) {
        self.is_discarding = length > self.most as u64;
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if let Some(place) = buffer.get_mut(*written..*written + PREFIX) {
            place.copy_from_slice(&length.to_be_bytes());
            *written += PREFIX;
        }
    }

    fn read_payload(
        &mut self,
        mut frame: Begun,
        buffer: &mut [u8],
        at: usize,
        written: &mut usize,
    ) -> usize {
        let left = usize::try_from(frame.header.length - frame.done).unwrap_or(usize::MAX);
        let end = buffer.len().min(at.saturating_add(left));
        let Some(piece) = buffer.get_mut(at..end) else { return end };
        // Only its last two bits count, for the place in the mask.
        unmask(piece, frame.header.mask, (frame.done % 4) as usize);
        match frame.header.opcode {
            Opcode::Text | Opcode::Continuation if !self.text.is_valid(piece) => {
                self.fail(code::NOT_TEXT);
                return end;
            }
            _ if frame.is_passed => {
                buffer.copy_within(at..end, *written);
                *written += end - at;
            }
            Opcode::Text | Opcode::Continuation => {
                if let Some(fragments) = &mut self.fragments {
                    fragments.extend_from_slice(piece);
                }
            }
            _ => self.control.extend_from_slice(piece),
        }
        frame.done += (end - at) as u64;
        self.frame = Some(frame);
        end
    }

    fn frame_ends(&mut self, header: FrameHeader) {
        match header.opcode {
            Opcode::Text | Opcode::Continuation if header.is_final => {
                if !self.text.ends() {
                    return self.fail(code::NOT_TEXT);
                }
                if let Some(mut message) = self.fragments.take() {
                    let length = u32::try_from(message.len() - PREFIX).unwrap_or(u32::MAX);
                    if let Some(place) = message.first_chunk_mut::<PREFIX>() {
                        *place = length.to_be_bytes();
                    }
                    self.whole = Some(message);
                }
            }
            Opcode::Ping => self.pong = Some(std::mem::take(&mut self.control)),
            Opcode::Pong => self.control = Vec::new(),
            Opcode::Close => {
                let payload = std::mem::take(&mut self.control);
                self.ended = Some(closed_by_client(&payload));
                self.fragments = None;
            }
            Opcode::Text | Opcode::Continuation | Opcode::Binary => {}
        }
    }
}

/// What the payload of a close frame says.
fn closed_by_client(payload: &[u8]) -> Ended {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() {
            Ended::ByClient(None)
        } else {
            Ended::Broken(code::PROTOCOL)
        };
    };
    let number = u16::from_be_bytes(*code);
    match number {
        1000..=1003 | 1007..=1014 | 3000..=4999 if std::str::from_utf8(reason).is_ok() => {
            Ended::ByClient(Some(number))
        }
        _ => Ended::Broken(code::PROTOCOL),
    }
}
