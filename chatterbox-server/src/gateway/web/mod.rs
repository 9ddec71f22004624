//! The gateway for browsers: the page, and frames as WebSocket messages.

#[cfg_attr(not(test), allow(dead_code, reason = "for the requests, which are to come"))]
mod forwarded;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use crate::config::Config;
use crate::net::acceptor::Service;
use crate::net::context::Context;
use crate::net::limits::{ConnectionLimits, LimitReached, Most, Permit};

/// The sockets for browsers.
#[derive(Debug)]
pub struct WebListeners {
    /// The sockets.
    pub listeners: Vec<TcpListener>,
    /// Whether browsers use HTTPS, with the certificate of the server.
    pub tls: bool,
}

/// HTTP connections that have not become a WebSocket.
const REQUESTING: Most = Most { total: 512, address: 32 };

/// Serves browsers.
#[derive(Debug)]
pub(crate) struct Web {
    context: Arc<Context>,
    /// Those that have not become a WebSocket.
    requesting: Arc<ConnectionLimits>,
    tls: bool,
}

impl Web {
    pub(crate) fn new(context: Arc<Context>, tls: bool) -> Self {
        Self { context, requesting: Arc::default(), tls }
    }
}

impl Service for Web {
    fn admit(&self, peer: SocketAddr, _config: &Config) -> Result<Permit, LimitReached> {
        self.requesting.acquire(peer.ip(), REQUESTING)
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, permit: Permit) {
        drop((stream, peer, permit, self.tls, &self.context));
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, _limit: LimitReached) {
        drop(stream);
    }
}
