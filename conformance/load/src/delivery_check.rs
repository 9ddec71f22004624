//! Checks that every message arrives exactly once, in the order of its sender.
//!
//! A receiver keeps one number for each sender, the sequence number that comes next. Only gaps are
//! kept as such, and a bounded number of them, so that a message that is late is told from
//! one that comes again; the memory does not grow with the number of messages.

use serde::{Deserialize, Serialize};

/// How many gaps are remembered at the same time.
const MOST_GAPS: usize = 4_096;

/// Nothing has come yet, and anything may come first.
const ANYTHING: u32 = u32::MAX;

/// Violations in the deliveries, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Messages that a receiver never got.
    pub lost: u64,
    /// Messages that a receiver got again.
    pub doubled: u64,
    /// Messages that came after a later one of the same sender.
    pub reordered: u64,
    /// Messages of our users that are not as they were sent.
    pub altered: u64,
    /// Messages that reached somebody whom they were not for.
    pub misrouted: u64,
    /// Messages that nobody can have sent: more than were sent, or none of this workload.
    pub invented: u64,
}

impl Faults {
    /// How many in all.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        let Self { lost, doubled, reordered, altered, misrouted, invented } = *self;
        lost + doubled + reordered + altered + misrouted + invented
    }

    /// Adds the faults of another check.
    pub const fn add(&mut self, other: &Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.altered += other.altered;
        self.misrouted += other.misrouted;
        self.invented += other.invented;
    }
}

/// The sequence number from which a receiver checks a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// It was there before the first message: that one has to come first.
    First,
    /// It came later: whichever comes first is right, and those behind it have to follow.
    Anywhere,
}

#[derive(Debug, Clone, Copy)]
struct Gap {
    row: usize,
    slot: usize,
    first: u32,
    count: u32,
}

/// The accounts of some receivers.
#[derive(Debug, Default)]
pub struct DeliveryCheck {
    rows: Vec<Box<[u32]>>,
    gaps: Vec<Gap>,
    faults: Faults,
}

impl DeliveryCheck {
    /// Opens an account for a receiver of this many senders, and gives its number.
    pub fn open(&mut self, senders: usize, begin: Begin) -> usize {
        let next = if begin == Begin::First { 0 } else { ANYTHING };
        self.rows.push(vec![next; senders].into_boxed_slice());
        self.rows.len() - 1
    }

    /// Closes an account without looking at it: its receiver is not judged any more.
    pub fn close(&mut self, row: usize) {
        if let Some(row) = self.rows.get_mut(row) {
            *row = Box::default();
        }
    }

    /// The violations so far.
    pub const fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Takes messages that came together, and gives how many of them were new.
    pub fn take(&mut self, row: usize, slot: usize, first: u32, count: u32) -> u32 {
        let Some(next) = self.rows.get_mut(row).and_then(|row| row.get_mut(slot)) else {
            self.faults.invented += u64::from(count);
            return 0;
        };
        let end = first.saturating_add(count);
        if *next == first || *next == ANYTHING {
            *next = end;
            return count;
        }
        if first > *next {
            let missing = first - *next;
            self.faults.lost += u64::from(missing);
            if self.gaps.len() < MOST_GAPS {
                self.gaps.push(Gap { row, slot, first: *next, count: missing });
            }
            *next = end;
            return count;
        }
        let ahead = end.saturating_sub(*next);
        *next = (*next).max(end);
        let late = (first..end - ahead).filter(|sequence| self.fill(row, slot, *sequence)).count();
        let late = u32::try_from(late).unwrap_or(u32::MAX);
        let again = count - ahead - late;
        self.faults.lost = self.faults.lost.saturating_sub(u64::from(late));
        self.faults.reordered += u64::from(late);
        self.faults.doubled += u64::from(again);
        ahead + late
    }

    /// Takes a number out of the gap that it is missing in.
    fn fill(&mut self, row: usize, slot: usize, sequence: u32) -> bool {
        let inside = |gap: &Gap| {
            (gap.row, gap.slot) == (row, slot)
                && gap.first <= sequence
                && sequence - gap.first < gap.count
        };
        let Some(at) = self.gaps.iter().position(inside) else { return false };
        let gap = self.gaps.swap_remove(at);
        let before = sequence - gap.first;
        let after = gap.count - before - 1;
        if before > 0 {
            self.gaps.push(Gap { count: before, ..gap });
        }
        if after > 0 {
            self.gaps.push(Gap { first: sequence + 1, count: after, ..gap });
        }
        true
    }

    /// How many messages of a sender have come, gaps included; none when there is no such account.
    #[must_use]
    pub fn reached(&self, row: usize, slot: usize) -> u32 {
        let next = self.rows.get(row).and_then(|row| row.get(slot)).copied();
        next.filter(|next| *next != ANYTHING).unwrap_or_default()
    }

    /// Settles a receiver's account of a sender who has sent this many.
    pub fn settle(&mut self, row: usize, slot: usize, sent: u32) {
        let reached = self.reached(row, slot);
        self.faults.lost += u64::from(sent.saturating_sub(reached));
        self.faults.invented += u64::from(reached.saturating_sub(sent));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(arrivals: &[u32], sent: u32) -> Faults {
        let mut delivery_check = DeliveryCheck::default();
        let row = delivery_check.open(1, Begin::First);
        for sequence in arrivals {
            delivery_check.take(row, 0, *sequence, 1);
        }
        delivery_check.settle(row, 0, sent);
        *delivery_check.faults_mut()
    }

    #[test]
    fn one_that_came_later_begins_anywhere() {
        let mut delivery_check = DeliveryCheck::default();
        let row = delivery_check.open(2, Begin::Anywhere);
        assert_eq!(delivery_check.take(row, 1, 40, 3), 3);
        assert_eq!(delivery_check.take(row, 1, 43, 1), 1);
        assert_eq!(*delivery_check.faults_mut(), Faults::default());
        delivery_check.take(row, 1, 45, 1);
        assert_eq!(delivery_check.faults_mut().lost, 1);
    }

    #[test]
    fn a_stretch_that_overlaps_is_taken_apart() {
        let mut delivery_check = DeliveryCheck::default();
        let row = delivery_check.open(1, Begin::First);
        delivery_check.take(row, 0, 0, 2);
        delivery_check.take(row, 0, 4, 2);
        // 2 and 3 fill the gap, 4 and 5 come again, 6 is new.
        assert_eq!(delivery_check.take(row, 0, 2, 5), 3);
        let expected = Faults { reordered: 2, doubled: 2, ..Faults::default() };
        assert_eq!(*delivery_check.faults_mut(), expected);
        assert_eq!(delivery_check.reached(row, 0), 7);
    }

    #[test]
    fn what_nobody_can_have_sent_is_invented() {
        assert_eq!(judge(&[0, 1, 2], 2).invented, 1);
        let mut delivery_check = DeliveryCheck::default();
        delivery_check.take(3, 0, 0, 2);
        assert_eq!(delivery_check.faults_mut().invented, 2);
    }

    proptest! {
        #[test]
        fn what_is_right_is_right(sent in 0..200_u32) {
            prop_assert_eq!(judge(&(0..sent).collect::<Vec<_>>(), sent), Faults::default());
        }

        #[test]
        fn whatever_is_lost_is_noticed(sent in 1..200_u32, at in any::<prop::sample::Index>()) {
            let mut arrivals: Vec<_> = (0..sent).collect();
            arrivals.remove(at.index(arrivals.len()));
            prop_assert_eq!(judge(&arrivals, sent), Faults { lost: 1, ..Faults::default() });
        }

        #[test]
        fn whatever_comes_twice_is_noticed(
            sent in 1..200_u32, at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
        ) {
            let mut arrivals: Vec<_> = (0..sent).collect();
            let from = at.index(arrivals.len());
            let again = arrivals[from];
            let place = from + 1 + to.index(arrivals.len() - from);
            arrivals.insert(place, again);
            prop_assert_eq!(judge(&arrivals, sent), Faults { doubled: 1, ..Faults::default() });
        }

        #[test]
        fn whatever_is_late_is_noticed(
            sent in 2..200_u32, at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
        ) {
            let mut arrivals: Vec<_> = (0..sent).collect();
            let from = at.index(arrivals.len() - 1);
            let late = arrivals.remove(from);
            let place = from + 1 + to.index(arrivals.len() - from);
            arrivals.insert(place, late);
            prop_assert_eq!(judge(&arrivals, sent), Faults { reordered: 1, ..Faults::default() });
        }

        #[test]
        fn any_order_is_counted_out(order in Just((0..60_u32).collect::<Vec<_>>()).prop_shuffle()) {
            let faults = judge(&order, 60);
            prop_assert_eq!((faults.lost, faults.doubled, faults.invented), (0, 0, 0));
            prop_assert_eq!(faults.reordered == 0, order.is_sorted());
        }
    }
}
