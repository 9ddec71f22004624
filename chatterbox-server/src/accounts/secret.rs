//! A password between the wire and its hash: never shown, and zeroed when dropped.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// The longest password, in bytes: it bounds the cost of hashing.
pub const LONGEST: usize = 1024;

/// The shortest password, in characters.
pub const SHORTEST: usize = 8;

/// Why a text can't be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Too few characters.
    #[error("A password has at least {SHORTEST} characters.")]
    TooShort,
    /// No characters at all.
    #[error("A password has at least one character.")]
    Empty,
    /// Too many bytes.
    #[error("A password has at most {LONGEST} bytes.")]
    TooLong,
}

/// A password or another secret text.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret to be compared with one that was chosen earlier.
    ///
    /// It is normalised to form C, as names are, since keyboards encode one character in several ways. A text longer than any
    /// password is cut to a length that is still too long.
    pub fn given(text: &str) -> Self {
        if text.len() > LONGEST {
            let end = (LONGEST + 1..).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
            return Self(Zeroizing::new(text.get(..end).unwrap_or(text).to_owned()));
        }
        // Large enough at once: growing would leave copies in memory that are not zeroed.
        let mut normal = Zeroizing::new(String::with_capacity(text.len() * 3));
        normal.extend(text.nfc());
        Self(normal)
    }

    /// A secret to be chosen as a password.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn chosen(text: &str) -> Result<Self, SecretError> {
        let secret = Self::given(text);
        secret.is_choosable()?;
        Ok(secret)
    }

    /// Checks that it may be chosen as a password.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn is_choosable(&self) -> Result<(), SecretError> {
        if self.0.len() > LONGEST {
            return Err(SecretError::TooLong);
        }
        if self.0.chars().count() < SHORTEST {
            return Err(SecretError::TooShort);
        }
        Ok(())
    }

    /// Checks that it may be the password of a room. People give these to each other, so they may be short.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn is_for_a_room(&self) -> Result<(), SecretError> {
        if self.0.len() > LONGEST {
            return Err(SecretError::TooLong);
        }
        if self.0.is_empty() { Err(SecretError::Empty) } else { Ok(()) }
    }

    /// Its bytes, for hashing.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Compares two answers to the same prompt.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn b14_a_secret_is_not_shown() {
        let secret = Secret::chosen("correct horse").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn length_is_bounded_on_both_sides() {
        assert_eq!(Secret::chosen("1234567").unwrap_err(), SecretError::TooShort);
        assert_eq!(Secret::chosen(&"x".repeat(1025)).unwrap_err(), SecretError::TooLong);
        assert!(Secret::chosen(&"é".repeat(8)).is_ok());
        let room = |text: &str| Secret::given(text).is_for_a_room();
        assert_eq!((room("x"), room("")), (Ok(()), Err(SecretError::Empty)));
        assert_eq!(room(&"x".repeat(1025)), Err(SecretError::TooLong));
    }

    #[test]
    fn one_character_written_in_two_ways_is_one_password() {
        let (composed, decomposed) = ("p\u{e9}ss w\u{f6}rd", "pe\u{301}ss wo\u{308}rd");
        assert!(Secret::given(composed).is_same(&Secret::given(decomposed)));
    }

    proptest! {
        #[test]
        fn what_is_too_long_is_cut_and_stays_wrong(text in any::<String>()) {
            let long = text.repeat(300);
            let secret = Secret::given(&long);
            prop_assert!(secret.bytes().len() <= (LONGEST + 4) * 3);
            prop_assert!(long.len() <= LONGEST || Secret::chosen(&long).is_err());
        }
    }
}
