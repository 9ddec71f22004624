//! Under whom a message is filed: whose share of the history it takes, and whose conversation it belongs to.
//!
//! A name may have another owner tomorrow, so what is said to an account is filed under its number. What is said to a guest is
//! filed under the name, which is all there is to know a guest by (HI-2).

use std::borrow::Cow;

use chatterbox_proto::Username;
use serde::{Deserialize, Serialize};

use crate::plain;

/// One end of a private conversation, and the owner of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Party {
    /// Whoever is logged in with the account of this number, under whatever name.
    Account(i64),
    /// Whoever has this name.
    Guest(#[serde(with = "plain::name")] Username),
}

/// Begins the key of an account. No name has a control character in it.
const ACCOUNT: char = '\t';

impl Party {
    /// A text that is the same for the same party and no other.
    pub fn key(&self) -> Cow<'_, str> {
        match self {
            Self::Account(id) => Cow::Owned(format!("{ACCOUNT}{id}")),
            Self::Guest(name) => Cow::Borrowed(name.key()),
        }
    }

    /// The party of a key.
    pub fn of_key(key: &str) -> Self {
        let account = key.strip_prefix(ACCOUNT).and_then(|id| id.parse().ok());
        account.map_or_else(|| Self::Guest(Username::stored(key)), Self::Account)
    }
}

/// Whose share of the history a message takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The number of an account, or a negative one that stands for a guest's name and network while the server runs; 0 is
    /// unknown, and has no share that it could exceed.
    pub number: i64,
    /// Stands for the network of a sender while the server runs, if it is known. It can't be turned back into an address.
    pub origin: Option<i64>,
}

/// Under whom a message is filed. Without any of it, a message is filed under its names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filing {
    /// Whose share it takes.
    pub sender: Sender,
    /// Who sent it, if it is private.
    pub from: Option<Party>,
    /// To whom it was sent, if it is private.
    pub to: Option<Party>,
}

/// The same for both directions. No name has a line break in it.
pub(crate) fn conversation_key(one: &str, other: &str) -> String {
    let mut keys = [one, other];
    keys.sort_unstable();
    keys.join("\n")
}
