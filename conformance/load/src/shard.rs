//! The state that the members of one thread share: their cells, the delivery check, the final tally.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    task::Waker,
};

use super::{
    delivery_check::{Begin, DeliveryCheck, Faults},
    frame_cache::FrameCache,
    frame_reader::Reference,
    latency::Latency,
    plan::{Role, Workload},
    roster::{NoticeFaults, Roster},
    shared::{Counters, Shared},
};

/// How much is read at once; all connections of a thread read into the same buffer.
const BUFFER: usize = 256 * 1024;

/// The shared part of a member, through which its thread wakes it, tells it to leave and confirms
/// what it sent.
#[derive(Default)]
pub struct MemberCell {
    waker: RefCell<Option<Waker>>,
    /// Whether it has to leave.
    pub leaves: Cell<bool>,
    /// How many of its messages are known to have been delivered.
    pub confirmed: Cell<u32>,
    /// Whether its own messages come back to it.
    pub(super) echoing: Cell<bool>,
    /// Whether it has joined and its connection has not ended.
    pub present: Cell<bool>,
    pub state: RefCell<State>,
}

impl MemberCell {
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

/// The state of one member.
#[derive(Debug, Default)]
pub struct State {
    pub(super) user: u32,
    pub(super) row: usize,
    pub roster: Roster,
    /// The answer to its name, and what the server said to it.
    pub accepted: Option<(bool, Option<String>)>,
    /// Whether its welcome has come.
    pub(super) is_welcomed: bool,
    pub(super) knows_all: bool,
}

/// One thread's part of a run.
pub struct Shard {
    /// The state that all threads share.
    pub shared: Arc<Shared>,
    /// The number of this thread.
    pub thread: usize,
    /// The buffer that everybody reads into.
    pub buffer: RefCell<Box<[u8]>>,
    /// The buffer that frames are put together in.
    pub scratch: RefCell<Vec<u8>>,
    /// The members of this thread.
    pub cells: RefCell<HashMap<u32, Rc<MemberCell>>>,
    /// The first welcome's history.
    pub reference: RefCell<Option<Rc<Reference>>>,
    pub(super) cache: RefCell<FrameCache>,
    pub(super) delivery_check: RefCell<DeliveryCheck>,
    pub(super) latency: RefCell<[Latency; 2]>,
    notices: Cell<NoticeFaults>,
}

/// The results of one thread.
#[derive(Debug, Default)]
pub struct Tally {
    /// Violations in the deliveries.
    pub faults: Faults,
    /// Violations in the notices.
    pub notices: NoticeFaults,
    /// How long the messages of those who are measured took, and those of the flooders.
    pub latency: [Latency; 2],
    /// How many of the slow readers were said to have left.
    pub slow_gone: u64,
}

impl Tally {
    /// Adds what another thread found.
    pub fn add(&mut self, other: &Self) {
        self.faults.add(&other.faults);
        self.notices.add(&other.notices);
        for (own, other) in self.latency.iter_mut().zip(&other.latency) {
            own.add(other);
        }
        self.slow_gone = self.slow_gone.max(other.slow_gone);
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
            cells: RefCell::default(),
            reference: RefCell::default(),
            cache: RefCell::default(),
            delivery_check: RefCell::default(),
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

    /// Opens the cell of a user, and its row in the delivery check.
    pub fn open(&self, user: u32) -> Rc<MemberCell> {
        let plan = &self.shared.plan;
        let begin = match plan.role(user) {
            Role::Passer => Begin::Anywhere,
            _ => Begin::First,
        };
        let senders = if plan.workload == Workload::Private { 1 } else { plan.slots() };
        let row = self.delivery_check.borrow_mut().open(senders, begin);
        let roster = Roster::new(user, plan.residents());
        let cell = Rc::new(MemberCell::default());
        *cell.state.borrow_mut() = State { user, row, roster, ..State::default() };
        self.cells.borrow_mut().insert(user, Rc::clone(&cell));
        cell
    }

    /// Closes the cell of a user who came and went, after checking the notices that it received.
    pub fn close_passer(&self, cell: &MemberCell) {
        let mut state = cell.state.borrow_mut();
        if self.shared.judges_rosters {
            for user in 0..self.shared.plan.receivers() {
                state.roster.settle(user, false);
            }
            self.blame(&state.roster);
        }
        self.delivery_check.borrow_mut().close(state.row);
        self.cells.borrow_mut().remove(&state.user);
    }

    fn blame(&self, roster: &Roster) {
        let mut notices = self.notices.get();
        notices.add(&roster.faults);
        self.notices.set(notices);
    }

    /// Settles every account: what has not come by now is lost.
    pub fn settle(&self) -> Tally {
        let plan = &self.shared.plan;
        let echoes = self.shared.echoes.load(Relaxed);
        let sent = |slot: usize| self.shared.sent.get(slot).map_or(0, |sent| sent.load(Relaxed));
        let mut slow_gone = 0;
        let presence = self.shared.presence.lock().unwrap_or_else(PoisonError::into_inner);
        for cell in self.cells.borrow().values().filter(|cell| cell.present.get()) {
            let mut state = cell.state.borrow_mut();
            let (user, row) = (state.user, state.row);
            if !matches!(plan.role(user), Role::Member | Role::Flooder) {
                continue;
            }
            let mut delivery_check = self.delivery_check.borrow_mut();
            if plan.workload == Workload::Private {
                let partner = plan.slot(plan.buddy(user)).map_or(0, sent);
                delivery_check.settle(row, 0, partner);
            } else {
                for slot in 0..plan.slots() {
                    let sender = plan.sender_at(slot);
                    let is_due = plan.role(sender) != Role::Filler && (sender != user || echoes);
                    if is_due {
                        delivery_check.settle(row, slot, sent(slot));
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
            let slow = plan.receivers()..plan.residents();
            slow_gone = slow_gone.max(slow.filter(|user| state.roster.has_lost(*user)).count());
        }
        Tally {
            slow_gone: slow_gone as u64,
            faults: *self.delivery_check.borrow_mut().faults_mut(),
            notices: self.notices.get(),
            latency: self.latency.take(),
        }
    }
}
