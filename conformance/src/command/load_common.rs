//! What every workload takes: where the server is, how many connect to it, where the report goes.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Args;
use conformance_kit::{
    net::{target::Target, tls::Trust},
    subject::place::Place,
};
use conformance_load::{
    LoadOptions, Pinning,
    dialect::Dialect,
    plan::{Pace, Plan, Workload},
};

use super::{authorities::authorities, shared};

/// Where the server is, and how many connect to it.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// The server: HOST:PORT, IPv6 in brackets.
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) target: Option<Target>,
    /// Start this server; {host}, {port}, {cert}, {key} and {dir} are filled in.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["target", "pid"])]
    pub(super) spawn: Option<String>,
    /// Certificate of the authority to trust (PEM).
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(super) ca: Option<PathBuf>,
    /// Accept every certificate; cheaper, since none is looked at.
    #[arg(long)]
    pub(super) insecure: bool,
    /// Speak without TLS.
    #[arg(long, conflicts_with_all = ["ca", "insecure"])]
    pub(super) plaintext: bool,
    /// What the server speaks: chatterbox, irc or mqtt; the other two for comparisons.
    #[arg(long, value_name = "WORD", default_value = "chatterbox")]
    pub(super) dialect: Dialect,
    /// The server's process, for its CPU time and memory; known by itself with --spawn.
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
    /// How many users join and are measured.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    pub(super) connections: u32,
    /// Connect from this many addresses, 127.0.0.1 and so on [default: one for every 1,000
    /// connections when the server is on this machine].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(super) sources: Option<u32>,
    /// How many connections are opened at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) at_once: u16,
    /// Threads of the tool [default: one for each processor].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) threads: Option<u16>,
    /// Give this tool the first processor, and the servers that it starts all others.
    #[arg(long)]
    pub(super) pin: bool,
    /// How long one step of a connection may take: connecting, a handshake, an answer.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = shared::duration)]
    pub(super) patience: Duration,
    /// How long nothing at all may come before what is missing counts as lost.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(super) drain: Duration,
    /// Write a report: json or html.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_delimiter = ',')]
    pub(super) reports: Vec<Output<Format>>,
}

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Html,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "json" => Ok(Self::Json),
            "html" => Ok(Self::Html),
            _ => Err("json=FILE or html=FILE"),
        }
    }
}

/// A format and the file that it goes to.
#[derive(Debug, Clone)]
pub(super) struct Output<F> {
    pub(super) format: F,
    pub(super) file: PathBuf,
}

impl<F: FromStr> FromStr for Output<F> {
    type Err = F::Err;

    fn from_str(text: &str) -> Result<Self, F::Err> {
        let pair = text.split_once('=').filter(|(_, file)| !file.is_empty());
        // Nothing is no format, and told as that.
        let (format, file) = pair.unwrap_or_default();
        Ok(Self { format: format.parse()?, file: file.into() })
    }
}

/// A plan that nobody has changed yet.
pub(super) fn plan(common: &Common, workload: Workload) -> Plan {
    Plan {
        workload,
        dialect: common.dialect,
        members: common.connections,
        senders: 0,
        payload: 64,
        pace: Pace::Window(1),
        flooders: 0,
        flood_window: 0,
        slow: 0,
        slow_speed: 0,
        history: 0,
        churn: 0.0,
        stay: Duration::ZERO,
        at_once: common.at_once.into(),
        patience: common.patience,
        drain: common.drain,
    }
}

/// Options that only say where.
pub(super) fn options(common: &Common, plan: Plan) -> anyhow::Result<LoadOptions> {
    anyhow::ensure!(
        common.target.as_ref().is_none_or(|target| target.web.is_none()),
        "load is put on a server over TCP: give --target HOST:PORT, not the URL of a WebSocket"
    );
    let place = match (&common.target, &common.spawn) {
        (Some(target), _) => Place::Running(target.clone()),
        (None, Some(command)) => Place::Command(shared::startable(command)?),
        (None, None) => anyhow::bail!(
            "which server? give --target HOST:PORT, or --spawn 'COMMAND {{host}} {{port}}'"
        ),
    };
    let trust = match &common.ca {
        Some(file) => Trust::Authority(authorities(file)?),
        // A server that was started for the run is known anyway.
        None if common.insecure || common.spawn.is_some() => Trust::Anything,
        None => Trust::Nobody,
    };
    Ok(LoadOptions {
        plan,
        place,
        trust,
        plaintext: common.plaintext,
        duration: Duration::ZERO,
        warm_up: Duration::ZERO,
        settle: Duration::ZERO,
        busy: Duration::ZERO,
        sources: common.sources,
        threads: common.threads.map(usize::from),
        pid: common.pid,
        limit: None,
        pinning: pinning(common.pin)?,
    })
}

/// The processors of tool and servers, when they are to have their own.
pub(super) fn pinning(wanted: bool) -> anyhow::Result<Option<Pinning>> {
    Ok(if wanted { Some(Pinning::of_this_machine()?) } else { None })
}

pub(super) fn nowhere() -> Place {
    Place::Running(Target::tcp("localhost", 0))
}

/// Times such as 10s, 2m or 500ms.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    match text.strip_suffix("ms").map(str::parse::<u32>) {
        Some(Ok(millis)) => Ok(Duration::from_millis(millis.into())),
        Some(Err(_)) => Err("a time, such as 10s, 2m or 500ms".to_owned()),
        None => shared::duration(text),
    }
}
