//! The thread that writes to a terminal: writing blocks while somebody has stopped it (Ctrl-S), and the session must go on.
#![allow(clippy::disallowed_methods, reason = "this module writes to the terminal")]

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rustix::termios::{Action, QueueSelector, tcflow, tcflush};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Back-pressure: with more bytes than this waiting, nothing else is rendered.
const WAITING: usize = 256 * 1024;

/// Whether nothing is written any more: a panic has taken back what was set on the terminal.
static SILENT: AtomicBool = AtomicBool::new(false);

/// So many bytes are written at a time: between two pieces the rest can be given up. After [`discard`] there is room for one.
const PIECE: usize = 1024;

/// A terminal that takes nothing for so long is not waited for in the end.
pub(crate) const STUCK: Duration = Duration::from_secs(2);

/// Writes these bytes within about twice the time, and lets no thread write behind them. Another thread may hold the output, and
/// wait for the terminal: this one does not wait for it any longer. Where what waits had to be thrown away, some of these bytes may have
/// been among that, so all of them are written once more.
pub(super) fn write_last(bytes: Vec<u8>, most: Duration) {
    SILENT.store(true, Ordering::SeqCst);
    let (written, done) = mpsc::channel();
    let (throws_away, is_thrown_away) = mpsc::channel::<()>();
    let started = thread::Builder::new().spawn(move || {
        let mut output = io::stdout().lock();
        let _ = output.write_all(&bytes).and_then(|()| output.flush());
        if is_thrown_away.try_recv().is_ok() {
            let _ = output.write_all(&bytes).and_then(|()| output.flush());
        }
        let _ = written.send(());
    });
    if started.is_ok() && done.recv_timeout(most).is_err() {
        let _ = throws_away.send(());
        discard();
        let _ = done.recv_timeout(most);
    }
}

/// Throws away what the terminal has not taken, and turns its output on, so that whoever waits to write goes on.
pub(super) fn discard() {
    let output = io::stdout();
    // Output that goes on wakes up the thread that waits; turning it off before makes sure that it goes on.
    let _ = tcflow(&output, Action::OOff);
    let _ = tcflush(&output, QueueSelector::OFlush);
    let _ = tcflow(&output, Action::OOn);
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
    /// How many pieces were written.
    pieces: AtomicU64,
    /// Whether the rest of what the thread is writing is given up.
    cut: AtomicBool,
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

    /// Waits until everything is written, writing has failed, or the terminal is stuck.
    pub(crate) async fn idle_or_stuck(&self) -> Option<io::Error> {
        self.unless_stuck(|| self.idle()).await
    }

    /// Waits until there is room for more, writing has failed, or the terminal is stuck.
    pub(crate) async fn room_or_stuck(&self) -> Option<io::Error> {
        self.unless_stuck(|| self.room()).await
    }

    async fn unless_stuck<F>(&self, wait: impl Fn() -> F) -> Option<io::Error>
    where
        F: Future<Output = Option<io::Error>>,
    {
        loop {
            let before = self.0.pieces.load(Ordering::SeqCst);
            match timeout(STUCK, wait()).await {
                Ok(error) => return error,
                Err(_) if self.0.pieces.load(Ordering::SeqCst) == before => return None,
                Err(_) => {}
            }
        }
    }

    /// Waits until everything is written, for so long at most; says whether it is.
    pub(crate) fn wait(&self, most: Duration) -> bool {
        let state = self.0.lock();
        let busy = |state: &mut State| !state.waiting.is_empty() || state.writing;
        let waited = self.0.changed.wait_timeout_while(state, most, busy);
        waited.is_ok_and(|(_, waited)| !waited.timed_out())
    }

    /// Gives up what is not written yet.
    pub(super) fn give_up(&self) {
        let mut state = self.0.lock();
        state.waiting.clear();
        self.0.cut.store(state.writing, Ordering::SeqCst);
        drop(state);
        discard();
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
            self.cut.store(false, Ordering::SeqCst);
            drop(state);
            let result = bytes.chunks(PIECE).try_for_each(|piece| self.write(piece));
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

    /// Writes a piece, unless it is given up.
    fn write(&self, piece: &[u8]) -> io::Result<()> {
        let mut output = io::stdout().lock();
        if !SILENT.load(Ordering::SeqCst) && !self.cut.load(Ordering::SeqCst) {
            output.write_all(piece).and_then(|()| output.flush())?;
            self.pieces.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
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
