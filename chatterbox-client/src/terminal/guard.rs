//! The guard of a terminal: what is set on it, and taken back on every way out: the end, a failure, a panic, a signal, Ctrl-Z.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use rustix::process::{Signal, getpgrp, getpid, getsid, kill_process};

use super::writer::{Writer, write_last};

/// The alternate screen; the title is kept for later; reports of the focus.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[22;0t\x1b[?1004h";

/// Takes everything back that [`Modes`] can set, in an order in which it does no harm where it was not set.
const LEAVE: &[u8] =
    b"\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[0m\x1b[23;0t\x1b[?1049l\x1b[?25h";

/// The same where there is no alternate screen.
const LEAVE_LINES: &[u8] = b"\x1b[?2004l\x1b[0m\x1b[?25h";

/// Ends a sequence that was written only in part.
const CANCEL: &[u8] = b"\x18";

/// The time for what waits to be written before the modes are taken back.
const LAST_WRITE: Duration = Duration::from_millis(500);

/// Whether the modes are set, for the hook of panics.
static ENTERED: AtomicBool = AtomicBool::new(false);
static FULL: AtomicBool = AtomicBool::new(false);

/// What is set on a terminal beside its raw mode and bracketed paste.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modes {
    /// The alternate screen, and reports of the focus.
    pub(crate) full: bool,
    /// Reports of the mouse.
    pub(crate) mouse: bool,
}

/// A terminal whose modes are set.
#[derive(Debug)]
pub(crate) struct Guard {
    modes: Modes,
    entered: bool,
}

impl Guard {
    /// Sets the modes.
    ///
    /// # Errors
    /// The terminal has no settings.
    pub(crate) fn enter(modes: Modes, writer: &Writer) -> io::Result<Self> {
        restore_on_panic();
        let mut guard = Self { modes, entered: false };
        guard.set(writer)?;
        Ok(guard)
    }

    /// Whether the modes are set now.
    pub(crate) fn is_entered(&self) -> bool {
        self.entered
    }

    /// Whether the mouse is reported.
    pub(crate) fn has_mouse(&self) -> bool {
        self.modes.mouse
    }

    /// Sets or takes back the reports of the mouse.
    pub(crate) fn set_mouse(&mut self, mouse: bool, writer: &Writer) {
        self.modes.mouse = mouse;
        let bytes: &[u8] = if mouse {
            b"\x1b[?1000h\x1b[?1002h\x1b[?1006h"
        } else {
            b"\x1b[?1006l\x1b[?1002l\x1b[?1000l"
        };
        writer.write(bytes.to_vec());
    }

    /// Takes the modes back.
    pub(crate) fn leave(&mut self, writer: &Writer) {
        if !std::mem::replace(&mut self.entered, false) {
            return;
        }
        ENTERED.store(false, Ordering::SeqCst);
        writer.write(leaving(self.modes.full).to_vec());
        if !writer.wait(LAST_WRITE) {
            // The terminal takes nothing, or not enough: it stays as it was set unless what waits is given up.
            writer.give_up();
            writer.write([CANCEL, leaving(self.modes.full)].concat());
            writer.wait(LAST_WRITE);
        }
        let _ = disable_raw_mode();
    }

    /// Stops the program as Ctrl-Z does, with the terminal as it was. Without a shell that could let it go on nothing happens.
    pub(crate) fn suspend(&mut self, writer: &Writer) {
        // A program in the group of its session's leader was not started by a shell with job control.
        if getsid(None).is_ok_and(|session| session == getpgrp()) {
            return;
        }
        self.leave(writer);
        // The whole group, as the terminal does: somebody may have started the program by a script.
        let _ = rustix::process::kill_process_group(getpgrp(), Signal::STOP)
            .or_else(|_| kill_process(getpid(), Signal::STOP));
    }

    /// The program goes on: sets the modes again, whatever was set meanwhile.
    pub(crate) fn resume(&mut self, writer: &Writer) -> io::Result<()> {
        if std::mem::replace(&mut self.entered, false) {
            let _ = disable_raw_mode();
            if self.modes.full {
                // It was not left: the title that is kept is the one from before.
                writer.write(b"\x1b[23;0t".to_vec());
            }
        }
        self.set(writer)
    }

    fn set(&mut self, writer: &Writer) -> io::Result<()> {
        enable_raw_mode()?;
        self.entered = true;
        FULL.store(self.modes.full, Ordering::SeqCst);
        ENTERED.store(true, Ordering::SeqCst);
        let mut bytes = if self.modes.full { ENTER.to_vec() } else { Vec::new() };
        bytes.extend_from_slice(b"\x1b[?2004h");
        writer.write(bytes);
        if self.modes.mouse {
            self.set_mouse(true, writer);
        }
        Ok(())
    }
}

fn leaving(full: bool) -> &'static [u8] {
    if full { LEAVE } else { LEAVE_LINES }
}

/// What is said of a panic, for a terminal that is raw.
fn words(info: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let backtrace = Backtrace::capture();
    let trace = match backtrace.status() {
        BacktraceStatus::Captured => format!("stack backtrace:\n{backtrace}"),
        _ => "note: RUST_BACKTRACE=1 in the environment shows how it came to that\n".to_owned(),
    };
    format!("thread '{name}' {info}\n{trace}").replace('\n', "\r\n")
}

/// A panic would leave its words on a screen that vanishes, and the terminal raw.
fn restore_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !ENTERED.swap(false, Ordering::SeqCst) {
                return before(info);
            }
            let leaving = leaving(FULL.load(Ordering::SeqCst));
            // Together: the hook of before would wait for ever where what takes the modes back was all that a terminal took.
            let is_shown = io::stderr().is_terminal();
            let words = if is_shown { words(info) } else { String::new() };
            write_last([CANCEL, leaving, b"\r\n", words.as_bytes()].concat(), LAST_WRITE);
            let _ = disable_raw_mode();
            if !is_shown {
                before(info);
            }
        }));
    });
}
