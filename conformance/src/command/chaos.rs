//! `conformance chaos`: breaks a cluster while users talk, and judges what they saw.
#![allow(clippy::disallowed_methods, reason = "the edge: reads the configuration, writes reports")]

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::Args;
use conformance_chaos::{
    Setting, config::Config, evidence::Fault, processes::Processes, report::Report,
};
use conformance_kit::net::{
    dial::Transport,
    tls::{self, Trust},
};

use super::{authorities::authorities, interrupt, say, shared};

/// Break a cluster on purpose while users talk, and judge what they saw.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  conformance chaos cluster.toml
  conformance chaos cluster.toml --seconds 3600 --report chaos.json --logs /var/tmp/chaos
  conformance chaos cluster.toml --fault node-killed,leader-killed --seed 7

Faults: node-killed, node-paused, node-stopped, node-new, disk-full, node-cut-off, node-isolated, rolling-restart,
leader-killed, leader-hung, leader-stopped, leader-isolated, quorum-lost, engine-killed.

Exit codes: 0 everything holds, 1 something is wrong, 2 not everything could be looked at, 64 usage,
130 interrupted.")]
pub(crate) struct ChaosArguments {
    /// The cluster and the run (TOML), as docs/guide/chaos.md says.
    #[arg(value_name = "FILE")]
    config: PathBuf,
    /// How long users talk while faults are put in, in seconds.
    #[arg(long, value_name = "NUMBER")]
    seconds: Option<u64>,
    /// Everything random follows from it.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Only these faults.
    #[arg(long = "fault", value_name = "WORD", value_delimiter = ',', value_parser = fault)]
    faults: Vec<Fault>,
    /// Write the report as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write what the processes print into this folder.
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
}

fn fault(word: &str) -> Result<Fault, String> {
    let known = Fault::ALL.into_iter().find(|fault| fault.word() == word);
    known.ok_or_else(|| "no such fault; see --help".to_owned())
}

/// The layers below the frames, as the file says.
fn transport(config: &Config) -> anyhow::Result<Transport> {
    let trust = match &config.ca {
        _ if config.plaintext => return Ok(Transport::PLAIN),
        Some(file) => Trust::Authority(authorities(file)?),
        None if config.insecure => Trust::Anything,
        None => anyhow::bail!(
            "which certificate is right? `ca` names the file, `insecure` takes all, `plaintext` is without TLS"
        ),
    };
    let client = Arc::new(tls::configuration(&trust, None)?);
    Ok(Transport::tls(client, tls::server_name(config.host.as_deref().unwrap_or("localhost"))))
}

const BROKEN: u8 = 1;
const INCOMPLETE: u8 = 2;

pub(crate) fn run(arguments: &ChaosArguments) -> anyhow::Result<u8> {
    let file = &arguments.config;
    let wrong = || format!("{} describes no run", file.display());
    let mut config = Config::parse(&shared::read(file)?).with_context(wrong)?;
    config.seconds = arguments.seconds.unwrap_or(config.seconds);
    config.seed = Some(arguments.seed.or(config.seed).unwrap_or_else(rand::random));
    if !arguments.faults.is_empty() {
        config.faults = Some(arguments.faults.clone());
    }
    let transport = transport(&config)?;
    let setting = config.setting(Setting::quiet(transport)).with_context(wrong)?;
    if let Some(logs) = &arguments.logs {
        std::fs::create_dir_all(logs).with_context(|| format!("can't make {}", logs.display()))?;
    }
    let plan = config.plan(arguments.logs.clone()).with_context(wrong)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let report = interrupt::block_on(&runtime, async {
        let mut cluster = Processes::start(plan).await?;
        let (_, mut report) =
            conformance_chaos::run(setting, &mut cluster, &mut |text| say::aside(text)).await;
        if let Err(error) = cluster.stop().await {
            report.troubles.push(format!("at the end: {error}"));
        }
        anyhow::Ok(report)
    })??;
    finish(arguments, &report)
}

fn finish(arguments: &ChaosArguments, report: &Report) -> anyhow::Result<u8> {
    say::print(report.text())?;
    if let Some(file) = &arguments.report {
        let json = serde_json::to_vec_pretty(report)?;
        std::fs::write(file, json).with_context(|| format!("can't write {}", file.display()))?;
    }
    Ok(match (report.is_broken(), report.is_complete()) {
        (true, _) => BROKEN,
        (false, false) => INCOMPLETE,
        (false, true) => 0,
    })
}
