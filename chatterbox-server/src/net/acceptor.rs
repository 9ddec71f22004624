//! Accepting connections within the limits.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::net::connection;
use crate::net::connection_kind::ConnectionKind;
use crate::net::context::Context;
use crate::net::limits::{ConnectionLimits, LimitReached, Most, Permit};
use crate::net::proxied;
use crate::net::socket;

/// The pause after accept has failed, commonly because the process has no file descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Unacknowledged bytes, or a window that stays closed, end a connection after this time. Keepalive alone finds a vanished
/// peer only where nothing is sent to it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(90);

/// Connections that are being turned away at a time. Further ones are closed without being told why.
const TURNED_AWAY: Most = Most { total: 32, address: 4 };

/// A proxy has this long to name the address that it speaks for. A connection on which nothing has come by then counts as the
/// proxy's own: there are services that speak first.
const NAMING: Duration = Duration::from_secs(5);

/// Connections of proxies that have not named an address yet.
const AWAITING_HEADER: Most = Most { total: 1024, address: 1024 };

/// What is spoken on a listener.
pub(crate) trait Service: Send + Sync + 'static {
    /// Counts one more connection.
    ///
    /// # Errors
    /// [`LimitReached`]; nothing is counted then.
    fn admit(&self, peer: SocketAddr, config: &Config) -> Result<Permit, LimitReached>;

    /// Serves a connection to its end.
    fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        permit: Permit,
    ) -> impl Future<Output = ()> + Send;

    /// Tells a connection that there is no place for it.
    fn turn_away(
        self: Arc<Self>,
        stream: TcpStream,
        limit: LimitReached,
    ) -> impl Future<Output = ()> + Send;
}

/// The protocol itself.
#[derive(Debug)]
pub(crate) struct Protocol {
    pub(crate) context: Arc<Context>,
}

impl Service for Protocol {
    fn admit(&self, peer: SocketAddr, config: &Config) -> Result<Permit, LimitReached> {
        let most = Most { total: config.max_connections, address: config.max_per_address };
        self.context.limits.acquire_as(ConnectionKind::Protocol, peer.ip(), most)
    }

    fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        permit: Permit,
    ) -> impl Future<Output = ()> + Send {
        // An asynchronous function would keep all of this twice.
        connection::serve(stream, peer, Arc::clone(&self.context)).map(move |()| drop(permit))
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, limit: LimitReached) {
        connection::turn_away(stream, limit.into(), &self.context).await;
    }
}

/// What all listeners share.
#[derive(Debug, Clone)]
pub(crate) struct Acceptor {
    pub(crate) context: Arc<Context>,
    /// The tasks of the connections, which shutdown waits for.
    pub(crate) tasks: TaskTracker,
    /// Those that are being turned away.
    turned_away: Arc<ConnectionLimits>,
    /// Those of proxies that have not named an address yet.
    awaiting_header: Arc<ConnectionLimits>,
    /// How many connections of proxies were closed because their header is broken.
    malformed_headers: Arc<AtomicU64>,
}

impl Acceptor {
    pub(crate) fn new(context: Arc<Context>, tasks: TaskTracker) -> Self {
        let (turned_away, awaiting_header, malformed_headers) = Default::default();
        Self { context, tasks, turned_away, awaiting_header, malformed_headers }
    }

    /// Accepts on one listener, for ever. Each connection is a task from its first byte on, so no peer can hold up the next (AS-1,
    /// AS-2).
    pub(crate) async fn accept<S: Service>(self, listener: TcpListener, service: Arc<S>) {
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok((stream, peer)) => (stream, canonical(peer)),
                Err(error) => {
                    if !concerns_one_peer(&error) {
                        tracing::warn!(%error, "can't accept connections");
                        tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    }
                    continue;
                }
            };
            let config = self.context.config.current();
            if proxied::is_trusted(peer.ip(), &config) {
                self.ask_proxy(stream, peer, &service);
            } else {
                self.admit(stream, peer, &config, &service);
            }
        }
    }

    /// Learns from a proxy whom it speaks for, and goes on with that address.
    fn ask_proxy<S: Service>(&self, mut stream: TcpStream, proxy: SocketAddr, service: &Arc<S>) {
        let permit = match self.awaiting_header.acquire(proxy.ip(), AWAITING_HEADER) {
            Ok(permit) => permit,
            // Whom it speaks for is not known, so nor is what to tell them.
            Err(limit) => return self.context.turned_away(proxy, limit),
        };
        let (acceptor, service) = (self.clone(), Arc::clone(service));
        self.tasks.spawn(async move {
            let named = tokio::select! {
                named = proxied::real_peer(&mut stream, proxy, NAMING) => named,
                () = acceptor.context.closing.cancelled() => return,
            };
            drop(permit);
            match named {
                Ok(peer) => {
                    let config = acceptor.context.config.current();
                    acceptor.admit(stream, canonical(peer), &config, &service);
                }
                Err(error) => {
                    let count = acceptor.malformed_headers.fetch_add(1, Ordering::Relaxed) + 1;
                    if count.is_power_of_two() {
                        tracing::warn!(%proxy, closed = count, "a proxy names no address: {error}");
                    }
                }
            }
        });
    }

    /// Starts the task of a connection, if there is a place for it.
    fn admit<S: Service>(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        config: &Config,
        service: &Arc<S>,
    ) {
        match service.admit(peer, config) {
            Ok(permit) => {
                if let Err(error) = tune(&stream, config) {
                    tracing::debug!(%peer, %error, "socket options");
                }
                self.tasks.spawn(Arc::clone(service).serve(stream, peer, permit));
            }
            Err(limit) => {
                self.context.turned_away(peer, limit);
                let Ok(permit) = self.turned_away.acquire(peer.ip(), TURNED_AWAY) else { return };
                let told = Arc::clone(service).turn_away(stream, limit);
                self.tasks.spawn(async move {
                    told.await;
                    drop(permit);
                });
            }
        }
    }
}

/// The address as people write it: a socket for both versions gives one of version 4 as `::ffff:192.0.2.7`.
fn canonical(peer: SocketAddr) -> SocketAddr {
    match peer.ip().to_canonical() {
        address @ IpAddr::V4(_) => SocketAddr::new(address, peer.port()),
        // With its scope.
        IpAddr::V6(_) => peer,
    }
}

fn concerns_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

fn tune(stream: &TcpStream, config: &Config) -> io::Result<()> {
    // Every write is complete: Nagle's algorithm would only delay it.
    stream.set_nodelay(true)?;
    // Keepalive finds a vanished peer within two minutes.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    let socket = SockRef::from(stream);
    socket::set_unsent(stream, socket::UNSENT)?;
    // Who may be slow for longer than that by the settings may have a closed window for as long.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED.max(config.stall_timeout)))?;
    socket.set_tcp_keepalive(&keepalive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_version_4_is_written_as_one() {
        for (peer, text) in [
            ("[::ffff:192.0.2.7]:4711", "192.0.2.7:4711"),
            ("192.0.2.7:4711", "192.0.2.7:4711"),
            ("[fe80::7%3]:4711", "[fe80::7%3]:4711"),
        ] {
            assert_eq!(canonical(peer.parse().unwrap()).to_string(), text);
        }
    }
}
