//! `zstd`: compressed frames (ZS-1 to ZS-4).
//!
//! This file reads a compressed body as far as that can be done without inflating it: the header (RFC 8878, 3.1.1) and the
//! chain of blocks, which say how long the body is going to be and where it ends. So whoever inflates it allocates once, no
//! more than the limit, and never on the word of the header alone. Inflating and compressing are done elsewhere: this crate
//! has no codec.

use bytes::Bytes;

use crate::frame;
use crate::limits::PREFIX;

/// With these bytes a compressed body begins. No JSON does.
pub const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The largest window that is taken, in bytes (ZS-2).
pub const WINDOW: usize = 8 * 1024 * 1024;

/// A shorter body is not compressed, in bytes (ZS-4).
pub const WORTH: usize = 1024;

/// The level at which bodies are compressed (ZS-4).
pub const LEVEL: i32 = 3;

/// A block is no longer than this, compressed or inflated, in bytes.
const BLOCK: usize = 128 * 1024;

/// Whether a body is compressed.
pub fn is_compressed(body: &[u8]) -> bool {
    body.starts_with(&MAGIC)
}

/// Why a compressed body is not inflated (ZS-1, ZS-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.text())]
pub enum BadZstd {
    /// The header does not say how long it is inflated.
    NoSize,
    /// Inflated it would be longer than the limit.
    TooLong,
    /// The window is larger than [`WINDOW`].
    Window,
    /// It needs a dictionary.
    Dictionary,
    /// Something stands behind the one frame.
    Trailing,
    /// Inflated it is not as long as the header says.
    WrongSize,
    /// It is not a frame of zstd.
    Malformed,
}

impl BadZstd {
    /// The text for the user.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoSize => "a compressed frame has to say how long it is inflated",
            Self::TooLong => "the compressed frame would be longer than LIMITS.INFLATED allows",
            Self::Window => "the window of a compressed frame has at most 8 MiB",
            Self::Dictionary => "a compressed frame has no dictionary",
            Self::Trailing => "a compressed body is one zstd frame with nothing behind it",
            Self::WrongSize => "the compressed frame is not as long as its header says",
            Self::Malformed => "the compressed frame can't be read",
        }
    }
}

/// Looks at a compressed body and says how many bytes it has inflated: at most `limit`, and no more than its blocks can hold.
/// Whatever inflates it must give exactly so many.
///
/// # Errors
/// [`BadZstd`] when it may not be inflated (ZS-2).
pub fn inflated_size(body: &[u8], limit: usize) -> Result<usize, BadZstd> {
    let header = Header::read(body)?;
    if header.dictionary {
        return Err(BadZstd::Dictionary);
    }
    let size = header.size.ok_or(BadZstd::NoSize)?;
    let size = usize::try_from(size).ok().filter(|size| *size <= limit);
    let size = size.ok_or(BadZstd::TooLong)?;
    // Without a window of its own, a frame has all of it in sight.
    let window = header.window.unwrap_or(size as u64);
    let window = usize::try_from(window).ok().filter(|window| *window <= WINDOW);
    let window = window.ok_or(BadZstd::Window)?;
    let blocks = Blocks::walk(header.rest, window.min(BLOCK))?;
    let rest = if header.checksum { blocks.rest.get(4..) } else { Some(blocks.rest) };
    if !rest.ok_or(BadZstd::Malformed)?.is_empty() {
        return Err(BadZstd::Trailing);
    }
    if size < blocks.least || size > blocks.most {
        return Err(BadZstd::WrongSize);
    }
    Ok(size)
}

/// The header of a frame.
struct Header<'b> {
    window: Option<u64>,
    size: Option<u64>,
    dictionary: bool,
    checksum: bool,
    rest: &'b [u8],
}

impl<'b> Header<'b> {
    fn read(body: &'b [u8]) -> Result<Self, BadZstd> {
        let rest = body.strip_prefix(&MAGIC).ok_or(BadZstd::Malformed)?;
        let (descriptor, mut rest) = rest.split_first().ok_or(BadZstd::Malformed)?;
        let is_single = descriptor & 0x20 != 0;
        if descriptor & 0x08 != 0 {
            return Err(BadZstd::Malformed);
        }
        let window = if is_single { None } else { Some(window(number(&mut rest, 1)?)) };
        let dictionary = match descriptor & 3 {
            0 => 0,
            1 => number(&mut rest, 1)?,
            2 => number(&mut rest, 2)?,
            _ => number(&mut rest, 4)?,
        };
        let size = match descriptor >> 6 {
            0 if is_single => Some(number(&mut rest, 1)?),
            0 => None,
            1 => Some(number(&mut rest, 2)? + 256),
            2 => Some(number(&mut rest, 4)?),
            _ => Some(number(&mut rest, 8)?),
        };
        let (dictionary, checksum) = (dictionary != 0, descriptor & 4 != 0);
        Ok(Self { window, size, dictionary, checksum, rest })
    }
}

/// Takes a little-endian number of so many bytes, eight at most.
fn number(rest: &mut &[u8], bytes: usize) -> Result<u64, BadZstd> {
    let (number, behind) = rest.split_at_checked(bytes).ok_or(BadZstd::Malformed)?;
    *rest = behind;
    Ok(number.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

/// The size of a window: a power of two, and eighths of it.
fn window(descriptor: u64) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * (descriptor & 7)
}

/// The blocks of a frame.
struct Blocks<'b> {
    /// So many bytes come out of them at least, and at most.
    least: usize,
    most: usize,
    rest: &'b [u8],
}

impl<'b> Blocks<'b> {
    fn walk(mut rest: &'b [u8], longest: usize) -> Result<Self, BadZstd> {
        let (mut least, mut most) = (0_usize, 0_usize);
        loop {
            let header = number(&mut rest, 3)?;
            let size = usize::try_from(header >> 3).map_err(|_| BadZstd::Malformed)?;
            if size > BLOCK {
                return Err(BadZstd::Malformed);
            }
            if size > longest {
                return Err(BadZstd::WrongSize);
            }
            let (stored, (from, to)) = match header >> 1 & 3 {
                0 => (size, (size, size)),
                1 => (1, (size, size)),
                2 => (size, (0, longest)),
                _ => return Err(BadZstd::Malformed),
            };
            rest = rest.get(stored..).ok_or(BadZstd::Malformed)?;
            least = least.saturating_add(from);
            most = most.saturating_add(to);
            if header & 1 != 0 {
                return Ok(Self { least, most, rest });
            }
        }
    }
}

/// A compressed body as one frame, where it is worth it: shorter by a tenth than the body that it stands for (ZS-4), and of a
/// length that needs no padding, for which there is no room behind it (FR-7). The first bytes of `buffer` are kept free for
/// the length.
pub fn seal(mut buffer: Vec<u8>, plain: usize) -> Option<Bytes> {
    let length = worth(buffer.len().saturating_sub(PREFIX), plain)?;
    *buffer.first_chunk_mut::<PREFIX>()? = length;
    Some(buffer.into())
}

/// The length in front of a compressed body of so many bytes, where it is worth it; see [`seal`].
pub fn worth(compressed: usize, plain: usize) -> Option<[u8; PREFIX]> {
    if plain < WORTH || compressed > plain - plain / 10 {
        return None;
    }
    match frame::prefix(compressed) {
        Ok((length, 0)) => Some(length),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1 << 20;

    /// A frame with this descriptor, the other fields of its header, and blocks.
    fn body(descriptor: u8, fields: &[u8], blocks: &[u8]) -> Vec<u8> {
        [&MAGIC[..], &[descriptor], fields, blocks].concat()
    }

    /// A block with this header: whether it is the last one, its kind and its size.
    fn block(last: bool, kind: u32, size: u32, stored: &[u8]) -> Vec<u8> {
        let header = size << 3 | kind << 1 | u32::from(last);
        [&header.to_le_bytes()[..3], stored].concat()
    }

    fn raw(stored: &[u8]) -> Vec<u8> {
        block(true, 0, u32::try_from(stored.len()).unwrap(), stored)
    }

    const SINGLE: u8 = 0x20;

    #[test]
    fn the_size_is_read_and_bounded_before_anything_is_inflated() {
        let good = body(SINGLE, &[3], &raw(b"{} "));
        assert_eq!(inflated_size(&good, LIMIT), Ok(3));
        assert_eq!(inflated_size(&good, 3), Ok(3));
        assert_eq!(inflated_size(&good, 2), Err(BadZstd::TooLong));
        // A size of two bytes is 256 less than it says.
        let two = body(SINGLE | 0x40, &[44, 1], &block(true, 1, 556, b" "));
        assert_eq!(inflated_size(&two, LIMIT), Ok(556));
        let huge = body(SINGLE | 0xc0, &[0xff; 8], &raw(b"{}"));
        assert_eq!(inflated_size(&huge, usize::MAX), Err(BadZstd::Window));
        assert_eq!(inflated_size(&huge, LIMIT), Err(BadZstd::TooLong));
    }

    #[test]
    fn what_the_norm_forbids_is_named() {
        let bad = |body: Vec<u8>| inflated_size(&body, 64 << 20).unwrap_err();
        assert_eq!(bad(body(0, &[0], &raw(b"{}"))), BadZstd::NoSize);
        // A window of 8 MiB and an eighth; one of 8 MiB is taken.
        let windowed = |descriptor| body(0x80, &[descriptor, 2, 0, 0, 0], &raw(b"{}"));
        assert_eq!(bad(windowed(13 << 3 | 1)), BadZstd::Window);
        assert_eq!(inflated_size(&windowed(13 << 3), LIMIT), Ok(2));
        let single = body(SINGLE | 0x80, &(9_u32 << 20).to_le_bytes(), &raw(b"{}"));
        assert_eq!(bad(single), BadZstd::Window, "it has all of it in sight");
        assert_eq!(bad(body(SINGLE | 1, &[7, 2], &raw(b"{}"))), BadZstd::Dictionary);
        assert_eq!(
            inflated_size(&body(SINGLE | 1, &[0, 2], &raw(b"{}")), LIMIT),
            Ok(2),
            "0 is none"
        );
        let behind = [body(SINGLE, &[2], &raw(b"{}")), vec![0]].concat();
        assert_eq!(bad(behind), BadZstd::Trailing);
        let two = [body(SINGLE, &[2], &raw(b"{}")), body(SINGLE, &[2], &raw(b"{}"))].concat();
        assert_eq!(bad(two), BadZstd::Trailing);
        for size in [0, 1, 3, 200] {
            assert_eq!(bad(body(SINGLE, &[size], &raw(b"{}"))), BadZstd::WrongSize, "{size}");
        }
    }

    #[test]
    fn a_few_bytes_never_announce_more_than_their_blocks_can_hold() {
        let size = (1_u32 << 20).to_le_bytes();
        let one = body(SINGLE | 0x80, &size, &block(true, 2, 1, &[0]));
        assert_eq!(inflated_size(&one, LIMIT), Err(BadZstd::WrongSize));
        let blocks: Vec<u8> =
            (0..8).flat_map(|n| block(n == 7, 1, u32::try_from(BLOCK).unwrap(), b" ")).collect();
        assert_eq!(inflated_size(&body(SINGLE | 0x80, &size, &blocks), LIMIT), Ok(LIMIT));
    }

    #[test]
    fn half_a_frame_is_malformed() {
        let checked = [body(SINGLE | 4, &[2], &raw(b"{}")), vec![1, 2, 3, 4]].concat();
        assert_eq!(inflated_size(&checked, LIMIT), Ok(2));
        for length in 0..checked.len() {
            assert_eq!(
                inflated_size(&checked[..length], LIMIT),
                Err(BadZstd::Malformed),
                "{length}"
            );
        }
        assert_eq!(inflated_size(b"{}", LIMIT), Err(BadZstd::Malformed));
        assert_eq!(
            inflated_size(&body(SINGLE | 8, &[2], &raw(b"{}")), LIMIT),
            Err(BadZstd::Malformed)
        );
        assert_eq!(
            inflated_size(&body(SINGLE, &[2], &block(true, 3, 2, b"{}")), LIMIT),
            Err(BadZstd::Malformed)
        );
    }

    #[test]
    fn a_body_is_sent_compressed_only_where_that_is_worth_it() {
        let sealed = |compressed: usize, plain| seal(vec![1; PREFIX + compressed], plain);
        assert!(sealed(100, WORTH - 1).is_none());
        assert_eq!(sealed(100, WORTH).unwrap()[..PREFIX], [0, 0, 0, 100]);
        assert!(sealed(1801, 2000).is_none() && sealed(1800, 2000).is_some(), "a tenth");
        assert!(sealed(123, 2000).is_none(), "its length would be padded");
        assert!(sealed(0x7b00, 1 << 20).is_none() && sealed(0x7c00, 1 << 20).is_some());
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = inflated_size(&bytes, LIMIT);
            let _ = inflated_size(&[&MAGIC[..], &bytes].concat(), LIMIT);
        }
    }
}
