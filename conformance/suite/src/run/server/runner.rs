//! The scheduler's view of a server. A server that the suite starts itself serves the gentle cases one
//! after the other, and is started anew for whatever may have left a mark on it, or failed.

use std::{sync::Arc, time::Duration};

use conformance_kit::{
    clock::Clock,
    subject::{
        listening::is_listened_on,
        printed::Mark,
        server::{NoAnswer, Server, Waiting},
    },
    timing::Lag,
    trace::Trace,
};
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::{
    case::{Isolation, Row},
    cases::feed,
    clause::Level,
    report::CaseResult,
    run::runner::{Footing, Next, Runner, Turn},
    server::{ServerSide, hands::ServerHands, shared::Shared},
    verdict::Verdict,
};

/// A server of the suite's own.
pub(crate) struct ManagedServer {
    server: Server,
    /// A new one for every case: because the user wants it, or since one that had served others gave
    /// another answer than a new one.
    always_fresh: bool,
    /// Somebody has used it.
    used: bool,
    /// What it does from now on proves nothing: a case has failed on it, or may have marked it.
    spent: bool,
    /// What it has printed since then belongs to the present case.
    since: Mark,
}

impl ManagedServer {
    /// A server that the first contact has used.
    pub(crate) fn new(server: Server, always_fresh: bool) -> Self {
        let since = server.mark();
        Self { server, always_fresh, used: true, spent: false, since }
    }
}

/// How long a server that was started again may take to answer.
const RESTARTING: Duration = Duration::from_secs(30);
/// How long a server may be silent before it is taken for one that is stuck: a busy machine, or a
/// large message, keeps a living one silent for a while.
const STUCK: Duration = Duration::from_secs(15);
/// What is said of one.
const STUCK_TEXT: &str = "the server is stuck: nobody gets an answer any more";
/// The part of the measured time that a first attempt is given, when there will be a second.
const HURRIED: f64 = 0.5;
/// The same for an attempt on a machine that was found to be slow.
const PATIENT: f64 = 4.0;
/// When the suite itself waits so much longer than it meant to, the machine is slow.
const SLOW: Duration = Duration::from_millis(150);
/// How often a case is asked at most.
const MOST_TRIES: u8 = 3;

/// The case that proves that public messages reach others.
const SERVES: &str = "bcast.all-others";

/// The case that asks whether anybody is welcomed after it.
const AFTER_TALK: &str = "join.after-talk";

/// What the runner has to know of the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Whether the cases run that leave megabytes on a server of somebody else.
    pub(crate) heavy: bool,
    /// Whether rules for all frames are judged.
    pub(crate) feeds: bool,
    /// All waiting times are multiplied by this.
    pub(crate) scale: f64,
}

/// The server under judgement.
pub(crate) struct ServerRunner {
    shared: Arc<Shared>,
    managed: Option<ManagedServer>,
    /// Why nothing more can be asked.
    lost: Option<String>,
    /// How late the suite itself was woken.
    lag: Lag,
    /// Whether the machine, or the server, was found to be slow.
    slow: bool,
    /// Whether first attempts are hurried: until one needed the time that it was not given.
    hurries: bool,
    /// A case has sent somebody else's server what the norm leaves open: what it does from now on may be
    /// the answer to that.
    marked: bool,
    /// The case that was asked last of somebody else's server.
    latest: Option<&'static str>,
    /// Whether rules for all frames are judged in this run, which have to be fed before anything may leave
    /// a mark.
    feeds: bool,
    /// All waiting for a start is multiplied by this.
    scale: f64,
    /// Whether public messages are known to reach others.
    serves: bool,
    /// Whether the cases run that leave megabytes on a server of somebody else.
    heavy: bool,
}

impl ServerRunner {
    pub(crate) fn new(shared: Arc<Shared>, managed: Option<ManagedServer>, plan: Plan) -> Self {
        Self {
            shared,
            managed,
            lost: None,
            lag: Lag::watch(),
            slow: false,
            hurries: true,
            marked: false,
            latest: None,
            feeds: plan.feeds,
            scale: plan.scale,
            serves: false,
            heavy: plan.heavy,
        }
    }

    /// The end of the subject's output.
    pub(crate) fn output(&self) -> String {
        self.managed.as_ref().map(|managed| managed.server.output()).unwrap_or_default()
    }

    /// Whether a case is hurried: whatever it does not find in this time it is asked for again.
    fn is_hurried(case: &Row, before: u8) -> bool {
        before == 0 && !case.chance && case.level != Level::Open && case.extension.is_none()
    }

    fn pace(&self, case: &Row, before: u8, fresh: bool) -> f64 {
        match before {
            0 if self.managed.is_some()
                && !fresh
                && self.hurries
                && Self::is_hurried(case, before) =>
            {
                HURRIED
            }
            0 => 1.0,
            _ if self.slow => PATIENT,
            _ => 1.0,
        }
    }

    /// Starts the server again, and waits until it listens.
    async fn restart(&mut self) -> Result<(), String> {
        let Some(managed) = &mut self.managed else { return Ok(()) };
        let started = managed.server.restart().await;
        (managed.used, managed.spent) = (false, false);
        if let Some(Err(error)) = started {
            return Err(error.to_string());
        }
        let waiting = Waiting::for_at_most(RESTARTING.mul_f64(self.scale.max(1.0)));
        loop {
            // Another one, where somebody else was quicker to take the port.
            let target = managed.server.target.clone();
            let mut addresses = target.resolve().await.map_err(|error| error.to_string())?;
            // The one that answered at first: the host may have others where nobody listens.
            let known = self.shared.address().ip();
            addresses.sort_by_key(|address| address.ip() != known);
            for address in &addresses {
                self.shared.set_addresses(*address, addresses.clone());
                if is_open(&self.shared).await {
                    return Ok(());
                }
            }
            match waiting.again(&mut managed.server).await {
                Ok(()) => {}
                Err(NoAnswer::Ended) => {
                    let how = managed.server.ending();
                    return Err(how.unwrap_or_else(|| "it has ended".to_owned()));
                }
                Err(NoAnswer::Late) => return Err("nobody listens".to_owned()),
            }
        }
    }

    /// The verdict of a case that can't be asked since the server is lost. What judges all frames needs
    /// nobody.
    fn unreachable(&self, case: &Row) -> Option<Verdict> {
        let why = self.lost.as_ref().filter(|_| case.isolation != Isolation::Last)?;
        Some(Verdict::inconclusive(format!("{why}, so this case did not run")))
    }

    /// Looks whether somebody else's server is there before a case, so that no case is charged for what
    /// became of it in the one before; and, before the first case that may leave a mark, sees to it
    /// that the rules for all frames have been fed.
    async fn look(&mut self, case: &'static Row) {
        if self.shared.greeting().join.is_some() && case.isolation != Isolation::Last {
            let mut hands = self.stranger();
            let answered = hands.is_answered().await;
            hands.farewell().await;
            // That nobody is welcomed after something was said is what one case is about.
            let asks_that = case.id == AFTER_TALK && is_open(&self.shared).await;
            if !answered
                && !asks_that
                && let Health::Dead(how) = self.health(case).await
            {
                let before = self.latest.unwrap_or("the first contact");
                self.lost = Some(format!("{how} in or after {before}"));
                return;
            }
        }
        if case.isolation == Isolation::Marking && !self.marked && self.feeds {
            let shared = Arc::new(self.shared.for_case(1.0, true));
            let mut hands = ServerHands::new(Arc::clone(&shared), "inv", rand::random());
            shared.feed_once(feed(&mut hands)).await;
            hands.farewell().await;
        }
        self.latest = Some(case.id);
    }

    /// Hands that belong to no case: what they see is nobody's evidence.
    fn stranger(&self) -> ServerHands {
        let shared = Arc::new(self.shared.for_case(1.0, false));
        ServerHands::new(shared, "health", rand::random())
    }

    /// Looks at the result of a case of a server that the suite started.
    async fn after_managed(&mut self, turn: Turn, result: &mut CaseResult) -> Next {
        let slow = self.slow;
        let Some(managed) = &mut self.managed else { return Next::Keep };
        managed.used = true;
        let good = result.verdict.carries();
        managed.spent |= !good || turn.case.isolation.wants_fresh();
        if good {
            // Only what did not come was asked for again: time may have been all that it lacked, once.
            if turn.before > 0 && self.hurries {
                self.hurries = false;
            } else if turn.before > 0 {
                // What it was that the other server had become can't be known: each case gets its own.
                managed.always_fresh = true;
                result.flaky = Some(
                    "did not pass on a server that had served other cases; passed on a fresh one"
                        .to_owned(),
                );
            }
            return Next::Keep;
        }
        if !managed.server.is_running() {
            managed.server.drained().await;
            let how = managed.server.ending().unwrap_or_else(|| "it has ended".to_owned());
            let verdict = std::mem::replace(&mut result.verdict, Verdict::Pass);
            result.verdict = after_death(verdict, &format!("the server: {how}"));
        }
        result.printed = managed.server.output_since(managed.since);
        // Something wrong that came is evidence, whatever the server had served before: no case has sent it
        // more than what it has to survive.
        let about_time = result.verdict.is_about_time() || turn.case.extension.is_some();
        let may_be_the_other = !turn.footing.fresh || turn.company;
        let may_be_slow = slow && turn.footing.pace < PATIENT;
        let again = turn.before + 1 < MOST_TRIES
            && about_time
            && (may_be_slow || (may_be_the_other && !turn.case.chance));
        if again { Next::Again } else { Next::Keep }
    }

    /// Looks at the result of a case of somebody else's server, and whether that is still there.
    async fn after_running(&mut self, turn: Turn, result: &mut CaseResult) -> Next {
        let good = result.verdict.carries();
        self.marked |= turn.case.isolation == Isolation::Marking;
        self.serves |= good && turn.case.id == SERVES;
        if good && turn.before > 0 {
            result.flaky = Some("passed only when it was asked again, alone".to_owned());
        }
        if turn.company {
            let again = !good && !turn.case.chance && turn.before == 0;
            return if again { Next::Again } else { Next::Keep };
        }
        if good && turn.case.isolation < Isolation::Rough {
            return Next::Keep;
        }
        match self.health(turn.case).await {
            Health::Dead(how) => {
                let id = turn.case.id;
                // It was there when this case began.
                self.lost = Some(format!("{how} in or after {id}"));
                if !good {
                    let verdict = std::mem::replace(&mut result.verdict, Verdict::Pass);
                    result.verdict = after_death(verdict, &how);
                }
                return Next::Keep;
            }
            Health::Slow => self.slow = true,
            Health::Good => {}
        }
        // Cases of extensions don't tell what did not come from what is wrong.
        let about_time = result.verdict.is_about_time() || turn.case.extension.is_some();
        let in_vain = !good && about_time && !turn.case.chance;
        let enough = if self.slow { PATIENT } else { 1.0 };
        let more_time =
            turn.footing.pace < enough || (turn.case.extension.is_some() && turn.before == 0);
        if in_vain && more_time && turn.before + 1 < MOST_TRIES { Next::Again } else { Next::Keep }
    }

    /// Whether the subject still answers, and as fast as it did.
    async fn health(&self, case: &Row) -> Health {
        if self.shared.greeting().join.is_none() || case.isolation == Isolation::Last {
            return Health::Good;
        }
        let usual = self.shared.timing().patience;
        let mut hands = self.stranger();
        let (clock, mut last) = (Clock::start(), STUCK_TEXT);
        while clock.elapsed() < STUCK.max(usual * 4) {
            let answered = hands.is_answered().await;
            let slow = clock.elapsed() > usual / 2;
            // A server that once did, and now answers nobody but the newcomer, is haunted.
            let served = !self.serves
                || matches!(hands.others_are_served("afterwards").await, Ok(Verdict::Pass));
            hands.farewell().await;
            if answered && served {
                return if slow { Health::Slow } else { Health::Good };
            }
            last = if answered { "others are not served any more" } else { STUCK_TEXT };
            hands.settle().await;
            if !is_open(&self.shared).await {
                return Health::Dead("the server is gone".to_owned());
            }
        }
        Health::Dead(last.to_owned())
    }
}

/// The state of somebody else's server.
enum Health {
    Good,
    Slow,
    /// It is gone or stuck.
    Dead(String),
}

/// Whether the port takes connections. Nothing is sent, so that this is no client yet.
async fn is_open(shared: &Shared) -> bool {
    // A port of this machine that is listened on is open, and a connection would be a guest who says
    // nothing. Elsewhere, in the network of a container too, there is no other way to know.
    let address = shared.address();
    if address.ip().is_loopback() && is_listened_on(address) == Some(true) {
        return true;
    }
    let connecting = tokio::net::TcpStream::connect(address);
    matches!(timeout(shared.timing().patience, connecting).await, Ok(Ok(_)))
}

impl Runner for ServerRunner {
    type Side = ServerSide;

    fn elapsed(&self) -> Duration {
        self.shared.clock.elapsed()
    }

    fn jobs(&self, wanted: usize) -> usize {
        let fresh = self.managed.as_ref().is_some_and(|managed| managed.always_fresh);
        if fresh { 1 } else { wanted.max(1) }
    }

    fn prepare(
        &mut self,
        case: &'static Row,
        before: u8,
        company: bool,
    ) -> BoxFuture<'_, Result<Footing, Verdict>> {
        Box::pin(async move {
            if let Some(verdict) = self.unreachable(case) {
                return Err(verdict);
            }
            let wants_fresh = before > 0 || case.chance || case.isolation.wants_fresh();
            let restarts = self.managed.as_mut().is_some_and(|managed| {
                let fresh = wants_fresh || managed.always_fresh;
                !company
                    && ((managed.used && fresh) || managed.spent || !managed.server.is_running())
            });
            if restarts && self.lost.is_none() {
                // Once more, since starting a server can fail for a reason of the machine's.
                let mut started = self.restart().await;
                if started.is_err() {
                    started = self.restart().await;
                }
                if let Err(error) = started {
                    self.lost = Some(format!("the server could not be started again ({error})"));
                }
            }
            if self.managed.is_none() && !company && self.lost.is_none() {
                self.look(case).await;
            }
            if let Some(verdict) = self.unreachable(case) {
                return Err(verdict);
            }
            let fresh = self.managed.as_ref().is_some_and(|managed| !managed.used);
            if let Some(managed) = &mut self.managed {
                managed.used = true;
                if !company {
                    managed.since = managed.server.mark();
                }
            }
            self.lag.take();
            Ok(Footing { fresh, pace: self.pace(case, before, fresh) })
        })
    }

    fn hands(&self, case: &'static Row, footing: Footing, seed: u64) -> ServerHands {
        // What a question without weight provokes is no evidence against the subject.
        let counts = case.level != Level::Open && !case.literal && !self.marked;
        let shared = self.shared.for_case(footing.pace, counts);
        ServerHands::new(Arc::new(shared), case.id, seed)
    }

    fn trace(hands: &ServerHands) -> &Trace {
        &hands.trace
    }

    fn limit(hands: &ServerHands) -> Duration {
        hands.patience() * 24 + Duration::from_secs(20)
    }

    fn finish(hands: &mut ServerHands) -> BoxFuture<'_, ()> {
        Box::pin(hands.farewell())
    }

    /// Cases of extensions that the subject does not claim are not asked, and none that would leave
    /// megabytes with somebody else.
    fn excuse(&self, case: &Row) -> Option<Verdict> {
        let theirs = self.managed.is_none() && !self.heavy;
        let heavy = (case.isolation == Isolation::Heavy && theirs).then(|| {
            Verdict::not_applicable(
                "it leaves megabytes in the history of a server that goes on: --heavy asks it all the same, --spawn asks it on a server of the suite's own",
            )
        });
        self.shared.claims().excuse(case).or(heavy)
    }

    /// No TLS is charged once, and then done without by everything that is not about TLS.
    fn spoken_around(&self, case: &Row, need: &str) -> bool {
        need == "tls.handshake"
            && !case.id.starts_with("tls.")
            && self.shared.transport().tls.is_none()
    }

    fn after<'a>(&'a mut self, turn: Turn, result: &'a mut CaseResult) -> BoxFuture<'a, Next> {
        Box::pin(async move {
            self.slow |= self.lag.take() > SLOW;
            if self.managed.is_some() {
                self.after_managed(turn, result).await
            } else if self.lost.is_some() {
                Next::Keep
            } else {
                self.after_running(turn, result).await
            }
        })
    }
}

/// The verdict of a case after which the subject was dead. One that passed is not touched: that others
/// are served afterwards is asked where it belongs.
fn after_death(verdict: Verdict, how: &str) -> Verdict {
    match verdict {
        Verdict::Fail(mut mismatch) => {
            mismatch.actual = format!("{}; {how}", mismatch.actual);
            Verdict::Fail(mismatch)
        }
        Verdict::Inconclusive { reason } => {
            Verdict::Inconclusive { reason: format!("{reason}; {how}") }
        }
        other => other,
    }
}
