//! Accepting connections within the limits.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::net::connection;
use crate::net::context::Context;
use crate::net::limits::{ConnectionLimits, Permit};

/// The pause after accept has failed, commonly because the process has no file descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// A socket is writable again when less than this is unsent, in bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 * 1024;

/// Accepts connections on one listener.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) listener: TcpListener,
    pub(crate) limits: Arc<ConnectionLimits>,
    pub(crate) context: Arc<Context>,
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
            match self.limits.acquire(peer.ip(), &self.context.config.current()) {
                Ok(permit) => self.spawn(stream, peer, permit),
                Err(limit) => {
                    // Logged at 1, 2, 4, 8 ...: a flood of connections must not flood the log.
                    refused += 1;
                    if refused.is_power_of_two() {
                        tracing::warn!(%peer, turned_away = refused, "turned away: {limit}");
                    }
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, permit: Permit) {
        if let Err(error) = tune(&stream) {
            tracing::debug!(%peer, %error, "socket options");
        }
        let context = Arc::clone(&self.context);
        self.tasks.spawn(async move {
            connection::serve(stream, peer, context).await;
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

fn tune(stream: &TcpStream) -> io::Result<()> {
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
    socket.set_tcp_keepalive(&keepalive)
}
