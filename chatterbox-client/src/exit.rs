//! Exit codes in one table, and failures with details and hints.
//!
//! The codes are those of `sysexits.h` where it has one, so that scripts can tell a typing mistake from a server that is
//! down.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// The exit codes of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exit {
    /// The user left, the input ended, or the reader of the output went away.
    Ok,
    /// A line of the input was not sent, or the server refused it; a person has left before a message was confirmed.
    NotSent,
    /// The command line is wrong.
    Usage,
    /// A command of the input did not ask what the next line was to answer.
    NotAsked,
    /// The file of the certificate authority, or of the password, can't be used.
    NoInput,
    /// The host has no address.
    NoHost,
    /// The server can't be reached, or the connection was lost.
    Unavailable,
    /// An internal error of this program.
    Software,
    /// Input or output failed.
    InputOutput,
    /// The server does not speak the protocol.
    Protocol,
    /// No name was accepted.
    NoName,
    /// The server's certificate is not trusted.
    Untrusted,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM or SIGHUP.
    Terminated,
}

impl Exit {
    /// All codes, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Ok,
        Self::NotSent,
        Self::Usage,
        Self::NotAsked,
        Self::NoInput,
        Self::NoHost,
        Self::Unavailable,
        Self::Software,
        Self::InputOutput,
        Self::Protocol,
        Self::NoName,
        Self::Untrusted,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        self.row().0
    }

    /// The explanation in `--help`.
    pub const fn meaning(self) -> &'static str {
        self.row().1
    }

    const fn row(self) -> (u8, &'static str) {
        match self {
            Self::Ok => (0, "you left, the input ended, or the reader of the output went away"),
            Self::NotSent => {
                (1, "a line was not sent, or was refused (pipes); a message may not have arrived")
            }
            Self::Usage => (64, "the command line or the configuration is wrong"),
            Self::NotAsked => {
                (65, "a command did not ask what the next line was to answer (pipes)")
            }
            Self::NoInput => {
                (66, "a file that was named can't be used: authority, password, configuration")
            }
            Self::NoHost => (68, "the host is unknown"),
            Self::Unavailable => {
                (69, "the server can't be reached, or the connection was lost for good")
            }
            Self::Software => (70, "a fault of this program"),
            Self::InputOutput => (74, "reading the input or writing the output failed"),
            Self::Protocol => (76, "the server does not speak the protocol, or no TLS"),
            Self::NoName => (77, "no name was accepted, or the password is wrong"),
            Self::Untrusted => (78, "the server's certificate is not trusted"),
            Self::Interrupted => (130, "Ctrl-C"),
            Self::Terminated => (143, "SIGTERM or SIGHUP"),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// `Connection refused`, without ` (os error 111)`, and a fault of TLS without the library's words.
pub(crate) fn without_number(error: &io::Error) -> String {
    use rustls::Error as Tls;
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>()) {
        Some(Tls::AlertReceived(_)) => return "the server ended the encryption".to_owned(),
        Some(_) => return "what arrived is not what was sent, or no TLS".to_owned(),
        None => {}
    }
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A failure that ends the program, with everything that the user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code of the program.
    pub exit: Exit,
    message: String,
    details: Vec<String>,
    hints: Vec<String>,
}

impl Failure {
    /// A failure with one line about the event.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), details: Vec::new(), hints: Vec::new() }
    }

    /// The line about the event, without details and hints.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Adds an indented line.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// Adds a `hint:` line with something to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Several lines, without a newline at the end.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for detail in &self.details {
            write!(f, "\n  {detail}")?;
        }
        for hint in &self.hints {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_libraries_stay_inside() {
        for (error, said) in [
            (io::Error::from_raw_os_error(104), "Connection reset by peer"),
            (
                io::Error::other(rustls::Error::DecryptError),
                "what arrived is not what was sent, or no TLS",
            ),
            (
                io::Error::other(rustls::Error::AlertReceived(
                    rustls::AlertDescription::BadRecordMac,
                )),
                "the server ended the encryption",
            ),
        ] {
            assert_eq!(without_number(&error), said);
        }
    }

    #[test]
    fn codes_are_distinct_and_in_order() {
        let codes: Vec<_> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }

    #[test]
    fn a_failure_reads_from_what_to_why_to_how() {
        let failure = Failure::new(Exit::Unavailable, "no way").detail("1: closed").hint("open it");
        assert_eq!(failure.to_string(), "no way\n  1: closed\nhint: open it");
    }
}
