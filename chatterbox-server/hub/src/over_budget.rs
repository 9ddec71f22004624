//! Who has to go when more waits than there is memory for.
//!
//! It is the address that holds most, and of its members those that hold most, until there is room again.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::guard::network;
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::removal::Removal;

/// Members are removed until so much of the budget is used, so that one who is just beyond it does not cost a look at
/// everybody with each message.
const LOW_WATER: (usize, usize) = (7, 8);

impl Hub {
    /// Sets the budget of memory that may wait for members, in bytes.
    #[must_use]
    pub const fn with_budget(mut self, bytes: usize) -> Self {
        self.budget.limit = bytes;
        self
    }

    /// The bytes that wait for members now: what they hold, and what is kept for nobody but them.
    pub fn waiting(&self) -> usize {
        self.budget.own + self.batches.outstanding() + self.history.pinned()
    }

    /// Removes members until what waits is within the budget, and says whom. Cheap when it is.
    pub fn keep_within_budget(&mut self) -> Vec<MemberId> {
        if self.waiting() <= self.budget.limit {
            return Vec::new();
        }
        // What was counted may be gone by now.
        self.batches.forget_written();
        self.history.forget_unpinned();
        let mut removed = Vec::new();
        let low = self.budget.limit / LOW_WATER.1 * LOW_WATER.0;
        let mut excess = self.waiting().saturating_sub(low);
        if self.waiting() <= self.budget.limit {
            return removed;
        }
        // Parts of the history are pinned by the welcomes that have taken longest.
        let pinned = self.history.pinned();
        if pinned > self.budget.limit / 2 {
            let slowest = self.members.iter().find(|(_, member)| member.is_being_welcomed);
            if let Some(id) = slowest.map(|(id, _)| *id) {
                self.remove_over_budget(id, &mut removed);
                excess = excess.saturating_sub(pinned);
            }
        }
        while excess > 0 {
            let Some(victims) = self.heaviest() else { break };
            for (id, held) in victims {
                if excess == 0 {
                    break;
                }
                self.remove_over_budget(id, &mut removed);
                excess = excess.saturating_sub(held);
            }
        }
        removed
    }

    /// The members of the address that holds most, with what each holds; who holds most comes first.
    fn heaviest(&self) -> Option<Vec<(MemberId, usize)>> {
        let address = |id: &MemberId| self.identity(*id).and_then(|who| who.address.map(network));
        let mut sums = HashMap::new();
        for (id, member) in &self.members {
            *sums.entry(address(id)).or_insert(0_usize) += member.held_bytes();
        }
        let (heaviest, sum) = sums.into_iter().max_by_key(|(_, sum)| *sum)?;
        if sum == 0 {
            return None;
        }
        let held = self.members.iter().filter(|(id, _)| address(id) == heaviest);
        let mut held: Vec<_> = held.map(|(id, member)| (*id, member.held_bytes())).collect();
        held.sort_unstable_by_key(|(id, held)| (Reverse(*held), *id));
        Some(held)
    }

    fn remove_over_budget(&mut self, id: MemberId, removed: &mut Vec<MemberId>) {
        let _ = self.leave(id);
        self.removed.insert(id, Removal::OverBudget);
        removed.push(id);
    }

    /// Changes a member, and counts what it holds afterwards.
    pub(crate) fn with_member<T>(
        &mut self,
        id: MemberId,
        change: impl FnOnce(&mut crate::member::Member) -> T,
    ) -> Option<T> {
        let member = self.members.get_mut(&id)?;
        let before = member.own_bytes();
        let changed = change(member);
        self.budget.change(before, member.own_bytes());
        Some(changed)
    }
}
