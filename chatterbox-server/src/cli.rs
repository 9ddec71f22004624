//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use chatterbox_proto::limits;
use chatterbox_server::Config;
use chatterbox_server::hub::Keep;
use chatterbox_server::net::tls::{CertificateSource, default_folder};
use chatterbox_server::ops::logging::LogFormat;
use clap::Parser;

use crate::exit;

const EXAMPLES: &str = "\
Examples:
  chatterbox-server localhost -p 5000
      Chat on this machine; certificates are made on first use.
  chatterbox-server 0.0.0.0 -p 5000 --cert chat.crt --key chat.key
      Chat for everybody who can reach this machine, with a certificate of yours.
  chatterbox-server localhost -p 0 --plaintext
      Any free port, without TLS: for experiments only.

Signals: SIGINT or SIGTERM says good bye to everybody and stops after --grace seconds, a second
one at once; SIGHUP reads the certificates again.";

/// Hosts a chat: a 4-byte length, then JSON, inside TLS.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Cli {
    /// Name or address to listen on; every address that it stands for is used
    #[arg(default_value = "localhost")]
    pub host: String,

    /// Port to listen on; 0 is any free one
    #[arg(short, long, default_value_t = 9000)]
    pub port: u16,

    /// Certificate in PEM, with its chain behind it (and the key, unless --key is given)
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub cert: Option<PathBuf>,

    /// Private key in PEM
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "TLS")]
    pub key: Option<PathBuf>,

    /// Folder of the local authority, made on first use [default: certs if it is here, else the user's data folder]
    #[arg(long, value_name = "DIR", conflicts_with = "cert", help_heading = "TLS")]
    pub certs: Option<PathBuf>,

    /// No TLS: everybody on the way can read and change everything
    #[arg(long, conflicts_with_all = ["cert", "certs"], help_heading = "TLS")]
    pub plaintext: bool,

    /// Connections at the same time
    #[arg(long, value_name = "N", default_value_t = Config::default().max_connections, help_heading = "Limits")]
    pub max_connections: usize,

    /// Connections at the same time from one address (IPv6: one /64 network)
    #[arg(long, value_name = "N", default_value_t = Config::default().max_per_address, help_heading = "Limits")]
    pub max_per_address: usize,

    /// Largest frame of a client, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = limits::CLIENT_FRAME, value_parser = max_frame, help_heading = "Limits")]
    pub max_frame: usize,

    /// Longest user name, in characters
    #[arg(long, value_name = "N", default_value_t = limits::USERNAME_CHARS, value_parser = max_name, help_heading = "Limits")]
    pub max_name: usize,

    /// Messages kept for those who join later
    #[arg(long, value_name = "N", default_value_t = Keep::default().messages, help_heading = "Limits")]
    pub keep_messages: u64,

    /// Bytes of messages kept for those who join later
    #[arg(long, value_name = "BYTES", default_value_t = Keep::default().bytes, value_parser = keep_bytes, help_heading = "Limits")]
    pub keep_bytes: u64,

    /// Seconds that TLS handshake and choosing a name may take together
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds, help_heading = "Times")]
    pub join_timeout: Duration,

    /// Seconds after which a client that reads nothing is disconnected
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, help_heading = "Times")]
    pub stall_timeout: Duration,

    /// Seconds between the notice of a shutdown and the shutdown
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds_or_none, help_heading = "Times")]
    pub grace: Duration,

    /// How log lines look; they go to stderr and never hold what was said
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Logs")]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace, or directives
    #[arg(long, value_name = "LEVEL", default_value = "info", help_heading = "Logs")]
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

fn max_frame(text: &str) -> Result<usize, String> {
    // Escaping makes text up to three times longer, and the ring holds a few of the largest.
    between(text, limits::GREETING_FRAME, 16 * 1024 * 1024)
}

fn max_name(text: &str) -> Result<usize, String> {
    between(text, 1, 256)
}

fn keep_bytes(text: &str) -> Result<u64, String> {
    // A welcome is one frame, and its length has 32 bits; a part of that is left for the list of users.
    between(text, 0, 3 * 1024 * 1024 * 1024)
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

impl Cli {
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
                folder: self.certs.clone().unwrap_or_else(default_folder),
                host: self.host.clone(),
            },
        })
    }

    /// The settings of the running server.
    pub fn config(&self) -> Config {
        Config {
            join_timeout: self.join_timeout,
            stall_timeout: self.stall_timeout,
            grace: self.grace,
            max_connections: self.max_connections,
            max_per_address: self.max_per_address,
            max_frame: self.max_frame,
            max_name: self.max_name,
            keep: Keep { messages: self.keep_messages, bytes: self.keep_bytes },
            ..Config::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_line_of_the_readme_is_understood() {
        let cli = Cli::parse_from(["chatterbox-server", "localhost", "-p", "5000"]);
        assert_eq!((cli.host.as_str(), cli.port), ("localhost", 5000));
        assert!(matches!(cli.certificate(), Some(CertificateSource::Local { .. })));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            &["-p", "70000"][..],
            &["--key", "k"],
            &["--plaintext", "--cert", "c"],
            &["--join-timeout", "0"],
            &["--grace", "-1"],
            &["--max-frame", "10"],
            &["--keep-bytes", "x"],
        ] {
            let line = std::iter::once(&"chatterbox-server").chain(line);
            assert!(Cli::try_parse_from(line.clone()).is_err(), "{:?}", line.collect::<Vec<_>>());
        }
    }
}
