//! GitHub Classroom: the result of an autograding step, JSON in base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Report,
    points::{Rubric, points, sum},
};
use crate::verdict::Verdict;

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
    let tests: Vec<Value> = points
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
    let status = if report.exit_code() == 0 { "pass" } else { "fail" };
    json!({"version": 1, "status": status, "max_score": most, "tests": tests})
}
