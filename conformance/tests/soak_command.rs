//! The soak as people run it: exit codes, reports, an end before its time. The server is this very program, started again.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "reports are files")]

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
};

use assert_cmd::cargo::CommandCargoExt as _;
use conformance_mutants::cluster::{Cluster, ClusterFault};
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

/// Where the server listens, and its fault, if it has one; whoever starts it sets this.
const ARGUMENTS: &str = "CONFORMANCE_TEST_SERVER";

#[tokio::test]
#[ignore = "the server that other tests start"]
async fn is_a_server() {
    let Ok(arguments) = env::var(ARGUMENTS) else { return };
    let (address, fault) = arguments.split_once(' ').unwrap();
    let of_it = |known: &ClusterFault| format!("{known:?}") == fault;
    let faults: Vec<ClusterFault> = ClusterFault::ALL.into_iter().filter(of_it).collect();
    let mut end = signal(SignalKind::terminate()).unwrap();
    let _server = Cluster::listen(&[address.parse().unwrap()], &faults).await.unwrap();
    end.recv().await;
}

/// A soak with disturbances that a server which keeps nothing on a disk survives.
fn soak(fault: &str, arguments: &[&str]) -> Command {
    let spawn = format!(
        "env {ARGUMENTS}='{{host}}:{{port}} {fault}' '{}' --ignored --exact is_a_server --nocapture",
        env::current_exe().unwrap().display()
    );
    let mut command = Command::cargo_bin("conformance").unwrap();
    command.args(["load", "soak", "--plaintext", "--users=6", "--room=#soak", "--spawn", &spawn]);
    command.args(["--only=leaves,frames-cut,connections-cut,flood", "--pause=500ms"]);
    command.args(arguments);
    command
}

/// The exit code, and what was printed.
fn end(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn a_soak_says_by_its_exit_code_and_in_its_reports_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (json, md) = (folder.path().join("a.json"), folder.path().join("a.md"));
    let reports = format!("json={},md={}", json.display(), md.display());
    let logs = folder.path().join("logs");
    let (logs, seed) = (logs.to_str().unwrap(), "--seed=3");
    let more = ["--duration=12s", "--lap=5s", seed, "--report", &reports, "--logs", logs];
    let (code, printed) = end(soak("none", &more));
    assert_eq!(code, 0, "{printed}");
    let report = std::fs::read_to_string(&json).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let rows = report["rows"].as_object().unwrap();
    assert!(rows.len() > 10 && rows.values().all(|count| *count == 0), "{printed}");
    assert!(report["acknowledged"].as_u64().unwrap() > 50, "{printed}");
    assert_eq!(report["seed"], 3);
    let text = std::fs::read_to_string(&md).unwrap();
    assert!(text.contains("| lost | 0 |") && text.contains("## Laps"), "{text}");
    assert!(printed.contains("lap   1 is over") && printed.contains("deliveries"), "{printed}");
    assert!(folder.path().join("logs/server.log").is_file());

    let (code, printed) = end(soak("TellsTwice", &["--duration=5s"]));
    assert!(code == 1 && printed.contains("doubled: lap 1: "), "{printed}");
}

#[test]
fn a_soak_that_is_interrupted_comes_to_rest_and_is_judged() {
    let mut child = soak("none", &["--duration=10m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("lap   1 ")));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let code = child.wait().unwrap().code();
    assert!(said.contains("ended early") && said.contains("acknowledged"), "{said}\n{rest:?}");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn wrong_usage_is_64_and_a_server_that_does_not_start_is_69() {
    let run = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("conformance").unwrap();
        command.args(["load", "soak"]).args(arguments);
        end(command)
    };
    for arguments in [
        &[][..],
        &["--spawn", "server {host}"],
        &["--spawn", "server {port}", "--only=fire"],
        &["--spawn", "server {port}", "--report=html=a"],
        &["--spawn", "server {port}", "--users=1"],
    ] {
        let (code, printed) = run(arguments);
        assert_eq!(code, 64, "{arguments:?}: {printed}");
    }
    let (code, printed) = run(&["--plaintext", "--only=flood", "--spawn", "false {port}"]);
    assert!(code == 69 && printed.contains("has ended by itself"), "{printed}");
    let (code, printed) = run(&["--help"]);
    assert!(code == 0 && printed.contains("docs/guide/soak.md"), "{printed}");
}
