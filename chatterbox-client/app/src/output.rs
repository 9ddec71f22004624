//! Lines of the screen: what they say, which stream they go to, and what is coloured in them.
//!
//! A message starts with `[`, what the server tells with `*`, its complaints with `!`, its questions with `?`, and what this
//! program says with `--`. So nobody's message can pass for a notice, with colours or without.

use std::fmt::{self, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use chatterbox_proto::capability::commands::Outcome;
use chatterbox_proto::capability::ids::{Id, RefusedTag};
use chatterbox_proto::{Capabilities, ScreenText, WireText};

use super::notice::{write_back, write_lost, write_page, write_result};
use super::table::Table;

/// Text as it came; it is made safe when it is shown.
pub type Wire = WireText<'static>;

/// One line to show; a few are several.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Somebody says something.
    Message(Message),
    /// The name was accepted.
    Welcome {
        /// The name.
        name: Wire,
        /// What is spoken beyond the base protocol.
        agreed: Capabilities,
        /// What the user may do, where there are accounts.
        level: Option<u8>,
    },
    /// The name was refused.
    Refused {
        /// The name.
        name: Wire,
        /// Why.
        reason: Option<Wire>,
        /// Why, for programs.
        code: Option<Wire>,
    },
    /// Who is here.
    Users {
        /// Their names.
        users: Vec<Wire>,
        /// How many more there are.
        more: usize,
    },
    /// Somebody joined.
    Joined(Wire),
    /// Somebody left.
    Left(Wire),
    /// Somebody has another name.
    Renamed {
        /// What they were called.
        old: Wire,
        /// What they are called.
        new: Wire,
    },
    /// This user has another name.
    YouAre(Wire),
    /// The server says something.
    Info(Wire),
    /// The server complains (DS-1).
    Error(Wire),
    /// A command is done, or it is not.
    Result {
        /// Which command, as the catalogue has it.
        command: String,
        /// What came of it, without secrets.
        outcome: Outcome,
        /// What is shown as a table beside it.
        table: Option<Table>,
    },
    /// The server asks something.
    Prompt {
        /// The question.
        text: Wire,
        /// Whether the answer is not to be seen.
        secret: bool,
    },
    /// A page of history is over.
    Page {
        /// With whom; `ALL` is everybody.
        with: Wire,
        /// How many messages it had.
        count: usize,
        /// Whether there are older ones.
        more: bool,
    },
    /// The connection is gone and tried again.
    ConnectionLost {
        /// What happened.
        why: String,
        /// After how long it is tried again.
        wait: Duration,
        /// How many messages wait.
        waiting: usize,
    },
    /// The session goes on.
    Resumed {
        /// How many messages were missed; they follow.
        missed: usize,
        /// Whether there were no others.
        complete: bool,
    },
    /// A message of this user is stored; for programs only.
    Stored {
        /// Its tag.
        tag: String,
        /// Its number.
        id: Id,
    },
    /// A message of this user is refused; for programs only, people get the ERROR.
    Rejected(RefusedTag),
    /// The server does something otherwise than the protocol says.
    Deviation(String),
    /// This program says something.
    Note(String),
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// When, as it is shown.
    pub when: String,
    /// When, in seconds since 1970.
    pub time: i64,
    /// Who.
    pub from: Wire,
    /// To whom, if not to everybody.
    pub to: Option<Wire>,
    /// What.
    pub text: Wire,
    /// Its number, if it has one.
    pub id: Option<Id>,
    /// Its tag, if it is of this user and will be answered.
    pub tag: Option<String>,
    /// Why it is shown now.
    pub kind: MessageKind,
}

/// Why a message is shown now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// It was just said.
    Live,
    /// It was said before this user came, or is on a page that was asked for.
    History,
    /// It was said while the connection was lost.
    Missed,
    /// This user says it.
    Own,
}

/// Where a line goes when the two are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The chat.
    Output,
    /// Everything about the program.
    Error,
}

impl Output {
    /// A line of this program.
    pub fn note(text: impl Into<String>) -> Self {
        Self::Note(text.into())
    }

    /// Where it goes.
    pub fn stream(&self) -> Stream {
        match self {
            Self::Note(_)
            | Self::Deviation(_)
            | Self::ConnectionLost { .. }
            | Self::Resumed { .. } => Stream::Error,
            _ => Stream::Output,
        }
    }

    /// The line, without a newline at its end.
    pub fn text(&self, colour: bool) -> String {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = self.write(&mut text, &Pen { colour });
        text
    }

    fn write(&self, out: &mut String, pen: &Pen) -> fmt::Result {
        match self {
            Self::Message(message) => message.write(out, pen),
            Self::Welcome { name, .. } | Self::YouAre(name) => {
                pen.write(out, QUIET, format_args!("* you are {}", name.screen()))
            }
            Self::Refused { name, reason, .. } => {
                let reason = reason.as_ref().map(Wire::screen);
                let reason = reason.as_ref().map_or("it gives no reason", ScreenText::as_str);
                let name = name.screen();
                pen.write(
                    out,
                    ALARM,
                    format_args!("! the server refused the name {name}: {reason}"),
                )
            }
            Self::Users { users, more } => {
                let names: Vec<_> = users.iter().map(Wire::screen).collect();
                let names: Vec<_> = names.iter().map(ScreenText::as_str).collect();
                let mut list = names.join(", ");
                if *more > 0 {
                    write!(list, ", and {more} more")?;
                }
                let list = if list.is_empty() { "nobody else" } else { &list };
                pen.write(out, QUIET, format_args!("* here: {list}"))
            }
            Self::Joined(name) => pen.write(out, QUIET, format_args!("* {} joined", name.screen())),
            Self::Left(name) => pen.write(out, QUIET, format_args!("* {} left", name.screen())),
            Self::Renamed { old, new } => {
                let (old, new) = (old.screen(), new.screen());
                pen.write(out, QUIET, format_args!("* {old} is now called {new}"))
            }
            Self::Info(text) => pen.write(out, QUIET, format_args!("* server: {}", text.screen())),
            Self::Error(text) => pen.write(out, ALARM, format_args!("! server: {}", text.screen())),
            Self::Result { command, outcome, table } => {
                write_result(out, pen, command, outcome, table.as_ref())
            }
            Self::Prompt { text, .. } => {
                pen.write(out, WHISPER, format_args!("? the server asks: {}", text.screen()))
            }
            Self::Page { with, count, more } => write_page(out, pen, with, *count, *more),
            Self::ConnectionLost { why, wait, waiting } => {
                write_lost(out, pen, why, *wait, *waiting)
            }
            Self::Resumed { missed, complete } => write_back(out, pen, *missed, *complete),
            Self::Deviation(text) => {
                pen.write(out, ALARM, format_args!("-- the server deviates: {text}"))
            }
            Self::Note(text) => pen.write(out, QUIET, format_args!("-- {text}")),
            Self::Stored { id, .. } => pen.write(out, QUIET, format_args!("-- stored as {id}")),
            Self::Rejected(refused) => {
                pen.write(out, ALARM, format_args!("! server: {}", refused.error.screen()))
            }
        }
    }
}

impl Message {
    fn write(&self, out: &mut String, pen: &Pen) -> fmt::Result {
        let from = self.from.screen();
        pen.write(out, QUIET, format_args!("[{}] ", self.when))?;
        pen.write(out, colour_of(from.as_str()), format_args!("{from}"))?;
        if let Some(to) = &self.to {
            pen.write(out, WHISPER, format_args!(" -> {}", to.screen()))?;
        }
        write!(out, ": {}", self.text.screen())
    }
}

pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const ALARM: Style = AnsiColor::Red.on_default();
pub(super) const WHISPER: Style = AnsiColor::Magenta.on_default();

/// The same name has the same colour everywhere; red and magenta mean something else.
fn colour_of(name: &str) -> Style {
    const COLOURS: [AnsiColor; 6] = [
        AnsiColor::Green,
        AnsiColor::Yellow,
        AnsiColor::Blue,
        AnsiColor::Cyan,
        AnsiColor::BrightGreen,
        AnsiColor::BrightCyan,
    ];
    let sum = name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(byte));
    COLOURS.get(sum % COLOURS.len()).map_or(Style::new(), |colour| colour.on_default()).bold()
}

pub(super) struct Pen {
    colour: bool,
}

impl Pen {
    pub(super) fn write(
        &self,
        out: &mut String,
        style: Style,
        text: fmt::Arguments<'_>,
    ) -> fmt::Result {
        if self.colour { write!(out, "{style}{text}{style:#}") } else { out.write_fmt(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> Wire {
        WireText::new(text.to_owned())
    }

    #[test]
    fn colour_only_adds_to_a_line() {
        let lines = [
            Output::Message(Message {
                when: "14:03".to_owned(),
                time: 1,
                from: wire("bob"),
                to: Some(wire("ann")),
                text: wire("psst"),
                id: None,
                tag: None,
                kind: MessageKind::Live,
            }),
            Output::Users { users: vec![wire("ann"), wire("bob")], more: 3 },
            Output::Error(wire("no")),
            Output::note("hint"),
        ];
        for line in lines {
            let coloured = line.text(true);
            assert!(coloured.contains("\u{1b}[") && coloured.ends_with(['m', 't']));
            let mut plain = String::new();
            let mut rest = coloured.as_str();
            while let Some((before, after)) = rest.split_once('\u{1b}') {
                plain.push_str(before);
                rest = after.split_once('m').unwrap().1;
            }
            plain.push_str(rest);
            assert_eq!(plain, line.text(false));
        }
    }

    #[test]
    fn nobody_else_is_said_in_words() {
        assert_eq!(Output::Users { users: vec![], more: 0 }.text(false), "* here: nobody else");
    }
}
