//! The command line of the suite: grades a server, lists and explains cases.
#![allow(clippy::disallowed_methods, reason = "the edge: the one place that reads files")]

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::Parser as _;
use conformance::{Options, RunError, Subject, Trust, report::console, run};
use rustls::pki_types::CertificateDer;

mod cli;
mod client_command;
mod explain;

use cli::{Cli, Command, Grade};

/// Wrong usage, as sysexits.h has it.
const USAGE: u8 = 64;
/// A bug in the suite.
const SOFTWARE: u8 = 70;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing can be done when even this can't be printed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let code = match cli.command {
        Some(Command::List { json }) => explain::list(json),
        Some(Command::Explain { id }) => explain::explain(&id),
        Some(Command::Client(arguments)) => client_command::run(&arguments),
        None => grade(&cli.grade),
    };
    ExitCode::from(code.unwrap_or_else(|error| {
        anstream::eprintln!("conformance: {error:#}");
        USAGE
    }))
}

fn grade(arguments: &Grade) -> anyhow::Result<u8> {
    let target = arguments.target.clone().context("which server? give --target HOST:PORT")?;
    let options = Options {
        trust: trust(arguments)?,
        tls: arguments.tls.into(),
        sni: arguments.sni.clone(),
        keylog: None,
        only: arguments.only.clone(),
        skip: arguments.skip.clone(),
        timeout_scale: arguments.timeout_scale,
        strict: arguments.strict,
        seed: arguments.seed,
        jobs: arguments.jobs.into(),
        deadline: arguments.deadline,
        command: repeat(arguments),
    };
    let Ok(runtime) = tokio::runtime::Runtime::new() else {
        return Ok(SOFTWARE);
    };
    let subject = Subject::Running(target);
    match runtime.block_on(run(&subject, &options)) {
        Ok(report) => {
            anstream::print!("{}", console::render(&report));
            Ok(report.exit_code())
        }
        Err(error) => {
            explain_failure(&error);
            Ok(error.exit_code())
        }
    }
}

fn explain_failure(error: &RunError) {
    anstream::eprintln!("conformance: {}", conformance::escape::visible(&error.to_string()));
    if let Some(hint) = error.hint() {
        anstream::eprintln!("hint: {hint}");
    }
}

fn trust(arguments: &Grade) -> anyhow::Result<Trust> {
    if arguments.insecure {
        return Ok(Trust::Anything);
    }
    arguments.ca.as_deref().map_or(Ok(Trust::Nobody), |file| Ok(Trust::Authority(read_ca(file)?)))
}

fn read_ca(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let certificates: Vec<_> = rustls_pemfile::certs(&mut pem.as_slice())
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is no PEM file", file.display()))?;
    anyhow::ensure!(!certificates.is_empty(), "{} holds no certificate", file.display());
    Ok(certificates)
}

/// The command that repeats this run; `--only` is added for a single case.
fn repeat(arguments: &Grade) -> String {
    let mut words = vec!["cargo run -p conformance --".to_owned()];
    if let Some(target) = &arguments.target {
        words.push(format!("--target {target}"));
    }
    if let Some(ca) = &arguments.ca {
        words.push(format!("--ca {}", ca.display()));
    }
    if arguments.insecure {
        words.push("--insecure".to_owned());
    }
    match arguments.tls {
        cli::Tls::Auto => {}
        cli::Tls::On => words.push("--tls on".to_owned()),
        cli::Tls::Off => words.push("--tls off".to_owned()),
    }
    if arguments.strict {
        words.push("--strict".to_owned());
    }
    words.join(" ")
}
