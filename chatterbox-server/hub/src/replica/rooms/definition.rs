//! What a room is: its name and number, its owner and its settings.

use std::sync::Arc;

use chatterbox_proto::{RoomName, Username, limits};
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::identity::LoggedIn;
use crate::ids::{MemberId, RoomNumber};
use crate::level::Level;
use crate::record::{RoomRef, Sequence};

/// An account as rooms know it, whether its user is here or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRef {
    /// Its number, which decides who it is.
    pub id: i64,
    /// Its name, for lists.
    pub name: Username,
}

impl From<&LoggedIn> for AccountRef {
    fn from(login: &LoggedIn) -> Self {
        Self { id: login.account_key.id, name: login.account.clone() }
    }
}

/// Who is, or may become, a member of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomMember {
    /// An account, over connections and restarts.
    Account(AccountRef),
    /// A guest, as long as they are here.
    Guest(MemberId),
}

/// How much of what is said is kept (RH-2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomKeep {
    /// Nothing.
    Off,
    /// The newest so many messages.
    Newest(u32),
    /// All, within the bounds of the server.
    #[default]
    All,
}

impl RoomKeep {
    /// How many messages that is at most.
    pub(crate) const fn messages(self) -> u64 {
        match self {
            Self::Off => 0,
            Self::Newest(messages) => messages as u64,
            Self::All => u64::MAX,
        }
    }
}

/// What newcomers may read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomShow {
    /// All that is kept.
    #[default]
    All,
    /// What was said since they joined.
    Joined,
}

/// The settings of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSettings {
    /// What is talked about now; at most [`limits::TOPIC_CHARS`].
    pub topic: Arc<str>,
    /// What it is for; at most [`limits::TOPIC_CHARS`].
    pub description: Arc<str>,
    /// The most members beside the owner and those of level 4 in it; 0 is no limit (RM-12).
    pub limit: u32,
    /// The hash of the password that newcomers need, in the PHC text form.
    pub password: Option<Arc<str>>,
    /// It is not listed, and unknown to who is not a member (RM-12).
    pub hidden: bool,
    /// Nobody joins uninvited.
    pub closed: bool,
    /// The lowest level that may write.
    pub talk: Level,
    /// Seconds between two messages of one user below level 2; 0 is none.
    pub slow: u32,
    /// The longest message in characters.
    pub length: u32,
    /// How much of what is said is kept.
    pub keep: RoomKeep,
    /// What newcomers may read.
    pub show: RoomShow,
    /// Whether members are listed, as its owner wants it (RM-10).
    pub roster: bool,
}

impl RoomSettings {
    /// Whether everybody may come in and read all that is kept, so that it is no secret from anybody who writes there or in the lobby.
    pub(crate) fn are_open(&self) -> bool {
        let is_for_all = !self.hidden && !self.closed && self.password.is_none();
        is_for_all && self.show == RoomShow::All
    }
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            topic: "".into(),
            description: "".into(),
            limit: 0,
            password: None,
            hidden: false,
            closed: false,
            talk: Level::GUEST,
            slow: 0,
            length: u32::try_from(limits::ROOM_CONTENT_CHARS).unwrap_or(u32::MAX),
            keep: RoomKeep::All,
            show: RoomShow::All,
            roster: true,
        }
    }
}

/// A room, without its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomDefinition {
    /// Its number.
    pub number: RoomNumber,
    /// Its name, as its maker spelt it.
    pub name: RoomName,
    /// Who owns it, if anybody does.
    pub owner: Option<AccountRef>,
    /// Its settings.
    pub settings: RoomSettings,
    /// Whether the configuration names it, so that it can't be deleted (RM-16).
    pub configured: bool,
    /// Whether every account becomes a member once (RM-16).
    pub auto: bool,
    /// Nothing up to this number is shown any more (RH-4).
    pub floor: Sequence,
}

impl RoomDefinition {
    /// The room as a message names it.
    pub fn to_ref(&self) -> RoomRef {
        RoomRef { number: self.number, name: self.name.clone() }
    }
}

impl Digest for RoomName {
    fn digest(&self, to: &mut Digester) {
        to.add(self.as_str()).add(self.key());
    }
}

impl Digest for AccountRef {
    fn digest(&self, to: &mut Digester) {
        let Self { id, name } = self;
        to.add(id).add(name);
    }
}

impl Digest for RoomKeep {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::Off => to.add(&0_u8),
            Self::Newest(count) => to.add(&1_u8).add(&u64::from(*count)),
            Self::All => to.add(&2_u8),
        };
    }
}

impl Digest for RoomSettings {
    fn digest(&self, to: &mut Digester) {
        let Self {
            topic,
            description,
            limit,
            password,
            hidden,
            closed,
            talk,
            slow,
            length,
            keep,
            show,
            roster,
        } = self;
        to.add(topic).add(description).add(&u64::from(*limit)).add(password).add(hidden);
        to.add(closed).add(&talk.number()).add(&u64::from(*slow)).add(&u64::from(*length));
        to.add(keep).add(&(*show == RoomShow::All)).add(roster);
    }
}

impl Digest for RoomDefinition {
    fn digest(&self, to: &mut Digester) {
        let Self { number, name, owner, settings, configured, auto, floor } = self;
        to.add(number).add(name).add(owner).add(settings).add(configured).add(auto).add(floor);
    }
}
