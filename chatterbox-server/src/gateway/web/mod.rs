//! The gateway for browsers: the page, and frames as WebSocket messages.
//!
//! A connection begins with HTTP and counts apart from those of the chat. With its WebSocket it becomes one of the chat, at the address that it
//! really comes from.

mod assets;
mod close_code;
mod encoding;
mod forwarded;
mod frame_header;
mod handshake;
mod headers;
mod http;
mod idle_frames;
mod incoming;
mod origin;
mod outgoing;
mod requesting;
mod site;
mod socket;
mod utf8_check;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use crate::config::Config;
use crate::gateway::web::close_code as code;
use crate::gateway::web::http::Upgraded;
use crate::gateway::web::site::SiteState;
use crate::gateway::web::socket::Socket;
use crate::net::acceptor::Service;
use crate::net::connection;
use crate::net::connection_kind::ConnectionKind;
use crate::net::context::Context;
use crate::net::limits::{LimitReached, Most, Permit};
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

/// Serves browsers.
#[derive(Debug)]
pub(crate) struct Web {
    state: Arc<SiteState>,
}

impl Web {
    pub(crate) fn new(context: Arc<Context>, host: String, tls: bool) -> Self {
        Self { state: Arc::new(SiteState::new(context, host, tls)) }
    }

    /// Serves a WebSocket as a connection of the chat.
    async fn chat(&self, upgraded: Upgraded, requesting: Permit) {
        let Upgraded { stream, early, peer, config } = upgraded;
        let context = &self.state.context;
        let within = config.join_timeout;
        let held = LongFrame::new(Arc::clone(&context.long_frames), peer.ip(), within);
        let socket =
            Socket::new(stream, early, config.max_frame, held, within, context.closing.clone());
        let most = Most { total: config.max_connections, address: config.max_per_address };
        match context.limits.acquire_as(ConnectionKind::Web, peer.ip(), most) {
            Ok(permit) => {
                drop(requesting);
                connection::serve_frames(Box::new(socket), peer, context, &config).await;
                drop(permit);
            }
            Err(limit) => {
                context.turned_away(peer, limit);
                let socket = Box::new(socket.closed_with(code::TRY_AGAIN));
                Box::pin(connection::turn_away_frames(socket, limit.into(), context)).await;
                drop(requesting);
            }
        }
    }
}

impl Service for Web {
    fn admit(&self, peer: SocketAddr, config: &Config) -> Result<Permit, LimitReached> {
        let is_known = self.state.context.limits.has_joined(peer.ip());
        self.state.requesting.admit(peer.ip(), is_known, config)
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, permit: Permit) {
        // Boxed, so that the task of a WebSocket does not keep the memory of HTTP.
        if let Some(upgraded) = Box::pin(http::serve(&self.state, stream, peer)).await {
            self.chat(upgraded, permit).await;
        }
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, _limit: LimitReached) {
        Box::pin(http::turn_away(&self.state, stream)).await;
    }
}
