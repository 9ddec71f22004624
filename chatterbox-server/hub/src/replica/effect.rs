//! Effects: what follows from a proposal that was accepted, for whoever has to tell the members of one node.

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::{Exclusion, Refusal, Username};

use crate::identity::Identity;
use crate::ids::RoomNumber;
use crate::ids::{MemberId, SessionProof};
use crate::mark::ReadMark;
use crate::record::{Record, RoomRef, Sequence};
use crate::removal::Removal;
use crate::replica::moderation_act::{ModerationDone, ModerationRefusal};
use crate::replica::presence::Stale;
use crate::replica::proposal::Old;

use crate::replica::rooms::told::{Lost, RoomTold, RoomsChanged};
use crate::replica::rooms::wish::RoomRefusal;
use crate::replica::tell::Tell;

/// What follows from a proposal that was accepted.
#[derive(Debug)]
#[must_use = "nobody is told otherwise"]
pub(crate) enum Effect {
    /// Nobody is told anything: a node has started or is alive, or nodes store something.
    Nothing,
    /// A node has ended, and these were its members.
    Down(Vec<Left>),
    /// Somebody is here.
    Joined(Joined),
    /// Somebody is not here any more.
    Left(Left),
    /// One of several devices has logged out, and is not here any more. What it is answered is on its way to it still.
    LoggedOut(Left),
    /// Somebody has another name.
    Renamed(Renamed),
    /// Something was said.
    Said(Said),
    /// Nothing that everybody is told, but these see or hear others than before, and rooms may be told something.
    Unseen(Stale, Vec<RoomTold>),
    /// Whether somebody is away is another than before.
    Away(MemberId),
    /// Logins of an account have ended.
    LoginsEnded(LoginsEnded),
    /// Rooms are others than before.
    Rooms(RoomsChanged),
    /// Somebody has moderated.
    Moderated(Moderated),
    /// How far users have read.
    Read(Vec<ReadMark>),
    /// Members are told something.
    Told(Box<Tell>),
    /// Too much waits for members of its node, or not any more.
    Crowded(Vec<(MemberId, bool)>),
    /// A message is there that was said before.
    Old(Old),
}

/// Somebody is here.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) member: MemberId,
    /// The name as JSON.
    pub(crate) name_json: Bytes,
    /// The key of their session, where they have one.
    pub(crate) session: Option<SessionProof>,
    /// Whether that session had begun before.
    pub(crate) is_resumed: bool,
    /// The member whose place they have taken, unseen by the others, and the number of the user that it was.
    pub(crate) replaced: Option<(MemberId, MemberId)>,
    /// Whether other devices of the user are here (DV-1).
    pub(crate) is_device: bool,
    pub(crate) stale: Stale,
    /// What rooms are told.
    pub(crate) rooms: Vec<RoomTold>,
    /// The rooms that a guest's session was in and is not in any more.
    pub(crate) lost: Vec<Lost>,
}

/// Somebody is not here any more.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) member: MemberId,
    pub(crate) identity: Identity,
    /// Whether no other device of the user is here: else nobody sees that this one is gone (DV-1).
    pub(crate) is_last: bool,
    /// The name as JSON.
    pub(crate) name_json: Bytes,
    pub(crate) stale: Stale,
    /// What rooms are told.
    pub(crate) rooms: Vec<RoomTold>,
}

/// Somebody has another name; both as JSON.
#[derive(Debug)]
pub(crate) struct Renamed {
    pub(crate) member: MemberId,
    /// All devices of the user.
    pub(crate) devices: Vec<MemberId>,
    pub(crate) old_name: Username,
    pub(crate) old: Bytes,
    pub(crate) new: Bytes,
    pub(crate) stale: Stale,
    /// The rooms of which they are a member.
    pub(crate) rooms: Vec<RoomNumber>,
}

/// Something was said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its number.
    pub(crate) number: Sequence,
    /// Who has said it, if they are known.
    pub(crate) by: Option<MemberId>,
    /// The message, filed under those whom it concerns.
    pub(crate) record: Record,
    /// The member that a private message is for, if they are here.
    pub(crate) to: Option<MemberId>,
    /// The other devices that have to have a private message: of the recipient, and of whoever has said it (DV-2).
    pub(crate) copies: Vec<MemberId>,
    /// Who has said it, if they were away until now.
    pub(crate) back: Option<MemberId>,
}

/// Logins of an account have ended.
#[derive(Debug)]
pub(crate) struct LoginsEnded {
    /// The members that are not here any more for it.
    pub(crate) left: Vec<Left>,
    pub(crate) reason: Removal,
    /// The account, if nothing is left of it.
    pub(crate) removed: Option<i64>,
    pub(crate) stale: Stale,
    /// What rooms are told.
    pub(crate) rooms: Vec<RoomTold>,
}

/// Somebody has moderated.
#[derive(Debug)]
pub(crate) struct Moderated {
    /// The members that are not here any more for it.
    pub(crate) left: Vec<Left>,
    /// What they are told.
    pub(crate) removal: Option<Removal>,
    /// What others are told.
    pub(crate) told: Option<ModerationTold>,
    pub(crate) done: ModerationDone,
}

/// What others are told of an act of moderation.
#[derive(Debug)]
pub(crate) enum ModerationTold {
    /// These had to go, or may not come: everybody (MO-8).
    PutOut { names: Vec<Username>, is_ban: bool, exclusion: Exclusion },
    /// This is how it is with what somebody may write: they themselves, and those who keep order.
    Mute { members: Vec<MemberId>, about: Arc<str>, room: Option<RoomRef>, held: Option<Exclusion> },
}

/// Why a proposal was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The name can't be had.
    #[error(transparent)]
    Name(#[from] Refusal),
    /// The session that was to be resumed is not there any more.
    #[error("the session is not there any more")]
    NotResumable,
    /// The member is not here, or is not a member of the node that speaks for it.
    #[error("the member is not here")]
    NotHere,
    /// The session has sent this message before, under this number.
    #[error("the message is there already, as number {0}")]
    Known(Sequence),
    /// A wish about rooms that is not granted, or a message to a room that its sender may not write to.
    #[error("refused: {}", .0.word())]
    Room(RoomRefusal),
    /// The sender is muted, until then or for good.
    #[error("muted")]
    Muted(Option<i64>),
    /// An act of moderation that may not be done.
    #[error("refused: {}", .0.word())]
    Moderation(ModerationRefusal),
    /// A format that some node does not read, or that is not newer than the one that is written.
    #[error("this format is not spoken by all nodes, or by all of them already")]
    NotSpoken,
    /// A message from before that is there already, or comes too late to be before all others.
    #[error("what was said before has to come before everything else")]
    NotBefore,
}

/// For whoever asked for a name: what is not about the name may be another time.
impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Name(refusal) => refusal,
            Refused::NotResumable
            | Refused::NotHere
            | Refused::Known(_)
            | Refused::Room(_)
            | Refused::Muted(_)
            | Refused::NotSpoken
            | Refused::NotBefore
            | Refused::Moderation(_) => Self::Busy,
        }
    }
}
