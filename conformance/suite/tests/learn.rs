//! The paths of `conformance learn`: every case is in a stage, the order holds, and what is shown is
//! the one stage that comes next.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::collections::{BTreeMap, BTreeSet};

use conformance_suite::{
    CaseResult, Report,
    case::{Row, Side},
    cases,
    clause::Level,
    learn::{CLIENT, Findings, NoStart, Path, Progress, SERVER, Screen, State, outline},
    report::Header,
    verdict::Verdict,
};

const PATHS: [(&str, &Path); 2] = [("server_path.rs", &SERVER), ("client_path.rs", &CLIENT)];

fn base(path: &Path) -> impl Iterator<Item = &'static Row> {
    cases::rows().filter(|row| row.side == path.side && row.extension.is_none())
}

fn is_asked(row: &Row) -> bool {
    matches!(row.level, Level::Must | Level::Should)
}

#[test]
fn every_case_is_in_one_stage() {
    for (file, path) in PATHS {
        for row in base(path).filter(|row| is_asked(row)) {
            let (id, group) = (row.id, row.group());
            assert!(
                path.declared(row).is_some(),
                "{id} is in no stage: add it, or its group {group}, to `takes` of a stage in suite/src/learn/{file}"
            );
        }
        let known: BTreeSet<&str> = base(path).flat_map(|row| [row.id, row.group()]).collect();
        let mut taken = BTreeMap::new();
        for stage in path.stages {
            for word in stage.takes {
                assert!(known.contains(word), "{file}: {}: there is no case {word}", stage.id);
                let other = taken.insert(word, stage.id);
                assert_eq!(other, None, "{file}: {word} is taken twice, by {} too", stage.id);
            }
        }
    }
}

#[test]
fn nothing_rests_on_a_later_stage() {
    for (file, path) in PATHS {
        let places = path.places();
        for row in base(path).filter(|row| row.level == Level::Must) {
            for need in row.needs.iter().chain(row.excuses) {
                assert!(places[need] <= places[row.id], "{} needs {need}, which is later", row.id);
            }
            // Whatever a stage names by its id fits its text, so it has to stay there.
            let stage = &path.stages[path.declared(row).unwrap()];
            assert!(
                !stage.takes.contains(&row.id) || places[row.id] == path.declared(row).unwrap(),
                "{file}: the stage {} names {}, but one of {:?} is of the later stage {}: move it there",
                stage.id,
                row.id,
                (row.needs, row.excuses),
                path.stages[places[row.id]].id
            );
        }
    }
}

#[test]
fn every_stage_can_be_done_and_explains_itself() {
    for (file, path) in PATHS {
        let ids: BTreeSet<&str> = path.stages.iter().map(|stage| stage.id).collect();
        assert_eq!(ids.len(), path.stages.len(), "{file}: two stages have one name");
        for (at, stage) in path.stages.iter().enumerate() {
            let id = stage.id;
            assert!(!path.cases(at, false).is_empty(), "{file}: {id} has no MUST");
            assert!(
                !stage.asks.is_empty() && !stage.wire.is_empty() && stage.how.len() > 1,
                "{id}"
            );
            let texts = stage.asks.iter().chain(stage.how).chain([&stage.title]);
            for text in texts {
                let first = text.lines().next().unwrap();
                assert!(text.is_ascii() && !first.contains("  "), "{file}: {id}: {text}");
                assert!(text.lines().skip(1).all(|code| code.len() < 90), "{id}: {text}");
            }
        }
    }
}

#[test]
fn the_frames_are_frames() {
    for (_, path) in PATHS {
        for line in path.stages.iter().flat_map(|stage| stage.wire) {
            for body in line.bodies() {
                let read = serde_json::from_str::<serde_json::Value>(body);
                // Two stand for what is wrong.
                let wrong = ["xyz", "[1]"].contains(&body);
                assert!(wrong || read.is_ok_and(|value| value.is_object()), "{body}");
                let length = format!("{:08x}", body.len());
                let bytes: String = line.text().chars().filter(|c| !" |".contains(*c)).collect();
                assert!(bytes.contains(&length), "{}", line.text());
            }
        }
    }
}

#[test]
fn the_guide_shows_these_frames_and_stages() {
    let guide = include_str!("../../../docs/guide/learning.md");
    let lines: BTreeSet<String> = PATHS
        .iter()
        .flat_map(|(_, path)| path.stages)
        .flat_map(|s| s.wire)
        .map(|l| l.text())
        .collect();
    let mut frames = 0;
    for line in guide.lines().filter(|line| line.contains(" -> ")) {
        let (_, bytes) = line.rsplit_once("  ").unwrap();
        assert!(lines.contains(bytes), "{line}");
        frames += 1;
    }
    assert!(frames > 2);
    for title in guide.lines().filter_map(|line| line.strip_prefix("Stage ")) {
        let (_, title) = title.split_once(": ").unwrap();
        assert!(SERVER.stages.iter().any(|stage| stage.title == title), "{title}");
    }
    let names = CLIENT.stages.iter().map(|stage| stage.id).collect::<Vec<_>>().join(", ");
    let guide = guide.replace('\n', " ");
    assert!(guide.contains(&names), "{names}");
}

/// A report in which these cases came out so, and all others of the named stages passed.
fn report(path: &Path, stages: usize, others: &[(&str, Verdict)]) -> Report {
    let rows = (0..stages).flat_map(|at| path.cases(at, true));
    let verdict = |row: &Row| {
        let other = others.iter().find(|(id, _)| *id == row.id);
        other.map_or(Verdict::Pass, |(_, verdict)| verdict.clone())
    };
    Report {
        header: Header {
            suite: "1".to_owned(),
            edition: "1".to_owned(),
            target: "me".to_owned(),
            address: "127.0.0.1:1".to_owned(),
            seed: 1,
            strict: false,
            started: 0,
            command: "conformance".to_owned(),
        },
        cases: rows.map(|row| CaseResult::new(row, true, verdict(row))).collect(),
        took_ms: 1,
        bugs: Vec::new(),
        stale: Vec::new(),
        output: String::new(),
        trouble: None,
    }
}

fn findings(reports: impl IntoIterator<Item = Report>) -> Findings {
    let mut findings = Findings::default();
    reports.into_iter().for_each(|report| findings.add(report));
    findings
}

fn broken() -> Verdict {
    Verdict::fail("this", "that")
}

#[test]
fn the_first_stage_that_is_not_done_comes_next() {
    let nobody = BTreeSet::new();
    let found = findings([report(&SERVER, 4, &[("join.taken", broken())])]);
    let progress = Progress::of(&SERVER, &found, &nobody, false);
    use State::{Broken, Done, Open, Unseen};
    assert_eq!(progress.states[..5], [Done, Done, Open, Done, Unseen]);
    assert_eq!(progress.current(), Some(2));
    assert_eq!(progress.done(&SERVER).collect::<Vec<_>>(), ["connect", "frame", "lists"]);
    // One that was done before is told from one that never was.
    let before = BTreeSet::from(["connect", "frame", "join"]);
    let progress = Progress::of(&SERVER, &found, &before, false);
    assert_eq!(progress.states[2], Broken);
    let gone = Progress::nothing_runs(&SERVER, &before);
    assert_eq!((gone.states[0], gone.states[1]), (Broken, Unseen));
}

#[test]
fn a_should_counts_when_it_is_wanted() {
    let nobody = BTreeSet::new();
    let found = findings([report(&SERVER, 3, &[("join.retry", broken())])]);
    assert_eq!(Progress::of(&SERVER, &found, &nobody, false).current(), Some(3));
    assert_eq!(Progress::of(&SERVER, &found, &nobody, true).current(), Some(2));
}

#[test]
fn what_is_no_pass_is_not_done() {
    let nobody = BTreeSet::new();
    for verdict in [Verdict::inconclusive("?"), Verdict::Blocked { by: "join.accept".to_owned() }] {
        let found = findings([report(&SERVER, 3, &[("join.race", verdict)])]);
        assert_eq!(Progress::of(&SERVER, &found, &nobody, false).current(), Some(2));
    }
}

#[test]
fn the_worse_of_two_answers_counts() {
    let (bad, good) = (report(&SERVER, 2, &[("join.accept", broken())]), report(&SERVER, 3, &[]));
    for order in [[bad.clone(), good.clone()], [good, bad]] {
        let progress = Progress::of(&SERVER, &findings(order), &BTreeSet::new(), false);
        assert_eq!(progress.current(), Some(1));
    }
}

fn screen(found: &Findings, no_start: Option<&NoStart>) -> String {
    let nobody = BTreeSet::new();
    let progress = match no_start {
        Some(_) => Progress::nothing_runs(&SERVER, &nobody),
        None => Progress::of(&SERVER, found, &nobody, false),
    };
    let screen = Screen {
        path: &SERVER,
        subject: "./server \u{1b}[31m{port}",
        progress: &progress,
        findings: found,
        no_start,
        strict: false,
        again: &|id| format!("conformance --only {id}"),
        grade: "conformance --spawn it",
    };
    anstream::adapter::strip_str(&screen.render()).to_string()
}

#[test]
fn one_stage_is_shown_with_its_first_failure() {
    let blocked = Verdict::Blocked { by: "join.taken".to_owned() };
    let mut report = report(
        &SERVER,
        3,
        &[
            ("join.taken", Verdict::fail("false", "true, and \u{202e}a trick")),
            ("join.race", blocked),
            ("join.rejoin", broken()),
        ],
    );
    let taken = report.cases.iter_mut().find(|case| case.id == "join.taken").unwrap();
    taken.printed = format!("Traceback\nKeyError: 'ann'\u{1b}[2J\n{}", "gone\n".repeat(40));
    let text = screen(&findings([report]), None);
    for part in [
        "[x] connect  [x] frame  [>] join  [ ] lists",
        "2 of 13 stages done.",
        "Stage 3 of 13, join:",
        r#"00 00 00 13 {"USERNAME": "ann"}"#,
        "Not yet: join.taken",
        "expected  false",
        "| KeyError: 'ann'",
        "| gone  (40 times)",
        "again     conformance --only join.taken",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    // The wall of red is what this is for to avoid: no other stage, no other failure.
    assert!(!text.contains("join.rejoin") && !text.contains("join.race"), "{text}");
    assert!(!text.contains(SERVER.stages[3].title), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn what_waits_shows_for_what() {
    let only = [
        ("join.accept", broken()),
        ("join.race", Verdict::Blocked { by: "join.accept".to_owned() }),
    ];
    // The root is not part of what is asked of the stage: it came along as a need.
    let text = screen(&findings([report(&SERVER, 3, &only)]), None);
    assert!(text.contains("Stage 2 of 13") && text.contains("Not yet: join.accept"), "{text}");
}

#[test]
fn a_program_that_does_not_run_is_the_first_stage() {
    let no_start =
        NoStart { reason: "it has ended".to_owned(), printed: "SyntaxError\u{7}".to_owned() };
    let text = screen(&Findings::default(), Some(&no_start));
    assert!(text.contains("Stage 1 of 13, connect:") && text.contains("| SyntaxError"), "{text}");
    assert!(text.contains("openssl req -x509") && !text.contains('\u{7}'), "{text}");
}

#[test]
fn at_the_end_it_says_what_would_be_nice() {
    let all = SERVER.stages.len();
    let text = screen(&findings([report(&SERVER, all, &[("join.retry", broken())])]), None);
    assert!(text.contains("Congratulations") && text.contains("conformance --spawn it"), "{text}");
    assert!(text.contains("Also good to have") && text.contains("join.retry"), "{text}");
    let text = screen(&findings([report(&SERVER, all, &[])]), None);
    assert!(!text.contains("Also good to have"), "{text}");
}

#[test]
fn an_outline_names_every_case() {
    for (_, path) in PATHS {
        let text = outline(path);
        let words: BTreeSet<&str> = text.split_whitespace().collect();
        for row in base(path).filter(|row| is_asked(row)) {
            assert!(words.contains(row.id), "{} is missing", row.id);
        }
    }
    assert_eq!((SERVER.side, CLIENT.side), (Side::Server, Side::Client));
}
