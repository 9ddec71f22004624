//! The name of a file: it is shown to others, and made into a name on their disks (FI-7).

use std::sync::Arc;

use crate::limits;
use crate::text::ScreenText;

/// A name of a file without anything that acts on a screen or a path (FI-7).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName(Arc<str>);

/// Why a text is no name of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadFileName {
    /// There is nothing in it that can be seen.
    #[error("the name is empty")]
    Empty,
    /// It has more than [`limits::FILE_NAME`] bytes.
    #[error("the name is longer than 128 bytes")]
    TooLong,
    /// It begins with a dot, so that it would be hidden, or lead upwards.
    #[error("the name begins with a dot")]
    LeadingDot,
    /// It has a `/` or a `\`.
    #[error("the name has a separator of paths")]
    Separator,
    /// It has a character that a screen does not show as it is: a control character, one that hides, or one that changes the
    /// direction of text.
    #[error("the name has a character that can't be seen")]
    Hidden,
}

impl FileName {
    /// Checks a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadFileName> {
        if text.len() > limits::FILE_NAME {
            return Err(BadFileName::TooLong);
        }
        if text.chars().all(char::is_whitespace) {
            return Err(BadFileName::Empty);
        }
        if text.starts_with('.') {
            return Err(BadFileName::LeadingDot);
        }
        if text.contains(['/', '\\']) {
            return Err(BadFileName::Separator);
        }
        if ScreenText::new(text).as_str() != text {
            return Err(BadFileName::Hidden);
        }
        Ok(Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_neither_acts_nor_hides() {
        for name in ["notes.pdf", "a", "\u{dc}bung 3 (neu).txt", "x..y", "a.", "10:30 \u{1f44d}"] {
            assert_eq!(FileName::parse(name).unwrap().as_str(), name);
        }
        let long = "\u{e9}".repeat(limits::FILE_NAME / 2);
        assert!(FileName::parse(&long).is_ok());
        for (name, why) in [
            ("", BadFileName::Empty),
            (" \u{3000}", BadFileName::Empty),
            (&format!("{long}x"), BadFileName::TooLong),
            (".profile", BadFileName::LeadingDot),
            ("..", BadFileName::LeadingDot),
            ("../x", BadFileName::LeadingDot),
            ("a/b", BadFileName::Separator),
            ("a\\b", BadFileName::Separator),
            ("a\0b", BadFileName::Hidden),
            ("a\u{1b}[2Jb", BadFileName::Hidden),
            ("a\nb", BadFileName::Hidden),
            ("a\u{85}b", BadFileName::Hidden),
            ("cod\u{202e}fdp.exe", BadFileName::Hidden),
            ("a\u{2066}b", BadFileName::Hidden),
            ("a\u{200b}b", BadFileName::Hidden),
            ("a\u{2028}b", BadFileName::Hidden),
        ] {
            assert_eq!(FileName::parse(name), Err(why), "{name:?}");
        }
    }
}
