//! What outlives the process of what was applied.

use crate::record::{Record, Sequence};
use crate::replica::rooms::record::RoomRecord;

/// Something that outlives the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Durable {
    /// A message that was accepted, as it is filed.
    Message(Sequence, Record),
    /// What has changed of rooms, under the number of the wish from which it follows.
    Rooms(Sequence, Vec<RoomRecord>),
}

impl Durable {
    /// Its number.
    pub const fn number(&self) -> Sequence {
        match self {
            Self::Message(number, _) | Self::Rooms(number, _) => *number,
        }
    }
}
