//! What became of each submission of a batch.

use serde::{Deserialize, Serialize};

use crate::{
    clause::Level,
    report::{
        CaseResult, Report, compare,
        points::{self, Rubric},
    },
    verdict::Verdict,
};

/// All submissions of one folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Version of this suite.
    pub suite: String,
    /// The command that started each submission.
    pub command: String,
    /// What kept each submission from harming the others and the machine.
    pub sandbox: Vec<String>,
    /// When the batch began, in seconds since 1970-01-01 UTC.
    pub started: i64,
    /// The submissions, by name.
    pub submissions: Vec<Submission>,
}

/// How far a submission was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// To the end.
    Judged,
    /// Its run was cut short; what was not reached counts as open.
    CutShort,
    /// Not at all.
    NotJudged,
}

/// One submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// Its name: that of its folder.
    pub name: String,
    /// What its result depends on beside itself; another command makes it stale.
    pub setting: String,
    /// How far it was judged.
    pub outcome: Outcome,
    /// Points that it got.
    pub points: f64,
    /// Points that it could get.
    pub of: f64,
    /// MUST cases that passed.
    pub must_passed: usize,
    /// MUST cases that failed.
    pub must_failed: usize,
    /// MUST cases that could not be judged.
    pub must_open: usize,
    /// SHOULD cases that failed.
    pub should_failed: usize,
    /// The first MUST case that failed.
    pub first_failed: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why it was not judged, and what the sandbox did.
    pub remarks: Vec<String>,
    /// What each case came to.
    pub cases: Vec<compare::Outcome>,
}

impl Submission {
    /// One that could not be judged at all.
    #[must_use]
    pub fn not_judged(name: &str, setting: &str, remarks: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            setting: setting.to_owned(),
            outcome: Outcome::NotJudged,
            points: 0.0,
            of: 0.0,
            must_passed: 0,
            must_failed: 0,
            must_open: 0,
            should_failed: 0,
            first_failed: None,
            took_ms: 0,
            remarks,
            cases: Vec::new(),
        }
    }

    /// What a report says of one.
    #[must_use]
    pub fn of(name: &str, setting: &str, report: &Report, rubric: &Rubric) -> Self {
        let (points, of) = points::sum(&points::points(report, rubric));
        let failed = |case: &&CaseResult| matches!(case.verdict, Verdict::Fail(_));
        let at = |level| report.cases.iter().filter(move |case| case.level == level);
        let open = |case: &&CaseResult| {
            matches!(case.verdict, Verdict::Blocked { .. } | Verdict::Inconclusive { .. })
        };
        Self {
            outcome: Outcome::Judged,
            points,
            of,
            must_passed: at(Level::Must).filter(|case| case.verdict == Verdict::Pass).count(),
            must_failed: at(Level::Must).filter(failed).count(),
            must_open: at(Level::Must).filter(open).count(),
            should_failed: at(Level::Should).filter(failed).count(),
            first_failed: at(Level::Must).find(failed).map(|case| case.id.clone()),
            took_ms: report.took_ms,
            cases: report.cases.iter().map(compare::Outcome::from).collect(),
            ..Self::not_judged(name, setting, Vec::new())
        }
    }
}

impl Batch {
    /// The exit code: 0 all were judged, 2 some could not be.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let judged = |one: &Submission| one.outcome == Outcome::Judged;
        if self.submissions.iter().all(judged) { 0 } else { 2 }
    }
}
