//! Ending early: what was started (a server, a client) ends with the run.

use tokio::{runtime::Runtime, sync::watch};

use super::say;

/// The user wanted it to end.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; what was started is stopped")]
pub(crate) struct Interrupted;

impl Interrupted {
    /// As shells tell it of a program that ended by SIGINT.
    pub(crate) const EXIT: u8 = 130;
}

/// Runs to the end, or until SIGINT, SIGTERM or SIGHUP; then everything that the run holds is dropped.
pub(crate) fn block_on<T>(
    runtime: &Runtime,
    running: impl Future<Output = T>,
) -> anyhow::Result<T> {
    runtime.block_on(async {
        tokio::select! {
            // First the signals are listened to, then something is started that has to be ended.
            biased;
            () = signalled() => Err(Interrupted.into()),
            done = running => Ok(done),
        }
    })
}

/// Runs to the end. The first signal is told to what runs, by a value that becomes true, and it ends by itself soon; at a second one
/// everything that it holds is dropped.
pub(crate) fn until_ended<T, R: Future<Output = T>>(
    runtime: &Runtime,
    running: impl FnOnce(watch::Receiver<bool>) -> R,
) -> anyhow::Result<T> {
    let (over, told) = watch::channel(false);
    runtime.block_on(async {
        let signals = async {
            signalled().await;
            over.send_replace(true);
            say::aside("conformance: ending; once more: at once, and without a report");
            signalled().await;
        };
        tokio::select! {
            // As above.
            biased;
            () = signals => Err(Interrupted.into()),
            done = running(told) => Ok(done),
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
    // Whoever says nohup wants the run to go on without its terminal.
    let mut hangup =
        if is_ignored(SignalKind::hangup()) { None } else { signal(SignalKind::hangup()).ok() };
    let hung_up = async {
        match &mut hangup {
            Some(hangup) => drop(hangup.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = hung_up => {}
    }
}

/// Whether this program was started with a signal ignored, as far as the system tells.
#[cfg(unix)]
#[allow(clippy::disallowed_methods, reason = "reads /proc")]
fn is_ignored(kind: tokio::signal::unix::SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    let bit = u32::try_from(kind.as_raw_value() - 1).unwrap_or(u32::MAX);
    mask.checked_shr(bit).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
async fn signalled() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
