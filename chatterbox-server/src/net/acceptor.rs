//! Accepting connections within the limits.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::net::connection;
use crate::net::context::Context;
use crate::net::limits::{ConnectionLimits, LimitReached, Most, Permit};

/// The pause after accept has failed, commonly because the process has no file descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// A socket is writable again when less than this is unsent, in bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 * 1024;

/// Unacknowledged bytes, or a window that stays closed, end a connection after this time. Keepalive alone finds a vanished
/// peer only where nothing is sent to it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(90);

/// Connections that are being turned away at a time. Further ones are closed without being told why.
const TURNED_AWAY: Most = Most { total: 32, address: 4 };

/// Accepts connections on one listener.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) listener: TcpListener,
    pub(crate) context: Arc<Context>,
    /// Those that are being turned away.
    pub(crate) turned_away: Arc<ConnectionLimits>,
    /// The tasks of the connections, which shutdown waits for.
    pub(crate) tasks: TaskTracker,
}

impl Acceptor {
    /// Accepts for ever. Each connection is a task from its first byte on, so no peer can hold up the next (AS-1, AS-2).
    pub(crate) async fn run(self) {
        let mut refused = 0_u64;
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    if !concerns_one_peer(&error) {
                        tracing::warn!(%error, "can't accept connections");
                        tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    }
                    continue;
                }
            };
            let config = self.context.config.current();
            let most = Most { total: config.max_connections, address: config.max_per_address };
            match self.context.limits.acquire(peer.ip(), most) {
                Ok(permit) => self.spawn(stream, peer, permit, &config),
                Err(limit) => {
                    // Logged at 1, 2, 4, 8 ...: a flood of connections must not flood the log.
                    refused += 1;
                    self.context.chat.traffic().join_refused();
                    if refused.is_power_of_two() {
                        tracing::warn!(%peer, turned_away = refused, "turned away: {limit}");
                    }
                    self.turn_away(stream, peer, limit);
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, permit: Permit, config: &Config) {
        if let Err(error) = tune(&stream, config) {
            tracing::debug!(%peer, %error, "socket options");
        }
        let context = Arc::clone(&self.context);
        self.tasks.spawn(async move {
            connection::serve(stream, peer, context).await;
            drop(permit);
        });
    }

    /// Tells the peer why it is turned away.
    fn turn_away(&self, stream: TcpStream, peer: SocketAddr, limit: LimitReached) {
        let Ok(permit) = self.turned_away.acquire(peer.ip(), TURNED_AWAY) else { return };
        let context = Arc::clone(&self.context);
        self.tasks.spawn(async move {
            connection::turn_away(stream, limit.into(), &context).await;
            drop(permit);
        });
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
    // With a low mark for unsent bytes the kernel buffers less for slow readers, and their progress is seen in small steps.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_notsent_lowat(UNSENT)?;
    // Who may be slow for longer than that by the settings may have a closed window for as long.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED.max(config.stall_timeout)))?;
    socket.set_tcp_keepalive(&keepalive)
}
