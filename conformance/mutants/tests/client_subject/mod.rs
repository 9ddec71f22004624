//! Clients for tests: the mutant client with faults, and where it writes which of them acted.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use conformance_suite::{
    Options, Report,
    client::{Means, Profile, profile::Lines},
    fault::ClientFault,
    report::console,
    run::client::{self, Client},
};
use tempfile::TempDir;

/// The mutant client with these faults.
pub struct Mutant {
    pub client: Client,
    log: TempDir,
}

impl Mutant {
    pub fn new(means: Means, faults: &[ClientFault]) -> Self {
        let log = tempfile::tempdir().unwrap();
        let binary = env!("CARGO_BIN_EXE_mutant-client");
        let words = [binary, "{host}", "-p", "{port}", "--ca", "{ca}", "--log"];
        let mut command: Vec<String> = words.map(str::to_owned).to_vec();
        command.push(log.path().join("log").display().to_string());
        for fault in faults {
            command.extend(["--fault".to_owned(), fault.name().to_owned()]);
        }
        let mut profile = Profile::default();
        if faults.contains(&ClientFault::OtherCommands) {
            profile.private = Lines::Many(["/w {user}", "{text}"].map(str::to_owned).to_vec());
            profile.quit = vec!["/bye".to_owned()];
        }
        if matches!(means, Means::Adapter) {
            command.push("--adapter".to_owned());
        }
        Self { client: Client { command, means, profile }, log }
    }

    /// How often a fault came to act.
    pub fn times(&self, fault: ClientFault) -> usize {
        let log = std::fs::read_to_string(self.log.path().join("log")).unwrap_or_default();
        log.lines().filter(|line| *line == fault.name()).count()
    }

    pub async fn judge(&self, options: &Options) -> Report {
        client::run(&self.client, options).await.unwrap()
    }
}

/// What the tests mostly use.
pub fn options() -> Options {
    Options { seed: Some(1), jobs: 4, ..Options::default() }
}

pub fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&console::render(report)).to_string()
}
