//! Length-prefixed frames: four bytes of length, big-endian, then the body (FR-1 to FR-7).
//!
//! [`Decoder`] takes bytes in whatever pieces they come and gives bodies. What it holds grows with the bytes that came,
//! never with the bytes that were announced, and a length above the limit is refused before anything is kept for it.

use bytes::{Buf, Bytes, BytesMut};

use crate::limits::PREFIX;

/// A frame that is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {announced} bytes is longer than the limit of {limit}")]
pub struct TooLong {
    /// The length of the body in bytes.
    pub announced: usize,
    /// The greatest length that is accepted.
    pub limit: usize,
}

/// Splits a stream of bytes into frames.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    limit: usize,
    /// The size of the allocation that the buffer is a part of, at most.
    held: usize,
    /// Bytes of a frame that is being discarded and that are still to come.
    discarding: usize,
}

/// An unfinished frame that takes less than this part of its allocation is copied out of it, unless that is small.
const SPARSE: usize = 4;
const SMALL: usize = 4096;

impl Decoder {
    /// A decoder that takes bodies of up to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), limit, held: 0, discarding: 0 }
    }

    /// The longest body in bytes that it takes.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Sets the limit for the frames to come.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Adds bytes as they came from the connection.
    pub fn push(&mut self, bytes: &[u8]) {
        let discarded = self.discarding.min(bytes.len());
        self.discarding -= discarded;
        self.buffer.extend_from_slice(bytes.get(discarded..).unwrap_or_default());
        self.held = self.held.max(self.buffer.capacity());
    }

    /// Discards the frame that is not complete: what is here of it now, and what is still to come of it as it comes. Frames
    /// behind it are read as ever.
    pub fn discard_frame(&mut self) {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX>() else { return };
        let announced = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        let here = self.buffer.len() - PREFIX;
        if announced <= self.limit && here < announced {
            self.discarding = announced - here;
            (self.buffer, self.held) = (BytesMut::new(), 0);
        }
    }

    /// Whether a frame is being discarded whose end has not come yet.
    pub fn is_discarding(&self) -> bool {
        self.discarding > 0
    }

    /// Takes the next whole body out, if there is one.
    ///
    /// # Errors
    /// [`TooLong`] when the length is above the limit (FR-5). The stream can't be followed any more; the same error is
    /// given for every further call.
    pub fn next_body(&mut self) -> Result<Option<Bytes>, TooLong> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX>() else {
            return Ok(self.none_yet());
        };
        // A length that does not fit a usize is above any limit.
        let announced = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if announced > self.limit {
            return Err(TooLong { announced, limit: self.limit });
        }
        if self.buffer.len() - PREFIX < announced {
            return Ok(self.none_yet());
        }
        self.buffer.advance(PREFIX);
        // An empty buffer keeps no allocation: thousands of connections are idle at any moment.
        let body = if self.buffer.len() == announced {
            self.held = 0;
            std::mem::take(&mut self.buffer)
        } else {
            self.buffer.split_to(announced)
        };
        Ok(Some(body.freeze()))
    }

    /// Whether [`Decoder::next_body`] has something to say: a whole frame is here, or one that is too long has begun.
    pub fn has_body(&self) -> bool {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX>() else { return false };
        let announced = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        announced > self.limit || self.buffer.len() - PREFIX >= announced
    }

    /// Copies what is left out of a much larger allocation: one byte of the next frame would keep the memory of a long one.
    fn none_yet(&mut self) -> Option<Bytes> {
        if self.held > SMALL && self.buffer.len() < self.held / SPARSE {
            self.buffer = BytesMut::from(&*self.buffer);
            self.held = self.buffer.capacity();
        }
        None
    }

    /// How many bytes of an unfinished frame are waiting.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes the decoder keeps allocated, at most.
    pub fn allocated(&self) -> usize {
        self.held
    }
}

/// The length for a body of `body` bytes, and how many spaces the body needs at its end.
///
/// No byte of the length may be `{`, since some receivers look for the body by searching that byte (FR-7).
///
/// # Errors
/// [`TooLong`] when the body does not fit a 4-byte length.
pub fn prefix(body: usize) -> Result<([u8; PREFIX], usize), TooLong> {
    const BRACE: u32 = b'{' as u32;
    let too_long = TooLong { announced: body, limit: u32::MAX as usize };
    let length = u32::try_from(body).map_err(|_| too_long)?;
    let mut padded = length;
    // From the high byte to the low one: raising a byte past 0x7B clears all below it, so one pass is enough.
    for shift in [24, 16, 8, 0] {
        if padded >> shift & 0xff == BRACE {
            padded = (padded >> shift).checked_add(1).map(|high| high << shift).ok_or(too_long)?;
        }
    }
    Ok((padded.to_be_bytes(), (padded - length) as usize))
}

/// Puts length and padding into a buffer whose first four bytes were kept free for it.
pub(crate) fn seal(mut buffer: Vec<u8>) -> Result<Bytes, TooLong> {
    let (length, padding) = prefix(buffer.len().saturating_sub(PREFIX))?;
    buffer.resize(buffer.len() + padding, b' ');
    if let Some(place) = buffer.first_chunk_mut::<PREFIX>() {
        *place = length;
    }
    Ok(buffer.into())
}

/// A body as one frame.
///
/// # Errors
/// [`TooLong`] when the body does not fit a 4-byte length.
pub fn encode(body: &[u8]) -> Result<Bytes, TooLong> {
    let mut buffer = Vec::with_capacity(PREFIX + body.len() + 1);
    buffer.extend_from_slice(&[0; PREFIX]);
    buffer.extend_from_slice(body);
    seal(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_length_byte_is_a_brace() {
        for body in (0..70_000).chain([0x7b_0000, 0x7b_7b7b, 0x7aff_ffff, 0x7b00_0000, 0x7b7b_7b7b])
        {
            let (length, padding) = prefix(body).unwrap();
            assert!(!length.contains(&b'{'), "{body:#x} -> {length:x?}");
            assert_eq!(u32::from_be_bytes(length) as usize, body + padding);
        }
        assert_eq!(prefix(122).unwrap().1, 0);
        assert_eq!(prefix(123).unwrap().1, 1);
        assert_eq!(prefix(0x7bff).unwrap().1, 1);
    }

    #[test]
    fn a_frame_of_123_bytes_gets_one_space() {
        let frame = encode(&[b'x'; 123]).unwrap();
        assert_eq!(frame.len(), 4 + 124);
        assert_eq!(frame.last(), Some(&b' '));
    }

    #[test]
    fn four_gibibytes_announced_allocate_nothing() {
        let mut decoder = Decoder::new(1 << 20);
        decoder.push(&u32::MAX.to_be_bytes());
        let before = decoder.allocated();
        assert_eq!(
            decoder.next_body(),
            Err(TooLong { announced: u32::MAX as usize, limit: 1 << 20 })
        );
        assert_eq!(decoder.allocated(), before);
        assert!(before < 1024);
    }

    #[test]
    fn an_empty_body_is_a_body() {
        let mut decoder = Decoder::new(10);
        decoder.push(&[0, 0, 0, 0]);
        assert_eq!(decoder.next_body(), Ok(Some(Bytes::new())));
        assert_eq!(decoder.next_body(), Ok(None));
    }

    #[test]
    fn a_byte_of_the_next_frame_does_not_keep_a_long_one() {
        let mut decoder = Decoder::new(1 << 20);
        let mut bytes = encode(&vec![b'x'; 900_000]).unwrap().to_vec();
        bytes.push(0);
        decoder.push(&bytes);
        assert_eq!(decoder.next_body().unwrap().unwrap().len(), 900_000);
        assert_eq!(decoder.next_body(), Ok(None));
        assert_eq!(decoder.pending(), 1);
        assert!(decoder.allocated() < 64, "{}", decoder.allocated());
        decoder.push(&encode(b"ok").unwrap()[1..]);
        assert_eq!(decoder.next_body().unwrap().unwrap(), "ok");
    }

    #[test]
    fn a_frame_is_discarded_and_the_next_one_is_read() {
        let stream = [encode(&[b'x'; 1000]).unwrap(), encode(b"ok").unwrap()].concat();
        for here in PREFIX..1000 {
            let mut decoder = Decoder::new(1 << 20);
            decoder.push(&stream[..here]);
            assert_eq!(decoder.next_body(), Ok(None));
            decoder.discard_frame();
            assert!(decoder.is_discarding() && decoder.pending() == 0);
            for piece in stream[here..].chunks(7) {
                assert_eq!(decoder.next_body(), Ok(None));
                decoder.push(piece);
            }
            assert_eq!(decoder.next_body().unwrap().unwrap(), "ok");
            assert!(!decoder.is_discarding());
        }
        // Nothing but a whole prefix says what is to be discarded.
        let mut decoder = Decoder::new(1 << 20);
        decoder.push(&stream[..2]);
        decoder.discard_frame();
        decoder.push(&stream[2..]);
        assert_eq!(decoder.next_body().unwrap().unwrap().len(), 1000);
    }

    #[test]
    fn a_long_frame_leaves_no_memory_behind() {
        let mut decoder = Decoder::new(1 << 20);
        decoder.push(&encode(&vec![b'x'; 900_000]).unwrap());
        drop(decoder.next_body().unwrap().unwrap());
        assert_eq!(decoder.allocated(), 0);
    }
}
