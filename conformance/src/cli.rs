//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use conformance_kit::net::target::Target;
use conformance_suite::{TlsMode, report::format::Output};

/// Grades any implementation of the Chatterbox protocol.
#[derive(Debug, Parser)]
#[command(
    name = "conformance",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  conformance --target localhost:5000 --ca certs/ca.crt
  conformance --target localhost:5000 --insecure --only framing,join.taken
  conformance --spawn 'python3 server.py {host} -p {port}' --insecure --report html=report.html
  conformance list --json
  conformance explain framing.coalesced

Exit codes: 0 every MUST holds, 1 a MUST is broken, 2 inconclusive or nothing ran,
3 stale expectation, 64 usage, 69 unreachable, 70 a bug in the suite."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) grade: Grade,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List all cases.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Explain a case: its clause, what it asks, the usual cause of a failure.
    Explain {
        /// The case, such as framing.coalesced.
        id: String,
    },
    Client(Box<crate::command::client::ClientArguments>),
    Matrix(crate::command::matrix::MatrixArguments),
    Fuzz(crate::command::fuzz::FuzzArguments),
    Load(Box<crate::command::load::LoadArguments>),
    /// Render an earlier JSON report again.
    Replay {
        /// The JSON report.
        file: PathBuf,
        #[command(flatten)]
        reports: Reports,
    },
    /// Print the schema of the JSON report.
    Schema,
    /// Print which faults each case notices, as Markdown.
    KillMatrix {
        /// Those of the cases for clients.
        #[arg(long)]
        clients: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Reports {
    /// Write a report: json, junit, html, tap, md, gradescope, classroom or badge.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_delimiter = ',')]
    pub(crate) outputs: Vec<Output>,
    /// Points by group (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) rubric: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Grade {
    /// The server to grade: HOST:PORT, IPv6 in brackets.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) target: Option<Target>,
    /// Start this server and grade it; {host} and {port} are filled in.
    #[arg(long, value_name = "COMMAND", conflicts_with = "target")]
    pub(crate) spawn: Option<String>,
    /// A fresh server for every case.
    #[arg(long, requires = "spawn")]
    pub(crate) fresh: bool,
    /// Certificate of the authority to trust (PEM).
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,
    /// Accept every certificate, X.509 v1, too.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Whether to speak TLS; auto falls back to none and charges tls.handshake.
    #[arg(long, value_enum, default_value_t = Tls::Auto)]
    pub(crate) tls: Tls,
    /// Server name to send in TLS instead of the host.
    #[arg(long, value_name = "NAME")]
    pub(crate) sni: Option<String>,
    /// Run only these cases: ids, groups, levels or clauses, with globs.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leave these cases out.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Extensions that the server declares: their cases run, and count as their levels say.
    #[arg(long, value_name = "EXTENSION", value_delimiter = ',')]
    pub(crate) claims: Vec<String>,
    /// An account that is there, and a file with its password, for the claim accounts without commands.
    #[arg(long, value_name = "NAME:FILE")]
    pub(crate) account: Option<String>,
    /// Multiply all waiting times by this.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = scale)]
    pub(crate) timeout_scale: f64,
    /// SHOULD counts like MUST.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Seed of the names and texts that the cases use.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// How many cases run at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// Run everything so often, and tell what did not always come out the same.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) repeat: u16,
    /// Run only what did not pass in an earlier JSON report.
    #[arg(long, value_name = "FILE")]
    pub(crate) failed: Option<PathBuf>,
    /// Known failures (TOML); a stale entry fails the run.
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
    /// Keep the bytes of every case that did not pass in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) transcripts: Option<PathBuf>,
    /// Append the secrets of TLS connections, for a packet analyser.
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reports: Reports,
    /// End the run after this time, such as 8m or 90s.
    #[arg(long, value_name = "TIME", default_value = "8m", value_parser = duration)]
    pub(crate) deadline: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tls {
    Auto,
    On,
    Off,
}

impl From<Tls> for TlsMode {
    fn from(tls: Tls) -> Self {
        match tls {
            Tls::Auto => Self::Auto,
            Tls::On => Self::On,
            Tls::Off => Self::Off,
        }
    }
}

pub(crate) fn scale(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "a number, such as 2 or 0.5".to_owned())?;
    if (0.05..=100.0).contains(&factor) { Ok(factor) } else { Err("from 0.05 to 100".to_owned()) }
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(number) => (number, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let number: u32 = number.parse().map_err(|_| "a time, such as 8m or 90s".to_owned())?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_and_factors() {
        assert_eq!(duration("8m"), Ok(Duration::from_secs(480)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert!(duration("soon").is_err() && scale("0").is_err() && scale("nan").is_err());
    }
}
