//! Signals: SIGINT and SIGTERM stop, twice at once; SIGHUP reads settings and certificates again.

#![allow(clippy::disallowed_methods, reason = "the edge: waits for a day to pass")]

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

/// Certificates are looked at this often, so that a server that is never restarted renews them in time.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Counts renames to stop, calls `reload` when asked to and `renew` once a day, for ever; meant to run beside the server.
///
/// # Errors
/// When the system does not let us listen to signals.
pub fn watch(
    stop: watch::Sender<u32>,
    reload: impl Fn(),
    renew: impl Fn(),
) -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut daily = tokio::time::interval_at(Instant::now() + DAY, DAY);
    Ok(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => stop.send_modify(|count| *count += 1),
                _ = terminate.recv() => stop.send_modify(|count| *count += 1),
                _ = hangup.recv() => tokio::task::block_in_place(&reload),
                _ = daily.tick() => tokio::task::block_in_place(&renew),
            }
        }
    })
}
