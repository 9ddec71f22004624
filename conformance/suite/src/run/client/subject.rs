//! The client to judge, and the errors that prevent a report.

use conformance_kit::authority::AuthorityError;
use thiserror::Error;

use crate::{
    client::{
        Means,
        profile::{Profile, ProfileError},
    },
    select::SelectError,
};

/// A client that is to be judged.
#[derive(Clone)]
pub struct Client {
    /// Its command line, with `{host}`, `{port}`, `{ca}` and perhaps `{name}`; may be empty when a
    /// person starts it.
    pub command: Vec<String>,
    /// How it is operated.
    pub means: Means,
    /// How to operate it.
    pub profile: Profile,
}

impl Client {
    pub(super) fn check(&self) -> Result<(), ClientError> {
        self.profile.check()?;
        match self.means {
            Means::Person(_) => return Ok(()),
            _ if self.command.is_empty() => return Err(ClientError::NoCommand),
            // An adapter is told.
            Means::Adapter => return Ok(()),
            Means::Terminal | Means::Pipe => {}
        }
        let holds = |place: &str| {
            self.command.iter().chain(self.profile.env.values()).any(|word| word.contains(place))
        };
        if holds("{port}") { Ok(()) } else { Err(ClientError::NoPlace("{port}")) }
    }

    pub(super) fn name(&self) -> String {
        if self.command.is_empty() { "a client".to_owned() } else { self.command.join(" ") }
    }
}

/// Why there is no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The selection is none.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The profile can't work.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// No command, and nobody who would start the client.
    #[error("which client? give its command after --")]
    NoCommand,
    /// The command line does not say where the server is.
    #[error("the command holds no {0}, so the client would not find the suite's server")]
    NoPlace(&'static str),
    /// Certificates could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The client can't be started.
    #[error("{0}")]
    Start(String),
}

impl ClientError {
    /// The exit code: 64 for a wrong command line, 69 when the client can't be started.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Select(_) | Self::Profile(_) | Self::NoCommand | Self::NoPlace(_) => 64,
            Self::Start(_) => 69,
            Self::Authority(_) => 70,
        }
    }

    /// A hint for the user.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCommand | Self::NoPlace(_) => Some(
                "for example: conformance client -- python3 client.py {host} -p {port} -ca {ca}",
            ),
            Self::Start(_) => Some("does the command work when you type it yourself?"),
            _ => None,
        }
    }
}
