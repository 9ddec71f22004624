//! Reports of runs that never were.

use conformance_kit::subject::process::Memory;

use super::*;
use crate::{delivery_check::Faults, latency::Latency};

fn traffic(scale: u64) -> Traffic {
    let mut latency = Latency::default();
    (1..=1_000).for_each(|n| latency.record(n * n * scale, 1));
    Traffic {
        seconds: 10.0,
        messages: 12_500 / scale,
        deliveries: 12_500_000 / scale,
        bytes: 1_400_000_000 / scale,
        batch: 17.5,
        latency: latency.figures(),
        corrected: latency.corrected(2_000).figures(),
        flood: None,
        cpu: Some(1.25),
        own_cpu: Some(4.5),
    }
}

/// A report of a run that never was; a larger `scale` is a slower server.
pub(crate) fn report(scale: u64) -> LoadReport {
    let sample = |n: u64| Sample {
        at: float(n) / 2.0,
        deliveries: n * n * 10_000,
        joined: 1_000,
        cpu: Some(float(n) / 16.0),
        measured: (4..24).contains(&n),
    };
    LoadReport {
        version: VERSION,
        suite: "0.1.0".to_owned(),
        started: 1_700_000_000,
        target: "localhost:5000".to_owned(),
        tls: Some("TLSv1_3, TLS13_AES_256_GCM_SHA384".to_owned()),
        setting: Setting {
            workload: "fan-out".to_owned(),
            dialect: "chatterbox".to_owned(),
            connections: 1_000,
            senders: 10,
            payload: 64,
            window: Some(16),
            rate: None,
            warm_up: 2.0,
            duration: 10.0,
            flooders: 0,
            slow: 2,
            history: 0,
            at_once: 64,
            sources: 2,
            threads: 2,
        },
        joining: Joining {
            joined: 1_002,
            seconds: 0.75,
            known_seconds: Some(0.875),
            bytes: 11_000_000,
            cpu: Some(0.5),
            history: None,
        },
        traffic: Some(traffic(scale)),
        churn: None,
        memory: vec![MemoryPoint {
            when: "everybody is there and silent".to_owned(),
            connections: 1_000,
            memory: Memory { resident: 20_000_000, proportional: 0, swapped: 0 },
            per_connection: Some(9_216.0),
        }],
        timeline: (0..26).map(sample).collect(),
        checks: Checks {
            deliveries: 15_000_000,
            echoes: true,
            faults: Faults { lost: scale - 1, ..Faults::default() },
            ..Checks::default()
        },
        limits: vec![Limit {
            mode: "coalesced".to_owned(),
            batch: 17.5,
            traffic: Some(traffic(1)),
            fraction: Some(1.0 / float(scale)),
            right: true,
            joining: None,
        }],
        verdict: if scale > 1 { Verdict::Wrong } else { Verdict::Right },
        reasons: if scale > 1 { vec!["1 deliveries are missing".to_owned()] } else { vec![] },
        troubles: vec![("ERROR: <slow>".to_owned(), 2)],
    }
}

#[test]
fn json_is_read_back_and_its_version_is_looked_at() {
    let text = report(1).json().unwrap();
    assert_eq!(LoadReport::read(&text).unwrap(), report(1));
    let newer = text.replacen("\"version\": 1", "\"version\": 7", 1);
    assert!(LoadReport::read(&newer).unwrap_err().contains('7'));
    assert!(LoadReport::read("{}").is_err() && LoadReport::read("x").is_err());
    // Fields that a later version of the tool adds do no harm.
    let more = text.replacen("{", "{\"weather\": \"sunny\",", 1);
    assert_eq!(LoadReport::read(&more).unwrap(), report(1));
}

/// A report of a join storm with a history, and what it reached of copying that.
fn storm() -> LoadReport {
    let mut report = report(1);
    report.setting.workload = "join-storm".to_owned();
    report.traffic = None;
    report.joining =
        Joining { bytes: 2_120_000_000, cpu: Some(1.25), history: Some(100_000), ..report.joining };
    let joining = Joining { known_seconds: None, cpu: Some(1.0), ..report.joining };
    report.limits = vec![Limit {
        mode: "copying".to_owned(),
        batch: 618.3,
        traffic: None,
        fraction: Some(0.8),
        right: true,
        joining: Some(joining),
    }];
    report
}

#[test]
fn a_storm_shows_what_it_reaches_of_copying_its_history() {
    let mut report = storm();
    let shown = console::render(&report);
    for line in [
        "  server CPU        1.25 s, 1248 µs a join, 1.70 GB a CPU second\n",
        "  limit, copying    2.12 GB a CPU second at 618 messages a write; the server reaches 0.80 of it\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(html::render(&report).contains("the server reaches 0.80 of it"));
    let compared = compare::render(&report, &report);
    let row = compared.lines().find(|line| line.starts_with("part of the copying limit"));
    assert!(row.unwrap().ends_with("0.80        0.80     1.00"), "{compared}");
    let json = report.json().unwrap();
    assert_eq!(LoadReport::read(&json).unwrap(), report);
    let limit = &mut report.limits[0];
    limit.right = false;
    limit.joining.as_mut().unwrap().cpu = Some(0.01);
    limit.fraction = None;
    let line = "limit, copying    2.12 GB, too little CPU to tell (not every history was right)\n";
    assert!(console::render(&report).contains(line));
}

#[test]
fn limits_of_other_workloads_are_written_and_read_as_before() {
    let json = serde_json::to_value(report(1)).unwrap();
    let limit = &json["limits"][0];
    let keys: Vec<_> = limit.as_object().unwrap().keys().cloned().collect();
    assert!(!keys.contains(&"joining".to_owned()), "{keys:?}");
    assert!(limit["traffic"]["deliveries"].is_u64());
}

#[test]
fn every_fault_has_words_and_makes_a_run_wrong() {
    assert!(Checks::default().complaints().is_empty());
    let checks = Checks { closed: 3, errors: 1, ..Checks::default() };
    let expected = ["3 connections were ended by the server", "1 ERROR frames came"];
    assert_eq!(checks.complaints(), expected);
    assert_eq!([report(1), report(2)].map(|report| report.exit_code()), [0, 1]);
}

#[test]
fn what_is_shown_is_what_was_agreed() {
    insta::assert_snapshot!("console", console::render(&report(1)));
    insta::assert_snapshot!("compare", compare::render(&report(1), &report(2)));
    let page = html::render(&report(2));
    let (_, body) = page.split_once("<body>").unwrap();
    insta::assert_snapshot!("html", body.replace("><", ">\n<"));
    assert!(!page.contains("<slow>") && !page.contains("<script") && !page.contains("http://"));
}
