//! Marks: how far the owner of an account has read a conversation (MK-1).

use std::borrow::Cow;

use chatterbox_proto::Username;
use serde::{Deserialize, Serialize};

use crate::ids::{MemberId, RoomNumber};
use crate::plain;
use crate::record::Sequence;
use crate::replica::rooms::definition::AccountRef;

/// A conversation that somebody reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Marked {
    /// What is said to all.
    Lobby,
    /// A room beside the lobby.
    Room(RoomNumber),
    /// The private messages between somebody and whoever has, or had, this name.
    User(#[serde(with = "plain::name")] Username),
}

/// Begins the key of a room. No name has a control character in it.
const ROOM: char = '\t';

impl Marked {
    /// A text that is the same for the same conversation of one user and for no other.
    pub fn key(&self) -> Cow<'_, str> {
        match self {
            Self::Lobby => Cow::Borrowed(""),
            Self::Room(number) => Cow::Owned(format!("{ROOM}{number}")),
            Self::User(name) => Cow::Borrowed(name.key()),
        }
    }

    /// The conversation of a key.
    pub fn of_key(key: &str) -> Self {
        let room = key.strip_prefix(ROOM).and_then(|number| number.parse().ok());
        match room {
            Some(number) => Self::Room(RoomNumber(number)),
            None if key.is_empty() => Self::Lobby,
            None => Self::User(Username::stored(key)),
        }
    }
}

impl PartialOrd for Marked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Marked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// How far an account has read a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// The account.
    pub account: AccountRef,
    /// The connection that says so, which need not be told.
    pub by: MemberId,
    /// The conversation.
    pub with: Marked,
    /// The number of the last message that was read.
    pub upto: Sequence,
}

impl ReadMark {
    /// The marks that one proposal tells of at most.
    pub const AT_ONCE: usize = 1024;

    pub(crate) fn key(&self) -> (i64, Marked) {
        (self.account.id, self.with.clone())
    }
}

/// A mark of an account, as it was read from the store.
pub type StoredMark = (Marked, Sequence);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_conversation_has_a_key_of_its_own() {
        let all = [
            Marked::Lobby,
            Marked::Room(RoomNumber(7)),
            Marked::Room(RoomNumber(70)),
            Marked::User(Username::stored("7")),
            Marked::User(Username::stored("Bob")),
        ];
        for (place, one) in all.iter().enumerate() {
            assert_eq!(Marked::of_key(&one.key()), *one);
            assert!(all.iter().skip(place + 1).all(|other| other.key() != one.key()));
        }
        assert_eq!(Marked::of_key("bob"), Marked::User(Username::stored("BOB")));
    }
}
