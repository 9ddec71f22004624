//! A long body, compressed a piece at a time: whoever does that lets others go on in between.

use std::io;

use ::zstd::stream::raw::{Encoder, InBuffer, Operation as _, OutBuffer};
use bytes::Bytes;
use chatterbox_proto::capability::zstd;
use chatterbox_proto::limits::PREFIX;

/// The compressed body is kept in pieces of this size: each is free when it is written.
const PIECE: usize = 16 * 1024;

/// A body that is being compressed. Its context takes up to 4 MiB.
pub struct Stream {
    encoder: Encoder<'static>,
    plain: usize,
    /// What has come of it so far.
    taken: usize,
    scratch: Box<[u8]>,
    pieces: Vec<Bytes>,
    compressed: usize,
}

impl Stream {
    /// Begins with a body of exactly so many bytes; `None` where it is too short to be compressed (ZS-4).
    pub fn begin(plain: usize) -> Option<Self> {
        if plain < zstd::WORTH {
            return None;
        }
        let mut encoder = Encoder::new(zstd::LEVEL).ok()?;
        // So the header says the size (ZS-1).
        encoder.set_pledged_src_size(Some(plain as u64)).ok()?;
        let scratch = vec![0; PIECE].into();
        Some(Self { encoder, plain, taken: 0, scratch, pieces: Vec::new(), compressed: 0 })
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// libzstd has failed, or there are more bytes than there were to be.
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.taken += bytes.len();
        let mut input = InBuffer::around(bytes);
        while input.pos() < bytes.len() {
            let mut output = OutBuffer::around(&mut *self.scratch);
            self.encoder.run(&mut input, &mut output)?;
            let written = output.pos();
            self.keep(written);
        }
        Ok(())
    }

    fn keep(&mut self, written: usize) {
        if let Some(written) = self.scratch.get(..written).filter(|written| !written.is_empty()) {
            self.pieces.push(Bytes::copy_from_slice(written));
            self.compressed += written.len();
        }
    }

    /// Whether it may still save a tenth (ZS-4).
    pub const fn is_worth_it(&self) -> bool {
        self.compressed <= self.plain - self.plain / 10
    }

    /// The pieces of the frame, if that saves a tenth (ZS-4), and the whole body has come.
    pub fn finish(mut self) -> Option<Vec<Bytes>> {
        if self.taken != self.plain {
            return None;
        }
        loop {
            let mut output = OutBuffer::around(&mut *self.scratch);
            let left = self.encoder.finish(&mut output, true).ok()?;
            let written = output.pos();
            self.keep(written);
            if left == 0 {
                break;
            }
        }
        let length: [u8; PREFIX] = zstd::worth(self.compressed, self.plain)?;
        let mut pieces = vec![Bytes::copy_from_slice(&length)];
        pieces.append(&mut self.pieces);
        Some(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codec;

    #[test]
    fn pieces_are_one_frame_like_any_other() {
        for bytes in [2_000_usize, 40_000, 3 << 20] {
            let plain: Vec<u8> = (0..bytes).map(|n| b"abcdefgh \"[],"[(n * n / 7) % 13]).collect();
            let mut stream = Stream::begin(bytes).unwrap();
            for piece in plain.chunks(1000) {
                stream.push(piece).unwrap();
            }
            let frame = stream.finish().unwrap().concat();
            let (length, body) = frame.split_first_chunk::<PREFIX>().unwrap();
            assert_eq!(u32::from_be_bytes(*length) as usize, body.len());
            assert_eq!(Codec::new().inflated(body, bytes).unwrap(), plain);
        }
    }

    #[test]
    fn what_does_not_shrink_is_known_before_its_end() {
        let bytes = 4 << 20;
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(bytes)
        .collect();
        let mut stream = Stream::begin(bytes).unwrap();
        assert!(stream.is_worth_it());
        stream.push(&noise).unwrap();
        assert!(!stream.is_worth_it());
        assert!(stream.finish().is_none());
    }

    #[test]
    fn a_body_of_another_length_is_none() {
        assert!(Stream::begin(zstd::WORTH - 1).is_none());
        let mut short = Stream::begin(2_000).unwrap();
        short.push(&[b'x'; 1_999]).unwrap();
        assert!(short.finish().is_none());
        let mut long = Stream::begin(2_000).unwrap();
        assert!(long.push(&[b'x'; 2_001]).is_err() || long.finish().is_none());
    }
}
