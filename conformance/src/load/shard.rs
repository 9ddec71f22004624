//! What the members of one thread share, and what a frame does to it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    task::Waker,
};

use super::{
    content::Purpose,
    digest::{ALL, Digest, Run},
    inlet::{Piece, Reference},
    latency::Latency,
    ledger::{Begin, Faults, Ledger},
    memory::FrameMemory,
    plan::{Role, Workload},
    roster::{NoticeFaults, Roster},
    shared::{Counters, Shared},
};

/// How much is read at once; all connections of a thread read into the same buffer.
const BUFFER: usize = 256 * 1024;

/// What the others of a thread may do to a member: wake it, tell it to leave, confirm what it sent.
#[derive(Default)]
pub struct Desk {
    waker: RefCell<Option<Waker>>,
    /// Whether it has to leave.
    pub leaves: Cell<bool>,
    /// How many of its messages are known to have been delivered.
    pub confirmed: Cell<u32>,
    /// Whether its own messages come back to it.
    echoing: Cell<bool>,
    /// Whether it has joined and its connection has not ended.
    pub present: Cell<bool>,
    /// What is known about it.
    pub state: RefCell<State>,
}

impl Desk {
    /// Remembers how to wake the member.
    pub fn sleeps(&self, waker: &Waker) {
        let mut slot = self.waker.borrow_mut();
        match &mut *slot {
            Some(old) => old.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    /// Wakes the member.
    pub fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// What is known about one member.
#[derive(Debug, Default)]
pub struct State {
    user: u32,
    row: usize,
    /// Whom it knows.
    pub roster: Roster,
    /// The answer to its name, and what the server said to it.
    pub accepted: Option<(bool, Option<String>)>,
    knows_all: bool,
}

/// One thread's part of a run.
pub struct Shard {
    /// What all threads share.
    pub shared: Arc<Shared>,
    /// The number of this thread.
    pub thread: usize,
    /// The buffer that everybody reads into.
    pub buffer: RefCell<Box<[u8]>>,
    /// The buffer that frames are put together in.
    pub scratch: RefCell<Vec<u8>>,
    /// The members of this thread.
    pub desks: RefCell<HashMap<u32, Rc<Desk>>>,
    /// The first welcome's history.
    pub reference: RefCell<Option<Rc<Reference>>>,
    memory: RefCell<FrameMemory>,
    ledger: RefCell<Ledger>,
    latency: RefCell<[Latency; 2]>,
    notices: Cell<NoticeFaults>,
}

/// What one thread found.
#[derive(Debug, Default)]
pub struct Tally {
    /// What was wrong with deliveries.
    pub faults: Faults,
    /// What was wrong with notices.
    pub notices: NoticeFaults,
    /// How long the messages of those who are measured took, and those of the flooders.
    pub latency: [Latency; 2],
}

impl Tally {
    /// Adds what another thread found.
    pub fn add(&mut self, other: &Self) {
        self.faults.add(&other.faults);
        self.notices.add(&other.notices);
        for (own, other) in self.latency.iter_mut().zip(&other.latency) {
            own.add(other);
        }
    }
}

impl Shard {
    /// An empty thread.
    pub fn new(shared: Arc<Shared>, thread: usize) -> Self {
        Self {
            shared,
            thread,
            buffer: RefCell::new(vec![0; BUFFER].into_boxed_slice()),
            scratch: RefCell::default(),
            desks: RefCell::default(),
            reference: RefCell::default(),
            memory: RefCell::default(),
            ledger: RefCell::default(),
            latency: RefCell::default(),
            notices: Cell::default(),
        }
    }

    /// This thread's counters; those of the first thread when there are none, which does not happen.
    pub fn counters(&self) -> Option<&Counters> {
        self.shared.counters.get(self.thread)
    }

    /// Counts.
    pub fn count(&self, which: impl FnOnce(&Counters) -> &super::shared::Count, more: u64) {
        if let Some(counters) = self.counters() {
            which(counters).add(more);
        }
    }

    /// Opens the desk of a user, and the account of what reaches it.
    pub fn open(&self, user: u32) -> Rc<Desk> {
        let plan = &self.shared.plan;
        let begin = match plan.role(user) {
            Role::Passer => Begin::Anywhere,
            _ => Begin::First,
        };
        let senders = if plan.workload == Workload::Private { 1 } else { plan.slots() };
        let row = self.ledger.borrow_mut().open(senders, begin);
        let roster = Roster::new(user, plan.residents());
        let desk = Rc::new(Desk::default());
        *desk.state.borrow_mut() = State { user, row, roster, ..State::default() };
        self.desks.borrow_mut().insert(user, Rc::clone(&desk));
        desk
    }

    /// Closes the desk of one who came and went, after a look at what it was told.
    pub fn close_passer(&self, desk: &Desk) {
        let mut state = desk.state.borrow_mut();
        if self.shared.judges_rosters {
            for user in 0..self.shared.plan.receivers() {
                state.roster.settle(user, false);
            }
            self.blame(&state.roster);
        }
        self.ledger.borrow_mut().close(state.row);
        self.desks.borrow_mut().remove(&state.user);
    }

    fn blame(&self, roster: &Roster) {
        let mut notices = self.notices.get();
        notices.add(&roster.faults);
        self.notices.set(notices);
    }

    /// Takes what a connection brought.
    pub fn receive(&self, state: &mut State, piece: &Piece<'_>, now: u64) {
        self.count(|c| &c.frames, 1);
        let reading = &self.shared.reading;
        let digest = match piece {
            Piece::Absurd(length) => {
                self.count(|c| &c.nonsense, 1);
                self.shared.trouble(&format!("a frame was announced with {length} bytes"));
                return;
            }
            Piece::Welcome(body) => Rc::new(reading.read(body)),
            Piece::Body(body) => {
                if state.accepted.is_none() && self.reference.borrow().is_none() {
                    *self.reference.borrow_mut() = Reference::of(body).map(Rc::new);
                }
                self.memory.borrow_mut().read(reading, body)
            }
        };
        let is_reference = matches!(piece, Piece::Welcome(_));
        self.apply(state, &digest, now, is_reference);
    }

    fn apply(&self, state: &mut State, digest: &Digest, now: u64, is_reference: bool) {
        if let Some(answer) = digest.accepted {
            let said = digest.info.clone().or_else(|| digest.error.clone());
            state.accepted = Some((answer, said));
            if answer {
                self.history(state, digest, is_reference);
            }
        } else if digest.messages > 0 {
            self.messages(state, digest, now);
        }
        if let Some(listed) = &digest.listed {
            state.roster.listed(listed);
        }
        self.notices(state, digest, now);
        self.odd(state, digest);
    }

    fn notices(&self, state: &mut State, digest: &Digest, now: u64) {
        let plan = &self.shared.plan;
        let named = digest.joined.len() + digest.left.len();
        if named > 0 {
            let faults = state.roster.faults.sum();
            state.roster.joined(&digest.joined);
            state.roster.left(&digest.left);
            let fresh = (named as u64).saturating_sub(state.roster.faults.sum() - faults);
            if plan.role(state.user) != Role::Passer {
                self.count(|c| &c.notices, fresh);
            }
        }
        if !state.knows_all && state.roster.known() == plan.residents() {
            state.knows_all = true;
            if state.user < plan.receivers() {
                self.shared.known_at.fetch_max(now, Relaxed);
                self.count(|c| &c.known, 1);
            }
        }
    }

    fn odd(&self, state: &State, digest: &Digest) {
        if let (Some(text), None) = (&digest.error, digest.accepted) {
            self.count(|c| &c.errors, 1);
            self.shared.trouble(&format!("ERROR: {text}"));
        }
        if let Some(text) = &digest.nonsense {
            self.count(|c| &c.nonsense, 1);
            self.shared.trouble(&format!("no JSON: {text}"));
        }
        // What strangers said before the run is in everybody's history.
        if digest.accepted.is_none() {
            self.count(|c| &c.strangers, digest.strangers.into());
        }
        if digest.altered > 0 && self.is_judged(state.user) {
            self.ledger.borrow_mut().faults_mut().altered += u64::from(digest.altered);
        }
    }

    fn is_judged(&self, user: u32) -> bool {
        self.shared.plan.role(user) != Role::Slow
    }

    /// The history in a welcome.
    fn history(&self, state: &State, digest: &Digest, is_reference: bool) {
        let plan = &self.shared.plan;
        let mut ledger = self.ledger.borrow_mut();
        if plan.workload == Workload::Churn && plan.role(state.user) == Role::Passer {
            for run in digest.runs.iter().filter(|run| run.purpose == Purpose::Public) {
                if let Some(slot) = plan.slot(run.sender) {
                    ledger.take(state.row, slot, run.first, run.count);
                }
            }
        }
        if plan.history == 0 || plan.role(state.user) != Role::Member {
            return;
        }
        let in_order = match digest.runs.as_slice() {
            [run] if run.purpose == Purpose::History => Some((run.first, run.count)),
            _ => None,
        };
        let mut first = self.shared.history.lock().unwrap_or_else(PoisonError::into_inner);
        let right = match (in_order, *first) {
            // Its list was compared byte by byte with one that has been judged.
            _ if is_reference => true,
            (Some(own), None) => {
                *first = Some(own);
                own.0.checked_add(own.1) == Some(plan.history)
            }
            (own, first) => own.is_some() && own == first,
        };
        if !right {
            self.count(|c| &c.histories_wrong, 1);
        }
    }

    fn messages(&self, state: &State, digest: &Digest, now: u64) {
        let plan = &self.shared.plan;
        self.count(|c| &c.deliveries, digest.messages.into());
        let mut ledger = self.ledger.borrow_mut();
        for run in &digest.runs {
            if plan.workload == Workload::Private {
                self.private(state, &mut ledger, *run);
            } else {
                self.public(state, &mut ledger, *run);
            }
        }
        let mut latency = self.latency.borrow_mut();
        for stamp in &digest.stamps {
            if self.shared.is_measured(stamp.micros) {
                let class = usize::from(plan.role(stamp.sender) == Role::Flooder);
                if let Some(latency) = latency.get_mut(class) {
                    latency.record(now.saturating_sub(stamp.micros), stamp.count);
                }
            }
        }
    }

    fn public(&self, state: &State, ledger: &mut Ledger, run: Run) {
        let plan = &self.shared.plan;
        if run.dest != ALL {
            ledger.faults_mut().misrouted += u64::from(run.count);
            return;
        }
        let Some(slot) = plan.slot(run.sender) else {
            ledger.faults_mut().invented += u64::from(run.count);
            return;
        };
        let fresh = ledger.take(state.row, slot, run.first, run.count);
        let reached = ledger.reached(state.row, slot);
        if plan.is_witness(state.user, self.thread) {
            self.shared.witnessed(self.thread, slot, run.sender, reached);
        }
        if run.sender == state.user {
            self.count(|c| &c.echoes, fresh.into());
            self.shared.echoes.store(true, Relaxed);
            if let Some(desk) = self.desks.borrow().get(&run.sender) {
                desk.echoing.set(true);
                desk.confirmed.set(reached);
            }
            return;
        }
        if plan.role(state.user) != Role::Passer {
            self.count(|c| &c.from_others, fresh.into());
        }
        if plan.buddy(run.sender) == state.user
            && let Some(desk) = self.desks.borrow().get(&run.sender)
            && !desk.echoing.get()
        {
            desk.confirmed.set(reached);
            desk.wake();
        }
    }

    fn private(&self, state: &State, ledger: &mut Ledger, run: Run) {
        let partner = self.shared.plan.buddy(state.user);
        if run.sender == state.user && run.dest == partner {
            // Whether the sender gets a copy is open (RT-7).
            self.count(|c| &c.copies, run.count.into());
            return;
        }
        if run.dest != state.user || run.sender != partner {
            ledger.faults_mut().misrouted += u64::from(run.count);
            return;
        }
        let fresh = ledger.take(state.row, 0, run.first, run.count);
        self.count(|c| &c.from_others, fresh.into());
        if let Some(desk) = self.desks.borrow().get(&run.sender) {
            desk.confirmed.set(ledger.reached(state.row, 0));
            desk.wake();
        }
    }

    /// Settles every account: what has not come by now is lost.
    pub fn settle(&self) -> Tally {
        let plan = &self.shared.plan;
        let echoes = self.shared.echoes.load(Relaxed);
        let sent = |slot: usize| self.shared.sent.get(slot).map_or(0, |sent| sent.load(Relaxed));
        let presence = self.shared.presence.lock().unwrap_or_else(PoisonError::into_inner);
        for desk in self.desks.borrow().values().filter(|desk| desk.present.get()) {
            let mut state = desk.state.borrow_mut();
            let (user, row) = (state.user, state.row);
            if !matches!(plan.role(user), Role::Member | Role::Flooder) {
                continue;
            }
            let mut ledger = self.ledger.borrow_mut();
            if plan.workload == Workload::Private {
                let partner = plan.slot(plan.buddy(user)).map_or(0, sent);
                ledger.settle(row, 0, partner);
            } else {
                for slot in 0..plan.slots() {
                    let sender = plan.sender_at(slot);
                    let is_due = plan.role(sender) != Role::Filler && (sender != user || echoes);
                    if is_due {
                        ledger.settle(row, slot, sent(slot));
                    }
                }
            }
            if self.shared.judges_rosters {
                let passers = plan.first_passer()..self.shared.next_passer.load(Relaxed);
                for other in (0..plan.residents()).chain(passers) {
                    let went = presence.went.has(other);
                    // Slow ones may be disconnected at any time, and do not notice it.
                    let unsure = plan.role(other) == Role::Slow && state.roster.knows(other);
                    let never_met = other < plan.residents() && went && !state.roster.knows(other);
                    if presence.came.has(other) && !unsure && !never_met {
                        state.roster.settle(other, went);
                    }
                }
                self.blame(&state.roster);
            }
        }
        Tally {
            faults: *self.ledger.borrow_mut().faults_mut(),
            notices: self.notices.get(),
            latency: self.latency.take(),
        }
    }
}
