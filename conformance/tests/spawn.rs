//! Servers that the suite starts itself: waited for, started again when they die, ended with all
//! their children, and what they print changes nothing.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "certificates and scripts are files")]

mod mutant;

use std::{path::Path, time::Duration};

use assert_cmd::Command;
use conformance_kit::identity::Identity;
use conformance_suite::report::json;

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

#[test]
fn a_server_is_started_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    let (code, report, printed) =
        grade(folder.path(), &["--spawn", &command, "--only", "join.taken"]);
    assert_eq!(code, 0, "{printed}");
    assert!(report.unwrap().output.contains("listening on 127.0.0.1"));
}

#[test]
fn one_that_dies_is_started_again_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault JunkKillsServer");
    // The fault ends every connection and every listener; the process ends with them.
    let (code, report, printed) =
        grade(folder.path(), &["--spawn", &command, "--only", "errors,conc.idle"]);
    assert_eq!(code, 1, "{printed}");
    let report = report.unwrap();
    let verdict = |id: &str| report.case(id).unwrap().verdict.word();
    assert_eq!(verdict("errors.not-json"), "fail", "{printed}");
    assert_eq!(verdict("conc.idle"), "pass", "{printed}");
}

#[test]
fn every_case_can_have_a_fresh_one() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    let (code, report, printed) =
        grade(folder.path(), &["--spawn", &command, "--fresh", "--only", "bcast.once,tls.only"]);
    assert_eq!(code, 0, "{printed}");
    let listening = report.unwrap().output.matches("listening on").count();
    assert!(listening >= 5, "started {listening} times");
}

#[test]
fn one_that_does_not_start_is_told_with_what_it_printed() {
    let folder = tempfile::tempdir().unwrap();
    let command = "printf 'no such \\033[31mmodule\\n' >&2; exit 3; echo {port}";
    let (code, _, printed) = grade(folder.path(), &["--spawn", &format!("sh -c \"{command}\"")]);
    assert_eq!(code, 69, "{printed}");
    assert!(printed.contains("no such \\u{1b}[31mmodule"), "{printed}");
}

#[test]
fn what_a_subject_prints_changes_no_grade() {
    let folder = tempfile::tempdir().unwrap();
    let noise = "while :; do echo '::set-output name=grade::100'; echo '{\"score\": 100}'; done";
    let script = folder.path().join("noisy.sh");
    let command = faulty(folder.path(), "--fault DuplicateAccepted");
    let command = command.replace("{port}", "$1");
    std::fs::write(&script, format!("({noise}) &\n{command}\n")).unwrap();
    let results = folder.path().join("results.json");
    let (code, _, printed) = grade(
        folder.path(),
        &[
            "--spawn",
            &format!("sh {} {{port}}", script.display()),
            "--only",
            "join.taken",
            &format!("--report=gradescope={}", results.display()),
        ],
    );
    assert_eq!(code, 1, "{printed}");
    assert!(printed.lines().all(|line| !line.starts_with("::")), "{printed}");
    let grade: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(results).unwrap()).unwrap();
    let failed = grade["tests"].as_array().unwrap().iter().find(|t| t["number"] == "join.taken");
    assert_eq!(failed.unwrap()["score"], 0.0);
}

#[test]
fn a_report_is_replayed_and_its_failures_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault DuplicateAccepted");
    let (code, ..) =
        grade(folder.path(), &["--spawn", &command, "--only", "join.taken,join.accept"]);
    assert_eq!(code, 1);
    let first = folder.path().join("first.json");
    std::fs::copy(folder.path().join("report.json"), &first).unwrap();
    let page = folder.path().join("page.html");
    let replay = Command::cargo_bin("conformance")
        .unwrap()
        .arg("replay")
        .arg(&first)
        .arg(format!("--report=html={}", page.display()))
        .output()
        .unwrap();
    assert_eq!(replay.status.code(), Some(1));
    assert!(std::fs::read_to_string(page).unwrap().contains("join.taken"));
    let good = faulty(folder.path(), "");
    let failed = format!("--failed={}", first.display());
    let (code, report, printed) = grade(folder.path(), &["--spawn", &good, &failed]);
    assert_eq!(code, 0, "{printed}");
    let asked: Vec<_> = report.unwrap().cases.into_iter().filter(|case| case.asked).collect();
    assert_eq!(asked.len(), 1);
}

#[test]
fn secrets_and_transcripts_are_kept_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault NeverAccepts");
    let (keys, bytes) = (folder.path().join("keys.log"), folder.path().join("bytes"));
    let (code, ..) = grade(
        folder.path(),
        &[
            "--spawn",
            &command,
            "--only",
            "join.accept",
            &format!("--keylog={}", keys.display()),
            &format!("--transcripts={}", bytes.display()),
        ],
    );
    assert_eq!(code, 1);
    assert!(std::fs::read_to_string(keys).unwrap().contains("CLIENT_TRAFFIC_SECRET_0"));
    assert!(std::fs::read_to_string(bytes.join("join.accept.json")).unwrap().contains("\"hex\""));
}

#[test]
fn a_run_that_is_cut_short_leaves_a_report_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    let (code, report, printed) = grade(folder.path(), &["--spawn", &command, "--deadline", "1s"]);
    assert_eq!(code, 2, "{printed}");
    let report = report.unwrap();
    let unclaimed =
        conformance_suite::cases::server_cases().filter(|case| case.extension.is_none());
    assert_eq!(report.cases.len(), unclaimed.count());
    assert!(report.took_ms < 10_000, "{} ms", report.took_ms);
    assert!(report.totals().inconclusive > 0 && report.totals().passed > 0, "{printed}");
}

#[test]
fn invariants_alone_run_the_session_that_feeds_them() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault LeftBareString");
    let (code, report, printed) = grade(folder.path(), &["--spawn", &command, "--only", "inv"]);
    assert_eq!(code, 1, "{printed}");
    let report = report.unwrap();
    let failed: Vec<_> = report.cases.iter().filter(|case| case.is_failure(false)).collect();
    assert_eq!(failed.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), ["inv.left-list"]);
}
