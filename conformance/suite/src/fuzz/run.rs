//! Plays sessions against a server until time is up, and makes what it finds small.

use std::time::Duration;

use conformance_kit::{
    authority::{Authority, AuthorityError},
    clock::Clock,
    nonce::Nonces,
    subject::place::Place,
    trace::unhex,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use thiserror::Error;

use super::{
    grammar::{self, Cast},
    oracle::{CONNECT, Finding, Pair, memory, violations},
    shrink,
    transcript::{End, Step, Transcript, VERSION},
};
use crate::server::{
    hands::ServerHands,
    host::{Host, HostError},
    peer::Closing,
};

/// After so many findings a run ends: the same one comes again and again.
const MOST_FINDINGS: usize = 10;

/// How a run is to be done.
#[derive(Debug, Clone)]
pub struct FuzzOptions {
    /// The seed: the same one makes the same sessions.
    pub seed: u64,
    /// How long it goes on.
    pub time: Duration,
    /// How many cases it has, at most.
    pub cases: u64,
    /// How many MiB of memory a server that the suite started may have.
    pub memory: u64,
    /// All waiting times are multiplied by this.
    pub timeout_scale: f64,
}

/// The results of a run.
#[derive(Debug, Clone)]
pub struct FuzzReport {
    /// Sessions that were played.
    pub cases: u64,
    /// How long that took.
    pub took: Duration,
    /// The findings, each shrunk.
    pub findings: Vec<Transcript>,
    /// MiB of the server at the beginning and at the end, where the system tells it.
    pub memory: Option<(u64, u64)>,
}

/// Why there is no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FuzzError {
    /// No server.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Certificates could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// A server, and two users at it.
struct Bench<'a> {
    place: &'a Place,
    authority: Authority,
    options: &'a FuzzOptions,
    host: Host,
    pair: Option<Pair>,
    violations: usize,
    started: u64,
    /// Whether a session gets the time to have its effect, so that the next one is not blamed.
    careful: bool,
}

/// Plays sessions until time is up, and tells how many there were.
///
/// # Errors
/// When there is no server to begin with.
pub async fn run(
    place: &Place,
    options: &FuzzOptions,
    tell: &mut (dyn FnMut(u64, &[Transcript]) + Send),
) -> Result<FuzzReport, FuzzError> {
    let mut bench = Bench::open(place, options).await?;
    let before = memory(bench.host.process());
    let clock = Clock::start();
    let mut findings = Vec::new();
    let mut cases = 0;
    let mut before_last = Vec::new();
    while cases < options.cases && clock.elapsed() < options.time && findings.len() < MOST_FINDINGS
    {
        let steps = bench.session(cases);
        if let Err(finding) = bench.play(&steps).await {
            let (steps, sure) = bench.smallest([&steps, &before_last], &finding).await;
            let doubt = if sure { "" } else { " (seen once, and not again)" };
            findings.push(Transcript {
                version: VERSION,
                seed: options.seed,
                case: cases,
                finding: format!("{finding}{doubt}"),
                steps,
            });
            if bench.reopen().await.is_err() {
                cases += 1;
                break;
            }
        }
        cases += 1;
        before_last = steps;
        tell(cases, &findings);
    }
    let after = memory(bench.host.process());
    Ok(FuzzReport { cases, took: clock.elapsed(), findings, memory: before.zip(after) })
}

/// Plays one transcript, and says what it does to the server.
///
/// # Errors
/// When there is no server.
pub async fn replay(
    place: &Place,
    options: &FuzzOptions,
    transcript: &Transcript,
) -> Result<Option<Finding>, FuzzError> {
    let mut bench = Bench::open(place, options).await?;
    bench.careful = true;
    Ok(bench.play(&transcript.steps).await.err())
}

impl<'a> Bench<'a> {
    async fn open(place: &'a Place, options: &'a FuzzOptions) -> Result<Self, FuzzError> {
        let authority = Authority::make()?;
        let host = Host::open(place, &authority, options.seed, options.timeout_scale).await?;
        let violations = violations(&host.shared.invariants).0;
        let (pair, started, careful) = (None, 0, false);
        Ok(Self { place, authority, options, host, pair, violations, started, careful })
    }

    /// Finds the server again, or starts it again when it has ended.
    async fn reopen(&mut self) -> Result<(), HostError> {
        self.pair = None;
        self.started += 1;
        let (seed, scale) = (self.options.seed ^ (self.started << 32), self.options.timeout_scale);
        self.host = Host::open(self.place, &self.authority, seed, scale).await?;
        self.violations = violations(&self.host.shared.invariants).0;
        Ok(())
    }

    /// The session of a case.
    fn session(&self, case: u64) -> Vec<Step> {
        let mut random =
            StdRng::seed_from_u64(self.options.seed ^ case.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut nonces = Nonces::new(random.random(), "fuzz");
        let me = nonces.name("fuzz");
        let other = self.pair.as_ref().map_or("bob", |pair| pair.bob.name.as_str());
        let cast = Cast { me: &me, other, mark: self.host.shared.invariants.mark() };
        grammar::session(&mut random, &cast, self.host.shared.quirks().reads)
    }

    /// Plays a session and looks at what must hold.
    async fn play(&mut self, steps: &[Step]) -> Result<(), Finding> {
        let seed = self.options.seed ^ self.started;
        self.started += 1;
        if self.pair.as_ref().is_none_or(Pair::is_tired) {
            // The two of before leave first.
            self.pair = None;
            self.pair = Some(Pair::join(&self.host, seed).await?);
        }
        let timing = self.host.shared.timing();
        let farewell = if self.careful { timing.patience } else { timing.settle };
        let played = send(&self.host, steps, farewell).await;
        if self.careful {
            tokio::time::sleep(timing.settle).await;
        }
        if !self.host.is_running() {
            return Err(Finding::Died(self.host.output()));
        }
        if let Some(pair) = &mut self.pair
            && let Err(finding) = pair.talk().await
        {
            self.pair = None;
            // A process that ends closes its connections first.
            tokio::time::sleep(self.host.shared.timing().settle).await;
            let alive = self.host.is_running();
            return Err(if alive { finding } else { Finding::Died(self.host.output()) });
        }
        played?;
        let (count, what) = violations(&self.host.shared.invariants);
        if count > self.violations {
            self.violations = count;
            return Err(Finding::Broke(what));
        }
        match memory(self.host.process()) {
            Some(mib) if mib > self.options.memory => Err(Finding::Memory(mib)),
            _ => Ok(()),
        }
    }

    /// The smallest part of the session that does the same to the server, or of the one before,
    /// whose effect may have come late; and whether it did so again.
    async fn smallest(&mut self, suspects: [&[Step]; 2], finding: &Finding) -> (Vec<Step>, bool) {
        self.careful = true;
        let mut found = None;
        for steps in suspects {
            if self.again(steps, finding).await {
                let small =
                    shrink::shrink(steps, async |fewer: &[Step]| self.again(fewer, finding).await);
                found = Some(small.await);
                break;
            }
        }
        self.careful = false;
        let sure = found.is_some();
        let [first, _] = suspects;
        (found.unwrap_or_else(|| first.to_vec()), sure)
    }

    /// Whether these steps do something of the same kind to a server that is well.
    async fn again(&mut self, steps: &[Step], finding: &Finding) -> bool {
        let broken = self.pair.is_none() || !self.host.is_running();
        if steps.is_empty() || broken && self.reopen().await.is_err() {
            return false;
        }
        matches!(self.play(steps).await, Err(other) if other.is_like(finding))
    }
}

/// Plays the steps on a connection of their own, and reads what comes until the server ends it,
/// within `farewell`.
async fn send(host: &Host, steps: &[Step], farewell: Duration) -> Result<(), Finding> {
    let mut hands = ServerHands::new(std::sync::Arc::clone(&host.shared), "fuzz", 0);
    let connecting = tokio::time::timeout(CONNECT, hands.connect("fuzz"));
    let mut peer = match connecting.await {
        Ok(Ok(peer)) => peer,
        Ok(Err(verdict)) => return Err(Finding::NotServed(format!("{verdict:?}"))),
        Err(_) => return Err(Finding::NotServed("no connection any more".to_owned())),
    };
    for step in steps {
        match step {
            Step::Send { hex, .. } => peer.send_bytes(&unhex(hex)).await,
            Step::Pause(ms) => tokio::time::sleep(Duration::from_millis((*ms).into())).await,
            Step::Close(how) => {
                let closing = match how {
                    End::Polite => Closing::Polite,
                    End::Fin => Closing::Fin,
                    End::Reset => Closing::Reset,
                };
                peer.close_within(closing, farewell).await;
                return Ok(());
            }
        }
    }
    peer.close_within(Closing::Fin, farewell).await;
    Ok(())
}
