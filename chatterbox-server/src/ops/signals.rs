//! Signals: SIGINT and SIGTERM stop, twice at once; SIGHUP reads settings and certificates again.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Counts wishes to stop, and calls `reload` when asked to, for ever; meant to run beside the server.
///
/// # Errors
/// When the system does not let us listen to signals.
pub fn watch(stop: watch::Sender<u32>, reload: impl Fn()) -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => stop.send_modify(|count| *count += 1),
                _ = terminate.recv() => stop.send_modify(|count| *count += 1),
                _ = hangup.recv() => reload(),
            }
        }
    })
}
