//! What a server is like at a moment, as it is answered and as programs read it.

use serde::{Deserialize, Serialize};

/// A server at a moment. Times are seconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of the program.
    pub version: String,
    /// The number of the process.
    pub process: u32,
    /// When it started.
    pub started: i64,
    /// For how many seconds it has been running.
    pub uptime: u64,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Where it listens for browsers.
    #[serde(default)]
    pub web: Vec<String>,
    /// Where it listens for telnet.
    #[serde(default)]
    pub telnet: Vec<String>,
    /// Where it tells whether users are taken.
    #[serde(default)]
    pub health: Vec<String>,
    /// Whether they are: a word, as it is told there.
    #[serde(default)]
    pub readiness: String,
    /// Whether connections use TLS.
    pub tls: bool,
    /// How many days the certificate is good for; below 0 it has ended.
    pub certificate_days: Option<i64>,
    /// Whether it is not valid yet.
    #[serde(default)]
    pub certificate_early: bool,
    /// What clients may refuse it for.
    #[serde(default)]
    pub certificate_warnings: Vec<String>,
    /// How many connections are open, those that have not joined yet too.
    pub connections: usize,
    /// How many may be.
    pub max_connections: usize,
    /// How many users are here, however many of them are listed.
    pub user_count: usize,
    /// How many rooms there are beside the lobby, however many of them are listed.
    pub room_count: usize,
    /// What there was in the last minute.
    pub minute: Minute,
    /// The memory.
    pub memory: Memory,
    /// What is stored.
    pub stored: Stored,
    /// What is logged.
    pub log: Log,
    /// When it is going to stop, if somebody has asked for that.
    pub stops: Option<i64>,
    /// The cluster, as this node of it knows it.
    #[serde(default)]
    pub cluster: Option<Cluster>,
}

/// A cluster, as one node of it knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// What the operator calls this node.
    pub node: String,
    /// The last place of the order that it has applied.
    pub place: u64,
    /// The nodes that are up, this one first.
    pub nodes: Vec<Node>,
}

/// A node of a cluster that is up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What its operator calls it.
    pub name: String,
    /// This life of it.
    pub life: String,
    /// The format that it reads and writes.
    pub speaks: u16,
    /// How many seconds ago something of it came round last; of this node, a tick.
    pub heard: Option<u64>,
    /// The last place of the order that it is known to have applied.
    pub place: u64,
    /// How many users are connected with it, or were and are waited for.
    #[serde(default)]
    pub users: usize,
}

/// What there was in the last minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    /// The seconds that were counted: 60, or fewer after a start.
    pub seconds: u64,
    /// Messages that were delivered.
    pub messages: u64,
    /// Users who have come in.
    pub joins: u64,
    /// Connections that were turned away, and names that were refused.
    pub refused_joins: u64,
    /// Frames that were answered with an ERROR.
    pub refused_frames: u64,
}

/// The memory of a server, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// What the system counts; `None` where it does not say.
    pub resident: Option<u64>,
    /// What waits for members.
    pub waiting: u64,
    /// How much may.
    pub waiting_limit: u64,
}

/// What is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The data folder.
    pub folder: Option<String>,
    /// How many messages.
    pub messages: Option<u64>,
    /// The bytes of the database on the disk.
    pub bytes: Option<u64>,
}

/// What is logged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// What, and in which form.
    pub what: String,
    /// Where activities are logged, if they are.
    pub activity: Option<String>,
}

/// Somebody who is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name.
    pub name: String,
    /// The account, if they are logged in.
    pub account: Option<String>,
    /// The level, that of the admin password included.
    pub level: u8,
    /// Where they come from.
    pub address: Option<String>,
    /// When they joined.
    pub since: i64,
}

/// A room beside the lobby.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The name.
    pub name: String,
    /// The account of its owner.
    pub owner: Option<String>,
    /// How many are members, here or away.
    pub members: usize,
    /// How many connections are told what happens in it.
    pub here: usize,
    /// Whether it is unknown to who is not a member.
    pub hidden: bool,
}
