//! The results of a run. Every output format is rendered from [`Report`].

use conformance_kit::trace::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::trouble::Trouble;
use crate::{case::Row, clause::Level, verdict::Verdict};

/// Where `--only` goes in the command of a run, when that is not at its end.
pub const ONLY: &str = "{only}";

/// What a report says about the run as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// Version of this suite.
    pub suite: String,
    /// Which edition of the norm it judged by.
    pub edition: String,
    /// The subject, as the user named it.
    pub target: String,
    /// The address that was spoken to.
    pub address: String,
    /// The seed of all nonces.
    pub seed: u64,
    /// Whether SHOULD counts like MUST.
    pub strict: bool,
    /// When the run began, in seconds since 1970-01-01 UTC.
    pub started: i64,
    /// The command that repeats the run; a case is picked with `--only`.
    pub command: String,
}

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseResult {
    /// The case's id.
    pub id: String,
    /// Its revision.
    pub revision: u16,
    /// Its group.
    pub group: String,
    /// The clause behind it.
    pub clause: String,
    /// How binding the case is.
    pub level: Level,
    /// No points depend on it.
    pub literal: bool,
    /// What was asked.
    pub title: String,
    /// The usual cause of a failure.
    pub hint: String,
    /// Whether the user asked for it; others ran because it was needed.
    pub asked: bool,
    /// What came out.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why the failure is known, when it is.
    #[serde(default)]
    pub known: Option<String>,
    /// How often it passed, when that was not always or never.
    #[serde(default)]
    pub flaky: Option<String>,
    /// What happened on the wire; kept for cases that did not pass.
    pub timeline: Vec<Event>,
    /// What the subject printed while the case ran, when the suite started it; escaped, and its end
    /// only. Kept for cases that did not pass.
    #[serde(default)]
    pub printed: String,
}

impl CaseResult {
    /// The result of a case.
    #[must_use]
    pub fn new(case: &Row, asked: bool, verdict: Verdict) -> Self {
        Self {
            id: case.id.to_owned(),
            revision: case.revision,
            group: case.group().to_owned(),
            clause: case.clause.to_owned(),
            level: case.level,
            literal: case.literal,
            title: case.title.to_owned(),
            hint: case.hint.to_owned(),
            asked,
            verdict,
            took_ms: 0,
            known: None,
            flaky: None,
            timeline: Vec::new(),
            printed: String::new(),
        }
    }

    /// Whether this result makes the run a failure.
    #[must_use]
    pub fn is_failure(&self, strict: bool) -> bool {
        matches!(self.verdict, Verdict::Fail(_)) && self.known.is_none() && self.counts(strict)
    }

    /// Whether this result leaves a question open that the grade depends on.
    #[must_use]
    pub fn is_open_question(&self, strict: bool) -> bool {
        matches!(self.verdict, Verdict::Inconclusive { .. } | Verdict::Blocked { .. })
            && self.counts(strict)
    }

    /// Whether the level of the case counts. Where the assignment can be read in two ways, the subject
    /// is right: a literal reading counts like a SHOULD.
    #[must_use]
    pub fn counts(&self, strict: bool) -> bool {
        match self.level {
            Level::Must => strict || !self.literal,
            Level::Should => strict,
            Level::Open => false,
        }
    }
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// About the run.
    pub header: Header,
    /// Every case that was selected, in the order of the catalogue.
    pub cases: Vec<CaseResult>,
    /// How long the run took, in milliseconds.
    pub took_ms: u64,
    /// Cases in which the suite itself went wrong.
    #[serde(default)]
    pub bugs: Vec<String>,
    /// Expectations that do not fit any more.
    #[serde(default)]
    pub stale: Vec<String>,
    /// What the subject printed, when the suite started it; escaped, and its end only.
    #[serde(default)]
    pub output: String,
    /// What kept the run from judging anything, or from judging everything.
    #[serde(default)]
    pub trouble: Option<Trouble>,
}

/// How many cases came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Passed.
    pub passed: usize,
    /// Failed, and it counts.
    pub failed: usize,
    /// Failed at a level that does not count.
    pub warned: usize,
    /// Observed.
    pub observed: usize,
    /// Blocked by another case.
    pub blocked: usize,
    /// Neither proved nor disproved.
    pub inconclusive: usize,
    /// Does not apply.
    pub not_applicable: usize,
}

impl Totals {
    /// Counts results.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a CaseResult>, strict: bool) -> Self {
        let mut totals = Self::default();
        for case in cases {
            *match case.verdict {
                Verdict::Pass => &mut totals.passed,
                Verdict::Fail(_) if case.is_failure(strict) => &mut totals.failed,
                Verdict::Fail(_) => &mut totals.warned,
                Verdict::Observed { .. } => &mut totals.observed,
                Verdict::Blocked { .. } => &mut totals.blocked,
                Verdict::Inconclusive { .. } => &mut totals.inconclusive,
                Verdict::NotApplicable { .. } => &mut totals.not_applicable,
            } += 1;
        }
        totals
    }
}

impl Report {
    /// The report of a run in which these cases were not judged.
    #[must_use]
    pub fn of_trouble(header: Header, cases: &[&'static Row], trouble: Trouble) -> Self {
        let unjudged = Self::unjudged(header, cases, trouble.line());
        Self { trouble: Some(trouble), ..unjudged }
    }

    /// The report of a run that has not come to any of these cases, for a reason.
    #[must_use]
    pub fn unjudged(header: Header, cases: &[&'static Row], reason: String) -> Self {
        let verdict = Verdict::Inconclusive { reason };
        Self {
            header,
            cases: cases.iter().map(|case| CaseResult::new(case, true, verdict.clone())).collect(),
            took_ms: 0,
            bugs: Vec::new(),
            stale: Vec::new(),
            output: String::new(),
            trouble: None,
        }
    }

    /// Enters the result of a case in the place of what was there.
    pub fn enter(&mut self, result: &CaseResult) {
        if let Some(case) = self.cases.iter_mut().find(|case| case.id == result.id) {
            *case = result.clone();
        }
    }

    /// Finds the result of a case.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<&CaseResult> {
        self.cases.iter().find(|case| case.id == id)
    }

    /// Counts everything.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(&self.cases, self.header.strict)
    }

    /// The exit code: 0 all MUST pass, 1 a MUST failed, 2 inconclusive or nothing ran, 3 a stale
    /// expectation, 70 a bug in the suite; after trouble, that of the trouble.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let strict = self.header.strict;
        let judged = |case: &CaseResult| {
            matches!(case.verdict, Verdict::Pass | Verdict::Observed { .. } | Verdict::Fail(_))
        };
        if let Some(trouble) = &self.trouble {
            trouble.exit_code
        } else if !self.bugs.is_empty() {
            70
        } else if self.cases.iter().any(|case| case.is_failure(strict)) {
            1
        } else if self.cases.iter().any(|case| case.is_open_question(strict))
            || !self.cases.iter().any(judged)
        {
            2
        } else if !self.stale.is_empty() {
            3
        } else {
            0
        }
    }

    /// The command that repeats one case.
    #[must_use]
    pub fn repeat_command(&self, id: &str) -> String {
        let command = &self.header.command;
        // Behind the `--` of a client's command line it would be an argument of the client.
        if command.contains(ONLY) {
            return command.replace(ONLY, &format!("--only {id}"));
        }
        format!("{command} --only {id}")
    }
}
