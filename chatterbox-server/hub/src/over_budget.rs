//! Who has to go when more waits than there is memory for.
//!
//! There are three kinds of memory that a member holds. What waits for it alone is ranked by the place that members come from:
//! whoever holds most there goes, again and again, until no place holds more than others. Batches and dropped parts of the
//! history are held by several; of those, who is furthest behind goes. A member that is reading stays as long as one
//! that is not can go.

use std::collections::{BTreeMap, BinaryHeap, HashMap};

use crate::eviction::MOVING;
use crate::guard::site;
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::member::Member;
use crate::removal::Removal;
use crate::room::stamp::Stamp;

/// Members are removed until so much of the budget is used, so that one who is just beyond it does not cost a look at
/// everybody with each message.
const LOW_WATER: (usize, usize) = (7, 8);

/// A removal under way.
struct Relief {
    /// The bytes that have to go.
    excess: usize,
    removed: Vec<MemberId>,
}

impl Hub {
    /// Sets the budget of memory that may wait for members, in bytes.
    #[must_use]
    pub const fn with_budget(mut self, bytes: usize) -> Self {
        self.budget.limit = bytes;
        self
    }

    /// The bytes that wait for members now: what they hold, and what is kept for nobody but them.
    pub fn waiting(&self) -> usize {
        self.budget.own + self.rooms.outstanding() + self.history.pinned()
    }

    /// The same without what members hold that were removed for it: it is free as soon as their connections end.
    fn to_stay(&self) -> usize {
        self.waiting().saturating_sub(self.budget.leaving())
    }

    /// Reserves so much for a member that could do without, beside what it has been handed, and says how much that was; it is counted
    /// from now on, until [`Hub::welcome_takes`] says what came of it. `None` where it may not be: half of the budget is for what has
    /// to wait.
    pub fn reserve_spare(&mut self, id: MemberId, bytes: usize) -> Option<usize> {
        if self.waiting().saturating_add(bytes) > self.budget.limit / 2 {
            return None;
        }
        self.with_member(id, |member| {
            let before = member.handed_out();
            member.hand_out_more(bytes);
            before
        })
    }

    /// Removes members until what waits is within the budget, and says whom. Cheap when it is.
    pub fn keep_within_budget(&mut self) -> Vec<MemberId> {
        if self.to_stay() <= self.budget.limit {
            return Vec::new();
        }
        // What was counted may be gone by now.
        self.rooms.forget_written();
        self.history.forget_unpinned();
        if self.to_stay() <= self.budget.limit {
            return Vec::new();
        }
        let low = self.budget.limit / LOW_WATER.1 * LOW_WATER.0;
        let mut relief = Relief { excess: self.to_stay() - low, removed: Vec::new() };
        let half = self.budget.limit / 2;
        if self.history.pinned() > half {
            self.unpin_history(&mut relief);
        }
        if self.rooms.outstanding() > half {
            self.end_furthest_behind(&mut relief);
        }
        for only_stalled in [true, false] {
            self.end_heaviest(&mut relief, only_stalled);
        }
        relief.removed
    }

    /// Removes those whose welcomes hold dropped parts of the history, those first that have taken longest.
    fn unpin_history(&mut self, relief: &mut Relief) {
        let drops = self.history.drops();
        let pins = |member: &Member| member.is_being_welcomed && member.welcomed_at < drops;
        let pinning = self.members.iter().filter(|(_, member)| pins(member));
        let mut pinning: Vec<_> = pinning.map(|(id, member)| (member.welcomed_at, *id)).collect();
        pinning.sort_unstable();
        let mut pinning = pinning.into_iter().peekable();
        while relief.excess > 0
            && let Some((from, id)) = pinning.next()
        {
            // What the next one holds as well is not free yet.
            let to = pinning.peek().map_or(drops, |(to, _)| *to);
            let freed = self.history.pinned_between(from, to);
            self.remove_over_budget(id, freed, relief);
        }
    }

    /// Removes those who hold batches that nobody else is going to get, those first that are furthest behind.
    fn end_furthest_behind(&mut self, relief: &mut Relief) {
        // Members with the same view and cursor hold the same batch: no two events have one stamp.
        let mut holders: BTreeMap<(Stamp, usize), Vec<MemberId>> = BTreeMap::new();
        for (id, member) in &self.members {
            // Who has taken everything has written what is shared, and does not say so.
            let is_held = member.shared_handed_out > 0 && self.rooms.is_behind(member);
            if is_held && !self.rooms.keeps_run_of(member) {
                let batch = (member.cursor, member.view.index());
                holders.entry(batch).or_default().push(*id);
            }
        }
        for ids in holders.into_values() {
            if relief.excess == 0 {
                return;
            }
            let size = |id| self.members.get(id).map_or(0, |member| member.shared_handed_out);
            let mut freed = ids.first().map_or(0, size);
            for id in ids {
                self.remove_over_budget(id, freed, relief);
                freed = 0;
            }
        }
    }

    /// Removes the member that holds most at the place that holds most, until that is enough.
    fn end_heaviest(&mut self, relief: &mut Relief, only_stalled: bool) {
        if relief.excess == 0 {
            return;
        }
        let mut places: HashMap<_, (usize, Vec<(usize, MemberId)>)> = HashMap::new();
        for (id, member) in &self.members {
            let is_moving = member.progressed || self.now.saturating_sub(member.moved_at) < MOVING;
            let own = member.own_bytes();
            if own == 0 || (only_stalled && is_moving) {
                continue;
            }
            let place = self.identity(*id).and_then(|who| who.address.map(site));
            let (sum, members) = places.entry(place).or_default();
            *sum += own;
            members.push((own, *id));
        }
        let mut places: BinaryHeap<_> = places
            .into_values()
            .map(|(sum, mut members)| {
                members.sort_unstable();
                (sum, members)
            })
            .collect();
        while relief.excess > 0
            && let Some((sum, mut members)) = places.pop()
        {
            let Some((own, id)) = members.pop() else { continue };
            self.remove_over_budget(id, 0, relief);
            places.push((sum - own, members));
        }
    }

    /// Removes a member; beside what it holds alone, its end frees so many bytes.
    fn remove_over_budget(&mut self, id: MemberId, freed: usize, relief: &mut Relief) {
        let own = self.members.get(&id).map_or(0, Member::own_bytes);
        self.forget_member(id);
        self.removed.insert(id, Removal::OverBudget);
        self.budget.leaves(id, freed);
        relief.excess = relief.excess.saturating_sub(own + freed);
        relief.removed.push(id);
    }

    /// Changes a member, and counts what it holds afterwards.
    pub(crate) fn with_member<T>(
        &mut self,
        id: MemberId,
        change: impl FnOnce(&mut Member) -> T,
    ) -> Option<T> {
        let member = self.members.get_mut(&id)?;
        let before = member.own_bytes();
        let changed = change(member);
        self.budget.change(before, member.own_bytes());
        Some(changed)
    }
}
