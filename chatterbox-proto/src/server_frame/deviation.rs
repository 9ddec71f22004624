//! Deviations of real servers from the protocol, which the client tolerates and reports.

use std::fmt;

use crate::capability::Capability;
use crate::clause::{self, Clause};
use crate::code::Code;
use crate::text::WireText;

/// A violation of the protocol by a server, which the reader tolerated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deviation {
    /// `USERNAME_ACCEPTED` was the text of a boolean.
    BooleanAsString,
    /// A key has a value of a type that can't be understood; it was ignored.
    WrongType(&'static str, Clause),
    /// A list of names was one bare string.
    NamesAsString(&'static str, Clause),
    /// An element of `USER_LIST` was an object.
    UserAsObject,
    /// A message was not a 4-tuple of the right types; it was ignored.
    NotAMessage(usize),
    /// A time was not an integer.
    TimeNotInteger(usize),
    /// The frame was a bare string, which was taken for an ERROR.
    BareError,
    /// A key of no negotiated capability.
    UnknownKey(WireText<'static>),
    /// The value of a key of a capability can't be understood; it was ignored.
    WrongValue(&'static str, Capability),
    /// The welcome had no such list.
    WelcomeWithout(&'static str, Clause),
    /// A user left who was not present.
    LeftUnknown(WireText<'static>),
    /// The frame could not be read at all.
    Unreadable(Code),
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BooleanAsString => {
                write!(f, "USERNAME_ACCEPTED is text, not a boolean ({})", clause::AC_1)
            }
            Self::WrongType(key, clause) => write!(f, "{key} has the wrong type ({clause})"),
            Self::NamesAsString(key, clause) => {
                write!(f, "{key} is one string, not a list ({clause})")
            }
            Self::UserAsObject => write!(f, "USER_LIST holds objects ({})", clause::UL_1),
            Self::NotAMessage(index) => {
                write!(f, "MESSAGES[{index}] is not a message ({})", clause::T4_1)
            }
            Self::TimeNotInteger(index) => {
                write!(f, "the time of MESSAGES[{index}] is not an integer ({})", clause::TS_1)
            }
            Self::BareError => write!(f, "ERROR came as a bare string ({})", clause::IV_1),
            Self::UnknownKey(key) => {
                write!(f, "unknown key {} ({})", key.screen(), clause::BN_1)
            }
            Self::WrongValue(key, capability) => {
                write!(f, "the value of {key} is not as {} has it", capability.word())
            }
            Self::WelcomeWithout(key, clause) => write!(f, "the welcome has no {key} ({clause})"),
            Self::LeftUnknown(name) => {
                write!(f, "{} left without having been there ({})", name.screen(), clause::UX_2)
            }
            Self::Unreadable(code) => write!(f, "{} ({})", code.text(), code.clause()),
        }
    }
}

/// The most deviations that are kept of one frame: a hostile server could cause millions.
pub(super) const DEVIATIONS_KEPT: usize = 16;

/// The deviations of one frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deviations(Vec<Deviation>);

impl Deviations {
    /// Adds one, unless the list is full or the last one is the same.
    pub fn note(&mut self, deviation: Deviation) {
        if self.0.len() < DEVIATIONS_KEPT && self.0.last() != Some(&deviation) {
            self.0.push(deviation);
        }
    }

    /// The deviations that were kept, in the order of the frame.
    pub fn into_vec(self) -> Vec<Deviation> {
        self.0
    }
}

impl From<Deviation> for Deviations {
    fn from(deviation: Deviation) -> Self {
        Self(vec![deviation])
    }
}
