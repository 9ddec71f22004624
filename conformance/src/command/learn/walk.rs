//! One walk along a path: stage after stage, up to the first that is not done.
//!
//! Nothing is remembered from one call of the program to the next. Every stage before the one that is
//! shown is asked anyway, so that a break is noticed; what a file could add is only the word "again",
//! and it could be wrong: about another copy of the program, or an older one. Within `--watch` the
//! stages that were done are known from the walk before.

use std::collections::BTreeSet;

use conformance_suite::{
    case::Side,
    learn::{Findings, NoStart, Path, Progress},
};

use super::{
    learner::{Learner, Obstacle},
    progress_line::ProgressLine,
};
use crate::command::grading::Failure;

/// What a walk has found out.
pub(super) struct Walk {
    pub(super) findings: Findings,
    pub(super) progress: Progress,
    pub(super) no_start: Option<NoStart>,
    pub(super) exit_code: u8,
    /// Cases in which the suite went wrong.
    pub(super) bugs: Vec<String>,
}

/// What is known from the walk before.
#[derive(Debug)]
pub(super) struct Memory {
    /// The ids of the stages that were done at some time.
    pub(super) done: BTreeSet<&'static str>,
    /// The stage that was shown: all up to it are asked in one run.
    pub(super) reached: usize,
}

impl Memory {
    /// Nothing is known. The first stages are asked together: meeting a program that does not answer yet
    /// takes longest of all, and it is met anew for each run.
    pub(super) const fn nothing(path: &Path) -> Self {
        let reached = match path.side {
            Side::Server => 1,
            // The first contact waits for a line that is sent and for one that is shown, too.
            Side::Client => 3,
        };
        Self { done: BTreeSet::new(), reached }
    }
}

/// Walks. Up to the stage that was reached before, all cases are asked in one run, which takes less time
/// than a run for each stage; from there on each stage is a run of its own, since the first that is not
/// done ends the walk.
pub(super) async fn walk(
    learner: &Learner,
    memory: &Memory,
    strict: bool,
) -> Result<Walk, Failure> {
    let path = learner.path();
    let last = path.stages.len().saturating_sub(1);
    let mut line = ProgressLine::new();
    let mut findings = Findings::default();
    let mut bugs = Vec::new();
    let (mut from, mut to) = (0, memory.reached.min(last));
    let mut extras = false;
    // Meeting a client takes seconds, and its cases are asked side by side.
    let step = if path.side == Side::Client { 2 } else { 1 };
    loop {
        let rows: Vec<_> = if extras {
            (0..=last).flat_map(|at| path.extras(at)).collect()
        } else {
            (from..=to).flat_map(|at| path.cases(at, strict)).collect()
        };
        line.names(match path.stages.get(to) {
            _ if extras => "what is good to have".to_owned(),
            Some(stage) => format!("stage {} of {}, {}", to + 1, last + 1, stage.id),
            None => String::new(),
        });
        let only: Vec<String> = rows.iter().map(|row| row.id.to_owned()).collect();
        // What others need is not asked a second time when it has passed a moment ago.
        let passed = findings.passed();
        let mut asked = learner.ask(only.clone(), passed.clone(), &mut line).await;
        if matches!(asked, Err(Obstacle::NoStart { .. })) && !passed.is_empty() {
            // It did start a moment ago, so that is no longer the question: a port was taken in between, or
            // the machine is busy.
            asked = learner.ask(only, passed, &mut line).await;
        }
        match asked {
            Ok(mut report) => {
                bugs.append(&mut report.bugs);
                findings.add(report);
            }
            Err(Obstacle::NoStart { no_start, exit_code }) => {
                let progress = Progress::nothing_runs(path, &memory.done);
                return Ok(Walk { findings, progress, no_start: Some(no_start), exit_code, bugs });
            }
            Err(Obstacle::Failure(failure)) => return Err(failure),
        }
        let progress = Progress::of(path, &findings, &memory.done, strict);
        match progress.current() {
            Some(next) if next > to && !extras => (from, to) = (next, (next + step - 1).min(last)),
            None if !extras && !strict => extras = true,
            current => {
                let exit_code = if !bugs.is_empty() { 70 } else { u8::from(current.is_some()) };
                return Ok(Walk { findings, progress, no_start: None, exit_code, bugs });
            }
        }
    }
}
