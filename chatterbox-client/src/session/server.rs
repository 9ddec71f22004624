//! The server that a session talks to.

use crate::exit::Failure;
use crate::net::connection::Connection;
use crate::net::{self, trust::Trust};

/// Where the server is, and how it is told from another.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) trust: Trust,
}

impl Server {
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        net::connect(&self.host, self.port, &self.trust).await
    }
}
