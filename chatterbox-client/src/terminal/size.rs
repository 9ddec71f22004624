//! The size of the terminal.

use std::io;

use rustix::termios::tcgetwinsize;

/// Columns and rows; where they are not known, those of the oldest terminals.
pub(crate) fn size() -> (u16, u16) {
    let known = tcgetwinsize(io::stdout()).ok().map(|size| (size.ws_col, size.ws_row));
    known.filter(|size| size.0 > 0 && size.1 > 0).unwrap_or((80, 24))
}
