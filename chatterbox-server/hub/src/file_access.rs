//! Who may put a file somewhere, and who may fetch one: the question is asked anew each time (FI-1, FI-4).

use std::fmt;
use std::str::FromStr;

use chatterbox_proto::session::Destination;
use chatterbox_proto::{Capability, Code, NameKey, Username};

use crate::filing::Party;
use crate::hub::Hub;
use crate::ids::{MemberId, RoomNumber};
use crate::record::{Record, Sequence};
use crate::replica::rooms::definition::RoomShow;

/// Where a file was put: only a message to there announces it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FileScope {
    /// To everybody.
    All,
    /// To the room of this number.
    Room(RoomNumber),
    /// To whoever has the name with this key.
    User(String),
}

impl FileScope {
    /// Where a message is to.
    pub fn of(record: &Record) -> Self {
        match &record.destination {
            Destination::All => Self::All,
            Destination::Room(room) => Self::Room(room.number),
            Destination::User(name) => Self::User(name.key().to_owned()),
        }
    }
}

/// A text that is the same for the same scope and no other: no name of a user begins with `#` or `*`.
impl fmt::Display for FileScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Room(number) => write!(f, "#{}", number.0),
            Self::User(key) => write!(f, "@{key}"),
        }
    }
}

/// A text that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no scope of a file")]
pub struct NoScope;

impl FromStr for FileScope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        let number = |text: &str| text.parse().map(RoomNumber).map_err(|_| NoScope);
        match text.split_at_checked(1) {
            Some(("*", "")) => Ok(Self::All),
            Some(("#", room)) => number(room).map(Self::Room),
            Some(("@", key)) => Ok(Self::User(key.to_owned())),
            _ => Err(NoScope),
        }
    }
}

/// The message that has announced a file, as far as it says who may fetch that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Where it was said.
    pub scope: FileScope,
    /// Its number.
    pub number: Sequence,
    /// The account of its sender.
    pub account: i64,
    /// The name under which it was sent.
    pub source: Username,
    /// Under whom it is filed, if it is private.
    pub recipient: Option<Party>,
}

impl Hub {
    /// Where a file of a member is put that is for a destination, if a message to there would be taken now, in seconds since 1970 UTC. Slow
    /// mode and flood control count messages, and not files.
    ///
    /// # Errors
    /// [`Code`]; [`Code::NoSuchUser`] also where somebody who is not here has the name.
    pub fn may_put(
        &mut self,
        member: MemberId,
        to: &Destination<impl NameKey, impl NameKey>,
        now: i64,
    ) -> Result<FileScope, Code> {
        let (scope, name) = match to {
            Destination::All => {
                let identity = self.identity(member).ok_or(Code::NotJoined)?;
                if identity.actor().level < self.lobby().settings.talk {
                    return Err(Code::ReadOnly);
                }
                (FileScope::All, None)
            }
            Destination::Room(name) => {
                let room = self.replica.rooms.named(name.name_key()).ok_or(Code::NoSuchRoom)?;
                let settings = &room.definition.settings;
                if self.replica.membership(member, room).is_none() {
                    return Err(if settings.hidden { Code::NoSuchRoom } else { Code::NotAMember });
                }
                if self.replica.level_in(member, room) < settings.talk {
                    return Err(Code::ReadOnly);
                }
                (FileScope::Room(room.definition.number), None)
            }
            Destination::User(name) => {
                let recipient = self.who(name).ok_or(Code::NoSuchUser)?;
                let name = self.name_of(recipient).cloned().ok_or(Code::NoSuchUser)?;
                if self.shared_filter(member).refused.contains(&name) {
                    return Err(Code::Blocked);
                }
                (FileScope::User(name.key().to_owned()), Some(name))
            }
        };
        let room = match &scope {
            FileScope::Room(number) => Some(*number),
            FileScope::All | FileScope::User(_) => None,
        };
        let muted = self.replica.is_not_muted(member, room, name.as_ref(), now);
        muted.map_err(Code::Muted).map(|()| scope)
    }

    /// Whether a member can read the message that has announced a file, now (FI-4): its sender and its recipient, or who is a
    /// member of its room and may read what was said then. Where one hides from the other there is nothing to fetch.
    pub fn may_fetch(&mut self, member: MemberId, of: &Announcement) -> bool {
        let filter = self.shared_filter(member);
        let Some(identity) = self.identity(member) else { return false };
        let account = identity.login.as_ref().map(|login| login.account_key.id);
        let is_own = account == Some(of.account);
        match &of.scope {
            FileScope::All => {
                let is_hidden = filter.hidden.contains(&of.source);
                of.number > self.lobby().floor && (is_own || !is_hidden)
            }
            FileScope::Room(number) => {
                if !identity.agreed.is_some_and(|agreed| agreed.has(Capability::Rooms)) {
                    return false;
                }
                let Some(above) = self.read_above(member, *number) else { return false };
                // Staff hear those who block them, and not whom they block themselves.
                let is_staff = self.is_room_staff(member, *number);
                let hidden = if is_staff { &filter.ignored } else { &filter.hidden };
                of.number > above && (is_own || !hidden.contains(&of.source))
            }
            FileScope::User(_) => {
                let recipient = of.recipient.as_ref();
                let is_theirs = recipient.is_some_and(|to| identity.parties().contains(to));
                is_own || is_theirs && !filter.refused.contains(&of.source)
            }
        }
    }

    /// Whether a member is the one to whom the message that has announced a file was sent.
    pub fn is_recipient(&self, member: MemberId, of: &Announcement) -> bool {
        let Some(identity) = self.identity(member) else { return false };
        of.recipient.as_ref().is_some_and(|to| identity.parties().contains(to))
    }

    /// Whether somebody can still read a message, as far as its place goes: the room is there, and it was not cleared.
    pub fn is_readable_at(&self, scope: &FileScope, number: Sequence) -> bool {
        match scope {
            FileScope::All => number > self.lobby().floor,
            FileScope::Room(room) => {
                let room = self.replica.rooms.get(*room);
                room.is_some_and(|room| number > room.definition.floor)
            }
            FileScope::User(_) => true,
        }
    }

    /// The number behind which a member reads what was said in a room; nothing where it is not a member.
    fn read_above(&self, member: MemberId, number: RoomNumber) -> Option<Sequence> {
        let room = self.replica.rooms.get(number)?;
        let since = self.replica.membership(member, room)?;
        let joined = match room.definition.settings.show {
            RoomShow::All => 0,
            RoomShow::Joined => since,
        };
        Some(room.definition.floor.max(joined))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_was_written() {
        for scope in [
            FileScope::All,
            FileScope::Room(RoomNumber(12)),
            FileScope::User("#odd".to_owned()),
            FileScope::User(String::new()),
        ] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        for text in ["", "*x", "#", "#x", "#-1", "x", "\u{e9}", "12"] {
            assert_eq!(text.parse::<FileScope>(), Err(NoScope), "{text:?}");
        }
    }
}
