//! Wishes about rooms: what a user, or whoever runs the server, wants to change.

use std::sync::Arc;

use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::{RoomName, Username};
use serde::{Deserialize, Serialize};

use crate::ids::MemberId;
use crate::ids::RoomNumber;
use crate::level::Level;
use crate::record::RoomRef;
use crate::replica::rooms::definition::{AccountRef, RoomKeep, RoomMember, RoomSettings, RoomShow};

/// What somebody wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoomWish {
    /// Who.
    pub by: RoomActor,
    /// What.
    pub change: RoomChange,
    /// Now, in seconds since 1970 UTC, as whoever proposes it has it.
    pub now: i64,
}

/// Who wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomActor {
    /// A member of the chat, with the levels that they have.
    Member(MemberId),
    /// Whoever runs the server, by its configuration or its command line.
    Operator,
}

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum RoomChange {
    /// To make a room, own it and be its member. Whoever asks for it has worked out what the name looks like.
    Create {
        /// Its name.
        name: RoomName,
        /// The hash of its password.
        password: Option<Arc<str>>,
    },
    /// To become a member.
    Enter {
        /// Of which room.
        room: RoomNumber,
        /// The hash of the password that was shown, so that one which has changed meanwhile does not count.
        shown: Option<Arc<str>>,
    },
    /// To be a member no longer.
    Leave(RoomNumber),
    /// To delete a room.
    Delete(RoomNumber),
    /// To change a setting. Of the lobby: topic, talk, slow.
    Set(RoomNumber, RoomSetting),
    /// To invite somebody.
    Invite(RoomNumber, RoomMember),
    /// To take an invitation back.
    Uninvite(RoomNumber, RoomMember),
    /// To show nothing any more of what was said so far. Of the lobby, too.
    Clear(RoomNumber),
    /// To give an account a level in a room; [`Level::GUEST`] takes it away.
    SetLevel(RoomNumber, AccountRef, Level),
    /// To begin in a room; `None` is the lobby.
    SetDefault(Option<RoomNumber>),
    /// To remove somebody from a room.
    Remove {
        /// From which room.
        room: RoomNumber,
        /// Whom.
        who: RoomMember,
        /// Why, for the person.
        reason: String,
        /// Whether they may not come back, which was imposed before.
        banned: bool,
        /// Who does it, where the operator acts for somebody.
        by: Option<Arc<str>>,
    },
    /// To have a room as the configuration says: made if there is none of that name. By the operator only (RM-16).
    Configure(Box<ConfiguredRoom>),
    /// To have a room no longer as the configuration says, which does not name it any more. By the operator only (RM-16).
    Release(RoomNumber),
    /// To be a member with the account that one has now, wherever one was as a guest.
    Adopt,
    /// To let an account into the configured rooms that every account becomes a member of once. By the operator only (RM-16).
    EnterAuto(AccountRef),
}

impl RoomChange {
    /// The room in which it says something to others, so that who is muted may not do it (MO-3).
    pub(crate) const fn speaks_in(&self) -> Option<RoomNumber> {
        match self {
            Self::Invite(room, _)
            | Self::Set(room, RoomSetting::Topic(_) | RoomSetting::Description(_)) => Some(*room),
            _ => None,
        }
    }

    /// The room that it is about, where somebody other than who wants to enter it names one.
    pub(crate) const fn room(&self) -> Option<RoomNumber> {
        match self {
            Self::Leave(room)
            | Self::Delete(room)
            | Self::Set(room, _)
            | Self::Invite(room, _)
            | Self::Uninvite(room, _)
            | Self::Clear(room)
            | Self::SetLevel(room, ..)
            | Self::SetDefault(Some(room))
            | Self::Remove { room, .. }
            | Self::Release(room) => Some(*room),
            Self::Create { .. }
            | Self::Enter { .. }
            | Self::SetDefault(None)
            | Self::Configure(_)
            | Self::Adopt
            | Self::EnterAuto(_) => None,
        }
    }
}

/// A setting of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomSetting {
    /// TOPIC
    Topic(Arc<str>),
    /// DESCRIPTION
    Description(Arc<str>),
    /// LIMIT
    Limit(u32),
    /// The hash of the password; `None` takes it away.
    Password(Option<Arc<str>>),
    /// FLAGS `hidden`
    Hidden(bool),
    /// FLAGS `closed`
    Closed(bool),
    /// TALK
    Talk(Level),
    /// SLOW
    Slow(u32),
    /// LENGTH
    Length(u32),
    /// KEEP
    Keep(RoomKeep),
    /// SHOW
    Show(RoomShow),
    /// ROSTER
    Roster(bool),
}

impl RoomSetting {
    /// Changes settings.
    pub fn apply(self, settings: &mut RoomSettings) {
        match self {
            Self::Topic(topic) => settings.topic = topic,
            Self::Description(description) => settings.description = description,
            Self::Limit(limit) => settings.limit = limit,
            Self::Password(password) => settings.password = password,
            Self::Hidden(hidden) => settings.hidden = hidden,
            Self::Closed(closed) => settings.closed = closed,
            Self::Talk(talk) => settings.talk = talk,
            Self::Slow(slow) => settings.slow = slow,
            Self::Length(length) => settings.length = length,
            Self::Keep(keep) => settings.keep = keep,
            Self::Show(show) => settings.show = show,
            Self::Roster(roster) => settings.roster = roster,
        }
    }
}

/// A room of the configuration. What is set there wins over commands; the rest is as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfiguredRoom {
    /// Its name.
    pub name: RoomName,
    /// What the file says of it.
    pub settings: Vec<RoomSetting>,
    /// Its owner, if the file names one that has an account.
    pub owner: Option<AccountRef>,
    /// Whether every account becomes a member once.
    pub auto: bool,
}

/// What has come of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomDone {
    /// The room that it was about, if there is one: with its number when it was made.
    pub room: Option<RoomRef>,
}

/// A room, as one user may see it.
#[derive(Debug, Clone)]
pub struct RoomView {
    /// What it is. Shared with the hub.
    pub definition: Arc<super::definition::RoomDefinition>,
    /// How many are its members.
    pub count: usize,
    /// Whether the user is one.
    pub is_member: bool,
    /// The user's level in it (RL-1).
    pub level: Level,
    /// Whether the user was invited.
    pub is_invited: bool,
}

/// A member of a room, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomMemberView {
    /// The name of their session if they are here, else that of the account (RM-8).
    pub name: Username,
    /// Whether they are here.
    pub online: bool,
    /// Their level in the room.
    pub level: Level,
}

/// Why nothing was changed: a word for programs. Whoever asked makes a sentence of it.
pub type RoomRefusal = OutcomeCode;
