//! A report as a table for people, without colour or width that could be in the way.

use std::fmt::Write as _;

use conformance_kit::escape::visible;

use super::{Joining, Limit, LoadReport, MemoryPoint, Traffic, Verdict, float};
use crate::{dialect::Dialect, latency::Figures};

/// Renders a report.
#[must_use]
pub fn render(report: &LoadReport) -> String {
    let mut out = Lines::default();
    let set = &report.setting;
    let tls = report.tls.as_deref().unwrap_or("no TLS");
    let speech = if set.dialect == Dialect::Chatterbox.name() {
        tls.to_owned()
    } else {
        format!("{}, {tls}", visible(&set.dialect))
    };
    out.line(&format!("{} at {} ({speech})", set.workload, visible(&report.target)));
    out.row("connections", &people(report));
    if report.traffic.is_some() {
        out.row("senders", &senders(report));
    }
    out.joining(&report.joining, report.setting.workload == "join-storm");
    if let Some(churn) = report.churn {
        let skipped = match churn.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} were skipped: too many were on their way"),
        };
        let text = format!("{} came and went, {} a second{skipped}", churn.passed, churn.rate);
        out.row("churn", &text);
    }
    if let Some(traffic) = &report.traffic {
        out.traffic(traffic, report.setting.rate.is_some());
    }
    for point in &report.memory {
        out.row("memory", &memory(point));
    }
    for limit in &report.limits {
        out.row(&format!("limit, {}", limit.mode), &self::limit(limit));
    }
    if set.slow > 0 {
        let text = format!("{} of {} were disconnected", report.checks.slow_closed, set.slow);
        out.row("slow readers", &text);
    }
    out.row("checked", &checked(report));
    for reason in &report.reasons {
        out.row("", reason);
    }
    for (text, count) in &report.troubles {
        let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
        out.row("said", &format!("{}{times}", visible(text)));
    }
    out.text
}

/// Renders a limit that was measured alone.
#[must_use]
pub fn limit_alone(limit: &Limit) -> String {
    let mut out = Lines::default();
    out.line("a server that only writes");
    if let Some(traffic) = &limit.traffic {
        out.traffic(traffic, false);
    }
    out.row("limit", &self::limit(limit));
    out.text
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn row(&mut self, label: &str, text: &str) {
        // Writing into a string can't fail.
        let _ = writeln!(self.text, "  {label:<18}{text}");
    }

    fn joining(&mut self, joining: &Joining, storm: bool) {
        let mut text = format!("{} in {:.2} s", joining.joined, joining.seconds);
        if let Some(known) = joining.known_seconds {
            let _ = write!(text, "; everybody knew everybody after {known:.2} s");
        }
        self.row("joined", &text);
        if !storm {
            return;
        }
        self.row("bytes", &format!("{} on the wire", bytes(float(joining.bytes))));
        if let Some(cpu) = joining.cpu {
            let each = cpu * 1e6 / float(joining.joined.max(1));
            let mut text = format!("{cpu:.2} s, {each:.0} µs a join");
            if let (Some(each), Some(_)) = (joining.bytes_per_cpu(), joining.history) {
                let _ = write!(text, ", {} a CPU second", bytes(each));
            }
            self.row("server CPU", &text);
        }
        if let Some(history) = joining.history {
            self.row("history", &format!("{history} messages for each"));
        }
    }

    fn traffic(&mut self, traffic: &Traffic, scheduled: bool) {
        self.row("measured", &format!("{:.1} s", traffic.seconds));
        let rate = traffic.delivery_rate();
        self.row(
            "deliveries",
            &format!("{} ({}/s), {:.1} to a batch", traffic.deliveries, short(rate), traffic.batch),
        );
        let volume = float(traffic.bytes) / traffic.seconds.max(1e-9);
        self.row(
            "messages",
            &format!(
                "{} ({}/s); {}/s on the wire",
                traffic.messages,
                short(traffic.message_rate()),
                bytes(volume)
            ),
        );
        self.row("", "      p50       p90       p99     p99.9       max");
        let label = if scheduled { "latency" } else { "latency, as sent" };
        for (label, figures) in [
            (label, &traffic.latency),
            ("  corrected", &traffic.corrected),
            ("  of flooders", &traffic.flood),
        ] {
            if let Some(figures) = figures {
                self.row(label, &quantiles(figures));
            }
        }
        if let Some(cpu) = traffic.cpu {
            let share = 100.0 * cpu / traffic.seconds.max(1e-9);
            let mut text = format!("{cpu:.2} s ({share:.0} %)");
            if let Some(each) = traffic.deliveries_per_cpu() {
                let million = 1e6 / each;
                let _ = write!(
                    text,
                    "; {million:.3} s a million deliveries, {} deliveries a CPU second",
                    short(each)
                );
            }
            self.row("server CPU", &text);
        }
        if let Some(cpu) = traffic.own_cpu {
            let share = 100.0 * cpu / traffic.seconds.max(1e-9);
            self.row("this tool's CPU", &format!("{cpu:.2} s ({share:.0} %)"));
        }
    }
}

fn people(report: &LoadReport) -> String {
    let set = &report.setting;
    let mut text = set.connections.to_string();
    for (count, what) in [(set.flooders, "who flood"), (set.slow, "who read slowly")] {
        if count > 0 {
            let _ = write!(text, ", and {count} {what}");
        }
    }
    if set.sources > 1 {
        let _ = write!(text, ", from {} addresses", set.sources);
    }
    text
}

fn senders(report: &LoadReport) -> String {
    let set = &report.setting;
    let pace = match (set.window, set.rate) {
        (_, Some(rate)) => format!("{rate} messages/s in all, by a schedule"),
        (Some(window), None) => format!("{window} messages on their way for each"),
        (None, None) => "no pace".to_owned(),
    };
    format!("{}, {pace}, {} bytes of text", set.senders, set.payload)
}

fn memory(point: &MemoryPoint) -> String {
    let mut text = format!("{}: {} resident", point.when, bytes(float(point.memory.resident)));
    if point.memory.proportional > 0 {
        let _ = write!(text, " ({} proportional)", bytes(float(point.memory.proportional)));
    }
    if let Some(each) = point.per_connection {
        let _ = write!(text, ", {:.2} KiB a connection", each / 1024.0);
    }
    text
}

fn limit(limit: &Limit) -> String {
    let (mut text, judged) = match (&limit.traffic, &limit.joining) {
        (Some(traffic), _) => (deliveries(traffic, limit.batch), "delivery"),
        (None, Some(joining)) => (copied(joining, limit.batch), "history"),
        (None, None) => ("nothing was measured".to_owned(), "delivery"),
    };
    if let Some(fraction) = limit.fraction {
        let _ = write!(text, "; the server reaches {fraction:.2} of it");
    }
    if !limit.right {
        let _ = write!(text, " (not every {judged} was right)");
    }
    text
}

fn deliveries(traffic: &Traffic, batch: f64) -> String {
    match traffic.deliveries_per_cpu() {
        Some(each) => format!("{} deliveries a CPU second at {batch:.1} a write", short(each)),
        None => {
            let count = traffic.deliveries;
            format!("{count} deliveries, too little CPU to tell at {batch:.1} a write")
        }
    }
}

fn copied(joining: &Joining, batch: f64) -> String {
    match joining.bytes_per_cpu() {
        Some(each) => format!("{} a CPU second at {batch:.0} messages a write", bytes(each)),
        None => format!("{}, too little CPU to tell", bytes(float(joining.bytes))),
    }
}

fn checked(report: &LoadReport) -> String {
    let checks = &report.checks;
    let echo = match (checks.deliveries, checks.echoes) {
        (0, _) => "",
        (_, true) => ", senders get their own",
        (_, false) => ", senders do not get their own",
    };
    let verdict = match report.verdict {
        Verdict::Right => "right",
        Verdict::Wrong => "WRONG",
        Verdict::Inconclusive => "INCONCLUSIVE",
    };
    format!("{} deliveries{echo}: {verdict}", checks.deliveries)
}

fn quantiles(figures: &Figures) -> String {
    let Figures { p50, p90, p99, p999, max, .. } = figures;
    [p50, p90, p99, p999, max].map(|micros| format!("{:>9}", time(*micros))).join(" ")
}

pub(super) fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.2} ms", float(micros) / 1e3),
        10_000..100_000 => format!("{:.1} ms", float(micros) / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", float(micros) / 1e3),
        _ => format!("{:.2} s", float(micros) / 1e6),
    }
}

/// A number for people: three digits and a letter.
pub(super) fn short(number: f64) -> String {
    let (scaled, letter) = match number {
        n if n >= 1e9 => (n / 1e9, " G"),
        n if n >= 1e6 => (n / 1e6, " M"),
        n if n >= 1e4 => (n / 1e3, " k"),
        n => return format!("{n:.0}"),
    };
    let digits = if scaled >= 100.0 { 0 } else { 1 + usize::from(scaled < 10.0) };
    format!("{scaled:.digits$}{letter}")
}

pub(super) fn bytes(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.2} GB", n / 1e9),
        n if n >= 1e6 => format!("{:.1} MB", n / 1e6),
        n if n >= 1e4 => format!("{:.0} kB", n / 1e3),
        n => format!("{n:.0} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shorts = [0.4, 9_999.0, 12_345.0, 1.234e6, 13.4e6, 560e6, 2e9].map(short);
        assert_eq!(shorts, ["0", "9999", "12.3 k", "1.23 M", "13.4 M", "560 M", "2.00 G"]);
        let times = [7, 1_234, 45_678, 123_456, 2_345_678].map(time);
        assert_eq!(times, ["7 µs", "1.23 ms", "45.7 ms", "123 ms", "2.35 s"]);
        assert_eq!(bytes(52_428_800.0), "52.4 MB");
    }
}
