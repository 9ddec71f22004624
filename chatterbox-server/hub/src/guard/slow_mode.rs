//! Slow mode: who has written to which room a moment ago (RM-15).

use std::collections::{BTreeMap, VecDeque};

/// Who wrote to which room is remembered for so many at most; beyond, the oldest may write again.
const REMEMBERED: usize = 20_000;

/// When somebody wrote last, where that counts.
#[derive(Debug)]
pub struct SlowMode<K> {
    last: BTreeMap<K, u64>,
    /// In the order in which they wrote; some have written since.
    order: VecDeque<(u64, K)>,
}

impl<K> Default for SlowMode<K> {
    fn default() -> Self {
        Self { last: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<K: Ord + Copy> SlowMode<K> {
    /// Notes that somebody writes at `now`, in milliseconds, where `seconds` lie between two messages.
    ///
    /// # Errors
    /// After how many seconds they may, if not now; nothing is noted then.
    pub fn may_write(&mut self, who: K, seconds: u32, now: u64) -> Result<(), u32> {
        let interval = u64::from(seconds) * 1000;
        if let Some(last) = self.last.get(&who) {
            let waits = (last + interval).saturating_sub(now);
            if waits > 0 {
                return Err(u32::try_from(waits.div_ceil(1000)).unwrap_or(u32::MAX));
            }
        }
        self.last.insert(who, now);
        self.order.push_back((now, who));
        while self.last.len() > REMEMBERED || self.order.len() > 2 * REMEMBERED {
            let Some((at, who)) = self.order.pop_front() else { break };
            if self.last.get(&who) == Some(&at) {
                self.last.remove(&who);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_message_costs_no_waiting_time() {
        let mut slow = SlowMode::default();
        assert_eq!(slow.may_write(1, 10, 1000), Ok(()));
        assert_eq!(slow.may_write(1, 10, 1001), Err(10));
        assert_eq!(slow.may_write(1, 10, 9_500), Err(2));
        assert_eq!(slow.may_write(2, 10, 9_500), Ok(()), "another user");
        assert_eq!(slow.may_write(1, 10, 11_000), Ok(()));
        assert_eq!(slow.may_write(1, 10, 20_999), Err(1));
        assert_eq!(slow.may_write(1, 5, 20_999), Ok(()), "a shorter interval counts at once");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut slow = SlowMode::default();
        for round in 0..4 {
            for who in 0..2 * REMEMBERED {
                assert_eq!(slow.may_write(who, 0, round), Ok(()));
                assert!(slow.last.len() <= REMEMBERED && slow.order.len() <= 2 * REMEMBERED);
            }
        }
    }
}
