//! What the program says. A reader that has gone, as behind `| head`, is no failure and no panic.

use std::{
    fmt,
    io::{self, Write as _},
};

use anyhow::Context as _;

/// Which of the two streams what is for people goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    /// Standard output is taken by a report.
    Error,
}

impl Stream {
    /// Prints a text.
    pub(crate) fn print(self, text: impl fmt::Display) -> anyhow::Result<()> {
        match self {
            Self::Output => print(text),
            Self::Error => {
                let _ = write!(anstream::stderr().lock(), "{text}");
                Ok(())
            }
        }
    }
}

/// Prints on standard output.
pub(crate) fn print(text: impl fmt::Display) -> anyhow::Result<()> {
    let mut output = anstream::stdout().lock();
    match write!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("can't write to standard output")
        }
        _ => Ok(()),
    }
}

/// Prints on standard output, with the end of the line.
pub(crate) fn line(text: impl fmt::Display) -> anyhow::Result<()> {
    print(format_args!("{text}\n"))
}

/// Prints on standard error, with the end of the line. Whoever does not listen there misses it.
pub(crate) fn aside(text: impl fmt::Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
