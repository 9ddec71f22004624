//! Signals: SIGINT and SIGTERM stop the server, a second one at once; SIGHUP reloads settings and certificates.

#![allow(clippy::disallowed_methods, reason = "the edge: has a timer")]

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

/// The time between two checks of the certificates: a server that is never restarted renews them in time.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Counts the signals to stop in `stop`, calls `reload` at SIGHUP and `renew` once a day. The future runs beside the server.
///
/// # Errors
/// When signal handlers can't be installed.
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
