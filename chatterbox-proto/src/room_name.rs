//! Names of rooms: `#` and what could stand in the name of a user (RM-1).
//!
//! No user's name begins with `#`, so a destination on the wire is either or neither.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::char::is_combining_mark;
use unicode_security::MixedScript;

use crate::limits;
use crate::lookup_key::NameKey;
use crate::name::record::{PlainName, PlainNameRef};
use crate::name::{NameError, Username, normal};

/// Begins the name of every room.
pub const SIGN: char = '#';

/// A valid name of a room, its `#` included, in normalisation form C; equal when the names are the same (RM-1).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RoomName(Username);

impl RoomName {
    /// Takes a name from the wire: `#` and 1 to [`limits::ROOM_NAME_CHARS`] characters.
    ///
    /// # Errors
    /// [`NameError`], with the text that the user is told.
    pub fn parse(wire: &str) -> Result<Self, NameError> {
        let rest = wire.strip_prefix(SIGN).ok_or(NameError::NoRoom)?;
        let rest = normal(rest, limits::ROOM_NAME_CHARS)?;
        if rest.starts_with(|first| first == SIGN || is_combining_mark(first)) {
            return Err(NameError::NoRoom);
        }
        if !rest.is_ascii() && !rest.as_str().is_single_script() {
            return Err(NameError::MixedScripts);
        }
        Ok(Self::stored(&format!("{SIGN}{rest}")))
    }

    /// A name from a store, which was accepted when it was stored: folded like any other, but not judged again.
    pub fn stored(text: &str) -> Self {
        Self(Username::stored(text))
    }

    /// The name without what it looks like, as it stands in messages that nodes tell each other.
    pub const fn plain(&self) -> PlainNameRef<'_> {
        PlainNameRef(&self.0)
    }

    /// A name that was written so.
    pub fn of_plain(PlainName(name): PlainName) -> Self {
        Self(name)
    }

    /// The name as it is shown and sent.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What names that are the same have in common, for looking them up elsewhere.
    pub fn key(&self) -> &str {
        self.0.key()
    }

    /// What names that look the same have in common (UTS 39). It is costly once, so whoever is about to lock something asks
    /// before that.
    pub fn looks(&self) -> [&str; 3] {
        self.0.looks()
    }

    /// Whether look-alikes of this name are a danger: ASCII names are never refused for how they look.
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }

    /// Whether a text on the wire is meant as the name of a room.
    pub fn is_meant(wire: &str) -> bool {
        wire.starts_with(SIGN)
    }
}

impl NameKey for RoomName {
    fn name_key(&self) -> &str {
        self.key()
    }
}

/// Nothing in a valid name acts on a screen, so it may be shown as it is.
impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomName({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rooms_are_named_like_users_behind_their_sign() {
        for text in
            ["#lab", "#x", "#L\u{e4}b", "#\u{4e16}\u{754c}", "#ALL", "#a@b", "#/x", "#SERVER"]
        {
            assert_eq!(RoomName::parse(text).unwrap().as_str(), text);
        }
        let most = format!("#{}", "x".repeat(limits::ROOM_NAME_CHARS));
        assert!(RoomName::parse(&most).is_ok());
        let limit = limits::ROOM_NAME_CHARS;
        assert_eq!(RoomName::parse(&format!("{most}x")), Err(NameError::TooLong { limit }));
    }

    #[test]
    fn what_deceives_or_breaks_is_refused() {
        for (text, error) in [
            ("lab", NameError::NoRoom),
            ("", NameError::NoRoom),
            ("#", NameError::Empty),
            ("##", NameError::NoRoom),
            ("##a", NameError::NoRoom),
            ("#\u{301}a", NameError::NoRoom),
            (" #a", NameError::NoRoom),
            ("#a b", NameError::WhiteSpace),
            ("#a\u{1b}[2J", NameError::Unprintable),
            ("#a\u{202e}b", NameError::Unprintable),
            ("#p\u{430}ypal", NameError::MixedScripts),
        ] {
            assert_eq!(RoomName::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn names_are_matched_without_case_and_as_a_whole() {
        let name = |text| RoomName::parse(text).unwrap();
        assert_eq!(name("#LAB"), name("#lab"));
        assert_eq!(name("#La\u{308}b"), name("#l\u{c4}B"));
        assert_ne!(name("#lab"), name("#labs"));
        assert_eq!(name("#Lab").as_str(), "#Lab");
    }

    proptest! {
        #[test]
        fn no_text_is_the_name_of_a_room_and_of_a_user(text in any::<String>()) {
            prop_assert!(RoomName::parse(&text).is_err() || Username::parse(&text).is_err());
        }
    }
}
