//! The Test Anything Protocol: one line a case, with a YAML block where something is to be said.
//!
//! The version in the first line is 13: Perl's `prove` refuses 14, and readers of 14 take 13 as well.
//! Nothing below differs between the two.

use std::fmt::Write as _;

use conformance_kit::escape;

use super::{CaseResult, Report};
use crate::verdict::Verdict;

/// Renders a report.
#[must_use]
pub fn render(report: &Report) -> String {
    let strict = report.header.strict;
    let mut out = "TAP version 13\n".to_owned();
    let unjudged = |case: &CaseResult| matches!(case.verdict, Verdict::Inconclusive { .. });
    let nothing = report.trouble.is_some() && report.cases.iter().all(unjudged);
    if !nothing {
        // Writing to a String can't fail.
        let _ = writeln!(out, "1..{}", report.cases.len());
        for (n, case) in report.cases.iter().enumerate() {
            point(&mut out, n + 1, case, strict);
        }
    }
    if let Some(trouble) = &report.trouble {
        let _ = writeln!(out, "Bail out! {}", escape::visible(&trouble.line()));
    }
    out
}

fn point(out: &mut String, number: usize, case: &CaseResult, strict: bool) {
    let counts = case.is_failure(strict) || case.is_open_question(strict);
    // A failure that does not count is a TODO that is not done yet; `ok` would be one that is.
    let ok = if counts || matches!(case.verdict, Verdict::Fail(_)) { "not ok" } else { "ok" };
    let directive = match &case.verdict {
        Verdict::Observed { key, value } => skipped(&format!("observed: {key}: {value}")),
        Verdict::NotApplicable { reason } => skipped(reason),
        Verdict::Blocked { by } if !counts => skipped(&format!("blocked by {by}")),
        Verdict::Inconclusive { reason } if !counts => skipped(reason),
        Verdict::Fail(_) if !counts => match &case.known {
            Some(reason) => format!(" # TODO known: {}", one_line(reason)),
            None => format!(" # TODO a {} does not fail the run", case.level),
        },
        _ => String::new(),
    };
    let title = one_line(&case.title);
    let _ = writeln!(out, "{ok} {number} - {} {title}{directive}", case.id);
    let said = match &case.verdict {
        Verdict::Fail(m) => {
            vec![("expected", m.expected.as_str()), ("actual", &m.actual), ("hint", &case.hint)]
        }
        Verdict::Inconclusive { reason } => vec![("inconclusive", reason.as_str())],
        Verdict::Blocked { by } => vec![("blocked_by", by.as_str())],
        _ => return,
    };
    let _ = writeln!(out, "  ---");
    let _ = writeln!(out, "  clause: {}", quoted(&case.clause));
    for (key, value) in said {
        let _ = writeln!(out, "  {key}: {}", quoted(value));
    }
    let _ = writeln!(out, "  ...");
}

fn skipped(reason: &str) -> String {
    format!(" # SKIP {}", one_line(reason))
}

/// Text that can't start a directive or a line of its own.
fn one_line(text: &str) -> String {
    escape::visible(text).replace('\\', "\\\\").replace('#', "\\#")
}

/// A string of JSON, which is one of YAML if no character in it is one that YAML can't hold or takes for
/// the end of a line.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for c in serde_json::Value::from(text).to_string().chars() {
        match u32::from(c) {
            code @ (0x7F..=0x9F | 0x2028 | 0x2029 | 0xFEFF | 0xFFFE | 0xFFFF) => {
                let _ = write!(out, "\\u{code:04x}");
            }
            _ => out.push(c),
        }
    }
    out
}
