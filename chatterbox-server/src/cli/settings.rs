//! All settings: those that only a start can take over are fields of [`Serve`], all others are fields of [`Config`].
//!
//! One field is one setting. Its flag, default and help stand at the field; its environment variable, its key in the
//! configuration file and whether SIGHUP changes it follow from there (`schema.rs`).

use std::net::IpAddr;
use std::path::PathBuf;

use chatterbox_address::{AddressError, HostPort};
use chatterbox_server::config::Config;
use chatterbox_server::gateway::GatewayAddress;
use chatterbox_server::net::{CertificateSource, can_be_certified};
use chatterbox_server::ops::folders;
use chatterbox_server::ops::logging::LogFormat;
use chatterbox_server::store::sqlite::{self, SqliteOptions};
use clap::{ArgGroup, Args, ValueEnum};

#[cfg(feature = "cluster")]
use crate::cli::cluster_settings::ClusterSettings;
use crate::cli::keeping::Keeping;

/// The worst event after which a broadcast message is still stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// The end of the server, kill -9 included
    Process,
    /// A power cut as well; every group of messages waits for the disk
    Power,
}

/// The settings of a start, and with them those of the running server.
///
/// Flags of one group say the same thing in different ways: the highest layer that sets one of them decides for all.
#[derive(Debug, Clone, Args)]
#[group(skip)]
#[command(
    group = ArgGroup::new("certificate").multiple(true),
    group = ArgGroup::new("storage").multiple(true)
)]
pub struct Serve {
    /// Name or address to listen on, every address that it stands for; HOST:PORT is taken, too
    #[arg(default_value = "localhost", value_parser = host)]
    pub host: String,

    /// Port to listen on; 0 is any free one
    #[arg(short, long, default_value_t = 9000)]
    pub port: u16,

    /// Configuration file [default: server.toml in the user's configuration folder, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Folder of all that the server keeps: messages in DIR/data, the local authority in DIR/certs, where --data and --certs don't say otherwise [default: what systemd names in STATE_DIRECTORY, else none]
    #[arg(long, value_name = "DIR", help_heading = "Folders")]
    pub state: Option<PathBuf>,

    /// Certificate in PEM, with its chain behind it (and the key, unless --key is given)
    #[arg(long, value_name = "FILE", group = "certificate", help_heading = "TLS")]
    pub cert: Option<PathBuf>,

    /// Private key in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "cert",
        group = "certificate",
        help_heading = "TLS"
    )]
    pub key: Option<PathBuf>,

    /// Further name or address by which clients reach this server, for its certificate and the lines that it prints; several times, or with commas between them [default: none]
    #[arg(
        long = "name",
        value_name = "HOST",
        value_delimiter = ',',
        value_parser = host_name,
        help_heading = "TLS"
    )]
    pub names: Vec<String>, // an id of its own: subcommands have arguments that are called `name`

    /// Folder of the local authority, made on first use [default: certs in --state, else certs if it is here, else in the user's data folder]
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "cert",
        group = "certificate",
        help_heading = "TLS"
    )]
    pub certs: Option<PathBuf>,

    /// No TLS: everybody on the way can read and change everything
    #[arg(
        long,
        conflicts_with_all = ["cert", "certs"],
        group = "certificate",
        help_heading = "TLS"
    )]
    pub plaintext: bool,

    /// Folder of the messages, made on first use [default: data in --state, else the user's data folder]
    #[arg(long, value_name = "DIR", group = "storage", help_heading = "Messages")]
    pub data: Option<PathBuf>,

    /// Keep messages only as long as the server runs
    #[arg(long, conflicts_with = "data", group = "storage", help_heading = "Messages")]
    pub memory: bool,

    /// What a message that was seen survives
    #[arg(long, value_name = "WHAT", default_value = "process", help_heading = "Messages")]
    pub durability: Durability,

    #[command(flatten)]
    pub keeping: Keeping,

    /// Folder of the files that users send, which nodes of a cluster share [default: files in the folder of the messages; in a cluster none]
    #[arg(long, value_name = "DIR", help_heading = "Files")]
    pub files: Option<PathBuf>,

    /// The settings of the running server, which SIGHUP reads again.
    #[command(flatten)]
    pub live: Config,

    /// Serve the page for browsers: on this machine only (port 8080, in the file: true) unless ADDR says otherwise, which may be a port, HOST or HOST:PORT [default: none]
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = WEB,
        value_parser = web_address,
        help_heading = "Gateways"
    )]
    pub web: Option<GatewayAddress>,

    /// Serve the page without TLS on other addresses than those of this machine, for a proxy that adds it
    #[arg(long, help_heading = "Gateways")]
    pub web_plaintext: bool,

    /// Serve telnet and netcat, without encryption: on this machine only (port 2323, in the file: true) unless ADDR says otherwise, which may be a port, HOST or HOST:PORT [default: none]
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = TELNET,
        value_parser = telnet_address,
        help_heading = "Gateways"
    )]
    pub telnet: Option<GatewayAddress>,

    /// Serve telnet on other addresses than those of this machine: everybody on the way can read and change everything
    #[arg(long, help_heading = "Gateways")]
    pub telnet_anywhere: bool,

    /// Those of a node that is not alone.
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    pub cluster: ClusterSettings,

    /// Tell balancers in HTTP whether users are taken (200 or 503, with a word), and Prometheus what happens (/metrics): to this machine only (port 8081, in the file: true) unless ADDR says otherwise, which may be a port, HOST or HOST:PORT [default: none]
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = HEALTH,
        value_parser = health_address,
        help_heading = "Operation"
    )]
    pub health: Option<GatewayAddress>,

    /// Tell other machines what happens as well, where --health listens for them: without it, /metrics is for this machine only
    #[arg(long, help_heading = "Operation")]
    pub metrics_anywhere: bool,

    /// Folder of an activity log: who comes, goes and says what to all, with a file of each user; never private messages [default: none]
    #[arg(long, value_name = "DIR", help_heading = "Logs")]
    pub activity_log: Option<PathBuf>,

    /// How log lines look; they go to stderr and never hold what was said
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Logs")]
    pub log_format: LogFormat,

    /// What is logged: off, error, warn, info, debug, trace, or of parts of the program, as in info,rustls=debug
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "info",
        value_parser = log_filter,
        help_heading = "Logs"
    )]
    pub log: String,
}

/// Where the page is served if nothing is said of it.
const WEB: &str = "localhost:8080";

/// Where telnet is served if nothing is said of it.
const TELNET: &str = "localhost:2323";

/// Where readiness is told if nothing is said of it.
const HEALTH: &str = "localhost:8081";

/// The host and its port, if one is behind it, as they are printed again.
fn host(text: &str) -> Result<String, String> {
    let host: HostPort = text.parse().map_err(|error: AddressError| error.to_string())?;
    Ok(host.to_string())
}

/// A host as a certificate has it: without a port, and not every address.
fn host_name(text: &str) -> Result<String, String> {
    let host: HostPort = text.parse().map_err(|error: AddressError| error.to_string())?;
    if host.port.is_some() {
        return Err("a name or address without a port is needed".to_owned());
    }
    if !can_be_certified(&host.host) {
        return Err(
            "no certificate can be for it: a name such as chat.example, or one address, can"
                .to_owned(),
        );
    }
    Ok(host.host.to_ascii_lowercase())
}

fn web_address(text: &str) -> Result<GatewayAddress, String> {
    gateway_address(text, WEB, 8080)
}

fn telnet_address(text: &str) -> Result<GatewayAddress, String> {
    gateway_address(text, TELNET, 2323)
}

fn health_address(text: &str) -> Result<GatewayAddress, String> {
    gateway_address(text, HEALTH, 8081)
}

fn gateway_address(text: &str, usual: &str, port: u16) -> Result<GatewayAddress, String> {
    let text = match text {
        // What a file and the environment say of a flag.
        "true" => usual,
        "false" => return Err("leave the setting out to serve nothing there".to_owned()),
        "" => return Err(format!("is empty: a port, HOST or HOST:PORT, or true for {usual}")),
        text => text,
    };
    GatewayAddress::parse(text, port).map_err(|error| match error {
        AddressError::Number(number) => format!("{number} is no port: 65535 is the highest one"),
        error => error.to_string(),
    })
}

/// Refuses words that are no level. `EnvFilter` takes any word as the name of a module, and then logs nothing.
fn log_filter(text: &str) -> Result<String, String> {
    for directive in text.split(',') {
        let level = directive.rsplit('=').next().unwrap_or_default();
        if !["off", "error", "warn", "info", "debug", "trace"].contains(&level) {
            return Err(format!("{level:?} is none of off, error, warn, info, debug, trace"));
        }
    }
    Ok(text.to_owned())
}

/// Whether a host is this machine for itself, as far as it can be seen without asking a resolver.
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether a host stands for every address of this machine.
pub fn is_unspecified(host: &str) -> bool {
    host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified())
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
                hosts: self.hosts_that_are_typed(),
            },
            None => CertificateSource::Local {
                folder: folders::certificates(self.certs.as_deref(), self.state.as_deref()),
                hosts: self.hosts(),
            },
        })
    }

    /// What a certificate from a file is held against. Whoever says what the server is called means that, and not an address that says
    /// nothing of it.
    fn hosts_that_are_typed(&self) -> Vec<String> {
        let is_called = !self.names.is_empty();
        let says_nothing = is_loopback(&self.host) || is_unspecified(&self.host);
        let host = (!(is_called && says_nothing)).then(|| self.host.clone());
        self.with_browsers(host.into_iter().chain(self.names.iter().cloned()).collect())
    }

    /// Under which hosts clients and browsers come, that which is listened on first.
    fn hosts(&self) -> Vec<String> {
        self.with_browsers([&self.host].into_iter().chain(&self.names).cloned().collect())
    }

    /// These hosts, and those under which browsers get the page by TLS: on this machine alone they get it without.
    fn with_browsers(&self, mut hosts: Vec<String>) -> Vec<String> {
        let encrypted = |web: &&GatewayAddress| !self.web_plaintext && !is_loopback(&web.host);
        if let Some(web) = self.web.as_ref().filter(encrypted) {
            let names = self.live.web_host.iter().flat_map(|names| names.as_slice());
            for host in [&web.host].into_iter().chain(names) {
                if !hosts.contains(host) {
                    hosts.push(host.clone());
                }
            }
        }
        hosts
    }

    /// The database of messages and accounts; `None` is memory only.
    pub fn store(&self) -> Option<SqliteOptions> {
        if self.memory {
            return None;
        }
        Some(SqliteOptions {
            folder: folders::data(self.data.as_deref(), self.state.as_deref()),
            durability: match self.durability {
                Durability::Process => sqlite::Durability::Process,
                Durability::Power => sqlite::Durability::Power,
            },
            retention: self.keeping.retention(),
        })
    }

    /// The folder of the files that users send; nowhere is not at all. Nodes of a cluster have none of their own: a file lies in one
    /// folder, whichever node has taken it.
    pub fn files_folder(&self, in_cluster: bool) -> Option<PathBuf> {
        let store = self.store()?;
        let own = || (!in_cluster).then(|| store.folder.join("files"));
        self.files.clone().or_else(own)
    }

    /// The settings of the running server, with those that it reads at its start only.
    pub fn config(&self) -> Config {
        #[cfg(feature = "cluster")]
        let largest = self.cluster.largest_frame();
        #[cfg(not(feature = "cluster"))]
        let largest = usize::MAX;
        Config {
            max_frame: self.live.max_frame.min(largest),
            keep: self.keeping.keep(),
            keep_age: self.keeping.keep_days,
            forgets_at_end: self.memory,
            ..self.live.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_page_is_served_where_it_is_said() {
        let read = |text| web_address(text).map(|address| address.to_string());
        for (text, address) in [
            (WEB, WEB),
            ("true", WEB),
            ("0", "localhost:0"),
            ("0.0.0.0", "0.0.0.0:8080"),
            ("[::1]:443", "[::1]:443"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(address));
        }
        for text in ["", "false", "http://localhost", "localhost:x", "a b"] {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert_eq!(read("99999").unwrap_err(), "99999 is no port: 65535 is the highest one");
        assert!(read("").unwrap_err().contains("true for localhost:8080"));
        let read = |text| telnet_address(text).map(|address| address.to_string());
        assert_eq!(read("true").as_deref(), Ok("localhost:2323"));
        assert_eq!(read("chat.example").as_deref(), Ok("chat.example:2323"));
        assert!(read("false").is_err() && read("").unwrap_err().contains("localhost:2323"));
    }

    #[test]
    fn a_certificate_from_a_file_is_held_against_what_clients_type() {
        let hosts = |line: &[&str]| {
            let line = [&["chatterbox-server"], line, &["--cert", "c"]].concat();
            let cli = crate::cli::command_line::Cli::try_parse_from(line).unwrap();
            match cli.serve.certificate() {
                Some(CertificateSource::Files { hosts, .. }) => hosts.join(" "),
                other => panic!("{other:?}"),
            }
        };
        for (line, expected) in [
            (&["localhost"][..], "localhost"),
            (&["0.0.0.0"], "0.0.0.0"),
            (&["0.0.0.0", "--name", "chat.example"], "chat.example"),
            (&["localhost", "--name", "chat.example"], "chat.example"),
            (&["a.example", "--name", "chat.example"], "a.example chat.example"),
            (
                &["a.example", "--web", "0.0.0.0", "--web-host", "b.example"],
                "a.example 0.0.0.0 b.example",
            ),
            (&["localhost", "--name", "a.example", "--web", "a.example:443"], "a.example"),
            (&["a.example", "--web", "--web-host", "b.example"], "a.example"),
        ] {
            assert_eq!(hosts(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_name_is_one_that_a_certificate_can_be_for() {
        for (text, name) in [
            ("Chat.Example", "chat.example"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:DB8::7]", "2001:db8::7"),
        ] {
            assert_eq!(host_name(text).as_deref(), Ok(name));
        }
        for text in ["", "chat.example:5000", "0.0.0.0", "::", "fe80::1%eth0", "*.example", "5000"]
        {
            assert!(host_name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn one_folder_covers_messages_and_certificates() {
        let folders = |line: &[&str]| {
            let line = [&["chatterbox-server"], line].concat();
            let cli = crate::cli::command_line::Cli::try_parse_from(line).unwrap();
            let certificates = match cli.serve.certificate() {
                Some(CertificateSource::Local { folder, .. }) => folder.display().to_string(),
                _ => "none".to_owned(),
            };
            let data = cli.serve.store().map(|store| store.folder.display().to_string());
            format!("{} {certificates}", data.unwrap_or_else(|| "none".to_owned()))
        };
        for (line, expected) in [
            (&["--state", "s"][..], "s/data s/certs"),
            (&["--state", "s", "--data", "d"], "d s/certs"),
            (&["--state", "s", "--certs", "c"], "s/data c"),
            (&["--state", "s", "--memory"], "none s/certs"),
            (&["--state", "s", "--plaintext"], "s/data none"),
            (&["--state", "s", "--cert", "x"], "s/data none"),
        ] {
            assert_eq!(folders(line), expected, "{line:?}");
        }
    }

    #[test]
    fn the_certificate_is_for_all_who_can_come() {
        let hosts = |line: &[&str]| {
            let line = [&["chatterbox-server"], line].concat();
            let cli = crate::cli::command_line::Cli::try_parse_from(line).unwrap();
            match cli.serve.certificate() {
                Some(CertificateSource::Local { hosts, .. }) => hosts.join(" "),
                other => panic!("{other:?}"),
            }
        };
        let behind = ["localhost", "--web", "--web-host", "chat.example"];
        for (line, expected) in [
            (&["localhost"][..], "localhost"),
            (&["localhost", "--web"], "localhost"),
            (&["localhost", "--web", "127.0.0.1:80"], "localhost"),
            (&["localhost", "--web", "0.0.0.0"], "localhost 0.0.0.0"),
            (&["127.0.0.1", "--web", "chat.example:443"], "127.0.0.1 chat.example"),
            (&["chat.example", "--web", "[::]:443"], "chat.example ::"),
            (&["0.0.0.0", "--web"], "0.0.0.0"),
            (&["localhost", "--web", "0.0.0.0", "--web-plaintext"], "localhost"),
            (
                &["localhost", "--web", "0.0.0.0", "--web-host", "a.example,b.example"],
                "localhost 0.0.0.0 a.example b.example",
            ),
            (&["0.0.0.0", "--name", "Lab", "--name", "10.0.0.7,::1"], "0.0.0.0 lab 10.0.0.7 ::1"),
            // A proxy in front has its own certificate.
            (&behind, "localhost"),
        ] {
            assert_eq!(hosts(line), expected, "{line:?}");
        }
    }
}
