//! The rows of one item of the timeline: its text in the width of the text column, row by row, and the sign at the rule.
//!
//! Only this program writes at the rule, so no text can look like another message, a notice or an error.

use std::borrow::Cow;

use chatterbox_app::model::{Body, Delivery, Hole, Item, NoticeKind, Speech};
use chatterbox_app::{Lock, wrap};
use chatterbox_proto::ScreenText;

use super::theme::Role;

/// One item has so many rows at most; a text of thousands of lines would fill screens for whoever scrolls through it.
const ROWS: usize = 500;

/// The rule between name and text.
pub(super) const RULE: char = '│';

/// The rule beside an encrypted message.
pub(super) const LOCKED: char = '║';

/// The sign of the message that was gone to.
pub(super) const FOUND: char = '»';

/// A row of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row<'i> {
    /// What stands at the rule.
    pub(super) sign: char,
    pub(super) text: Cow<'i, str>,
    pub(super) role: Role,
}

/// The rows of an item; at least one.
pub(super) fn rows(item: &Item, width: usize) -> Vec<Row<'_>> {
    let mut rows = match &item.body {
        Body::Speech(speech) => speech_rows(speech, width),
        Body::Moves(moves) => {
            let text = moves.words();
            quiet_rows(&text, width, |row| Cow::Owned(row.to_owned()))
        }
        Body::Hole(hole) => {
            let words = match hole {
                Hole::Open => "messages are missing here",
                Hole::Asked => "messages are missing here; they are being fetched",
                Hole::Lost => "messages are missing here, and the server does not have them",
            };
            quiet_rows(words, width, Cow::Borrowed)
        }
        Body::Notice(kind, lines) => {
            let mut rows = Vec::new();
            for line in lines.iter().take(ROWS + 1) {
                push_notice(&mut rows, *kind, line, width);
            }
            rows
        }
    };
    let more = rows.len().saturating_sub(ROWS);
    if more > 0 {
        rows.truncate(ROWS);
        rows.push(quiet(Cow::Borrowed("… (there is more of it)")));
    }
    if rows.is_empty() {
        rows.push(quiet(Cow::Borrowed("")));
    }
    rows
}

/// Words of this program, with their sign at the first row.
fn quiet_rows<'w, 'i>(
    words: &'w str,
    width: usize,
    keep: impl Fn(&'w str) -> Cow<'i, str>,
) -> Vec<Row<'i>> {
    let row = |(place, row)| {
        let sign = if place == 0 { '*' } else { ' ' };
        Row { sign, text: keep(row), role: Role::Quiet }
    };
    wrap(words, width).into_iter().enumerate().map(row).collect()
}

fn quiet(text: Cow<'_, str>) -> Row<'_> {
    Row { sign: '*', text, role: Role::Quiet }
}

fn speech_rows(speech: &Speech, width: usize) -> Vec<Row<'_>> {
    let role = if speech.mention { Role::Mention } else { Role::Text };
    let (sign, role) = match (&speech.delivery, speech.lock) {
        (Delivery::Refused(_), _) => ('!', Role::Text),
        (Delivery::OnItsWay, _) => ('…', Role::Text),
        (_, Lock::Unreadable) => ('?', Role::Alarm),
        (_, Lock::Encrypted | Lock::Verified) => (LOCKED, role),
        (_, Lock::Open) if speech.mention => ('>', role),
        (_, Lock::Open) => (RULE, role),
    };
    // All rows of a mention have its sign; what became of a message is said once.
    let further = match speech.lock {
        Lock::Open if sign == '>' => sign,
        Lock::Open => RULE,
        Lock::Encrypted | Lock::Verified | Lock::Unreadable => LOCKED,
    };
    let mut rows = Vec::new();
    if let Some(quote) = &speech.quote {
        let words = quote.words();
        for row in wrap(&words, width).into_iter().take(2) {
            let sign = if rows.is_empty() { sign } else { further };
            rows.push(Row { sign, text: Cow::Owned(row.to_owned()), role: Role::Quiet });
        }
    }
    for line in speech.lines.iter().take(ROWS + 1) {
        for row in wrap(line.as_str(), width) {
            let sign = if rows.is_empty() { sign } else { further };
            rows.push(Row { sign, text: Cow::Borrowed(row), role });
        }
    }
    if let Some(file) = &speech.file {
        rows.truncate(ROWS.saturating_sub(2));
        let words = file.line(speech.id);
        for row in wrap(&words, width).into_iter().take(2) {
            rows.push(Row { sign: further, text: Cow::Owned(row.to_owned()), role: Role::Quiet });
        }
    }
    if let Delivery::Refused(why) = &speech.delivery {
        rows.truncate(ROWS.saturating_sub(8));
        let why = format!("refused: {}", ScreenText::shortened(why.as_str(), 300));
        for (place, row) in wrap(&why, width).into_iter().take(8).enumerate() {
            let sign = if place == 0 { '!' } else { ' ' };
            rows.push(Row { sign, text: Cow::Owned(row.to_owned()), role: Role::Alarm });
        }
    }
    rows
}

/// The first characters of a notice say what it is; they stand at the rule instead.
fn push_notice<'i>(rows: &mut Vec<Row<'i>>, kind: NoticeKind, line: &'i ScreenText, width: usize) {
    let (role, mut sign) = match kind {
        NoticeKind::Quiet => (Role::Quiet, '*'),
        NoticeKind::Alarm => (Role::Alarm, '!'),
    };
    let mut text = line.as_str();
    for (mark, at_the_rule) in [("* ", '*'), ("! ", '!'), ("? ", '?'), ("-- ", '-')] {
        if let Some(rest) = text.strip_prefix(mark) {
            (text, sign) = (rest, at_the_rule);
            break;
        }
    }
    for (place, row) in wrap(text, width).into_iter().enumerate() {
        let sign = if place == 0 { sign } else { ' ' };
        rows.push(Row { sign, text: Cow::Borrowed(row), role });
    }
}
