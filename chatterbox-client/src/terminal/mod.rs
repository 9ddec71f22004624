//! The terminal itself, whatever is shown on it: its modes, its keys, and the thread that writes to it.

mod drafts;
pub(crate) mod editor;
mod guard;
mod input;
mod keys;
mod pace;
mod size;
mod step;
mod typing;
mod waiting;
mod writer;

use std::io::{self, IsTerminal as _};

pub(crate) use guard::{Guard, Modes};
pub(crate) use keys::Keys;
pub(crate) use pace::Pace;
pub(crate) use size::size;
pub(crate) use step::{NO_ROOM, Step, too_long};
pub(crate) use typing::Typing;
pub(crate) use writer::Writer;

/// The terminals that do not mark what is pasted: that of Linux itself, old ones, and screen, which leaves the marks out.
const UNMARKED: [&str; 8] = ["linux", "vt", "ansi", "cons25", "sun", "screen", "wyse", "dtterm"];

/// Whether the terminal marks what is pasted.
pub(crate) fn marks_pastes() -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    // tmux marks it, and may have the name of screen.
    std::env::var_os("TMUX").is_some() || !UNMARKED.iter().any(|name| term.starts_with(name))
}

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
