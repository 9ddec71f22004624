//! Whom a text mentions that is going to be sent: `@name` where a word begins, of somebody who is there (MT-4).

use chatterbox_proto::capability::meta::NewMeta;
use chatterbox_proto::limits;

/// A word is tried without so many characters at its end, such as a full stop.
const TRIMMED: usize = 8;

/// The names of those whom a text mentions, each once. `is_there` gives the spelling of a name that somebody has who is there.
pub(crate) fn named(text: &str, is_there: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut before = None;
    for (place, c) in text.char_indices() {
        let begins = before.replace(c).is_none_or(begins_behind);
        if c != '@' || !begins {
            continue;
        }
        let rest = text.get(place + 1..).unwrap_or_default();
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        let Some(name) = tries(word).find_map(&is_there) else { continue };
        if !found.contains(&name) {
            found.push(name);
        }
        if found.len() == limits::MENTIONS {
            break;
        }
    }
    found
}

/// Puts names into what goes with a message. One with which that would be longer than the server takes is left out: it refuses the
/// whole frame for it, and every later one that the message is sent again in. What else goes with the message is there before.
pub(crate) fn mention(meta: &mut NewMeta, names: Vec<String>) {
    for name in names {
        meta.mentions.push(name);
        if length(meta) > limits::META {
            meta.mentions.pop();
        }
    }
}

/// How long the object is as it is written, without the encrypted text, which has a bound of its own (MT-2).
fn length(meta: &NewMeta) -> usize {
    let mut written = Vec::new();
    meta.push_json(&mut written);
    let mut sealed = Vec::new();
    if let Some(e2ee) = &meta.e2ee {
        e2ee.push_json(&mut sealed);
    }
    written.len().saturating_sub(sealed.len())
}

/// Whether a word may begin behind this character.
fn begins_behind(before: char) -> bool {
    before.is_whitespace() || matches!(before, '(' | '[' | '{' | '"' | '\'' | '*' | '_')
}

/// The word, and the same without the characters at its end that are no letter.
fn tries(word: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(word), |word| shorter(word))
        .take(TRIMMED)
        .filter(|word| !word.is_empty())
}

fn shorter(word: &str) -> Option<&str> {
    let last = word.chars().next_back().filter(|last| !last.is_alphanumeric())?;
    word.strip_suffix(last)
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::capability::meta::Sealed;

    use super::*;

    fn found(text: &str) -> Vec<String> {
        let there = ["Bob", "ann-", "\u{c9}ve", "c.d"];
        named(text, |name| {
            let is_it = |other: &&str| other.to_lowercase() == name.to_lowercase();
            there.into_iter().find(is_it).map(str::to_owned)
        })
    }

    #[test]
    fn who_is_there_is_found_where_a_word_begins() {
        for (text, expected) in [
            ("", vec![]),
            ("bob", vec![]),
            ("@bob", vec!["Bob"]),
            ("@bob, @BOB: and (@\u{e9}ve)!", vec!["Bob", "\u{c9}ve"]),
            ("look@bob a@b.c @nobody @ @@bob", vec![]),
            ("@ann-: @c.d... @c.d", vec!["ann-", "c.d"]),
            ("so @bob\nand", vec!["Bob"]),
            ("@bob............", vec![]),
            ("\"@bob\"", vec!["Bob"]),
        ] {
            assert_eq!(found(text), expected, "{text:?}");
        }
    }

    #[test]
    fn no_more_are_found_than_the_server_takes() {
        let text: String = (0..100).map(|number| format!("@u{number} ")).collect();
        assert_eq!(named(&text, |name| Some(name.to_owned())).len(), limits::MENTIONS);
    }

    #[test]
    fn names_that_are_too_long_when_they_are_written_are_left_out() {
        // As an escape a character has six bytes.
        let long = |number: u8| format!("{}{number}", "\u{e9}".repeat(50));
        let mut names: Vec<_> = (10..29).map(long).collect();
        names.push("bob".to_owned());
        let mut meta = NewMeta { reply: Some(limits::LARGEST_ID), ..NewMeta::default() };
        mention(&mut meta, names.clone());
        assert!(length(&meta) <= limits::META);
        let last = meta.mentions.len() - 1;
        assert_eq!(meta.mentions[..last], names[..last], "as many as fit, in their order");
        assert_eq!(meta.mentions.last(), names.last(), "a short one fits behind them");
        meta.mentions.push(long(99));
        assert!(length(&meta) > limits::META, "no other one does");
    }

    #[test]
    fn the_encrypted_text_takes_no_room_of_the_names() {
        let sealed = format!(r#"{{"FROM": "d", "TO": {{"e": [0, "{}"]}}}}"#, "A".repeat(5000));
        let e2ee = Sealed::parse(sealed.as_bytes());
        assert!(e2ee.is_some());
        let mut meta = NewMeta { e2ee, ..NewMeta::default() };
        mention(&mut meta, vec!["bob".to_owned()]);
        assert_eq!(meta.mentions, ["bob"]);
    }
}
