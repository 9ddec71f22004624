//! The thread that writes to a terminal: writing blocks while somebody has stopped it (Ctrl-S), and the session must go on.
#![allow(clippy::disallowed_methods, reason = "this module writes to the terminal")]

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::Notify;

/// Back-pressure: with more bytes than this waiting, nothing else is rendered.
const WAITING: usize = 256 * 1024;

/// Whether nothing is written any more: a panic has taken back what was set on the terminal.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Writes these bytes, and lets no thread write behind them.
pub(super) fn write_last(bytes: &[u8]) {
    SILENT.store(true, Ordering::SeqCst);
    let mut output = io::stdout().lock();
    let _ = output.write_all(bytes);
    let _ = output.flush();
}

/// The writing end of a terminal. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Writer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Something is to be written, or was.
    changed: Condvar,
    /// The same for those who await it.
    written: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    /// Whether the thread is writing what it has taken.
    writing: bool,
    failed: Option<io::Error>,
    has_failed: bool,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let writer = Self(Arc::clone(&shared));
        thread::spawn(move || shared.run());
        writer
    }

    /// Queues bytes; nothing blocks.
    pub(crate) fn write(&self, bytes: Vec<u8>) {
        let mut state = self.0.lock();
        if !state.has_failed {
            state.waiting.extend(bytes);
        }
        drop(state);
        self.0.changed.notify_all();
    }

    /// Queues bytes that may be left out, if there is room for them: behind a terminal that has stopped they are of no use.
    pub(crate) fn offer(&self, bytes: Vec<u8>) {
        if self.has_room() {
            self.write(bytes);
        }
    }

    /// Whether everything is written.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.0.lock();
        state.waiting.is_empty() && !state.writing
    }

    /// Whether there is room for more.
    pub(crate) fn has_room(&self) -> bool {
        self.0.lock().waiting.len() < WAITING
    }

    /// Waits until everything is written, or writing has failed: the failure is given once. Cancelling it loses nothing.
    pub(crate) async fn idle(&self) -> Option<io::Error> {
        self.until(|state| state.waiting.is_empty() && !state.writing).await
    }

    /// Waits until there is room for more, or writing has failed: the failure is given once. Cancelling it loses nothing.
    pub(crate) async fn room(&self) -> Option<io::Error> {
        self.until(|state| state.waiting.len() < WAITING).await
    }

    async fn until(&self, reached: impl Fn(&State) -> bool) -> Option<io::Error> {
        loop {
            let notified = self.0.written.notified();
            {
                let mut state = self.0.lock();
                if let Some(error) = state.failed.take() {
                    return Some(error);
                }
                if reached(&state) {
                    return None;
                }
            }
            notified.await;
        }
    }

    /// Waits until everything is written, for so long at most.
    pub(crate) fn wait(&self, most: Duration) {
        let state = self.0.lock();
        let busy = |state: &mut State| !state.waiting.is_empty() || state.writing;
        drop(self.0.changed.wait_timeout_while(state, most, busy));
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let state = self.lock();
            let empty = |state: &mut State| state.waiting.is_empty();
            let mut state =
                self.changed.wait_while(state, empty).unwrap_or_else(PoisonError::into_inner);
            let bytes = std::mem::take(&mut state.waiting);
            state.writing = true;
            drop(state);
            let mut output = io::stdout().lock();
            let result = match SILENT.load(Ordering::SeqCst) {
                true => Ok(()),
                false => output.write_all(&bytes).and_then(|()| output.flush()),
            };
            drop(output);
            let mut state = self.lock();
            state.writing = false;
            if let Err(error) = result {
                state.has_failed = true;
                state.failed = Some(error);
                state.waiting.clear();
            }
            drop(state);
            self.changed.notify_all();
            self.written.notify_waiters();
        }
    }
}

#[cfg(test)]
impl Writer {
    /// A writer without a thread, as on a terminal that has stopped.
    pub(crate) fn stopped() -> Self {
        Self(Arc::default())
    }

    /// Writing fails.
    pub(crate) fn fail(&self) {
        let mut state = self.0.lock();
        state.has_failed = true;
        state.failed = Some(io::ErrorKind::BrokenPipe.into());
    }

    /// How many bytes wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_can_be_left_out_waits_for_a_terminal_that_has_stopped() {
        let writer = Writer::stopped();
        for _ in 0..1000 {
            writer.offer(vec![b'x'; 1024]);
        }
        assert_eq!(writer.waiting(), WAITING);
        writer.write(b"\x1b[?1049l".to_vec());
        assert!(writer.waiting() > WAITING, "what is needed waits");
    }
}
