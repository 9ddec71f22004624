//! The bounds of a model.

/// The bounds of a model; what is older or was not used for longest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items of one conversation.
    pub items: usize,
    /// Items of all conversations.
    pub all_items: usize,
    /// Bytes of text of all conversations.
    pub bytes: usize,
    /// Conversations with users.
    pub users: usize,
    /// Rooms.
    pub rooms: usize,
}

impl Limits {
    /// Those of an ordinary session.
    pub const USUAL: Self =
        Self { items: 10_000, all_items: 50_000, bytes: 16 * 1024 * 1024, users: 200, rooms: 500 };
}
