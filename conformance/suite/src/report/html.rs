//! One page for a browser, in one file without scripts or foreign resources: what was expected,
//! what came, and the bytes on the wire. Every text goes through the template's escaping.

use conformance_kit::{
    escape::{self, visible, visible_lines},
    page::STYLE,
    trace::{Event, Kind, unhex},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{CaseResult, Report, Totals, exception, sequence};
use crate::{cases, clause, verdict::Verdict};

/// How many events of a timeline are shown.
const MOST_EVENTS: usize = 120;
/// How many bytes of an event are shown in hexadecimal.
const MOST_BYTES: usize = 256;

/// Renders a report.
#[must_use]
pub fn render(report: &Report) -> String {
    let head = &report.header;
    page(
        &format!("Conformance of {}", visible(&head.target)),
        &html! {
            header {
                h1 { "Conformance of " code { (visible(&head.target)) } }
                p.verdict.(tone(report)) { (sentence(report)) }
                p.meta {
                    "Address " (visible(&head.address)) ", suite " (head.suite) ", norm " (head.edition)
                    ", seed " (head.seed) ", " (report.took_ms / 1000) " s"
                    @if head.strict { ", strict" }
                }
                (counts(&report.totals()))
            }
            main {
                @if let Some(trouble) = &report.trouble {
                    section {
                        h2 { "Why there is no whole result" }
                        pre { (visible_lines(&trouble.what)) }
                        @if let Some(hint) = &trouble.hint { p { (visible(hint)) } }
                    }
                }
                (failures(report))
                @for (group, title, _) in cases::groups() {
                    (section(report, group, title))
                }
                @if !report.output.is_empty() {
                    section {
                        h2 { "What the " (subject(report)) " printed last" }
                        pre { (visible_lines(&report.output)) }
                    }
                }
            }
        },
    )
    .into_string()
}

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}

fn subject(report: &Report) -> &'static str {
    report.cases.first().map_or("server", |case| sequence::subject(&case.id))
}

fn sentence(report: &Report) -> String {
    if report.trouble.is_some() {
        return "The run did not come to its end.".to_owned();
    }
    let failed = report.totals().failed;
    match report.exit_code() {
        0 => "Every MUST holds.".to_owned(),
        1 if failed == 1 => "One case failed.".to_owned(),
        1 => format!("{failed} cases failed."),
        3 => "An expectation is stale.".to_owned(),
        70 => "The suite itself went wrong.".to_owned(),
        _ => "Some questions stayed open; this is not a pass.".to_owned(),
    }
}

fn tone(report: &Report) -> &'static str {
    match report.exit_code() {
        0 => "pass",
        1 => "fail",
        _ => "open",
    }
}

fn counts(totals: &Totals) -> Markup {
    let shown = [
        (totals.passed, "passed", "pass"),
        (totals.failed, "failed", "fail"),
        (totals.warned, "warned", "open"),
        (totals.blocked, "blocked", "open"),
        (totals.inconclusive, "inconclusive", "open"),
        (totals.observed, "observed", "seen"),
        (totals.not_applicable, "not applicable", "seen"),
    ];
    html! {
        ul.counts {
            @for (count, word, class) in shown {
                @if count > 0 { li class=(class) { strong { (count) } " " (word) } }
            }
        }
    }
}

fn failures(report: &Report) -> Markup {
    let failed: Vec<_> =
        report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Fail(_))).collect();
    html! {
        @if !failed.is_empty() {
            section {
                h2 { "What to look at" }
                @for case in failed { (failure(report, case)) }
            }
        }
    }
}

fn failure(report: &Report, case: &CaseResult) -> Markup {
    let Verdict::Fail(mismatch) = &case.verdict else { return html! {} };
    let class = if case.is_failure(report.header.strict) { "fail" } else { "open" };
    html! {
        article id=(case.id) class=(class) {
            h3 { code { (case.id) } " " (case.title) }
            p.clause {
                strong { (case.clause) " " (case.level) } " "
                (rule(clause::find(&case.clause).map_or("", |clause| clause.rule)))
                @if case.literal { " (By the letter of the assignment; no points depend on it.)" }
            }
            @if let Some(reason) = &case.known { p { "Expected to fail: " (visible(reason)) } }
            dl {
                dt { "Expected" } dd { (visible(&mismatch.expected)) }
                dt { "Actual" } dd { (visible(&mismatch.actual)) }
                @if let Some(exception) = exception::find(&case.printed) {
                    dt { "Program" }
                    dd {
                        "Your program raised an exception while this case ran; look there first:"
                        pre.printed { (exception.lines.join("\n")) }
                    }
                }
                @if !case.hint.is_empty() { dt { "Often" } dd { (case.hint) } }
                dt { "Repeat" } dd { code { (visible(&report.repeat_command(&case.id))) } }
            }
            @if let Some(diagram) = sequence::diagram(case) { (sequence::svg::render(&diagram, &case.id)) }
            (timeline(case))
            (printed(case))
        }
    }
}

/// What the subject printed while the case ran.
fn printed(case: &CaseResult) -> Markup {
    html! {
        @if !case.printed.trim().is_empty() {
            details {
                summary { "What the program printed meanwhile" }
                pre.printed { (visible_lines(&case.printed)) }
            }
        }
    }
}

/// A rule of the norm, with what stands between backticks set as code.
fn rule(text: &str) -> Markup {
    html! {
        @for (n, part) in text.split('`').enumerate() {
            @if n % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn timeline(case: &CaseResult) -> Markup {
    let first = case.timeline.first().map_or(0, |event| event.at);
    let subject = sequence::subject(&case.id);
    html! {
        @if !case.timeline.is_empty() {
            details {
                summary { "The bytes on the wire (" (case.timeline.len()) " events)" }
                div.scroll { table {
                    thead { tr { th { "ms" } th { "who" } th { "what" } th { "bytes and text" } } }
                    tbody {
                        @for event in case.timeline.iter().take(MOST_EVENTS) { (row(event, first, subject)) }
                    }
                } }
                @if case.timeline.len() > MOST_EVENTS { p { "The rest is in the JSON report." } }
            }
        }
    }
}

fn row(event: &Event, first: u64, subject: &str) -> Markup {
    let since = event.at.saturating_sub(first);
    let (class, word) = match event.kind {
        Kind::Opened => ("note", "opens".to_owned()),
        Kind::Sent => ("sent", format!("suite \u{2192} {subject}")),
        Kind::Received => ("received", format!("{subject} \u{2192} suite")),
        Kind::Closed => ("note", "ends".to_owned()),
        Kind::Missing => ("note missing", "never came".to_owned()),
        Kind::Note => ("note", "note".to_owned()),
    };
    html! {
        tr class=(class) {
            td.time { (since / 1000) "." (since % 1000 / 100) }
            td { (visible(&event.connection)) }
            td.what { (word) @if event.length > 0 { " " (event.length) " B" } }
            td {
                @if event.length == 0 { (visible(&event.text)) } @else {
                    pre.text { (readable(event)) }
                    pre.hex { (hex(event)) }
                }
            }
        }
    }
}

/// The bytes as text: what stands behind a length is set apart from it, and otherwise shown as it came.
fn readable(event: &Event) -> String {
    let bytes = unhex(&event.hex);
    if let Some((head, body)) = bytes.split_first_chunk::<4>()
        && serde_json::from_slice::<serde_json::Value>(body).is_ok()
    {
        let body = escape::bytes(body, body.len());
        return format!("[length {}] {body}", u32::from_be_bytes(*head));
    }
    visible(&event.text)
}

fn hex(event: &Event) -> String {
    let shown: Vec<&str> = event
        .hex
        .as_bytes()
        .chunks(2)
        .take(MOST_BYTES)
        .filter_map(|b| std::str::from_utf8(b).ok())
        .collect();
    let rest = if event.length > shown.len() { " ..." } else { "" };
    format!("{}{rest}", shown.join(" "))
}

fn section(report: &Report, group: &str, title: &str) -> Markup {
    let cases: Vec<&CaseResult> = report.cases.iter().filter(|case| case.group == group).collect();
    html! {
        @if !cases.is_empty() {
            section {
                h2 { (title) " " small { code { (group) } } }
                div.scroll { table.cases {
                    tbody { @for case in cases { (line(report, case)) } }
                } }
            }
        }
    }
}

fn line(report: &Report, case: &CaseResult) -> Markup {
    let strict = report.header.strict;
    let (class, word) = match &case.verdict {
        Verdict::Pass => ("pass", "\u{2713} pass"),
        Verdict::Fail(_) if case.is_failure(strict) => ("fail", "\u{2717} FAIL"),
        Verdict::Fail(_) => ("open", "! warn"),
        Verdict::Observed { .. } => ("seen", "\u{25CB} seen"),
        Verdict::Blocked { .. } => ("open", "\u{2026} blocked"),
        Verdict::Inconclusive { .. } => ("open", "? open"),
        Verdict::NotApplicable { .. } => ("seen", "\u{2013} n/a"),
    };
    html! {
        tr {
            td.word.(class) { (word) }
            td {
                @if matches!(case.verdict, Verdict::Fail(_)) {
                    a href=(format!("#{}", case.id)) { code { (case.id) } }
                } @else { code { (case.id) } }
            }
            td { (case.clause) " " (case.level) }
            td {
                (case.title)
                @match &case.verdict {
                    Verdict::Observed { value, .. } => { ": " strong { (visible(value)) } }
                    Verdict::Blocked { by } => { " (blocked by " code { (visible(by)) } ")" }
                    Verdict::Inconclusive { reason } | Verdict::NotApplicable { reason } => {
                        " (" (visible(reason)) ")"
                    }
                    _ => {}
                }
                @if let Some(how) = &case.flaky { strong { " flaky: " (how) } }
            }
        }
    }
}
