//! What the tests of the binary share: certificates, a scripted server, and the program itself, each with deadlines.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may be blunt")]
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "tests do I/O and may be blunt"
)]

pub(crate) mod certificate;
pub(crate) mod client;
pub(crate) mod cutting;
pub(crate) mod full_screen;
pub(crate) mod real;
pub(crate) mod server;
pub(crate) mod swapping;
pub(crate) mod terminal;

use std::time::Duration;

/// Nothing that works takes this long, however busy the machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for something, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}
