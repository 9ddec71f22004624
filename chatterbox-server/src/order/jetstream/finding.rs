//! What `cluster check` has found out.

/// What was found out about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub about: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found, or what to do.
    pub told: String,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Good enough, and could be better.
    Advice,
    /// It can't be seen.
    Unreachable,
    /// No node would start with it.
    Fault,
}
