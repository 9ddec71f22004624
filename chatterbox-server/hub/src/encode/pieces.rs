//! Frames put together for writing: each piece costs a write.

use bytes::{Bytes, BytesMut};

/// A piece of frames takes further ones up to this size: what fits one TLS record.
pub(super) const PIECE: usize = 16 * 1024;

/// Puts small neighbours together: somebody who comes and goes again and again makes a small frame each time.
pub(super) fn in_pieces(frames: Vec<Bytes>) -> Vec<Bytes> {
    if frames.len() < 2 {
        return frames;
    }
    let mut pieces = Vec::new();
    let mut small = BytesMut::new();
    for frame in frames {
        if small.len() + frame.len() > PIECE && !small.is_empty() {
            pieces.push(small.split().freeze());
        }
        if frame.len() > PIECE {
            pieces.push(frame);
        } else {
            small.extend_from_slice(&frame);
        }
    }
    if !small.is_empty() {
        pieces.push(small.freeze());
    }
    pieces
}
