//! What the run tells its users, and what they tell the run.

use crate::evidence::Print;

/// What users are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Talk.
    Talk,
    /// Send nothing new, and wait until everything is answered.
    Settle,
    /// The first user says the last word.
    Mark,
    /// Wait until the message of this id, and this fingerprint, has come.
    End(u64, Print),
    /// Read the pages.
    Read,
}

/// What a user tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// Everything is answered.
    Flushed(usize),
    /// The last word is stored under this id.
    Marked(u64, Print),
    /// The last word has come.
    Settled(usize),
}
