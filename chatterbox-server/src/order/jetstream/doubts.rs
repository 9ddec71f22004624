//! When the engine is believed that says what must not be.
//!
//! A server that was hung answers what was asked before with what it knew then, and one that was down for a while first catches up.
//! So each fault is believed when the engine has said it for long enough, and never anything else between. An answer that is as it
//! has to be ends a doubt about the same thing, and of nothing else: that the log is long enough says nothing of a hole in it.

use tokio::time::Instant;

use crate::order::total_order::DOUBT;

/// Since when the engine has said what must not be.
#[derive(Debug, Default)]
pub struct Doubts {
    ends_early: Option<Instant>,
    has_a_hole: Option<Instant>,
    is_another: Option<Instant>,
}

/// Since when it has said one thing.
fn lasts(since: &mut Option<Instant>, now: Instant) -> bool {
    now.saturating_duration_since(*since.get_or_insert(now)) >= DOUBT
}

impl Doubts {
    /// The log seems to end before what was read; says whether that is believed.
    pub fn ends_early(&mut self, now: Instant) -> bool {
        lasts(&mut self.ends_early, now)
    }

    /// The log is as long as it has to be.
    pub fn is_long_enough(&mut self) {
        self.ends_early = None;
    }

    /// Something behind what was read seems to be missing; says whether that is believed.
    pub fn has_a_hole(&mut self, now: Instant) -> bool {
        lasts(&mut self.has_a_hole, now)
    }

    /// What is behind what was read has come.
    pub fn goes_on(&mut self) {
        self.has_a_hole = None;
    }

    /// The log seems to be another one than before; says whether that is believed.
    pub fn is_another(&mut self, now: Instant) -> bool {
        lasts(&mut self.is_another, now)
    }

    /// It is the same log.
    pub fn is_the_same(&mut self) {
        self.is_another = None;
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "some moment from which the others count")]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A way to say a fault, and to say that it is none.
    type Says = (fn(&mut Doubts, Instant) -> bool, fn(&mut Doubts));

    const ALL: [Says; 3] = [
        (Doubts::ends_early, Doubts::is_long_enough),
        (Doubts::has_a_hole, Doubts::goes_on),
        (Doubts::is_another, Doubts::is_the_same),
    ];

    #[test]
    fn a_fault_is_believed_when_nothing_else_was_said_for_long_enough() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        for (fault, _) in ALL {
            let mut doubts = Doubts::default();
            for seconds in [0, 1, 11] {
                assert!(!fault(&mut doubts, later(seconds)));
            }
            assert!(fault(&mut doubts, start + DOUBT));
        }
    }

    #[test]
    fn a_good_answer_ends_a_doubt_however_long_ago_it_began() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        for (fault, none) in ALL {
            let mut doubts = Doubts::default();
            assert!(!fault(&mut doubts, start));
            none(&mut doubts);
            // A quiet hour later a server is slow once more.
            assert!(!fault(&mut doubts, later(3600)), "it is not what was said an hour ago");
            assert!(fault(&mut doubts, later(3600) + DOUBT));
        }
    }

    #[test]
    fn a_good_answer_about_one_thing_says_nothing_of_another() {
        let start = Instant::now();
        for (index, (fault, _)) in ALL.into_iter().enumerate() {
            let mut doubts = Doubts::default();
            assert!(!fault(&mut doubts, start));
            for (other, (_, none)) in ALL.into_iter().enumerate() {
                if other != index {
                    none(&mut doubts);
                }
            }
            assert!(fault(&mut doubts, start + DOUBT));
        }
    }
}
