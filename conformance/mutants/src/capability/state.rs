//! The state of the capabilities: of one connection, of one list of messages, and of the whole chat.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

/// The accounts and their failed logins.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    pub(super) all: BTreeMap<String, Account>,
    pub(super) failures: BTreeMap<String, usize>,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) password: String,
    pub(super) tokens: Vec<String>,
}

/// The result of checking a password or a token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    pub(super) level: u8,
    pub(super) token: Option<String>,
}

impl Standing {
    pub(crate) const fn level(&self) -> u8 {
        self.level
    }
}

/// The tags beside one list of messages.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    pub(super) list: Vec<Option<String>>,
    /// The number of messages before the first bad tag, for a server that delivers those.
    pub(crate) end: Option<usize>,
}

impl Tags {
    pub(crate) fn at(&self, n: usize) -> Option<&str> {
        self.list.get(n)?.as_deref()
    }
}

/// The outcome of a message that was taken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Taken {
    /// It got this id.
    Now(u64),
    /// It came before, and has this id.
    Before(u64),
}

/// The acknowledgement to the sender of tagged messages.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(super) acks: Map<String, Value>,
    pub(super) refused: Map<String, Value>,
}

/// The tags of one session that are remembered.
pub(crate) type Used = VecDeque<(String, u64)>;

/// The part of a session that outlives its connection.
#[derive(Debug, Default)]
pub(crate) struct Sitting {
    pub(crate) name: String,
    pub(crate) used: Used,
}

/// A session that can go on.
#[derive(Debug, Clone)]
pub(crate) struct Resumption {
    pub(super) token: String,
    pub(super) after: u64,
}

/// One command that was called.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
}

/// The commands of one connection.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// The ID of the call that waits for an answer.
    pub(super) asking: Option<String>,
    pub(super) waiting: VecDeque<Call>,
}
