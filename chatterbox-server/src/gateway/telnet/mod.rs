//! The gateway for telnet, and for whoever sends lines.

pub mod decoder;

mod cross_protocol;
mod negotiation;
mod serving;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chatterbox_app::TimeFormatter;
use chatterbox_proto::Code;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::config::Config;
use crate::net::acceptor::Service;
use crate::net::connection;
use crate::net::connection_kind::ConnectionKind;
use crate::net::context::Context;
use crate::net::limits::{ConnectionLimits, LimitReached, Most, Permit};

/// Connections of one address by telnet. They count among all of that address as well.
const ADDRESS: usize = 50;

/// The frames of each direction are in memory up to so many bytes. Whoever does not read is behind by no more than that, and is a
/// slow consumer to the server, as everybody is who does not read.
const FRAMES: usize = 16 * 1024;

/// A connection that is turned away has this long to take the reason.
const TURNED_AWAY: Duration = Duration::from_secs(5);

/// A terminal that the server has left has this long to take what was said last. However slowly it takes, its place is free then.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Serves telnet.
#[derive(Debug)]
pub(crate) struct Telnet {
    context: Arc<Context>,
    /// Counts those who come by telnet.
    limits: Arc<ConnectionLimits>,
    /// Whoever connects to this machine's own address is asked for the time where they are: here.
    time: TimeFormatter,
}

impl Telnet {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            limits: Arc::default(),
            time: TimeFormatter::new(jiff::tz::TimeZone::system()),
        }
    }
}

impl Service for Telnet {
    fn admit(&self, peer: SocketAddr, config: &Config) -> Result<Permit, LimitReached> {
        let own = if config.no_limits { usize::MAX } else { ADDRESS };
        let all = Most { total: config.max_connections, address: config.max_per_address };
        let own = self.limits.acquire(peer.ip(), Most { total: usize::MAX, address: own })?;
        Ok(self.context.limits.acquire_as(ConnectionKind::Telnet, peer.ip(), all)?.with(own))
    }

    /// The server's end and the client's are one task: they do nothing but wait for each other.
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, permit: Permit) {
        let config = self.context.config.current();
        let (client, frames) = tokio::io::duplex(FRAMES);
        let server = connection::serve_frames(Box::new(frames), peer, &self.context, &config);
        let terminal = serving::serve_terminal(stream, client, peer, &config, self.time.clone());
        both(Box::pin(server), Box::pin(terminal)).await;
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

/// Drives the server's end and the terminal's. Without the terminal the server's end is over at once; the terminal alone has a moment.
async fn both(server: impl Future<Output = ()>, terminal: impl Future<Output = ()>) {
    let (mut server, mut terminal) = (pin!(server), pin!(terminal));
    tokio::select! {
        () = &mut terminal => server.await,
        () = &mut server => {
            // Who has not taken it by now is cut off.
            let _ = tokio::time::timeout(LAST_WORDS, terminal).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    /// Red when a banned user who takes a byte now and then keeps the place.
    #[tokio::test(start_paused = true)]
    async fn a_terminal_that_the_server_has_left_ends() {
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, both(ready(()), pending())).await.is_ok());
        // As long as the server's end goes on, so does the terminal, and the other way round.
        assert!(tokio::time::timeout(hour, both(pending(), pending())).await.is_err());
        assert!(tokio::time::timeout(hour, both(pending(), ready(()))).await.is_err());
    }
}
