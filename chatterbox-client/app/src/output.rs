//! Outputs: everything that a user can be shown, as data.
//!
//! `wording` says it to people, `json` to programs; a screen of its own kind reads the fields.

use std::time::Duration;

use chatterbox_proto::capability::commands::Outcome;
use chatterbox_proto::capability::ids::{Id, RefusedTag};
use chatterbox_proto::{Capabilities, WireText};

use crate::table::Table;

/// Text as it came from the network; it is made safe when it is shown.
pub type Wire = WireText<'static>;

/// One thing to show, mostly a line; a few are several.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A message of the chat.
    Message(Message),
    /// The server accepted the name.
    Welcome {
        /// The name under which this user has joined.
        name: Wire,
        /// The capabilities that both sides speak.
        agreed: Capabilities,
        /// The user's permission level, where there are accounts.
        level: Option<u8>,
    },
    /// The server refused the name.
    Refused {
        /// The name that was asked for.
        name: Wire,
        /// The server's reason, for people.
        reason: Option<Wire>,
        /// The server's reason, for programs.
        code: Option<Wire>,
    },
    /// The users who are here.
    Users {
        /// Their names, in the order of the server.
        users: Vec<Wire>,
        /// How many were left out.
        more: usize,
    },
    /// This user joined.
    Joined(Wire),
    /// This user left.
    Left(Wire),
    /// Another user changed the name.
    Renamed {
        /// The name until now.
        old: Wire,
        /// The name from now on.
        new: Wire,
    },
    /// This user's own name changed.
    YouAre(Wire),
    /// An INFO of the server.
    Info(Wire),
    /// An ERROR of the server (DS-1).
    Error(Wire),
    /// The result of a command.
    Result {
        /// The command's name, as the catalogue has it.
        command: String,
        /// The server's answer, without secrets.
        outcome: Outcome,
        /// The answer's data as a table, for people.
        table: Option<Table>,
    },
    /// A question of the server.
    Prompt {
        /// The server's words.
        text: Wire,
        /// Whether the answer must not be seen.
        secret: bool,
    },
    /// The end of a page of history.
    Page {
        /// The conversation: a name, or `ALL`.
        with: Wire,
        /// How many messages the page had.
        count: usize,
        /// Whether there are older ones.
        more: bool,
    },
    /// The connection is lost and will be tried again.
    ConnectionLost {
        /// The reason, in words.
        why: String,
        /// The time until the next try.
        wait: Duration,
        /// How many messages are kept until then.
        waiting: usize,
    },
    /// The session was resumed on a new connection.
    Resumed {
        /// How many messages were missed; they follow.
        missed: usize,
        /// Whether these are all.
        complete: bool,
    },
    /// A message of this user is stored; for programs only.
    Stored {
        /// The idempotency key under which it was sent.
        tag: String,
        /// The number that the server gave it.
        id: Id,
    },
    /// A message of this user is rejected; for programs only, since people get the ERROR.
    Rejected(RefusedTag),
    /// The server deviates from the protocol.
    Deviation(String),
    /// A notice of this program.
    Note(String),
}

/// A message of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender's time, as a person reads it.
    pub when: String,
    /// The sender's time, in seconds since 1970.
    pub time: i64,
    /// The sender's name.
    pub from: Wire,
    /// The recipient's name; `None` is everybody.
    pub to: Option<Wire>,
    /// The text as it was sent.
    pub text: Wire,
    /// The number that the server gave it, where it gives numbers.
    pub id: Option<Id>,
    /// The idempotency key of an own message that the server will acknowledge.
    pub tag: Option<String>,
    /// The reason why it is shown now.
    pub kind: MessageKind,
}

/// The reason why a message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// It was just sent.
    Live,
    /// It was sent before this user joined, or is on a page that was requested.
    History,
    /// It was sent while the connection was lost.
    Missed,
    /// This user sends it.
    Own,
}

/// The stream of an output, where the chat and the program's notices are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: the chat.
    Output,
    /// Standard error: notices about the program.
    Error,
}

impl Output {
    /// A notice of this program.
    pub fn note(text: impl Into<String>) -> Self {
        Self::Note(text.into())
    }

    /// The stream that it goes to.
    pub fn stream(&self) -> Stream {
        match self {
            Self::Note(_)
            | Self::Deviation(_)
            | Self::ConnectionLost { .. }
            | Self::Resumed { .. } => Stream::Error,
            _ => Stream::Output,
        }
    }
}
