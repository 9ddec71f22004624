//! The writing half of a WebSocket: frames with a length in front become text messages.
//!
//! A frame of the server has no mask, so the bytes of a message are those that all its receivers share; nothing is copied. Only the length in front
//! is exchanged for a header. Frames may be cut anywhere between two writes, in their length as well.

use std::io::IoSlice;

use chatterbox_proto::limits::PREFIX;

use crate::gateway::web::frame_header::ServerHeader;

/// So many pieces are written together, at most: the pending bytes, and a header and a body for each of the small parts that a connection writes
/// together.
const TOGETHER: usize = 33;

/// A piece of what is going to be written.
#[derive(Debug, Clone, Copy)]
enum Piece<'b> {
    /// What is pending.
    Pending,
    /// A header, for so many bytes of a length, and the length of its body.
    Header { header: ServerHeader, taken: usize, body: u32 },
    /// Bytes of a body.
    Body(&'b [u8]),
    /// The beginning of a length, for which nothing is written yet.
    Length(&'b [u8]),
}

/// Encodes what the server sends.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// The first bytes of a length whose last ones have not come.
    length: [u8; PREFIX],
    have: usize,
    /// So many bytes of the body of the current frame are to come.
    left: u32,
    /// The rest of a header that was written partly, or control frames.
    pub(super) pending: Vec<u8>,
}

/// What can be written at once.
pub(super) struct Plan<'b> {
    pieces: [Option<Piece<'b>>; TOGETHER],
    count: usize,
}

impl Outgoing {
    /// Whether all messages that have begun are written, or pending, to their ends.
    pub(super) fn is_at_border(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// Plans a write of these bytes.
    pub(super) fn plan<'b>(&self, input: &'b [IoSlice<'b>]) -> Plan<'b> {
        let mut plan = Plan { pieces: [None; TOGETHER], count: 0 };
        if !self.pending.is_empty() {
            plan.push(Piece::Pending);
        }
        let (mut length, mut have, mut left) = (self.length, self.have, self.left);
        for slice in input {
            let mut rest: &[u8] = slice;
            while !rest.is_empty() {
                let piece;
                if left > 0 {
                    let most = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let (body, behind) = rest.split_at(most);
                    left -= u32::try_from(most).unwrap_or(left);
                    (piece, rest) = (Piece::Body(body), behind);
                } else {
                    let (begun, behind) = rest.split_at(rest.len().min(PREFIX - have));
                    if let Some(place) = length.get_mut(have..have + begun.len()) {
                        place.copy_from_slice(begun);
                    }
                    have += begun.len();
                    rest = behind;
                    if have < PREFIX {
                        piece = Piece::Length(begun);
                    } else {
                        (have, left) = (0, u32::from_be_bytes(length));
                        let header = ServerHeader::text(left);
                        piece = Piece::Header { header, taken: begun.len(), body: left };
                    }
                }
                if !plan.push(piece) {
                    return plan;
                }
            }
        }
        plan
    }

    /// Notes that so many bytes of a plan were written. Gives how many bytes of the input these are.
    pub(super) fn written(&mut self, plan: &Plan<'_>, mut written: usize) -> usize {
        let mut taken = 0;
        for piece in plan.pieces.iter().flatten() {
            match piece {
                Piece::Pending => {
                    let of_pending = written.min(self.pending.len());
                    self.pending.drain(..of_pending);
                    written -= of_pending;
                    if !self.pending.is_empty() {
                        return taken;
                    }
                    // Most of the time nothing is pending, and then nothing is kept for it.
                    self.pending = Vec::new();
                }
                Piece::Header { header, taken: of_length, body } => {
                    if written == 0 {
                        return taken;
                    }
                    (self.have, self.left) = (0, *body);
                    taken += of_length;
                    let header = header.bytes();
                    match header.get(written..) {
                        Some(rest @ [_, ..]) => {
                            self.pending = rest.to_vec();
                            return taken;
                        }
                        _ => written -= header.len(),
                    }
                }
                Piece::Body(body) => {
                    let of_body = written.min(body.len());
                    self.left -= u32::try_from(of_body).unwrap_or(self.left);
                    written -= of_body;
                    taken += of_body;
                    if of_body < body.len() {
                        return taken;
                    }
                }
                Piece::Length(begun) => {
                    if let Some(place) = self.length.get_mut(self.have..self.have + begun.len()) {
                        place.copy_from_slice(begun);
                        self.have += begun.len();
                    }
                    taken += begun.len();
                }
            }
        }
        taken
    }
}

impl<'b> Plan<'b> {
    fn push(&mut self, piece: Piece<'b>) -> bool {
        let place = self.pieces.get_mut(self.count);
        if let Some(place) = place {
            *place = Some(piece);
            self.count += 1;
        }
        self.count < TOGETHER
    }

    /// The bytes to write, in so many of these slices; `pending` are the pending ones of who made the plan.
    pub(super) fn fill<'s>(
        &'s self,
        pending: &'s [u8],
        slices: &mut [IoSlice<'s>; TOGETHER],
    ) -> usize {
        let bytes = self.pieces.iter().flatten().filter_map(|piece| match piece {
            Piece::Pending => Some(pending),
            Piece::Header { header, .. } => Some(header.bytes()),
            Piece::Body(body) => Some(body),
            Piece::Length(_) => None,
        });
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(bytes) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        count
    }
}

/// Slices for [`Plan::fill`].
pub(super) fn slices<'s>() -> [IoSlice<'s>; TOGETHER] {
    [IoSlice::new(&[]); TOGETHER]
}
