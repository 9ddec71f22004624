//! The order of cases: after what they need, together where they don't disturb each other, and
//! with a look at the subject's health in between.

use std::{any::Any, collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;

use super::Options;
use crate::{
    arena::Arena,
    case::{Case, Lane, Level},
    clock::Clock,
    context::Context,
    report::CaseResult,
    verdict::Verdict,
};

/// The cases of one run and what became of them.
pub(super) struct Schedule<'a> {
    arena: Arc<Arena>,
    options: &'a Options,
    seed: u64,
    order: Vec<&'static str>,
    waiting: Vec<(&'static Case, bool)>,
    results: HashMap<&'static str, CaseResult>,
    bugs: Vec<String>,
    /// After which case the subject did not answer any more.
    lost: Option<&'static str>,
}

/// What comes back from a case.
struct Done {
    case: &'static Case,
    result: CaseResult,
    alive: bool,
    bug: Option<String>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(
        arena: Arc<Arena>,
        options: &'a Options,
        seed: u64,
        selected: Vec<(&'static Case, bool)>,
    ) -> Self {
        Self {
            arena,
            options,
            seed,
            order: selected.iter().map(|(case, _)| case.id).collect(),
            waiting: selected,
            results: HashMap::new(),
            bugs: Vec::new(),
            lost: None,
        }
    }

    /// Runs everything, or as much as the deadline allows.
    pub(super) async fn run(&mut self, watch: &mut (dyn FnMut(&CaseResult) + Send)) {
        let mut running: FuturesUnordered<BoxFuture<'static, Done>> = FuturesUnordered::new();
        let mut alone = false;
        loop {
            self.settle_unrunnable(watch);
            while !alone && running.len() < self.options.jobs.max(1) {
                let Some((case, asked)) = self.next(running.is_empty()) else { break };
                alone = case.lane != Lane::Together;
                running.push(self.start(case, asked));
            }
            if running.is_empty() {
                break;
            }
            let left = self.options.deadline.saturating_sub(self.arena.clock.elapsed());
            let Ok(Some(done)) = timeout(left, running.next()).await else {
                break;
            };
            alone = false;
            self.take(done, watch);
        }
        // Whatever is left has run out of time.
        let deadline = self.options.deadline;
        let late = |case: &'static Case, asked| {
            let reason = format!(
                "the run's deadline of {deadline:.0?} was reached before this case was done"
            );
            CaseResult::new(case, asked, Verdict::inconclusive(reason))
        };
        for (case, asked) in std::mem::take(&mut self.waiting) {
            self.record(case, late(case, asked), watch);
        }
        let missing: Vec<_> =
            self.order.iter().filter(|id| !self.results.contains_key(*id)).collect();
        for case in
            missing.into_iter().filter_map(|id| crate::catalogue::find(id)).collect::<Vec<_>>()
        {
            self.record(case, late(case, true), watch);
        }
    }

    /// The results in the order of the catalogue, and the bugs of the suite.
    pub(super) fn finish(mut self) -> (Vec<CaseResult>, Vec<String>) {
        let cases = self.order.iter().filter_map(|id| self.results.remove(id)).collect();
        (cases, self.bugs)
    }

    /// Gives a verdict to all cases that can't run: their needs failed, or the subject is gone.
    fn settle_unrunnable(&mut self, watch: &mut (dyn FnMut(&CaseResult) + Send)) {
        loop {
            let mut settled = false;
            for (case, asked) in std::mem::take(&mut self.waiting) {
                let failed = case.needs.iter().find(|need| {
                    self.results.get(*need).is_some_and(|result| !result.verdict.carries())
                });
                let verdict = match (failed, self.lost) {
                    (Some(need), _) => Verdict::Blocked { by: self.root(need) },
                    (None, Some(after)) if case.lane != Lane::Last => {
                        Verdict::inconclusive(format!(
                            "the server stopped answering in or after {after}, so this case did not run"
                        ))
                    }
                    _ => {
                        self.waiting.push((case, asked));
                        continue;
                    }
                };
                self.record(case, CaseResult::new(case, asked, verdict), watch);
                settled = true;
            }
            if !settled {
                break;
            }
        }
    }

    /// The case that is to blame in the end.
    fn root(&self, need: &str) -> String {
        match self.results.get(need).map(|result| &result.verdict) {
            Some(Verdict::Blocked { by }) => by.clone(),
            _ => need.to_owned(),
        }
    }

    /// Takes the next case that may start now.
    fn next(&mut self, nobody_runs: bool) -> Option<(&'static Case, bool)> {
        let ready = |case: &Case| {
            case.needs.iter().all(|need| {
                // What was not selected was skipped on purpose.
                !self.order.contains(need) || self.results.contains_key(need)
            })
        };
        let lanes: &[Lane] = if nobody_runs {
            &[Lane::Together, Lane::Alone, Lane::Last]
        } else {
            &[Lane::Together]
        };
        for lane in lanes {
            let at = self.waiting.iter().position(|(case, _)| case.lane == *lane && ready(case));
            if let Some(at) = at {
                return Some(self.waiting.remove(at));
            }
            if *lane == Lane::Alone && self.waiting.iter().any(|(case, _)| case.lane != Lane::Last)
            {
                return None;
            }
        }
        None
    }

    fn start(&self, case: &'static Case, asked: bool) -> BoxFuture<'static, Done> {
        let arena = Arc::clone(&self.arena);
        let seed = self.seed;
        async move {
            let mut context = Context::new(Arc::clone(&arena), case.id, seed);
            let clock = Clock::start();
            let limit = context.patience() * 24 + Duration::from_secs(20);
            let mut bug = None;
            let outcome = AssertUnwindSafe(timeout(limit, case.ask_server(&mut context)))
                .catch_unwind()
                .await;
            let verdict = match outcome {
                Ok(Ok(Ok(verdict) | Err(verdict))) => verdict,
                Ok(Err(_)) => {
                    Verdict::inconclusive(format!("the case took longer than {limit:.0?}"))
                }
                Err(panic) => {
                    bug = Some(format!("{}: {}", case.id, message(panic.as_ref())));
                    Verdict::inconclusive("a bug in the suite")
                }
            };
            let took_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
            let rough = case.lane == Lane::Alone || !verdict.carries();
            let probe = rough && case.lane != Lane::Last && arena.greeting().join.is_some();
            let alive = !probe || is_alive(&mut context).await;
            let mut result = CaseResult::new(case, asked, verdict);
            result.took_ms = took_ms;
            if !matches!(result.verdict, Verdict::Pass) || !alive {
                result.timeline = context.tape.take();
            }
            Done { case, result, alive, bug }
        }
        .boxed()
    }

    fn take(&mut self, done: Done, watch: &mut (dyn FnMut(&CaseResult) + Send)) {
        let Done { case, mut result, alive, bug } = done;
        self.bugs.extend(bug);
        if !alive && self.lost.is_none() {
            self.lost = Some(case.id);
            result.verdict = after_death(case, result.verdict);
        }
        self.record(case, result, watch);
    }

    fn record(
        &mut self,
        case: &'static Case,
        result: CaseResult,
        watch: &mut (dyn FnMut(&CaseResult) + Send),
    ) {
        watch(&result);
        self.results.insert(case.id, result);
    }
}

/// Whether a fresh user can still join; asked twice, since a busy server is not a dead one.
async fn is_alive(context: &mut Context) -> bool {
    for _ in 0..2 {
        if context.join("health").await.is_ok() {
            return true;
        }
        context.settle().await;
    }
    false
}

/// The verdict of a case after which the subject was dead.
fn after_death(case: &Case, verdict: Verdict) -> Verdict {
    const DEAD: &str = "after this case nobody could join any more: the server is gone or stuck";
    match verdict {
        Verdict::Pass if case.level != Level::Open => {
            Verdict::fail("a server that goes on after this case", DEAD)
        }
        Verdict::Fail(mut mismatch) => {
            mismatch.actual = format!("{}; {DEAD}", mismatch.actual);
            Verdict::Fail(mismatch)
        }
        Verdict::Observed { key, value } => {
            Verdict::Observed { key, value: format!("{value}; {DEAD}") }
        }
        Verdict::Inconclusive { reason } => {
            Verdict::Inconclusive { reason: format!("{reason}; {DEAD}") }
        }
        other => other,
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}
