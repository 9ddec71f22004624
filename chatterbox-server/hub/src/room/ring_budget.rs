//! The one budget of the rings of all rooms beside the lobby's, which has bounds of its own.
//!
//! A room that has grown beyond it drops its oldest events, so that a flood in one room does not overtake the readers of
//! another. A ring with no more than its share, the budget divided by the rings that hold anything, loses nothing to others:
//! beyond the budget the largest has more than that, and gives up its oldest in place of one that has not.

use std::collections::BTreeSet;

use crate::ids::RoomId;

/// The budget of all rings where nothing else is set, in bytes.
const RINGS: usize = 64 * 1024 * 1024;

/// What the rings hold.
#[derive(Debug)]
pub struct RingBudget {
    pub(crate) limit: usize,
    held: usize,
    /// The rings that hold anything, by what they hold.
    by_weight: BTreeSet<(usize, RoomId)>,
}

impl Default for RingBudget {
    fn default() -> Self {
        Self { limit: RINGS, held: 0, by_weight: BTreeSet::new() }
    }
}

impl RingBudget {
    /// Counts a change of what a ring holds.
    pub fn change(&mut self, room: RoomId, from: usize, to: usize) {
        self.held = (self.held + to).saturating_sub(from);
        self.by_weight.remove(&(from, room));
        if to > 0 {
            self.by_weight.insert((to, room));
        }
    }

    /// The bytes that all rings hold.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.held
    }

    /// Which room has to drop its oldest event, after one has grown to `weight` with `events`; nobody when all are within the
    /// budget.
    pub fn who_drops(&self, grown: RoomId, weight: usize, events: usize) -> Option<RoomId> {
        if self.held <= self.limit {
            return None;
        }
        let share = self.limit / self.by_weight.len().max(1);
        if weight > share && events > 1 {
            return Some(grown);
        }
        self.by_weight.last().map(|(_, largest)| *largest)
    }
}
