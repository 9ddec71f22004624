//! Messages that belong together, for reading them back page by page (ID-6).

use chatterbox_proto::Username;

use crate::filing::{Party, conversation_key};
use crate::ids::RoomNumber;
use crate::record::Sequence;

/// A set of messages that can be paged through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// The messages to everybody.
    Public,
    /// The messages of a room, as far as somebody may read them.
    Room {
        /// Which room.
        room: RoomNumber,
        /// Only what has a greater number: what was cleared, or said before somebody joined, has not (RH-4).
        above: Sequence,
        /// Only the newest so many messages of the room (RH-2).
        newest: Option<u32>,
    },
    /// The private messages between two users, in both directions. Each may have messages under a name and under an account.
    Between(Vec<Party>, Vec<Party>),
}

impl Conversation {
    /// The private messages between two guests.
    pub fn between(one: &Username, other: &Username) -> Self {
        let party = |name: &Username| vec![Party::Guest(name.clone())];
        Self::Between(party(one), party(other))
    }

    /// The keys that its messages have, to look them up in a store; those of the lobby and of rooms have none.
    pub fn keys(&self) -> Vec<String> {
        let Self::Between(one, other) = self else { return Vec::new() };
        let pairs = one.iter().flat_map(|one| other.iter().map(move |other| (one, other)));
        let mut keys: Vec<_> =
            pairs.map(|(one, other)| conversation_key(&one.key(), &other.key())).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
