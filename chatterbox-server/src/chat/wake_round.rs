//! How many members were woken and have not looked yet: whether the last round of wakes is over.

use std::sync::atomic::{AtomicIsize, Ordering};

use crate::chat::wake_flag::WakeFlag;

/// Counts those who were woken.
///
/// While there are any, whatever is told to everybody makes another round behind theirs. Under load it is better to wait for the
/// end of theirs, and to tell all together what has come meanwhile: a write costs as much as a hundred messages in it.
#[derive(Debug, Default)]
pub struct WakeRound {
    /// Below zero for a moment, when somebody looks before it is counted.
    woken: AtomicIsize,
    over: WakeFlag,
}

impl WakeRound {
    /// Counts members that were woken.
    pub(super) fn woke(&self, members: isize) {
        if members > 0 {
            self.woken.fetch_add(members, Ordering::AcqRel);
        }
    }

    /// Notes that one of them looks at what there is.
    pub(super) fn looked(&self) {
        if self.woken.fetch_sub(1, Ordering::AcqRel) <= 1 {
            self.over.raise();
        }
    }

    /// Waits until all have looked; one task may wait.
    pub(super) async fn over(&self) {
        while self.woken.load(Ordering::Acquire) > 0 {
            self.over.raised().await;
        }
    }
}
