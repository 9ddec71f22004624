//! Events for the user, which result from frames of the server.

use super::numbered::Stamp;
use crate::capability::Capabilities;
use crate::capability::ServerInfo;
use crate::capability::accounts::Account;
use crate::capability::commands::{Command, Outcome, Prompt};
use crate::capability::e2ee::{KeysAnswer, KeysLow};
use crate::capability::files::{FileAnswer, FileChunk, FileCredit};
use crate::capability::ids::{Id, Page, Paged, RefusedTag};
use crate::capability::meta::Meta;
use crate::capability::notices::{Closed, Notice};
use crate::capability::presence::UserPresence;
use crate::capability::rooms::{RoomLeft, RoomTold};
use crate::entry::Entry;
use crate::name::ALL;
use crate::server_frame::Deviation;
use crate::text::WireText;

/// One received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The name of the sender.
    pub source: WireText<'static>,
    /// The recipient of a private message, or the room that it was said in; `None` for a broadcast.
    pub recipient: Option<WireText<'static>>,
    /// Seconds since 1970-01-01 UTC, by the sender's clock.
    pub timestamp: i64,
    /// The text.
    pub content: WireText<'static>,
    /// Its id, where messages have one (ID-1).
    pub id: Option<Id>,
    /// When the server took it, in seconds since 1970-01-01 UTC, where it says so.
    pub taken: Option<i64>,
    /// What goes with it (MT-1).
    pub meta: Option<Box<Meta>>,
}

impl Message {
    /// A message with what the server has written beside it.
    pub(super) fn stamped(entry: Entry<'static>, stamp: Stamp) -> Self {
        let Stamp { id, taken, meta } = stamp;
        let recipient = (entry.destination != ALL).then(|| WireText::new(entry.destination));
        Self {
            source: WireText::new(entry.source),
            recipient,
            timestamp: entry.timestamp,
            content: WireText::new(entry.content),
            id,
            taken,
            meta,
        }
    }
}

impl From<Paged> for Message {
    fn from(paged: Paged) -> Self {
        let Paged { id, taken, entry, meta } = paged;
        Self::stamped(entry, Stamp { id: Some(id), taken, meta })
    }
}

impl From<Entry<'static>> for Message {
    fn from(entry: Entry<'static>) -> Self {
        Self::stamped(entry, Stamp::default())
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
        /// What the server says about itself.
        server: Option<ServerInfo>,
        /// Whether the welcome was asked to be short, and there are older messages (RC-1).
        more: bool,
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
        /// Until when it holds, in seconds since 1970 UTC, with `notices` (NO-5).
        until: Option<i64>,
    },
    /// This user is a member of a room from now on (RM-6).
    RoomJoined(WireText<'static>),
    /// Something of a room has changed, or of the lobby: these keys (RM-11).
    RoomChanged(Box<RoomTold>),
    /// This user is not a member of a room any more (RM-7).
    RoomLeft(RoomLeft),
    /// Others became members of a room (RM-6).
    RoomUsersJoined {
        /// The room.
        room: WireText<'static>,
        /// Their names.
        users: Vec<WireText<'static>>,
    },
    /// Others are not members of a room any more (RM-7).
    RoomUsersLeft {
        /// The room.
        room: WireText<'static>,
        /// Their names.
        users: Vec<WireText<'static>>,
    },
    /// Of the messages of a room that were missed, not all follow: HISTORY has those after this one (RH-6).
    Gap {
        /// The room.
        room: WireText<'static>,
        /// The last message that is known, of whatever room.
        after: Id,
    },
    /// Something that the user should know (NO-1).
    Notice(Notice),
    /// What is told of a user who is here (PR-1).
    Presence {
        /// The user.
        user: UserPresence,
        /// Whether it is known that they were away before.
        was_away: bool,
    },
    /// How far conversations were read, by whichever device of the user (MK-1).
    Marks {
        /// Conversations, `ALL` among them, each with the last message that was read.
        read: Vec<(WireText<'static>, Id)>,
        /// How many messages are unread, in a welcome; 100 is at least 100 (MK-2). Of those that were not marked there may be no
        /// more than that.
        unread: Vec<(WireText<'static>, u64)>,
    },
    /// The server ends the connection (NO-3).
    Closed(Closed),
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
    /// The server takes a message of this user after so many seconds, so it is kept; [`ClientSession::say_again`] sends it.
    ///
    /// [`ClientSession::say_again`]: super::session::ClientSession::say_again
    PutOff {
        /// The seconds.
        wait: u64,
    },
    /// A page of history that was asked for.
    Page(Page),
    /// What the server says about a file or a transfer (FI-1, FI-2).
    File(FileAnswer),
    /// The next bytes of a file that is fetched (FI-2).
    FileChunk(FileChunk),
    /// How far an upload may go from now on (FI-2).
    FileCredit(FileCredit),
    /// The server gives up the transfer with this token (FI-2).
    FileStop(String),
    /// The answer of the directory of keys (EE-1, EE-2).
    Keys(Box<KeysAnswer>),
    /// Few one-time keys of a device are left (EE-2).
    KeysLow(KeysLow),
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
    /// The server's answer to the PING of this number (PI-1).
    Pong(i64),
    /// A text of the server that belongs to nothing else.
    Info(WireText<'static>),
    /// An error that the server reports (DS-1).
    Error(WireText<'static>),
    /// A violation of the protocol by the server.
    Deviation(Deviation),
}
