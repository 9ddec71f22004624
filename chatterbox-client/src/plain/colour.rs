//! Whether lines are coloured.

use std::io::{self, IsTerminal as _};

/// Whether colours are wanted: on a terminal, unless <https://no-color.org> or a dumb one.
fn wants_colour(is_terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether the two streams of a piped session take colours.
pub(super) fn pipe_colours() -> (bool, bool) {
    (wants_colour(io::stdout().is_terminal()), wants_colour(io::stderr().is_terminal()))
}

/// What is shown may be coloured.
pub(super) fn terminal_colours() -> (bool, bool) {
    let wanted = wants_colour(true);
    (wanted, wanted)
}
