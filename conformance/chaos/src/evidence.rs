//! All that a run leaves: what each user did and saw, what each node says was said, and what was broken when.
//!
//! It is kept small, since an hour has millions of deliveries: a message is its id and a fingerprint, a name
//! its place in one table.

use std::{collections::HashMap, sync::Arc};

/// Microseconds since the run began.
pub type Micros = u64;

/// One second of them.
pub const SECOND: Micros = 1_000_000;

/// So many messages of the past that a base client is told when it joins are kept at most: the newest.
pub const PAST: usize = 1_000;

/// A name of the run: its place in [`Evidence::names`].
pub type Name = u16;

/// A fingerprint of source, destination and text. Each text of a run is unique, so two messages with one
/// fingerprint are one message that came twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Print(pub u64);

impl Print {
    /// The fingerprint of a message (FNV-1a over its parts, each behind its length).
    #[must_use]
    pub fn of(src: &str, dest: &str, text: &str) -> Self {
        let parts = [src, dest, text];
        let bytes = parts.iter().flat_map(|part| {
            part.len().to_le_bytes().into_iter().chain(part.bytes()).collect::<Vec<_>>()
        });
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }
}

/// The destination of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Everybody.
    Lobby,
    /// A room, by its place in the list of the run.
    Room(u16),
    /// One user.
    User(Name),
}

/// A message that a user wanted to send; its tag is its place in [`Testimony::posts`].
#[derive(Debug, Clone, Copy)]
pub struct Post {
    /// Where to.
    pub place: Place,
    /// Its fingerprint.
    pub print: Print,
    /// The session in which it was sent, counted from 0: tags hold within one.
    pub session: u32,
}

/// Whom a message that came was for, as far as its receiver can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Everybody.
    Lobby,
    /// The members of a room.
    Room(u16),
    /// The receiver.
    Me,
    /// Somebody else, and the receiver did not send it: nobody should have shown it.
    Foreign,
}

/// A message that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its id; 0 where its receiver was told none, until [`Evidence::identify`] looks for it.
    pub id: u64,
    /// Its fingerprint.
    pub print: Print,
    /// Whom it was for.
    pub side: Side,
}

/// How a session stands to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// A new one.
    New,
    /// The one before goes on.
    Resumed,
}

/// What a connection began with.
#[derive(Debug, Clone)]
pub struct Welcome {
    /// The node that gave it.
    pub node: u16,
    /// New or going on.
    pub session: Session,
    /// Who is here, the names of the run only.
    pub users: Vec<Name>,
    /// What was said before, or missed.
    pub messages: Vec<Seen>,
    /// The rooms of which not all that was missed was sent.
    pub gaps: Vec<u16>,
    /// The rooms of which the user is no member any more.
    pub left: Vec<u16>,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// The user wanted it.
    Mine,
    /// The user goes on over another one, which took the session over.
    Moved,
    /// It broke, or the other end closed it.
    Lost,
    /// Nothing was answered for so long that the user took it for dead.
    GaveUp,
    /// The server said why.
    Told(String),
    /// It ended while its user read nothing, or was reading what had waited.
    Dawdled,
}

/// One thing that a user did or saw.
#[derive(Debug, Clone)]
pub enum What {
    /// A connection was welcomed.
    Welcomed(Welcome),
    /// A post was written to the connection; the first time or again.
    Sent(u32),
    /// A post is stored, under this id.
    Acked(u32, u64),
    /// A post is not stored, for the reason with this word.
    Refused(u32, String),
    /// A message came.
    Saw(Seen),
    /// The user has become a member of a room whose newest message was this one.
    Entered(u16, u64),
    /// Somebody has joined.
    Came(Name),
    /// Somebody has left.
    Went(Name),
    /// The server has announced something to everybody.
    Noticed,
    /// The server took a message at a time that is far from the user's clock.
    OffClock,
    /// A node did not let the user in, for the reason with this word.
    TurnedAway(String),
    /// The connection has ended.
    Closed(Closing),
}

/// What a user did or saw, and when.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: Micros,
    /// What.
    pub what: What,
}

/// All that one user did and saw, in this order.
#[derive(Debug, Clone, Default)]
pub struct Testimony {
    /// The name; several may compete for one.
    pub name: Name,
    /// Whether the user speaks the base protocol alone: no tags, no ids, no session that goes on.
    pub base: bool,
    /// How long it waits for an answer before it takes a connection for dead.
    pub patience: Micros,
    /// What it wanted to send.
    pub posts: Vec<Post>,
    /// The events.
    pub events: Vec<Event>,
    /// Whether it was connected when the run was over, and had seen [`Evidence::end`].
    pub settled: bool,
}

/// One message on a page of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: u64,
    /// Its fingerprint.
    pub print: Print,
    /// Who sent it; nothing for a name that is not of the run.
    pub src: Option<Name>,
    /// Where to; nothing for a name that is not of the run.
    pub place: Option<Place>,
}

/// What one node says was said, as pages have it.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    /// The node.
    pub node: u16,
    /// Whose pages these are; nothing for those of the lobby and the rooms.
    pub reader: Option<Name>,
    /// The messages, in the order in which they were told.
    pub entries: Vec<Entry>,
    /// Those of earlier runs.
    pub older: Vec<Entry>,
}

/// What the pages of all had in the run before.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// The messages. They have to be there still.
    pub told: Arc<[Entry]>,
    /// Whether these are all: that run came to rest, so nothing of it can have been stored since.
    pub is_all: bool,
}

/// A fault.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A node is killed, and started again.
    NodeKilled,
    /// A node is stopped by SIGSTOP, and goes on later.
    NodePaused,
    /// A node is stopped in order, and started again later.
    NodeStopped,
    /// A node is killed, and started again without what it had stored.
    NodeNew,
    /// The disk of a node is full.
    DiskFull,
    /// A node can't reach the engine.
    NodeCutOff,
    /// A node can reach neither the engine nor its users.
    NodeIsolated,
    /// All nodes are restarted in order, one after the other.
    RollingRestart,
    /// The leader of the engine is killed.
    LeaderKilled,
    /// The leader of the engine hangs.
    LeaderHung,
    /// The leader of the engine is stopped in order.
    LeaderStopped,
    /// The host of the engine's leader can reach nobody.
    LeaderIsolated,
    /// Two of three servers of the engine are killed.
    QuorumLost,
    /// All servers of the engine are killed.
    EngineKilled,
    /// All connections of a node are cut in the middle of what they carry.
    ConnectionsCut,
    /// Some users cut their connections in the middle of a frame that they write.
    FramesCut,
    /// Some users leave, and go on with their session, or begin another one.
    UsersLeave,
    /// A user writes as much as it can.
    Flood,
    /// Some users read nothing while another writes as much as it can.
    SlowReaders,
    /// The clock of a node is set forward or back by an hour, and put right again.
    ClockStepped,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 20] = [
        Self::NodeKilled,
        Self::NodePaused,
        Self::NodeStopped,
        Self::NodeNew,
        Self::DiskFull,
        Self::NodeCutOff,
        Self::NodeIsolated,
        Self::RollingRestart,
        Self::LeaderKilled,
        Self::LeaderHung,
        Self::LeaderStopped,
        Self::LeaderIsolated,
        Self::QuorumLost,
        Self::EngineKilled,
        Self::ConnectionsCut,
        Self::FramesCut,
        Self::UsersLeave,
        Self::Flood,
        Self::SlowReaders,
        Self::ClockStepped,
    ];

    /// Whether it is one of nodes, as opposed to the engine.
    #[must_use]
    pub const fn is_of_nodes(self) -> bool {
        matches!(
            self,
            Self::NodeKilled
                | Self::NodePaused
                | Self::NodeStopped
                | Self::NodeNew
                | Self::DiskFull
                | Self::NodeCutOff
                | Self::NodeIsolated
                | Self::RollingRestart
                | Self::ConnectionsCut
                | Self::ClockStepped
        )
    }

    /// Whether users do it.
    #[must_use]
    pub const fn is_of_users(self) -> bool {
        matches!(self, Self::FramesCut | Self::UsersLeave | Self::Flood | Self::SlowReaders)
    }

    /// Whether only a server that is alone is asked about it.
    #[must_use]
    pub const fn is_of_one_server(self) -> bool {
        self.is_of_users() || matches!(self, Self::ConnectionsCut | Self::ClockStepped)
    }

    /// Its word in configuration and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NodeKilled => "node-killed",
            Self::NodePaused => "node-paused",
            Self::NodeStopped => "node-stopped",
            Self::NodeNew => "node-new",
            Self::DiskFull => "disk-full",
            Self::NodeCutOff => "node-cut-off",
            Self::NodeIsolated => "node-isolated",
            Self::RollingRestart => "rolling-restart",
            Self::LeaderKilled => "leader-killed",
            Self::LeaderHung => "leader-hung",
            Self::LeaderStopped => "leader-stopped",
            Self::LeaderIsolated => "leader-isolated",
            Self::QuorumLost => "quorum-lost",
            Self::EngineKilled => "engine-killed",
            Self::ConnectionsCut => "connections-cut",
            Self::FramesCut => "frames-cut",
            Self::UsersLeave => "leaves",
            Self::Flood => "flood",
            Self::SlowReaders => "slow-readers",
            Self::ClockStepped => "clock-stepped",
        }
    }

    /// Its word where there is one server, which is no node.
    #[must_use]
    pub const fn word_alone(self) -> &'static str {
        match self {
            Self::NodeKilled => "killed",
            Self::NodePaused => "paused",
            Self::NodeStopped => "stopped",
            other => other.word(),
        }
    }
}

/// How a process ended that was told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Ending {
    /// Whether it ended as one does that was told to: by itself, and without complaint.
    #[must_use]
    pub const fn is_in_order(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A fault that was put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Struck {
    /// Which one.
    pub fault: Fault,
    /// The node that it hit; a rolling restart has one entry for each node.
    pub node: Option<u16>,
    /// When it began.
    pub from: Micros,
    /// When it was over.
    pub until: Micros,
    /// How the node ended, where it was told to end in order; one that took too long was killed.
    pub ended: Option<Ending>,
}

/// The end of a node that nobody ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// When it was noticed.
    pub at: Micros,
    /// What it looked like.
    pub how: String,
}

/// All that a run leaves.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The names of the run.
    pub names: Vec<String>,
    /// Whether there is one server, which has nothing to do with others: no connection ends, or falls silent, without a reason then.
    pub alone: bool,
    /// Nodes that ended by themselves.
    pub deaths: Vec<Death>,
    /// What the pages of all had in the run before.
    pub before: Before,
    /// What each user did and saw.
    pub testimonies: Vec<Testimony>,
    /// What the nodes say was said.
    pub pages: Vec<Pages>,
    /// What was broken when.
    pub faults: Vec<Struck>,
    /// The id of the last message of the run, which everybody who is settled has seen.
    pub end: u64,
    /// When users stopped talking.
    pub rest: Micros,
    /// So long nobody is seen leaving whose node was killed and who goes on with the session.
    pub hold: Micros,
    /// So long after a fault of its node a user may still be seen leaving.
    pub grace: Micros,
}

impl Evidence {
    /// Gives what base clients saw the ids that it has on the pages, since they are told none. What is on no page keeps 0.
    pub fn identify(&mut self) {
        let mut ids: HashMap<Print, u64> = HashMap::new();
        for entry in self.pages.iter().flat_map(|pages| &pages.entries) {
            // What is stored twice is found as that; here it is the first one.
            ids.entry(entry.print).and_modify(|id| *id = entry.id.min(*id)).or_insert(entry.id);
        }
        let id = |seen: &mut Seen| seen.id = ids.get(&seen.print).copied().unwrap_or_default();
        for testimony in self.testimonies.iter_mut().filter(|testimony| testimony.base) {
            for event in &mut testimony.events {
                match &mut event.what {
                    What::Saw(seen) => id(seen),
                    What::Welcomed(welcome) => welcome.messages.iter_mut().for_each(id),
                    _ => {}
                }
            }
        }
    }
}
