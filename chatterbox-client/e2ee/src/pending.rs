//! What is not done yet: requests without an answer, texts and messages that wait for keys.

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::Sealed;

/// A request that is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Put,
    Get(Vec<String>),
    /// Folded names of accounts, and devices.
    Claim(Vec<(String, String)>),
}

/// A text that waits for keys.
pub(crate) struct Waiting {
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) reply: Option<Id>,
    pub(crate) since: i64,
    pub(crate) tries: u8,
    /// Whether the directory was asked since it waits.
    pub(crate) asked: bool,
}

/// A text that was encrypted and sent.
pub(crate) struct Sent {
    pub(crate) ticket: u64,
    pub(crate) tag: Option<String>,
    /// The name of the user then.
    pub(crate) me: String,
    pub(crate) waiting: Waiting,
    /// Whether the recipient was verified.
    pub(crate) verified: bool,
}

/// A message that waits for the keys of its sender.
pub(crate) struct Later {
    pub(crate) ticket: u64,
    pub(crate) source: String,
    pub(crate) recipient: String,
    pub(crate) id: Id,
    pub(crate) sealed: Sealed,
    pub(crate) since: i64,
    /// Whether the keys were asked for on this connection: they are not again.
    pub(crate) asked: bool,
}
