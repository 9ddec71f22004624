//! Long frames that are being received: what they may hold together, and for how long.
//!
//! A frame is kept until it is whole. A few thousand connections that each hold back the end of a long one would fill the
//! memory, so long frames share a room of bounded size and have to be finished in time (LG-3).

#![allow(clippy::disallowed_methods, reason = "the edge: deadlines")]

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// From this size on a frame is long: it needs room from what all connections share, and has to be finished in time.
const LONG_FRAME: usize = 64 * 1024;

/// What all connections together may hold of unfinished long frames, in KiB.
pub const LONG_FRAMES_KIB: usize = 256 * 1024;

/// The long frame that a connection is receiving: what it holds of the shared room, and until when.
pub(super) struct LongFrame {
    room: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    time: Duration,
    until: Option<tokio::time::Instant>,
}

impl LongFrame {
    pub(super) fn new(room: Arc<Semaphore>, time: Duration) -> Self {
        Self { room, held: None, time, until: None }
    }

    /// Notes how much of an unfinished frame there is.
    pub(super) fn holds(&mut self, pending: usize) -> Result<(), tokio::sync::TryAcquireError> {
        if pending < LONG_FRAME {
            (self.held, self.until) = (None, None);
            return Ok(());
        }
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = (pending / 1024).saturating_sub(held);
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.room).try_acquire_many_owned(more)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        self.until.get_or_insert_with(|| tokio::time::Instant::now() + self.time);
        Ok(())
    }

    /// Waits until the frame should have been finished; for ever when there is none.
    pub(super) async fn overdue(&self) {
        match self.until {
            Some(until) => tokio::time::sleep_until(until).await,
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
        // More of it does not begin it anew.
        frame.holds(2 * LONG_FRAME).unwrap();
        frame.overdue().await;
        assert_eq!(start.elapsed(), TIME);
        frame.holds(0).unwrap();
        assert!(tokio::time::timeout(10 * TIME, frame.overdue()).await.is_err());
    }
}
