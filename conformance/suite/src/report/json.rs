//! The whole report as JSON, which is also the log that `replay` and `--failed` read.

use schemars::schema_for;

use super::Report;

/// Renders a report.
///
/// # Errors
/// Never for a report of this suite: all its keys are strings.
pub fn render(report: &Report) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

/// Reads a report.
///
/// # Errors
/// When the text is no report.
pub fn read(text: &str) -> serde_json::Result<Report> {
    serde_json::from_str(text)
}

/// The published schema of the report.
///
/// # Errors
/// Never: a schema is JSON.
pub fn schema() -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(&schema_for!(Report))? + "\n")
}
