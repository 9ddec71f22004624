//! Targets: where something is said. A conversation is what was said at one target.

use chatterbox_proto::{ALL, RoomName, ScreenText};

/// Of a name so many characters are in a sentence.
const NAME: usize = 40;

/// The destination of a message: everybody, a room, or one user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// Everybody: the lobby.
    Lobby,
    /// A room, by its name with the sign.
    Room(String),
    /// One user, by name.
    User(String),
}

impl Target {
    /// The target as it is typed: `ALL`, `#room`, or a user's name, with `@` before it or not. Where there are no rooms, `rooms`
    /// is false and `#room` is a user of that name.
    pub fn parse(typed: &str, rooms: bool) -> Self {
        match typed.strip_prefix('@') {
            Some(user) if !user.is_empty() => Self::User(user.to_owned()),
            _ if typed == ALL => Self::Lobby,
            _ if rooms && RoomName::is_meant(typed) => Self::Room(typed.to_owned()),
            _ => Self::User(typed.to_owned()),
        }
    }

    /// The recipient on the wire: `ALL`, the room or the user.
    pub fn wire(&self) -> &str {
        match self {
            Self::Lobby => ALL,
            Self::Room(name) | Self::User(name) => name,
        }
    }

    /// The target in a sentence: `the lobby`, `#room`, `@user`.
    pub fn in_words(&self) -> ScreenText {
        match self {
            Self::Lobby => ScreenText::new("the lobby"),
            Self::Room(name) => ScreenText::shortened(name, NAME),
            Self::User(name) => ScreenText::shortened(&format!("@{name}"), NAME),
        }
    }

    /// Whether both are the same. Names that differ only in case are taken as one, as our server does; the protocol leaves it open
    /// (NM-4).
    pub fn is(&self, other: &Self) -> bool {
        self == other || self.folded() == other.folded()
    }

    /// What the same targets have in common.
    pub(crate) fn folded(&self) -> Self {
        match self {
            Self::Lobby => Self::Lobby,
            Self::Room(name) => Self::Room(name.to_lowercase()),
            Self::User(name) => Self::User(name.to_lowercase()),
        }
    }
}
