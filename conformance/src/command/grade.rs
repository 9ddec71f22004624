//! Grading a server from the command line: options to subject, reports to files, outcome to exit
//! code.
#![allow(clippy::disallowed_methods, reason = "the edge: the one place that reads files")]

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use conformance_kit::net::tls::Trust;
use conformance_suite::{
    Options, Report, RunError, Subject,
    report::{
        console,
        expect::Expectations,
        json,
        points::{self, Rubric},
        repeat, write,
    },
    run::server::run_watched,
};
use rustls::pki_types::CertificateDer;

use crate::{
    cli::{Grade, Reports, Tls},
    command::{interrupt, keylog::KeyLogFile, progress::Progress},
};

/// Grades and says how the program ends.
pub(crate) fn grade(arguments: &Grade) -> anyhow::Result<u8> {
    let subject = match (&arguments.target, &arguments.spawn) {
        (Some(target), _) => Subject::Running(target.clone()),
        (None, Some(command)) => {
            Subject::Spawned { command: command.clone(), fresh: arguments.fresh }
        }
        (None, None) => {
            anyhow::bail!("which server? give --target HOST:PORT, or --spawn 'COMMAND {{port}}'")
        }
    };
    let rubric = rubric(&arguments.reports)?;
    let expectations = match &arguments.expect {
        Some(file) => Expectations::parse(&read(file)?)
            .with_context(|| format!("{} is no list of expectations", file.display()))?,
        None => Expectations::default(),
    };
    let options = options(arguments)?;
    let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
    let mut reports = Vec::new();
    for _ in 0..arguments.repeat {
        let mut progress = Progress::new(&arguments.reports.outputs, &rubric);
        match interrupt::block_on(&runtime, run_watched(&subject, &options, &mut progress))? {
            Ok(report) => reports.push(report),
            Err(error) => {
                explain_failure(&error);
                return Ok(error.exit_code());
            }
        }
    }
    let mut report = repeat::merge(reports).context("nothing was run")?;
    let started = report.header.started;
    expectations.apply(&mut report, started);
    if let Some(folder) = &arguments.transcripts {
        write::transcripts(folder, &report)?;
    }
    publish(&report, &arguments.reports, &rubric)
}

/// Renders an earlier report again.
pub(crate) fn replay(file: &Path, reports: &Reports) -> anyhow::Result<u8> {
    let report = json::read(&read(file)?)
        .with_context(|| format!("{} is no report of this suite", file.display()))?;
    publish(&report, reports, &rubric(reports)?)
}

pub(crate) fn publish(report: &Report, reports: &Reports, rubric: &Rubric) -> anyhow::Result<u8> {
    write::all(&reports.outputs, report, rubric).context("can't write a report")?;
    anstream::print!("{}", console::render(report));
    if reports.rubric.is_some() {
        let (score, most) = points::sum(&points::points(report, rubric));
        anstream::println!("{score} of {most} points.");
    }
    Ok(report.exit_code())
}

fn options(arguments: &Grade) -> anyhow::Result<Options> {
    let mut only = arguments.only.clone();
    if let Some(file) = &arguments.failed {
        let earlier = json::read(&read(file)?)
            .with_context(|| format!("{} is no report of this suite", file.display()))?;
        let again = earlier.cases.iter().filter(|case| !case.verdict.carries());
        let before = only.len();
        only.extend(again.map(|case| case.id.clone()));
        anyhow::ensure!(only.len() > before, "nothing failed in {}", file.display());
    }
    Ok(Options {
        trust: trust(arguments)?,
        tls: arguments.tls.into(),
        sni: arguments.sni.clone(),
        keylog: match &arguments.keylog {
            Some(file) => Some(Arc::new(KeyLogFile::open(file)?)),
            None => None,
        },
        only,
        skip: arguments.skip.clone(),
        claims: arguments.claims.clone(),
        account: arguments.account.as_deref().map(account).transpose()?,
        timeout_scale: arguments.timeout_scale,
        strict: arguments.strict,
        seed: arguments.seed,
        jobs: arguments.jobs.into(),
        deadline: arguments.deadline,
        command: command(arguments),
    })
}

/// Reads `--account NAME:FILE`.
fn account(text: &str) -> anyhow::Result<(String, String)> {
    let (name, file) = text.split_once(':').context("--account is NAME:FILE")?;
    let password = read(Path::new(file))?;
    let password = password.lines().next().unwrap_or_default();
    anyhow::ensure!(!password.is_empty(), "there is no password in {file}");
    Ok((name.to_owned(), password.to_owned()))
}

fn explain_failure(error: &RunError) {
    anstream::eprintln!(
        "conformance: {}",
        conformance_kit::escape::visible_lines(&error.to_string())
    );
    if let Some(hint) = error.hint() {
        anstream::eprintln!("hint: {hint}");
    }
}

pub(crate) fn rubric(reports: &Reports) -> anyhow::Result<Rubric> {
    let Some(file) = &reports.rubric else { return Ok(Rubric::default()) };
    let rubric: Rubric =
        toml::from_str(&read(file)?).with_context(|| format!("{} is no rubric", file.display()))?;
    for group in rubric.groups.keys() {
        let known = conformance_suite::cases::groups().any(|(id, _, _)| id == group);
        anyhow::ensure!(known, "{}: there is no group {group:?}", file.display());
    }
    Ok(rubric)
}

pub(crate) fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))
}

fn trust(arguments: &Grade) -> anyhow::Result<Trust> {
    if arguments.insecure {
        return Ok(Trust::Anything);
    }
    arguments.ca.as_deref().map_or(Ok(Trust::Nobody), |file| Ok(Trust::Authority(authority(file)?)))
}

pub(crate) fn authority(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let certificates: Vec<_> = rustls_pemfile::certs(&mut pem.as_slice())
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is no PEM file", file.display()))?;
    anyhow::ensure!(!certificates.is_empty(), "{} holds no certificate", file.display());
    Ok(certificates)
}

/// The command that repeats this run; `--only` is added for a single case.
fn command(arguments: &Grade) -> String {
    let mut words = vec!["cargo run -p conformance --".to_owned()];
    if let Some(target) = &arguments.target {
        words.push(format!("--target {target}"));
    }
    if let Some(command) = &arguments.spawn {
        words.push(format!("--spawn '{}'", command.replace('\'', "'\\''")));
    }
    if !arguments.claims.is_empty() {
        words.push(format!("--claims {}", arguments.claims.join(",")));
    }
    if let Some(account) = &arguments.account {
        words.push(format!("--account {account}"));
    }
    if let Some(ca) = &arguments.ca {
        words.push(format!("--ca {}", ca.display()));
    }
    for (given, word) in [
        (arguments.insecure, "--insecure"),
        (arguments.fresh, "--fresh"),
        (arguments.tls == Tls::On, "--tls on"),
        (arguments.tls == Tls::Off, "--tls off"),
        (arguments.strict, "--strict"),
    ] {
        if given {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}
