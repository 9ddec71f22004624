//! How far somebody has come: a function of what was found out.

use std::collections::BTreeSet;

use super::{findings::Findings, path::Path, stage::Stage};
use crate::{report::CaseResult, verdict::Verdict};

/// What is known of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All of its cases that count pass.
    Done,
    /// One of them does not.
    Open,
    /// One of them does not, and the stage was done before.
    Broken,
    /// It was not looked at.
    Unseen,
}

/// The states of all stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// One for each stage of the path.
    pub states: Vec<State>,
}

impl Progress {
    /// Looks at every stage; `before` holds the ids of those that were done earlier.
    #[must_use]
    pub fn of(
        path: &Path,
        findings: &Findings,
        before: &BTreeSet<&'static str>,
        strict: bool,
    ) -> Self {
        let state = |(at, stage): (usize, &Stage)| {
            let results: Vec<_> =
                path.cases(at, strict).iter().map(|row| findings.case(row.id)).collect();
            if results.iter().flatten().any(|case| !case.verdict.carries()) {
                if before.contains(stage.id) { State::Broken } else { State::Open }
            } else if results.iter().any(Option::is_none) {
                State::Unseen
            } else {
                State::Done
            }
        };
        Self { states: path.stages.iter().enumerate().map(state).collect() }
    }

    /// Nothing runs: the first stage is not done, and nothing is known of the others.
    #[must_use]
    pub fn nothing_runs(path: &Path, before: &BTreeSet<&'static str>) -> Self {
        let mut states = vec![State::Unseen; path.stages.len()];
        if let (Some(state), Some(stage)) = (states.first_mut(), path.stages.first()) {
            *state = if before.contains(stage.id) { State::Broken } else { State::Open };
        }
        Self { states }
    }

    /// The stage that comes next: the first that is not done.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        self.states.iter().position(|state| *state != State::Done)
    }

    /// The stages that are done.
    pub fn done<'p>(&'p self, path: &'p Path) -> impl Iterator<Item = &'static str> + 'p {
        let stages = path.stages.iter().zip(&self.states);
        stages.filter(|(_, state)| **state == State::Done).map(|(stage, _)| stage.id)
    }
}

/// The result to show of a stage: the first failure, or else the first case without a verdict, with
/// the one that it waits for in its place.
#[must_use]
pub(super) fn to_show<'f>(
    path: &Path,
    stage: usize,
    findings: &'f Findings,
    strict: bool,
) -> Option<&'f CaseResult> {
    let results: Vec<&CaseResult> =
        path.cases(stage, strict).iter().filter_map(|row| findings.case(row.id)).collect();
    let first = |wanted: fn(&Verdict) -> bool| {
        results.iter().copied().find(move |case| wanted(&case.verdict))
    };
    let failed = first(|verdict| matches!(verdict, Verdict::Fail(_)));
    let unclear = first(|verdict| matches!(verdict, Verdict::Inconclusive { .. }));
    failed.or(unclear).or_else(|| {
        let blocked = first(|verdict| matches!(verdict, Verdict::Blocked { .. }))?;
        match &blocked.verdict {
            Verdict::Blocked { by } => findings.case(by).or(Some(blocked)),
            _ => Some(blocked),
        }
    })
}
