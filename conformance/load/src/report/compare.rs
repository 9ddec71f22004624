//! Two reports side by side, and how many times one is the other.

use std::fmt::Write as _;

use conformance_kit::escape::visible;

use super::{
    LoadReport,
    console::{short, time},
    float,
};

/// Renders the comparison of two reports.
#[must_use]
pub fn render(one: &LoadReport, two: &LoadReport) -> String {
    let mut out = format!(
        "A  {} at {}\nB  {} at {}\n",
        one.setting.workload,
        visible(&one.target),
        two.setting.workload,
        visible(&two.target)
    );
    for difference in differences(one, two) {
        let _ = writeln!(out, "!  {difference}");
    }
    let _ = writeln!(out, "{:<32}{:>12}{:>12}{:>9}", "", "A", "B", "B / A");
    for (name, one, two, shown) in rows(one, two) {
        let (Some(one), Some(two)) = (one, two) else { continue };
        let ratio = if one > 0.0 { format!("{:.2}", two / one) } else { "-".to_owned() };
        let _ = writeln!(out, "{name:<32}{:>12}{:>12}{ratio:>9}", shown(one), shown(two));
    }
    out
}

/// Why the two can't simply be compared.
fn differences(one: &LoadReport, two: &LoadReport) -> Vec<String> {
    let (a, b) = (&one.setting, &two.setting);
    let mut found = Vec::new();
    let mut differs = |what: &str, a: String, b: String| {
        if a != b {
            found.push(format!("{what} differ: {a} and {b}"));
        }
    };
    differs("the workloads", a.workload.clone(), b.workload.clone());
    differs("what they speak", a.dialect.clone(), b.dialect.clone());
    differs("connections", a.connections.to_string(), b.connections.to_string());
    differs("senders", a.senders.to_string(), b.senders.to_string());
    differs("texts", format!("{} bytes", a.payload), format!("{} bytes", b.payload));
    differs("windows", format!("{:?}", a.window), format!("{:?}", b.window));
    differs("rates", format!("{:?}", a.rate), format!("{:?}", b.rate));
    differs("floods", a.flooders.to_string(), b.flooders.to_string());
    differs("histories", a.history.to_string(), b.history.to_string());
    let tls = |report: &LoadReport| report.tls.clone().unwrap_or_else(|| "none".to_owned());
    differs("the kinds of TLS", tls(one), tls(two));
    for (name, report) in [("A", one), ("B", two)] {
        if report.exit_code() != 0 {
            found.push(format!("{name} was not right: {}", report.reasons.join("; ")));
        }
    }
    found
}

type Row = (&'static str, Option<f64>, Option<f64>, fn(f64) -> String);

fn rows(one: &LoadReport, two: &LoadReport) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut row = |name, value: fn(&LoadReport) -> Option<f64>, shown| {
        rows.push((name, value(one), value(two), shown));
    };
    row("seconds until all know all", |r| r.joining.known_seconds, |n| format!("{n:.2}"));
    row("CPU seconds of joining", |r| r.joining.cpu, |n| format!("{n:.2}"));
    row("deliveries/s", |r| Some(r.traffic.as_ref()?.delivery_rate()), short);
    row("messages/s", |r| Some(r.traffic.as_ref()?.message_rate()), short);
    row("deliveries to a batch", |r| Some(r.traffic.as_ref()?.batch), |n| format!("{n:.1}"));
    let micros = |n| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "shown rounded"
        )]
        time(n as u64)
    };
    row("latency p50", |r| Some(float(r.traffic.as_ref()?.latency.as_ref()?.p50)), micros);
    row("latency p90", |r| Some(float(r.traffic.as_ref()?.latency.as_ref()?.p90)), micros);
    row("latency p99", |r| Some(float(r.traffic.as_ref()?.latency.as_ref()?.p99)), micros);
    row("latency p99.9", |r| Some(float(r.traffic.as_ref()?.latency.as_ref()?.p999)), micros);
    row("latency max", |r| Some(float(r.traffic.as_ref()?.latency.as_ref()?.max)), micros);
    row("deliveries a server CPU second", |r| r.traffic.as_ref()?.deliveries_per_cpu(), short);
    row("part of the free-running limit", |r| fraction(r, "free-running"), |n| format!("{n:.2}"));
    row("part of the coalesced limit", |r| fraction(r, "coalesced"), |n| format!("{n:.2}"));
    row("part of the single limit", |r| fraction(r, "single"), |n| format!("{n:.2}"));
    row("part of the copying limit", |r| fraction(r, "copying"), |n| format!("{n:.2}"));
    let kib = |n| format!("{:.2} KiB", n / 1024.0);
    row("memory a silent connection", |r| r.memory.get(1)?.per_connection, kib);
    row("memory after a busy phase", |r| r.memory.get(3)?.per_connection, kib);
    rows
}

fn fraction(report: &LoadReport, mode: &str) -> Option<f64> {
    report.limits.iter().find(|limit| limit.mode == mode)?.fraction
}
