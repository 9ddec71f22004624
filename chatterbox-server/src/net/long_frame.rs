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
