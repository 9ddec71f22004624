//! What members are told that is no message and is not kept: by the server, or by somebody who keeps order.

use bytes::Bytes;
use chatterbox_proto::Username;
use serde::{Deserialize, Serialize};

use crate::ids::{MemberId, RoomNumber};
use crate::level::Level;
use crate::plain;

/// Something that some of those who are here are told, at whichever node they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tell {
    /// Whom it is for.
    pub whom: Audience,
    /// For who did not agree to `notices`: a tuple of the server where many are told, a JSON text where one is. Those of a level
    /// are told nothing in this form.
    pub plain: Bytes,
    /// For the others: an element of NOTICES (NO-1).
    pub notice: Bytes,
}

/// Whom something is for. It is looked at when it is told, as all that changes who they are comes in the same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// Everybody.
    All,
    /// The members of a room beside the lobby.
    Room(RoomNumber),
    /// Who has a level on the server, or in a room.
    Staff(Option<RoomNumber>, Level),
    /// Who keeps order on the server, or in a room, but not the one of this name (MO-11).
    Report(Option<RoomNumber>, #[serde(with = "plain::name")] Username),
    /// One member.
    Member(MemberId),
}
