//! The gateway for telnet, and for whoever sends lines.

pub mod decoder;

mod cross_protocol;
mod negotiation;
mod serving;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chatterbox_app::TimeFormatter;
use chatterbox_proto::Code;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::config::Config;
use crate::net::acceptor::Service;
use crate::net::connection;
use crate::net::context::Context;
use crate::net::limits::{LimitReached, Most, Permit};

/// Connections of one address.
const ADDRESS: usize = 50;

/// The frames of each direction are in memory up to so many bytes. Whoever does not read is behind by no more than that, and is a
/// slow consumer to the server, as everybody is who does not read.
const FRAMES: usize = 16 * 1024;

/// A connection that is turned away has this long to take the reason.
const TURNED_AWAY: Duration = Duration::from_secs(5);

/// Serves telnet.
#[derive(Debug)]
pub(crate) struct Telnet {
    context: Arc<Context>,
    /// Whoever connects to this machine's own address is asked for the time where they are: here.
    time: TimeFormatter,
}

impl Telnet {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, time: TimeFormatter::new(jiff::tz::TimeZone::system()) }
    }
}

impl Service for Telnet {
    fn admit(&self, peer: SocketAddr, config: &Config) -> Result<Permit, LimitReached> {
        let address =
            if config.no_limits { usize::MAX } else { config.max_per_address.min(ADDRESS) };
        let most = Most { total: config.max_connections, address };
        self.context.limits.acquire(peer.ip(), most)
    }

    /// The server's end and the client's are one task: they do nothing but wait for each other.
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, permit: Permit) {
        let config = self.context.config.current();
        let (client, server) = tokio::io::duplex(FRAMES);
        let serving = connection::serve_frames(Box::new(server), peer, &self.context, &config);
        let talking = serving::talk(stream, client, peer, &config, self.time.clone());
        tokio::join!(Box::pin(serving), Box::pin(talking));
        drop(permit);
    }

    async fn turn_away(self: Arc<Self>, mut stream: TcpStream, limit: LimitReached) {
        let why = format!("! {}\r\n", Code::from(limit).text());
        let told = async {
            stream.write_all(why.as_bytes()).await?;
            serving::close(&mut stream).await
        };
        tokio::select! {
            // Whoever does not listen needs not be told.
            _ = tokio::time::timeout(TURNED_AWAY, told) => {}
            () = self.context.closing.cancelled() => {}
        }
    }
}
