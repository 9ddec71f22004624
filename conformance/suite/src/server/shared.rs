//! The state that all cases of a run against a server share: its address, its quirks, the clock.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::OnceCell;

use conformance_kit::{clock::Clock, net::dial::Transport, timing::Timing};

use crate::{
    claims::Claims,
    invariants::Invariants,
    server::quirks::{Greeting, Quirks},
};

/// The state that all cases of a run share, as one of them sees it.
#[derive(Clone)]
pub struct Shared {
    pub clock: Clock,
    pub invariants: Arc<Invariants>,
    state: Arc<RwLock<State>>,
    /// All that must come has this part of the measured time.
    pace: f64,
    /// Whether the frames that this case sees count in the invariants.
    counts: bool,
    /// The session that feeds the invariants, which one case runs for all.
    fed: Arc<OnceCell<()>>,
}

struct State {
    address: SocketAddr,
    addresses: Vec<SocketAddr>,
    transport: Transport,
    quirks: Quirks,
    timing: Timing,
    greeting: Greeting,
    names: HashSet<String>,
    claims: Claims,
    account: Option<(String, String)>,
    staff: Option<(String, String)>,
}

impl Shared {
    /// The state before the subject was probed.
    #[must_use]
    pub fn new(
        address: SocketAddr,
        addresses: Vec<SocketAddr>,
        transport: Transport,
        timing: Timing,
        invariants: Invariants,
    ) -> Self {
        let state = State {
            address,
            addresses,
            transport,
            timing,
            quirks: Quirks::default(),
            greeting: Greeting::default(),
            names: HashSet::new(),
            claims: Claims::default(),
            account: None,
            staff: None,
        };
        Self {
            clock: Clock::start(),
            invariants: Arc::new(invariants),
            state: Arc::new(RwLock::new(state)),
            pace: 1.0,
            counts: true,
            fed: Arc::default(),
        }
    }

    /// The same state for a case that waits so many times as long, and whose frames count in the
    /// invariants or don't.
    #[must_use]
    pub fn for_case(&self, pace: f64, counts: bool) -> Self {
        Self { pace, counts, ..self.clone() }
    }

    /// Whether the frames that this case sees count in the invariants.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.counts
    }

    /// Does this, unless some case has done it before.
    pub async fn feed_once(&self, feeding: impl Future<Output = ()>) {
        self.fed.get_or_init(|| feeding).await;
    }

    /// The address that answered.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.read(|state| state.address)
    }

    /// Every address of the target.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.read(|state| state.addresses.clone())
    }

    /// The layer between TCP and the frames.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.read(|state| state.transport.clone())
    }

    /// How the subject writes and reads.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.read(|state| state.quirks)
    }

    /// How long to wait.
    #[must_use]
    pub fn timing(&self) -> Timing {
        let Timing { patience, settle } = self.read(|state| state.timing);
        Timing { patience: patience.mul_f64(self.pace), settle }
    }

    /// The result of the probe before the first case.
    #[must_use]
    pub fn greeting(&self) -> Greeting {
        self.read(|state| state.greeting.clone())
    }

    /// The extensions that the subject declares.
    #[must_use]
    pub fn claims(&self) -> Claims {
        self.read(|state| state.claims.clone())
    }

    /// The name and the password of an account that is there.
    #[must_use]
    pub fn account(&self) -> Option<(String, String)> {
        self.read(|state| state.account.clone())
    }

    /// The name and the password of an account of level 5.
    #[must_use]
    pub fn staff(&self) -> Option<(String, String)> {
        self.read(|state| state.staff.clone())
    }

    /// Whether the suite has asked for this name in any case.
    #[must_use]
    pub fn asked_for(&self, name: &str) -> bool {
        self.read(|state| state.names.contains(name))
    }

    pub(crate) fn remember_name(&self, name: &str) {
        self.write(|state| {
            state.names.insert(name.to_owned());
        });
    }

    pub(crate) fn set_claims(&self, claims: Claims) {
        self.write(|state| state.claims = claims);
    }

    pub(crate) fn set_account(&self, account: Option<(String, String)>) {
        self.write(|state| state.account = account);
    }

    pub(crate) fn set_staff(&self, staff: Option<(String, String)>) {
        self.write(|state| state.staff = staff);
    }

    pub(crate) fn set_addresses(&self, address: SocketAddr, addresses: Vec<SocketAddr>) {
        self.write(|state| {
            state.address = address;
            state.addresses = addresses;
        });
    }

    pub(crate) fn set_transport(&self, transport: Transport) {
        self.write(|state| state.transport = transport);
    }

    pub(crate) fn set_quirks(&self, quirks: Quirks) {
        self.write(|state| state.quirks = quirks);
    }

    pub(crate) fn set_timing(&self, timing: Timing) {
        self.write(|state| state.timing = timing);
    }

    pub(crate) fn set_greeting(&self, greeting: Greeting) {
        self.write(|state| state.greeting = greeting);
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}
