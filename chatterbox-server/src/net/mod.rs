//! Sockets: everything that reads, writes, waits or has a deadline, and no rule of the chat.

#![allow(clippy::disallowed_methods, reason = "the edge: says when messages arrived")]

use std::time::SystemTime;

pub mod accept;
mod asked;
pub mod connection;
mod greeting;
mod inbox;
pub mod listen;
mod long_frame;
mod outbox;
mod reading;
mod socket;
pub mod tls;
mod woken;

pub use long_frame::LONG_FRAMES_KIB;

/// Seconds since 1970 UTC.
pub(crate) fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
