//! The four bytes in front of a body, in every dialect that a subject may speak.

use serde::{Deserialize, Serialize};

/// How a subject writes, or reads, the length in front of a body (`FR-1`, `FR-2`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// Least significant byte first.
    pub little_endian: bool,
    /// The length includes its own four bytes, which `FR-1` forbids.
    pub counts_itself: bool,
}

impl Prefix {
    /// The dialect of nearly every implementation: big-endian, the body alone.
    pub const NETWORK: Self = Self { little_endian: false, counts_itself: false };

    /// Every dialect, the ordinary one first.
    pub const ALL: [Self; 4] = [
        Self::NETWORK,
        Self { little_endian: true, counts_itself: false },
        Self { little_endian: false, counts_itself: true },
        Self { little_endian: true, counts_itself: true },
    ];

    /// Encodes a length; `None` when 32 bits do not hold it.
    #[must_use]
    pub fn encode(self, body: usize) -> Option<[u8; 4]> {
        let own = if self.counts_itself { 4 } else { 0 };
        let length = u32::try_from(body.checked_add(own)?).ok()?;
        Some(if self.little_endian { length.to_le_bytes() } else { length.to_be_bytes() })
    }

    /// The same; a body that 32 bits can't count gets the largest length.
    #[must_use]
    pub fn announce(self, body: usize) -> [u8; 4] {
        self.encode(body).unwrap_or([0xFF; 4])
    }

    /// Reads the length of the body that follows.
    #[must_use]
    pub fn decode(self, bytes: [u8; 4]) -> u32 {
        let length =
            if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        if self.counts_itself { length.saturating_sub(4) } else { length }
    }

    /// Puts a body behind its length; a body that 32 bits can't count gets the largest length.
    #[must_use]
    pub fn frame(self, body: &[u8]) -> Vec<u8> {
        let mut bytes = self.announce(body.len()).to_vec();
        bytes.extend_from_slice(body);
        bytes
    }

    /// Puts an object behind its length, and a space behind the object where the length would hold the
    /// byte 0x7B: some subjects search for `{`, and only the cases about that may find it out.
    #[must_use]
    pub fn frame_without_brace(self, object: &[u8]) -> Vec<u8> {
        let mut padded = object.to_vec();
        let trap = self.encode(object.len()).is_some_and(|bytes| bytes.contains(&b'{'));
        if trap && object.last() == Some(&b'}') {
            padded.push(b' ');
        }
        self.frame(&padded)
    }

    /// Names the dialect in words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match (self.little_endian, self.counts_itself) {
            (false, false) => "big-endian",
            (true, false) => "little-endian",
            (false, true) => "big-endian, counting itself",
            (true, true) => "little-endian, counting itself",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_reads_what_it_wrote() {
        for prefix in Prefix::ALL {
            for length in [0_usize, 1, 123, 70_000] {
                let bytes = prefix.encode(length).unwrap();
                assert_eq!(usize::try_from(prefix.decode(bytes)).unwrap(), length, "{prefix:?}");
            }
        }
        assert_eq!(Prefix::NETWORK.encode(usize::MAX), None);
    }
}
