//! The server of a session.

use crate::exit::Failure;
use crate::net::{self, Connection, Trust};

/// The address of a server, and the proof of identity that it has to give.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) trust: Trust,
}

impl Server {
    /// Opens a connection.
    ///
    /// # Errors
    /// A [`Failure`] that explains which step failed.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        net::connect(&self.host, self.port, &self.trust).await
    }
}
