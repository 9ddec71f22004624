//! The scheduler's view of a server: one process serves all cases, and one of them may kill it.

use std::{sync::Arc, time::Duration};

use conformance_kit::{
    net::dial::Transport,
    subject::server::{Server, Waiting},
    trace::Trace,
};
use futures_util::future::BoxFuture;

use crate::{
    case::{Isolation, Row},
    clause::Level,
    run::runner::Runner,
    server::{ServerSide, hands::ServerHands, shared::Shared},
    verdict::Verdict,
};

/// A server of the suite's own.
pub(crate) struct ManagedServer {
    pub(crate) server: Server,
    /// A new one for every case.
    pub(crate) fresh: bool,
}

/// How long a server that was started again may take to answer.
const RESTARTING: Duration = Duration::from_secs(15);

/// The server under judgement.
pub(crate) struct ServerRunner {
    shared: Arc<Shared>,
    seed: u64,
    managed: Option<ManagedServer>,
    /// After which case the subject did not answer any more.
    lost: Option<&'static str>,
    /// Counts the servers that were started one after the other.
    epoch: usize,
}

impl ServerRunner {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        seed: u64,
        managed: Option<ManagedServer>,
    ) -> Self {
        Self { shared, seed, managed, lost: None, epoch: 0 }
    }

    /// The end of the subject's output.
    pub(crate) fn output(&self) -> String {
        self.managed.as_ref().map(|managed| managed.server.output()).unwrap_or_default()
    }

    fn is_fresh(&self) -> bool {
        self.managed.as_ref().is_some_and(|managed| managed.fresh)
    }

    /// Starts the server again; false when it is not the suite's to start, or does not answer.
    async fn restart(&mut self) -> bool {
        let Some(managed) = &mut self.managed else { return false };
        let Some(Ok(target)) = managed.server.restart().await else { return false };
        self.epoch += 1;
        let Ok(addresses) = target.resolve().await else { return false };
        let mut hands = ServerHands::new(Arc::clone(&self.shared), "restart", self.seed);
        let waiting = Waiting::for_at_most(RESTARTING);
        loop {
            for address in &addresses {
                self.shared.set_addresses(*address, addresses.clone());
                if hands.is_answered().await {
                    return true;
                }
            }
            if waiting.again(&mut managed.server).await.is_err() {
                return false;
            }
        }
    }
}

impl Runner for ServerRunner {
    type Side = ServerSide;

    fn elapsed(&self) -> Duration {
        self.shared.clock.elapsed()
    }

    fn jobs(&self, wanted: usize) -> usize {
        if self.is_fresh() { 1 } else { wanted.max(1) }
    }

    fn hands(&self, case: &'static str, seed: u64) -> ServerHands {
        ServerHands::new(Arc::clone(&self.shared), case, seed)
    }

    fn trace(hands: &ServerHands) -> &Trace {
        &hands.trace
    }

    fn limit(hands: &ServerHands) -> Duration {
        hands.patience() * 24 + Duration::from_secs(20)
    }

    /// Cases of extensions that the subject does not claim are not asked.
    fn excuse(&self, case: &Row) -> Option<Verdict> {
        self.shared.claims().excuse(case)
    }

    /// No TLS is charged once, and then done without by everything that is not about TLS.
    fn spoken_around(&self, case: &Row, need: &str) -> bool {
        need == "tls.handshake"
            && !case.id.starts_with("tls.")
            && matches!(self.shared.transport(), Transport::Plain)
    }

    fn unreachable(&self, case: &Row) -> Option<Verdict> {
        let after = self.lost.filter(|_| case.isolation != Isolation::Last)?;
        Some(Verdict::inconclusive(format!(
            "the server stopped answering in or after {after}, so this case did not run"
        )))
    }

    fn check_health<'a>(
        hands: &'a mut ServerHands,
        case: &'a Row,
        verdict: &'a Verdict,
    ) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let rough = case.isolation != Isolation::Together || !verdict.carries();
            let probe = rough
                && case.isolation != Isolation::Last
                && hands.shared.greeting().join.is_some();
            !probe || is_alive(hands).await
        })
    }

    fn epoch(&self) -> usize {
        self.epoch
    }

    fn is_ours(&self) -> bool {
        self.managed.is_some()
    }

    fn after_death(&self, case: &Row, verdict: Verdict) -> Verdict {
        if self.lost.is_some() { verdict } else { after_death(case, verdict) }
    }

    fn recover(&mut self, case: &'static str, dead: bool) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if dead || self.is_fresh() {
                self.lost = if self.restart().await { None } else { self.lost.or(Some(case)) };
            }
        })
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
fn after_death(case: &Row, verdict: Verdict) -> Verdict {
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
