//! One connection between the suite and a subject of either side, as frames.

mod inbox;
mod reader;
mod unread;
mod write;

pub(crate) use inbox::Inbox;
pub use inbox::Mark;
pub(crate) use reader::Observer;
pub(crate) use unread::Unread;
pub(crate) use write::write;
