//! What the operator of a server asks of its process: to read the settings again, to stop, what it has.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A day, in seconds: nobody tells a server to stop later, and none says that it is away for longer. Whoever wants more uses the
/// timers of the system.
pub const LONGEST_STOP: u64 = 24 * 60 * 60;

/// The process that a server runs in. Its calls may take a while, and look at files.
pub trait Operator: Send + Sync + Debug {
    /// Reads settings and certificates again, as SIGHUP does (MO-12).
    fn reload(&self) -> Reloaded;

    /// Begins the shutdown, as SIGTERM does: who is here is told, and has the grace to go.
    fn stop(&self);

    /// What the process has.
    fn facts(&self) -> Facts;
}

/// What has become of reading the settings again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Settings that are in force now.
    pub changed: Vec<ChangedSetting>,
    /// Settings that another start would take over.
    pub waiting: Vec<ChangedSetting>,
    /// What could not be read; all of its kind stays as it was.
    pub problems: Vec<String>,
    /// What clients may refuse the certificate for that is in use now.
    pub certificate: Vec<String>,
}

/// A setting that has another value than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSetting {
    /// Its name, as in the configuration file.
    pub key: String,
    /// The value that was in force; `None` where the machine decides, or where a value is too long to tell.
    pub old: Option<String>,
    /// The value that was read.
    pub new: Option<String>,
}

/// What the process of a server has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// Where it listens for browsers.
    pub web: Vec<SocketAddr>,
    /// Where it listens for telnet.
    pub telnet: Vec<SocketAddr>,
    /// Where it tells whether users are taken.
    pub health: Vec<SocketAddr>,
    /// Whether connections use TLS.
    pub tls: bool,
    /// For how many whole days the certificate is good; below 0 it has ended.
    pub certificate_days: Option<i64>,
    /// Whether the certificate is not valid yet.
    pub certificate_early: bool,
    /// What clients may refuse it for.
    pub certificate_warnings: Vec<String>,
    /// The folder of the database.
    pub folder: Option<PathBuf>,
    /// How many messages are stored.
    pub messages: Option<u64>,
    /// The bytes of the database on the disk.
    pub database_bytes: Option<u64>,
    /// What is logged, and in which form.
    pub log: String,
    /// Where activities are logged, if they are.
    pub activity_log: Option<PathBuf>,
}
