//! Applies a received frame to its member: checks deliveries, updates the roster, records latency.

use std::{
    rc::Rc,
    sync::{PoisonError, atomic::Ordering::Relaxed},
};

use super::{
    content::Purpose,
    delivery_check::DeliveryCheck,
    fast_scan,
    frame_reader::{Piece, Reference},
    frame_summary::{ALL, FrameSummary, Run},
    plan::{Role, Workload},
    shard::{Shard, State},
};

impl Shard {
    /// Takes what a connection brought.
    pub fn receive(&self, state: &mut State, piece: &Piece<'_>, now: u64) {
        self.count(|c| &c.frames, 1);
        let reading = &self.shared.reading;
        let summary = match piece {
            Piece::Absurd(length) => {
                self.count(|c| &c.nonsense, 1);
                self.shared.trouble(&format!("a frame was announced with {length} bytes"));
                return;
            }
            Piece::Welcome(body) => Rc::new(fast_scan::read(reading, body)),
            Piece::Body(body) => {
                if !state.is_welcomed && self.reference.borrow().is_none() {
                    *self.reference.borrow_mut() = Reference::of(body).map(Rc::new);
                }
                self.cache.borrow_mut().read(reading, body)
            }
        };
        let is_reference = matches!(piece, Piece::Welcome(_));
        self.apply(state, &summary, now, is_reference);
    }

    /// Takes what a server of another dialect has said.
    pub fn heard(&self, state: &mut State, summary: &FrameSummary, now: u64) {
        self.count(|c| &c.frames, 1);
        self.apply(state, summary, now, false);
    }

    fn apply(&self, state: &mut State, summary: &FrameSummary, now: u64, is_reference: bool) {
        if let Some(answer) = summary.accepted {
            let said = summary.info.clone().or_else(|| summary.error.clone());
            state.accepted = Some((answer, said));
            state.is_welcomed |= answer;
            if answer {
                self.history(state, summary, is_reference);
            }
        } else if summary.messages > 0 {
            self.messages(state, summary, now);
        }
        if let Some(listed) = &summary.listed {
            state.roster.listed(listed);
        }
        self.notices(state, summary, now);
        self.odd(state, summary);
    }

    fn notices(&self, state: &mut State, summary: &FrameSummary, now: u64) {
        let plan = &self.shared.plan;
        let named = summary.joined.len() + summary.left.len();
        if named > 0 {
            let faults = state.roster.faults.sum();
            state.roster.joined(&summary.joined);
            state.roster.left(&summary.left);
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

    fn odd(&self, state: &State, summary: &FrameSummary) {
        if let (Some(text), None) = (&summary.error, summary.accepted) {
            self.count(|c| &c.errors, 1);
            self.shared.trouble(&format!("ERROR: {text}"));
        }
        if let Some(text) = &summary.nonsense {
            self.count(|c| &c.nonsense, 1);
            self.shared.trouble(&format!("none of the protocol: {text}"));
        }
        // What strangers said before the run is in everybody's history.
        if summary.accepted.is_none() {
            self.count(|c| &c.strangers, summary.strangers.into());
        }
        if summary.altered > 0 && self.is_judged(state.user) {
            self.delivery_check.borrow_mut().faults_mut().altered += u64::from(summary.altered);
        }
    }

    fn is_judged(&self, user: u32) -> bool {
        self.shared.plan.role(user) != Role::Slow
    }

    /// The history in a welcome.
    fn history(&self, state: &State, summary: &FrameSummary, is_reference: bool) {
        let plan = &self.shared.plan;
        let mut delivery_check = self.delivery_check.borrow_mut();
        if plan.workload == Workload::Churn && plan.role(state.user) == Role::Passer {
            for run in summary.runs.iter().filter(|run| run.purpose == Purpose::Public) {
                if let Some(slot) = plan.slot(run.sender) {
                    delivery_check.take(state.row, slot, run.first, run.count);
                }
            }
        }
        if plan.history == 0 || plan.role(state.user) != Role::Member {
            return;
        }
        let in_order = match summary.runs.as_slice() {
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

    fn messages(&self, state: &State, summary: &FrameSummary, now: u64) {
        let plan = &self.shared.plan;
        self.count(|c| &c.deliveries, summary.messages.into());
        let mut delivery_check = self.delivery_check.borrow_mut();
        for run in &summary.runs {
            if plan.workload == Workload::Private {
                self.private(state, &mut delivery_check, *run);
            } else {
                self.public(state, &mut delivery_check, *run);
            }
        }
        let mut latency = self.latency.borrow_mut();
        for stamp in &summary.stamps {
            if self.shared.is_measured(stamp.micros) {
                let class = usize::from(plan.role(stamp.sender) == Role::Flooder);
                if let Some(latency) = latency.get_mut(class) {
                    latency.record(now.saturating_sub(stamp.micros), stamp.count);
                }
            }
        }
    }

    fn public(&self, state: &State, delivery_check: &mut DeliveryCheck, run: Run) {
        let plan = &self.shared.plan;
        if run.dest != ALL {
            delivery_check.faults_mut().misrouted += u64::from(run.count);
            return;
        }
        let Some(slot) = plan.slot(run.sender) else {
            delivery_check.faults_mut().invented += u64::from(run.count);
            return;
        };
        let fresh = delivery_check.take(state.row, slot, run.first, run.count);
        let reached = delivery_check.reached(state.row, slot);
        if plan.is_witness(state.user, self.thread) {
            self.shared.witnessed(self.thread, slot, run.sender, reached);
        }
        if run.sender == state.user {
            self.count(|c| &c.echoes, fresh.into());
            self.shared.echoes.store(true, Relaxed);
            if let Some(cell) = self.cells.borrow().get(&run.sender) {
                cell.echoing.set(true);
                cell.confirmed.set(reached);
            }
            return;
        }
        if plan.role(state.user) != Role::Passer {
            self.count(|c| &c.from_others, fresh.into());
        }
        if plan.buddy(run.sender) == state.user
            && let Some(cell) = self.cells.borrow().get(&run.sender)
            && !cell.echoing.get()
        {
            cell.confirmed.set(reached);
            cell.wake();
        }
    }

    fn private(&self, state: &State, delivery_check: &mut DeliveryCheck, run: Run) {
        let partner = self.shared.plan.buddy(state.user);
        if run.sender == state.user && run.dest == partner {
            // Whether the sender gets a copy is open (RT-7).
            self.count(|c| &c.copies, run.count.into());
            return;
        }
        if run.dest != state.user || run.sender != partner {
            delivery_check.faults_mut().misrouted += u64::from(run.count);
            return;
        }
        let fresh = delivery_check.take(state.row, 0, run.first, run.count);
        self.count(|c| &c.from_others, fresh.into());
        if let Some(cell) = self.cells.borrow().get(&run.sender) {
            cell.confirmed.set(delivery_check.reached(state.row, 0));
            cell.wake();
        }
    }
}
