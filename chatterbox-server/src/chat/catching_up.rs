//! Those who wait until this node has applied what was decided so far: one proposal that comes round answers all of them.
//!
//! Whoever came before a group was collected is answered by that group: it is decided behind everything that was decided before
//! they came. At most one such proposal is in the queue, however many wait and however often they come and go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Those who have gone are looked for when so many wait, and when twice as many wait as there were left.
const FEW: usize = 64;

/// Whom it is told that this node has caught up, or has not.
pub(super) type CaughtUp = oneshot::Sender<bool>;

/// Those who wait for the next round.
#[derive(Debug, Default)]
pub(super) struct CatchingUp(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    all: Vec<CaughtUp>,
    /// Those who have gone are looked for when there are more.
    few: usize,
    /// Whether a turn is in the queue.
    is_queued: bool,
}

/// The turn of all who wait, in the queue. Where nobody takes it, they are told that the node has not caught up.
#[derive(Debug)]
pub(super) struct Turn(Option<Arc<CatchingUp>>);

impl CatchingUp {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits with the others; gives the turn of all of them if it has to be queued.
    pub(super) fn wait(self: &Arc<Self>) -> (oneshot::Receiver<bool>, Option<Turn>) {
        let (done, caught_up) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.all.len() >= waiting.few.max(FEW) {
            waiting.all.retain(|done| !done.is_closed());
            waiting.few = 2 * waiting.all.len();
        }
        waiting.all.push(done);
        let is_first = !std::mem::replace(&mut waiting.is_queued, true);
        (caught_up, is_first.then(|| Turn(Some(Arc::clone(self)))))
    }
}

impl Turn {
    /// All who wait now, but for those who have gone. Whoever comes later waits for the next turn.
    pub(super) fn take(mut self) -> Vec<CaughtUp> {
        let mut all = self.end();
        all.retain(|done| !done.is_closed());
        all
    }

    fn end(&mut self) -> Vec<CaughtUp> {
        let Some(catching_up) = self.0.take() else { return Vec::new() };
        let mut waiting = catching_up.lock();
        waiting.is_queued = false;
        std::mem::take(&mut waiting.all)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Nobody of them was answered, so each is told by the end of its channel.
        drop(self.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_before_a_turn_is_taken_is_answered_by_it_and_others_by_the_next() {
        let all = Arc::new(CatchingUp::default());
        let (mut one, first) = all.wait();
        let (mut two, none) = all.wait();
        assert!(none.is_none(), "one is queued");
        let taken = first.unwrap().take();
        let (mut late, next) = all.wait();
        for done in taken {
            done.send(true).unwrap();
        }
        assert_eq!((one.try_recv(), two.try_recv()), (Ok(true), Ok(true)));
        assert!(late.try_recv().is_err(), "it came behind that group");
        for done in next.unwrap().take() {
            done.send(false).unwrap();
        }
        assert_eq!(late.try_recv(), Ok(false));
    }

    #[test]
    fn where_nobody_takes_the_turn_nobody_waits_and_who_has_gone_is_dropped() {
        let all = Arc::new(CatchingUp::default());
        let (waiting, turn) = all.wait();
        drop(turn);
        assert_eq!(waiting.blocking_recv().ok(), None);
        let (stays, turn) = all.wait();
        for _ in 0..100_000 {
            drop(all.wait().0);
        }
        assert!(all.lock().all.len() <= 2 * FEW, "{}", all.lock().all.len());
        assert_eq!(turn.unwrap().take().len(), 1);
        drop(stays);
        let (gone, turn) = all.wait();
        drop(gone);
        assert!(turn.unwrap().take().is_empty());
    }
}
