//! Whole bodies, compressed and inflated at once.

use std::sync::{Mutex, PoisonError};

use ::zstd::bulk::{Compressor, Decompressor};
use bytes::Bytes;
use chatterbox_proto::capability::zstd::{self, BadZstd};
use chatterbox_proto::limits::PREFIX;

/// So many contexts of each kind are kept for the next frames: of about 1.3 MiB for compressing, and 0.2 MiB for inflating.
const KEPT: usize = 4;

/// Compresses and inflates, on as many threads as call it. The contexts of libzstd are kept: to make one takes as long as to
/// compress a short frame. Nothing of one frame gets into the next (ZS-3).
#[derive(Default)]
pub struct Codec {
    compressors: Pool<Compressor<'static>>,
    decompressors: Pool<Decompressor<'static>>,
}

impl Codec {
    /// A codec without contexts; it makes them when they are needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// A body as a compressed frame, if it is long enough and that saves a tenth (ZS-4).
    pub fn compressed(&self, body: &[u8]) -> Option<Bytes> {
        if body.len() < zstd::WORTH {
            return None;
        }
        let mut compressor =
            self.compressors.take().map_or_else(|| Compressor::new(zstd::LEVEL).ok(), Some)?;
        // What does not fit is not worth it.
        let mut buffer = vec![0; PREFIX + body.len() - body.len() / 10];
        let compressed =
            compressor.compress_to_buffer(body, buffer.get_mut(PREFIX..).unwrap_or_default());
        self.compressors.put(compressor);
        buffer.truncate(PREFIX + compressed.ok()?);
        buffer.shrink_to_fit();
        zstd::seal(buffer, body.len())
    }

    /// The body that a compressed one stands for, of at most `limit` bytes. It is allocated once, when header and blocks have
    /// said how long it is (ZS-2).
    ///
    /// # Errors
    /// [`BadZstd`] when it may not be inflated, or can't be.
    pub fn inflated(&self, body: &[u8], limit: usize) -> Result<Bytes, BadZstd> {
        let size = zstd::inflated_size(body, limit)?;
        let decompressor = self.decompressors.take().map_or_else(Decompressor::new, Ok);
        let mut decompressor = decompressor.map_err(|_| BadZstd::Malformed)?;
        let mut inflated = Vec::with_capacity(size);
        let written = decompressor.decompress_to_buffer(body, &mut inflated);
        self.decompressors.put(decompressor);
        match written {
            Ok(written) if written == size => Ok(inflated.into()),
            Ok(_) => Err(BadZstd::WrongSize),
            Err(_) => Err(BadZstd::Malformed),
        }
    }
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codec")
    }
}

/// Contexts that nobody uses at the moment.
struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T> Pool<T> {
    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, context: T) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(context);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn text(bytes: usize) -> Vec<u8> {
        let words = "the exercise is about frames, and nobody has read it yet; ";
        words.bytes().cycle().take(bytes).collect()
    }

    /// The body of a frame.
    fn body(frame: &Bytes) -> &[u8] {
        let (length, body) = frame.split_first_chunk::<PREFIX>().unwrap();
        assert_eq!(u32::from_be_bytes(*length) as usize, body.len());
        body
    }

    #[test]
    fn what_is_compressed_comes_back_and_says_its_size() {
        let codec = Codec::new();
        for bytes in [zstd::WORTH, 7_488, 65_536, 70_000, 743_000, LIMIT] {
            let plain = text(bytes);
            let frame = codec.compressed(&plain).unwrap();
            assert!(zstd::is_compressed(body(&frame)) && frame.len() < bytes / 2);
            assert_eq!(zstd::inflated_size(body(&frame), LIMIT), Ok(bytes));
            assert_eq!(codec.inflated(body(&frame), bytes).unwrap(), plain);
            assert_eq!(codec.inflated(body(&frame), bytes - 1), Err(BadZstd::TooLong));
        }
    }

    #[test]
    fn a_context_carries_nothing_into_the_next_frame() {
        let (codec, other) = (Codec::new(), Codec::new());
        let plain = text(5_000);
        let first = codec.compressed(&plain);
        assert!(first.is_some());
        assert_eq!(codec.compressed(&plain), first, "the same frame twice");
        assert_eq!(other.compressed(&plain), first);
    }

    #[test]
    fn what_is_short_or_does_not_shrink_stays_plain() {
        let codec = Codec::new();
        assert!(codec.compressed(&text(zstd::WORTH - 1)).is_none());
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(20_000)
        .collect();
        assert!(codec.compressed(&noise).is_none());
        assert!(codec.compressed(&text(20_000)).is_some(), "the context is still good");
    }

    /// 4 MiB of spaces in some 130 bytes, and a body that breaks off inside its blocks.
    #[test]
    fn a_bomb_is_refused_by_its_header_and_nonsense_by_the_codec() {
        let codec = Codec::new();
        let bomb = codec.compressed(&vec![b' '; 4 << 20]).unwrap();
        assert!(bomb.len() < 1000);
        assert_eq!(codec.inflated(body(&bomb), LIMIT), Err(BadZstd::TooLong));
        assert_eq!(codec.inflated(body(&bomb), 4 << 20).unwrap().len(), 4 << 20);
        let frame = codec.compressed(&text(5_000)).unwrap();
        let mut broken = body(&frame).to_vec();
        for at in broken.len() - 40..broken.len() {
            broken[at] ^= 0x55;
        }
        assert!(codec.inflated(&broken, LIMIT).is_err());
        assert!(codec.inflated(body(&frame), LIMIT).is_ok(), "the context is still good");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn any_body_comes_back(bytes in prop::collection::vec(97_u8..101, 1024..4000)) {
            let codec = Codec::new();
            if let Some(frame) = codec.compressed(&bytes) {
                prop_assert_eq!(codec.inflated(body(&frame), LIMIT).unwrap(), bytes);
            }
        }

        /// Bytes turned in a good frame: it is refused, or has the size that it says.
        #[test]
        fn a_damaged_body_never_gives_more_than_it_says(at in 0_usize..400, to in any::<u8>()) {
            let codec = Codec::new();
            let frame = codec.compressed(&text(3_000)).unwrap();
            let mut damaged = body(&frame).to_vec();
            let at = at % damaged.len();
            damaged[at] = to;
            if let Ok(inflated) = codec.inflated(&damaged, LIMIT) {
                prop_assert_eq!(Ok(inflated.len()), zstd::inflated_size(&damaged, LIMIT));
            }
        }
    }
}
