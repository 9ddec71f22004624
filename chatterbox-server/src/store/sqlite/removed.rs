//! What one step of cleaning has removed, so that it can be taken back.

use chatterbox_hub::{RoomNumber, Sender};
use rusqlite::CachedStatement;

/// What a step has removed.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// Public messages: numbers, senders and bytes.
    pub(super) public: Vec<(i64, Sender, u64)>,
    /// How many private ones.
    pub(super) private: usize,
    /// Messages of rooms: of which, and their bytes.
    pub(super) rooms: Vec<(RoomNumber, u64)>,
}

impl Removed {
    /// How many messages.
    pub(super) fn count(&self) -> usize {
        self.public.len() + self.private + self.rooms.len()
    }

    /// How many more a step of at most `most` may remove.
    pub(super) fn left(&self, most: usize) -> i64 {
        i64::try_from(most.saturating_sub(self.count())).unwrap_or(i64::MAX)
    }

    /// Deletes the public messages from this place on.
    pub(super) fn delete_since(
        &self,
        place: usize,
        delete: &mut CachedStatement<'_>,
    ) -> Result<(), rusqlite::Error> {
        for (id, ..) in self.public.iter().skip(place) {
            delete.execute([id])?;
        }
        Ok(())
    }
}
