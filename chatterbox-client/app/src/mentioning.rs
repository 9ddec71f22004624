//! Whom a text mentions that is going to be sent: `@name` where a word begins, of somebody who is there (MT-4).

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
}
