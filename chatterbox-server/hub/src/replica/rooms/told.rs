//! What follows from a change of rooms for those who are told.

use chatterbox_proto::Username;

use crate::ids::{MemberId, RoomNumber};
use crate::record::RoomRef;
use crate::replica::rooms::definition::{AccountRef, RoomDefinition, RoomMember};
use crate::replica::rooms::departures::Departure;
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::wish::RoomDone;

/// A wish was granted.
#[derive(Debug)]
pub(crate) struct RoomsChanged {
    pub(crate) done: RoomDone,
    pub(crate) told: Vec<RoomTold>,
    /// What became true.
    pub(crate) records: Vec<RoomRecord>,
}

/// One thing that somebody is told of rooms.
#[derive(Debug)]
pub(crate) enum RoomTold {
    /// There is a room that was not there before.
    Made(RoomNumber),
    /// A connection is one of another account, or of none: it hears nothing any more of the rooms that are not its own now.
    AccountChanged { member: MemberId, left: Vec<RoomNumber>, entered: Vec<RoomNumber> },
    /// A room has another definition.
    Defined {
        room: RoomNumber,
        before: std::sync::Arc<RoomDefinition>,
        /// Whether its members were listed before.
        had_roster: bool,
    },
    /// Somebody is a member.
    Entered { room: RoomNumber, who: RoomMember, names: Vec<Username> },
    /// Somebody is not a member any more.
    Left { room: RoomRef, who: RoomMember, names: Vec<Username>, why: LeftWhy },
    /// A member has other names than before: their session began or ended under another one than that of the account (RM-8).
    Renamed { room: RoomNumber, left: Vec<Username>, joined: Vec<Username> },
    /// Members are listed from now on, or not any more (RM-10).
    RosterSwitched(RoomNumber),
    /// Levels of a room, or its owner, are others; maybe that of one account only.
    StaffChanged(RoomNumber, Option<AccountRef>),
    /// Somebody who is here has another level in a room, because they have another one on the server.
    LevelChanged(RoomNumber, MemberId),
    /// There is no such room any more; these were its members.
    Deleted { room: RoomRef, members: Vec<RoomMember>, by: String },
    /// Somebody was invited.
    Invited { room: RoomRef, who: RoomMember, by: String, until: i64 },
    /// An invitation was taken back.
    Uninvited { room: RoomRef, who: RoomMember, by: String },
}

/// A room that a resumed session is not in any more (RH-6).
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    pub(crate) room: RoomRef,
    pub(crate) code: &'static str,
    pub(crate) by: String,
    pub(crate) info: String,
}

impl From<&Departure> for Lost {
    fn from(departure: &Departure) -> Self {
        let Departure { room, code, by, info, .. } = departure;
        Self { room: room.clone(), code, by: by.clone(), info: info.clone() }
    }
}

/// Why somebody is not a member any more (RM-7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeftWhy {
    /// They wanted to leave.
    Left,
    /// Somebody removed them.
    Removed {
        /// `kicked` or `banned` (RM-7).
        code: &'static str,
        by: String,
        reason: String,
    },
    /// They are gone, or somebody else now: nobody is there to be told.
    Gone,
}
