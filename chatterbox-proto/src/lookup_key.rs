//! The key that a user is looked up by: what a name on the wire has in common with the name of a user (NM-4).
//!
//! A name is judged when somebody claims it: reserved words, scripts and look-alikes cost hundreds of times its length. The
//! destination of a message need not be judged, since nobody is here under a name that is not valid. So it is only
//! folded, which costs about as much as reading it.

use crate::name::{Username, fold, longest};

/// What a text from the wire has in common with every name that is the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LookupKey(String);

impl LookupKey {
    /// The key of a text from the wire among names of at most `limit` characters; `None` for a text that can't be the
    /// same as one of these. Nothing longer than 48 bytes for each of these characters is looked at.
    pub fn of(wire: &str, limit: usize) -> Option<Self> {
        if wire.is_empty() || wire.len() > longest(limit) || wire.contains(char::is_whitespace) {
            return None;
        }
        Some(Self(fold(wire)))
    }
}

/// What a user can be looked up by.
pub trait NameKey {
    /// What names that are the same have in common (NM-4).
    fn name_key(&self) -> &str;
}

impl NameKey for LookupKey {
    fn name_key(&self) -> &str {
        &self.0
    }
}

impl NameKey for Username {
    fn name_key(&self) -> &str {
        self.key()
    }
}

impl From<&Username> for LookupKey {
    fn from(name: &Username) -> Self {
        Self(name.key().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::USERNAME_CHARS;

    fn key(text: &str) -> Option<String> {
        LookupKey::of(text, USERNAME_CHARS).map(|key| key.0)
    }

    #[test]
    fn every_spelling_of_a_name_has_its_key() {
        for (name, spellings) in [
            ("bob", &["bob", "BOB", "Bob"][..]),
            ("jörg", &["jo\u{308}rg", "JÖRG", "JO\u{308}RG"]),
            ("straße", &["STRASSE", "strasse", "STRA\u{1e9e}E"]),
        ] {
            let name = Username::parse(name).unwrap();
            for spelling in spellings {
                assert_eq!(key(spelling).as_deref(), Some(name.key()), "{spelling}");
            }
        }
        // The longest there is: each character is three when it is folded.
        let long = Username::parse(&"\u{390}".repeat(USERNAME_CHARS)).unwrap();
        let written_out = "\u{3b9}\u{308}\u{301}".repeat(USERNAME_CHARS);
        assert_eq!(key(&written_out).as_deref(), Some(long.key()));
    }

    #[test]
    fn what_can_be_no_name_has_none() {
        assert_eq!(key(""), None);
        assert_eq!(key("a b"), None);
        assert_eq!(key("a\u{2003}"), None);
        assert_eq!(key(&"x".repeat(48 * USERNAME_CHARS + 1)), None);
    }

    #[test]
    fn what_is_no_name_is_the_key_of_nobody() {
        // Not judged, and not found either: a user's name was judged when it was claimed.
        for text in
            ["ALL", "Server", "\u{ff21}\u{ff2c}\u{ff2c}", "p\u{430}ypal", "#a", "a\u{202e}b"]
        {
            assert!(Username::parse(text).is_err());
            assert!(key(text).is_some());
        }
    }

    proptest! {
        #[test]
        fn a_key_finds_just_the_names_that_are_the_same(name in "\\PC{1,8}", wire in "\\PC{1,8}") {
            let Ok(name) = Username::parse(&name) else { return Ok(()) };
            for wire in [wire.as_str(), name.as_str(), &name.as_str().to_uppercase()] {
                let found = key(wire).is_some_and(|key| key == name.key());
                prop_assert_eq!(found, name.is(wire));
            }
        }
    }
}
