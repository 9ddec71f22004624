//! `conformance fuzz`: the command line around [`conformance_suite::fuzz`].
#![allow(clippy::disallowed_methods, reason = "the edge: makes the folder of the findings")]

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use conformance_kit::{escape, net::target::Target, subject::place::Place};
use conformance_suite::{
    fuzz::{self, FuzzError, FuzzOptions, transcript::Transcript},
    report::write,
};

use super::{interrupt, say, shared};

/// Nobody answers, as sysexits.h has it.
const UNAVAILABLE: u8 = 69;

/// Sends a server sessions that are nearly right, and watches whether it stays right. Gives no
/// points.
#[derive(Debug, Args)]
pub(crate) struct FuzzArguments {
    /// The server: HOST:PORT; or ws://HOST:PORT/PATH, wss://.
    #[arg(long, value_name = "HOST:PORT|URL", required_unless_present = "spawn")]
    target: Option<Target>,
    /// Start this server; {host}, {port}, {cert}, {key} and {dir} are filled in.
    #[arg(long, value_name = "COMMAND", conflicts_with = "target")]
    spawn: Option<String>,
    /// The same seed makes the same sessions.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How long, such as 60s or 10m.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = shared::duration)]
    time: Duration,
    /// How many sessions, at most.
    #[arg(long, value_name = "NUMBER", default_value_t = u64::MAX)]
    cases: u64,
    /// How many MiB a server that was started may have.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    memory: u64,
    /// Multiply all waiting times by this.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = shared::scale)]
    timeout_scale: f64,
    /// Keep the transcript of every finding in this folder.
    #[arg(long, value_name = "FOLDER", default_value = "findings")]
    findings: PathBuf,
    /// Play this transcript instead.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

/// Fuzzes or replays: 0 when nothing was found, 1 when something was.
pub(crate) fn run(arguments: &FuzzArguments) -> anyhow::Result<u8> {
    let place = match (&arguments.target, &arguments.spawn) {
        (Some(target), _) => Place::Running(target.clone()),
        (None, Some(command)) => Place::Command(shared::startable(command)?),
        (None, None) => anyhow::bail!("which server? give --target or --spawn"),
    };
    let options = FuzzOptions {
        seed: arguments.seed.unwrap_or_else(|| rand::random::<u32>().into()),
        time: arguments.time,
        cases: arguments.cases,
        memory: arguments.memory,
        timeout_scale: arguments.timeout_scale,
    };
    let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
    let outcome = match &arguments.replay {
        Some(file) => {
            let transcript = Transcript::read(&shared::read(file)?)
                .with_context(|| format!("{} is no transcript", file.display()))?;
            let played = fuzz::replay(&place, &options, &transcript);
            interrupt::block_on(&runtime, played)?.map(|finding| {
                let nothing = || "Nothing went wrong.".to_owned();
                let what = finding.as_ref().map_or_else(nothing, ToString::to_string);
                (u8::from(finding.is_some()), escape::visible(&what) + "\n")
            })
        }
        None => interrupt::block_on(&runtime, search(&place, &options, arguments))?,
    };
    match outcome {
        Ok((code, said)) => {
            say::print(said)?;
            Ok(code)
        }
        Err(error) => {
            say::aside(format_args!("conformance: {}", escape::visible(&error.to_string())));
            Ok(UNAVAILABLE)
        }
    }
}

/// Fuzzes; the exit code, and what is to be said.
async fn search(
    place: &Place,
    options: &FuzzOptions,
    arguments: &FuzzArguments,
) -> Result<(u8, String), FuzzError> {
    let live = std::io::stderr().is_terminal();
    let mut tell = |cases: u64, findings: &[Transcript]| {
        if live && cases.is_multiple_of(100) {
            let _ = write!(anstream::stderr(), "\r{cases} sessions, {} findings", findings.len());
        }
    };
    let report = fuzz::run(place, options, &mut tell).await?;
    if live {
        say::aside("");
    }
    let mut said = String::new();
    for finding in &report.findings {
        let file = arguments.findings.join(format!("{}-{}.json", finding.seed, finding.case));
        let kept = std::fs::create_dir_all(&arguments.findings)
            .and_then(|()| write::atomically(&file, finding.render()?.as_bytes()));
        match kept {
            Ok(()) => {
                let what = escape::visible(&finding.finding);
                said.push_str(&format!("{}: {what}\n", file.display()));
            }
            Err(error) => {
                say::aside(format_args!("conformance: {}: {error}", file.display()));
            }
        }
    }
    let seconds = report.took.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = report.cases as f64 / seconds.max(0.001);
    said.push_str(&format!(
        "{} sessions in {seconds:.1} s ({rate:.0} a second), seed {}, {} findings\n",
        report.cases,
        options.seed,
        report.findings.len()
    ));
    if let Some((before, after)) = report.memory {
        said.push_str(&format!("memory of the server: {before} MiB before, {after} MiB after\n"));
    }
    Ok((u8::from(!report.findings.is_empty()), said))
}
