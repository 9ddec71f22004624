//! Memory budgets and a deadline for frames that are being received, or worked off (LG-3).
//!
//! A frame is buffered until it is complete. Without a budget, a few thousand connections that each hold back the end of a
//! frame would fill the memory. There are two, for frames of up to 64 KiB and for longer ones, so that a few that are as long
//! as a frame may be never keep the others from sending theirs.

#![allow(clippy::disallowed_methods, reason = "the edge: deadlines")]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatterbox_hub::guard::site;
use tokio::time::Instant;

/// A frame of this size or more takes from a budget, and has a deadline. A shorter one may wait: it is what an idle connection
/// may have begun.
const LONG_FRAME: usize = 16 * 1024;

/// One of this size or more takes from the budget of the longer ones.
const LONGER_FRAME: usize = 64 * 1024;

/// Each budget of all connections together, in bytes.
const BUDGET: usize = 64 * 1024 * 1024;

/// One place (an IPv4 address or a /48 network) may use this part of each, so that others always have some.
const PART_OF_SITE: usize = 4;

/// A long frame comes at this rate at least, in bytes a second, once it has had [`AHEAD`].
const SLOWEST: usize = 64 * 1024;

/// What a frame may be slower at its start.
const AHEAD: Duration = Duration::from_secs(20);

/// The bytes of long frames that all connections hold.
#[derive(Debug)]
pub struct LongFrames {
    shorter: Budget,
    longer: Budget,
}

/// The bytes of the long frames of one class.
#[derive(Debug)]
struct Budget {
    bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    by_site: HashMap<IpAddr, usize>,
}

impl Default for LongFrames {
    fn default() -> Self {
        Self::with_budgets(BUDGET)
    }
}

/// There is no room for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// The class of a long frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Shorter,
    Longer,
}

impl LongFrames {
    fn with_budgets(bytes: usize) -> Self {
        let budget = || Budget { bytes, held: Mutex::default() };
        Self { shorter: budget(), longer: budget() }
    }

    fn budget(&self, class: Class) -> &Budget {
        match class {
            Class::Shorter => &self.shorter,
            Class::Longer => &self.longer,
        }
    }
}

impl Budget {
    fn take(&self, site: IpAddr, bytes: usize) -> Result<(), NoRoom> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_site = held.by_site.get(&site).copied().unwrap_or_default();
        if held.total + bytes > self.bytes || of_site + bytes > self.bytes / PART_OF_SITE {
            return Err(NoRoom);
        }
        held.total += bytes;
        *held.by_site.entry(site).or_default() += bytes;
        Ok(())
    }

    fn give_back(&self, site: IpAddr, bytes: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total = held.total.saturating_sub(bytes);
        if let Some(of_site) = held.by_site.get_mut(&site) {
            *of_site = of_site.saturating_sub(bytes);
            if *of_site == 0 {
                held.by_site.remove(&site);
            }
        }
    }
}

/// The long frame that a connection is receiving or working off.
pub(crate) struct LongFrame {
    frames: Arc<LongFrames>,
    site: IpAddr,
    /// The longest that any frame may take. Not a [`Duration`], which takes four times as much: every connection has it.
    timeout_ms: u32,
    /// Boxed: few connections have begun a long frame.
    current: Option<Box<Current>>,
}

/// A long frame of which something is here.
struct Current {
    /// What it has taken from the budget of which class.
    held: (Class, usize),
    /// None of its own once it is complete, until more has come.
    deadline: Option<Deadline>,
}

struct Deadline {
    start: Instant,
    end: Instant,
}

impl LongFrame {
    pub(crate) fn new(frames: Arc<LongFrames>, peer: IpAddr, timeout: Duration) -> Self {
        let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        Self { frames, site: site(peer), timeout_ms, current: None }
    }

    /// Takes from the budget what an unfinished frame of which so much is here needs, and gives back what it does not need
    /// any more.
    pub(crate) fn holds(&mut self, pending: usize) -> Result<(), NoRoom> {
        let needed = match pending {
            ..LONG_FRAME => None,
            LONG_FRAME..LONGER_FRAME => Some((Class::Shorter, pending)),
            LONGER_FRAME.. => Some((Class::Longer, pending)),
        };
        let held = self.current.as_ref().map(|current| current.held);
        let held = |class| held.filter(|held| held.0 == class).map_or(0, |held| held.1);
        if let Some((class, bytes)) = needed
            && bytes > held(class)
        {
            self.frames.budget(class).take(self.site, bytes - held(class))?;
        }
        for class in [Class::Shorter, Class::Longer] {
            let rest = needed.filter(|needed| needed.0 == class).map_or(0, |needed| needed.1);
            if held(class) > rest {
                self.frames.budget(class).give_back(self.site, held(class) - rest);
            }
        }
        let Some(held) = needed else {
            self.current = None;
            return Ok(());
        };
        let current =
            self.current.get_or_insert_with(|| Box::new(Current { held, deadline: None }));
        current.held = held;
        let deadline = current.deadline.get_or_insert_with(|| {
            let start = Instant::now();
            Deadline { start, end: start }
        });
        let at_rate = Duration::from_secs_f64(pending as f64 / SLOWEST as f64);
        let timeout = Duration::from_millis(self.timeout_ms.into());
        deadline.end = deadline.start + (AHEAD + at_rate).min(timeout);
        Ok(())
    }

    /// Notes that the frame is complete: what is here from now on is another one, with a deadline of its own.
    pub(super) fn complete(&mut self) {
        if let Some(current) = &mut self.current {
            current.deadline = None;
        }
    }

    /// Waits for the deadline; for ever when no long frame is being received.
    pub(super) async fn overdue(&self) {
        match self.current.as_ref().and_then(|current| current.deadline.as_ref()) {
            // Boxed: each connection has the memory of this future, and few have begun a long frame.
            Some(deadline) => Box::pin(tokio::time::sleep_until(deadline.end)).await,
            None => std::future::pending().await,
        }
    }
}

impl Drop for LongFrame {
    fn drop(&mut self) {
        if let Some((class, bytes)) = self.current.as_ref().map(|current| current.held) {
            self.frames.budget(class).give_back(self.site, bytes);
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

    /// What the budgets of both classes have given, and to how many places.
    fn held(frames: &LongFrames) -> [(usize, usize); 2] {
        [&frames.shorter, &frames.longer].map(|budget| {
            let held = budget.held.lock().unwrap();
            (held.total, held.by_site.len())
        })
    }

    #[tokio::test]
    async fn long_frames_share_their_room_and_give_it_back() {
        let room = Arc::new(LongFrames::with_budgets(8 * LONG_FRAME));
        let mut first = frame(&room, "192.0.2.1");
        let mut second = frame(&room, "192.0.2.1");
        assert!(first.holds(LONG_FRAME - 1).is_ok() && held(&room) == [(0, 0); 2]);
        assert!(first.holds(LONG_FRAME).is_ok() && first.holds(LONG_FRAME + 5).is_ok());
        assert_eq!(
            held(&room)[0],
            (LONG_FRAME + 5, 1),
            "grows with the frame, and is not counted twice"
        );
        assert_eq!(second.holds(LONG_FRAME), Err(NoRoom), "a quarter for each address");
        assert_eq!(held(&room)[0], (LONG_FRAME + 5, 1), "who got nothing holds nothing");
        let mut others: Vec<_> = (2..5).map(|n| frame(&room, &format!("192.0.2.{n}"))).collect();
        for other in &mut others {
            other.holds(2 * LONG_FRAME).unwrap();
        }
        assert_eq!(first.holds(3 * LONG_FRAME), Err(NoRoom));
        assert!(first.holds(0).is_ok() && second.holds(2 * LONG_FRAME).is_ok());
        assert_eq!(frame(&room, "192.0.2.9").holds(LONG_FRAME), Err(NoRoom), "all is used");
        drop((first, second, others));
        assert_eq!(held(&room), [(0, 0); 2]);
    }

    #[tokio::test]
    async fn longer_frames_leave_the_shorter_ones_their_room() {
        let room = Arc::new(LongFrames::with_budgets(4 * LONGER_FRAME));
        let mut longer: Vec<_> = (0..4).map(|n| frame(&room, &format!("192.0.2.{n}"))).collect();
        for frame in &mut longer {
            frame.holds(LONGER_FRAME).unwrap();
        }
        let mut other = frame(&room, "192.0.2.9");
        assert_eq!(other.holds(LONGER_FRAME), Err(NoRoom), "all is used");
        other.holds(LONGER_FRAME - 1).unwrap();
        assert_eq!(held(&room), [(LONGER_FRAME - 1, 1), (4 * LONGER_FRAME, 4)]);
        // A frame that grows takes from the other budget before it gives back to its own.
        assert_eq!(other.holds(LONGER_FRAME), Err(NoRoom));
        assert_eq!(held(&room)[0], (LONGER_FRAME - 1, 1));
        drop(longer.pop());
        other.holds(LONGER_FRAME).unwrap();
        assert_eq!(held(&room), [(0, 0), (4 * LONGER_FRAME, 4)]);
        other.holds(LONG_FRAME).unwrap();
        assert_eq!(held(&room), [(LONG_FRAME, 1), (3 * LONGER_FRAME, 3)]);
    }

    #[tokio::test]
    async fn a_site_of_many_networks_gets_one_part() {
        let room = Arc::new(LongFrames::with_budgets(4 * LONG_FRAME));
        let mut first = frame(&room, "2001:db8:1:1::1");
        let mut second = frame(&room, "2001:db8:1:2::1");
        first.holds(LONG_FRAME).unwrap();
        assert_eq!(second.holds(LONG_FRAME), Err(NoRoom), "the same /48");
        frame(&room, "2001:db8:2:1::1").holds(LONG_FRAME).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_frame_comes_at_a_rate_and_in_time() {
        let frames = Arc::new(LongFrames::default());
        // One that stops coming.
        let mut stopped = frame(&frames, "192.0.2.1");
        let start = Instant::now();
        stopped.holds(2 * SLOWEST).unwrap();
        stopped.overdue().await;
        assert_eq!(start.elapsed(), AHEAD + Duration::from_secs(2));
        stopped.holds(0).unwrap();
        assert!(tokio::time::timeout(10 * TIME, stopped.overdue()).await.is_err());
        // One that is as slow as it may be, up to the end of all patience.
        let mut slow = frame(&frames, "192.0.2.1");
        let start = Instant::now();
        let mut came = LONG_FRAME;
        loop {
            slow.holds(came).unwrap();
            let second = Duration::from_secs(1);
            if tokio::time::timeout(second, slow.overdue()).await.is_ok() {
                break;
            }
            came += SLOWEST;
        }
        assert_eq!(start.elapsed(), TIME);
        // The next one has its own time, although a part of it is here already.
        slow.complete();
        slow.holds(LONG_FRAME).unwrap();
        assert!(tokio::time::timeout(AHEAD, slow.overdue()).await.is_err());
    }
}
