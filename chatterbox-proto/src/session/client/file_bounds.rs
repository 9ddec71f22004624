//! What the server takes of files, as its welcome says (CP-13).

use crate::capability::Limits;
use crate::limits;

/// The bounds that a welcome names; where it names none, those of the protocol hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FileBounds {
    /// The largest file in bytes.
    largest: Option<u64>,
    /// The longest piece of one in a frame, in bytes.
    chunk: Option<u64>,
}

impl FileBounds {
    pub(super) fn of(limits: Limits) -> Self {
        Self { largest: limits.file, chunk: limits.chunk }
    }

    /// The largest file in bytes.
    pub(super) fn largest(self) -> Option<u64> {
        self.largest
    }

    /// The bytes of a file that go into one frame.
    pub(super) fn chunk(self) -> usize {
        let told = self.chunk.and_then(|chunk| usize::try_from(chunk).ok());
        told.unwrap_or(limits::FILE_CHUNK).clamp(1, limits::FILE_CHUNK)
    }
}
