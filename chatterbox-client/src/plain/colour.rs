//! Whether colours are wanted.

use std::io::{self, IsTerminal as _};

/// Colours are wanted on a terminal, unless it is dumb or <https://no-color.org> forbids them.
fn wants_colour(is_terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_terminal && !set("NO_COLOR") && !is_dumb()
}

/// Whether the terminal can only print, as the variable TERM says.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether standard output and standard error of a piped session take colours.
pub(super) fn pipe_colours() -> (bool, bool) {
    (wants_colour(io::stdout().is_terminal()), wants_colour(io::stderr().is_terminal()))
}

/// Whether the two streams take colours where both are one terminal.
pub(super) fn terminal_colours() -> (bool, bool) {
    let wanted = wants_colour(true);
    (wanted, wanted)
}
