//! Schedules the cases: each after its needs, in parallel where they don't disturb each other, and a
//! second time alone when other traffic may have been the reason for a failure.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
};

use conformance_kit::clock::Clock;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;

use super::{Options, Watch, runner::Runner};
use crate::{
    case::{Case, Isolation, Row},
    report::CaseResult,
    select::Selected,
    verdict::Verdict,
};

/// The cases of one run and what became of them.
pub(crate) struct Schedule<'a, R: Runner> {
    runner: R,
    options: &'a Options,
    seed: u64,
    order: Vec<Selected<R::Side>>,
    waiting: Vec<Selected<R::Side>>,
    results: HashMap<&'static str, CaseResult>,
    bugs: Vec<String>,
    /// Cases that run again without company: they failed in it, or its server died. What they say
    /// alone counts, and their timeline holds nobody else's traffic.
    solo: HashSet<&'static str>,
}

/// Changes the nonces of a case that is asked again.
const SECOND_TRY: u64 = 0x5EC0_0000_0000_0000;

/// The outcome of one case.
struct Done<R: Runner> {
    case: &'static Case<R::Side>,
    result: CaseResult,
    alive: bool,
    epoch: usize,
    bug: Option<String>,
}

/// The results of a run in the order of the selection, and the bugs of the suite.
pub(crate) type Results = (Vec<CaseResult>, Vec<String>);

impl<'a, R: Runner> Schedule<'a, R> {
    pub(crate) fn new(
        runner: R,
        options: &'a Options,
        seed: u64,
        selected: Vec<Selected<R::Side>>,
    ) -> Self {
        Self {
            runner,
            options,
            seed,
            order: selected.clone(),
            waiting: selected,
            results: HashMap::new(),
            bugs: Vec::new(),
            solo: HashSet::new(),
        }
    }

    /// Runs everything, or as much as the deadline allows, and gives the runner back.
    pub(crate) async fn run(mut self, watch: &mut dyn Watch) -> (R, Results) {
        let mut running: FuturesUnordered<BoxFuture<'static, Done<R>>> = FuturesUnordered::new();
        let mut alone = false;
        loop {
            self.settle_unrunnable(watch);
            while !alone && running.len() < self.jobs() {
                let Some((case, asked)) = self.next(running.is_empty()) else { break };
                alone = self.isolation(case) != Isolation::Together;
                running.push(self.start(case, asked));
            }
            if running.is_empty() {
                break;
            }
            let left = self.options.deadline.saturating_sub(self.runner.elapsed());
            let Ok(Some(done)) = timeout(left, running.next()).await else {
                break;
            };
            alone = false;
            self.take(done, !running.is_empty(), watch).await;
        }
        self.settle_late(watch);
        let Self { runner, order, mut results, bugs, .. } = self;
        let cases = order.iter().filter_map(|(case, _)| results.remove(case.id)).collect();
        (runner, (cases, bugs))
    }

    fn jobs(&self) -> usize {
        self.runner.jobs(self.options.jobs)
    }

    fn isolation(&self, case: &Row) -> Isolation {
        if self.solo.contains(case.id) && case.isolation == Isolation::Together {
            Isolation::Alone
        } else {
            case.isolation
        }
    }

    /// Gives a verdict to whatever has run out of time.
    fn settle_late(&mut self, watch: &mut dyn Watch) {
        let deadline = self.options.deadline;
        let reason =
            format!("the run's deadline of {deadline:.0?} was reached before this case was done");
        for (case, asked) in self.order.clone() {
            if !self.results.contains_key(case.id) {
                let verdict = Verdict::inconclusive(&reason);
                self.record(case, CaseResult::new(case, asked, verdict), watch);
            }
        }
    }

    /// Gives a verdict to all cases that can't run: their needs failed, or the subject is gone.
    fn settle_unrunnable(&mut self, watch: &mut dyn Watch) {
        loop {
            let mut settled = false;
            for (case, asked) in std::mem::take(&mut self.waiting) {
                let failed = case.needs.iter().find(|need| {
                    self.results.get(*need).is_some_and(|result| !result.verdict.carries())
                        && !self.runner.spoken_around(case, need)
                });
                let verdict = match (self.runner.excuse(case), failed) {
                    (Some(excuse), _) => Some(excuse),
                    (None, Some(need)) => Some(Verdict::Blocked { by: self.root(need) }),
                    (None, None) => self.runner.unreachable(case),
                };
                match verdict {
                    Some(verdict) => {
                        self.record(case, CaseResult::new(case, asked, verdict), watch);
                        settled = true;
                    }
                    None => self.waiting.push((case, asked)),
                }
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

    /// Takes the next case that may start now; those that judge what all the others saw come last.
    fn next(&mut self, nobody_runs: bool) -> Option<Selected<R::Side>> {
        let ready = |case: &Row| {
            case.needs.iter().all(|need| {
                // What was not selected was skipped on purpose.
                self.results.contains_key(need)
                    || !self.order.iter().any(|(other, _)| other.id == *need)
            })
        };
        let isolations: &[Isolation] = if nobody_runs {
            &[Isolation::Together, Isolation::Alone, Isolation::Heavy, Isolation::Last]
        } else {
            &[Isolation::Together]
        };
        let at = isolations.iter().find_map(|isolation| {
            self.waiting
                .iter()
                .position(|(case, _)| self.isolation(case) == *isolation && ready(case))
        })?;
        Some(self.waiting.remove(at))
    }

    fn start(&self, case: &'static Case<R::Side>, asked: bool) -> BoxFuture<'static, Done<R>> {
        // A second try must not find what the first one left behind.
        let seed = self.seed ^ if self.solo.contains(case.id) { SECOND_TRY } else { 0 };
        let mut hands = self.runner.hands(case.id, seed);
        let epoch = self.runner.epoch();
        async move {
            let clock = Clock::start();
            let limit = R::limit(&hands);
            let mut bug = None;
            let asking = AssertUnwindSafe(timeout(limit, case.ask(&mut hands))).catch_unwind();
            let verdict = match asking.await {
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
            let alive = R::check_health(&mut hands, case, &verdict).await;
            let mut result = CaseResult::new(case, asked, verdict);
            result.took_ms = took_ms;
            let dull = matches!(result.verdict, Verdict::Pass | Verdict::Observed { .. });
            if !dull || !alive {
                result.timeline = R::trace(&hands).take();
            }
            Done { case, result, alive, epoch, bug }
        }
        .boxed()
    }

    /// Takes a result; a case that failed while others kept the machine busy is asked again alone.
    async fn take(&mut self, done: Done<R>, company: bool, watch: &mut dyn Watch) {
        let Done { case, mut result, alive, epoch, bug } = done;
        self.bugs.extend(bug);
        let dead = !alive && epoch == self.runner.epoch();
        let died = !alive || epoch != self.runner.epoch();
        // A dead server that is not ours to start again can't be asked twice.
        let doubtful =
            if died { self.runner.is_ours() } else { company && !result.verdict.carries() };
        let again = case.isolation == Isolation::Together && doubtful && self.jobs() > 1;
        if again && self.solo.insert(case.id) {
            self.waiting.push((case, result.asked));
        } else {
            if self.solo.contains(case.id) && matches!(result.verdict, Verdict::Pass) {
                result.flaky = Some("passed alone, and not in the company of others".to_owned());
            }
            if dead {
                result.verdict = self.runner.after_death(case, result.verdict);
            }
            self.record(case, result, watch);
        }
        self.runner.recover(case.id, dead).await;
    }

    fn record(&mut self, case: &Row, result: CaseResult, watch: &mut dyn Watch) {
        watch.done(&result);
        self.results.insert(case.id, result);
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}
