//! What whoever runs a server can set.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chatterbox_hub::{Keep, TimelineLimits};
use chatterbox_proto::{Capabilities, Capability, limits};

/// All settings of a running server; where it listens and with which certificate is decided before.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long handshake and name together may take (AS-4).
    pub join_timeout: Duration,
    /// How long a connection may take nothing of what is waiting for it (AS-3).
    pub stall_timeout: Duration,
    /// How long users have to say good bye before a shutdown.
    pub grace: Duration,
    /// Connections at the same time, in all.
    pub max_connections: usize,
    /// Connections at the same time from one address (IPv6: one /64 network).
    pub max_per_address: usize,
    /// Largest frame of a joined client, in bytes (LG-3).
    pub max_frame: usize,
    /// Longest user name, in characters (NM-2).
    pub max_name: usize,
    /// How much is kept for those who join later (HI-6).
    pub keep: Keep,
    /// How long it is kept for them, counted from its arrival.
    pub keep_age: Option<Duration>,
    /// For how long a name is kept for its user after they have left; zero is not at all.
    pub hold_name: Duration,
    /// Whether people without an account may join.
    pub guests: bool,
    /// Whether base clients can use commands, by messages to themselves.
    pub legacy_commands: bool,
    /// What is spoken beyond the base protocol, with those who offer it.
    pub spoken: Capabilities,
    /// How far a reader may fall behind.
    pub ring: TimelineLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            join_timeout: Duration::from_secs(120),
            stall_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            max_connections: 10_000,
            max_per_address: 2_000,
            max_frame: limits::CLIENT_FRAME,
            max_name: limits::USERNAME_CHARS,
            keep: Keep::default(),
            keep_age: None,
            hold_name: Duration::ZERO,
            guests: true,
            legacy_commands: false,
            spoken: [Capability::Ids, Capability::Ping, Capability::Rename, Capability::Utf8]
                .into_iter()
                .collect(),
            ring: TimelineLimits::default(),
        }
    }
}

/// The settings of a running server, which may change as a whole.
///
/// What is only looked at when the server starts (`ring`, `keep`, `keep_age`) stays as it was then.
#[derive(Debug, Clone)]
pub struct Live(Arc<RwLock<Arc<Config>>>);

impl Live {
    /// Settings to start with.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(config))))
    }

    /// The settings of this moment; a connection keeps those it began with.
    pub fn current(&self) -> Arc<Config> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in their place, for everything that begins from now on.
    pub fn replace(&self, config: Config) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}
