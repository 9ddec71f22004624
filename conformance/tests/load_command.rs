//! The load tool as people run it: exit codes, reports, comparing, and the limit in a process of its
//! own.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "reports are files")]

mod mutant;

use std::{path::Path, time::Duration};

use assert_cmd::Command;
use conformance_load::report::{Limit, LoadReport, Verdict};

fn load(arguments: &[&str]) -> (i32, String) {
    let output = Command::cargo_bin("conformance")
        .unwrap()
        .arg("load")
        .args(arguments)
        .timeout(Duration::from_secs(120))
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&printed).into_owned())
}

fn report(file: &Path) -> LoadReport {
    LoadReport::read(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn a_server_is_started_measured_and_held_against_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (json, html) = (folder.path().join("a.json"), folder.path().join("a.html"));
    let spawn =
        mutant::command("127.0.0.1:{port} --cert {cert} --key {key} --fault FloodUnlimited");
    let reports = format!("json={},html={}", json.display(), html.display());
    let arguments = [
        "fan-out",
        "--spawn",
        &spawn,
        "--connections=8",
        "--senders=2",
        "--duration=300ms",
        "--warm-up=100ms",
        "--with-limit",
        "--report",
        &reports,
    ];
    let (code, printed) = load(&arguments);
    assert_eq!(code, 0, "{printed}");
    let measured = report(&json);
    assert!(measured.limits.iter().all(|limit| limit.right), "{printed}");
    // The mutant never batches, so a limit with batches of its size is the one with single messages.
    let modes: Vec<_> = measured.limits.iter().map(|limit| limit.mode.as_str()).collect();
    assert_eq!(modes, ["free-running", "single"], "{printed}");
    assert!(measured.limits[0].batch > 1.0, "{printed}");
    let deliveries = |limit: &Limit| limit.traffic.as_ref().map_or(0, |traffic| traffic.deliveries);
    assert!(measured.limits.iter().all(|limit| deliveries(limit) > 0), "{printed}");
    assert!(std::fs::read_to_string(html).unwrap().contains("<svg"));
    if cfg!(target_os = "linux") {
        assert!(printed.contains("server CPU"), "{printed}");
    }
    let json = json.to_str().unwrap();
    for comparing in [["--compare", json, json], ["compare", json, json]] {
        let (code, printed) = load(&comparing);
        assert!(code == 0 && printed.contains("deliveries/s"), "{printed}");
    }
}

/// A storm with a history and its limit: what was measured, and what was printed.
fn storm(arguments: &[&str], server: &str) -> (LoadReport, String) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("a.json");
    let (spawn, reports) = (mutant::command(server), format!("json={}", json.display()));
    let storm = ["join-storm", "--history=2000", "--with-limit", "--spawn", &spawn];
    let (code, printed) = load(&[&storm[..], &["--report", &reports], arguments].concat());
    assert_eq!(code, 0, "{printed}");
    (report(&json), printed)
}

#[test]
fn a_storm_is_held_against_copying_its_history() {
    // So many bytes that copying them takes long enough to be told, few of them at a time.
    let server = "127.0.0.1:{port} --cert {cert} --key {key} --fault FloodUnlimited";
    let arguments = ["-n=40", "--payload=2000", "--at-once=8"];
    let (measured, printed) = storm(&arguments, server);
    assert_eq!((measured.verdict, measured.joining.history), (Verdict::Right, Some(2_000)));
    let [limit] = &measured.limits[..] else { panic!("{printed}") };
    let joining = limit.joining.unwrap();
    assert_eq!((limit.mode.as_str(), limit.right), ("copying", true), "{printed}");
    assert_eq!((joining.joined, joining.history), (40, Some(2_000)), "{printed}");
    // Every text, and not much more.
    let texts = 40 * 2_000 * 2_000;
    assert!((texts..texts * 11 / 10).contains(&joining.bytes), "{joining:?}");
    // On a machine that copies more than 3 GB a second there is too little CPU time to tell.
    let rates = measured.joining.bytes_per_cpu().zip(joining.bytes_per_cpu());
    assert_eq!(limit.fraction.is_some(), rates.is_some(), "{printed}");
    if let (Some(fraction), Some((measured, most))) = (limit.fraction, rates) {
        let told = format!("the server reaches {fraction:.2} of it");
        assert!((fraction * most / measured - 1.0).abs() < 1e-6, "{fraction}: {printed}");
        assert!(printed.contains(&told), "{printed}");
    }
}

#[test]
fn a_storm_without_tls_is_held_against_copying_too() {
    let server = "127.0.0.1:{port} --fault FloodUnlimited";
    let (measured, printed) = storm(&["-n=6", "--payload=200", "--plaintext"], server);
    let [limit] = &measured.limits[..] else { panic!("{printed}") };
    let joining = limit.joining.unwrap();
    assert!(limit.right && printed.contains("limit, copying"), "{printed}");
    assert_eq!((joining.joined, joining.history), (6, Some(2_000)), "{printed}");
}

#[test]
fn the_limit_writes_batches_with_and_without_tls() {
    for more in [&["--plaintext"][..], &[]] {
        let arguments = ["limit", "-n=6", "--senders=3", "--window=4", "--batch=2.5"];
        let short = ["--duration=300ms", "--warm-up=50ms"];
        let (code, printed) = load(&[&arguments[..], &short, more].concat());
        assert_eq!(code, 0, "{printed}");
        assert!(printed.contains("at 2.5 a write"), "{printed}");
    }
}

#[test]
fn a_free_running_limit_writes_what_its_senders_give() {
    // Nothing is on its way when a batch begins but what all have sent since the one before.
    let arguments = ["limit", "-n=6", "--senders=3", "--window=4", "--free", "--threads=1"];
    let (code, printed) = load(&[&arguments[..], &["--duration=300ms", "--warm-up=50ms"]].concat());
    assert_eq!(code, 0, "{printed}");
    let batch = printed.rsplit(" at ").next().and_then(|rest| rest.split(' ').next());
    let batch: f64 = batch.unwrap().parse().unwrap();
    assert!((1.5..=12.0).contains(&batch), "{printed}");
}

#[test]
fn figures_of_many_runs_are_drawn_from_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let (figures, svg) = (folder.path().join("a.json"), folder.path().join("a.svg"));
    let text = r#"{"version": 1, "title": "a", "figures": [
        {"kind": "bars", "title": "speed", "bars": [{"name": "ours", "value": 3, "own": true}]}]}"#;
    std::fs::write(&figures, text).unwrap();
    let arguments = ["plot", figures.to_str().unwrap(), "--svg", svg.to_str().unwrap()];
    let (code, printed) = load(&arguments);
    assert_eq!(code, 0, "{printed}");
    let drawn = std::fs::read_to_string(&svg).unwrap();
    assert!(drawn.starts_with("<svg ") && drawn.contains(">ours</text>"), "{drawn}");
    // A report is no file of figures.
    std::fs::write(&figures, r#"{"version": 1, "suite": "0.1.0"}"#).unwrap();
    let (code, printed) = load(&arguments);
    assert!(code == 64 && printed.contains("holds no figures"), "{printed}");
}

#[test]
fn a_fault_is_exit_code_1_and_nobody_is_69() {
    let spawn = mutant::command("127.0.0.1:{port} --fault DeliversTwice --fault FloodUnlimited");
    let short = ["--duration=100ms", "--warm-up=0s", "-n=4"];
    let (code, printed) =
        load(&[&["fan-out", "--plaintext", "--spawn", &spawn][..], &short].concat());
    assert!(code == 1 && printed.contains("came again"), "{printed}");
    // Nobody listens at the discard port.
    let folder = tempfile::tempdir().unwrap();
    let (json, html) = (folder.path().join("a.json"), folder.path().join("a.html"));
    let reports = format!("json={},html={}", json.display(), html.display());
    for file in [&json, &html] {
        std::fs::write(file, "of yesterday").unwrap();
    }
    let arguments = ["idle", "--plaintext", "--target=127.0.0.1:9", "--report", &reports];
    let (code, printed) = load(&arguments);
    assert!(code == 69 && printed.contains("127.0.0.1:9"), "{printed}");
    for file in [&json, &html] {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains("127.0.0.1:9") && !text.contains("yesterday"), "{text}");
    }
    let (code, printed) = load(&["idle", "--plaintext", "--spawn", "false {port}"]);
    assert!(code == 69, "{printed}");
}

#[test]
fn wrong_usage_is_64() {
    for arguments in [
        &[][..],
        &["fan-out"],
        &["fan-out", "--target=nowhere:"],
        &["fan-out", "--target=localhost:9", "--window=4", "--rate=5"],
        &["fan-out", "--target=localhost:9", "-n=5", "--senders=6"],
        &["fan-out", "--target=localhost:9", "--payload=3"],
        &["fan-out", "--target=localhost:9", "--dialect=xmpp"],
        &["fan-out", "--target=localhost:9", "--dialect=irc", "--payload=500"],
        &["private", "--target=localhost:9", "-n=4", "--dialect=mqtt"],
        &["limit", "--batch=3", "--free"],
        &["private", "--target=localhost:9", "-n=5"],
        &["private", "--target=localhost:9", "-n=4", "--with-limit"],
        &["join-storm", "--target=localhost:9", "--with-limit"],
        &["join-storm", "--target=localhost:9", "--with-limit", "--dialect=irc"],
        &["join-storm", "--target=localhost:9", "--with-limit", "--history=9", "--dialect=irc"],
        &["--compare", "one.json"],
        &["--compare", "one.json", "two.json"],
    ] {
        let (code, printed) = load(arguments);
        assert_eq!(code, 64, "{arguments:?}: {printed}");
    }
    let (code, printed) = load(&["--help"]);
    assert!(code == 0 && printed.contains("load --compare before.json after.json"), "{printed}");
}
