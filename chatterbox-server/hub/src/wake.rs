//! Who is woken by something that happened.

use crate::ids::{MemberId, RoomId};

/// Who has something to read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "whoever is not woken waits for ever"]
pub enum Wake {
    /// Everybody.
    All,
    /// Everybody, but it may wait a moment.
    AllSoon,
    /// The readers of a room beside the lobby.
    Room(RoomId),
    /// The same, but it may wait a moment.
    RoomSoon(RoomId),
    /// One member.
    One(MemberId),
    /// Nobody.
    Nobody,
}
