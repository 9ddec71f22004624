//! The terminal itself, whatever is shown on it: its modes, its keys, and the thread that writes to it.

mod drafts;
pub(crate) mod editor;
mod guard;
mod input;
mod keys;
mod pace;
mod size;
mod typing;
mod writer;

use std::io::{self, IsTerminal as _};

pub(crate) use guard::{Guard, Modes};
pub(crate) use keys::Keys;
pub(crate) use pace::Pace;
pub(crate) use size::size;
pub(crate) use typing::{NO_ROOM, Step, Typing, too_long};
pub(crate) use writer::Writer;

/// Whether an error means that the terminal is gone, as when its window was closed.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Whether input and output are a terminal that can do more than print.
pub(crate) fn is_usable() -> bool {
    io::stdin().is_terminal()
        && io::stdout().is_terminal()
        && std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}
