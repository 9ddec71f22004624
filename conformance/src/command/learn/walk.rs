//! One walk along a path: stage after stage, up to the first that is not done.
//!
//! Nothing is remembered from one call of the program to the next. Every stage before the one that is
//! shown is asked anyway, so that a break is noticed; what a file could add is only the word "again",
//! and it could be wrong: about another copy of the program, or an older one. Within `--watch` the
//! stages that were done are known from the walk before.

use std::collections::BTreeSet;

use conformance_suite::{
    case::{Isolation, Row, Side},
    learn::{Findings, NoStart, Path, Progress},
};

use super::{
    learner::{Learner, Obstacle},
    progress_line::ProgressLine,
};
use crate::command::grading::Failure;

/// How many stages that were done the last time are asked in one run. More at once would take long when
/// one of the first is broken, since then nearly everything fails.
const KNOWN: usize = 4;

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
    /// The stage that was shown.
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

/// Walks.
///
/// Up to the stage that was reached before, several stages are asked in one run, which takes less time
/// than a run for each; from there on each stage is a run of its own, since the first that is not done
/// ends the walk. The rules for every frame (the invariants) come last and at once: each run that asks
/// some makes its own session for them, which takes long with a server that leaves half of it unanswered.
pub(super) async fn walk(
    learner: &Learner,
    memory: &Memory,
    strict: bool,
) -> Result<Walk, Failure> {
    let mut walker = Walker {
        learner,
        path: learner.path(),
        strict,
        line: ProgressLine::new(),
        findings: Findings::default(),
        bugs: Vec::new(),
    };
    let stopped = walker.go(memory).await;
    let Walker { path, findings, bugs, .. } = walker;
    let (no_start, exit_code) = match stopped {
        Ok(()) => (None, None),
        Err(Obstacle::NoStart { no_start, exit_code }) => (Some(no_start), Some(exit_code)),
        Err(Obstacle::Failure(failure)) => return Err(failure),
    };
    let progress = match no_start {
        None => Progress::of(path, &findings, &memory.done, strict),
        Some(_) => Progress::nothing_runs(path, &memory.done),
    };
    let done = u8::from(progress.current().is_some());
    let exit_code = if bugs.is_empty() { exit_code.unwrap_or(done) } else { 70 };
    Ok(Walk { findings, progress, no_start, exit_code, bugs })
}

struct Walker<'a> {
    learner: &'a Learner,
    path: &'static Path,
    strict: bool,
    line: ProgressLine,
    findings: Findings,
    bugs: Vec<String>,
}

impl Walker<'_> {
    async fn go(&mut self, memory: &Memory) -> Result<(), Obstacle> {
        let last = self.path.stages.len().saturating_sub(1);
        let reached = memory.reached.min(last);
        let (mut from, mut to) = (0, reached.min(KNOWN - 1));
        let end = loop {
            if let Some(open) = self.stages(from, to).await? {
                break open;
            }
            if to == last {
                break last;
            }
            let step = match self.path.side {
                _ if to < reached => KNOWN.min(reached - to),
                Side::Server => 1,
                // Meeting a client takes seconds, and its cases are asked side by side.
                Side::Client => 2,
            };
            (from, to) = (to + 1, (to + step).min(last));
        };
        // Those of which a need failed would only ask for that once more.
        let rules = (0..=end).flat_map(|at| self.rows(at, true));
        let fails = |id: &str| self.findings.case(id).is_some() && !self.carries(id);
        let rules = rules.filter(|row| !row.needs.iter().any(|need| fails(need))).collect();
        self.ask("the rules for every frame", rules).await?;
        let open = (0..=last)
            .any(|at| !self.path.cases(at, self.strict).iter().all(|row| self.carries(row.id)));
        if !open && !self.strict {
            let extras = (0..=last).flat_map(|at| self.path.extras(at)).collect();
            self.ask("what is good to have", extras).await?;
        }
        Ok(())
    }

    /// Asks some stages, and gives the first that is not done, among all so far.
    async fn stages(&mut self, from: usize, to: usize) -> Result<Option<usize>, Obstacle> {
        let all = self.path.stages.len();
        let stage = self.path.stages.get(to).map_or("", |stage| stage.id);
        let what = if from == to {
            format!("stage {} of {all}, {stage}", to + 1)
        } else {
            format!("stages {} to {} of {all}, {stage}", from + 1, to + 1)
        };
        let mut left: Vec<_> = (from..=to).flat_map(|at| self.rows(at, false)).collect();
        loop {
            let (now, later) = self.ready(&left);
            left = later;
            self.ask(&what, now).await?;
            // What is left has not failed.
            let settled =
                |row: &Row| self.carries(row.id) || left.iter().any(|other| other.id == row.id);
            let open = (0..=to).find(|at| !self.rows(*at, false).all(settled));
            if let Some(open) = open {
                // Whether the stages before it are done has to be known all the same.
                let before: Vec<_> = (from..open).flat_map(|at| self.rows(at, false)).collect();
                left.retain(|row| before.iter().any(|other| other.id == row.id));
            }
            if left.is_empty() {
                return Ok(open);
            }
        }
    }

    /// The cases of a stage: those that are about every frame, or the others.
    fn rows(&self, stage: usize, rules: bool) -> impl Iterator<Item = &'static Row> + use<> {
        let rows = self.path.cases(stage, self.strict).into_iter();
        rows.filter(move |row| (row.isolation == Isolation::Last) == rules)
    }

    /// Those to ask now, and those for later: a case that another may excuse waits until that one has
    /// passed, since it would take its time only to be excused.
    fn ready(&self, rows: &[&'static Row]) -> (Vec<&'static Row>, Vec<&'static Row>) {
        let waits_for = |id: &str| !self.carries(id) && rows.iter().any(|row| row.id == id);
        let (later, now): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| row.excuses.iter().any(|id| waits_for(id)));
        // Two that excuse each other would wait for ever.
        if now.is_empty() { (later, now) } else { (now, later) }
    }

    fn carries(&self, id: &str) -> bool {
        self.findings.case(id).is_some_and(|case| case.verdict.carries())
    }

    /// Asks some cases; what they need is not asked a second time when it has passed a moment ago.
    async fn ask(&mut self, what: &str, rows: Vec<&'static Row>) -> Result<(), Obstacle> {
        // No pattern would mean every case.
        if rows.is_empty() {
            return Ok(());
        }
        let only: Vec<String> = rows.iter().map(|row| row.id.to_owned()).collect();
        let passed = self.findings.passed();
        let met = !passed.is_empty();
        self.line.names(what.to_owned());
        let mut asked = self.learner.ask(only.clone(), passed.clone(), &mut self.line).await;
        if met && matches!(asked, Err(Obstacle::NoStart { .. })) {
            // It did start a moment ago, so that is no longer the question: a port was taken in between, or
            // the machine is busy.
            asked = self.learner.ask(only, passed, &mut self.line).await;
        }
        let mut report = asked?;
        self.bugs.append(&mut report.bugs);
        self.findings.add(report);
        Ok(())
    }
}
