//! Signals: SIGINT and SIGTERM stop the server, a second one at once; SIGHUP reloads settings and certificates; SIGUSR1 and SIGUSR2
//! ask for a line of status in the log.

#![allow(clippy::disallowed_methods, reason = "the edge: has a timer")]

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

/// The time between two checks of the certificates: a server that is never restarted renews them in time.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The signals that ask for a line of status. As long as nobody has made this, each of them ends the process; afterwards neither does.
#[derive(Debug)]
pub struct Asking {
    first: Signal,
    second: Signal,
}

impl Asking {
    /// Takes the signals from here on.
    ///
    /// # Errors
    /// When signal handlers can't be installed.
    pub fn new() -> io::Result<Self> {
        let first = signal(SignalKind::user_defined1())?;
        Ok(Self { first, second: signal(SignalKind::user_defined2())? })
    }

    /// Waits for one of them; several that come meanwhile count as one.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.first.recv() => {}
            _ = self.second.recv() => {}
        }
    }
}

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
