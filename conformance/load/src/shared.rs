//! The state that the threads of a run share: the plan, the clock, the gates of its phases, and counters.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use conformance_kit::clock::Clock;
use tokio::sync::Notify;

use super::{connection::Wire, frame_summary::Reading, plan::Plan, roster::Bits, sender::Hours};

/// How many different troubles are told apart.
const MOST_TROUBLES: usize = 12;

/// A count that one thread writes and others read.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Counts; only the thread that owns the counter may.
    pub fn add(&self, more: u64) {
        // No other writer: a plain store is enough, and costs less than an atomic addition.
        self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed);
    }

    /// The count.
    pub fn load(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The counters of one thread.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub struct Counters { $($(#[doc = $doc])+ pub $name: Count,)+ }

        /// The sum of all counters.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Totals { $($(#[doc = $doc])+ pub $name: u64,)+ }

        impl Totals {
            fn of(all: &[Counters]) -> Self {
                let mut totals = Self::default();
                for counters in all { $(totals.$name += counters.$name.load();)+ }
                totals
            }
        }
    };
}

counters! {
    /// Connections that were tried.
    tried,
    /// Connections whose handshake is over.
    connected,
    /// Users who have joined.
    joined,
    /// Names that were refused.
    refused,
    /// Connections that came to nothing: no connection, no handshake, no answer in time.
    failed,
    /// Members who know everybody who stays.
    known,
    /// Connections that the server ended after they had joined.
    closed,
    /// Those who came and went again.
    passed,
    /// Those who were to come and did not, since too many were still on their way.
    skipped,
    /// `ERROR` frames.
    errors,
    /// Frames that are none of the protocol.
    nonsense,
    /// Messages of others than this run's users.
    strangers,
    /// Deliveries: messages that came at a connection, echoes included.
    deliveries,
    /// Those that came from others and were new.
    from_others,
    /// Messages that came back to their sender.
    echoes,
    /// Copies of private messages at their sender.
    copies,
    /// Notices of users who came and went that were new at those who stay.
    notices,
    /// Reads or TLS records that brought messages.
    batches,
    /// Frames.
    frames,
    /// Bytes read from sockets.
    bytes,
    /// Joins whose history was another one than the first joiner's, or not in order.
    histories_wrong,
}

/// The users who joined and who left.
#[derive(Debug, Default)]
pub struct Presence {
    /// The users whose names were accepted.
    pub came: Bits,
    /// The users whose connections have ended since.
    pub went: Bits,
}

/// The way to one thread, and how far messages have come there.
///
/// A sender whose own thread is quicker than another would outrun that: the members there would fall
/// behind, and the server would be blamed for it. So one member of every thread is its witness, and
/// a window moves on when the witnesses of all threads have the message.
#[derive(Debug)]
pub struct Line {
    /// Rung when there is something to do: senders to wake, or messages due by the schedule.
    pub bell: Notify,
    wakes: Mutex<Vec<u32>>,
    reached: Vec<AtomicU32>,
}

impl Line {
    fn new(slots: usize) -> Self {
        let reached = (0..slots).map(|_| AtomicU32::new(0)).collect();
        Self { bell: Notify::new(), wakes: Mutex::default(), reached }
    }

    /// The senders to wake.
    pub fn wakes(&self) -> Vec<u32> {
        std::mem::take(&mut *self.wakes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The state that the threads share.
pub struct Shared {
    /// The numbers of the run.
    pub plan: Plan,
    pub reading: Reading,
    /// The clock of the run.
    pub clock: Clock,
    pub address: SocketAddr,
    /// How it is reached.
    pub wire: Wire,
    /// The addresses that members connect from; none leaves it to the system.
    pub sources: Vec<IpAddr>,
    /// Whether lists and notices are judged; the limit's server has none.
    pub judges_rosters: bool,
    /// The counters of each thread.
    pub counters: Vec<Counters>,
    /// How many messages each sender has sent.
    pub sent: Vec<AtomicU32>,
    /// The way from one thread to another.
    pub lines: Vec<Line>,
    /// When senders may send.
    start: AtomicU64,
    stop: AtomicU64,
    /// Messages that were due from then on are measured.
    from: AtomicU64,
    /// Until then.
    to: AtomicU64,
    /// When the last member came to know everybody.
    pub known_at: AtomicU64,
    /// How many messages are due by the schedule, over all senders.
    pub due: AtomicU64,
    /// Whether any sender has got its own message back.
    pub echoes: AtomicBool,
    /// The next one who comes and goes.
    pub next_passer: AtomicU32,
    /// The users who joined and who left.
    pub presence: Mutex<Presence>,
    /// The first sequence number and the count of the history of the first who joined.
    pub history: Mutex<Option<(u32, u32)>>,
    /// The TLS parameters that were agreed on.
    pub suite: Mutex<Option<String>>,
    troubles: Mutex<BTreeMap<String, u64>>,
}

impl Shared {
    /// The beginning of a run.
    pub fn new(
        plan: Plan,
        reading: Reading,
        (address, wire, sources): (SocketAddr, Wire, Vec<IpAddr>),
        threads: usize,
        judges_rosters: bool,
    ) -> Self {
        let slots = plan.slots();
        let first_passer = plan.first_passer();
        Self {
            plan,
            reading,
            clock: Clock::start(),
            address,
            wire,
            sources,
            judges_rosters,
            counters: (0..threads).map(|_| Counters::default()).collect(),
            sent: (0..slots).map(|_| AtomicU32::new(0)).collect(),
            lines: (0..threads).map(|_| Line::new(slots)).collect(),
            start: AtomicU64::new(u64::MAX),
            stop: AtomicU64::new(u64::MAX),
            from: AtomicU64::new(u64::MAX),
            to: AtomicU64::new(u64::MAX),
            known_at: AtomicU64::new(0),
            due: AtomicU64::new(0),
            echoes: AtomicBool::new(false),
            next_passer: AtomicU32::new(first_passer),
            presence: Mutex::default(),
            history: Mutex::default(),
            suite: Mutex::default(),
            troubles: Mutex::default(),
        }
    }

    /// Notes that the witness of a thread has got messages of a sender.
    pub fn witnessed(&self, thread: usize, slot: usize, sender: u32, reached: u32) {
        let home = self.plan.thread(sender, self.lines.len());
        if home == thread {
            return;
        }
        if let Some(place) = self.lines.get(thread).and_then(|line| line.reached.get(slot)) {
            place.store(reached, Relaxed);
        }
        if let Some(line) = self.lines.get(home) {
            let mut wakes = line.wakes.lock().unwrap_or_else(PoisonError::into_inner);
            if !wakes.contains(&sender) {
                wakes.push(sender);
            }
            line.bell.notify_one();
        }
    }

    /// How many messages of a sender the witnesses of all other threads have.
    pub fn witnesses(&self, own: usize, slot: usize) -> u32 {
        let others = self.lines.iter().enumerate().filter(|(thread, _)| *thread != own);
        let reached = others.filter_map(|(_, line)| line.reached.get(slot));
        reached.map(|reached| reached.load(Relaxed)).min().unwrap_or(u32::MAX)
    }

    /// Microseconds since the run began.
    pub fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// When senders may send.
    pub fn hours(&self) -> Hours {
        Hours { start: self.start.load(Relaxed), stop: self.stop.load(Relaxed) }
    }

    /// Opens the senders' hours; the end may be moved later.
    pub fn set_hours(&self, hours: Hours) {
        self.stop.store(hours.stop, Relaxed);
        self.start.store(hours.start, Relaxed);
    }

    /// Sets what is measured: messages that are to be sent in this time.
    pub fn measure(&self, from: u64, to: u64) {
        self.to.store(to, Relaxed);
        self.from.store(from, Relaxed);
    }

    /// Whether a message that was to be sent then is measured.
    pub fn is_measured(&self, micros: u64) -> bool {
        micros >= self.from.load(Relaxed) && micros < self.to.load(Relaxed)
    }

    /// The sum of all counters.
    pub fn totals(&self) -> Totals {
        Totals::of(&self.counters)
    }

    /// How many messages have been sent.
    pub fn sent(&self) -> u64 {
        self.sent_by(0..self.sent.len())
    }

    /// How many messages the senders at these places have sent.
    pub fn sent_by(&self, slots: Range<usize>) -> u64 {
        let sent = self.sent.get(slots).unwrap_or_default();
        sent.iter().map(|sent| u64::from(sent.load(Relaxed))).sum()
    }

    /// Keeps what went wrong, once for each text.
    pub fn trouble(&self, text: &str) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = troubles.get_mut(text) {
            *count += 1;
        } else if troubles.len() < MOST_TROUBLES {
            troubles.insert(text.to_owned(), 1);
        }
    }

    /// Errors, each with how often it occurred.
    pub fn troubles(&self) -> Vec<(String, u64)> {
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.iter().map(|(text, count)| (text.clone(), *count)).collect()
    }

    /// The address that a user connects from.
    pub fn source(&self, user: u32) -> Option<IpAddr> {
        let count = u32::try_from(self.sources.len()).ok().filter(|count| *count > 0)?;
        self.sources.get(usize::try_from(user % count).unwrap_or_default()).copied()
    }

    /// The first sequence number and the count of the first joiner's history.
    pub fn history_of_first(&self) -> Option<(u32, u32)> {
        *self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a user has been accepted.
    pub fn came(&self, user: u32) {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner).came.set(user);
    }

    /// Notes that a user's connection ends.
    pub fn went(&self, user: u32) {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner).went.set(user);
    }
}
