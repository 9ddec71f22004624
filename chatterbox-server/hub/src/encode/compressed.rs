//! The second form of a batch: each of its frames compressed, where that is worth it (ZS-4).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use chatterbox_proto::capability::zstd;
use chatterbox_proto::limits::PREFIX;

use crate::encode::pieces::in_pieces;

/// For whom frames are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compressing {
    /// For nobody: something in them is private, or a secret (ZS-3).
    Never,
    /// For the second of those who take compressed frames, and all behind it. What only one gets is not worth the time.
    Shared,
    /// For the only one who gets them: a page.
    One,
}

/// So many who take compressed frames are worth compressing for.
const WANTED: u8 = 2;

/// The second form, as far as it is wanted, and made.
#[derive(Debug)]
pub(super) struct SecondForm {
    compressing: Compressing,
    /// How many who take compressed frames were handed the batch, as far as the first [`WANTED`] of them.
    takers: AtomicU8,
    /// The frames, if they were made and are shorter.
    made: OnceLock<Option<Box<[Bytes]>>>,
}

impl SecondForm {
    /// That of a batch of about so many bytes, which must not be compressed or may be.
    pub(super) fn new(compressing: Compressing, size: usize) -> Self {
        // What is short never is.
        let compressing = if size < zstd::WORTH { Compressing::Never } else { compressing };
        Self { compressing, takers: AtomicU8::new(0), made: OnceLock::new() }
    }

    /// Notes that one more who takes compressed frames is handed the batch, and says whether they are to be given this form. Only one
    /// at a time calls it.
    pub(super) fn hand_out(&self) -> bool {
        let takers = self.takers.load(Ordering::Relaxed);
        self.takers.store(WANTED.min(takers + 1), Ordering::Relaxed);
        self.is_wanted()
    }

    /// Whether somebody is to be given it.
    pub(super) fn is_wanted(&self) -> bool {
        match self.compressing {
            Compressing::Never => false,
            Compressing::Shared => self.takers.load(Ordering::Relaxed) >= WANTED,
            Compressing::One => true,
        }
    }

    /// Whether it was made.
    pub(super) fn is_made(&self) -> bool {
        self.made.get().is_some()
    }

    /// It, of these frames, which is made by the first call; or they, where it is not worth it.
    pub(super) fn of<'f>(
        &'f self,
        frames: &'f [Bytes],
        compress: impl Fn(&[u8]) -> Option<Bytes>,
    ) -> &'f [Bytes] {
        let make = || compress_frames(frames, compress).map(Vec::into_boxed_slice);
        self.made.get_or_init(make).as_deref().unwrap_or(frames)
    }
}

/// Compresses the frames in some pieces one by one, since each stands for itself (ZS-1), and gives them in pieces again. `None` where
/// all stay as they are.
fn compress_frames(
    pieces: &[Bytes],
    compress: impl Fn(&[u8]) -> Option<Bytes>,
) -> Option<Vec<Bytes>> {
    let mut frames = Vec::new();
    let mut has_any = false;
    for piece in pieces {
        let mut rest = piece.clone();
        while let Some(length) = rest.first_chunk::<PREFIX>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            // The frames are ours, and whole.
            let frame = rest.split_to(length.saturating_add(PREFIX).min(rest.len()));
            let compressed = compress(frame.get(PREFIX..).unwrap_or_default());
            has_any |= compressed.is_some();
            frames.push(compressed.unwrap_or(frame));
        }
    }
    has_any.then(|| in_pieces(frames))
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::frame;

    use super::*;

    #[test]
    fn frames_are_compressed_one_by_one_and_keep_their_order() {
        let plain =
            [b"first".as_slice(), b"second of them", b"3"].map(|b| frame::encode(b).unwrap());
        let pieces = [plain[..2].concat().into(), plain[2].clone()];
        let long = |body: &[u8]| (body.len() > 5).then(|| frame::encode(b"short").unwrap());
        let compressed = compress_frames(&pieces, long).unwrap();
        let short = frame::encode(b"short").unwrap();
        let expected = [&plain[0][..], &short, &plain[2]].concat();
        assert_eq!(compressed.concat(), expected);
        assert!(compress_frames(&pieces, |_| None).is_none());
    }
}
