//! The arguments of each workload, and what they make of the plan.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Args;
use conformance_kit::net::{target::Target, tls::Trust};
use conformance_load::{
    LoadOptions,
    plan::{Pace, Plan, Workload},
};

use super::load::{nowhere, options, plan};

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
    /// How long one step of a connection may take: connecting, a handshake, an answer.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = crate::cli::duration)]
    pub(super) patience: Duration,
    /// How long nothing at all may come before what is missing counts as lost.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(super) drain: Duration,
    /// Write a report: json or html.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_delimiter = ',')]
    pub(super) reports: Vec<Output>,
}

/// Who talks, and how fast.
#[derive(Debug, Args)]
pub(super) struct Talk {
    #[command(flatten)]
    pub(super) common: Common,
    /// How many of the users send [default: 10; for private everybody].
    #[arg(short, long, value_name = "NUMBER")]
    senders: Option<u32>,
    /// How many bytes a text has.
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    payload: usize,
    /// So many messages of each sender are on their way at the same time [default: 16].
    #[arg(long, value_name = "NUMBER", conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..=65536))]
    window: Option<u32>,
    /// So many messages a second in all, on a fixed schedule, whatever the server does.
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<f64>,
    /// How long is measured.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    duration: Duration,
    /// How long messages flow before that.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    warm_up: Duration,
    /// So many others flood the room; their messages are measured on their own.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    flood: u32,
    /// How many messages of each of those are on their way.
    #[arg(long, value_name = "NUMBER", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65536))]
    flood_window: u32,
    /// So many others read slowly or not at all; what reaches them is not judged.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    slow: u32,
    /// How many bytes a second those read; 0 is not at all.
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    slow_speed: u32,
    /// Afterwards measure a server that only writes, and tell the fraction.
    #[arg(long)]
    with_limit: bool,
}

impl Talk {
    pub(super) fn options(&self, workload: Workload) -> anyhow::Result<LoadOptions> {
        let common = &self.common;
        let is_private = workload == Workload::Private;
        anyhow::ensure!(
            !(is_private && (self.senders.is_some() || self.flood + self.slow > 0)),
            "in private everybody sends, and nobody floods or dawdles"
        );
        let senders = if is_private { common.connections } else { self.senders.unwrap_or(10) };
        let plan = Plan {
            // Ten are too many for a small room only when nobody asked for them.
            senders: if self.senders.is_none() { senders.min(common.connections) } else { senders },
            payload: self.payload,
            pace: match self.rate {
                Some(rate) => Pace::Rate(rate),
                None => Pace::Window(self.window.unwrap_or(16)),
            },
            flooders: self.flood,
            flood_window: self.flood_window,
            slow: self.slow,
            slow_speed: self.slow_speed,
            ..plan(common, workload)
        };
        let limit = if self.with_limit { Some(std::env::current_exe()?) } else { None };
        let (duration, warm_up) = (self.duration, self.warm_up);
        Ok(LoadOptions { duration, warm_up, limit, ..options(common, plan)? })
    }
}

#[derive(Debug, Args)]
pub(super) struct Churning {
    #[command(flatten)]
    pub(super) talk: Talk,
    /// So many users come, and go, a second.
    #[arg(long, value_name = "NUMBER", default_value_t = 50.0, value_parser = rate)]
    churn: f64,
    /// How long each of them stays.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    stay: Duration,
}

impl Churning {
    pub(super) fn options(&self) -> anyhow::Result<LoadOptions> {
        let mut options = self.talk.options(Workload::Churn)?;
        options.plan.churn = self.churn;
        options.plan.stay = self.stay;
        Ok(options)
    }
}

#[derive(Debug, Args)]
pub(super) struct Storm {
    #[command(flatten)]
    pub(super) common: Common,
    /// First fill the history with so many messages.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    history: u32,
    /// How many bytes their texts have.
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    payload: usize,
}

impl Storm {
    pub(super) fn options(&self) -> anyhow::Result<LoadOptions> {
        let plan = Plan {
            history: self.history,
            payload: self.payload,
            ..plan(&self.common, Workload::JoinStorm)
        };
        options(&self.common, plan)
    }
}

#[derive(Debug, Args)]
pub(super) struct Idling {
    #[command(flatten)]
    pub(super) common: Common,
    /// How long nothing happens before memory is looked at.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    settle: Duration,
    /// Let some talk for so long, rest again, and look whether the memory comes back.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    busy: Duration,
    /// How many of them talk.
    #[arg(short, long, value_name = "NUMBER", default_value_t = 10)]
    senders: u32,
    /// So many messages of each are on their way.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=65536))]
    window: u32,
}

impl Idling {
    pub(super) fn options(&self) -> anyhow::Result<LoadOptions> {
        let plan = Plan {
            senders: self.senders.min(self.common.connections),
            pace: Pace::Window(self.window),
            ..plan(&self.common, Workload::Idle)
        };
        let (settle, busy) = (self.settle, self.busy);
        Ok(LoadOptions { settle, busy, ..options(&self.common, plan)? })
    }
}

/// The limit alone.
#[derive(Debug, Args)]
pub(super) struct LimitTalk {
    /// Without TLS.
    #[arg(long)]
    plaintext: bool,
    /// How many connections receive.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    connections: u32,
    /// How many of them send.
    #[arg(short, long, value_name = "NUMBER", default_value_t = 10)]
    senders: u32,
    /// So many messages of each sender are on their way at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=65536))]
    window: u32,
    /// How many bytes a text has.
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    payload: usize,
    /// How many messages one write has, the mean.
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, value_parser = rate)]
    pub(super) batch: f64,
    /// How long is measured.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    duration: Duration,
    /// How long messages flow before that.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    warm_up: Duration,
    /// Threads of the tool [default: one for each processor].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

impl LimitTalk {
    pub(super) fn options(&self) -> LoadOptions {
        let plan = Plan {
            workload: Workload::FanOut,
            members: self.connections,
            senders: self.senders,
            payload: self.payload,
            pace: Pace::Window(self.window),
            flooders: 0,
            flood_window: 0,
            slow: 0,
            slow_speed: 0,
            history: 0,
            churn: 0.0,
            stay: Duration::ZERO,
            at_once: 64,
            patience: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        };
        LoadOptions {
            plan,
            place: nowhere(),
            trust: Trust::Anything,
            plaintext: self.plaintext,
            duration: self.duration,
            warm_up: self.warm_up,
            settle: Duration::ZERO,
            busy: Duration::ZERO,
            sources: None,
            threads: self.threads.map(usize::from),
            pid: None,
            limit: None,
        }
    }
}

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Html,
}

/// A format and the file that it goes to.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) file: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some(("json", file)) => (Format::Json, file),
            Some(("html", file)) => (Format::Html, file),
            _ => return Err("json=FILE or html=FILE".to_owned()),
        };
        if file.is_empty() {
            return Err("json=FILE or html=FILE".to_owned());
        }
        Ok(Self { format, file: file.into() })
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "a number".to_owned())?;
    if (0.01..=10_000_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("from 0.01 to 10000000".to_owned())
    }
}

/// Times such as 10s, 2m or 500ms.
fn time(text: &str) -> Result<Duration, String> {
    match text.strip_suffix("ms").map(str::parse::<u32>) {
        Some(Ok(millis)) => Ok(Duration::from_millis(millis.into())),
        Some(Err(_)) => Err("a time, such as 10s, 2m or 500ms".to_owned()),
        None => crate::cli::duration(text),
    }
}
