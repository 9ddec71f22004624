//! What a typed line means.

use chatterbox_proto::ALL;

/// A line that a user typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed<'a> {
    /// Only white space.
    Nothing,
    /// Something for everybody.
    Public(&'a str),
    /// Something for one user.
    Private {
        /// The user.
        to: &'a str,
        /// The text.
        text: &'a str,
    },
    /// `@user` without a text, or `@` without a user.
    NoText(&'a str),
    /// `/help`, or `/help COMMAND`.
    Help(Option<&'a str>),
    /// `/name`, or `/name NAME`.
    Name(Option<&'a str>),
    /// `/users`, and what stands behind it.
    Users(&'a str),
    /// `/history`, and what stands behind it.
    History(&'a str),
    /// `/quit`.
    Quit,
    /// A command that is none of this program's, with its slash.
    Unknown(&'a str),
}

impl<'a> Typed<'a> {
    /// Reads a line. Text that is sent keeps its white space (T4-2).
    pub fn parse(line: &'a str) -> Self {
        if line.trim().is_empty() {
            return Self::Nothing;
        }
        if let Some(rest) = line.strip_prefix('/') {
            return if rest.starts_with('/') { Self::Public(rest) } else { Self::command(line) };
        }
        let Some(rest) = line.strip_prefix('@') else {
            return Self::Public(line);
        };
        if rest.starts_with('@') {
            return Self::Public(rest);
        }
        match rest.split_once(char::is_whitespace) {
            Some((to, text)) if !to.is_empty() && !text.trim().is_empty() => {
                if to == ALL {
                    Self::Public(text)
                } else {
                    Self::Private { to, text }
                }
            }
            _ => Self::NoText(rest.trim()),
        }
    }

    fn command(line: &'a str) -> Self {
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match command {
            "/help" => Self::Help(Some(rest).filter(|rest| !rest.is_empty())),
            "/name" => Self::Name(Some(rest).filter(|rest| !rest.is_empty())),
            "/users" => Self::Users(rest),
            "/history" => Self::History(rest),
            "/quit" => Self::Quit,
            _ => Self::Unknown(command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_line_is_understood() {
        let private = |to, text| Typed::Private { to, text };
        let table = [
            ("", Typed::Nothing),
            (" \t ", Typed::Nothing),
            ("hello", Typed::Public("hello")),
            ("  two  spaces ", Typed::Public("  two  spaces ")),
            ("mail me @work", Typed::Public("mail me @work")),
            ("1/2", Typed::Public("1/2")),
            (" /quit", Typed::Public(" /quit")),
            ("//quit", Typed::Public("/quit")),
            ("// comment", Typed::Public("/ comment")),
            ("///", Typed::Public("//")),
            ("@@bob", Typed::Public("@bob")),
            ("@bob psst", private("bob", "psst")),
            ("@bob\tpsst", private("bob", "psst")),
            ("@bob  two words ", private("bob", " two words ")),
            ("@bob /quit", private("bob", "/quit")),
            ("@böb @cyd", private("böb", "@cyd")),
            ("@ALL hello", Typed::Public("hello")),
            ("@all hello", private("all", "hello")),
            ("@bob", Typed::NoText("bob")),
            ("@bob  ", Typed::NoText("bob")),
            ("@", Typed::NoText("")),
            ("@ bob", Typed::NoText("bob")),
            ("/help", Typed::Help(None)),
            ("/help  kick ", Typed::Help(Some("kick"))),
            ("/name", Typed::Name(None)),
            ("/name  ann ", Typed::Name(Some("ann"))),
            ("/users", Typed::Users("")),
            ("/users --all", Typed::Users("--all")),
            ("/history", Typed::History("")),
            ("/history bob 5", Typed::History("bob 5")),
            ("/quit", Typed::Quit),
            ("/quit\t", Typed::Quit),
            ("/quitter", Typed::Unknown("/quitter")),
            ("/QUIT", Typed::Unknown("/QUIT")),
            ("/", Typed::Unknown("/")),
            ("/ quit", Typed::Unknown("/")),
            ("/etc/passwd is a file", Typed::Unknown("/etc/passwd")),
        ];
        for (line, expected) in table {
            assert_eq!(Typed::parse(line), expected, "{line:?}");
        }
    }
}
