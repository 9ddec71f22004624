//! GitHub Classroom: the result of an autograding step, JSON in base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use conformance_kit::escape::ending;
use serde_json::{Value, json};

use super::{
    Report, Trouble,
    points::{Rubric, points, sum},
};
use crate::verdict::Verdict;

/// How much is kept of what a server printed, in characters: its end.
const LONGEST: usize = 4_000;

/// Renders a report.
///
/// # Errors
/// Never: it is plain JSON.
pub fn render(report: &Report, rubric: &Rubric) -> serde_json::Result<String> {
    Ok(STANDARD.encode(document(report, rubric).to_string()) + "\n")
}

fn document(report: &Report, rubric: &Rubric) -> Value {
    let points = points(report, rubric);
    let (_, most) = sum(&points);
    let mut tests: Vec<Value> = points
        .iter()
        .enumerate()
        .map(|(n, given)| {
            let case = given.case;
            let (status, message) = match &case.verdict {
                _ if given.score > 0.0 => ("pass", String::new()),
                Verdict::Fail(m) => ("fail", format!("expected {}; got {}", m.expected, m.actual)),
                Verdict::Inconclusive { reason } => ("error", reason.clone()),
                Verdict::Blocked { by } => ("error", format!("blocked by {by}")),
                _ => ("fail", String::new()),
            };
            json!({
                "name": case.id,
                "status": status,
                "score": given.score,
                "max_score": given.most,
                "message": message,
                "test_code": case.title,
                "filename": "",
                "line_no": n + 1,
                "duration": case.took_ms,
            })
        })
        .collect();
    let status = match &report.trouble {
        Some(trouble) => {
            tests.insert(0, run(report, trouble));
            "error"
        }
        None if report.exit_code() == 0 => "pass",
        None => "fail",
    };
    json!({"version": 1, "status": status, "max_score": most, "tests": tests})
}

/// The run itself, which did not come to its end.
fn run(report: &Report, trouble: &Trouble) -> Value {
    let hint = trouble.hint.as_deref().unwrap_or_default();
    let printed = ending(report.output.trim(), LONGEST);
    let message = [trouble.what.as_str(), hint, printed.as_str()].join("\n");
    json!({
        "name": "run",
        "status": "error",
        "score": 0,
        "max_score": 0,
        "message": message.trim_end(),
        "test_code": "The run comes to its end",
        "filename": "",
        "line_no": 0,
        "duration": 0,
    })
}
