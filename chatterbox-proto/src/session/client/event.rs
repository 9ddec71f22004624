//! What a person is told because of a server's frame.

use crate::capability::Capabilities;
use crate::capability::accounts::Account;
use crate::capability::commands::{Command, Outcome, Prompt};
use crate::capability::ids::{Id, Page, RefusedTag};
use crate::entry::Entry;
use crate::name::ALL;
use crate::server_frame::Deviation;
use crate::text::WireText;

/// One message, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub source: WireText<'static>,
    /// To whom it was said; `None` is everybody.
    pub recipient: Option<WireText<'static>>,
    /// Seconds since 1970-01-01 UTC, by the sender's clock.
    pub timestamp: i64,
    /// What is said.
    pub content: WireText<'static>,
    /// Its number, where messages have one (ID-1).
    pub id: Option<Id>,
}

impl Message {
    /// A message with its number.
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

/// Something that the person is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The name was accepted; who is here and what was said before.
    Accepted {
        /// The server's greeting, if any (IN-1).
        info: Option<WireText<'static>>,
        /// Everybody in the chat, as the server says.
        users: Vec<WireText<'static>>,
        /// What was said, oldest first.
        history: Vec<Message>,
        /// What is spoken from now on.
        agreed: Capabilities,
        /// What the user's account is like, where there are accounts (AN-2).
        account: Option<Account>,
    },
    /// The name was accepted again, after the connection had been lost.
    Back {
        /// What was said meanwhile, oldest first.
        missed: Vec<Message>,
        /// Whether that is all of it: the session was resumed (ID-7), or the history says so.
        complete: bool,
        /// What is spoken from now on.
        agreed: Capabilities,
        /// What the user's account is like.
        account: Option<Account>,
    },
    /// The name was not accepted; another one may be asked for.
    Refused {
        /// The server's reason, if any (IN-1).
        info: Option<WireText<'static>>,
        /// The same for programs, where there are accounts (AN-3).
        code: Option<WireText<'static>>,
    },
    /// Somebody else joined.
    Joined(WireText<'static>),
    /// Somebody else has another name now (RN-1).
    Renamed {
        /// What they were called.
        old: WireText<'static>,
        /// What they are called.
        new: WireText<'static>,
    },
    /// This user has another name now.
    YouAre(WireText<'static>),
    /// A message came.
    Message(Message),
    /// Somebody left.
    Left(WireText<'static>),
    /// A message of this user is stored (ID-4).
    Stored {
        /// Its tag.
        tag: String,
        /// Its number.
        id: Id,
    },
    /// A message of this user is refused (ID-4). The ERROR beside it, if there is one, follows.
    NotTaken(RefusedTag),
    /// A page of history that was asked for.
    Page(Page),
    /// What this user may ask the server to do has changed (CM-1).
    Catalogue {
        /// The commands.
        commands: Option<Vec<Command>>,
        /// What is typed before one.
        prefix: Option<WireText<'static>>,
    },
    /// What came of a command (CM-2).
    Result(Outcome),
    /// The server asks something (CM-4).
    Prompt(Prompt),
    /// The server wants to know whether this end is there; the answer is PONG with this number (PI-1).
    Ping(i64),
    /// A text of the server that belongs to nothing else.
    Info(WireText<'static>),
    /// The server says that something was wrong (DS-1).
    Error(WireText<'static>),
    /// The server does something otherwise than the norm says.
    Deviation(Deviation),
}
