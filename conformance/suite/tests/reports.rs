//! Every report of one fixed run, word for word; and what their readers insist on.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "golden files are files")]

use std::path::Path;

use conformance_kit::trace::{Event, Kind};
use conformance_suite::{
    CaseResult, Report, cases,
    report::{
        Header, console,
        expect::Expectations,
        format::Format,
        gradescope, json, junit,
        points::{Rubric, points, sum},
        repeat, write,
    },
    verdict::Verdict,
};
use serde_json::Value;

/// What a hostile subject would like to see in a report.
const HOSTILE: &str =
    "\u{1b}[31m</script><img src=x>\n::set-output name=grade::100\n]]> `|# SKIP \u{202e}";

fn result(id: &str, verdict: Verdict) -> CaseResult {
    let mut result = CaseResult::new(cases::find(id).unwrap(), true, verdict);
    result.took_ms = 12;
    result
}

fn event(at: u64, kind: Kind, bytes: &[u8]) -> Event {
    Event {
        at,
        connection: "ann".into(),
        kind,
        length: bytes.len(),
        hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        text: conformance_kit::escape::bytes(bytes, 200),
    }
}

/// One case of every outcome.
fn report() -> Report {
    let mut failed = result("join.taken", Verdict::fail("{\"USERNAME_ACCEPTED\": false}", HOSTILE));
    failed.timeline = vec![
        event(1_000, Kind::Sent, b"\0\0\0\x0f{\"USERNAME\":\"a\"}"),
        event(2_500, Kind::Received, b"\0\0\0\x02\x1b["),
    ];
    Report {
        header: Header {
            suite: "0.0.0".into(),
            edition: "golden".into(),
            target: "localhost:5000".into(),
            address: "127.0.0.1:5000".into(),
            seed: 1,
            strict: false,
            started: 1_700_000_000,
            command: "conformance --target localhost:5000".into(),
        },
        cases: vec![
            result("inv.length", Verdict::Pass),
            result("tls.handshake", Verdict::not_applicable("the run was asked not to speak TLS")),
            result("join.accept", Verdict::Pass),
            failed,
            result("join.retry", Verdict::Blocked { by: "join.taken".into() }),
            result("join.race", Verdict::inconclusive(HOSTILE)),
            result(
                "join.case",
                Verdict::observed("names that differ only in case", "the same name"),
            ),
            result("users.no-dup", Verdict::fail("everybody once", "ann twice")),
        ],
        took_ms: 1_234,
        bugs: Vec::new(),
        stale: Vec::new(),
        output: String::new(),
        trouble: None,
    }
}

/// Compares with a file of this folder, or writes it when `UPDATE_GOLDEN` is set.
fn golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "{name} has changed; look at it and set UPDATE_GOLDEN=1:\n{text}");
}

#[test]
fn every_format_word_for_word() {
    for (word, format) in Format::ALL {
        let text = format.render(&report(), &Rubric::default()).unwrap();
        golden(&format!("report.{word}"), &text);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{word} lets a control character through");
    }
    let page = anstream::adapter::strip_str(&console::render(&report())).to_string();
    golden("report.txt", &page);
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn the_page_has_no_foreign_markup_and_no_scripts() {
    let page = Format::Html.render(&report(), &Rubric::default()).unwrap();
    assert!(!page.contains("<img") && !page.contains("<script"), "{page}");
}

#[test]
fn no_line_of_a_text_report_is_a_workflow_command() {
    for format in [Format::Tap, Format::Markdown] {
        let text = format.render(&report(), &Rubric::default()).unwrap();
        assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
    }
}

#[test]
fn the_json_report_can_be_read_again() {
    let text = json::render(&report()).unwrap();
    assert_eq!(json::read(&text).unwrap(), report());
}

#[test]
fn the_published_schema_is_current() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/report.schema.json");
    published(&file, &json::schema().unwrap());
}

#[test]
fn the_published_kill_matrix_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/kill-matrix.md");
    published(&file, &cases::kill_matrix());
    published(&file.with_file_name("client-kill-matrix.md"), &cases::client_kill_matrix());
}

fn published(file: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, text).unwrap();
    }
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    assert!(committed == text, "{} is not current; set UPDATE_GOLDEN=1", file.display());
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    let text = Format::Junit.render(&report(), &Rubric::default()).unwrap();
    assert!(junit::check(&text).unwrap() > 10);
    assert_eq!(text.matches("<failure").count(), 1, "{text}");
    assert_eq!(text.matches("<error ").count(), 1, "{text}");
}

#[test]
fn gradescope_gives_points_for_must_only() {
    let text = gradescope::render(&report(), &Rubric::default()).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let tests = document["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 4, "inv.length, join.accept, join.taken, join.race");
    assert_eq!(document["score"], 2.0);
    for test in tests {
        assert!(test["score"].as_f64().unwrap() <= test["max_score"].as_f64().unwrap());
        assert_eq!(test["output_format"], "text");
        assert_eq!(test["visibility"], "visible");
    }
}

#[test]
fn a_rubric_gives_points_by_group() {
    let rubric: Rubric = toml::from_str(
        "[groups.join]\npoints = 9\n[groups.inv]\npoints = 2\nmode = \"all-or-nothing\"\n",
    )
    .unwrap();
    let mut report = report();
    assert_eq!(sum(&points(&report, &rubric)), (5.0, 11.0));
    report.cases[0].verdict = Verdict::fail("a", "b");
    assert_eq!(sum(&points(&report, &rubric)), (3.0, 11.0));
    assert!(toml::from_str::<Rubric>("[groups.join]\npoint = 9\n").is_err());
}

#[test]
fn known_failures_are_forgiven_until_they_are_stale() {
    let entry = |id: &str, more: &str| {
        format!("[[expect]]\nid = \"{id}\"\nreason = \"being repaired\"\n{more}\n")
    };
    let after = |text: &str| {
        let mut report = report();
        report.cases.retain(|case| case.id != "join.race" && case.id != "join.retry");
        Expectations::parse(text).unwrap().apply(&mut report, 1_700_000_000);
        (report.exit_code(), report.stale.len())
    };
    assert_eq!(after(""), (1, 0));
    assert_eq!(after(&entry("join.taken", "")), (0, 0));
    assert_eq!(after(&entry("join.taken", "message = \"set-output\"")), (0, 0));
    assert_eq!(after(&entry("join.taken", "message = \"other\"")), (1, 1));
    assert_eq!(after(&entry("join.taken", "until = \"2023-11-14\"")), (0, 0));
    assert_eq!(after(&entry("join.taken", "until = \"2023-11-13\"")), (1, 1));
    let both = entry("join.taken", "") + &entry("join.accept", "");
    assert_eq!(after(&both), (3, 1), "an unexpected pass");
    assert!(Expectations::parse(&entry("no.such", "")).is_err());
    assert!(Expectations::parse(&entry("join.taken", "until = \"soon\"")).is_err());
}

#[test]
fn what_changes_between_runs_is_flaky() {
    let mut other = report();
    other.cases[2].verdict = Verdict::fail("true", "false");
    let merged = repeat::merge(vec![report(), other, report()]).unwrap();
    assert_eq!(merged.cases[2].flaky.as_deref(), Some("good in 2 of 3 runs"));
    assert!(matches!(merged.cases[2].verdict, Verdict::Fail(_)));
    assert!(merged.cases[3].flaky.is_none());
    let (score, _) = sum(&points(&merged, &Rubric::default()));
    assert!((score - 1.0).abs() < 1e-9, "luck gives no points");
}

#[test]
fn files_are_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.json");
    write::atomically(&file, b"one").unwrap();
    write::atomically(&file, b"two").unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"two");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    write::transcripts(&folder.path().join("t"), &report()).unwrap();
    assert!(folder.path().join("t/join.taken.json").exists());
    let mut mended = report();
    mended.cases.iter_mut().for_each(|case| case.timeline.clear());
    write::transcripts(&folder.path().join("t"), &mended).unwrap();
    assert!(!folder.path().join("t/join.taken.json").exists(), "of an earlier run");
}
