//! The rows of one item of the timeline: its text in the width of the text column, row by row, and the sign at the rule.
//!
//! Only this program writes at the rule, so no text can look like another message, a notice or an error.

use std::borrow::Cow;

use chatterbox_app::model::{Body, Delivery, Hole, Item, Moves, NoticeKind, Speech};
use chatterbox_app::wrap;
use chatterbox_proto::ScreenText;

use super::theme::Role;

/// One item has so many rows at most; a text of thousands of lines would fill screens for whoever scrolls through it.
const ROWS: usize = 500;

/// So many names of those who came or went together are told; of more the first two are.
const NAMES: usize = 4;

/// The rule between name and text.
pub(super) const RULE: char = '│';

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
            let text = words_of(moves);
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
    let (sign, role) = match &speech.delivery {
        Delivery::Refused(_) => ('!', Role::Text),
        Delivery::OnItsWay => ('…', Role::Text),
        Delivery::Sent | Delivery::Stored if speech.mention => ('>', Role::Mention),
        Delivery::Sent | Delivery::Stored => (RULE, Role::Text),
    };
    // All rows of a mention have its sign; what became of a message is said once.
    let further = if sign == '>' { sign } else { RULE };
    let mut rows = Vec::new();
    for line in speech.lines.iter().take(ROWS + 1) {
        for row in wrap(line.as_str(), width) {
            let sign = if rows.is_empty() { sign } else { further };
            rows.push(Row { sign, text: Cow::Borrowed(row), role });
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

/// `bob, cyd joined; eve left`.
fn words_of(moves: &Moves) -> String {
    let mut words = String::new();
    let sides =
        [(&moves.joined, moves.more_joined, " joined"), (&moves.left, moves.more_left, " left")];
    for (names, more, what) in sides {
        let all = names.len() + more;
        if all == 0 {
            continue;
        }
        if !words.is_empty() {
            words.push_str("; ");
        }
        let told = if all > NAMES { names.len().min(2) } else { names.len() };
        for (place, name) in names.iter().take(told).enumerate() {
            words.push_str(if place > 0 { ", " } else { "" });
            words.push_str(name.as_str());
        }
        if all > told {
            let and = if told > 0 { " and " } else { "" };
            words.push_str(&format!("{and}{} others", all - told));
        }
        words.push_str(what);
    }
    if words.is_empty() {
        words.push_str("somebody came and went");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<ScreenText> {
        (0..count).map(|n| ScreenText::new(&format!("u{n}"))).collect()
    }

    #[test]
    fn a_crowd_that_comes_is_one_short_line() {
        for (joined, left, words) in [
            (1, 0, "u0 joined"),
            (2, 1, "u0, u1 joined; u0 left"),
            (4, 0, "u0, u1, u2, u3 joined"),
            (5, 9_000, "u0, u1 and 3 others joined; u0, u1 and 8998 others left"),
            (0, 0, "somebody came and went"),
        ] {
            let moves = Moves { joined: names(joined), left: names(left), ..Moves::default() };
            assert_eq!(words_of(&moves), words);
        }
        // Those who are named have gone again, and the others are here.
        let moves = Moves { more_joined: 10, left: names(1), ..Moves::default() };
        assert_eq!(words_of(&moves), "10 others joined; u0 left");
    }
}
