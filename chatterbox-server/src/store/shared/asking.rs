//! Asking for a command, and waiting for what comes of it.
//!
//! Whoever asks is a thread that may wait. It is answered by the one who carries commands out on this node, by the nonce of the
//! command, or told that the command never gets into the order. When neither comes in time, nobody knows: the engine does not
//! answer, and the command may come round later. Until it has, nobody else waits: each would hold up those behind it as long.

#![allow(clippy::disallowed_methods, reason = "the edge: waits until a moment")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::task::{Context, Poll};
use std::thread::Thread;
use std::time::{Duration, Instant};

use chatterbox_hub::AccountChange;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use futures_util::task::{ArcWake, waker};
use tokio::sync::watch;

use crate::accounts::{LOW_DEVICES, LowKeys};
use crate::store::shared::answer::Answer;
use crate::store::shared::command::{Asked, Command, Nonce, written};
use crate::store::store_commands::{NotDecided, Proposer};

/// For how long somebody waits for a command to come round. An election of the engine takes 4 to 9 seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(12);

/// Those who may wait at a time: a thread of accounts, one of moderation, and what else there may be.
const WAITING: usize = 64;

/// Changes of accounts that wait to be told; the oldest go first. They are fetched every second.
const CHANGES: usize = 10_000;

/// Resolves when a command has come round, or never will.
type Decided = BoxFuture<'static, Result<(), NotDecided>>;

/// A question that nobody waits for any more.
struct GivenUp(Nonce, Decided);

impl std::fmt::Debug for GivenUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GivenUp").field(&self.0).finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecided;

/// What askers and the one who carries commands out have in common.
#[derive(Debug)]
pub(super) struct Asking {
    proposer: OnceLock<Arc<dyn Proposer>>,
    /// Random, so that no two nodes, and no two lives of one, ask under one nonce.
    own: u64,
    questions: AtomicU64,
    waiting: Mutex<Vec<(Nonce, mpsc::SyncSender<Answer>)>>,
    /// A question that was given up, and has not come round yet.
    given_up: Mutex<Option<GivenUp>>,
    changes: Mutex<VecDeque<AccountChange>>,
    lost_changes: AtomicBool,
    /// Devices with few keys that wait to be told.
    low: Mutex<VecDeque<LowKeys>>,
    settings: watch::Sender<u64>,
    patience: Duration,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Asking {
    pub(super) fn new(own: u64, patience: Duration) -> Self {
        Self {
            proposer: OnceLock::new(),
            own,
            questions: AtomicU64::new(0),
            waiting: Mutex::default(),
            given_up: Mutex::default(),
            changes: Mutex::default(),
            lost_changes: AtomicBool::new(false),
            low: Mutex::default(),
            settings: watch::Sender::new(0),
            patience,
        }
    }

    /// Where commands are asked for from now on, and from where on changes are news; the first one counts.
    pub(super) fn begin(&self, proposer: Arc<dyn Proposer>) {
        let _ = self.proposer.set(proposer);
    }

    /// Asks for a command, and waits until it is carried out here.
    ///
    /// # Errors
    /// [`Undecided`].
    pub(super) fn ask(&self, command: Command) -> Result<Answer, Undecided> {
        let proposer = self.proposer.get().ok_or(Undecided)?;
        if self.is_hanging() {
            return Err(Undecided);
        }
        let nonce = (self.own, self.questions.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = mpsc::sync_channel(1);
        {
            let mut waiting = lock(&self.waiting);
            if waiting.len() >= WAITING {
                return Err(Undecided);
            }
            waiting.push((nonce, answer));
        }
        let asked = Asked { nonce, command };
        let decided = match written(&asked) {
            Some(command) => proposer.propose(command),
            None => ready(Err(NotDecided)).boxed(),
        };
        let outcome = self.wait(decided, &answered, nonce);
        lock(&self.waiting).retain(|(other, _)| *other != nonce);
        // It may have come in this moment: who has answered counts on it that it was heard.
        outcome.or_else(|undecided| answered.try_recv().map_err(|_| undecided))
    }

    /// Whether a question that was given up has not come round yet.
    fn is_hanging(&self) -> bool {
        let mut given_up = lock(&self.given_up);
        let Some(GivenUp(_, decided)) = &mut *given_up else { return false };
        let is_hanging = decided.now_or_never().is_none();
        if !is_hanging {
            *given_up = None;
        }
        is_hanging
    }

    fn wait(
        &self,
        mut decided: Decided,
        answered: &mpsc::Receiver<Answer>,
        nonce: Nonce,
    ) -> Result<Answer, Undecided> {
        let until = Instant::now() + self.patience;
        let waker = waker(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut has_come_round = false;
        loop {
            if !has_come_round && let Poll::Ready(end) = decided.poll_unpin(&mut context) {
                if end.is_err() {
                    return answered.try_recv().map_err(|_| Undecided);
                }
                has_come_round = true;
            }
            let left = until.saturating_duration_since(Instant::now());
            let waited = if has_come_round {
                answered.recv_timeout(left).ok()
            } else {
                std::thread::park_timeout(left);
                answered.try_recv().ok()
            };
            if let Some(answer) = waited {
                return Ok(answer);
            }
            if left.is_zero() {
                if !has_come_round {
                    *lock(&self.given_up) = Some(GivenUp(nonce, decided));
                }
                return Err(Undecided);
            }
        }
    }

    /// Answers whoever waits here for a command, and says whether somebody does.
    pub(super) fn answer(&self, nonce: Nonce, answer: Answer) -> bool {
        lock(&self.given_up).take_if(|GivenUp(given_up, _)| *given_up == nonce);
        let waiting = lock(&self.waiting);
        let asker = waiting.iter().find(|(other, _)| *other == nonce);
        asker.is_some_and(|(_, asker)| asker.try_send(answer).is_ok())
    }

    /// Notes a change of an account for whoever is told of them. Before the node is one of those that are up, it is nothing new: they
    /// have told it, and whoever came back since then would be put out once more.
    pub(super) fn note_change(&self, change: AccountChange) {
        if self.proposer.get().is_none() {
            return;
        }
        let mut changes = lock(&self.changes);
        if changes.len() >= CHANGES {
            changes.pop_front();
            if !self.lost_changes.swap(true, Ordering::Relaxed) {
                tracing::error!("changes of accounts come faster than they are told");
            }
        }
        changes.push_back(change);
    }

    /// Takes the changes that were noted.
    pub(super) fn take_changes(&self) -> Vec<AccountChange> {
        let mut changes = lock(&self.changes);
        if changes.is_empty() { Vec::new() } else { std::mem::take(&mut *changes).into() }
    }

    /// Notes devices of which few one-time keys are left, for those of them that are connected here. Those of commands that a node reads
    /// again were told.
    pub(super) fn note_low(&self, new: Vec<LowKeys>) {
        if new.is_empty() || self.proposer.get().is_none() {
            return;
        }
        let mut low = lock(&self.low);
        low.extend(new);
        while low.len() > LOW_DEVICES {
            low.pop_front();
        }
    }

    /// Takes them out.
    pub(super) fn take_low(&self) -> Vec<LowKeys> {
        std::mem::take(&mut *lock(&self.low)).into()
    }

    /// Notes that settings of admins may be others now.
    pub(super) fn settings_changed(&self) {
        self.settings.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes whenever the settings may have.
    pub(super) fn settings(&self) -> watch::Receiver<u64> {
        self.settings.subscribe()
    }
}

/// Wakes a thread that waits.
struct Unpark(Thread);

impl ArcWake for Unpark {
    fn wake_by_ref(this: &Arc<Self>) {
        this.0.unpark();
    }
}
