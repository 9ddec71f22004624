//! What is told has names that Prometheus takes, and the page and the dashboard about it name what there is.

use std::collections::BTreeSet;
use std::time::Duration;

use chatterbox_hub::{Lag, TimelineLimits};
use serde_json::Value;

use super::*;
use crate::chat::gauges::Gauges;
use crate::chat::proposals::Waiting;
use crate::chat::traffic::Traffic;
use crate::metrics::exposition;
use crate::net::connection_kind::ConnectionKind;
use crate::ops::readiness::Readiness;

const PAGE: &str = include_str!("../../../../docs/deploy/monitoring.md");
const DASHBOARD: &str = include_str!("../../../../docs/deploy/grafana.json");

/// A server that has everything that is told of any.
fn snapshot() -> Snapshot {
    Snapshot {
        version: "1.2.3",
        started: 1_700_000_000,
        resident: Some(1),
        readiness: Readiness::Ready,
        connections: ConnectionKind::EVERY.map(|kind| (kind, KindCount::default())).to_vec(),
        max_connections: 10,
        totals: Traffic::default().totals(),
        gauges: Gauges {
            users: 3,
            members: 2,
            rooms: 1,
            sanctions: 0,
            timeline: Lag::default(),
            timeline_limits: TimelineLimits::default(),
            unread: (1, 2),
            proposals: Waiting::default(),
        },
        backlog: (0, 16),
        certificate_ends: Some(1_800_000_000),
        cluster: Some(Cluster {
            place: 100,
            behind: 3,
            unstored: 1,
            nodes: 3,
            quiet: Duration::from_millis(500),
        }),
    }
}

/// The name under which a family is told, its type and its labels.
fn told(family: &Family) -> (String, &'static str, BTreeSet<&'static str>) {
    let label = |label: &Option<[(&'static str, &'static str); 1]>| label.map(|[(name, _)]| name);
    match &family.samples {
        Samples::Counters(all) => {
            let labels = all.iter().filter_map(|(one, _)| label(one)).collect();
            (format!("{}_total", family.name), "counter", labels)
        }
        Samples::Gauges(all) => {
            let labels = all.iter().filter_map(|(one, _)| label(one)).collect();
            (family.name.to_owned(), "gauge", labels)
        }
        Samples::Seconds(_) => (family.name.to_owned(), "gauge", BTreeSet::new()),
        Samples::Histogram(_) => (family.name.to_owned(), "histogram", BTreeSet::new()),
    }
}

#[test]
fn names_and_helps_are_as_prometheus_wants_them() {
    let families = snapshot().families();
    let names: BTreeSet<_> = families.iter().map(|family| family.name).collect();
    assert_eq!(names.len(), families.len(), "a name is told twice");
    for Family { name, help, .. } in &families {
        let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(is_plain && !name.ends_with("_total"), "{name}");
        assert!(name.starts_with("chatterbox_") || name.starts_with("process_"), "{name}");
        assert!(help.ends_with('.') && !help.contains('\n'), "{help}");
    }
}

#[test]
fn a_server_without_certificate_or_cluster_tells_of_none() {
    let all = snapshot();
    let alone = Snapshot { certificate_ends: None, cluster: None, resident: None, ..all.clone() };
    let names = |snapshot: &Snapshot| -> BTreeSet<_> {
        snapshot.families().iter().map(|family| family.name).collect()
    };
    let (all, alone) = (names(&all), names(&alone));
    assert!(alone.is_subset(&all));
    let only: Vec<_> = all.difference(&alone).copied().collect();
    let others = |name: &&str| !name.starts_with("chatterbox_cluster_");
    let others: Vec<_> = only.iter().copied().filter(others).collect();
    assert_eq!(
        others,
        ["chatterbox_certificate_end_time_seconds", "process_resident_memory_bytes"]
    );
    assert_eq!(only.len(), others.len() + 5);
}

/// Red when a metric is added, renamed or removed and the page does not say so.
#[test]
fn the_page_lists_each_metric_with_its_type_and_labels() {
    let mut listed = BTreeSet::new();
    let is_row =
        |line: &&str| ["| `chatterbox_", "| `process_"].iter().any(|row| line.starts_with(row));
    for line in PAGE.lines().filter(is_row) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, name, kind, labels, meaning, _] = cells[..] else { panic!("{line}") };
        assert!(!meaning.is_empty(), "{line}");
        let labels = labels.split(", ").map(|label| label.trim_matches('`'));
        let labels: BTreeSet<_> = labels.filter(|label| !label.is_empty()).collect();
        assert!(listed.insert((name.trim_matches('`').to_owned(), kind, labels)), "{line}");
    }
    let families = snapshot().families();
    assert_eq!(listed, families.iter().map(told).collect::<BTreeSet<_>>());
}

/// All strings in a value under this key, in whatever depth.
fn strings<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| strings(one, key, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == key => found.push(text),
                    _ => strings(member, key, found),
                }
            }
        }
        _ => {}
    }
}

/// Red when the dashboard has a panel that would stay empty.
#[test]
fn the_dashboard_asks_for_what_is_told() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let (mut expressions, mut queries) = (Vec::new(), Vec::new());
    strings(&dashboard, "expr", &mut expressions);
    strings(&dashboard, "query", &mut queries);
    assert!(expressions.len() >= 10, "{expressions:?}");
    let text = exposition::text(snapshot().families());
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let told: BTreeSet<_> = samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
    let words = expressions.iter().chain(&queries);
    let words = words.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let is_ours = |word: &&str| word.starts_with("chatterbox_") || word.starts_with("process_");
    let asked: BTreeSet<_> = words.filter(is_ours).collect();
    let unknown: Vec<_> = asked.difference(&told).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(asked.len() >= 15, "{asked:?}");
}
