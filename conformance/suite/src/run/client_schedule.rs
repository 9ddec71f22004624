//! The order of a client's cases: after what they need, a few at the same time, each with a client
//! of its own.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use conformance_kit::clock::Clock;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;

use crate::{
    case::{Case, Isolation},
    client::{hands::ClientHands, shared::Shared},
    report::CaseResult,
    run::{Options, Watch},
    verdict::Verdict,
};

/// Changes the nonces of a case that is asked again.
const SECOND_TRY: u64 = 0x5EC0_0000_0000_0000;

type Selected = (&'static Case, bool);

/// What comes back from a case.
struct Done {
    case: &'static Case,
    result: CaseResult,
    bug: Option<String>,
}

struct Schedule<'a> {
    shared: &'a Arc<Shared>,
    seed: u64,
    order: Vec<Selected>,
    waiting: Vec<Selected>,
    results: HashMap<&'static str, CaseResult>,
    /// Cases that run again without company: what they say alone counts.
    solo: HashSet<&'static str>,
}

/// Runs all cases, and tells of each as soon as it is done. Gives back the results in the order of
/// the selection, and the bugs of the suite.
pub(super) async fn run(
    shared: &Arc<Shared>,
    options: &Options,
    seed: u64,
    selected: Vec<Selected>,
    watch: &mut dyn Watch,
) -> (Vec<CaseResult>, Vec<String>) {
    let mut schedule = Schedule {
        shared,
        seed,
        order: selected.clone(),
        waiting: selected,
        results: HashMap::new(),
        solo: HashSet::new(),
    };
    let jobs = options.jobs.max(1);
    let mut bugs = Vec::new();
    let mut running: FuturesUnordered<BoxFuture<'static, Done>> = FuturesUnordered::new();
    let mut alone = false;
    loop {
        schedule.settle_blocked(watch);
        while !alone && running.len() < jobs {
            let Some(next) = schedule.next(running.is_empty()) else { break };
            let (case, asked) = schedule.waiting.remove(next);
            alone = schedule.isolation(case) != Isolation::Together;
            running.push(schedule.ask(case, asked));
        }
        if running.is_empty() {
            break;
        }
        let left = options.deadline.saturating_sub(shared.clock.elapsed());
        let Ok(Some(done)) = timeout(left, running.next()).await else { break };
        alone = false;
        bugs.extend(done.bug);
        schedule.take(done.case, done.result, !running.is_empty(), watch);
    }
    (schedule.finish(options.deadline), bugs)
}

impl Schedule<'_> {
    /// Gives a verdict to all cases whose needs failed.
    fn settle_blocked(&mut self, watch: &mut dyn Watch) {
        let fails = |results: &HashMap<&'static str, CaseResult>, need: &str| {
            results.get(need).is_some_and(|result| !result.verdict.carries())
        };
        loop {
            let blocked = self.waiting.iter().enumerate().find_map(|(at, (case, _))| {
                Some((at, *case.needs.iter().find(|need| fails(&self.results, need))?))
            });
            let Some((at, need)) = blocked else { return };
            let (case, asked) = self.waiting.remove(at);
            // The case that is to blame in the end.
            let by = match self.results.get(need).map(|result| &result.verdict) {
                Some(Verdict::Blocked { by }) => by.clone(),
                _ => need.to_owned(),
            };
            let result = CaseResult::new(case, asked, Verdict::Blocked { by });
            watch.done(&result);
            self.results.insert(case.id, result);
        }
    }

    fn isolation(&self, case: &Case) -> Isolation {
        match case.isolation {
            Isolation::Together if self.solo.contains(case.id) => Isolation::Alone,
            isolation => isolation,
        }
    }

    /// The next case that may start now; those that judge what all the others saw come last.
    fn next(&self, nobody_runs: bool) -> Option<usize> {
        let ready = |case: &Case| {
            case.needs.iter().all(|need| {
                // What was not selected was skipped on purpose.
                self.results.contains_key(need)
                    || !self.order.iter().any(|(other, _)| other.id == *need)
            })
        };
        let lanes: &[Isolation] = if nobody_runs {
            &[Isolation::Together, Isolation::Alone, Isolation::Heavy, Isolation::Last]
        } else {
            &[Isolation::Together]
        };
        lanes.iter().find_map(|isolation| {
            self.waiting
                .iter()
                .position(|(case, _)| self.isolation(case) == *isolation && ready(case))
        })
    }

    fn ask(&self, case: &'static Case, asked: bool) -> BoxFuture<'static, Done> {
        let shared = Arc::clone(self.shared);
        let seed = self.seed ^ if self.solo.contains(case.id) { SECOND_TRY } else { 0 };
        async move {
            let mut hands = ClientHands::new(Arc::clone(&shared), case.id, seed);
            let clock = Clock::start();
            let pace = shared.pace();
            let limit = pace.start * 2 + pace.patience * 24 + Duration::from_secs(20);
            let mut bug = None;
            let asking =
                AssertUnwindSafe(timeout(limit, case.ask_client(&mut hands))).catch_unwind();
            let verdict = match asking.await {
                Ok(Ok(Ok(verdict) | Err(verdict))) => verdict,
                Ok(Err(_)) => {
                    Verdict::inconclusive(format!("the case took longer than {limit:.0?}"))
                }
                Err(panic) => {
                    let text = panic.downcast_ref::<&str>().copied().unwrap_or("a panic");
                    bug = Some(format!("{}: {text}", case.id));
                    Verdict::inconclusive("a bug in the suite")
                }
            };
            let mut result = CaseResult::new(case, asked, verdict);
            result.took_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
            if !matches!(result.verdict, Verdict::Pass | Verdict::Observed { .. }) {
                result.timeline = hands.trace.take();
            }
            Done { case, result, bug }
        }
        .boxed()
    }

    /// Takes a result; a case that failed while others kept the machine busy is asked again alone.
    fn take(
        &mut self,
        case: &'static Case,
        mut result: CaseResult,
        company: bool,
        watch: &mut dyn Watch,
    ) {
        let doubtful =
            company && !result.verdict.carries() && case.isolation == Isolation::Together;
        if doubtful && self.solo.insert(case.id) {
            self.waiting.push((case, result.asked));
            return;
        }
        if self.solo.contains(case.id) && matches!(result.verdict, Verdict::Pass) {
            result.flaky = Some("passed alone, and not in the company of others".to_owned());
        }
        watch.done(&result);
        self.results.insert(case.id, result);
    }

    fn finish(mut self, deadline: Duration) -> Vec<CaseResult> {
        let late = format!("the run's deadline of {deadline:.0?} was reached before this was done");
        let results = self.order.iter().map(|(case, asked)| {
            self.results
                .remove(case.id)
                .unwrap_or_else(|| CaseResult::new(case, *asked, Verdict::inconclusive(&late)))
        });
        results.collect()
    }
}
