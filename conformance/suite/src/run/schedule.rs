//! Schedules the cases: each after its needs, the gentle ones before those that may leave a mark, in
//! parallel where that is wanted and they don't disturb each other, and again where the first answer
//! may have another reason than the subject.

use std::{any::Any, collections::HashMap, panic::AssertUnwindSafe};

use conformance_kit::{clock::Clock, nonce::Nonces};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;

use super::{
    Options, Watch,
    runner::{Next, Runner, Turn},
};
use crate::{
    case::{Case, Isolation, Judged as _, Row, Side},
    clause::Level,
    report::CaseResult,
    select::Selected,
    verdict::{Mismatch, Verdict},
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
    /// How often a case was asked before; those that are asked again run without company, and what
    /// they say then counts.
    before: HashMap<&'static str, u8>,
}

/// Changes the nonces of a case that is asked again: it must not find what the first attempt left.
const OTHER_TRY: u64 = 0x5EC0_0000_0000_0000;

/// The outcome of one attempt.
struct Done<R: Runner> {
    case: &'static Case<R::Side>,
    turn: Turn,
    result: CaseResult,
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
        let mut waiting = selected.clone();
        if options.shuffle {
            let mut nonces = Nonces::new(seed, "shuffle");
            waiting.sort_by_cached_key(|_| nonces.number());
        }
        // What counts is asked first: a subject that does not survive a question that gives no points
        // has answered the others by then. Of those that leave marks, the ones about names come last:
        // a user under a strange one haunts a server most of all.
        let mut at = 0_usize;
        waiting.sort_by_cached_key(|(case, _)| {
            at += 1;
            match case.isolation {
                Isolation::Rough => (case.isolation, rank(case.level), at),
                Isolation::Marking => (case.isolation, rank(case.level), usize::MAX - at),
                other => (other, 0, at),
            }
        });
        Self {
            runner,
            options,
            seed,
            order: selected,
            waiting,
            results: HashMap::new(),
            bugs: Vec::new(),
            before: HashMap::new(),
        }
    }

    /// Runs everything, or as much as the deadline allows, and gives the runner back.
    pub(crate) async fn run(mut self, watch: &mut dyn Watch) -> (R, Results) {
        let mut running: FuturesUnordered<BoxFuture<'static, Done<R>>> = FuturesUnordered::new();
        let mut alone = false;
        loop {
            self.settle_unrunnable(watch);
            while !alone && running.len() < self.jobs() {
                let company = !running.is_empty();
                let Some((case, asked)) = self.next(!company) else { break };
                alone = self.isolation(case) != Isolation::Together;
                let before = self.before.get(case.id).copied().unwrap_or_default();
                let left = self.left();
                match timeout(left, self.runner.prepare(case.row(), before, company)).await {
                    Ok(Ok(footing)) => {
                        let shared = company || (!alone && self.jobs() > 1);
                        let turn = Turn { case: case.row(), before, company: shared, footing };
                        running.push(self.start(case, asked, turn));
                    }
                    Ok(Err(verdict)) => {
                        alone = false;
                        self.record(case, CaseResult::new(case, asked, verdict), watch);
                        self.settle_unrunnable(watch);
                    }
                    // What was taken out of the queue is settled with all that has run out of time.
                    Err(_) => break,
                }
            }
            if running.is_empty() {
                break;
            }
            let Ok(Some(done)) = timeout(self.left(), running.next()).await else {
                break;
            };
            alone = false;
            self.take(done, watch).await;
        }
        self.settle_late(watch);
        let Self { runner, order, mut results, bugs, .. } = self;
        let cases = order.iter().filter_map(|(case, _)| results.remove(case.id)).collect();
        (runner, (cases, bugs))
    }

    fn left(&self) -> std::time::Duration {
        self.options.deadline.saturating_sub(self.runner.elapsed())
    }

    fn jobs(&self) -> usize {
        self.runner.jobs(self.options.jobs)
    }

    fn isolation(&self, case: &Row) -> Isolation {
        if self.before.contains_key(case.id) && case.isolation == Isolation::Together {
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

    /// Gives a verdict to all cases that can't be asked: they are not claimed, or a need failed. What
    /// judges all frames is asked whatever its needs say, since a rule that was seen broken is broken.
    fn settle_unrunnable(&mut self, watch: &mut dyn Watch) {
        loop {
            let mut settled = false;
            for (case, asked) in std::mem::take(&mut self.waiting) {
                let blocked = match case.isolation {
                    Isolation::Last => None,
                    // Which need is named must not depend on which one was done first.
                    _ if !case.needs.iter().all(|need| self.is_settled(need)) => None,
                    _ => self
                        .failed(case, case.needs)
                        .filter(|by| self.is_judged(by))
                        .map(|by| Verdict::Blocked { by }),
                };
                match self.runner.excuse(case).or(blocked) {
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

    /// The case that is to blame in the end for the first of these that failed.
    fn failed(&self, case: &Row, others: &[&'static str]) -> Option<String> {
        let failed = others.iter().find(|other| {
            self.results.get(*other).is_some_and(|result| !result.verdict.carries())
                && !self.runner.spoken_around(case, other)
        })?;
        Some(match self.results.get(failed).map(|result| &result.verdict) {
            Some(Verdict::Blocked { by }) => by.clone(),
            _ => (*failed).to_owned(),
        })
    }

    /// Whether a case was judged. One that was not says nothing about those that need it: they are asked,
    /// and blocked only where they find nothing either.
    /// A client of which nothing is known can't be asked anything.
    fn is_judged(&self, id: &str) -> bool {
        if R::Side::SIDE == Side::Client {
            return true;
        }
        let verdict = self.results.get(id).map(|result| &result.verdict);
        !matches!(verdict, Some(Verdict::Inconclusive { .. }))
    }

    /// Whether nothing more will be known about a case; what was not selected was skipped on purpose.
    fn is_settled(&self, id: &str) -> bool {
        self.results.contains_key(id) || !self.order.iter().any(|(known, _)| known.id == id)
    }

    /// Takes the next case that may start now.
    fn next(&mut self, nobody_runs: bool) -> Option<Selected<R::Side>> {
        let ready = |case: &Row| {
            let mut others = case.needs.iter().chain(case.excuses);
            others.all(|other| self.is_settled(other))
        };
        let may_start = |case: &Row| {
            (nobody_runs || self.isolation(case) == Isolation::Together) && ready(case)
        };
        let candidates = self.waiting.iter().enumerate().filter(|(_, (case, _))| may_start(case));
        let (at, _) = candidates.min_by_key(|(at, (case, _))| (self.isolation(case), *at))?;
        Some(self.waiting.remove(at))
    }

    fn start(
        &self,
        case: &'static Case<R::Side>,
        asked: bool,
        turn: Turn,
    ) -> BoxFuture<'static, Done<R>> {
        let seed = self.seed ^ OTHER_TRY.wrapping_mul(turn.before.into());
        let mut hands = self.runner.hands(case.row(), turn.footing, seed);
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
            let mut result = CaseResult::new(case, asked, verdict);
            result.took_ms = took_ms;
            if !matches!(result.verdict, Verdict::Pass | Verdict::Observed { .. }) {
                result.timeline = R::trace(&hands).take();
                let testimony = R::testimony(&hands, case);
                result.hint = testimony.hint.unwrap_or(result.hint);
                result.printed = testimony.printed;
            }
            R::finish(&mut hands).await;
            Done { case, turn, result, bug }
        }
        .boxed()
    }

    /// Takes a result, or asks the case again.
    async fn take(&mut self, done: Done<R>, watch: &mut dyn Watch) {
        let Done { case, turn, mut result, bug } = done;
        self.bugs.extend(bug);
        result.verdict = self.weighed(case, result.verdict);
        match self.runner.after(turn, &mut result).await {
            Next::Again => {
                self.before.insert(case.id, turn.before.saturating_add(1));
                self.waiting.push((case, result.asked));
            }
            Next::Keep => self.record(case, result, watch),
        }
    }

    /// A verdict in the light of others: what did not come may be explained by another failure, what
    /// was never seen at all by a need, and an open question can't be failed.
    fn weighed(&self, case: &Row, verdict: Verdict) -> Verdict {
        let by = match &verdict {
            Verdict::Fail(Mismatch { missing: true, .. }) | Verdict::Inconclusive { .. } => {
                self.failed(case, case.needs).or_else(|| self.failed(case, case.excuses))
            }
            _ => None,
        };
        match (by, verdict) {
            (Some(by), _) => Verdict::Blocked { by },
            (None, Verdict::Fail(mismatch)) if case.level == Level::Open => Verdict::inconclusive(
                format!("expected {}; got {}", mismatch.expected, mismatch.actual),
            ),
            (None, verdict) => verdict,
        }
    }

    fn record(&mut self, case: &Row, result: CaseResult, watch: &mut dyn Watch) {
        watch.done(&result);
        self.results.insert(case.id, result);
    }
}

/// What is binding comes first.
const fn rank(level: Level) -> u8 {
    match level {
        Level::Must => 0,
        Level::Should => 1,
        Level::Open => 2,
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}
