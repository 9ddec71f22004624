//! The arguments of each workload, and what they make of the plan.

use std::time::Duration;

use clap::Args;
use conformance_kit::net::tls::Trust;
use conformance_load::{
    LoadOptions,
    ceiling::Batches,
    dialect::Dialect,
    plan::{Pace, Plan, Workload},
};

use super::load_common::{Common, nowhere, options, pinning, plan, time};

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
    /// Afterwards measure a server that only writes, free-running, with batches of the same size and
    /// with single messages, and tell the fractions.
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
    /// Afterwards measure a server that only copies the same history to everybody who joins, and tell
    /// the fraction; needs --history.
    #[arg(long)]
    with_limit: bool,
}

impl Storm {
    pub(super) fn options(&self) -> anyhow::Result<LoadOptions> {
        let plan = Plan {
            history: self.history,
            payload: self.payload,
            ..plan(&self.common, Workload::JoinStorm)
        };
        let limit = if self.with_limit { Some(std::env::current_exe()?) } else { None };
        Ok(LoadOptions { limit, ..options(&self.common, plan)? })
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
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, value_parser = rate, conflicts_with = "free")]
    batch: f64,
    /// Put into each write whatever the senders have given: the machine at its best.
    #[arg(long)]
    free: bool,
    /// Give this tool the first processor, and the server all others.
    #[arg(long)]
    pin: bool,
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
    /// What the writes of the server have, for this plan.
    pub(super) const fn batches(&self, plan: &Plan) -> Batches {
        if self.free { Batches::Free(plan.on_their_way()) } else { Batches::Sized(self.batch) }
    }

    pub(super) fn options(&self) -> anyhow::Result<LoadOptions> {
        let plan = Plan {
            workload: Workload::FanOut,
            dialect: Dialect::Chatterbox,
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
        Ok(LoadOptions {
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
            pinning: pinning(self.pin)?,
        })
    }
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "a number".to_owned())?;
    if (0.01..=10_000_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("from 0.01 to 10000000".to_owned())
    }
}
