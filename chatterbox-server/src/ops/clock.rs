//! The wall clock.
#![allow(clippy::disallowed_methods, reason = "the edge: reads the clock")]

use std::time::SystemTime;

/// Seconds since 1970 UTC.
pub fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
