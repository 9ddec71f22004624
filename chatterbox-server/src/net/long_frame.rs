//! A memory budget and a deadline for frames that are being received, or worked off (LG-3).
//!
//! A frame is buffered until it is complete. Without a budget, a few thousand connections that each hold back the end of a
//! frame would fill the memory.

#![allow(clippy::disallowed_methods, reason = "the edge: deadlines")]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatterbox_hub::guard::network;

/// A frame of this size or more takes from the shared budget.
const LONG_FRAME: usize = 16 * 1024;

/// One of this size or more has a deadline. A short one may wait: it is what an idle connection may have begun.
const DEADLINE_FROM: usize = 64 * 1024;

/// The budget of all connections together, in bytes.
const BUDGET: usize = 64 * 1024 * 1024;

/// One address may use this part of it, so that others always have some.
const ADDRESS_PART: usize = 4;

/// The bytes of long frames that all connections hold.
#[derive(Debug)]
pub struct LongFrames {
    budget: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Default for LongFrames {
    fn default() -> Self {
        Self::with_budget(BUDGET)
    }
}

/// There is no room for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom;

impl LongFrames {
    pub(super) fn with_budget(budget: usize) -> Self {
        Self { budget, held: Mutex::default() }
    }

    fn take(&self, address: IpAddr, bytes: usize) -> Result<(), NoRoom> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = held.by_address.get(&address).copied().unwrap_or_default();
        if held.total + bytes > self.budget || of_address + bytes > self.budget / ADDRESS_PART {
            return Err(NoRoom);
        }
        held.total += bytes;
        *held.by_address.entry(address).or_default() += bytes;
        Ok(())
    }

    fn give_back(&self, address: IpAddr, bytes: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total = held.total.saturating_sub(bytes);
        if let Some(of_address) = held.by_address.get_mut(&address) {
            *of_address = of_address.saturating_sub(bytes);
            if *of_address == 0 {
                held.by_address.remove(&address);
            }
        }
    }
}

/// The long frame that a connection is receiving or working off.
pub(super) struct LongFrame {
    frames: Arc<LongFrames>,
    address: IpAddr,
    held: usize,
    timeout: Duration,
    deadline: Option<tokio::time::Instant>,
}

impl LongFrame {
    pub(super) fn new(frames: Arc<LongFrames>, peer: IpAddr, timeout: Duration) -> Self {
        Self { frames, address: network(peer), held: 0, timeout, deadline: None }
    }

    /// Takes from the budget what an unfinished frame of this size needs, and gives back what it does not need any more.
    pub(super) fn holds(&mut self, pending: usize) -> Result<(), NoRoom> {
        let needed = if pending < LONG_FRAME { 0 } else { pending };
        if needed < self.held {
            self.frames.give_back(self.address, self.held - needed);
        } else if needed > self.held {
            self.frames.take(self.address, needed - self.held)?;
        }
        self.held = needed;
        if pending < DEADLINE_FROM {
            self.deadline = None;
        } else {
            self.deadline.get_or_insert_with(|| tokio::time::Instant::now() + self.timeout);
        }
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

impl Drop for LongFrame {
    fn drop(&mut self) {
        if self.held > 0 {
            self.frames.give_back(self.address, self.held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(120);

    fn frame(frames: &Arc<LongFrames>, peer: &str) -> LongFrame {
        LongFrame::new(Arc::clone(frames), peer.parse().unwrap(), TIME)
    }

    fn held(frames: &LongFrames) -> (usize, usize) {
        let held = frames.held.lock().unwrap();
        (held.total, held.by_address.len())
    }

    #[tokio::test]
    async fn long_frames_share_their_room_and_give_it_back() {
        let room = Arc::new(LongFrames::with_budget(8 * LONG_FRAME));
        let mut first = frame(&room, "192.0.2.1");
        let mut second = frame(&room, "192.0.2.1");
        assert!(first.holds(LONG_FRAME - 1).is_ok() && held(&room) == (0, 0));
        assert!(first.holds(LONG_FRAME).is_ok() && first.holds(LONG_FRAME + 5).is_ok());
        assert_eq!(
            held(&room),
            (LONG_FRAME + 5, 1),
            "grows with the frame, and is not counted twice"
        );
        assert_eq!(second.holds(LONG_FRAME), Err(NoRoom), "a quarter for each address");
        assert_eq!(held(&room), (LONG_FRAME + 5, 1), "who got nothing holds nothing");
        let mut others: Vec<_> = (2..5).map(|n| frame(&room, &format!("192.0.2.{n}"))).collect();
        for other in &mut others {
            other.holds(2 * LONG_FRAME).unwrap();
        }
        assert_eq!(first.holds(3 * LONG_FRAME), Err(NoRoom));
        assert!(first.holds(0).is_ok() && second.holds(2 * LONG_FRAME).is_ok());
        assert_eq!(frame(&room, "192.0.2.9").holds(LONG_FRAME), Err(NoRoom), "all is used");
        drop((first, second, others));
        assert_eq!(held(&room), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_frame_has_to_be_finished_in_time() {
        let mut frame = frame(&Arc::new(LongFrames::default()), "192.0.2.1");
        let start = tokio::time::Instant::now();
        frame.holds(DEADLINE_FROM).unwrap();
        tokio::time::sleep(TIME / 2).await;
        // More of the frame does not move the deadline.
        frame.holds(2 * DEADLINE_FROM).unwrap();
        frame.overdue().await;
        assert_eq!(start.elapsed(), TIME);
        frame.holds(0).unwrap();
        assert!(tokio::time::timeout(10 * TIME, frame.overdue()).await.is_err());
    }
}
