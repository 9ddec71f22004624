//! A client in another language, written from the norm alone: full marks as it is, full marks when
//! it takes its time, and with planted bugs exactly the right cases fail.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "a test that writes a program and starts it")]

use std::{collections::BTreeSet, path::Path, process::Command};

use conformance_suite::{
    Options, Report, cases,
    client::{Means, Profile},
    report::console,
    run::client::{self, Client},
    verdict::Verdict,
};

fn options() -> Options {
    Options { seed: Some(1), jobs: 4, ..Options::default() }
}

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&console::render(report)).to_string()
}

/// Whether there is a Python; a missing one is told, and fails where services are required.
fn python() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok_and(|o| o.status.success());
    if !there {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "python3 is required and not here");
        eprintln!("SKIPPED: python3 is not here, so its client is not graded");
    }
    there
}

fn source() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/client.py");
    std::fs::read_to_string(script).unwrap()
}

/// Grades a copy of the client in which texts were replaced.
async fn judge(means: Means, changes: &[(&str, &str)]) -> Report {
    let mut text = source();
    for (before, after) in changes {
        assert_eq!(text.matches(before).count(), 1, "{before:?} is not there once");
        text = text.replace(before, after);
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("client.py");
    std::fs::write(&script, text).unwrap();
    let script = script.display().to_string();
    let words = ["python3", &script, "{host}", "-p", "{port}", "-ca", "{ca}"];
    let command = words.map(str::to_owned).to_vec();
    let client = Client { command, means, profile: Profile::default() };
    client::run(&client, &options()).await.unwrap()
}

fn full_marks(report: &Report) {
    let page = plain(report);
    assert_eq!(report.exit_code(), 0, "{page}");
    let totals = report.totals();
    assert_eq!((totals.warned, totals.not_applicable), (0, 0), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_marks_in_a_terminal_and_with_pipes() {
    if python() {
        full_marks(&judge(Means::Terminal, &[]).await);
        full_marks(&judge(Means::Pipe, &[]).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_marks_with_a_second_of_sleep_after_each_message() {
    if python() {
        let sent = "[self.name, target, int(time.time()), line]]})";
        let sleeps = format!("{sent}\n                time.sleep(1)");
        full_marks(&judge(Means::Terminal, &[(sent, &sleeps)]).await);
    }
}

/// Whoever does what the hint of `c.recv.control` says passes it, and no other case fails for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_advice_about_control_characters_keeps_all_others() {
    if !python() {
        return;
    }
    let hint = cases::find("c.recv.control").unwrap().hint;
    let advice = hint.split_once("nothing else: ").unwrap().1.strip_suffix(" in Python.").unwrap();
    let advice = advice.replace(" in text)", " in str(text))");
    let own = "UNSAFE.sub(lambda found: ascii(found[0])[1:-1], str(text))";
    let report = judge(Means::Terminal, &[(own, &advice)]).await;
    full_marks(&report);
    // What many write instead doubles backslashes: that is how it shows them, and it understood them.
    let report = judge(Means::Terminal, &[(own, "repr(str(text))[1:-1]")]).await;
    full_marks(&report);
}

/// A client that reads a length and a body with one call each, and never looks at ERROR: what it gets
/// wrong is charged once, with its own exception in front, and all else is judged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_read_for_a_length_and_one_for_a_body() {
    if !python() {
        return;
    }
    let naive = [
        ("await self.reader.readexactly(4)", "await self.reader.read(4)"),
        ("await self.reader.readexactly(length)", "await self.reader.read(length)"),
        ("if \"ERROR\" in frame:\n            show", "if False:\n            show"),
    ];
    let report = judge(Means::Terminal, &naive).await;
    let ids = |wanted: fn(&Verdict) -> bool| {
        let cases = report.cases.iter().filter(move |case| wanted(&case.verdict));
        cases.map(|case| case.id.as_str()).collect::<BTreeSet<_>>()
    };
    let failed = ids(|verdict| matches!(verdict, Verdict::Fail(_)));
    let expected = ["c.recv.split-header", "c.recv.split-body", "c.recv.error"];
    assert_eq!(failed, BTreeSet::from(expected), "{}", plain(&report));
    let open =
        ids(|verdict| matches!(verdict, Verdict::Blocked { .. } | Verdict::Inconclusive { .. }));
    assert_eq!(open, BTreeSet::from(["c.join.big", "c.recv.bytewise"]), "{}", plain(&report));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_planted_bugs_fail_exactly_the_right_cases() {
    if !python() {
        return;
    }
    let bugs = [
        // Milliseconds.
        ("int(time.time())", "int(time.time() * 1000)"),
        // ERROR is not shown.
        ("if \"ERROR\" in frame:\n            show", "if False:\n            show"),
        // INFO is taken for granted beside a refusal.
        (
            "self.terminal.show(f\"* the name {name} was refused\")",
            "self.terminal.show(answer[\"INFO\"])",
        ),
        // One read is taken for the whole length.
        ("await self.reader.readexactly(4)", "await self.reader.read(4)"),
        // Quitting does not close anything.
        (
            "if line == \"/quit\":\n                return",
            "if line == \"/quit\":\n                await asyncio.sleep(3600)",
        ),
    ];
    let report = judge(Means::Terminal, &bugs).await;
    let failed = report.cases.iter().filter(|case| !case.verdict.carries());
    let failed: BTreeSet<&str> = failed.map(|case| case.id.as_str()).collect();
    let expected = [
        "c.send.time",
        "c.recv.error",
        "c.join.rejected-bare",
        "c.recv.bytewise",
        "c.recv.split-header",
        "c.quit",
    ];
    assert_eq!(failed, BTreeSet::from(expected), "{}", plain(&report));
    let time = &report.case("c.send.time").unwrap().verdict;
    assert!(matches!(time, Verdict::Fail(_)), "{time:?}");
    println!("{}", plain(&report));
}
