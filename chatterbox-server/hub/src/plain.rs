//! How names are written where nobody asks what they look like: in messages, block lists and references.

use chatterbox_proto::{PlainName, PlainNameRef, RoomName, Username};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One name.
pub(crate) mod name {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(name: &Username, to: S) -> Result<S::Ok, S::Error> {
        PlainNameRef(name).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Username, D::Error> {
        PlainName::deserialize(from).map(|PlainName(name)| name)
    }
}

/// The name of a room.
pub(crate) mod room_name {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(name: &RoomName, to: S) -> Result<S::Ok, S::Error> {
        name.plain().serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RoomName, D::Error> {
        PlainName::deserialize(from).map(RoomName::of_plain)
    }
}

/// A list of names.
pub(crate) mod names {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(names: &[Username], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(names.iter().map(PlainNameRef))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Username>, D::Error> {
        let names = Vec::<PlainName>::deserialize(from)?;
        Ok(names.into_iter().map(|PlainName(name)| name).collect())
    }
}

/// Accounts: number and name.
pub(crate) mod accounts {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        accounts: &[(i64, Username)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(accounts.iter().map(|(number, name)| (number, PlainNameRef(name))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(i64, Username)>, D::Error> {
        let accounts = Vec::<(i64, PlainName)>::deserialize(from)?;
        Ok(accounts.into_iter().map(|(number, PlainName(name))| (number, name)).collect())
    }
}
