//! TAP as its readers want it: Perl's `prove`, and whoever reads the YAML blocks; and what every format
//! says of a run that did not come to its end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "prove reads files")]

use std::process::Command;

use conformance_suite::{
    CaseResult, Report, cases,
    clause::Level,
    report::{Trouble, console, format::Format, points::Rubric},
    run::plan,
    verdict::Verdict,
};
use serde_json::Value;

/// Everything that a YAML or an XML document can't hold as it is, and what would end a line or begin a
/// directive.
const HOSTILE: &str = "# TODO 5 \\# \u{7f}\u{80}\u{85}\u{9f}\u{2028}\u{feff}\u{fffe}\u{ffff}\u{0}\u{1b}[2J\r\n\
    not ok 7 - no\nBail out! no\n  ...\n1..2 \u{1f600} é \"'";

/// These outcomes for the cases in turn.
fn report(outcomes: &[Verdict], take: impl Fn(&CaseResult) -> bool) -> Report {
    let header = plan::header("localhost:5000", &conformance_suite::Options::default());
    let mut report = Report::of_trouble(header, &[], Trouble::new("", 2));
    report.trouble = None;
    let mut verdicts = outcomes.iter().cycle();
    for case in cases::server_cases() {
        let result = CaseResult::new(case, true, verdicts.next().unwrap().clone());
        if take(&result) {
            report.cases.push(result);
        }
    }
    report
}

fn all_outcomes() -> [Verdict; 6] {
    [
        Verdict::Fail(conformance_suite::verdict::Mismatch {
            expected: HOSTILE.into(),
            actual: HOSTILE.into(),
            missing: false,
        }),
        Verdict::Pass,
        Verdict::Inconclusive { reason: HOSTILE.into() },
        Verdict::Blocked { by: "join.accept".into() },
        Verdict::Observed { key: "# SKIP".into(), value: HOSTILE.into() },
        Verdict::NotApplicable { reason: HOSTILE.into() },
    ]
}

fn tap(report: &Report) -> String {
    Format::Tap.render(report, &Rubric::default()).unwrap()
}

#[test]
fn every_block_is_yaml_and_every_line_is_a_test() {
    let report = report(&all_outcomes(), |_| true);
    let text = tap(&report);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("TAP version 13"));
    assert_eq!(lines.next(), Some(format!("1..{}", report.cases.len()).as_str()));
    let (mut tests, mut values) = (0, 0);
    for line in lines {
        let printable = |c: char| matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..);
        assert!(line.chars().all(printable), "{line:?}");
        if let Some((_, value)) = line.strip_prefix("  ").and_then(|line| line.split_once(": ")) {
            let value: String = serde_json::from_str(value).unwrap();
            assert!(value != HOSTILE || line.contains("\\u0085"), "{line}");
            values += 1;
        } else if !matches!(line, "  ---" | "  ...") {
            tests += 1;
            let number = format!(" {tests} - ");
            let begins = line.starts_with(&format!("ok{number}"))
                || line.starts_with(&format!("not ok{number}"));
            assert!(begins, "{line}");
        }
    }
    assert_eq!(tests, report.cases.len());
    assert!(values > tests, "{values}");
}

#[test]
fn what_does_not_fail_the_run_fails_no_test() {
    let failed = [Verdict::fail("a", "b")];
    let text = tap(&report(&failed, |case| case.level == Level::Should));
    let todo = " # TODO a SHOULD does not fail the run";
    let points = text.lines().filter(|line| line.contains(" - "));
    assert!(points.clone().count() > 10);
    assert!(points.clone().all(|l| l.starts_with("not ok ") && l.ends_with(todo)), "{text}");
    let mut known = report(&failed, |case| case.level == Level::Must);
    known.cases.iter_mut().for_each(|case| case.known = Some("bug #7".into()));
    let text = tap(&known);
    assert!(
        text.lines().filter(|l| l.contains(" - ")).all(|l| l.ends_with(" # TODO known: bug \\#7"))
    );
}

/// What `prove` says about a report: whether all is well, and its words; `None` without it.
fn prove(text: &str) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let (file, script) = (folder.path().join("report.tap"), folder.path().join("report.t"));
    std::fs::write(&file, text).unwrap();
    std::fs::write(&script, format!("cat '{}'\n", file.display())).unwrap();
    let Ok(output) = Command::new("prove").args(["-e", "sh"]).arg(&script).output() else {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "prove is required and not here");
        eprintln!("SKIPPED: prove is not here, so it reads no report");
        return None;
    };
    let printed = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&printed).into_owned()))
}

#[test]
fn prove_reads_it_and_agrees() {
    let good = report(&[Verdict::Pass], |_| true);
    let Some((well, said)) = prove(&tap(&good)) else { return };
    assert!(well && said.contains(&format!("Tests={}", good.cases.len())), "{said}");

    // What does not count: a broken SHOULD, a habit, a case that does not apply.
    let mut warned = good.clone();
    let hostile = all_outcomes();
    for (n, case) in warned.cases.iter_mut().enumerate() {
        if case.level != Level::Must {
            case.verdict = hostile[n % hostile.len()].clone();
        }
    }
    assert_eq!(warned.exit_code(), 0);
    let (well, said) = prove(&tap(&warned)).unwrap();
    assert!(well && said.contains("Result: PASS"), "{said}");

    let bad = report(&all_outcomes(), |_| true);
    let (well, said) = prove(&tap(&bad)).unwrap();
    let totals = bad.totals();
    let open = bad.cases.iter().filter(|case| case.is_open_question(false)).count();
    let summary = format!("Failed {}/{} subtests", totals.failed + open, bad.cases.len());
    assert!(!well && said.contains(&summary), "{summary}\n{said}");
    assert!(!said.contains("Parse errors"), "{said}");

    for mut cut in [bad, good, report(&[Verdict::Pass], |_| false)] {
        cut.trouble = Some(Trouble::new("it has ended\n# with an exit code", 69));
        let (well, said) = prove(&tap(&cut)).unwrap();
        assert!(!well && said.contains("stopped: it has ended # with an exit code"), "{said}");
    }
}

#[test]
fn every_format_tells_of_trouble_and_none_looks_green() {
    let all: Vec<_> = cases::server_cases().map(conformance_suite::case::Case::row).collect();
    for rows in [&all[..], &[]] {
        let header = plan::header("localhost:5000", &conformance_suite::Options::default());
        let mut trouble = Trouble::new("the server does not start", 69);
        trouble.hint = Some("try it yourself".into());
        let mut report = Report::of_trouble(header, rows, trouble);
        report.output = "Traceback\n  File\n::set-output name=grade::100\nKeyError: 'x'\n".into();
        assert_eq!(report.exit_code(), 69);
        let text = |format: Format| format.render(&report, &Rubric::default()).unwrap();
        for (word, format) in Format::ALL {
            let text = text(format);
            let told = match format {
                Format::Badge => text.contains("not run"),
                Format::Classroom => true,
                _ => text.contains("the server does not start"),
            };
            assert!(told, "{word}: {text}");
            assert!(!text.contains("Every MUST holds"), "{word}: {text}");
            let command = |line: &str| line.trim_start().starts_with("::");
            let for_logs = !matches!(format, Format::Junit | Format::Html);
            assert!(!for_logs || !text.lines().any(command), "{word}: {text}");
        }
        let junit = text(Format::Junit);
        assert!(junit.contains("<error message=\"the server does not start\">"), "{junit}");
        assert!(junit.contains(&format!("tests=\"{}\"", rows.len() + 1)), "{junit}");
        let grade: Value = serde_json::from_str(&text(Format::Gradescope)).unwrap();
        assert_eq!(grade["score"], 0.0);
        let output = grade["output"].as_str().unwrap();
        assert!(output.contains("it printed:\nTraceback") && output.contains("KeyError: 'x'"));
        let text = anstream::adapter::strip_str(&console::render(&report)).to_string();
        assert!(text.contains("did not come to its end: the server does not start"), "{text}");
        assert!(text.contains("  | KeyError: 'x'"), "{text}");
    }
}

/// Each format counts the same cases in its own words.
#[test]
fn the_formats_agree_in_what_they_count() {
    let report = report(&all_outcomes(), |_| true);
    let totals = report.totals();
    let text = |format: Format| format.render(&report, &Rubric::default()).unwrap();
    let all = totals.passed
        + totals.failed
        + totals.warned
        + totals.observed
        + totals.blocked
        + totals.inconclusive
        + totals.not_applicable;
    assert_eq!(all, report.cases.len());
    let open = report.cases.iter().filter(|case| case.is_open_question(false)).count();
    let tap = text(Format::Tap);
    let failing = |l: &&str| l.starts_with("not ok") && !l.contains(" # TODO ");
    assert_eq!(tap.lines().filter(failing).count(), totals.failed + open);
    let todo = |l: &&str| l.starts_with("not ok") && l.contains(" # TODO ");
    assert_eq!(tap.lines().filter(todo).count(), totals.warned);
    let junit = text(Format::Junit);
    assert_eq!(junit.matches("<failure").count(), totals.failed);
    assert_eq!(junit.matches("<error ").count(), open);
    let skipped = junit.matches("<skipped").count();
    assert_eq!(skipped + totals.failed + open + totals.passed, all);
    let markdown = text(Format::Markdown);
    let said = format!(
        "{} of {all} cases passed, {} failed, {} warned, {} open, {} observed, {} do not apply.",
        totals.passed,
        totals.failed,
        totals.warned,
        totals.blocked + totals.inconclusive,
        totals.observed,
        totals.not_applicable
    );
    assert!(markdown.contains(&said), "{said}\n{markdown}");
    let applies = |case: &&CaseResult| {
        case.level == Level::Must && !matches!(case.verdict, Verdict::NotApplicable { .. })
    };
    let must: Vec<_> = report.cases.iter().filter(applies).collect();
    let passed = must.iter().filter(|case| matches!(case.verdict, Verdict::Pass)).count();
    assert!(text(Format::Badge).contains(&format!("{passed}/{}", must.len())));
}
