//! `conformance load`: the command line around [`conformance_load`].

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use conformance_kit::escape;
use conformance_load::{
    self, LoadOptions, Moment,
    ceiling::{
        Batches,
        server::{self, LimitOptions},
    },
    plan::Workload,
    report::{LoadReport, compare, console, figures::Figures, html},
};
use conformance_suite::report::write;

use super::{
    interrupt,
    load_arguments::{Churning, Idling, LimitTalk, Storm, Talk},
    load_common::{Common, Format},
    load_soak::{self, Soaking},
    say::{self, Stream},
    shared,
};

/// Puts a server under load, checks every delivery, and measures.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "WORKLOAD",
    subcommand_help_heading = "Workloads",
    after_help = "Examples:
  conformance load fan-out --target localhost:5000 --ca certs/ca.crt
  conformance load fan-out --insecure --connections 1000 --senders 10 --window 16 --with-limit \\
    --spawn 'target/release/chatterbox-server {host} -p {port} --cert {cert} --key {key} --memory'
  conformance load fan-out --target localhost:5000 --insecure --rate 1000 --pid $(pidof server)
  conformance load idle --target localhost:5000 --plaintext --connections 10000 --pid 4711
  conformance load join-storm --target localhost:5000 --insecure --history 100000
  conformance load soak --duration 4h --spawn 'target/release/chatterbox-server ...' --report md=soak.md
  conformance load fan-out --dialect irc --target localhost:6667 --plaintext -n 1000 --pid 4711
  conformance load --compare before.json after.json

The load shares the machine with the server when both are on one: see docs/guide/load.md.

Exit codes: 0 every delivery was right, 1 something was wrong, 2 inconclusive, 64 usage,
69 unreachable."
)]
pub(crate) struct LoadArguments {
    #[command(subcommand)]
    command: Option<LoadCommand>,
    /// Compare two JSON reports instead.
    #[arg(long, num_args = 2, value_names = ["A.json", "B.json"])]
    compare: Option<Vec<PathBuf>>,
}

#[derive(Debug, Subcommand)]
enum LoadCommand {
    /// A few talk to everybody.
    #[command(after_help = "Examples:
  conformance load fan-out --target localhost:5000 --insecure -n 1000 --pid 4711
  conformance load fan-out --target localhost:5000 --ca ca.crt --senders 1 --window 1
  conformance load fan-out --target localhost:5000 --ca ca.crt --rate 500 --flood 1 --slow 5")]
    FanOut(Box<Talk>),
    /// Pairs talk privately.
    #[command(after_help = "Examples:
  conformance load private --target localhost:5000 --insecure -n 100 --window 4")]
    Private(Box<Talk>),
    /// Some come and go while others talk.
    #[command(after_help = "Examples:
  conformance load churn --target localhost:5000 --insecure -n 500 --churn 100 --rate 50")]
    Churn(Box<Churning>),
    /// Everybody joins at once.
    #[command(after_help = "Examples:
  conformance load join-storm --target localhost:5000 --insecure -n 1000 --history 100000
  conformance load join-storm -n 200 --history 100000 --with-limit --spawn 'server {host} -p {port} ...'")]
    JoinStorm(Box<Storm>),
    /// Everybody is there and silent: what a connection costs in memory.
    #[command(after_help = "Examples:
  conformance load idle --target localhost:5000 --plaintext -n 10000 --busy 5s --pid 4711")]
    Idle(Box<Idling>),
    Soak(Box<Soaking>),
    /// What the machine can do at most: a server that only writes bytes that are ready.
    #[command(after_help = "Examples:
  conformance load limit -n 1000 --free
  conformance load limit -n 1000 --batch 60
  conformance load limit -n 1000 --senders 1 --window 1 --plaintext")]
    Limit(LimitTalk),
    /// Compare two JSON reports.
    Compare {
        /// The first report.
        a: PathBuf,
        /// The second.
        b: PathBuf,
    },
    /// Draw the figures of many runs, as `.ci/growth` and `.ci/compare` write them.
    #[command(after_help = "Examples:
  conformance load plot target/growth/growth.json --svg docs/growth.svg")]
    Plot {
        /// The figures.
        figures: PathBuf,
        /// The drawing.
        #[arg(long, value_name = "FILE")]
        svg: PathBuf,
    },
    /// Be the server that only writes; ends with its standard input.
    #[command(hide = true)]
    LimitServer {
        #[arg(long, default_value_t = 1.0)]
        batch: f64,
        /// Whatever senders have given, which is so much at most.
        #[arg(long)]
        free: Option<usize>,
        /// Give what was said to whoever joins.
        #[arg(long)]
        history: bool,
        #[arg(long)]
        plaintext: bool,
    },
}

/// Runs a workload and says how the program ends.
pub(crate) fn run(arguments: &LoadArguments) -> anyhow::Result<u8> {
    if let Some([a, b]) = arguments.compare.as_deref() {
        return comparison(a, b);
    }
    match &arguments.command {
        None => anyhow::bail!(
            "which workload? fan-out, join-storm, churn, private, idle, soak, limit; or --compare A.json B.json"
        ),
        Some(LoadCommand::Compare { a, b }) => comparison(a, b),
        Some(LoadCommand::Plot { figures, svg }) => plot(figures, svg),
        Some(LoadCommand::LimitServer { batch, free, history, plaintext }) => {
            let batches = free.map_or(Batches::Sized(*batch), Batches::Free);
            let (keeps_history, plaintext) = (*history, *plaintext);
            server::serve(LimitOptions { batches, keeps_history, plaintext })?;
            Ok(0)
        }
        Some(LoadCommand::Limit(limit)) => only_limit(limit),
        Some(LoadCommand::Soak(soaking)) => load_soak::run(soaking),
        Some(LoadCommand::FanOut(talk)) => measure(&talk.common, &talk.options(Workload::FanOut)?),
        Some(LoadCommand::Private(talk)) => {
            measure(&talk.common, &talk.options(Workload::Private)?)
        }
        Some(LoadCommand::Churn(churning)) => measure(&churning.talk.common, &churning.options()?),
        Some(LoadCommand::JoinStorm(storm)) => measure(&storm.common, &storm.options()?),
        Some(LoadCommand::Idle(idling)) => measure(&idling.common, &idling.options()?),
    }
}

fn comparison(a: &std::path::Path, b: &std::path::Path) -> anyhow::Result<u8> {
    let read = |file: &std::path::Path| {
        LoadReport::read(&shared::read(file)?)
            .map_err(|error| anyhow::anyhow!("{} is no load report: {error}", file.display()))
    };
    say::print(compare::render(&read(a)?, &read(b)?))?;
    Ok(0)
}

fn plot(file: &std::path::Path, svg: &std::path::Path) -> anyhow::Result<u8> {
    let figures = Figures::read(&shared::read(file)?)
        .map_err(|error| anyhow::anyhow!("{} holds no figures: {error}", file.display()))?;
    write::atomically(svg, figures.svg().as_bytes())
        .with_context(|| format!("can't write {}", svg.display()))?;
    Ok(0)
}

/// The limit and the server have to be built alike for a fraction to mean anything.
fn warn_of_debug_build() {
    if cfg!(debug_assertions) {
        say::aside(
            "conformance: this is a debug build, and its limit means nothing: cargo run --release",
        );
    }
}

fn measure(common: &Common, options: &LoadOptions) -> anyhow::Result<u8> {
    if options.limit.is_some() {
        warn_of_debug_build();
    }
    let runtime = runtime()?;
    let live = std::io::stderr().is_terminal();
    let mut line = Line::default();
    let mut watch = |moment: &Moment| line.show(live, moment);
    let outcome = interrupt::block_on(&runtime, conformance_load::run(options, &mut watch));
    line.clear(live);
    let outcome = outcome.inspect_err(|error| nothing(common, &error.to_string()))?;
    match outcome {
        Ok(report) => {
            for output in &common.reports {
                let text = match output.format {
                    Format::Json => report.json()?,
                    Format::Html => html::render(&report),
                };
                write::atomically(&output.file, text.as_bytes())
                    .with_context(|| format!("can't write {}", output.file.display()))?;
            }
            let taken = common.reports.iter().any(|o| write::is_standard_output(&o.file));
            let stream = if taken { Stream::Error } else { Stream::Output };
            stream.print(console::render(&report))?;
            Ok(report.exit_code())
        }
        Err(error) => {
            let what = escape::visible_lines(&error.to_string());
            nothing(common, &what);
            say::aside(format_args!("conformance: {what}"));
            Ok(error.exit_code())
        }
    }
}

/// Leaves reports that say why there are none: those of an earlier run would be taken for this one's.
fn nothing(common: &Common, what: &str) {
    for output in &common.reports {
        let text = match output.format {
            Format::Json => serde_json::json!({ "trouble": what }).to_string() + "\n",
            Format::Html => html::trouble("No load was measured", what),
        };
        // Why there is no result is told on the terminal in any case.
        let _ = write::atomically(&output.file, text.as_bytes());
    }
}

fn only_limit(talk: &LimitTalk) -> anyhow::Result<u8> {
    warn_of_debug_build();
    let program = std::env::current_exe().context("where is this program?")?;
    let options = talk.options()?;
    let runtime = runtime()?;
    let live = std::io::stderr().is_terminal();
    let mut line = Line::default();
    let mut watch = |moment: &Moment| line.show(live, moment);
    let measuring = conformance_load::ceiling::measure::one(
        &options,
        &program,
        "limit",
        talk.batches(&options.plan),
        &mut watch,
    );
    let measured = interrupt::block_on(&runtime, measuring)?;
    line.clear(live);
    match measured {
        Ok(limit) => {
            say::print(console::limit_alone(&limit))?;
            Ok(u8::from(!limit.right))
        }
        Err(error) => {
            say::aside(format_args!("conformance: {}", escape::visible_lines(&error.to_string())));
            Ok(error.exit_code())
        }
    }
}

/// One thread: what is measured has threads of its own.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")
}

/// The line of progress.
#[derive(Default)]
struct Line {
    shown: f64,
    deliveries: u64,
}

impl Line {
    fn show(&mut self, live: bool, moment: &Moment) {
        let since = moment.at - self.shown;
        if !live || since < 0.25 {
            return;
        }
        let totals = &moment.totals;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = totals.deliveries.saturating_sub(self.deliveries) as f64 / since;
        (self.shown, self.deliveries) = (moment.at, totals.deliveries);
        let _ = write!(
            anstream::stderr(),
            "\r{:6.1} s  {:<20} {}/{} joined  {rate:.0} deliveries/s \x1b[K",
            moment.at,
            moment.phase,
            totals.joined.min(moment.residents.into()),
            moment.residents
        );
        // A terminal that is gone shows nothing.
        let _ = std::io::stderr().flush();
    }

    fn clear(&self, live: bool) {
        if live && self.shown > 0.0 {
            let _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }
}
