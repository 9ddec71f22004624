//! Outputs: everything that a user can be shown, as data.
//!
//! `wording` says it to people, `json` to programs; a screen of its own kind reads the fields.

use std::time::Duration;

use chatterbox_proto::capability::commands::Outcome;
use chatterbox_proto::capability::ids::{Id, RefusedTag};
use chatterbox_proto::capability::notices::{Closed, Notice};
use chatterbox_proto::capability::presence::UserPresence;
use chatterbox_proto::capability::rooms::{Kept, RoomLeft, Shown};
use chatterbox_proto::{Capabilities, WireText};

use crate::files::{Attached, TransferState, TransferTold};
use crate::quotes::Quote;
use crate::table::Table;

/// Text as it came from the network; it is made safe when it is shown.
pub type Wire = WireText<'static>;

/// One thing to show, mostly a line; a few are several.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A message of the chat.
    Message(Message),
    /// A message of a room behind the front, which a screen of lines shows when that comes to the front.
    Behind(Message),
    /// The server accepted the name.
    Welcome {
        /// The name under which this user has joined.
        name: Wire,
        /// The capabilities that both sides speak.
        agreed: Capabilities,
        /// The user's permission level, where there are accounts.
        level: Option<u8>,
        /// Whether there are older messages than those of the welcome.
        more: bool,
    },
    /// What the server says about itself.
    Server {
        /// Its name.
        name: Option<Wire>,
        /// A text of one line or several.
        banner: Option<Wire>,
    },
    /// The rooms of which the user is a member.
    Rooms {
        /// Their names.
        rooms: Vec<Wire>,
        /// The room in front; `None` is the lobby.
        front: Option<Wire>,
    },
    /// A room, and why it is shown.
    Room(Box<RoomView>, RoomWhy),
    /// The lobby came to the front.
    Lobby,
    /// The conversation with this user came to the front.
    WithUser(Wire),
    /// The user is not a member of a room any more.
    RoomLeft(RoomLeft),
    /// Others became members of a room, or are none any more.
    RoomUsers {
        /// The room.
        room: Wire,
        /// Their names.
        users: Vec<Wire>,
        /// Whether they came.
        joined: bool,
    },
    /// How many messages are unread in which rooms; `ALL` is the lobby.
    Unread(Vec<UnreadRoom>),
    /// How far conversations were read, on another device or before; for programs and screens.
    Marks(Vec<ReadTo>),
    /// What was missed in a room did not come with the welcome.
    Gap {
        /// The room.
        room: Wire,
        /// What becomes of it.
        state: GapState,
    },
    /// Something that the user should know.
    Notice(Notice, Option<Until>),
    /// Why the server ends the connection; for people only where no ERROR says so.
    Closed(Closed),
    /// The server refused the name.
    Refused {
        /// The name that was asked for.
        name: Wire,
        /// The server's reason, for people.
        reason: Option<Wire>,
        /// The server's reason, for programs.
        code: Option<Wire>,
        /// Until when it holds.
        until: Option<Until>,
    },
    /// The users who are here.
    Users {
        /// Their names, in the order of the server.
        users: Vec<Wire>,
        /// Those of them who are away.
        away: Vec<Wire>,
        /// How many were left out.
        more: usize,
    },
    /// A user is away, or is back.
    Presence(UserPresence),
    /// This user joined.
    Joined(Wire),
    /// This user left.
    Left(Wire),
    /// A crowd came and went; it stands for those outputs one by one, and is for people only.
    Moves {
        /// The room; `None` is the lobby.
        room: Option<Wire>,
        /// Who is here now and was not.
        joined: Vec<Wire>,
        /// Who was here and is not.
        left: Vec<Wire>,
    },
    /// So many messages that were shown were said before this user came; for people only.
    Earlier(usize),
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
        /// The server's reason for not showing it, for programs.
        code: Option<Wire>,
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
    /// A message of this user is stored; for programs, and screens that show it at the message.
    Stored {
        /// The idempotency key under which it was sent.
        tag: String,
        /// The number that the server gave it.
        id: Id,
    },
    /// A message of this user is rejected.
    Rejected {
        /// Which one, and why.
        refused: RefusedTag,
        /// Whether an ERROR beside it tells people the same.
        told: bool,
    },
    /// How a file that is sent or fetched gets on; for people its end, where nothing else shows that.
    Transfer(TransferTold),
    /// The server deviates from the protocol.
    Deviation(String),
    /// A notice of this program.
    Note(String),
    /// A notice of this program that is not to be overlooked; names in it are safe to show.
    Warning(String),
}

/// How far a conversation was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTo {
    /// A user or a room; `ALL` is the lobby.
    pub with: Wire,
    /// The number of the last message that was read.
    pub upto: Id,
    /// How many messages behind it are unread, where the server says so.
    pub unread: Option<usize>,
    /// The newest message of a room when the server told it last; 0 where it does not say it.
    pub newest: Id,
}

/// What is unread in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadRoom {
    /// Its name; `ALL` is the lobby.
    pub room: Wire,
    /// How many messages are unread.
    pub count: usize,
    /// How many of them name the user.
    pub mentions: usize,
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
    /// Whether this user has said it, under this name or one that they had before.
    pub own: bool,
    /// The recipient's name, or that of the room; `None` is everybody.
    pub to: Option<Wire>,
    /// Whether it is said in a room.
    pub in_room: bool,
    /// The text as it was sent.
    pub text: Wire,
    /// The number that the server gave it, where it gives numbers.
    pub id: Option<Id>,
    /// When the server took it, in seconds since 1970, where it says so.
    pub taken: Option<i64>,
    /// The idempotency key of an own message that the server will acknowledge.
    pub tag: Option<String>,
    /// What it answers.
    pub quote: Option<Box<Quote>>,
    /// The file that goes with it.
    pub file: Option<Box<Attached>>,
    /// Whom it mentions, as its sender has put it.
    pub mentions: Vec<Wire>,
    /// Whether somebody else names this user in it, or says it to them alone.
    pub mention: bool,
    /// Whether this user is among those whom it mentions, by name or as one of all.
    pub named: bool,
    /// The reason why it is shown now.
    pub kind: MessageKind,
    /// Whether it was encrypted.
    pub lock: Lock,
}

/// Whether a message was encrypted between the two who talk (EE-1 to EE-10).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lock {
    /// It was not: the server can read it.
    #[default]
    Open,
    /// It was, for the keys that were seen first.
    Encrypted,
    /// It was, and the user has verified the other.
    Verified,
    /// It was, and can't be read here; the text says why.
    Unreadable,
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

/// A room as it can be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomView {
    /// Its name.
    pub name: Wire,
    /// Its number.
    pub number: u64,
    /// The account that owns it.
    pub owner: Option<Wire>,
    /// The user's level in it.
    pub level: u8,
    /// What is talked about.
    pub topic: Wire,
    /// What it is for.
    pub description: Wire,
    /// How many members it has.
    pub count: u64,
    /// Their names, where they are listed and asked for.
    pub users: Option<Vec<Wire>>,
    /// The members with a level in it, and the level.
    pub staff: Vec<(Wire, u8)>,
    /// Members at most; 0 is no limit.
    pub limit: u64,
    /// The lowest level that may write.
    pub talk: u8,
    /// Seconds between two messages of one user.
    pub slow: u64,
    /// The longest message in characters.
    pub length: Option<u64>,
    /// How many messages are kept.
    pub keep: Option<Kept>,
    /// What newcomers may read.
    pub show: Option<Shown>,
    /// Further words.
    pub flags: Vec<Wire>,
    /// The newest message; 0 is none.
    pub last: Id,
    /// Nothing up to this message is shown any more.
    pub floor: Id,
}

/// The reason why a room is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomWhy {
    /// The user is a member of it already: the welcome says so.
    Member,
    /// The user became a member of it.
    Joined,
    /// It came to the front.
    Front,
    /// These things have changed.
    Changed(Vec<RoomChange>),
}

/// Something of a room that a person is told when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomChange {
    /// What is talked about.
    Topic,
    /// Who may write.
    Talk,
    /// How often one may write.
    Slow,
    /// What was said before is gone.
    Floor,
}

/// What becomes of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapState {
    /// The messages are being fetched.
    Fetching,
    /// So many were fetched, and they were all.
    Filled(usize),
    /// So many were fetched, and there are others behind them.
    Cut(usize),
}

/// Until when something holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Until {
    /// In seconds since 1970.
    pub time: i64,
    /// As a person reads it.
    pub when: String,
}

impl Until {
    /// ` until 14:05`, or nothing.
    pub(crate) fn words(until: Option<&Self>) -> String {
        until.map(|until| format!(" until {}", until.when)).unwrap_or_default()
    }
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
            | Self::Warning(_)
            | Self::Deviation(_)
            | Self::ConnectionLost { .. }
            | Self::Gap { .. }
            | Self::Unread(_)
            | Self::Earlier(_)
            | Self::Lobby
            | Self::WithUser(_)
            | Self::Room(_, RoomWhy::Front)
            | Self::Transfer(_)
            | Self::Resumed { .. } => Stream::Error,
            _ => Stream::Output,
        }
    }

    /// Whether it is a line for a person who reads line by line: what became of a message is only told where nothing else tells
    /// it.
    pub fn is_line(&self) -> bool {
        let told_elsewhere = match self {
            Self::Stored { .. } | Self::Rejected { told: true, .. } => true,
            Self::Transfer(told) => match &told.state {
                TransferState::Waiting | TransferState::Moving { .. } => true,
                TransferState::Done { path } => path.is_none(),
                TransferState::Failed { .. } => false,
            },
            _ => false,
        };
        !told_elsewhere && !matches!(self, Self::Behind(_) | Self::Marks(_))
    }
}
