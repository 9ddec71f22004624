//! Gradescope's `results.json`: points for MUST cases only, as text that nothing can act in.

use conformance_kit::escape::{ending, shorten, visible_lines};
use serde_json::{Value, json};

use super::{
    Report, Trouble,
    points::{Points, Rubric, points, sum},
};
use crate::verdict::Verdict;

/// The longest output of one test.
const LONGEST: usize = 4_000;

/// Renders a report.
///
/// # Errors
/// Never: it is plain JSON.
pub fn render(report: &Report, rubric: &Rubric) -> serde_json::Result<String> {
    let points = points(report, rubric);
    let (score, most) = sum(&points);
    let tests: Vec<Value> = points.iter().map(|given| test(report, given)).collect();
    let totals = report.totals();
    let mut summary = format!(
        "{score} of {most} points. {} passed, {} failed, {} open. Suite {}, norm {}, seed {}.",
        totals.passed,
        totals.failed,
        totals.blocked + totals.inconclusive,
        report.header.suite,
        report.header.edition,
        report.header.seed
    );
    if let Some(trouble) = &report.trouble {
        summary = format!("{}\n\n{summary}", told(report, trouble));
    }
    let document = json!({
        "score": score,
        "execution_time": report.took_ms / 1000,
        "output": summary,
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// What kept the run from its end: this is all that a student sees whose server did not start.
fn told(report: &Report, trouble: &Trouble) -> String {
    let mut lines = vec![trouble.what.clone()];
    lines.extend(trouble.hint.iter().map(|hint| format!("hint: {hint}")));
    let printed = report.output.trim();
    if !printed.is_empty() {
        lines.push(format!("\nit printed:\n{}", ending(&visible_lines(printed), LONGEST)));
    }
    lines.join("\n")
}

fn test(report: &Report, given: &Points<'_>) -> Value {
    let case = given.case;
    let output = match &case.verdict {
        Verdict::Fail(m) => format!(
            "{} {}\nexpected: {}\nactual: {}\noften: {}\nrepeat: {}",
            case.clause,
            case.level,
            m.expected,
            m.actual,
            case.hint,
            report.repeat_command(&case.id)
        ),
        Verdict::Blocked { by } => format!("not judged: {by} has to pass first"),
        Verdict::Inconclusive { reason } => format!("not judged: {reason}"),
        _ => String::new(),
    };
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    json!({
        "name": format!("{} {}", case.id, case.title),
        "number": case.id,
        "score": round(given.score),
        "max_score": round(given.most),
        "status": if given.score > 0.0 || given.most == 0.0 { "passed" } else { "failed" },
        "output": shorten(&output, LONGEST),
        "output_format": "text",
        "name_format": "text",
        "visibility": "visible",
        "tags": [case.group, case.clause],
    })
}
