//! Flood control with a clock and behind a lock.

#![allow(clippy::disallowed_methods, reason = "the edge: tells the buckets the time")]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chatterbox_hub::guard::flood::{Flood, FloodTo, TooMuch};
use chatterbox_proto::Code;
use tokio::time::Instant;

use crate::ops::clock::unix_now;

/// What all members say, where it is counted. It is asked once for each frame and destination.
#[derive(Debug)]
pub struct FloodControl {
    start: Instant,
    flood: Mutex<Flood>,
}

impl Default for FloodControl {
    fn default() -> Self {
        Self { start: Instant::now(), flood: Mutex::default() }
    }
}

/// That a sender was muted just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMute {
    /// For how many seconds.
    pub seconds: u32,
    /// Until when, in seconds since 1970 UTC.
    pub until: i64,
}

impl FloodControl {
    fn with<R>(&self, ask: impl FnOnce(&mut Flood, Duration) -> R) -> R {
        let mut flood = self.flood.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut flood, self.start.elapsed())
    }

    /// From now on so many nodes count for themselves; see [`Flood::share_among`].
    pub fn share_among(&self, nodes: usize) {
        self.with(|flood, _| flood.share_among(nodes));
    }

    /// Takes what a frame costs at one destination.
    ///
    /// # Errors
    /// [`Code::Flood`] or [`Code::RoomBusy`]; nothing is taken then.
    pub fn admit(&self, sender: i64, to: FloodTo, tokens: u32) -> Result<(), Code> {
        let admitted = self.with(|flood, now| flood.admit(now, sender, to, tokens));
        admitted.map_err(|too_much| match too_much {
            TooMuch::Sender(wait) => Code::Flood(seconds(wait)),
            TooMuch::Room(wait) => Code::RoomBusy(seconds(wait)),
        })
    }

    /// After how many seconds so many tokens are there, or all that there can be.
    pub fn wait(&self, sender: i64, to: FloodTo, tokens: u32) -> u32 {
        seconds(self.with(|flood, now| flood.wait(now, sender, to, tokens)))
    }

    /// Gives back what was not used; see [`Flood::give_back`].
    pub fn give_back(&self, sender: i64, to: FloodTo, before: u32, after: u32) {
        self.with(|flood, _| flood.give_back(sender, to, before, after));
    }

    /// Notes that a sender writes to somebody.
    ///
    /// # Errors
    /// [`Code::Flood`] where these were too many different ones.
    pub fn write_to(&self, sender: i64, recipient: u64) -> Result<(), Code> {
        let noted = self.with(|flood, now| flood.write_to(now, sender, recipient));
        noted.map_err(|wait| Code::Flood(seconds(wait)))
    }

    /// Until when a sender is muted, in seconds since 1970 UTC.
    pub fn muted(&self, sender: i64) -> Option<i64> {
        self.with(|flood, now| flood.muted(now, sender)).map(until)
    }

    /// Notes a refusal, and says that the sender is muted now, if it was one too many.
    pub fn refused(&self, sender: i64) -> Option<NewMute> {
        let length = self.with(|flood, now| flood.refused(now, sender))?;
        Some(NewMute { seconds: seconds(length), until: until(length) })
    }

    /// Ends a mute; see [`Flood::pardon`].
    pub fn pardon(&self, sender: i64) -> bool {
        self.with(|flood, now| flood.pardon(now, sender))
    }

    /// Makes a sender owe under another number what it owed under this one.
    pub fn rename(&self, from: i64, to: i64) {
        self.with(|flood, now| flood.rename(now, from, to));
    }
}

/// A part of a second is rounded up: who comes back then is not refused again.
fn seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

fn until(length: Duration) -> i64 {
    // The clock of the machine may be anywhere in its second, so the end is rounded up twice.
    unix_now().saturating_add(i64::from(seconds(length))).saturating_add(1)
}
