//! TAP version 14: one line a case, with a YAML block where something is to be said.

use std::fmt::Write as _;

use conformance_kit::escape;

use super::Report;
use crate::verdict::Verdict;

/// Renders a report.
#[must_use]
pub fn render(report: &Report) -> String {
    let strict = report.header.strict;
    let mut out = format!("TAP version 14\n1..{}\n", report.cases.len());
    for (n, case) in report.cases.iter().enumerate() {
        let ok =
            if case.is_failure(strict) || case.is_open_question(strict) { "not ok" } else { "ok" };
        let directive = match &case.verdict {
            Verdict::Observed { key, value } => {
                format!(" # SKIP observed: {}", one_line(&format!("{key}: {value}")))
            }
            Verdict::NotApplicable { reason } => format!(" # SKIP {}", one_line(reason)),
            Verdict::Fail(_) if !case.is_failure(strict) => {
                format!(" # TODO a {} does not fail the run", case.level)
            }
            _ => String::new(),
        };
        // Writing to a String can't fail.
        let _ = writeln!(out, "{ok} {} - {} {}{directive}", n + 1, case.id, one_line(&case.title));
        let said = match &case.verdict {
            Verdict::Fail(m) => {
                vec![("expected", m.expected.as_str()), ("actual", &m.actual), ("hint", &case.hint)]
            }
            Verdict::Inconclusive { reason } => vec![("inconclusive", reason.as_str())],
            Verdict::Blocked { by } => vec![("blocked_by", by.as_str())],
            _ => continue,
        };
        let _ = writeln!(out, "  ---");
        let _ = writeln!(out, "  clause: {}", case.clause);
        for (key, value) in said {
            // A JSON string is a YAML string, whatever is in it.
            let _ = writeln!(out, "  {key}: {}", serde_json::Value::from(value));
        }
        let _ = writeln!(out, "  ...");
    }
    out
}

/// Text that can't start a directive or a line of its own.
fn one_line(text: &str) -> String {
    escape::visible(text).replace('#', "\\#")
}
