//! Who was woken and has not looked yet: whether a round of wakes is over.
//!
//! While it is not, whatever is told to everybody wakes all again behind those who still wait for their turn, so that each is written
//! to twice. Under load it is better to wait for the end of the round, and to tell together what has come meanwhile: a write
//! costs as much as a hundred messages in it.

use std::sync::atomic::{AtomicIsize, AtomicU8, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use crate::chat::wake_flag::WakeFlag;

/// Counts those who were woken and have not looked.
#[derive(Debug, Default)]
pub(super) struct WakeRound {
    /// Below zero for a moment, when somebody looks before it is counted.
    woken: AtomicIsize,
    over: WakeFlag,
}

impl WakeRound {
    fn looked(&self) {
        if self.woken.fetch_sub(1, Ordering::AcqRel) <= 1 {
            self.over.raise();
        }
    }

    /// Whether nobody is left.
    pub(super) fn is_over(&self) -> bool {
        self.woken.load(Ordering::Acquire) <= 0
    }

    /// Waits until nobody is left; one task may wait.
    pub(super) async fn over(&self) {
        while !self.is_over() {
            self.over.raised().await;
        }
    }
}

/// Nothing has happened since the member has looked.
const LOOKED: u8 = 0;
/// The member was woken, and is counted.
const WOKEN: u8 = 1;
/// It is going to look without being woken, when it has time: nobody waits for that.
const LATER: u8 = 2;

/// The flag of one member, which wakes the one future that waits for it.
#[derive(Debug)]
pub(super) struct PendingFlag {
    state: AtomicU8,
    waiting: AtomicWaker,
}

impl Default for PendingFlag {
    /// The flag of a member that has just come, and does something else yet.
    fn default() -> Self {
        Self { state: AtomicU8::new(LATER), waiting: AtomicWaker::new() }
    }
}

impl PendingFlag {
    /// Wakes the member, unless it is going to look anyway.
    pub(super) fn raise(&self, round: &WakeRound) {
        let raised =
            self.state.compare_exchange(LOOKED, WOKEN, Ordering::AcqRel, Ordering::Acquire);
        if raised.is_ok() {
            round.woken.fetch_add(1, Ordering::AcqRel);
            self.waiting.wake();
        }
    }

    /// The member does something else, and looks when that is done: a member that is stuck, or has gone, keeps no round from ending.
    pub(super) fn defer(&self, round: &WakeRound) {
        if self.state.swap(LATER, Ordering::AcqRel) == WOKEN {
            round.looked();
        }
    }

    /// The same for a member whose task is about to be kept by something else than its writer, which waits for this flag meanwhile: it
    /// is woken, and looks when the task is run again.
    pub(super) fn postpone(&self, round: &WakeRound) {
        self.defer(round);
        self.waiting.wake();
    }

    /// Ready if it was raised since the last call; otherwise the next raise wakes the task.
    pub(super) fn poll_raised(&self, round: &WakeRound, context: &mut Context<'_>) -> Poll<()> {
        // Registered before the check, so that no raise between the two is lost.
        self.waiting.register(context.waker());
        self.lower(round)
    }

    /// Lowers it: its member looks now.
    fn lower(&self, round: &WakeRound) -> Poll<()> {
        match self.state.swap(LOOKED, Ordering::AcqRel) {
            LOOKED => return Poll::Pending,
            WOKEN => round.looked(),
            _ => {}
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_round_is_over_when_all_who_were_woken_have_looked() {
        let round = WakeRound::default();
        let (ann, bob, new) =
            (PendingFlag::default(), PendingFlag::default(), PendingFlag::default());
        for flag in [&ann, &bob] {
            assert!(flag.lower(&round).is_ready(), "who has just come looks");
        }
        assert!(round.is_over());
        for _ in 0..2 {
            for flag in [&ann, &bob, &new] {
                flag.raise(&round);
            }
        }
        assert!(ann.lower(&round).is_ready() && ann.lower(&round).is_pending());
        assert!(!round.is_over());
        let over =
            async { tokio::join!(round.over(), async { assert!(bob.lower(&round).is_ready()) }) };
        tokio::time::timeout(Duration::from_secs(60), over).await.unwrap();
        assert!(new.lower(&round).is_ready() && round.is_over(), "who was new is not counted");
        for flag in [&ann, &new] {
            flag.raise(&round);
        }
        new.defer(&round);
        new.raise(&round);
        ann.defer(&round);
        assert!(round.is_over(), "nobody waits for who does something else");
        assert!(new.lower(&round).is_ready(), "it looks afterwards");
        assert!(new.lower(&round).is_pending());
    }

    #[test]
    fn who_works_on_something_long_is_not_waited_for_and_looks_afterwards() {
        let round = WakeRound::default();
        let ann = PendingFlag::default();
        assert!(ann.lower(&round).is_ready());
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        assert!(ann.poll_raised(&round, &mut context).is_pending());
        ann.raise(&round);
        assert!(woken.0.swap(false, Ordering::Relaxed) && !round.is_over());
        // Before it has looked.
        ann.postpone(&round);
        assert!(round.is_over());
        ann.raise(&round);
        assert!(round.is_over(), "what is told meanwhile does not wait for it either");
        assert!(ann.poll_raised(&round, &mut context).is_ready());
        // Before it was woken.
        assert!(ann.poll_raised(&round, &mut context).is_pending());
        ann.postpone(&round);
        ann.raise(&round);
        assert!(round.is_over());
        assert!(woken.0.load(Ordering::Relaxed), "nothing else would wake it");
        assert!(ann.poll_raised(&round, &mut context).is_ready());
    }

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_is_lost_and_all_are_counted() {
        let all = Arc::new((WakeRound::default(), PendingFlag::default(), WakeFlag::default()));
        let task = tokio::spawn({
            let all = Arc::clone(&all);
            async move {
                let (round, flag, looked) = &*all;
                for _ in 0..10_000 {
                    poll_fn(|context| flag.poll_raised(round, context)).await;
                    looked.raise();
                }
            }
        });
        let (round, flag, looked) = &*all;
        let asking = async {
            looked.raised().await;
            for _ in 1..10_000 {
                flag.raise(round);
                round.over().await;
                looked.raised().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asking).await.unwrap();
        task.await.unwrap();
        assert!(round.is_over());
    }
}
