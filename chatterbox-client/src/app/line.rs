//! Lines of the screen: what they say, which stream they go to, and what is coloured in them.
//!
//! A message starts with `[`, what the server tells with `*`, its complaints with `!`, and what this program says with
//! `--`. So nobody's message can pass for a notice, with colours or without.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use chatterbox_proto::ScreenText;

/// One line to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Somebody says something.
    Speech(Speech),
    /// The name was accepted.
    Welcome(ScreenText),
    /// The name was refused.
    Refused {
        /// The name.
        name: ScreenText,
        /// Why.
        reason: Option<ScreenText>,
    },
    /// Who is here.
    Users {
        /// Their names.
        users: Vec<ScreenText>,
        /// How many more there are.
        more: usize,
    },
    /// Somebody joined.
    Joined(ScreenText),
    /// Somebody left.
    Left(ScreenText),
    /// The server says something.
    Info(ScreenText),
    /// The server complains (DS-1).
    Error(ScreenText),
    /// The server does something otherwise than the protocol says.
    Deviation(String),
    /// This program says something.
    Note(String),
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// When, as it is shown.
    pub when: String,
    /// Who.
    pub from: ScreenText,
    /// To whom, if not to everybody.
    pub to: Option<ScreenText>,
    /// What.
    pub text: ScreenText,
}

/// Where a line goes when the two are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The chat.
    Output,
    /// Everything about the program.
    Error,
}

impl Line {
    /// A line of this program.
    pub fn note(text: impl Into<String>) -> Self {
        Self::Note(text.into())
    }

    /// Where it goes.
    pub fn stream(&self) -> Stream {
        match self {
            Self::Note(_) | Self::Deviation(_) => Stream::Error,
            _ => Stream::Output,
        }
    }

    /// The line, without a newline.
    pub fn text(&self, colour: bool) -> String {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = self.write(&mut text, &Pen { colour });
        text
    }

    fn write(&self, out: &mut String, pen: &Pen) -> fmt::Result {
        match self {
            Self::Speech(speech) => speech.write(out, pen),
            Self::Welcome(name) => pen.write(out, QUIET, format_args!("* you are {name}")),
            Self::Refused { name, reason } => pen.write(
                out,
                ALARM,
                format_args!(
                    "! the server refused the name {name}: {}",
                    reason.as_ref().map_or("it gives no reason", ScreenText::as_str)
                ),
            ),
            Self::Users { users, more } => {
                let names: Vec<_> = users.iter().map(ScreenText::as_str).collect();
                let mut list = names.join(", ");
                if *more > 0 {
                    write!(list, ", and {more} more")?;
                }
                let list = if list.is_empty() { "nobody else" } else { &list };
                pen.write(out, QUIET, format_args!("* here: {list}"))
            }
            Self::Joined(name) => pen.write(out, QUIET, format_args!("* {name} joined")),
            Self::Left(name) => pen.write(out, QUIET, format_args!("* {name} left")),
            Self::Info(text) => pen.write(out, QUIET, format_args!("* server: {text}")),
            Self::Error(text) => pen.write(out, ALARM, format_args!("! server: {text}")),
            Self::Deviation(text) => {
                pen.write(out, ALARM, format_args!("-- the server deviates: {text}"))
            }
            Self::Note(text) => pen.write(out, QUIET, format_args!("-- {text}")),
        }
    }
}

impl Speech {
    fn write(&self, out: &mut String, pen: &Pen) -> fmt::Result {
        pen.write(out, QUIET, format_args!("[{}] ", self.when))?;
        pen.write(out, colour_of(self.from.as_str()), format_args!("{}", self.from))?;
        if let Some(to) = &self.to {
            pen.write(out, WHISPER, format_args!(" -> {to}"))?;
        }
        write!(out, ": {}", self.text)
    }
}

const QUIET: Style = Style::new().dimmed();
const ALARM: Style = AnsiColor::Red.on_default();
const WHISPER: Style = AnsiColor::Magenta.on_default();

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

struct Pen {
    colour: bool,
}

impl Pen {
    fn write(&self, out: &mut String, style: Style, text: fmt::Arguments<'_>) -> fmt::Result {
        if self.colour { write!(out, "{style}{text}{style:#}") } else { out.write_fmt(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(text: &str) -> ScreenText {
        ScreenText::new(text)
    }

    #[test]
    fn colour_only_adds_to_a_line() {
        let lines = [
            Line::Speech(Speech {
                when: "14:03".to_owned(),
                from: screen("bob"),
                to: Some(screen("ann")),
                text: screen("psst"),
            }),
            Line::Users { users: vec![screen("ann"), screen("bob")], more: 3 },
            Line::Error(screen("no")),
            Line::note("hint"),
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
        assert_eq!(Line::Users { users: vec![], more: 0 }.text(false), "* here: nobody else");
    }
}
