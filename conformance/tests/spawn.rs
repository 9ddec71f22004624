//! Servers that the suite starts itself: waited for, started again when they die, ended with all
//! their children, and what they print changes nothing.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "certificates and scripts are files")]

#[path = "spawn/lives.rs"]
mod lives;
mod mutant;
#[path = "spawn/reports.rs"]
mod reports;
#[path = "spawn/watching.rs"]
mod watching;

use std::{path::Path, time::Duration};

use assert_cmd::Command;
use conformance_kit::{
    identity::Identity,
    subject::{
        place::Place,
        printed::Mark,
        server::{Server, Waiting},
    },
};
use conformance_suite::{report::json, verdict::Verdict};

/// The command line of a mutant with these arguments.
fn faulty(folder: &Path, more: &str) -> String {
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let (cert, key) = (folder.join("c.pem"), folder.join("k.pem"));
    std::fs::write(&cert, &identity.pem).unwrap();
    std::fs::write(&key, &identity.key_pem).unwrap();
    mutant::command(&format!(
        "127.0.0.1:{{port}} --cert {} --key {} {more}",
        cert.display(),
        key.display()
    ))
}

/// Runs the suite; the exit code, the JSON report if one was written, and everything it printed.
fn grade(folder: &Path, arguments: &[&str]) -> (i32, Option<conformance_suite::Report>, String) {
    let file = folder.join("report.json");
    let output = Command::cargo_bin("conformance")
        .unwrap()
        .args(["--insecure", "--timeout-scale", "0.4", "--seed", "1"])
        .arg(format!("--report=json={}", file.display()))
        .args(arguments)
        .timeout(Duration::from_secs(120))
        .output()
        .unwrap();
    let report = std::fs::read_to_string(&file).ok().map(|text| json::read(&text).unwrap());
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), report, String::from_utf8_lossy(&printed).into_owned())
}
