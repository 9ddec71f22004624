//! The order of a client's cases: after what they need, a few at the same time, each with a client
//! of its own.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;

use super::{lobby::Lobby, stage::Stage};
use crate::{
    case::{Case, Lane},
    clock::Clock,
    report::CaseResult,
    run::Options,
    verdict::Verdict,
};

/// What comes back from a case.
struct Done {
    case: &'static Case,
    result: CaseResult,
    bug: Option<String>,
}

/// Runs all cases, and tells of each as soon as it is done. Gives back the results in the order of
/// the selection, and the bugs of the suite.
pub(super) async fn run(
    lobby: &Arc<Lobby>,
    options: &Options,
    seed: u64,
    selected: Vec<(&'static Case, bool)>,
    watch: &mut (dyn FnMut(&CaseResult) + Send),
) -> (Vec<CaseResult>, Vec<String>) {
    let order: Vec<_> = selected.clone();
    let mut waiting = selected;
    let mut results: HashMap<&'static str, CaseResult> = HashMap::new();
    let mut bugs = Vec::new();
    let mut running: FuturesUnordered<BoxFuture<'static, Done>> = FuturesUnordered::new();
    loop {
        settle_blocked(&mut waiting, &mut results, watch);
        while running.len() < options.jobs.max(1) {
            let Some(next) = next(&waiting, &order, &results, running.is_empty()) else { break };
            let (case, asked) = waiting.remove(next);
            running.push(ask(Arc::clone(lobby), case, asked, seed));
        }
        if running.is_empty() {
            break;
        }
        let left = options.deadline.saturating_sub(lobby.clock.elapsed());
        let Ok(Some(done)) = timeout(left, running.next()).await else { break };
        bugs.extend(done.bug);
        watch(&done.result);
        results.insert(done.case.id, done.result);
    }
    let late = format!("the run's deadline of {:.0?} was reached", options.deadline);
    let cases = order.iter().map(|(case, asked)| {
        results
            .remove(case.id)
            .unwrap_or_else(|| CaseResult::new(case, *asked, Verdict::inconclusive(&late)))
    });
    (cases.collect(), bugs)
}

/// Gives a verdict to all cases whose needs failed.
fn settle_blocked(
    waiting: &mut Vec<(&'static Case, bool)>,
    results: &mut HashMap<&'static str, CaseResult>,
    watch: &mut (dyn FnMut(&CaseResult) + Send),
) {
    loop {
        let blocked = waiting.iter().enumerate().find_map(|(at, (case, _))| {
            let carries = |need: &&&str| results.get(**need).is_some_and(|r| !r.verdict.carries());
            Some((at, *case.needs.iter().find(carries)?))
        });
        let Some((at, need)) = blocked else { return };
        let (case, asked) = waiting.remove(at);
        // The case that is to blame in the end.
        let by = match results.get(need).map(|result| &result.verdict) {
            Some(Verdict::Blocked { by }) => by.clone(),
            _ => need.to_owned(),
        };
        let result = CaseResult::new(case, asked, Verdict::Blocked { by });
        watch(&result);
        results.insert(case.id, result);
    }
}

/// The next case that may start now; those that judge what all the others saw come last.
fn next(
    waiting: &[(&'static Case, bool)],
    order: &[(&'static Case, bool)],
    results: &HashMap<&'static str, CaseResult>,
    nobody_runs: bool,
) -> Option<usize> {
    let ready = |case: &Case| {
        case.needs.iter().all(|need| {
            // What was not selected was skipped on purpose.
            results.contains_key(need) || !order.iter().any(|(other, _)| other.id == *need)
        })
    };
    let of = |lane: Lane| waiting.iter().position(|(case, _)| case.lane == lane && ready(case));
    let others = waiting.iter().any(|(case, _)| case.lane != Lane::Last);
    match of(Lane::Together).or_else(|| of(Lane::Alone)) {
        None if nobody_runs || !others && results.len() + waiting.len() == order.len() => {
            of(Lane::Last)
        }
        found => found,
    }
}

fn ask(lobby: Arc<Lobby>, case: &'static Case, asked: bool, seed: u64) -> BoxFuture<'static, Done> {
    async move {
        let mut stage = Stage::new(Arc::clone(&lobby), case.id, seed);
        let clock = Clock::start();
        let pace = lobby.pace();
        let limit = pace.start * 2 + pace.patience * 24 + Duration::from_secs(20);
        let mut bug = None;
        let asking = AssertUnwindSafe(timeout(limit, case.ask_client(&mut stage))).catch_unwind();
        let verdict = match asking.await {
            Ok(Ok(Ok(verdict) | Err(verdict))) => verdict,
            Ok(Err(_)) => Verdict::inconclusive(format!("the case took longer than {limit:.0?}")),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().copied().unwrap_or("a panic");
                bug = Some(format!("{}: {text}", case.id));
                Verdict::inconclusive("a bug in the suite")
            }
        };
        let mut result = CaseResult::new(case, asked, verdict);
        result.took_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        if !matches!(result.verdict, Verdict::Pass) {
            result.timeline = stage.tape.take();
        }
        Done { case, result, bug }
    }
    .boxed()
}
