//! `cluster check`: what a node would find in the engine, line by line.

use std::io::{self, Write};

use chatterbox_server::order::jetstream::{Finding, JetStream, Verdict, check};

use crate::cli::cluster_command::{Check, ClusterCommand};
use crate::cli::cluster_move;
use crate::cli::cluster_status;
use crate::cli::exit::{self, Failure};
use crate::cli::log_limits;

/// Runs one of them.
///
/// # Errors
/// What it asks for can't be understood, or is not as it should be. The inner error is one of stdout.
pub fn cluster(
    command: &ClusterCommand,
    stdout: &mut dyn Write,
) -> Result<io::Result<()>, Failure> {
    match command {
        ClusterCommand::Check(command) => checked(command, stdout),
        ClusterCommand::MoveIn(command) => cluster_move::move_in(command, stdout),
        ClusterCommand::MoveOut(command) => cluster_move::move_out(command, stdout),
        ClusterCommand::Status(command) => cluster_status::status(command, stdout),
    }
}

fn checked(command: &Check, stdout: &mut dyn Write) -> Result<io::Result<()>, Failure> {
    let engine = command.settings.engine_that_is_needed()?;
    let monitors = command.settings.monitors()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system("can't start threads", &error))?;
    let findings = runtime.block_on(async {
        let mut findings = check(&engine, &monitors).await;
        // The log is there to be looked at. Why it could not be is told already.
        if findings.iter().all(|finding| finding.verdict < Verdict::Unreachable)
            && let Ok(Some((_, seen))) = JetStream::look(&engine).await
        {
            findings.extend(log_limits::findings(&seen.log, &command.keeping));
        }
        findings
    });
    let written = print(&findings, stdout);
    match failure(&findings) {
        // What was found is on the terminal before it is said that it is not good.
        Some(failure) if written.is_ok() => Err(failure),
        _ => Ok(written),
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "ok",
        Verdict::Advice => "note",
        Verdict::Unreachable => "?",
        Verdict::Fault => "FAULT",
    }
}

fn print(findings: &[Finding], stdout: &mut dyn Write) -> io::Result<()> {
    let width = findings.iter().map(|finding| finding.about.len()).max().unwrap_or_default();
    for Finding { about, verdict, told } in findings {
        writeln!(stdout, "{:5}  {about:width$}  {told}", word(*verdict))?;
    }
    stdout.flush()
}

/// What of it keeps a node from starting.
fn failure(findings: &[Finding]) -> Option<Failure> {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (faults, unreachable) = (count(Verdict::Fault), count(Verdict::Unreachable));
    let (message, code) = match (faults, unreachable) {
        (0, 0) => return None,
        (0, _) => ("some of the engine does not answer".to_owned(), exit::UNAVAILABLE),
        _ => ("no node would start with this engine".to_owned(), exit::CONFIGURATION),
    };
    Some(Failure { message, hint: Some("each line above says what to do".into()), code })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Verdict) -> Finding {
        Finding { about: "nats://a:4222".to_owned(), verdict, told: "that is so".to_owned() }
    }

    #[test]
    fn the_worst_decides() {
        use Verdict::{Advice, Fault, Good, Unreachable};
        let code = |all: &[Verdict]| {
            let findings: Vec<_> = all.iter().map(|verdict| finding(*verdict)).collect();
            failure(&findings).map(|failure| failure.code)
        };
        assert_eq!(code(&[Good, Advice]), None);
        assert_eq!(code(&[Good, Unreachable]), Some(exit::UNAVAILABLE));
        assert_eq!(code(&[Fault, Unreachable]), Some(exit::CONFIGURATION));
    }

    #[test]
    fn each_finding_is_a_line() {
        let mut text = Vec::new();
        print(&[finding(Verdict::Good), finding(Verdict::Fault)], &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, "ok     nats://a:4222  that is so\nFAULT  nats://a:4222  that is so\n");
    }
}
