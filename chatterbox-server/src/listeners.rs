//! The sockets that a server listens on.

use tokio::net::TcpListener;

use crate::gateway::web::WebListeners;

/// The sockets that a server listens on, each kind for what is spoken there.
#[derive(Debug, Default)]
pub struct Listeners {
    /// The protocol itself: frames, in TLS or plain as the transport says.
    pub protocol: Vec<TcpListener>,
    /// Browsers.
    pub web: Option<WebListeners>,
    /// Telnet, and whoever sends lines.
    pub telnet: Vec<TcpListener>,
    /// Whoever asks whether the server takes users.
    pub health: Vec<TcpListener>,
    /// Whether other machines are told there what is measured.
    pub metrics_anywhere: bool,
}

impl From<Vec<TcpListener>> for Listeners {
    /// The protocol alone.
    fn from(protocol: Vec<TcpListener>) -> Self {
        Self { protocol, ..Self::default() }
    }
}
