//! Proposals: what is written into the one order, and what each of them asks for.
//!
//! A proposal holds all that it is judged by. Keys of names, limits, addresses and random numbers are those of whoever
//! proposes it, so that everybody who applies it comes to the same end.

use std::fmt;
use std::sync::Arc;

use chatterbox_proto::Username;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::block_lists::BlockLists;
use crate::digest::{Digest, Digester};
use crate::format_level::LEVEL;
use crate::identity::{Identity, LoggedIn};
use crate::ids::{MemberId, SessionProof, Verifier};
use crate::level::Level;
use crate::mark::ReadMark;
use crate::plain;
use crate::record::{Record, Sequence};
use crate::replica::ended_logins::AccountChange;
use crate::replica::moderation_act::Moderation;
use crate::replica::rooms::wish::RoomWish;
use crate::replica::store_command::StoreCommand;
use crate::replica::tell::Tell;

/// One life of one node, from its start to its end: a random number, so that no two are the same.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Digest for Incarnation {
    fn digest(&self, to: &mut Digester) {
        let Self(number) = self;
        to.add(number);
    }
}

/// Proposals that one node has written into the order at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// The node.
    pub from: Incarnation,
    /// Counts the groups of this node, from 1. A group that comes round again, or too late, does not count.
    pub number: u64,
    /// The proposals, which are judged one after the other.
    #[serde(deserialize_with = "at_most_a_group")]
    pub proposals: Vec<Proposal>,
}

impl Group {
    /// The proposals that a group has at most in an order from which their numbers come.
    pub const PROPOSALS: usize = 1024;

    /// The number of the proposal of an index in the group of a place.
    pub const fn number_of(place: u64, index: usize) -> Sequence {
        place.saturating_mul(Self::PROPOSALS as u64).saturating_add(index as u64)
    }

    /// Gives what is numbered the numbers that follow from the place of the group: every node that reads it there comes to the
    /// same, and nobody has to know a place before it is decided. They rise, with gaps (ID-2).
    pub fn number_by_place(&mut self, place: u64) {
        for (index, proposal) in self.proposals.iter_mut().enumerate() {
            let number = Self::number_of(place, index);
            match proposal {
                Proposal::Say(say) => say.number = number,
                Proposal::Room(_, of_room) => *of_room = number,
                Proposal::Moderate(moderation) => moderation.number_by(number),
                Proposal::Old(old) => old.below = Self::number_of(place, 0),
                _ => {}
            }
        }
    }
}

/// Reads as many proposals as a group has at most. Each takes much more memory than bytes, so more are refused before they
/// are read.
fn at_most_a_group<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Proposal>, D::Error> {
    struct AtMost;

    impl<'de> Visitor<'de> for AtMost {
        type Value = Vec<Proposal>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {} proposals", Group::PROPOSALS)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut proposals = Vec::new();
            while let Some(proposal) = seq.next_element()? {
                if proposals.len() == Group::PROPOSALS {
                    return Err(A::Error::invalid_length(Group::PROPOSALS + 1, &self));
                }
                proposals.push(proposal);
            }
            Ok(proposals)
        }
    }

    from.deserialize_seq(AtMost)
}

/// One change that somebody asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Proposal {
    /// The node starts: the first proposal of its first group.
    Up(Up),
    /// The node is alive. Nothing follows from it but that it was heard.
    Tick(Tick),
    /// A node has ended: all its members leave, and nothing of it counts any more.
    Down(Incarnation),
    /// A user wants to come in.
    Join(Box<Join>),
    /// A member goes.
    Leave(MemberId),
    /// A member wants another name (RN-1).
    Rename(MemberId, Rename),
    /// A member says something.
    Say(Say),
    /// Somebody wishes something about rooms. The number is that of the log, if what follows is accepted.
    Room(Box<RoomWish>, #[serde(skip)] Sequence),
    /// A member has another block list.
    SetBlocked(MemberId, #[serde(with = "plain::names")] Vec<Username>),
    /// The account or the level of a member is another one.
    Amend(MemberId, Amendment),
    /// A member goes away, with some words or none, or is back (PR-2).
    SetAway(MemberId, Option<Arc<str>>),
    /// Logins of an account have ended.
    EndLogins(AccountChange),
    /// Somebody moderates.
    Moderate(Box<Moderation>),
    /// Something that every node does with what it stores, in this order.
    Store(StoreCommand),
    /// Whether too much waits for members of the node: what others send them they can't be promised then.
    Crowded(Vec<(MemberId, bool)>),
    /// Members are told something that is no message.
    Tell(Box<Tell>),
    /// The mute that flood control has imposed on a member ends, at the node where it is counted (FL-2).
    Pardon(MemberId),
    /// From here on groups may be written in this format, if all nodes that are up read it.
    Speak(u16),
    /// A message from the time before the chat had several nodes.
    Old(Old),
    /// How far users have read, for their other devices: what every node has stored is told (MK-1).
    Read(Vec<ReadMark>),
}

impl Proposal {
    /// The members of whom one [`Self::Crowded`] says it at most; what it says of more is not read.
    pub(crate) const CROWDED: usize = 1024;
}

/// The start of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Up {
    /// The time to which it has read the order. One that is long ago is of a node that may have been forgotten.
    pub read_to: u64,
    /// What its operator calls it, for those who look after the nodes.
    pub name: Box<str>,
    /// The newest format of proposals that it reads.
    pub speaks: u16,
}

impl Default for Up {
    fn default() -> Self {
        Self { read_to: 0, name: "".into(), speaks: LEVEL }
    }
}

/// A sign of life of a node, which lets the others compare what they have read with what it has read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// A place up to which it has applied the order.
    pub place: u64,
    /// The checksum of all that it had read there.
    pub read: u64,
    /// A place, and the digest of all that nodes have in common as it was behind it, each minute of the order.
    pub state: Option<(u64, u64)>,
    /// The same of what nodes store alike beside messages.
    pub stores: Option<(u64, u64)>,
}

/// A user who wants to come in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Join {
    /// Who they are, under the name that they ask for.
    pub identity: Identity,
    /// Whom they block, and who blocks them. Shared: they may be long, and whoever applies it has a copy.
    pub lists: Arc<BlockLists>,
    /// Which session to resume.
    pub resume: Option<Resume>,
    /// What the secret of a new session is known by.
    pub verifier: Verifier,
    /// For how long their name is reserved after they have left, in milliseconds.
    pub hold: u64,
}

/// A session that is to be resumed (ID-7).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Resume {
    /// The session; `None` when the token is none of ours.
    pub key: Option<SessionProof>,
    /// Whether they may join only if they resume it: nothing else proves that the name is theirs.
    pub only: bool,
}

/// Another name for a member (RN-1).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rename {
    /// The name.
    pub name: Username,
    /// Whether it was proven to be theirs.
    pub owns: bool,
    /// The accounts that block whoever has it: number and name.
    #[serde(with = "plain::accounts")]
    pub blocked_by: Vec<(i64, Username)>,
    /// Now, in seconds since 1970 UTC, as whoever proposes it has it: who is banned under that name then may not have it.
    pub now: i64,
}

/// A message of a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Say {
    /// Who says it.
    pub member: MemberId,
    /// The number that it has if it is accepted. Numbers rise in the order, with gaps where something was refused (ID-2).
    #[serde(skip)]
    pub number: Sequence,
    /// Its idempotency key, which is unique within the member's session (ID-3).
    pub tag: Option<Arc<str>>,
    /// The message.
    pub record: Record,
}

/// A message that was said while the chat had one node, which moves into the order of several with the number that it has had
/// since. The sender is not asked: it was accepted then, and nobody is told of it now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Old {
    /// Its number.
    pub number: Sequence,
    /// The first number that follows from its place. Its own has to be below, so that it is none that the order gives.
    #[serde(skip)]
    pub below: Sequence,
    /// The message.
    pub record: Record,
}

/// What changes of a member's account and level; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// Whether they are logged in, and how.
    pub login: Option<Login>,
    /// The level of the account.
    pub level: Option<Level>,
    /// Whether they have given the admin password.
    pub elevated: Option<bool>,
}

/// Whether somebody is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Login {
    /// With this account.
    In(LoggedIn),
    /// Not any more.
    Out,
}

impl Amendment {
    /// Logged in with this account.
    pub fn logged_in(login: LoggedIn) -> Self {
        Self { login: Some(Login::In(login)), ..Self::default() }
    }

    /// Changes somebody.
    pub(crate) fn apply(self, identity: &mut Identity) {
        let Self { login, level, elevated } = self;
        match login {
            Some(Login::In(login)) => identity.login = Some(login),
            Some(Login::Out) => identity.login = None,
            None => {}
        }
        identity.level = level.unwrap_or(identity.level);
        identity.elevated = elevated.unwrap_or(identity.elevated);
    }
}
