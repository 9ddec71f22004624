//! Events for the user, which result from frames of the server.

use crate::capability::Capabilities;
use crate::capability::accounts::Account;
use crate::capability::commands::{Command, Outcome, Prompt};
use crate::capability::ids::{Id, Page, RefusedTag};
use crate::entry::Entry;
use crate::name::ALL;
use crate::server_frame::Deviation;
use crate::text::WireText;

/// One received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The name of the sender.
    pub source: WireText<'static>,
    /// The recipient of a private message; `None` for a broadcast.
    pub recipient: Option<WireText<'static>>,
    /// Seconds since 1970-01-01 UTC, by the sender's clock.
    pub timestamp: i64,
    /// The text.
    pub content: WireText<'static>,
    /// Its id, where messages have one (ID-1).
    pub id: Option<Id>,
}

impl Message {
    /// A message with its id.
    pub fn numbered(entry: Entry<'static>, id: Option<Id>) -> Self {
        let recipient = (entry.destination != ALL).then(|| WireText::new(entry.destination));
        Self {
            source: WireText::new(entry.source),
            recipient,
            timestamp: entry.timestamp,
            content: WireText::new(entry.content),
            id,
        }
    }
}

impl From<Entry<'static>> for Message {
    fn from(entry: Entry<'static>) -> Self {
        Self::numbered(entry, None)
    }
}

/// Something that the user is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The name was accepted; the welcome is a snapshot of the chat. Its history follows, then [`Event::Welcomed`].
    Accepted {
        /// The server's greeting, if any (IN-1).
        info: Option<WireText<'static>>,
        /// How many messages of the history follow, oldest first.
        history: usize,
        /// The capabilities in force.
        agreed: Capabilities,
        /// The account of the user, with `accounts` (AN-2).
        account: Option<Account>,
    },
    /// A message of the history.
    History(Message),
    /// The welcome is over, and everybody who is present is known.
    Welcomed,
    /// The name was accepted again, after the connection had been lost.
    Rejoined {
        /// How many messages were missed; they follow, oldest first.
        missed: usize,
        /// Whether none is lost: the session was resumed (ID-7), or the history reaches back far enough.
        complete: bool,
        /// The capabilities in force.
        agreed: Capabilities,
        /// The account of the user.
        account: Option<Account>,
    },
    /// A message that was missed while the connection was lost.
    Missed(Message),
    /// The name was not accepted; another one may be asked for.
    Refused {
        /// The server's reason, if any (IN-1).
        info: Option<WireText<'static>>,
        /// The machine word of the reason, with `accounts` (AN-3).
        code: Option<WireText<'static>>,
    },
    /// Another user joined.
    Joined(WireText<'static>),
    /// Another user changed name (RN-1).
    Renamed {
        /// The name before.
        old: WireText<'static>,
        /// The name from now on.
        new: WireText<'static>,
    },
    /// This user's own name was changed.
    SelfRenamed(WireText<'static>),
    /// A message was received.
    Message(Message),
    /// Another user left.
    Left(WireText<'static>),
    /// A message of this user was acknowledged: it is stored (ID-4).
    Stored {
        /// The idempotency key of the message.
        tag: String,
        /// The id of the message.
        id: Id,
    },
    /// A message of this user was rejected (ID-4). The ERROR beside it, if there is one, follows.
    Rejected(RefusedTag),
    /// A page of history that was asked for.
    Page(Page),
    /// The catalogue of commands has changed (CM-1).
    Catalogue {
        /// The commands that this user may use.
        commands: Option<Vec<Command>>,
        /// The prefix that is typed before a command.
        prefix: Option<WireText<'static>>,
    },
    /// The result of a command (CM-2).
    Result(Outcome),
    /// A running command asks the user something (CM-4).
    Prompt(Prompt),
    /// A liveness check of the server, to be answered with PONG and this number (PI-1).
    Ping(i64),
    /// A text of the server that belongs to nothing else.
    Info(WireText<'static>),
    /// An error that the server reports (DS-1).
    Error(WireText<'static>),
    /// A violation of the protocol by the server.
    Deviation(Deviation),
}
