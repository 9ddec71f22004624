//! Dialing: from a host's name to a TCP connection, over every address that getaddrinfo gives (GA-1).
//!
//! Happy eyeballs (RFC 8305): the addresses race, each starting 250 ms after the one before or when that one failed. An
//! address that swallows packets then costs a quarter of a second instead of minutes.
#![allow(clippy::disallowed_methods, reason = "this module does network I/O")]

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::keepalive;

/// The limit of one address.
pub const ADDRESS_TIME: Duration = Duration::from_secs(10);

/// The head start of each address.
const STEP: Duration = Duration::from_millis(250);

/// The reason why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// getaddrinfo found no address.
    #[error("the host {host:?} has no address")]
    UnknownHost {
        host: String,
        #[source]
        source: io::Error,
    },
    /// Every address failed.
    #[error("no connection to {host:?}, port {port}")]
    Unreachable {
        host: String,
        port: u16,
        /// Each address with its failure, in the order in which they were tried.
        failures: Vec<(SocketAddr, io::Error)>,
    },
}

/// Connects to the address of `host` that answers first.
///
/// # Errors
/// [`DialError`], with the failure of each address.
pub async fn dial(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let unknown = |source| DialError::UnknownHost { host: host.to_owned(), source };
    let addresses = interleaved(lookup_host((host, port)).await.map_err(unknown)?);
    let stream = race(&addresses).await.map_err(|failures| DialError::Unreachable {
        host: host.to_owned(),
        port,
        failures,
    })?;
    // Without these options a vanished server is noticed late; the connection works all the same.
    let _ = keepalive::watch(&stream);
    Ok(stream)
}

/// Alternates the address families, beginning with that of the first address, and drops duplicates.
fn interleaved(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut unique = Vec::new();
    for address in addresses {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    let first_is_v6 = unique.first().is_some_and(SocketAddr::is_ipv6);
    let (mut preferred, mut other): (Vec<_>, Vec<_>) =
        unique.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut turns = Vec::new();
    preferred.reverse();
    other.reverse();
    while !preferred.is_empty() || !other.is_empty() {
        turns.extend(preferred.pop());
        turns.extend(other.pop());
    }
    turns
}

async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, Vec<(SocketAddr, io::Error)>> {
    let mut running = JoinSet::new();
    let mut failures = Vec::new();
    let mut waiting = addresses.iter().copied().enumerate();
    let mut more = true;
    loop {
        if more {
            match waiting.next() {
                Some((place, address)) => {
                    running.spawn(async move { (place, address, attempt(address).await) });
                }
                None => more = false,
            }
        }
        let finished = if more {
            match timeout(STEP, running.join_next()).await {
                Ok(finished) => finished,
                Err(_) => continue,
            }
        } else {
            running.join_next().await
        };
        match finished {
            // The others are aborted when the set is dropped.
            Some(Ok((_, _, Ok(stream)))) => return Ok(stream),
            Some(Ok((place, address, Err(error)))) => failures.push((place, address, error)),
            Some(Err(_)) => {}
            None if more => {}
            None => break,
        }
    }
    failures.sort_by_key(|(place, ..)| *place);
    Err(failures.into_iter().map(|(_, address, error)| (address, error)).collect())
}

async fn attempt(address: SocketAddr) -> io::Result<TcpStream> {
    match timeout(ADDRESS_TIME, TcpStream::connect(address)).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer within {} seconds", ADDRESS_TIME.as_secs()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// The kernel keeps the promise; that it does so can only be seen with a link that is cut for two minutes.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_vanished_server_is_noticed_within_two_minutes_silent_or_busy() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = dial("127.0.0.1", listener.local_addr().unwrap().port()).await.unwrap();
        let socket = socket2::SockRef::from(&stream);
        let limit = Duration::from_secs(120);
        assert!(socket.keepalive().unwrap());
        let probes = socket.tcp_keepalive_retries().unwrap();
        let probing = socket.tcp_keepalive_interval().unwrap() * probes;
        assert!(socket.tcp_keepalive_time().unwrap() + probing < limit);
        assert!(socket.tcp_user_timeout().unwrap().unwrap() < limit);
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_nothing_comes_twice() {
        let given = addresses(&["[::1]:1", "[::2]:1", "[::1]:1", "1.0.0.1:1", "[::3]:1"]);
        assert_eq!(
            interleaved(given.into_iter()),
            addresses(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"])
        );
        let given = addresses(&["1.0.0.1:1", "[::1]:1"]);
        assert_eq!(interleaved(given.clone().into_iter()), given);
    }

    async fn closed_port() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    }

    #[tokio::test]
    async fn a_refusing_address_is_passed_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let stream = race(&[closed_port().await, open]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
    }

    #[tokio::test]
    async fn every_failure_is_kept_in_the_order_of_trying() {
        let closed = [closed_port().await, closed_port().await, closed_port().await];
        let failures = race(&closed).await.unwrap_err();
        let order: Vec<_> = failures.iter().map(|(address, _)| *address).collect();
        assert_eq!(order, closed);
        assert!(failures.iter().all(|(_, e)| e.kind() == io::ErrorKind::ConnectionRefused));
    }

    #[tokio::test]
    async fn a_name_without_address_is_told() {
        assert!(matches!(
            dial("nobody.invalid", 1).await,
            Err(DialError::UnknownHost { host, .. }) if host == "nobody.invalid"
        ));
    }
}
