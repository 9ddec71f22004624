//! The limits: who may come in, how many at a time, and from where.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatterbox_hub::guard::network;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::net::connection::{self, Context};

/// When the machine has no more sockets, this long is waited before the next try.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// A socket counts as writable when less than this is unsent.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 * 1024;

/// Counts connections, in all and by address.
///
/// One address is one IPv4 address or one IPv6 /64 network, which is what one household or machine commonly gets.
#[derive(Debug, Default)]
pub struct ConnectionLimits {
    inside: Mutex<HashMap<IpAddr, usize>>,
    total: AtomicUsize,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    /// There are too many connections.
    #[error("too many connections")]
    Total,
    /// There are too many from there.
    #[error("too many connections from this address")]
    Address,
}

/// The permit of one connection; dropping it is going out.
#[derive(Debug)]
pub struct Permit {
    limits: Arc<ConnectionLimits>,
    address: IpAddr,
}

impl ConnectionLimits {
    /// Lets somebody in.
    ///
    /// # Errors
    /// [`LimitReached`].
    pub fn enter(self: &Arc<Self>, peer: IpAddr, config: &Config) -> Result<Permit, LimitReached> {
        let address = network(peer);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if self.total.load(Ordering::Relaxed) >= config.max_connections {
            return Err(LimitReached::Total);
        }
        let count = inside.entry(address).or_default();
        if *count >= config.max_per_address {
            return Err(LimitReached::Address);
        }
        *count += 1;
        self.total.fetch_add(1, Ordering::Relaxed);
        Ok(Permit { limits: Arc::clone(self), address })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut inside = self.limits.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.address);
            }
        }
        self.limits.total.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts on one listener.
#[derive(Debug)]
pub struct Acceptor {
    /// Where.
    pub listener: TcpListener,
    /// How many.
    pub limits: Arc<ConnectionLimits>,
    /// What connections need.
    pub context: Arc<Context>,
    /// Who waits for them at the end.
    pub tasks: TaskTracker,
}

impl Acceptor {
    /// Accepts for ever. Nothing that one peer does or leaves undone holds up the next (AS-1, AS-2).
    pub async fn run(self) {
        let mut turned_away = 0_u64;
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
            match self.limits.enter(peer.ip(), &self.context.config.current()) {
                Ok(permit) => self.admit(stream, peer, permit),
                Err(full) => {
                    // At 1, 2, 4, 8 ...: a flood is not to flood the log.
                    turned_away += 1;
                    if turned_away.is_power_of_two() {
                        tracing::warn!(%peer, turned_away, "turned away: {full}");
                    }
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, permit: Permit) {
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
    // What is written is complete: there is nothing to wait for.
    stream.set_nodelay(true)?;
    // Peers that vanish without a word are noticed within two minutes.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    let socket = SockRef::from(stream);
    // A socket can be written to again as soon as little is left unsent: slow readers are seen moving in small steps, and
    // the system keeps less for them.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_notsent_lowat(UNSENT)?;
    socket.set_tcp_keepalive(&keepalive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_network_and_given_back() {
        let limits = Arc::new(ConnectionLimits::default());
        let config = Config { max_connections: 3, max_per_address: 2, ..Config::default() };
        let enter = |peer| limits.enter(peer, &config);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = enter(ip("2001:db8::1")).unwrap();
        let _second = enter(ip("2001:db8::2:1")).unwrap();
        assert_eq!(enter(ip("2001:db8::3")).unwrap_err(), LimitReached::Address);
        let _other = enter(ip("2001:db8:0:1::1")).unwrap();
        assert_eq!(enter(ip("192.0.2.1")).unwrap_err(), LimitReached::Total);
        drop(first);
        let _again = enter(ip("2001:db8::3")).unwrap();
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }
}
