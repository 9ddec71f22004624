//! The ways to operate a client.

use super::person::SharedPerson;

/// How the client is operated.
#[derive(Clone)]
pub enum Means {
    /// In a pseudo-terminal.
    Terminal,
    /// With pipes.
    Pipe,
    /// By an adapter.
    Adapter,
    /// By a person.
    Person(SharedPerson),
}

impl Means {
    /// One word for reports.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Pipe => "pipe",
            Self::Adapter => "adapter",
            Self::Person(_) => "person",
        }
    }
}
