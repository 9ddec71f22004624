//! The server of a session.

use chatterbox_address::HostPort;

use super::security::Security;
use crate::exit::Failure;
use crate::net::{self, Connection, SshSession, Trust};

/// The address of a server, and the proof of identity that it has to give.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) trust: Trust,
    /// The session for which this program speaks, if it is not itself.
    pub(crate) ssh: Option<SshSession>,
}

impl Server {
    /// Host and port, as they are printed.
    pub(crate) fn name(&self) -> String {
        HostPort { host: self.host.clone(), port: Some(self.port) }.to_string()
    }

    /// How its connections are protected.
    pub(crate) fn security(&self) -> Security {
        match self.trust {
            Trust::Plaintext => Security::Plaintext,
            Trust::AnyCertificate => Security::Unverified,
            Trust::Authority(_) | Trust::System | Trust::Pinned(_) => Security::Tls,
        }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// A [`Failure`] that explains which step failed.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        net::connect(&self.host, self.port, &self.trust, self.ssh).await
    }
}
