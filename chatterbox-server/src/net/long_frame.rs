//! A memory budget and a deadline for long frames that are being received (LG-3).
//!
//! A frame is buffered until it is complete. Without a budget, a few thousand connections that each hold back the end of a
//! long frame would fill the memory.

#![allow(clippy::disallowed_methods, reason = "the edge: deadlines")]

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A frame of this size or more is long: it takes from the shared budget, and has a deadline.
const LONG_FRAME: usize = 64 * 1024;

/// The budget of all connections together, in KiB.
pub const LONG_FRAMES_KIB: usize = 256 * 1024;

/// The long frame that a connection is receiving.
pub(super) struct LongFrame {
    budget: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    timeout: Duration,
    deadline: Option<tokio::time::Instant>,
}

impl LongFrame {
    pub(super) fn new(budget: Arc<Semaphore>, timeout: Duration) -> Self {
        Self { budget, held: None, timeout, deadline: None }
    }

    /// Takes from the budget what an unfinished frame of this size needs; fails when the budget is used up.
    pub(super) fn holds(&mut self, pending: usize) -> Result<(), tokio::sync::TryAcquireError> {
        if pending < LONG_FRAME {
            (self.held, self.deadline) = (None, None);
            return Ok(());
        }
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = (pending / 1024).saturating_sub(held);
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.budget).try_acquire_many_owned(more)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        self.deadline.get_or_insert_with(|| tokio::time::Instant::now() + self.timeout);
        Ok(())
    }

    /// Waits for the deadline; for ever when no long frame is being received.
    pub(super) async fn overdue(&self) {
        match self.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(120);

    #[tokio::test]
    async fn long_frames_share_their_room_and_give_it_back() {
        let room = Arc::new(Semaphore::new(128));
        let mut first = LongFrame::new(Arc::clone(&room), TIME);
        let mut second = LongFrame::new(Arc::clone(&room), TIME);
        assert!(first.holds(LONG_FRAME - 1).is_ok() && room.available_permits() == 128);
        assert!(first.holds(80 * 1024).is_ok() && first.holds(100 * 1024).is_ok());
        assert_eq!(room.available_permits(), 28, "grows with the frame, and is not counted twice");
        assert!(second.holds(LONG_FRAME).is_err());
        assert!(first.holds(0).is_ok() && second.holds(LONG_FRAME).is_ok());
        drop(second);
        assert_eq!(room.available_permits(), 128);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_frame_has_to_be_finished_in_time() {
        let mut frame = LongFrame::new(Arc::new(Semaphore::new(1024)), TIME);
        let start = tokio::time::Instant::now();
        frame.holds(LONG_FRAME).unwrap();
        tokio::time::sleep(TIME / 2).await;
        // More of the frame does not move the deadline.
        frame.holds(2 * LONG_FRAME).unwrap();
        frame.overdue().await;
        assert_eq!(start.elapsed(), TIME);
        frame.holds(0).unwrap();
        assert!(tokio::time::timeout(10 * TIME, frame.overdue()).await.is_err());
    }
}
