//! A message as it is stored.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{RoomName, Username};
use serde::{Deserialize, Serialize};

use crate::filing::{Filing, Party, conversation_key};
use crate::ids::RoomNumber;
use crate::plain;
use crate::record_meta::RecordMeta;

/// The number of a record: rising by one from 1, never used twice.
pub type Sequence = u64;

/// A room as a message names it. Another number under the same name is another room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRef {
    /// Its number.
    pub number: RoomNumber,
    /// Its name, as its maker spelt it.
    #[serde(with = "plain::room_name")]
    pub name: RoomName,
}

/// To whom a message is: everybody, a room, or one user.
pub type To = Destination<Username, RoomRef>;

/// One message: encoded once, and known by its source and destination from then on, so that nobody reads the JSON
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The user who sent it, under the name of that moment.
    #[serde(with = "plain::name")]
    pub source: Username,
    /// To whom.
    #[serde(with = "destination")]
    pub destination: To,
    /// The 4-tuple as ASCII JSON, exactly as every receiver gets it.
    pub json: Bytes,
    /// The time of arrival at this server, in seconds since 1970 UTC. The clocks of senders may say anything.
    pub arrived: i64,
    /// Under whom it is filed.
    pub filing: Filing,
    /// What goes with it. In the order of several nodes it stands behind the proposals of its group ([`crate::format`]).
    #[serde(skip)]
    pub meta: Option<Arc<RecordMeta>>,
}

impl Record {
    /// The bytes by which histories, stores and what waits are bounded.
    pub fn weight(&self) -> usize {
        self.json.len() + self.meta.as_ref().map_or(0, |meta| meta.size())
    }

    /// The token of the file that it announces.
    pub fn file(&self) -> Option<&str> {
        self.meta.as_deref().and_then(RecordMeta::file)
    }

    /// To whom a private message was sent.
    pub fn recipient(&self) -> Option<Cow<'_, Party>> {
        match (&self.destination, &self.filing.to) {
            (Destination::All | Destination::Room(_), _) => None,
            (Destination::User(_), Some(to)) => Some(Cow::Borrowed(to)),
            (Destination::User(name), None) => Some(Cow::Owned(Party::Guest(name.clone()))),
        }
    }

    /// The room that it was said in, if it was in one beside the lobby.
    pub fn room(&self) -> Option<RoomNumber> {
        match &self.destination {
            Destination::Room(room) => Some(room.number),
            Destination::All | Destination::User(_) => None,
        }
    }

    /// The key of the conversation that it belongs to; those of the lobby and of rooms have none.
    pub fn conversation_key(&self) -> Option<String> {
        let to = self.recipient()?;
        let from = match &self.filing.from {
            Some(from) => from.key(),
            None => Cow::Borrowed(self.source.key()),
        };
        Some(conversation_key(&from, &to.key()))
    }
}

/// How the destination of a message is written: nobody asks there what a name looks like.
mod destination {
    use chatterbox_proto::{PlainName, PlainNameRef};
    use serde::{Deserializer, Serializer};

    use super::*;

    pub(crate) fn serialize<S: Serializer>(destination: &To, to: S) -> Result<S::Ok, S::Error> {
        match destination {
            Destination::All => Destination::All,
            Destination::Room(room) => Destination::Room(room),
            Destination::User(name) => Destination::User(PlainNameRef(name)),
        }
        .serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<To, D::Error> {
        Ok(match Destination::<PlainName, RoomRef>::deserialize(from)? {
            Destination::All => Destination::All,
            Destination::Room(room) => Destination::Room(room),
            Destination::User(PlainName(name)) => Destination::User(name),
        })
    }
}
