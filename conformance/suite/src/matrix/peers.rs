//! Reads `peers.toml`, the list of servers and clients.

use conformance_kit::{
    authority::AuthorityError,
    net::target::{Target, TargetError},
    subject::place::Place,
};
use serde::Deserialize;
use thiserror::Error;

use crate::client::{Means, Profile, profile::ProfileError};

/// The contents of `peers.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peers {
    /// The servers.
    #[serde(rename = "server")]
    pub servers: Vec<ServerPeer>,
    /// The clients.
    #[serde(rename = "client")]
    pub clients: Vec<ClientPeer>,
}

/// One server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerPeer {
    /// Its name in the grid.
    pub name: String,
    /// `HOST:PORT`, when it runs already.
    pub target: Option<String>,
    /// The command that starts it, with `{host}`, `{port}`, `{cert}`, `{key}` and `{dir}`.
    pub command: Option<String>,
}

/// One client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientPeer {
    /// Its name in the grid.
    pub name: String,
    /// The words of its command, with `{host}`, `{port}`, `{ca}` and perhaps `{name}`.
    pub command: Vec<String>,
    /// `terminal`, `pipe` or `adapter`.
    #[serde(default)]
    pub means: MeansWord,
    /// How it wants to be operated.
    #[serde(default)]
    pub profile: Profile,
}

/// How a client is operated, in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeansWord {
    /// In a pseudo-terminal.
    #[default]
    Terminal,
    /// With pipes.
    Pipe,
    /// By an adapter.
    Adapter,
}

impl From<MeansWord> for Means {
    fn from(word: MeansWord) -> Self {
        match word {
            MeansWord::Terminal => Self::Terminal,
            MeansWord::Pipe => Self::Pipe,
            MeansWord::Adapter => Self::Adapter,
        }
    }
}

/// Why there is no grid.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MatrixError {
    /// The file is none.
    #[error("not a list of peers: {0}")]
    Toml(#[from] toml::de::Error),
    /// A server has no place, or two.
    #[error("server {0:?} needs either a command or a target")]
    Place(String),
    /// A target that is none.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A target that its clients can't reach.
    #[error(
        "server {0:?} needs a target HOST:PORT: clients of the matrix speak over TCP, not over a WebSocket"
    )]
    WebSocket(String),
    /// A profile that can't work.
    #[error("client {0:?}: {1}")]
    Profile(String, ProfileError),
    /// Two peers of one name can't be told apart in the grid.
    #[error("two {0} are called {1:?}")]
    Twice(&'static str, String),
    /// Nobody to compare.
    #[error("at least one server and one client are needed")]
    Empty,
    /// Certificates could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl Peers {
    /// Reads `peers.toml`.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn parse(text: &str) -> Result<Self, MatrixError> {
        let peers: Self = toml::from_str(text)?;
        if peers.servers.is_empty() || peers.clients.is_empty() {
            return Err(MatrixError::Empty);
        }
        let servers: Vec<&str> = peers.servers.iter().map(|server| server.name.as_str()).collect();
        let clients: Vec<&str> = peers.clients.iter().map(|client| client.name.as_str()).collect();
        for (kind, names) in [("servers", servers), ("clients", clients)] {
            let twice = names
                .iter()
                .enumerate()
                .find(|(n, name)| names.iter().take(*n).any(|other| other == *name));
            if let Some((_, name)) = twice {
                return Err(MatrixError::Twice(kind, (*name).to_owned()));
            }
        }
        for client in &peers.clients {
            let checked = client.profile.check();
            checked.map_err(|error| MatrixError::Profile(client.name.clone(), error))?;
        }
        for server in &peers.servers {
            server.place()?;
        }
        Ok(peers)
    }
}

impl ServerPeer {
    pub(super) fn place(&self) -> Result<Place, MatrixError> {
        match (&self.target, &self.command) {
            (Some(target), None) => match target.parse::<Target>()? {
                target if target.web.is_some() => Err(MatrixError::WebSocket(self.name.clone())),
                target => Ok(Place::Running(target)),
            },
            (None, Some(command)) => Ok(Place::Command(command.clone())),
            _ => Err(MatrixError::Place(self.name.clone())),
        }
    }
}
