//! The gateway for telnet, and for whoever sends lines.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::config::Config;
use crate::net::acceptor::Service;
use crate::net::context::Context;
use crate::net::limits::{LimitReached, Most, Permit};

/// Connections of one address.
const ADDRESS: usize = 50;

/// Serves telnet.
#[derive(Debug)]
pub(crate) struct Telnet {
    context: Arc<Context>,
}

impl Telnet {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }
}

impl Service for Telnet {
    fn admit(&self, peer: SocketAddr, config: &Config) -> Result<Permit, LimitReached> {
        let address = config.max_per_address.min(ADDRESS);
        let most = Most { total: config.max_connections, address };
        self.context.limits.acquire(peer.ip(), most)
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, permit: Permit) {
        drop((stream, peer, permit));
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, _limit: LimitReached) {
        drop(stream);
    }
}
