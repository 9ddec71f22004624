//! Large records: deflated on their way into the engine, so that one that is within our own bounds is within the engine's.
//!
//! Messages are written as ASCII, in which text of other scripts takes three times as much as it came with. A record that the
//! engine does not take could never be confirmed, and its node would wait for that for ever. Deflated, the largest one that a
//! client can cause is hardly larger than the frame that it came in.

use std::io::Read as _;

use async_nats::HeaderMap;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};

use crate::order::jetstream::connecting::PAYLOAD;

/// Records of so many bytes are deflated.
const FROM: usize = 1024 * 1024;

/// The bytes of the largest record: more than a group of posts can have. None is written that is not read.
const LARGEST: usize = 16 * 1024 * 1024;

/// The bytes of the largest record that the engine takes, without what is said of it. Every engine takes so much, so that what one does not take
/// none does: whether a record can be in the log never depends on when it is asked.
const LARGEST_PACKED: usize = PAYLOAD - 1024;

/// Says that a record is deflated, and how.
const HEADER: &str = "Chatterbox-Packed";

/// The only way there is.
const ZLIB: &str = "zlib";

/// A record on its way into the engine.
pub struct Packed {
    /// The bytes.
    pub payload: Bytes,
    /// What is said of them.
    pub headers: HeaderMap,
}

/// A record that can't be in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it has {bytes} bytes, {packed} when it is deflated, and at most {LARGEST} and {LARGEST_PACKED} are taken"
)]
pub struct TooLarge {
    bytes: usize,
    packed: usize,
}

/// Packs a record, if it is large and that makes it smaller.
///
/// # Errors
/// [`TooLarge`], for the same record always.
pub fn pack(record: Bytes) -> Result<Packed, TooLarge> {
    let bytes = record.len();
    if bytes > LARGEST {
        return Err(TooLarge { bytes, packed: bytes });
    }
    let packed = deflated(record);
    let size = packed.payload.len();
    if size > LARGEST_PACKED { Err(TooLarge { bytes, packed: size }) } else { Ok(packed) }
}

fn deflated(record: Bytes) -> Packed {
    let mut headers = HeaderMap::new();
    if record.len() >= FROM {
        let mut packed = Vec::new();
        let read = ZlibEncoder::new(&*record, Compression::fast()).read_to_end(&mut packed);
        if read.is_ok() && packed.len() < record.len() {
            headers.insert(HEADER, ZLIB);
            return Packed { payload: packed.into(), headers };
        }
    }
    Packed { payload: record, headers }
}

/// The record that was packed.
///
/// # Errors
/// Says why it can't be read.
pub fn unpack(payload: Bytes, headers: Option<&HeaderMap>) -> Result<Bytes, &'static str> {
    match headers.and_then(|headers| headers.get(HEADER)) {
        None => Ok(payload),
        Some(way) if way.as_str() == ZLIB => {
            let mut record = Vec::new();
            let mut decoder = ZlibDecoder::new(&*payload).take(LARGEST as u64 + 1);
            decoder.read_to_end(&mut record).map_err(|_| "it is not what was packed")?;
            if record.len() > LARGEST {
                return Err("it is larger than any that we write");
            }
            Ok(record.into())
        }
        Some(_) => Err("it is packed in a way that this version does not know"),
    }
}

/// Whether packing takes so long that nothing else should wait for it.
pub const fn takes_long(record: &Bytes) -> bool {
    record.len() >= FROM
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(record: Vec<u8>) -> usize {
        let record = Bytes::from(record);
        let Packed { payload, headers } = pack(record.clone()).unwrap();
        let size = payload.len();
        assert_eq!(unpack(payload, Some(&headers)).unwrap(), record);
        size
    }

    /// The largest frame is 4 MiB, and the engine takes 8 MiB.
    #[test]
    fn what_a_frame_becomes_fits_whatever_its_script_is() {
        let random = |index: u32| {
            index.wrapping_mul(2_654_435_761) ^ index.wrapping_mul(0x85eb_ca6b).rotate_left(13)
        };
        let scripts: [(u32, u32, u32); 4] =
            [(0x20, 95, 1), (0xa1, 0x700, 2), (0x4e00, 0x5000, 3), (0x20000, 0xa000, 4)];
        for (first, count, bytes) in scripts {
            let mut json = String::new();
            for index in 0..4 * 1024 * 1024 / bytes {
                let letter = char::from_u32(first + random(index) % count).unwrap();
                let mut units = [0; 2];
                if letter.is_ascii() {
                    json.push(letter);
                } else {
                    for unit in letter.encode_utf16(&mut units) {
                        json.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            }
            let size = round(json.into_bytes());
            assert!(size < 5 * 1024 * 1024, "U+{first:04x}: {size}");
        }
    }

    #[test]
    fn what_is_small_is_as_it_was() {
        assert_eq!(round(vec![0; FROM - 1]), FROM - 1);
        assert!(round(vec![0; FROM]) < 10_000);
        assert_eq!(unpack(Bytes::from_static(b"x"), None).unwrap(), "x");
    }

    #[test]
    fn what_nobody_could_read_or_take_is_not_packed() {
        assert_eq!(round(vec![0; LARGEST]), round(vec![0; LARGEST]));
        let too_large = pack(Bytes::from(vec![0; LARGEST + 1])).err().unwrap();
        assert_eq!(too_large, TooLarge { bytes: LARGEST + 1, packed: LARGEST + 1 });
        // Nothing makes these smaller.
        let mut state = 7_u64;
        let mut random = |bytes: usize| -> Bytes {
            (0..bytes)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state.to_le_bytes()[3]
                })
                .collect()
        };
        assert_eq!(round(random(LARGEST_PACKED).to_vec()), LARGEST_PACKED);
        let packed = LARGEST_PACKED + 1;
        assert_eq!(pack(random(packed)).err(), Some(TooLarge { bytes: packed, packed }));
    }

    #[test]
    fn what_is_not_ours_is_an_error_and_takes_little_memory() {
        let Packed { payload, headers } = deflated(Bytes::from(vec![0; LARGEST + 1]));
        assert!(payload.len() < 1024 * 1024);
        assert_eq!(
            unpack(payload.clone(), Some(&headers)).unwrap_err(),
            "it is larger than any that we write"
        );
        assert!(unpack(payload.slice(..1000), Some(&headers)).is_err());
        assert!(unpack(Bytes::from_static(b"nonsense"), Some(&headers)).is_err());
        let mut other = HeaderMap::new();
        other.insert(HEADER, "zstd");
        assert!(unpack(payload, Some(&other)).unwrap_err().contains("does not know"));
    }
}
