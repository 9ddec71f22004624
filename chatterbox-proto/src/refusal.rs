//! Why a name is not accepted, with the texts for the user.
//!
//! A [`Refusal`] has a stable machine word; its text goes into `INFO`. Wording is for people and may change; words may not.

use std::fmt;
use std::sync::Arc;

use crate::name::NameError;

/// Why a name was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The text can't be a name.
    #[error("{0}")]
    Name(#[from] NameError),
    /// The name is in use (TK-1).
    #[error("This name is already in use.")]
    Taken,
    /// The name looks like one that is in use (NM-2).
    #[error("This name looks like one that is already in use.")]
    LooksTaken,
    /// The name is registered, and the user did not authenticate (AN-5).
    #[error("This name is registered; its owner joins with a password.")]
    Registered,
    /// The password is wrong, or there is no such account (AN-3).
    #[error("The name or the password is wrong.")]
    WrongPassword,
    /// The token is unknown, of another name, or expired (AN-3).
    #[error("This login has ended; log in with the password again.")]
    WrongToken,
    /// The rate limit of failed logins was exceeded (AN-6).
    #[error("Too many failed logins, try again later.")]
    Throttled,
    /// The rate limit of joins or of changes of name was exceeded.
    #[error("Too many joins or changes of name, try again later.")]
    TooOften,
    /// Only registered users may join here.
    #[error("Only registered users may join here.")]
    NoGuests,
    /// The name is reserved for the user who has just left (`--hold-name`).
    #[error("This name is kept for the user who has just left, try again later.")]
    Held,
    /// The user, or where they come from, is banned (MO-4).
    #[error("You are banned{0}")]
    Banned(Exclusion),
    /// The user was put out a moment ago (MO-2).
    #[error("You were put out{0}")]
    Kicked(Exclusion),
    /// As many devices of the user are here as there may be (DV-1).
    #[error("Too many of your devices are here already.")]
    TooManyDevices,
    /// The server can't decide now.
    #[error("The server is busy, try again later.")]
    Busy,
}

/// Why somebody is kept out, and for how long (NO-5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// The reason that was given; it may be empty.
    pub reason: Arc<str>,
    /// When it ends, in seconds since 1970 UTC; `None` is never.
    pub until: Option<i64>,
}

/// ` until 2026-11-29 18:05:00 UTC: the reason.`, whichever of it there is: the end of a sentence.
impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.and_then(|until| jiff::Timestamp::from_second(until).ok());
        if let Some(until) = until {
            write!(f, " until {} UTC", until.strftime("%Y-%m-%d %H:%M:%S"))?;
        }
        match &*self.reason {
            "" => f.write_str("."),
            reason => write!(f, ": {reason}"),
        }
    }
}

/// The machine words. The list of all of them follows from the same lines, and the compiler asks for one of each refusal.
macro_rules! words {
    ($($refusal:pat => $word:literal,)*) => {
        /// The machine words of all refusals, each once.
        pub const WORDS: &'static [&'static str] = &[$($word),*];

        /// The stable machine word.
        pub const fn word(&self) -> &'static str {
            match self { $($refusal => $word,)* }
        }
    };
}

impl Refusal {
    /// When what stands against it ends, in seconds since 1970 UTC, if that is known (NO-5).
    pub const fn until(&self) -> Option<i64> {
        match self {
            Self::Banned(exclusion) | Self::Kicked(exclusion) => exclusion.until,
            _ => None,
        }
    }

    words! {
        Self::Name(_) => "bad-name",
        Self::Taken => "taken",
        Self::LooksTaken => "looks-taken",
        Self::Registered => "registered",
        Self::WrongPassword => "wrong-password",
        Self::WrongToken => "wrong-token",
        Self::Throttled | Self::TooOften => "throttled",
        Self::NoGuests => "no-guests",
        Self::Held => "held",
        Self::Banned(_) => "banned",
        Self::Kicked(_) => "kicked",
        Self::TooManyDevices => "too-many",
        Self::Busy => "busy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_kept_out_reads_why_and_for_how_long() {
        let banned = |reason: &str, until| {
            Refusal::Banned(Exclusion { reason: reason.into(), until }).to_string()
        };
        assert_eq!(banned("", None), "You are banned.");
        assert_eq!(banned("spam", None), "You are banned: spam");
        assert_eq!(
            banned("spam", Some(1_700_000_600)),
            "You are banned until 2023-11-14 22:23:20 UTC: spam"
        );
        assert_eq!(banned("", Some(i64::MAX)), "You are banned.", "a time that nobody can write");
    }
}
