//! The command line. Every setting is one field of [`Serve`]: its flag, its environment variable, its key in the
//! configuration file, its default and its description all come from there.

use std::path::PathBuf;
use std::time::Duration;

use chatterbox_hub::Keep;
use chatterbox_proto::limits;
use chatterbox_server::config::Config;
use chatterbox_server::net::tls::CertificateSource;
use chatterbox_server::ops::folders;
use chatterbox_server::ops::logging::LogFormat;
use chatterbox_server::store::sqlite::{self, Retention, SqliteOptions};
use clap::{Args, ValueEnum};

/// What a message that was seen survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// The end of the server, kill -9 included
    Process,
    /// A power cut as well; every group of messages waits for the disk
    Power,
}

/// One or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes
    Yes,
    /// No
    No,
}

/// All settings of a server.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Name or address to listen on; every address that it stands for is used
    #[arg(default_value = "localhost", env = "CHATTERBOX_HOST")]
    pub host: String,

    /// Port to listen on; 0 is any free one
    #[arg(short, long, default_value_t = 9000, env = "CHATTERBOX_PORT")]
    pub port: u16,

    /// Configuration file [default: server.toml in the user's configuration folder, if it is there]
    #[arg(long, value_name = "FILE", env = "CHATTERBOX_CONFIG")]
    pub config: Option<PathBuf>,

    /// Certificate in PEM, with its chain behind it (and the key, unless --key is given)
    #[arg(long, value_name = "FILE", env = "CHATTERBOX_CERT", help_heading = "TLS")]
    pub cert: Option<PathBuf>,

    /// Private key in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "cert",
        env = "CHATTERBOX_KEY",
        help_heading = "TLS"
    )]
    pub key: Option<PathBuf>,

    /// Folder of the local authority, made on first use [default: certs if it is here, else in the user's data folder]
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "cert",
        env = "CHATTERBOX_CERTS",
        help_heading = "TLS"
    )]
    pub certs: Option<PathBuf>,

    /// No TLS: everybody on the way can read and change everything
    #[arg(
        long,
        conflicts_with_all = ["cert", "certs"],
        env = "CHATTERBOX_PLAINTEXT",
        help_heading = "TLS"
    )]
    pub plaintext: bool,

    /// Folder of the messages, made on first use [default: the user's data folder]
    #[arg(long, value_name = "DIR", env = "CHATTERBOX_DATA", help_heading = "Messages")]
    pub data: Option<PathBuf>,

    /// Keep messages only as long as the server runs
    #[arg(long, conflicts_with = "data", env = "CHATTERBOX_MEMORY", help_heading = "Messages")]
    pub memory: bool,

    /// What a message that was seen survives
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "process",
        env = "CHATTERBOX_DURABILITY",
        help_heading = "Messages"
    )]
    pub durability: Durability,

    /// Messages kept; the oldest go
    #[arg(
        long,
        value_name = "N",
        default_value_t = Keep::default().messages,
        env = "CHATTERBOX_KEEP_MESSAGES",
        help_heading = "Messages"
    )]
    pub keep_messages: u64,

    /// Bytes of messages kept; the oldest go
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = Keep::default().bytes,
        value_parser = keep_bytes,
        env = "CHATTERBOX_KEEP_BYTES",
        help_heading = "Messages"
    )]
    pub keep_bytes: u64,

    /// Days that messages are kept [default: for ever]
    #[arg(
        long,
        value_name = "DAYS",
        value_parser = days,
        env = "CHATTERBOX_KEEP_DAYS",
        help_heading = "Messages"
    )]
    pub keep_days: Option<Duration>,

    /// Whether people without an account may join
    #[arg(
        long,
        value_name = "YES/NO",
        default_value = "yes",
        env = "CHATTERBOX_GUESTS",
        help_heading = "Accounts"
    )]
    pub guests: YesNo,

    /// Let base clients use commands: messages to themselves that begin with the prefix
    #[arg(long, env = "CHATTERBOX_LEGACY_COMMANDS", help_heading = "Accounts")]
    pub legacy_commands: bool,

    /// Connections at the same time
    #[arg(
        long,
        value_name = "N",
        default_value_t = Config::default().max_connections,
        env = "CHATTERBOX_MAX_CONNECTIONS",
        help_heading = "Limits"
    )]
    pub max_connections: usize,

    /// Connections at the same time from one address (IPv6: one /64 network)
    #[arg(
        long,
        value_name = "N",
        default_value_t = Config::default().max_per_address,
        env = "CHATTERBOX_MAX_PER_ADDRESS",
        help_heading = "Limits"
    )]
    pub max_per_address: usize,

    /// Largest frame of a client, in bytes
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = limits::CLIENT_FRAME,
        value_parser = max_frame,
        env = "CHATTERBOX_MAX_FRAME",
        help_heading = "Limits"
    )]
    pub max_frame: usize,

    /// Longest user name, in characters
    #[arg(
        long,
        value_name = "N",
        default_value_t = limits::USERNAME_CHARS,
        value_parser = max_name,
        env = "CHATTERBOX_MAX_NAME",
        help_heading = "Limits"
    )]
    pub max_name: usize,

    /// No limits on how many connections there are and how fast things come: for load runs only
    #[arg(
        long,
        conflicts_with_all = ["max_connections", "max_per_address"],
        env = "CHATTERBOX_NO_LIMITS",
        help_heading = "Limits"
    )]
    pub no_limits: bool,

    /// Seconds that TLS handshake and choosing a name may take together
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "120",
        value_parser = seconds,
        env = "CHATTERBOX_JOIN_TIMEOUT",
        help_heading = "Times"
    )]
    pub join_timeout: Duration,

    /// Seconds after which a client that reads nothing is disconnected
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "30",
        value_parser = seconds,
        env = "CHATTERBOX_STALL_TIMEOUT",
        help_heading = "Times"
    )]
    pub stall_timeout: Duration,

    /// Seconds between the notice of a shutdown and the shutdown
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "5",
        value_parser = seconds_or_none,
        env = "CHATTERBOX_GRACE",
        help_heading = "Times"
    )]
    pub grace: Duration,

    /// Seconds that a name is kept for its user after they have left: for the same address or session; 0 is not at all
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0",
        value_parser = seconds_or_none,
        env = "CHATTERBOX_HOLD_NAME",
        help_heading = "Times"
    )]
    pub hold_name: Duration,

    /// How log lines look; they go to stderr and never hold what was said
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        env = "CHATTERBOX_LOG_FORMAT",
        help_heading = "Logs"
    )]
    pub log_format: LogFormat,

    /// What is logged: off, error, warn, info, debug, trace, or of parts of the program, as in info,rustls=debug
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "info",
        value_parser = log_filter,
        env = "CHATTERBOX_LOG",
        help_heading = "Logs"
    )]
    pub log: String,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match seconds_or_none(text)? {
        Duration::ZERO => Err("has to be more than 0".into()),
        duration => Ok(duration),
    }
}

fn seconds_or_none(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("has to be between 0 and 86400".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn days(text: &str) -> Result<Duration, String> {
    let days: u32 = between(text, 1, 36_500)?;
    Ok(Duration::from_secs(u64::from(days) * 86_400))
}

/// The filter itself takes any word for the name of a part, and then logs nothing.
fn log_filter(text: &str) -> Result<String, String> {
    for directive in text.split(',') {
        let level = directive.rsplit('=').next().unwrap_or_default();
        if !["off", "error", "warn", "info", "debug", "trace"].contains(&level) {
            return Err(format!("{level:?} is none of off, error, warn, info, debug, trace"));
        }
    }
    Ok(text.to_owned())
}

fn max_frame(text: &str) -> Result<usize, String> {
    // Escaping makes text up to three times longer, and the ring has to hold a few of the largest.
    between(text, limits::JOINING_FRAME, 8 * 1024 * 1024)
}

fn max_name(text: &str) -> Result<usize, String> {
    between(text, 1, 256)
}

fn keep_bytes(text: &str) -> Result<u64, String> {
    // A welcome is one frame, and our own client takes 512 MiB: private messages come on top, and the list of users.
    between(text, 0, 384 * 1024 * 1024)
}

fn between<N>(text: &str, least: N, most: N) -> Result<N, String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display + Copy,
{
    let number: N = text.parse().map_err(|_| "not a whole number")?;
    if number < least || number > most {
        return Err(format!("has to be between {least} and {most}"));
    }
    Ok(number)
}

impl Serve {
    /// Where the certificate comes from; `None` is plaintext.
    pub fn certificate(&self) -> Option<CertificateSource> {
        if self.plaintext {
            return None;
        }
        Some(match &self.cert {
            Some(certificate) => CertificateSource::Files {
                certificate: certificate.clone(),
                key: self.key.as_ref().unwrap_or(certificate).clone(),
            },
            None => CertificateSource::Local {
                folder: self.certs.clone().unwrap_or_else(folders::certificates),
                host: self.host.clone(),
            },
        })
    }

    /// Where messages are kept; `None` is nowhere.
    pub fn store(&self) -> Option<SqliteOptions> {
        if self.memory {
            return None;
        }
        Some(SqliteOptions {
            folder: self.data.clone().unwrap_or_else(folders::data),
            durability: match self.durability {
                Durability::Process => sqlite::Durability::Process,
                Durability::Power => sqlite::Durability::Power,
            },
            retention: Retention {
                messages: self.keep_messages,
                bytes: self.keep_bytes,
                age: self.keep_days,
            },
        })
    }

    /// The settings of the running server.
    pub fn config(&self) -> Config {
        // What the machine allows stays a bound.
        let limit = |limit| if self.no_limits { usize::MAX } else { limit };
        Config {
            join_timeout: self.join_timeout,
            stall_timeout: self.stall_timeout,
            grace: self.grace,
            max_connections: limit(self.max_connections),
            max_per_address: limit(self.max_per_address),
            max_frame: self.max_frame,
            max_name: self.max_name,
            keep: Keep { messages: self.keep_messages, bytes: self.keep_bytes },
            keep_age: self.keep_days,
            hold_name: self.hold_name,
            guests: self.guests == YesNo::Yes,
            legacy_commands: self.legacy_commands,
            ..Config::default()
        }
    }
}
