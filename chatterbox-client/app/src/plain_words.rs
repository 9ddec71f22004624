//! The server's words without what is for programmers: clause ids and places in a frame. Programs still get them (`json`).
//!
//! It is for what the server itself says. What people write stays as it is.

use std::borrow::Cow;

use chatterbox_proto::WireText;

use crate::output::Wire;

/// The list of messages in a frame, of which a place is named.
const MESSAGES: &str = "MESSAGES[";

/// What stands for a place in the middle of a sentence.
const A_MESSAGE: &str = "a message";

/// A longer text is nothing that was written for programmers; it is not copied.
const LONGEST: usize = 64 * 1024;

/// A text of the server as people read it.
pub(crate) fn of_server(text: Wire) -> Wire {
    match plain(text.as_wire()) {
        Cow::Borrowed(_) => text,
        Cow::Owned(plain) => WireText::new(plain),
    }
}

/// `MESSAGES[0]: nobody is here: zoe (DE-2); not sent (IV-1)` as `nobody is here: zoe; not sent`.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.len() > LONGEST || !(text.contains(MESSAGES) || text.contains(')')) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for (place, part) in text.split("; ").enumerate() {
        if place > 0 {
            plain.push_str("; ");
        }
        push_part(&mut plain, without_clauses(part));
    }
    if plain == text { Cow::Borrowed(text) } else { Cow::Owned(plain) }
}

/// Leaves a place in the frame out at the beginning, and replaces it elsewhere.
fn push_part(plain: &mut String, part: &str) {
    let mut rest = part;
    if let Some(behind) = place(part).and_then(|behind| behind.strip_prefix(": ")) {
        rest = behind;
    }
    while let Some((before, found)) = rest.find(MESSAGES).and_then(|at| rest.split_at_checked(at)) {
        plain.push_str(before);
        if let Some(behind) = place(found) {
            plain.push_str(A_MESSAGE);
            rest = behind;
        } else {
            let (word, behind) = found.split_at_checked(MESSAGES.len()).unwrap_or((found, ""));
            plain.push_str(word);
            rest = behind;
        }
    }
    plain.push_str(rest);
}

/// What follows a place in a frame, such as `MESSAGES[0]` or `MESSAGES[0][3]`, if the text begins with one.
fn place(text: &str) -> Option<&str> {
    let behind = index(text.strip_prefix("MESSAGES")?)?;
    Some(index(behind).unwrap_or(behind))
}

/// What follows `[12]`.
fn index(text: &str) -> Option<&str> {
    let (number, behind) = text.strip_prefix('[')?.split_once(']')?;
    is_number(number).then_some(behind)
}

/// A sentence without the clauses at its end, such as ` (MO-3)` or ` (AN-1, AN-3)`.
fn without_clauses(part: &str) -> &str {
    let clauses = part.trim_end().strip_suffix(')').and_then(|part| part.rsplit_once(" ("));
    match clauses {
        Some((sentence, clauses)) if clauses.split(", ").all(is_clause) => sentence,
        _ => part,
    }
}

/// Whether a word is the id of a clause: two capitals, or one and a digit, and a number.
fn is_clause(word: &str) -> bool {
    let Some((topic, number)) = word.split_once('-') else { return false };
    let mut topic = topic.chars();
    let first = topic.next().is_some_and(|c| c.is_ascii_uppercase());
    let second = topic.next().is_some_and(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    first && second && topic.next().is_none() && is_number(number)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::Code;
    use chatterbox_proto::Fault;

    use super::*;

    #[test]
    fn clauses_and_places_are_left_out_and_everything_else_stays() {
        let table = [
            ("you are muted here (MO-3)", "you are muted here"),
            ("you are muted here (MO-3)\n", "you are muted here"),
            ("PASSWORD or TOKEN (AN-1, AN-3)", "PASSWORD or TOKEN"),
            ("MESSAGES[0]: nobody is here: zoe (DE-2)", "nobody is here: zoe"),
            ("MESSAGES[0][3]: not a text (T4-1)", "not a text"),
            ("MESSAGES[0]: a (DE-2); MESSAGES[17]: b (SR-1); and 3 more", "a; b; and 3 more"),
            ("the time of MESSAGES[2] is no integer (TS-1)", "the time of a message is no integer"),
            ("MESSAGES[2][1] is no text (T4-1)", "a message is no text"),
            // What only looks like it stays.
            ("come to (HS-2", "come to (HS-2"),
            ("call me (now)", "call me (now)"),
            ("a (MO-3) b", "a (MO-3) b"),
            ("a (MO-3, )", "a (MO-3, )"),
            ("a (MO-)", "a (MO-)"),
            ("a (mo-3)", "a (mo-3)"),
            ("a (MOT-3)", "a (MOT-3)"),
            ("a(MO-3)", "a(MO-3)"),
            ("MESSAGES has to be a list", "MESSAGES has to be a list"),
            ("MESSAGES[x]: MESSAGES[", "MESSAGES[x]: MESSAGES["),
            ("(MO-3)", "(MO-3)"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    /// Whatever faults the server of this project finds, nothing of it is for programmers only.
    #[test]
    fn the_faults_of_our_own_server_are_plain() {
        for code in [Code::Muted(None), Code::NoSuchUser, Code::SlowMode(3), Code::NotStored] {
            let fault = Fault::message(3, code).about("zoe").to_string();
            assert!(fault.contains('['), "{fault}");
            assert_eq!(plain(&fault), format!("{}: zoe", code.text()));
        }
    }
}
