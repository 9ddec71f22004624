//! The state that all cases of a client's run share: its command, its quirks, its deadlines.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use conformance_kit::{authority::Authority, clock::Clock, wire::prefix::Prefix};

use super::{operator::Means, profile::Profile, quirks::Quirks};
use crate::invariants::Invariants;

/// The state that all cases of a run share.
pub struct Shared {
    /// The command line with its placeholders.
    pub command: Vec<String>,
    /// How the client is operated.
    pub means: Means,
    /// How to operate it.
    pub profile: Arc<Profile>,
    /// Certificates.
    pub authority: Authority,
    /// The run's clock.
    pub clock: Clock,
    /// The invariants.
    pub invariants: Invariants,
    state: RwLock<State>,
}

#[derive(Clone)]
struct State {
    pace: Pace,
    quirks: Quirks,
}

/// How long to wait; everything grows with `--timeout-scale`.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// From the start of the program to its first frame.
    pub start: Duration,
    /// From a key to the wire, and from the wire to the screen.
    pub patience: Duration,
    /// How long something unwanted may still trickle in.
    pub settle: Duration,
}

impl Pace {
    /// Before anything is known about the client.
    #[must_use]
    pub fn unmeasured(scale: f64) -> Self {
        Self {
            start: Duration::from_secs(15).mul_f64(scale),
            patience: Duration::from_secs(6).mul_f64(scale),
            settle: Duration::from_millis(150).mul_f64(scale),
        }
    }

    /// From the times that the client took.
    #[must_use]
    pub fn measured(start: Duration, answer: Duration, scale: f64) -> Self {
        let bounded = |time: Duration, factor, low, high| {
            (time * factor).clamp(Duration::from_secs(low), Duration::from_secs(high))
        };
        Self {
            start: bounded(start, 6, 8, 60).mul_f64(scale),
            patience: bounded(answer, 6, 3, 20).mul_f64(scale),
            settle: (answer * 2)
                .clamp(Duration::from_millis(120), Duration::from_millis(600))
                .mul_f64(scale),
        }
    }

    /// People take their time.
    #[must_use]
    pub fn of_people(scale: f64) -> Self {
        let minutes = Duration::from_secs(180).mul_f64(scale);
        Self { start: minutes, patience: minutes, settle: Duration::from_millis(200) }
    }
}

impl Shared {
    /// The state before the client was probed.
    #[must_use]
    pub fn new(
        command: Vec<String>,
        means: Means,
        profile: Profile,
        authority: Authority,
        invariants: Invariants,
        pace: Pace,
    ) -> Self {
        Self {
            command,
            means,
            profile: Arc::new(profile),
            authority,
            clock: Clock::start(),
            invariants,
            state: RwLock::new(State { pace, quirks: Quirks::default() }),
        }
    }

    /// Whether the name goes on the command line.
    #[must_use]
    pub fn name_is_argument(&self) -> bool {
        self.command.iter().any(|word| word.contains("{name}"))
    }

    /// How long to wait.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.state.read().unwrap_or_else(PoisonError::into_inner).pace
    }

    /// The deviations that the first contact found.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.state.read().unwrap_or_else(PoisonError::into_inner).quirks.clone()
    }

    /// How the client writes lengths.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        self.quirks().prefix.unwrap_or(Prefix::NETWORK)
    }

    /// A case has found out what the first contact did not: what is typed at once gets lost.
    pub(super) fn learn_delay(&self, delay: u64) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.quirks.delay = state.quirks.delay.max(Some(delay));
    }

    pub(super) fn learn(&self, pace: Pace, quirks: Quirks) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State { pace, quirks };
    }
}
