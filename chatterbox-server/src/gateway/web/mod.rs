//! The gateway for browsers: the page, and frames as WebSocket messages.
//!
//! A connection begins with HTTP and counts apart from those of the chat. With its WebSocket it becomes one of the chat, at the address that it
//! really comes from.

mod assets;
mod close_code;
mod forwarded;
mod frame_header;
mod handshake;
mod headers;
mod http;
mod idle_frames;
mod incoming;
mod origin;
mod outgoing;
mod site;
mod socket;
mod utf8_check;

use std::net::SocketAddr;
use std::sync::Arc;

use chatterbox_proto::limits::JOINING_FRAME;
use tokio::net::{TcpListener, TcpStream};

use crate::config::Config;
use crate::gateway::web::close_code as code;
use crate::gateway::web::http::Opened;
use crate::gateway::web::site::House;
use crate::gateway::web::socket::Socket;
use crate::net::acceptor::Service;
use crate::net::connection;
use crate::net::context::Context;
use crate::net::limits::{ConnectionLimits, LimitReached, Most, Permit};
use crate::net::long_frame::LongFrame;

/// The sockets for browsers.
#[derive(Debug)]
pub struct WebListeners {
    /// The sockets.
    pub listeners: Vec<TcpListener>,
    /// The host that they were opened for.
    pub host: String,
    /// Whether browsers use HTTPS, with the certificate of the server.
    pub tls: bool,
}

/// HTTP connections that have not become a WebSocket.
const REQUESTING: Most = Most { total: 512, address: 64 };

/// Serves browsers.
#[derive(Debug)]
pub(crate) struct Web {
    house: Arc<House>,
    /// Those that have not become a WebSocket.
    requesting: Arc<ConnectionLimits>,
}

impl Web {
    pub(crate) fn new(context: Arc<Context>, host: String, tls: bool) -> Self {
        Self { house: Arc::new(House::new(context, host, tls)), requesting: Arc::default() }
    }

    /// Serves a WebSocket as a connection of the chat.
    async fn chat(&self, opened: Opened, requesting: Permit) {
        let Opened { stream, early, peer, config } = opened;
        let context = &self.house.context;
        let within = config.join_timeout;
        let held = LongFrame::new(Arc::clone(&context.long_frames), peer.ip(), within);
        // Before somebody has joined, a frame may be so long even where the settings allow less.
        let most = config.max_frame.max(JOINING_FRAME);
        let socket = Socket::new(stream, early, most, held, within, context.closing.clone());
        let most = Most { total: config.max_connections, address: config.max_per_address };
        match context.limits.acquire(peer.ip(), most) {
            Ok(permit) => {
                drop(requesting);
                connection::serve_frames(Box::new(socket), peer, context, &config).await;
                drop(permit);
            }
            Err(limit) => {
                tracing::debug!(%peer, "turned away: {limit}");
                context.chat.traffic().join_refused();
                let socket = Box::new(socket.closed_with(code::TRY_AGAIN));
                Box::pin(connection::turn_away_frames(socket, limit.into(), context)).await;
                drop(requesting);
            }
        }
    }
}

impl Service for Web {
    fn admit(&self, peer: SocketAddr, config: &Config) -> Result<Permit, LimitReached> {
        let is_proxy = config.trust_proxy.as_ref().is_some_and(|all| all.contains(peer.ip()));
        let most = match (config.no_limits, is_proxy) {
            (true, _) => Most { total: config.max_connections, address: usize::MAX },
            (_, true) => Most { address: REQUESTING.total, ..REQUESTING },
            _ => REQUESTING,
        };
        self.requesting.acquire(peer.ip(), most)
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, permit: Permit) {
        // Boxed, so that the task of a WebSocket does not keep the memory of HTTP.
        if let Some(opened) = Box::pin(http::serve(&self.house, stream, peer)).await {
            self.chat(opened, permit).await;
        }
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, _limit: LimitReached) {
        Box::pin(http::turn_away(&self.house, stream)).await;
    }
}
