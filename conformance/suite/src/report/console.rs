//! The report for a person at a terminal. It makes sense without colour; whoever prints it decides
//! whether the escapes stay.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use conformance_kit::escape::{shorten, visible, visible_lines};

use super::{CaseResult, Report, Totals, Trouble, exception, sequence};
use crate::{
    cases, clause,
    verdict::{Mismatch, Verdict},
};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// How much of either side is shown around the first difference.
const WINDOW: usize = 110;
/// How many lines of what the subject printed are shown.
const LAST_LINES: usize = 12;
/// How many failures are shown with a picture: more are a wall that nobody reads.
const MOST_PICTURES: usize = 5;
/// How many lines of an exception are shown under a case.
const EXCEPTION_LINES: usize = 6;

/// Renders a report with ANSI styles.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    let strict = report.header.strict;
    let head = &report.header;
    // Writing to a String can't fail.
    let _ = writeln!(
        out,
        "{STRONG}Chatterbox conformance {}{STRONG:#}  {} ({}), norm {}, seed {}\n",
        visible(&head.suite),
        visible(&head.target),
        visible(&head.address),
        visible(&head.edition),
        head.seed
    );
    for (group, title, _) in cases::groups() {
        let cases: Vec<&CaseResult> = report.cases.iter().filter(|c| c.group == *group).collect();
        if cases.is_empty() {
            continue;
        }
        let totals = Totals::of(cases.iter().copied(), strict);
        let _ = writeln!(out, "{STRONG}{group:8}{STRONG:#} {title:42} {}", summary(&totals));
        for case in cases.iter().filter(|case| !matches!(case.verdict, Verdict::Pass)) {
            let _ = writeln!(out, "  {}", line(case, strict));
        }
    }
    let failures: Vec<&CaseResult> =
        report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Fail(_))).collect();
    let mut pictures = pictured(&failures, strict);
    for case in &failures {
        let picture = pictures.contains(&case.id.as_str());
        failure(&mut out, report, case, picture);
    }
    pictures.retain(|id| report.case(id).is_some_and(|case| !case.timeline.is_empty()));
    let without = failures.iter().filter(|case| !case.timeline.is_empty()).count() - pictures.len();
    if without > 0 {
        let more = if without == 1 {
            "1 more failure has"
        } else {
            &format!("{without} more failures have")
        };
        let _ = writeln!(
            out,
            "\n{more} a picture of what happened: --only ID shows one, --report html=FILE all."
        );
    }
    conclusion(&mut out, report);
    out
}

/// One line for one case, as it is shown while a run goes on, too.
#[must_use]
pub fn line(case: &CaseResult, strict: bool) -> String {
    let id = format!("{:26}", visible(&case.id));
    match &case.verdict {
        Verdict::Pass => format!("{GOOD}pass{GOOD:#}  {id} {}", visible(&case.title)),
        Verdict::Fail(_) if case.is_failure(strict) => {
            format!("{BAD}FAIL{BAD:#}  {id} {}", visible(&case.title))
        }
        Verdict::Fail(_) => {
            let why = case.known.as_deref().map_or_else(|| case.level.to_string(), visible);
            format!("{ODD}warn{ODD:#}  {id} {} ({why})", visible(&case.title))
        }
        Verdict::Observed { key, value } => {
            format!("{QUIET}seen  {id}{QUIET:#} {}: {}", visible(key), visible(value))
        }
        Verdict::Blocked { by } => {
            format!("{ODD}wait{ODD:#}  {id} blocked by {}", visible(by))
        }
        Verdict::NotApplicable { reason } => {
            format!("{QUIET}n/a   {id} {}{QUIET:#}", visible(reason))
        }
        Verdict::Inconclusive { reason } => {
            format!("{ODD}????{ODD:#}  {id} {}", visible(reason))
        }
    }
}

fn summary(totals: &Totals) -> String {
    let parts = [
        (totals.passed, "passed", GOOD),
        (totals.failed, "failed", BAD),
        (totals.warned, "warned", ODD),
        (totals.blocked, "blocked", ODD),
        (totals.inconclusive, "inconclusive", ODD),
        (totals.observed, "observed", QUIET),
        (totals.not_applicable, "not applicable", QUIET),
    ];
    let shown = parts.iter().filter(|(count, _, _)| *count > 0);
    shown
        .map(|(count, word, style)| format!("{style}{count} {word}{style:#}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The failures that are shown with a picture: those that count come first.
fn pictured<'a>(failures: &[&'a CaseResult], strict: bool) -> Vec<&'a str> {
    let (counts, others): (Vec<&CaseResult>, Vec<&CaseResult>) =
        failures.iter().partition(|case| case.is_failure(strict));
    counts.into_iter().chain(others).take(MOST_PICTURES).map(|case| case.id.as_str()).collect()
}

fn failure(out: &mut String, report: &Report, case: &CaseResult, picture: bool) {
    let Verdict::Fail(mismatch) = &case.verdict else { return };
    let style = if case.is_failure(report.header.strict) { BAD } else { ODD };
    let _ = writeln!(out, "\n{style}{}{style:#}  {}", visible(&case.id), visible(&case.title));
    let rule = clause::find(&case.clause).map_or("", |clause| clause.rule);
    let reading = if case.literal { ", by the letter of the assignment; no points" } else { "" };
    let _ =
        writeln!(out, "  clause    {} ({}{reading}): {rule}", visible(&case.clause), case.level);
    let (expected, actual) = windows(mismatch);
    let _ = writeln!(out, "  expected  {}", visible_lines(&expected));
    let _ = writeln!(out, "  actual    {}", visible_lines(&actual));
    if picture && let Some(diagram) = sequence::diagram(case) {
        for line in sequence::text::lines(&diagram) {
            let style = if line.missing { style } else { Style::new() };
            let _ = writeln!(out, "    {style}{}{style:#}", line.text);
        }
    }
    if let Some(exception) = exception::find(&case.printed) {
        program(out, &exception);
    } else if let Some(line) = exception::complaint(&case.printed) {
        let _ = writeln!(out, "  program   printed meanwhile: {line}");
    }
    if !case.hint.is_empty() {
        let _ = writeln!(out, "  often     {}", visible(&case.hint));
    }
    let _ = writeln!(out, "  again     {}", visible(&report.repeat_command(&case.id)));
}

/// An exception in what the subject printed while the case ran: advice about the protocol comes after it.
fn program(out: &mut String, exception: &exception::Exception) {
    let _ = writeln!(out, "  program   {BAD}{}{BAD:#}", exception.says);
    let skipped = exception.lines.len().saturating_sub(EXCEPTION_LINES);
    for line in exception.lines.iter().skip(skipped) {
        // Indented, so that no line of it can be taken for one of ours or for a command.
        let _ = writeln!(out, "            | {line}");
    }
    let _ = writeln!(
        out,
        "            your program says this while the case runs: look at its exceptions first"
    );
}

fn subject(report: &Report) -> &'static str {
    report.cases.first().map_or("server", |case| sequence::subject(&case.id))
}

/// Both sides of a mismatch, cut to the neighbourhood of the first difference.
fn windows(mismatch: &Mismatch) -> (String, String) {
    let (expected, actual) = (&mismatch.expected, &mismatch.actual);
    let alike = expected.chars().zip(actual.chars()).take_while(|(a, b)| a == b).count();
    // A short common beginning is chance, and whole sentences are easier to read than their ends.
    let from = if alike < WINDOW / 2 { 0 } else { alike - WINDOW / 4 };
    (window(expected, from), window(actual, from))
}

fn window(text: &str, from: usize) -> String {
    let room = if from == 0 { WINDOW * 4 } else { WINDOW };
    let middle: String = text.chars().skip(from).take(room).collect();
    let before = if from > 0 { "..." } else { "" };
    let after = if text.chars().count() > from + room { "..." } else { "" };
    format!("{before}{middle}{after}")
}

fn conclusion(out: &mut String, report: &Report) {
    let totals = report.totals();
    let seconds = report.took_ms / 1000;
    let tenths = report.took_ms % 1000 / 100;
    let failed = report.cases.iter().any(|case| matches!(case.verdict, Verdict::Fail(_)));
    let told = failed || report.trouble.is_some();
    if told && !report.output.trim().is_empty() {
        let _ = writeln!(out, "\n{STRONG}the {} printed last{STRONG:#}", subject(report));
        let lines = counted(report.output.trim_end());
        for (line, times) in lines.iter().skip(lines.len().saturating_sub(LAST_LINES)) {
            let times = if *times > 1 { format!("  ({times} times)") } else { String::new() };
            // Indented, so that no line of it can be taken for one of ours or for a command.
            let _ = writeln!(out, "  | {}{times}", shorten(&visible(line), 200));
        }
    }
    let _ = writeln!(
        out,
        "\n{} of {} cases in {seconds}.{tenths} s",
        summary(&totals),
        report.cases.len()
    );
    for case in report.cases.iter().filter(|case| case.flaky.is_some()) {
        let how = case.flaky.as_deref().unwrap_or_default();
        let _ = writeln!(out, "{ODD}flaky{ODD:#}  {:26} {}", visible(&case.id), visible(how));
    }
    for entry in &report.stale {
        let _ = writeln!(out, "{ODD}stale expectation{ODD:#}  {}", visible(entry));
    }
    for bug in &report.bugs {
        let _ = writeln!(out, "{BAD}bug in the suite{BAD:#}  {}", visible(bug));
    }
    let verdict = match report.exit_code() {
        _ if report.trouble.is_some() => {
            let what = report.trouble.as_ref().map(Trouble::line).unwrap_or_default();
            format!("{BAD}The run did not come to its end:{BAD:#} {}", visible(&what))
        }
        0 => format!("{GOOD}Every MUST holds.{GOOD:#}"),
        1 if report.header.strict => format!("{BAD}A MUST or a SHOULD is broken.{BAD:#}"),
        1 => format!("{BAD}A MUST is broken.{BAD:#}"),
        3 => format!("{ODD}Every MUST holds, and an expectation is stale.{ODD:#}"),
        2 => format!("{ODD}Some questions stayed open; this is not a pass.{ODD:#}"),
        _ => format!("{BAD}The suite itself went wrong; please report it.{BAD:#}"),
    };
    let _ = writeln!(out, "{verdict}");
}

/// Lines, those that follow each other and are the same as one with their number.
fn counted(text: &str) -> Vec<(&str, usize)> {
    let mut lines: Vec<(&str, usize)> = Vec::new();
    for line in text.lines() {
        match lines.last_mut() {
            Some((last, times)) if *last == line => *times += 1,
            _ => lines.push((line, 1)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_difference_is_brought_into_view() {
        let same = "a".repeat(500);
        let mismatch =
            Mismatch { expected: format!("{same}b"), actual: format!("{same}c"), missing: false };
        let (expected, actual) = windows(&mismatch);
        assert!(expected.ends_with('b') && expected.len() < 150, "{expected}");
        assert!(actual.starts_with("...") && actual.ends_with('c'), "{actual}");
    }
}
