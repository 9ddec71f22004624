//! A summary in Markdown, for pull requests and job pages. Text of the subject stands in code
//! spans only, where it can't become a link, an image or a workflow command.

use std::fmt::Write as _;

use conformance_kit::escape;

use super::{CaseResult, Report, Totals, Trouble};
use crate::{cases, verdict::Verdict};

/// Renders a report.
#[must_use]
pub fn render(report: &Report) -> String {
    let strict = report.header.strict;
    let totals = report.totals();
    let verdict = match report.exit_code() {
        0 => "Every MUST holds.",
        1 => "A MUST is broken.",
        3 => "An expectation is stale.",
        _ if report.trouble.is_some() => "The run did not come to its end.",
        _ => "Some questions stayed open.",
    };
    let mut out = format!(
        "# Conformance of {}\n\n**{verdict}** {} of {} cases passed, {} failed, {} warned, {} open, \
         {} observed, {} do not apply.\n\n",
        code(&report.header.target),
        totals.passed,
        report.cases.len(),
        totals.failed,
        totals.warned,
        totals.blocked + totals.inconclusive,
        totals.observed,
        totals.not_applicable
    );
    if let Some(trouble) = &report.trouble {
        tell(&mut out, report, trouble);
    }
    // Writing to a String can't fail.
    let _ = writeln!(
        out,
        "| group | passed | failed | warned | open | observed | n/a |\n|---|--:|--:|--:|--:|--:|--:|"
    );
    for (group, title, _) in cases::groups() {
        let cases: Vec<&CaseResult> = report.cases.iter().filter(|c| c.group == *group).collect();
        if !cases.is_empty() {
            let t = Totals::of(cases, strict);
            let open = t.blocked + t.inconclusive;
            let _ = writeln!(
                out,
                "| {title} | {} | {} | {} | {open} | {} | {} |",
                t.passed, t.failed, t.warned, t.observed, t.not_applicable
            );
        }
    }
    for case in &report.cases {
        if let Verdict::Fail(mismatch) = &case.verdict {
            let _ = writeln!(
                out,
                "\n## {} ({} {})\n\n{}\n\n- expected: {}\n- actual: {}\n- often: {}\n- again: {}",
                case.id,
                case.clause,
                case.level,
                case.title,
                code(&mismatch.expected),
                code(&mismatch.actual),
                code(&case.hint),
                code(&report.repeat_command(&case.id)),
            );
        }
    }
    let _ = writeln!(
        out,
        "\nSuite {}, norm {}, seed {}.",
        report.header.suite, report.header.edition, report.header.seed
    );
    out
}

/// What kept the run from its end, as a block of code. No line of it begins with what a log would
/// take for a command.
fn tell(out: &mut String, report: &Report, trouble: &Trouble) {
    let hint = trouble.hint.iter().map(String::as_str);
    for line in trouble.what.lines().chain(hint) {
        let _ = writeln!(out, "    {}", escape::visible(&format!("| {line}")));
    }
    if !report.output.trim().is_empty() {
        let _ = writeln!(out, "\nIt printed:\n");
        for line in report.output.trim_end().lines() {
            let _ = writeln!(out, "    {}", escape::visible(&format!("| {line}")));
        }
    }
    let _ = writeln!(out);
}

/// A code span that holds this text, whatever backticks it has.
fn code(text: &str) -> String {
    let text = escape::visible(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}
