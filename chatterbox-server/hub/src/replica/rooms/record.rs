//! Records of the log about rooms: facts, each of which says what is so from here on.
//!
//! A wish is judged once, before it is stored, and becomes the records that are stored and applied. So whoever reads them
//! again comes to the same rooms, whatever rules hold by then.

use serde::{Deserialize, Serialize};

use crate::ids::RoomNumber;
use crate::level::Level;
use crate::record::Sequence;
use crate::replica::rooms::definition::{AccountRef, RoomDefinition, RoomMember};

/// What is so from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomRecord {
    /// There is such a room: a new one, or one that was there under this number with another definition. Number 0 is the lobby,
    /// of which topic, talk, slow and floor are used.
    Defined(Box<RoomDefinition>),
    /// There is no such room any more, and nothing of it: members, levels, invitations, messages (RM-14).
    Deleted(RoomNumber),
    /// Somebody is a member.
    Entered {
        /// Of which room.
        room: RoomNumber,
        /// Who.
        who: RoomMember,
        /// The greatest number of the log when they became one (SHOW `"joined"`).
        since: Sequence,
    },
    /// Somebody is not a member any more.
    Left {
        /// Of which room.
        room: RoomNumber,
        /// Who.
        who: RoomMember,
        /// Whether that is remembered, so that they do not become one again by themselves (RM-16).
        stays_out: bool,
    },
    /// An account has a level in a room, as a member or not; [`Level::GUEST`] is none.
    LevelSet {
        /// Which room.
        room: RoomNumber,
        /// Who.
        account: AccountRef,
        /// The level.
        level: Level,
    },
    /// Somebody may join once, although the room is closed or has a password (RM-13).
    Invited {
        /// Which room.
        room: RoomNumber,
        /// Who.
        who: RoomMember,
        /// By whom: the name of that moment.
        by: String,
        /// Until when, in seconds since 1970 UTC.
        until: i64,
    },
    /// An invitation does not count any more.
    Uninvited {
        /// Which room.
        room: RoomNumber,
        /// Who.
        who: RoomMember,
    },
    /// The room that an account begins in; `None` is the lobby (RM-5).
    DefaultSet {
        /// Whose.
        account: i64,
        /// Which room.
        room: Option<RoomNumber>,
    },
}

impl RoomRecord {
    /// Whether it has to outlive the process: what concerns guests ends with them.
    pub fn is_durable(&self) -> bool {
        match self {
            Self::Entered { who, .. }
            | Self::Left { who, .. }
            | Self::Invited { who, .. }
            | Self::Uninvited { who, .. } => matches!(who, RoomMember::Account(_)),
            Self::Defined(_)
            | Self::Deleted(_)
            | Self::LevelSet { .. }
            | Self::DefaultSet { .. } => true,
        }
    }
}
