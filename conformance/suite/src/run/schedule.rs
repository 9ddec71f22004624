//! The order of cases: after what they need, together where they don't disturb each other, and
//! with a look at the subject's health in between.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use conformance_kit::{clock::Clock, net::dial::Transport, subject::spawn::Spawned};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;

use super::{Options, Watch};
use crate::{
    case::{Case, Isolation, Level},
    claims::Claims,
    report::CaseResult,
    server::{hands::ServerHands, shared::Shared},
    verdict::Verdict,
};

/// The cases of one run and what became of them.
pub(crate) struct Schedule<'a> {
    shared: Arc<Shared>,
    options: &'a Options,
    seed: u64,
    /// Cases of other extensions are not asked.
    pub(crate) claims: Claims,
    order: Vec<&'static str>,
    waiting: Vec<(&'static Case, bool)>,
    results: HashMap<&'static str, CaseResult>,
    bugs: Vec<String>,
    /// After which case the subject did not answer any more.
    lost: Option<&'static str>,
    managed: Option<ManagedServer>,
    /// Counts the servers that were started one after the other.
    epoch: usize,
    /// Cases that run again without company: they failed in it, or its server died. What they say
    /// alone counts, and their timeline holds nobody else's traffic.
    solo: HashSet<&'static str>,
}

/// A server of the suite's own.
pub(crate) struct ManagedServer {
    pub(crate) spawned: Spawned,
    /// A new one for every case.
    pub(crate) fresh: bool,
}

/// Changes the nonces of a case that is asked again.
const SECOND_TRY: u64 = 0x5EC0_0000_0000_0000;

/// What comes back from a case.
struct Done {
    case: &'static Case,
    result: CaseResult,
    alive: bool,
    epoch: usize,
    bug: Option<String>,
}

impl<'a> Schedule<'a> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        options: &'a Options,
        seed: u64,
        selected: Vec<(&'static Case, bool)>,
        managed: Option<ManagedServer>,
    ) -> Self {
        Self {
            shared,
            options,
            seed,
            claims: Claims::default(),
            order: selected.iter().map(|(case, _)| case.id).collect(),
            waiting: selected,
            results: HashMap::new(),
            bugs: Vec::new(),
            lost: None,
            managed,
            epoch: 0,
            solo: HashSet::new(),
        }
    }

    /// Runs everything, or as much as the deadline allows.
    pub(crate) async fn run(&mut self, watch: &mut dyn Watch) {
        let mut running: FuturesUnordered<BoxFuture<'static, Done>> = FuturesUnordered::new();
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
            let left = self.options.deadline.saturating_sub(self.shared.clock.elapsed());
            let Ok(Some(done)) = timeout(left, running.next()).await else {
                break;
            };
            alone = false;
            self.take(done, !running.is_empty(), watch).await;
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
        for case in missing.into_iter().filter_map(|id| crate::cases::find(id)).collect::<Vec<_>>()
        {
            self.record(case, late(case, true), watch);
        }
    }

    fn jobs(&self) -> usize {
        let fresh = self.managed.as_ref().is_some_and(|managed| managed.fresh);
        if fresh { 1 } else { self.options.jobs.max(1) }
    }

    fn isolation(&self, case: &Case) -> Isolation {
        if self.solo.contains(case.id) && case.isolation == Isolation::Together {
            Isolation::Alone
        } else {
            case.isolation
        }
    }

    /// What the subject printed last.
    pub(crate) fn output(&self) -> String {
        self.managed.as_ref().map(|managed| managed.spawned.output()).unwrap_or_default()
    }

    /// The results in the order of the catalogue, and the bugs of the suite.
    pub(crate) fn finish(mut self) -> (Vec<CaseResult>, Vec<String>) {
        let cases = self.order.iter().filter_map(|id| self.results.remove(id)).collect();
        (cases, self.bugs)
    }

    /// Gives a verdict to all cases that can't run: their needs failed, or the subject is gone.
    fn settle_unrunnable(&mut self, watch: &mut dyn Watch) {
        loop {
            let mut settled = false;
            for (case, asked) in std::mem::take(&mut self.waiting) {
                let failed = case.needs.iter().find(|need| {
                    self.results.get(*need).is_some_and(|result| !result.verdict.carries())
                        && !self.spoken_around(case, need)
                });
                let verdict = match (self.claims.excuse(case), failed, self.lost) {
                    (Some(excuse), ..) => excuse,
                    (None, Some(need), _) => Verdict::Blocked { by: self.root(need) },
                    (None, None, Some(after)) if case.isolation != Isolation::Last => {
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

    /// Whether a need failed, but the suite has found another way to speak: no TLS is charged once, and then done without
    /// by everything that is not about TLS.
    fn spoken_around(&self, case: &Case, need: &str) -> bool {
        need == "tls.handshake"
            && !case.id.starts_with("tls.")
            && matches!(self.shared.transport(), Transport::Plain)
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
        let lanes: &[Isolation] = if nobody_runs {
            &[Isolation::Together, Isolation::Alone, Isolation::Heavy, Isolation::Last]
        } else {
            &[Isolation::Together]
        };
        for isolation in lanes {
            let at = self
                .waiting
                .iter()
                .position(|(case, _)| self.isolation(case) == *isolation && ready(case));
            if let Some(at) = at {
                return Some(self.waiting.remove(at));
            }
        }
        None
    }

    fn start(&self, case: &'static Case, asked: bool) -> BoxFuture<'static, Done> {
        let shared = Arc::clone(&self.shared);
        // A second try must not find what the first one left behind.
        let seed = self.seed ^ if self.solo.contains(case.id) { SECOND_TRY } else { 0 };
        let epoch = self.epoch;
        async move {
            let mut hands = ServerHands::new(Arc::clone(&shared), case.id, seed);
            let clock = Clock::start();
            let limit = hands.patience() * 24 + Duration::from_secs(20);
            let mut bug = None;
            let outcome =
                AssertUnwindSafe(timeout(limit, case.ask_server(&mut hands))).catch_unwind().await;
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
            let rough = case.isolation != Isolation::Together || !verdict.carries();
            let probe =
                rough && case.isolation != Isolation::Last && shared.greeting().join.is_some();
            let alive = !probe || is_alive(&mut hands).await;
            let mut result = CaseResult::new(case, asked, verdict);
            result.took_ms = took_ms;
            let dull = matches!(result.verdict, Verdict::Pass | Verdict::Observed { .. });
            if !dull || !alive {
                result.timeline = hands.trace.take();
            }
            Done { case, result, alive, epoch, bug }
        }
        .boxed()
    }

    async fn take(&mut self, done: Done, company: bool, watch: &mut dyn Watch) {
        let Done { case, mut result, alive, epoch, bug } = done;
        self.bugs.extend(bug);
        let same_server = epoch == self.epoch;
        let died = !(alive && same_server);
        // A dead server that is not ours to start again can't be asked twice.
        let doubtful =
            if died { self.managed.is_some() } else { company && !result.verdict.carries() };
        let again = case.isolation == Isolation::Together && doubtful && self.jobs() > 1;
        if again && self.solo.insert(case.id) {
            self.waiting.push((case, result.asked));
        } else {
            if self.solo.contains(case.id) && matches!(result.verdict, Verdict::Pass) {
                result.flaky = Some("passed alone, and not in the company of others".to_owned());
            }
            if !alive && same_server && self.lost.is_none() {
                result.verdict = after_death(case, result.verdict);
            }
            self.record(case, result, watch);
        }
        let fresh = self.managed.as_ref().is_some_and(|managed| managed.fresh);
        if (!alive && same_server) || fresh {
            self.lost = if self.restart().await { None } else { self.lost.or(Some(case.id)) };
        }
    }

    /// Starts the server again; false when it is not the suite's to start, or does not answer.
    async fn restart(&mut self) -> bool {
        let Some(managed) = &mut self.managed else { return false };
        let Ok(target) = managed.spawned.start().await else { return false };
        self.epoch += 1;
        let Ok(addresses) = target.resolve().await else { return false };
        let mut hands = ServerHands::new(Arc::clone(&self.shared), "restart", self.seed);
        let clock = Clock::start();
        while managed.spawned.is_running() && clock.elapsed() < Duration::from_secs(15) {
            for address in &addresses {
                self.shared.set_addresses(*address, addresses.clone());
                if hands.is_answered().await {
                    return true;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    fn record(&mut self, case: &'static Case, result: CaseResult, watch: &mut dyn Watch) {
        watch.done(&result);
        self.results.insert(case.id, result);
    }
}

/// Whether the subject still answers; asked twice, since a busy server is not a dead one.
async fn is_alive(hands: &mut ServerHands) -> bool {
    for _ in 0..2 {
        if hands.is_answered().await {
            return true;
        }
        hands.settle().await;
    }
    false
}

/// The verdict of a case after which the subject was dead.
fn after_death(case: &Case, verdict: Verdict) -> Verdict {
    const DEAD: &str = "after this case nobody got an answer any more: the server is gone or stuck";
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
