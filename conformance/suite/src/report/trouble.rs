//! What kept a run from judging anything, or from judging everything. It is a result like any other
//! and goes into every report: a file of yesterday must not be taken for today's.

use conformance_kit::escape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest reason that stands in every case.
const LONGEST: usize = 300;

/// Why there is no result, or not the whole one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trouble {
    /// What happened; escaped.
    pub what: String,
    /// What may help.
    #[serde(default)]
    pub hint: Option<String>,
    /// The exit code of the run.
    pub exit_code: u8,
}

impl Trouble {
    /// Trouble with which a program ends like this.
    #[must_use]
    pub fn new(what: impl AsRef<str>, exit_code: u8) -> Self {
        Self { what: escape::visible_lines(what.as_ref()), hint: None, exit_code }
    }

    /// What happened, on one line.
    #[must_use]
    pub fn line(&self) -> String {
        let lines: Vec<&str> =
            self.what.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        escape::shorten(&lines.join(" "), LONGEST)
    }
}
