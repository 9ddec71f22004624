//! Grading a server from the command line: options to a subject.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use conformance_kit::{
    escape,
    net::{target::Target, tls::Trust},
};
use conformance_suite::{
    Options, Subject, TlsMode,
    run::{
        plan,
        server::{RunError, run_watched},
    },
};

use super::{
    again::Again,
    authorities::authorities,
    grading::{Failure, Grading, selection},
    keylog::KeyLogFile,
    shared::{self, Reports, read},
};

/// How many cases run at the same time when nobody says how many.
const JOBS: u16 = 1;

#[derive(Debug, Args)]
pub(crate) struct Grade {
    /// The server to grade: HOST:PORT, IPv6 in brackets, without a port 5000; or the URL of a WebSocket, ws://HOST:PORT/PATH
    /// or wss://.
    #[arg(long, value_name = "HOST:PORT|URL")]
    target: Option<Target>,
    /// Start this server and grade it: a line for a shell; {host} and {port} are filled in.
    #[arg(long, value_name = "COMMAND", conflicts_with = "target")]
    spawn: Option<String>,
    /// A fresh server for every case; with --spawn.
    #[arg(long)]
    fresh: bool,
    /// Certificates to trust (PEM): the server's own, or its authority's.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Accept every certificate, X.509 v1, too.
    #[arg(long)]
    insecure: bool,
    /// Whether to speak TLS; auto falls back to none and charges tls.handshake. A URL says it itself.
    #[arg(long, value_enum, default_value_t = Tls::Auto)]
    tls: Tls,
    /// Server name to send in TLS instead of the host.
    #[arg(long, value_name = "NAME")]
    sni: Option<String>,
    /// Run only these cases: ids, groups, levels or clauses, with globs.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these cases out.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    skip: Vec<String>,
    /// Extensions that the server declares: their cases run, and count as their levels say.
    #[arg(long, value_name = "EXTENSION", value_delimiter = ',')]
    claims: Vec<String>,
    /// An account that is there, and a file with its password, for the claim accounts without commands.
    #[arg(long, value_name = "NAME:FILE")]
    account: Option<String>,
    /// An account of level 5 (admin), for the claim moderation.
    #[arg(long, value_name = "NAME", requires = "staff_password_file")]
    staff: Option<String>,
    /// A file whose first line is the password of --staff.
    #[arg(long, value_name = "FILE", requires = "staff")]
    staff_password_file: Option<PathBuf>,
    /// Multiply all waiting times by this.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = shared::scale)]
    timeout_scale: f64,
    /// SHOULD counts like MUST.
    #[arg(long)]
    strict: bool,
    /// Seed of the names and texts that the cases use.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Ask the cases that leave megabytes in the history of a server, too; with --spawn they always run.
    #[arg(long)]
    heavy: bool,
    /// Run the cases in a random order of the seed, as far as their needs allow.
    #[arg(long)]
    shuffle: bool,
    /// How many cases run at the same time; a case that fails in company is asked again alone.
    #[arg(long, value_name = "NUMBER", default_value_t = JOBS, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Run everything so often, and tell what did not always come out the same.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    repeat: u16,
    /// Run only what did not pass in an earlier JSON report.
    #[arg(long, value_name = "FILE")]
    failed: Option<PathBuf>,
    /// Known failures (TOML); a stale entry fails the run.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Keep the bytes of every case that did not pass in this folder.
    #[arg(long, value_name = "FOLDER")]
    transcripts: Option<PathBuf>,
    /// Append the secrets of TLS connections, for a packet analyser.
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
    /// End the run after this time, such as 8m or 90s.
    #[arg(long, value_name = "TIME", default_value = "8m", value_parser = shared::duration)]
    deadline: Duration,
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

impl Tls {
    /// Whether TLS is spoken with this target, whose URL may say it itself.
    pub(super) fn with(self, target: Option<&Target>) -> anyhow::Result<TlsMode> {
        let url = target.filter(|target| target.web.is_some());
        anyhow::ensure!(
            url.is_none() || self == Self::Auto,
            "ws:// is without TLS and wss:// is with it: leave out --tls"
        );
        Ok(self.into())
    }
}

/// Grades and says how the program ends.
pub(crate) fn grade(arguments: &Grade) -> anyhow::Result<u8> {
    let target = arguments.target.as_ref().map(Target::to_string);
    let target = target.or_else(|| arguments.spawn.clone());
    let grading = Grading {
        repeat: arguments.repeat,
        reports: &arguments.reports,
        expect: arguments.expect.as_deref(),
        transcripts: arguments.transcripts.as_deref(),
        failed: arguments.failed.as_deref(),
        target: target.unwrap_or_else(|| "no server".to_owned()),
        command: command(arguments),
        plan: plan::of_server,
    };
    grading.run(
        || Ok((subject(arguments)?, options(arguments)?)),
        async |subject, options, progress| {
            let judged = run_watched(subject, options, progress).await;
            judged.map_err(|error| failure(&error))
        },
    )
}

fn subject(arguments: &Grade) -> anyhow::Result<Subject> {
    anyhow::ensure!(
        !arguments.fresh || arguments.spawn.is_some(),
        "--fresh needs --spawn: the suite can only start anew what it started itself"
    );
    match (&arguments.target, &arguments.spawn) {
        (Some(target), _) => Ok(Subject::Running(target.clone())),
        (None, Some(command)) => {
            let command = shared::startable(command)?;
            Ok(Subject::Spawned { command, fresh: arguments.fresh })
        }
        (None, None) => {
            anyhow::bail!(
                "which server? give --target HOST:PORT, --target wss://HOST:PORT/PATH, or --spawn 'COMMAND {{port}}'"
            )
        }
    }
}

fn failure(error: &RunError) -> Failure {
    let (text, printed) = match error {
        // What it printed is shown on lines of its own.
        RunError::Spawn { error, output } => {
            let ended = error.starts_with("it has ended") || error.starts_with("it was ended");
            let what = if ended { "did not start" } else { "was started, and does not answer" };
            (format!("the server {what}: {error}"), output.clone())
        }
        other => (other.to_string(), String::new()),
    };
    let text = escape::visible_lines(&text);
    Failure { text, printed, hint: error.hint(), exit_code: error.exit_code() }
}

fn options(arguments: &Grade) -> anyhow::Result<Options> {
    Ok(Options {
        trust: trust(arguments)?,
        tls: arguments.tls.with(arguments.target.as_ref())?,
        sni: arguments.sni.clone(),
        keylog: match &arguments.keylog {
            Some(file) => Some(Arc::new(KeyLogFile::open(file)?)),
            None => None,
        },
        only: selection(&arguments.only, arguments.failed.as_deref())?,
        skip: arguments.skip.clone(),
        claims: arguments.claims.clone(),
        account: arguments.account.as_deref().map(account).transpose()?,
        staff: match (&arguments.staff, &arguments.staff_password_file) {
            (Some(name), Some(file)) => Some((name.clone(), password_in(file)?)),
            _ => None,
        },
        timeout_scale: arguments.timeout_scale,
        strict: arguments.strict,
        seed: arguments.seed,
        jobs: arguments.jobs.into(),
        shuffle: arguments.shuffle,
        heavy: arguments.heavy,
        deadline: arguments.deadline,
        command: command(arguments),
    })
}

/// Reads `--account NAME:FILE`.
fn account(text: &str) -> anyhow::Result<(String, String)> {
    let (name, file) = text.split_once(':').context("--account is NAME:FILE")?;
    Ok((name.to_owned(), password_in(Path::new(file))?))
}

/// The password in the first line of a file.
fn password_in(file: &Path) -> anyhow::Result<String> {
    let text = read(file)?;
    let password = text.lines().next().unwrap_or_default();
    anyhow::ensure!(!password.is_empty(), "there is no password in {}", file.display());
    Ok(password.to_owned())
}

fn trust(arguments: &Grade) -> anyhow::Result<Trust> {
    if arguments.insecure {
        return Ok(Trust::Anything);
    }
    arguments
        .ca
        .as_deref()
        .map_or(Ok(Trust::Nobody), |file| Ok(Trust::Authority(authorities(file)?)))
}

/// The command that repeats this run; `--only` is added for a single case.
fn command(arguments: &Grade) -> String {
    let mut again = Again::new();
    again.values("--target", arguments.target.as_ref().map(Target::to_string));
    again.values("--spawn", &arguments.spawn);
    again.flag("--fresh", arguments.fresh);
    again.file("--ca", arguments.ca.as_deref());
    again.flag("--insecure", arguments.insecure);
    match arguments.tls {
        Tls::Auto => {}
        Tls::On => again.word("--tls on"),
        Tls::Off => again.word("--tls off"),
    }
    again.values("--sni", &arguments.sni);
    if !arguments.claims.is_empty() {
        again.values("--claims", [arguments.claims.join(",")]);
    }
    again.values("--account", &arguments.account);
    again.values("--staff", &arguments.staff);
    again.file("--staff-password-file", arguments.staff_password_file.as_deref());
    again.number("--timeout-scale", arguments.timeout_scale, 1.0);
    again.number("--jobs", arguments.jobs, JOBS);
    again.flag("--strict", arguments.strict);
    again.flag("--heavy", arguments.heavy);
    again.finish()
}
