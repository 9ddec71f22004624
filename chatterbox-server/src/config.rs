//! The settings of a running server, each with its flag, its default and its help.
//!
//! One field of [`Config`] is one setting: clap derives the flag and the help from it, and the name of the flag gives
//! the environment variable and the key of the configuration file. Every field with a flag is reloadable: SIGHUP
//! replaces the [`Config`] in force. Settings that take a restart (the port, the folders) are flags of the program.

mod host_names;
mod level_names;
mod networks;
mod rooms;
mod value;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chatterbox_hub::{Keep, TimelineLimits};
use chatterbox_proto::{Capabilities, Capability, Username, limits};
use clap::{ArgAction, Args, Command, FromArgMatches as _};

pub use host_names::HostNames;
pub(crate) use host_names::host_names;
pub use level_names::LevelNames;
use level_names::level_names;
pub use networks::Networks;
pub use rooms::{ROOM_SETTINGS, RoomBlock, RoomSettingError, room_setting, room_text};
pub use value::{AccountNames, between, days};
use value::{
    account_level, account_names, at_least_one, banner, max_frame, max_name, one_second_or_more,
    seconds, seconds_or_none, server_name, yes_or_no,
};

const MIB: u64 = 1024 * 1024;

/// Settings of a running server.
///
/// The comment of a field with a flag is its text in the help, so it has no final stop there.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Config {
    /// Largest file that a user may upload, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 10 * MIB, help_heading = "Files")]
    pub file_size: u64, // FI-1

    /// Bytes of all files of one account
    #[arg(long, value_name = "BYTES", default_value_t = 100 * MIB, help_heading = "Files")]
    pub file_account: u64,

    /// Bytes of all files of one room, or of the lobby
    #[arg(long, value_name = "BYTES", default_value_t = 500 * MIB, help_heading = "Files")]
    pub file_room: u64,

    /// Bytes of all files
    #[arg(long, value_name = "BYTES", default_value_t = 5 * 1024 * MIB, help_heading = "Files")]
    pub file_total: u64,

    /// Bytes of the disk that no file takes
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * MIB, help_heading = "Files")]
    pub file_free: u64,

    /// Days that files are kept
    #[arg(
        long,
        value_name = "DAYS",
        default_value = "7",
        value_parser = days,
        help_heading = "Files"
    )]
    pub file_days: Duration, // FI-6

    /// Level that uploading takes, from 1 to 5
    #[arg(
        long,
        value_name = "LEVEL",
        default_value_t = 1,
        value_parser = account_level,
        help_heading = "Files"
    )]
    pub file_level: u8,

    /// Uploads that one account may begin in an hour
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = at_least_one,
        help_heading = "Files"
    )]
    pub file_hourly: u32,

    /// Whether people without an account may join
    #[arg(
        long,
        value_name = "YES/NO",
        action = ArgAction::Set,
        default_value = "yes",
        value_parser = yes_or_no(),
        help_heading = "Accounts"
    )]
    pub guests: bool,

    /// What the levels are called, the lowest first
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "guest,user,helper,moderator,operator,admin",
        value_parser = level_names,
        help_heading = "Accounts"
    )]
    pub level_names: LevelNames,

    /// Let base clients use commands: messages to themselves that begin with the prefix
    #[arg(long, help_heading = "Accounts")]
    pub legacy_commands: bool,

    /// Whether people without an account may join rooms beside the lobby
    #[arg(
        long,
        value_name = "YES/NO",
        action = ArgAction::Set,
        default_value = "yes",
        value_parser = yes_or_no(),
        help_heading = "Accounts"
    )]
    pub room_guests: bool,

    /// Whether `users --all` says when others were here last
    #[arg(
        long,
        value_name = "YES/NO",
        action = ArgAction::Set,
        default_value = "yes",
        value_parser = yes_or_no(),
        help_heading = "Accounts"
    )]
    pub last_seen: bool,

    /// Name of this chat, which clients show to who joins [default: none]
    #[arg(long, value_name = "NAME", value_parser = server_name, help_heading = "Welcome")]
    pub server_name: Option<String>,

    /// Text that clients show to who joins, up to 20 lines [default: none]
    #[arg(long, value_name = "TEXT", value_parser = banner, help_heading = "Welcome")]
    pub banner: Option<String>,

    /// Connections at the same time
    #[arg(long, value_name = "N", default_value_t = 10_000, help_heading = "Limits")]
    pub max_connections: usize,

    /// Connections at the same time from one address (IPv6: one /64 network)
    #[arg(long, value_name = "N", default_value_t = 2_000, help_heading = "Limits")]
    pub max_per_address: usize,

    /// Largest frame of a client, in bytes
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = limits::CLIENT_FRAME,
        value_parser = max_frame,
        help_heading = "Limits"
    )]
    pub max_frame: usize, // LG-3

    /// Longest user name, in characters
    #[arg(
        long,
        value_name = "N",
        default_value_t = limits::USERNAME_CHARS,
        value_parser = max_name,
        help_heading = "Limits"
    )]
    pub max_name: usize, // NM-2

    /// Accounts that may say as much as they like, such as those of bots, with commas between them [default: none]
    #[arg(long, value_name = "NAMES", value_parser = account_names, help_heading = "Limits")]
    pub flood_exempt: Option<AccountNames>, // FL-4

    /// No limits on how many connections there are and how fast things come: for load runs only
    #[arg(
        long,
        conflicts_with_all = ["max_connections", "max_per_address"],
        help_heading = "Limits"
    )]
    pub no_limits: bool, // applied by `bounded_by`

    /// Seconds that TLS handshake and choosing a name may take together
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "120",
        value_parser = seconds,
        help_heading = "Times"
    )]
    pub join_timeout: Duration, // AS-4

    /// Seconds after which a client that reads nothing is disconnected
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "30",
        value_parser = seconds,
        help_heading = "Times"
    )]
    pub stall_timeout: Duration, // AS-3

    /// Seconds between the notice of a shutdown and the shutdown
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "5",
        value_parser = seconds_or_none,
        help_heading = "Times"
    )]
    pub grace: Duration,

    /// Seconds after which the server is expected back when it shuts down: everybody is told, and clients come back by themselves no sooner [default: 5 for clients, and nobody is told]
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = one_second_or_more,
        help_heading = "Times"
    )]
    pub back_in: Option<Duration>, // RETRY (NO-3)

    /// Seconds that a name is kept for its user after they have left: for the same address or session; 0 is not at all
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0",
        value_parser = seconds_or_none,
        help_heading = "Times"
    )]
    pub hold_name: Duration,

    /// Days that the audit log is kept: who kicked, muted or banned whom, and why
    #[arg(
        long,
        value_name = "DAYS",
        default_value = "365",
        value_parser = days,
        help_heading = "Times"
    )]
    pub audit_days: Duration, // MO-10

    /// Seconds without a key after which a telnet connection is closed
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "1800",
        value_parser = seconds,
        help_heading = "Gateways"
    )]
    pub telnet_idle: Duration,

    /// Names under which browsers may call this server, beside localhost, its address, the host of --web and the names of its certificate [default: none]
    #[arg(long, value_name = "NAMES", value_parser = host_names, help_heading = "Gateways")]
    pub web_host: Option<HostNames>,

    /// Proxies that say for whom they speak (PROXY protocol version 2, or the header Forwarded): addresses, or networks such as 10.0.0.0/8 [default: none]
    #[arg(long, value_name = "ADDRESSES", help_heading = "Gateways")]
    pub trust_proxy: Option<Networks>,

    /// The rooms of the configuration file. A start reads it once, and no flag sets it.
    #[arg(skip)]
    pub rooms: Vec<RoomBlock>,

    /// How much history new members get (HI-6). A start reads it once.
    #[arg(skip)]
    pub keep: Keep,

    /// The age at which history is dropped, counted from the arrival of a message. A start reads it once.
    #[arg(skip)]
    pub keep_age: Option<Duration>,

    /// Whether history is kept only as long as the server runs. A start reads it once.
    #[arg(skip)]
    pub forgets_at_end: bool,

    /// How far a reader may fall behind before it is disconnected. A start reads it once, and no flag sets it.
    #[arg(skip)]
    pub timeline: TimelineLimits,

    /// The capabilities that the server agrees to, beside those of the authenticator; no flag sets them.
    #[arg(skip = SPOKEN.into_iter().collect::<Capabilities>())]
    pub spoken: Capabilities,
}

/// What every chat speaks, with accounts or without them.
const SPOKEN: [Capability; 9] = [
    Capability::Ids,
    Capability::Meta,
    Capability::Notices,
    Capability::Ping,
    Capability::Presence,
    Capability::Recent,
    Capability::Rename,
    Capability::Utf8,
    Capability::Zstd,
];

impl Default for Config {
    /// The values of an empty command line. The environment does not matter: the program adds its variables.
    fn default() -> Self {
        let flags = Self::augment_args(Command::new("defaults").no_binary_name(true));
        let matches = flags.get_matches_from(std::iter::empty::<&str>());
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

impl Config {
    /// The accounts whose messages are not counted (FL-4).
    pub fn exempt(&self) -> &[Username] {
        self.flood_exempt.as_ref().map_or(&[], AccountNames::as_slice)
    }

    /// The same settings on a machine that can hold this many connections: `no_limits` lifts the limits up to there,
    /// and a larger `max_connections` is reduced to it.
    #[must_use]
    pub fn bounded_by(mut self, connections: usize) -> Self {
        if self.no_limits {
            self.max_connections = connections;
            self.max_per_address = usize::MAX;
        } else if self.max_connections > connections {
            tracing::warn!(
                files = connections,
                "this system allows fewer connections than max-connections"
            );
            self.max_connections = connections;
        }
        self
    }
}

/// A handle to the settings in force.
///
/// `timeline`, `keep`, `keep_age` and `rooms` are read once, at the start: replacing them changes nothing.
#[derive(Debug, Clone)]
pub struct Live(Arc<RwLock<Arc<Config>>>);

impl Live {
    /// Puts the first settings in force.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(config))))
    }

    /// A snapshot of the settings. A connection keeps the one that it began with.
    pub fn current(&self) -> Arc<Config> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other settings in force, for everything that takes its snapshot from now on.
    pub fn replace(&self, config: Config) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_protocol_where_it_has_some() {
        let config = Config::default();
        assert_eq!(config.max_frame, limits::CLIENT_FRAME);
        assert_eq!(config.max_name, limits::USERNAME_CHARS);
        assert!(config.guests && !config.no_limits);
    }

    #[test]
    fn the_machine_bounds_connections_and_no_limits_lifts_the_rest() {
        let bounds = |config: Config| {
            let config = config.bounded_by(100);
            (config.max_connections, config.max_per_address)
        };
        assert_eq!(bounds(Config::default()), (100, 2_000));
        assert_eq!(bounds(Config { max_connections: 7, ..Config::default() }), (7, 2_000));
        assert_eq!(bounds(Config { no_limits: true, ..Config::default() }), (100, usize::MAX));
    }
}
