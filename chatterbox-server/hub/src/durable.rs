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
    /// All that is so of rooms where a node begins. It uses no number: messages that were said before may come behind it.
    Begin(Vec<RoomRecord>),
    /// An account was removed, and what was said to it goes, as all that rooms have of it. It uses no number, and done twice it is the same.
    AccountRemoved(i64),
}

impl Durable {
    /// Its number, if it has one.
    pub const fn number(&self) -> Option<Sequence> {
        match self {
            Self::Message(number, _) | Self::Rooms(number, _) => Some(*number),
            Self::Begin(_) | Self::AccountRemoved(_) => None,
        }
    }

    /// Whether it was not stored by somebody who has stored everything up to this number.
    pub fn is_new(&self, stored: Sequence) -> bool {
        self.number().is_none_or(|number| number > stored)
    }
}
