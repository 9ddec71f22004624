//! The words of each output, for people: one wording for every screen. A screen adds the colours of each [`Role`].
//!
//! A message starts with `[`, a notice of the server with `*`, its complaints with `!`, its questions with `?`, and a
//! notice of this program with `--`. So nobody's message can pass for a notice, with colours or without.

use std::time::Duration;

use chatterbox_proto::capability::commands::Outcome;
use chatterbox_proto::{ALL, ScreenText};

use crate::output::{Message, Output, Wire};
use crate::table::Table;

/// A person is shown no more lines of one result.
const RESULT_LINES: usize = 1000;

/// A piece of text with one appearance. A line break stands in a span of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The meaning that the screen gives an appearance.
    pub role: Role,
    /// The words, safe to show.
    pub text: String,
}

/// The meaning of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The text of a message, a table, a line break.
    Plain,
    /// Notices and times.
    Quiet,
    /// Errors and refusals.
    Alarm,
    /// Private recipients, and questions of the server.
    Private,
    /// The sender of a message.
    Sender,
}

impl Output {
    /// The words, without a line break at the end.
    pub fn spans(&self) -> Vec<Span> {
        match self {
            Self::Message(message) => message_spans(message),
            Self::Welcome { name, .. } | Self::YouAre(name) => {
                quiet(format!("* you are {}", name.screen()))
            }
            Self::Refused { name, reason, .. } => {
                let reason = reason.as_ref().map(Wire::screen);
                let reason = reason.as_ref().map_or("it gives no reason", ScreenText::as_str);
                alarm(format!("! the server refused the name {}: {reason}", name.screen()))
            }
            Self::Users { users, more } => {
                let names: Vec<_> = users.iter().map(Wire::screen).collect();
                let names: Vec<_> = names.iter().map(ScreenText::as_str).collect();
                let mut list = names.join(", ");
                if *more > 0 {
                    list.push_str(&format!(", and {more} more"));
                }
                let list = if list.is_empty() { "nobody else" } else { &list };
                quiet(format!("* here: {list}"))
            }
            Self::Joined(name) => quiet(format!("* {} joined", name.screen())),
            Self::Left(name) => quiet(format!("* {} left", name.screen())),
            Self::Renamed { old, new } => {
                quiet(format!("* {} is now called {}", old.screen(), new.screen()))
            }
            Self::Info(text) => quiet(format!("* server: {}", text.screen())),
            Self::Error(text) => alarm(format!("! server: {}", text.screen())),
            Self::Result { command, outcome, table } => {
                result_spans(command, outcome, table.as_ref())
            }
            Self::Prompt { text, .. } => {
                one(Role::Private, format!("? the server asks: {}", text.screen()))
            }
            Self::Page { with, count, more } => quiet(page(with, *count, *more)),
            Self::ConnectionLost { why, wait, waiting } => alarm(lost(why, *wait, *waiting)),
            Self::Resumed { missed, complete } => quiet(resumed(*missed, *complete)),
            Self::Deviation(text) => alarm(format!("-- the server deviates: {text}")),
            Self::Note(text) => quiet(format!("-- {text}")),
            Self::Stored { id, .. } => quiet(format!("-- stored as {id}")),
            Self::Rejected(rejected) => alarm(format!("! server: {}", rejected.error.screen())),
        }
    }

    /// The words without colours.
    pub fn text(&self) -> String {
        self.spans().into_iter().map(|span| span.text).collect()
    }
}

fn one(role: Role, text: impl Into<String>) -> Vec<Span> {
    vec![Span { role, text: text.into() }]
}

fn quiet(text: String) -> Vec<Span> {
    one(Role::Quiet, text)
}

fn alarm(text: String) -> Vec<Span> {
    one(Role::Alarm, text)
}

fn message_spans(message: &Message) -> Vec<Span> {
    let mut spans = quiet(format!("[{}] ", message.when));
    spans.extend(one(Role::Sender, message.from.screen().to_string()));
    if let Some(to) = &message.to {
        spans.extend(one(Role::Private, format!(" -> {}", to.screen())));
    }
    spans.extend(one(Role::Plain, format!(": {}", message.text.screen())));
    spans
}

fn result_spans(command: &str, outcome: &Outcome, table: Option<&Table>) -> Vec<Span> {
    let text = outcome.text.as_wire().trim_end();
    let mut lines = Vec::new();
    // A text of several lines beside a table is the same table in words.
    if table.is_none() || !text.contains('\n') {
        for (place, line) in text.lines().take(RESULT_LINES).enumerate() {
            let line = ScreenText::new(line);
            lines.extend(if outcome.ok {
                quiet(format!("* {line}"))
            } else if place == 0 {
                alarm(format!("! {}: {line}", ScreenText::new(command)))
            } else {
                alarm(format!("! {line}"))
            });
        }
    }
    for line in table.map(Table::lines).unwrap_or_default() {
        lines.extend(one(Role::Plain, format!("  {line}")));
    }
    let mut spans = Vec::with_capacity(lines.len() * 2);
    for line in lines {
        if !spans.is_empty() {
            spans.extend(one(Role::Plain, "\n"));
        }
        spans.push(line);
    }
    spans
}

fn page(with: &Wire, count: usize, more: bool) -> String {
    let whose =
        if with.as_wire() == ALL { String::new() } else { format!(" with {}", with.screen()) };
    let count = plural(count, "message");
    let rest = if more { "/history again shows older ones" } else { "that was the beginning" };
    format!("* history{whose}: {count}; {rest}")
}

fn lost(why: &str, wait: Duration, waiting: usize) -> String {
    let tenths = wait.as_millis().div_ceil(100);
    let wait = if tenths < 10 {
        format!("0.{tenths} s")
    } else {
        format!("{} s", wait.as_millis().div_ceil(1000))
    };
    let kept = match waiting {
        0 => String::new(),
        1 => " (1 message is kept)".to_owned(),
        more => format!(" ({more} messages are kept)"),
    };
    format!("-- {why}; trying again in {wait}{kept}")
}

fn resumed(missed: usize, complete: bool) -> String {
    let what = match (missed, complete) {
        (0, true) => "nothing was missed".to_owned(),
        (1, true) => "1 message was missed:".to_owned(),
        (missed, true) => format!("{missed} messages were missed:"),
        (0, false) => "what was said meanwhile is not known".to_owned(),
        (_, false) => "what was said meanwhile may be more than this:".to_owned(),
    };
    format!("-- back; {what}")
}

/// `1 page`, `2 pages`.
pub(crate) fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_is_said_in_words() {
        assert_eq!(Output::Users { users: vec![], more: 0 }.text(), "* here: nobody else");
    }
}
