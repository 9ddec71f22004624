//! Ending early: what was started (a server, a client) ends with the run.

use tokio::runtime::Runtime;

/// The user wanted it to end.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; what was started is stopped")]
pub(crate) struct Interrupted;

impl Interrupted {
    /// As shells tell it of a program that ended by SIGINT.
    pub(crate) const EXIT: u8 = 130;
}

/// Runs to the end, or until SIGINT or SIGTERM; then everything that the run holds is dropped.
pub(crate) fn block_on<T>(
    runtime: &Runtime,
    running: impl Future<Output = T>,
) -> anyhow::Result<T> {
    runtime.block_on(async {
        tokio::select! {
            done = running => Ok(done),
            () = signalled() => Err(Interrupted.into()),
        }
    })
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
