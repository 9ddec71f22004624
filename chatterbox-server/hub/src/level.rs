//! What somebody may do, as one number.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, Digester};

/// A rank from 0, a guest, to 5, an admin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// Somebody without an account.
    pub const GUEST: Self = Self(0);
    /// Somebody who is registered and logged in.
    pub const USER: Self = Self(1);
    /// Sees what is said whoever blocks them.
    pub const HELPER: Self = Self(2);
    /// Keeps order.
    pub const MODERATOR: Self = Self(3);
    /// Keeps rooms.
    pub const OPERATOR: Self = Self(4);
    /// May do everything.
    pub const ADMIN: Self = Self(5);

    /// All of them, the lowest first.
    pub const ALL: [Self; 6] =
        [Self::GUEST, Self::USER, Self::HELPER, Self::MODERATOR, Self::OPERATOR, Self::ADMIN];

    /// The level of this number, if there is one.
    pub fn new(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|level| i64::from(level.0) == number)
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "guest",
            1 => "user",
            2 => "helper",
            3 => "moderator",
            4 => "operator",
            _ => "admin",
        }
    }

    /// Reads a number or a name.
    pub fn parse(text: &str) -> Option<Self> {
        let named = |level: &Self| level.name().eq_ignore_ascii_case(text);
        text.parse().ok().and_then(Self::new).or_else(|| Self::ALL.into_iter().find(named))
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.number().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(from)?;
        Self::new(i64::from(number)).ok_or_else(|| D::Error::custom("a level that is none"))
    }
}

impl Digest for Level {
    fn digest(&self, to: &mut Digester) {
        to.add(&self.number());
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_read() {
        for level in Level::ALL {
            assert_eq!(Level::parse(level.name()), Some(level));
            assert_eq!(Level::parse(&level.number().to_string()), Some(level));
        }
        for text in ["6", "-1", "", "root", "256", "0x1"] {
            assert_eq!(Level::parse(text), None, "{text}");
        }
        assert_eq!(Level::parse("Moderator"), Some(Level::MODERATOR));
    }
}
