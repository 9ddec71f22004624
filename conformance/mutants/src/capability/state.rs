//! The state of the capabilities: of one connection, of one list of messages, and of the whole chat.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use conformance_kit::clock::Clock;
use serde_json::{Map, Value};

/// The accounts and their failed logins.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    pub(super) all: BTreeMap<String, Account>,
    pub(super) failures: BTreeMap<String, usize>,
    /// How many private messages wait for accounts whose users are not here.
    pub(super) waiting: BTreeMap<String, usize>,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    /// The name as it was registered.
    pub(super) name: String,
    pub(super) password: String,
    pub(super) tokens: Vec<String>,
}

/// What is known of the users beside their names.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// What who is away has said, by connection.
    pub(super) away: BTreeMap<u64, String>,
    /// Since when a connection has been here.
    pub(super) since: BTreeMap<u64, i64>,
    /// Everybody who was here and is not now, and since when not.
    pub(super) seen: BTreeMap<String, i64>,
    /// Who does not want that to be told.
    pub(super) hidden: BTreeSet<String>,
    /// Who has changed since the last telling.
    pub(super) changed: BTreeSet<u64>,
    pub(super) told: Option<Clock>,
    /// A task waits to tell the changes.
    pub(super) waiting: bool,
}

/// The result of checking a password or a token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// The account, as it was registered; a guest has none.
    pub(super) account: Option<String>,
    pub(super) level: u8,
    pub(super) token: Option<String>,
}

impl Standing {
    pub(crate) const fn level(&self) -> u8 {
        self.level
    }

    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
}

/// Who somebody is for what outlives a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    /// An account, by its name.
    Account(String),
    /// A guest, by the token of the session.
    Guest(String),
}

/// The reason why something is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(super) code: &'static str,
    pub(super) text: &'static str,
    /// Seconds after which trying again makes sense.
    pub(super) wait: Option<u64>,
    /// When what stands against it ends, in seconds since 1970.
    pub(super) until: Option<i64>,
}

impl Refusal {
    pub(crate) const fn new(code: &'static str, text: &'static str) -> Self {
        Self { code, text, wait: None, until: None }
    }

    pub(crate) const fn text(&self) -> &'static str {
        self.text
    }
}

impl From<&'static str> for Refusal {
    fn from(text: &'static str) -> Self {
        Self::new("refused", text)
    }
}

/// The outcome of a command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) ok: bool,
    pub(super) code: &'static str,
    pub(super) text: &'static str,
    pub(super) data: Option<Value>,
    pub(super) wait: Option<u64>,
    pub(super) until: Option<i64>,
    /// An object that is sent behind the result, by a server that is late with it.
    pub(super) late: Option<Value>,
}

impl Reply {
    pub(super) fn done(text: &'static str) -> Self {
        Self::from(("ok", text))
    }

    /// The same with something for programs.
    pub(super) fn with(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }
}

impl From<(&'static str, &'static str)> for Reply {
    fn from((code, text): (&'static str, &'static str)) -> Self {
        Self { ok: code == "ok", code, text, data: None, wait: None, until: None, late: None }
    }
}

impl From<Refusal> for Reply {
    fn from(Refusal { code, text, wait, until }: Refusal) -> Self {
        Self { wait, until, ..Self::from((code, text)) }
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
    pub(crate) account: Option<String>,
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
    /// What its user answered when it asked.
    pub(super) answer: Option<String>,
}

impl Call {
    /// An argument by its place.
    pub(super) fn at(&self, n: usize) -> Option<&str> {
        self.arguments.get(n).map(String::as_str)
    }

    /// The answer to its question, or the argument that makes the question needless.
    pub(super) fn answered(&self, n: usize) -> Option<&str> {
        self.answer.as_deref().or_else(|| self.at(n))
    }
}

/// The commands of one connection.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// The call that waits for an answer.
    pub(super) asking: Option<Call>,
    pub(super) waiting: VecDeque<Call>,
}
