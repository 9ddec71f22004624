//! The options of a load run, and the errors that prevent it.

use std::{path::PathBuf, time::Duration};

use conformance_kit::{net::tls::Trust, subject::place::Place};
use thiserror::Error;

use super::{descriptors::TooFew, pinning::Pinning, plan::Plan, subject::SubjectError};

/// The options of a load run.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The members and their workload.
    pub plan: Plan,
    /// The server.
    pub place: Place,
    /// The certificates that are trusted.
    pub trust: Trust,
    /// Speak without TLS.
    pub plaintext: bool,
    /// How long is measured.
    pub duration: Duration,
    /// How long before.
    pub warm_up: Duration,
    /// How long a workload without messages rests before memory is looked at.
    pub settle: Duration,
    /// How long idle members talk in between; zero is not at all.
    pub busy: Duration,
    /// How many source addresses; `None` finds a number.
    pub sources: Option<u32>,
    /// How many threads; `None` is one for each processor.
    pub threads: Option<usize>,
    /// The server's process.
    pub pid: Option<u32>,
    /// The program that serves the limits afterwards; `None` measures none.
    pub limit: Option<PathBuf>,
    /// Processors of their own for the tool and for the servers that it starts; `None` leaves that to
    /// the system.
    pub pinning: Option<Pinning>,
}

/// Why there was no run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It can't be done so.
    #[error("{0}")]
    Plan(String),
    /// There is no server.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// Too few open files.
    #[error(transparent)]
    Files(#[from] TooFew),
    /// The system does not give what is needed.
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}

impl LoadError {
    /// The exit code, as the suite's table has it.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(_) | Self::Subject(SubjectError::Sources(_) | SubjectError::Process(_)) => {
                64
            }
            Self::Subject(_) => 69,
            Self::Files(_) | Self::System(_) => 2,
        }
    }
}
