//! The settings of the terminal while the program is suspended (Ctrl-Z) and afterwards.
//!
//! The line editor suspends the program by a signal, and goes on in its own mode before the signal has stopped all
//! threads. What it has set then holds for the shell, or what the shell sets holds for it: a password would be seen. So
//! the session takes the signal: it restores the terminal, stops, and sets the editor's mode when it is continued, by
//! whomever.
#![allow(clippy::disallowed_methods, reason = "this module writes to the terminal")]

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpgrp, getpid, getsid, kill_process};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// The time for the editor to have gone on.
const EDITOR: Duration = Duration::from_millis(30);

/// Ends bracketed paste and shows the cursor, which is hidden beside a secret.
const LEAVE: &[u8] = b"\x1b[?2004l\x1b[?25h";
const ENTER: &[u8] = b"\x1b[?2004h";
const HIDE: &[u8] = b"\x1b[?25l";

/// The settings of a terminal before the session, and those of its line editor.
#[derive(Debug, Clone)]
pub(super) struct Modes {
    before: Termios,
    editing: Arc<Mutex<Option<Editing>>>,
}

#[derive(Debug, Clone)]
struct Editing {
    settings: Termios,
    hides_cursor: bool,
}

impl Modes {
    pub(super) fn new(before: Termios) -> Self {
        Self { before, editing: Arc::default() }
    }

    /// Notes that the editor has begun a line, with its own settings.
    pub(super) fn begun(&self, hides_cursor: bool) {
        let settings = tcgetattr(io::stdin()).ok();
        self.set(settings.map(|settings| Editing { settings, hides_cursor }));
    }

    /// Notes that the editor's line is over.
    pub(super) fn over(&self) {
        self.set(None);
    }

    /// Leaves the terminal as it was before the session.
    pub(super) fn restore(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }

    /// Restores the terminal and stops the program, where a shell can continue it.
    pub(super) fn suspend(&self) {
        // A program in the group of its session's leader was not started by a shell with job control.
        if getsid(None).is_ok_and(|session| session == getpgrp()) {
            return self.resume();
        }
        thread::sleep(EDITOR);
        if self.get().is_some() {
            write(LEAVE);
        }
        self.restore();
        // Its own signal would be taken again.
        let _ = kill_process(getpid(), Signal::STOP);
    }

    /// Gives the terminal back to the editor.
    pub(super) fn resume(&self) {
        let Some(Editing { settings, hides_cursor }) = self.get() else { return };
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &settings);
        write(ENTER);
        if hides_cursor {
            write(HIDE);
        }
    }

    fn set(&self, editing: Option<Editing>) {
        *self.editing.lock().unwrap_or_else(PoisonError::into_inner) = editing;
    }

    fn get(&self) -> Option<Editing> {
        self.editing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn write(bytes: &[u8]) {
    let mut output = io::stdout();
    let _ = output.write_all(bytes);
    let _ = output.flush();
}
