//! `conformance load soak`: one server for hours, with a verdict on every delivery and on its memory.
#![allow(clippy::disallowed_methods, reason = "the edge: makes the folder of the logs")]

use std::{path::PathBuf, str::FromStr, time::Duration};

use anyhow::Context as _;
use clap::Args;
use conformance_chaos::{
    evidence::Fault,
    processes::{ProcessError, Processes, WallClock},
    soak::{
        DISTURBANCES, MemoryRules, OneServer, Prepared, Soak, SoakReport, Told, disturbance,
        markdown, soak,
    },
};
use conformance_kit::escape::visible_lines;
use conformance_suite::report::write;

use super::{
    interrupt,
    load_arguments::rate,
    load_common::{Output, time},
    say::{self, Stream},
    shared,
};

/// Soak one server: users talk for hours, are cut off, leave, flood and read nothing; the server is killed and started again; and
/// every delivery is judged, and its memory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  conformance load soak --spawn 'target/release/chatterbox-server {host} -p {port} --cert {cert} --key {key} \\
    --data {dir}/data --no-limits --keep-messages 100000 --keep-bytes 16777216'
  conformance load soak --duration 4h --seed 1 --room '#soak' --report md=soak.md,json=soak.json --logs logs \\
    --spawn 'target/release/chatterbox-server {host} -p {port} --cert {cert} --key {key} --data {dir}/data \\
      --config soak.toml --no-limits --keep-messages 100000 --keep-bytes 16777216'
  conformance load soak --only killed,frames-cut --duration 5m --spawn '...'

Disturbances: leaves, frames-cut, connections-cut, flood, slow-readers, clock-stepped, paused, stopped, killed.

It takes a server with the capabilities ids, ping, recent, notices, and rooms where --room names some. Ctrl-C ends the lap
that is under way, and the report is made. See docs/guide/soak.md.

Exit codes: 0 everything holds, 1 something is wrong, 2 not everything could be looked at, 64 usage,
69 the server does not start, 130 interrupted twice.")]
pub(super) struct Soaking {
    /// Start this server; {host}, {port}, {cert}, {key} and {dir} are filled in. One command, which is started again after each kill.
    #[arg(long, value_name = "COMMAND")]
    spawn: String,
    /// Speak without TLS.
    #[arg(long)]
    plaintext: bool,
    /// How long all of it takes.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time)]
    duration: Duration,
    /// How long a lap is: its users are new, and at its end everything is judged.
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = time)]
    lap: Duration,
    /// All randomness follows from it [default: another one each time].
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How many users talk at the same time.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 24, value_parser = clap::value_parser!(u16).range(4..=2000))]
    users: u16,
    /// How many messages they send in a second, all together.
    #[arg(long, value_name = "NUMBER", default_value_t = 60.0, value_parser = rate)]
    rate: f64,
    /// A room that is there, and open to guests.
    #[arg(long = "room", value_name = "NAME", value_delimiter = ',')]
    rooms: Vec<String>,
    /// Only these disturbances.
    #[arg(long, value_name = "WORD", value_delimiter = ',', value_parser = fault)]
    only: Vec<Fault>,
    /// How long nothing is disturbed between two disturbances, give or take a third.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    pause: Duration,
    /// By how many MiB an hour memory may grow.
    #[arg(long, value_name = "MIB", default_value_t = 4.0, value_parser = growth)]
    most_growth: f64,
    /// The library that sets the server's clock [default: where the package faketime has it].
    #[arg(long, value_name = "FILE")]
    faketime: Option<PathBuf>,
    /// Write what the server prints into this folder.
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
    /// Write a report, after each lap anew: json or md.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_delimiter = ',')]
    reports: Vec<Output<Format>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Markdown,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "json" => Ok(Self::Json),
            "md" => Ok(Self::Markdown),
            _ => Err("json=FILE or md=FILE"),
        }
    }
}

fn fault(word: &str) -> Result<Fault, String> {
    disturbance(word).ok_or_else(|| {
        let words: Vec<&str> = DISTURBANCES.iter().map(|one| one.word).collect();
        format!("one of {}", words.join(", "))
    })
}

fn growth(text: &str) -> Result<f64, String> {
    let growth: f64 = text.parse().map_err(|_| "a number".to_owned())?;
    if (0.0..=1e6).contains(&growth) { Ok(growth) } else { Err("from 0 to 1000000".to_owned()) }
}

/// Nobody answers, as sysexits.h has it.
const UNAVAILABLE: u8 = 69;

impl Soaking {
    fn wants(&self, fault: Fault) -> bool {
        self.only.is_empty() || self.only.contains(&fault)
    }

    fn server(&self) -> anyhow::Result<OneServer> {
        // Nothing is loaded into a server whose clock stays as it is.
        let library = if self.wants(Fault::ClockStepped) {
            self.faketime.clone().or_else(WallClock::library)
        } else {
            None
        };
        Ok(OneServer {
            command: shared::startable(&self.spawn)?,
            plaintext: self.plaintext,
            library,
            logs: self.logs.clone(),
        })
    }

    fn plan(&self, prepared: &Prepared) -> Soak {
        let mut plan = Soak::usual(prepared.transport.clone());
        plan.setting.seed = self.seed.unwrap_or_else(rand::random);
        plan.setting.users = self.users;
        plan.setting.rate = self.rate;
        plan.setting.rooms.clone_from(&self.rooms);
        plan.setting.pause = self.pause;
        plan.setting.faults.retain(|fault| self.wants(*fault));
        plan.lasting = self.duration;
        plan.lap = self.lap;
        let most = self.most_growth * 1024.0 * 1024.0;
        plan.memory = MemoryRules { most, ..MemoryRules::default() };
        if self.wants(Fault::ClockStepped) && !prepared.has_clock {
            let why = "libfaketime is not installed (Debian: apt-get install faketime)";
            plan.skip(Fault::ClockStepped, why);
        }
        plan
    }

    /// Writes the reports; while more laps follow only those that can be replaced.
    fn write(&self, report: &SoakReport, is_done: bool) -> anyhow::Result<()> {
        for output in &self.reports {
            if !is_done && write::is_standard_output(&output.file) {
                continue;
            }
            let text = match output.format {
                Format::Json => serde_json::to_string_pretty(report)? + "\n",
                Format::Markdown => markdown(report),
            };
            write::atomically(&output.file, text.as_bytes())
                .with_context(|| format!("can't write {}", output.file.display()))?;
        }
        Ok(())
    }
}

/// Soaks a server, and says how the program ends.
pub(super) fn run(soaking: &Soaking) -> anyhow::Result<u8> {
    if let Some(logs) = &soaking.logs {
        std::fs::create_dir_all(logs).with_context(|| format!("can't make {}", logs.display()))?;
    }
    let prepared = soaking.server()?.prepare()?;
    let plan = soaking.plan(&prepared);
    for skipped in &plan.skipped {
        say::aside(format_args!("SKIPPED: {skipped}"));
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let (chosen, processes) = (&plan, prepared.plan.clone());
    let ended = interrupt::until_ended(&runtime, |over| async move {
        let mut server = Processes::start(processes).await?;
        let mut told = |told: Told<'_>| match told {
            Told::Line(text) => say::aside(visible_lines(text)),
            // What can't be written now is told at the end.
            Told::Lap(report) => drop(soaking.write(report, false)),
        };
        let mut report = soak(chosen, &mut server, &mut told, over).await;
        if let Err(error) = server.stop().await {
            report.ended_badly(&error.to_string());
        }
        Ok::<SoakReport, ProcessError>(report)
    })?;
    let report = match ended {
        Ok(report) => report,
        Err(error) => {
            say::aside(format_args!("conformance: {}", visible_lines(&error.to_string())));
            return Ok(UNAVAILABLE);
        }
    };
    if report.exit_code() != 0 {
        let folder = prepared.keep();
        say::aside(format_args!(
            "conformance: what the server has stored is in {}",
            folder.display()
        ));
    }
    soaking.write(&report, true)?;
    let taken = soaking.reports.iter().any(|output| write::is_standard_output(&output.file));
    let stream = if taken { Stream::Error } else { Stream::Output };
    stream.print(report.text())?;
    Ok(report.exit_code())
}
