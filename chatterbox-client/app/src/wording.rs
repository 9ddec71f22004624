//! The words of each output, for people: one wording for every screen. A screen adds the colours of each [`Role`].
//!
//! A message starts with `[`, a notice of the server with `*`, its complaints with `!`, its questions with `?`, and a
//! notice of this program with `--`. So nobody's message can pass for a notice, with colours or without.

use std::time::Duration;

use chatterbox_proto::capability::commands::Outcome;
use chatterbox_proto::capability::presence::UserPresence;
use chatterbox_proto::{ALL, RoomName, ScreenText, WireText};

use crate::files::TransferState;
use crate::moves_words::moves;
use crate::output::{Lock, Message, Output, ReadTo, Until, Wire};
use crate::plain_words::{of_server, plain};
use crate::room_words as rooms;
use crate::table::Table;
use crate::words::{Role, Span, Words, line, plural, whole};

/// A person is shown no more lines of one result.
const RESULT_LINES: usize = 1000;

/// A list of users names at most this many.
const USERS: usize = 10_000;

/// A terminal shows no more lines of one message.
const MESSAGE_LINES: usize = 50;

/// A further line of a message begins with this. No line of this program and nobody's message does.
pub const CONTINUED: &str = "        | ";

/// What a reply answers stands in a line above it, and a file in a line below it, which begin with this and an arrow.
const QUOTED: &str = "        ";

/// The mark of a message that is meant for the user. It stands in front of the bracket behind the time, where nobody else
/// can write.
const MARK: &str = "*";

impl Output {
    /// The words for a person at a terminal: a message that is meant for the user has a mark, and one of several lines is
    /// shown as lines. Everything else is as in [`Output::into_spans`].
    pub fn into_terminal_spans(self) -> Vec<Span> {
        match self {
            Self::Message(message) => message_lines(message),
            other => other.into_spans(),
        }
    }

    /// The words, without a line break at the end.
    pub fn into_spans(self) -> Vec<Span> {
        match self {
            Self::Message(message) | Self::Behind(message) => piped_lines(message),
            Self::Welcome { name, .. } | Self::YouAre(name) => {
                line(Role::Quiet, ["* you are ".into(), name.into()])
            }
            Self::Refused { name, reason, until, .. } => line(
                Role::Alarm,
                [
                    "! the server refused the name ".into(),
                    name.into(),
                    Until::words(until.as_ref()).into(),
                    ": ".into(),
                    reason.map_or("it gives no reason".into(), |reason| of_server(reason).into()),
                ],
            ),
            Self::Server { name, banner } => rooms::server(name, banner.as_ref()),
            Self::Rooms { rooms: names, .. } => rooms::members(names),
            Self::Room(room, why) => rooms::room(*room, &why),
            Self::Lobby => line(Role::Quiet, ["* you talk to everybody".into()]),
            Self::WithUser(name) => {
                line(Role::Quiet, ["* you talk to ".into(), name.into(), " only".into()])
            }
            Self::RoomLeft(left) => rooms::left(left),
            Self::RoomUsers { room, users, joined } => rooms::users(room, users, joined),
            Self::Unread(unread) => rooms::unread(unread),
            Self::Gap { room, state } => rooms::gap(room, state),
            Self::Notice(notice, until) => rooms::notice(notice, until.as_ref()),
            Self::Closed(closed) => rooms::closed(closed),
            Self::Users { users, away, more } => users_spans(users, &away, more),
            Self::Presence(user) => presence_spans(user),
            Self::Moves { room, joined, left } => moves(room, joined, left),
            Self::Earlier(count) => {
                let earlier = plural(count, "message");
                line(Role::Quiet, [format!("-- {earlier} from before; what follows is new").into()])
            }
            Self::Joined(name) => line(Role::Quiet, ["* ".into(), name.into(), " joined".into()]),
            Self::Left(name) => line(Role::Quiet, ["* ".into(), name.into(), " left".into()]),
            Self::Renamed { old, new } => {
                line(Role::Quiet, ["* ".into(), old.into(), " is now called ".into(), new.into()])
            }
            Self::Info(text) => line(Role::Quiet, ["* server: ".into(), of_server(text).into()]),
            Self::Error(text) => line(Role::Alarm, ["! server: ".into(), of_server(text).into()]),
            Self::Result { command, outcome, table } => {
                result_spans(&command, &outcome, table.as_ref())
            }
            Self::Prompt { text, .. } => {
                line(Role::Private, ["? the server asks: ".into(), text.into()])
            }
            Self::Page { with, count, more, code } => page(with, count, more, code),
            Self::ConnectionLost { why, wait, waiting } => {
                line(Role::Alarm, [lost(&why, wait, waiting).into()])
            }
            Self::Resumed { missed, complete } => {
                line(Role::Quiet, [resumed(missed, complete).into()])
            }
            Self::Transfer(told) => {
                let is_failed = matches!(told.state, TransferState::Failed { .. });
                let role = if is_failed { Role::Alarm } else { Role::Quiet };
                let words = told.sentence().unwrap_or_else(|| told.bar());
                line(role, [format!("-- {words}").into()])
            }
            Self::Deviation(text) => {
                line(Role::Alarm, [format!("-- the server deviates: {}", deviation(&text)).into()])
            }
            Self::Note(text) => line(Role::Quiet, [format!("-- {text}").into()]),
            Self::Warning(text) => line(Role::Alarm, [format!("-- {text}").into()]),
            Self::Marks(marks) => {
                let one = |mark: &ReadTo| format!("{} up to {}", mark.with.as_wire(), mark.upto);
                let all: Vec<_> = marks.iter().map(one).collect();
                let text = ScreenText::shortened(&all.join(", "), 200);
                line(Role::Quiet, [format!("-- read: {text}").into()])
            }
            Self::Stored { id, .. } => line(Role::Quiet, [format!("-- stored as {id}").into()]),
            Self::Rejected { refused, .. } => {
                line(Role::Alarm, ["! server: ".into(), of_server(refused.error).into()])
            }
        }
    }

    /// The words without colours, all at once.
    pub fn text(&self) -> String {
        whole(self.clone().into_spans())
    }
}

/// A message at a terminal.
fn message_lines(mut message: Message) -> Vec<Span> {
    let text = std::mem::take(&mut message.text);
    let (lines, more) = text.lines(MESSAGE_LINES);
    let mut lines = lines.into_iter().map(WireText::into_owned);
    message.text = lines.next().unwrap_or_default();
    let time = message.mention.then(|| {
        let mut time = line(Role::Quiet, [format!("[{} ", message.when).into()]);
        time.extend(line(Role::Mention, [MARK.into()]));
        time.extend(line(Role::Quiet, ["] ".into()]));
        time
    });
    let quote = message.quote.take();
    let file = message.file.take().map(|file| file.line(message.id));
    let mut spans = message_spans(message);
    if let Some(time) = time {
        spans.splice(..1, time);
    }
    if let Some(quote) = quote {
        spans.splice(..0, line(Role::Quiet, [format!("{QUOTED}{}\n", quote.words()).into()]));
    }
    let more =
        (more > 0).then(|| format!("… {more} more {}", if more == 1 { "line" } else { "lines" }));
    let more = more.map(|more| Span { role: Role::Quiet, words: more.into() });
    let text = lines.map(|words| Span { role: Role::Plain, words: words.into() });
    for text in text.chain(more) {
        spans.extend(line(Role::Plain, ["\n".into()]));
        spans.extend(line(Role::Quiet, [CONTINUED.into()]));
        spans.push(text);
    }
    if let Some(file) = file {
        spans.extend(line(Role::Plain, ["\n".into()]));
        spans.extend(line(Role::Quiet, [format!("{QUOTED}{file}").into()]));
    }
    spans
}

/// A message through pipes: one line, and another one of this program's where a file goes with it, so that nobody's text can pass for
/// a file.
fn piped_lines(mut message: Message) -> Vec<Span> {
    let file = message.file.take().map(|file| file.words(message.id));
    let mut spans = message_spans(message);
    if let Some(file) = file {
        spans.extend(line(Role::Plain, ["\n".into()]));
        spans.extend(line(Role::Quiet, [format!("* with a file: {file}").into()]));
    }
    spans
}

fn message_spans(mut message: Message) -> Vec<Span> {
    let mut spans = line(Role::Quiet, [format!("[{}] ", message.when).into()]);
    if let Some(room) = message.to.take_if(|_| message.in_room) {
        spans.extend(line(Role::Quiet, [room.into(), " <".into()]));
        spans.extend(line(Role::Sender, [message.from.into()]));
        spans.extend(line(Role::Quiet, ["> ".into()]));
        spans.extend(line(Role::Plain, [message.text.into()]));
        return spans;
    }
    spans.extend(line(Role::Sender, [message.from.into()]));
    if let Some(to) = message.to {
        spans.extend(line(Role::Private, [" -> ".into(), to.into()]));
    }
    if let Some(lock) = locked(message.lock) {
        spans.extend(line(Role::Quiet, [lock.into()]));
    }
    spans.extend(line(Role::Plain, [": ".into(), message.text.into()]));
    spans
}

/// What stands behind the names, where nobody else can write.
fn locked(lock: Lock) -> Option<&'static str> {
    match lock {
        Lock::Open => None,
        Lock::Encrypted => Some(" (encrypted)"),
        Lock::Verified => Some(" (encrypted, verified)"),
        Lock::Unreadable => Some(" (encrypted, unreadable)"),
    }
}

fn presence_spans(user: UserPresence) -> Vec<Span> {
    let mut words = vec!["* ".into(), user.name.into()];
    match user.away {
        None => words.push(" is back".into()),
        Some(away) if away.as_wire().trim().is_empty() => words.push(" is away".into()),
        Some(away) => words.extend([" is away: ".into(), away.into()]),
    }
    words.into_iter().map(|words| Span { role: Role::Quiet, words }).collect()
}

fn users_spans(users: Vec<Wire>, away: &[Wire], more: usize) -> Vec<Span> {
    let more = more + users.len().saturating_sub(USERS);
    let mut words = vec!["* here: ".into()];
    // In the same order as the users.
    let mut away = away.iter().peekable();
    for (place, name) in users.into_iter().take(USERS).enumerate() {
        if place > 0 {
            words.push(", ".into());
        }
        let is_away = away.next_if_eq(&&name).is_some();
        words.push(name.into());
        if is_away {
            words.push(" (away)".into());
        }
    }
    if more > 0 {
        words.push(format!(", and {more} more").into());
    } else if words.len() == 1 {
        words.push("nobody else".into());
    }
    words.into_iter().map(|words| Span { role: Role::Quiet, words }).collect()
}

fn result_spans(command: &str, outcome: &Outcome, table: Option<&Table>) -> Vec<Span> {
    let text = outcome.text.as_wire().trim_end();
    let mut lines = Vec::new();
    // A text of several lines beside a table is the same table in words.
    if table.is_none() || !text.contains('\n') {
        for (place, words) in text.lines().take(RESULT_LINES).enumerate() {
            let words = WireText::new(words.to_owned());
            let words = if outcome.ok { words.into() } else { of_server(words).into() };
            lines.push(if outcome.ok {
                line(Role::Quiet, ["* ".into(), words])
            } else if place == 0 {
                let command = ScreenText::shortened(command, 40);
                line(Role::Alarm, [format!("! {command}: ").into(), words])
            } else {
                line(Role::Alarm, ["! ".into(), words])
            });
        }
    }
    for row in table.map(Table::lines).unwrap_or_default() {
        lines.push(line(Role::Plain, [format!("  {row}").into()]));
    }
    let mut spans = Vec::with_capacity(lines.len() * 3);
    for words in lines {
        if !spans.is_empty() {
            spans.extend(line(Role::Plain, ["\n".into()]));
        }
        spans.extend(words);
    }
    spans
}

fn deviation(text: &str) -> String {
    match &*plain(text) {
        "a message is not a message" => "what came as a message is none".to_owned(),
        text => text.to_owned(),
    }
}

fn page(with: Wire, count: usize, more: bool, code: Option<Wire>) -> Vec<Span> {
    if let Some(code) = code {
        let why = match code.as_wire() {
            "not-a-member" => "you are not a member".into(),
            "no-such-room" => "there is no such room".into(),
            _ => Words::from(code),
        };
        return line(Role::Alarm, ["! no history of ".into(), with.into(), ": ".into(), why]);
    }
    let count = plural(count, "message");
    let rest = if more { "/history again shows older ones" } else { "that was the beginning" };
    let end = format!(": {count}; {rest}");
    if with.as_wire() == ALL {
        line(Role::Quiet, ["* history".into(), end.into()])
    } else {
        let with_or_of = if RoomName::is_meant(with.as_wire()) { "of " } else { "with " };
        line(Role::Quiet, ["* history ".into(), with_or_of.into(), with.into(), end.into()])
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_is_said_in_words() {
        let nobody = Output::Users { users: vec![], away: vec![], more: 0 };
        assert_eq!(nobody.text(), "* here: nobody else");
    }

    #[test]
    fn who_is_away_is_marked_and_said() {
        let wire = |text: &str| WireText::new(text.to_owned());
        let users = ["ann", "bob", "cyd"].map(wire).to_vec();
        let away = ["ann", "cyd"].map(wire).to_vec();
        let users = Output::Users { users, away, more: 2 };
        assert_eq!(users.text(), "* here: ann (away), bob, cyd (away), and 2 more");
        let said = |away: Option<&str>| {
            let user = UserPresence { name: wire("ann"), since: Some(7), away: away.map(wire) };
            (Output::Presence(user.clone()).text(), Output::Presence(user).json())
        };
        let json =
            |away| format!(r#"{{"event": "presence", "name": "ann", "since": 7, "away": {away}}}"#);
        assert_eq!(said(None), ("* ann is back".into(), json("null")));
        assert_eq!(said(Some("")), ("* ann is away".into(), json("\"\"")));
        assert_eq!(said(Some("lunch")), ("* ann is away: lunch".into(), json("\"lunch\"")));
    }
}
