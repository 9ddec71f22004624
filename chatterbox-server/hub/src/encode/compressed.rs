//! The second form of a batch: each of its frames compressed, where that is worth it (ZS-4).

use bytes::Bytes;
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

/// Frames of which at least one is compressed.
#[derive(Debug)]
pub(super) struct Compressed {
    /// In pieces, as plain ones.
    pub(super) pieces: Vec<Bytes>,
    /// What they take in memory.
    pub(super) bytes: usize,
}

/// Compresses the frames in some pieces one by one, since each stands for itself (ZS-1). `None` where all stay as they are.
pub(super) fn compress_frames(
    pieces: &[Bytes],
    compress: impl Fn(&[u8]) -> Option<Bytes>,
) -> Option<Compressed> {
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
    if !has_any {
        return None;
    }
    let pieces = in_pieces(frames);
    let bytes = pieces.iter().map(Bytes::len).sum();
    Some(Compressed { pieces, bytes })
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
        assert_eq!(compressed.pieces.concat(), expected);
        assert_eq!(compressed.bytes, expected.len());
        assert!(compress_frames(&pieces, |_| None).is_none());
    }
}
