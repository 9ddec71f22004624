//! Binding to every address that getaddrinfo returns (GA-1).

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Why the server can't listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The host name can't be resolved.
    #[error("can't find the host {host:?}: {}", of_getaddrinfo(source))]
    UnknownHost {
        /// The host as it was given.
        host: String,
        /// The error of the resolver.
        source: io::Error,
    },
    /// An address is in use.
    #[error("{0} is in use already")]
    InUse(SocketAddr),
    /// The process may not bind to an address.
    #[error("no permission to listen on {0}")]
    Forbidden(SocketAddr),
    /// Binding failed for another reason.
    #[error("can't listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
}

/// The accept queue of the kernel; a thousand clients may connect at once.
const BACKLOG: i32 = 4096;

/// With port 0 the kernel chooses a port for the first address. If another address can't have it, this many are tried.
const PORT_TRIES: usize = 10;

/// Listens on every address of `host`, all on the same port; 0 is any.
///
/// # Errors
/// [`ListenError`]. An address whose family this machine does not have is left out, as long as one remains.
pub async fn listen(host: &str, port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let unknown = |source| ListenError::UnknownHost { host: host.to_owned(), source };
    let mut addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((host, port)).await.map_err(unknown)?.collect();
    // A name may resolve to the same address twice.
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    if addresses.is_empty() {
        return Err(unknown(io::Error::new(io::ErrorKind::NotFound, "no address")));
    }
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_all(&addresses, port) {
            Err(ListenError::InUse(_)) if port == 0 && tries < PORT_TRIES => {}
            outcome => return outcome,
        }
    }
}

/// Takes over a socket that somebody else has opened.
///
/// # Errors
/// It does not listen, or the system can't wait for it.
pub fn adopt(socket: std::net::TcpListener) -> io::Result<TcpListener> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !socket2::SockRef::from(&socket).is_listener()? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it does not listen"));
    }
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

fn bind_all(addresses: &[SocketAddr], mut port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    let mut missing = None;
    for address in addresses {
        let mut address = *address;
        address.set_port(port);
        match bind(address) {
            Ok(listener) => {
                if port == 0 {
                    port = listener.local_addr().map_or(0, |address| address.port());
                }
                listeners.push(listener);
            }
            Err(source) if family_is_missing(&source) => {
                tracing::debug!(%address, "this machine has no such address");
                missing = Some(ListenError::Bind { address, source });
            }
            Err(source) => {
                return Err(match source.kind() {
                    io::ErrorKind::AddrInUse => ListenError::InUse(address),
                    io::ErrorKind::PermissionDenied => ListenError::Forbidden(address),
                    _ => ListenError::Bind { address, source },
                });
            }
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

fn family_is_missing(error: &io::Error) -> bool {
    use rustix::io::Errno;
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // `::` accepts both families; any other IPv6 address leaves IPv4 to a socket of its own.
        socket.set_only_v6(address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED))?;
    }
    // A restart must not wait for connections of the last run in TIME_WAIT (B10).
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// What getaddrinfo says, without the name that std gives it.
fn of_getaddrinfo(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn port_zero_is_one_port_for_all_addresses() {
        let listeners = listen("localhost", 0).await.unwrap();
        let ports: Vec<_> = listeners.iter().map(|l| l.local_addr().unwrap().port()).collect();
        assert!(ports[0] != 0 && ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    }

    #[tokio::test]
    async fn wildcards_work() {
        for host in ["0.0.0.0", "::"] {
            match listen(host, 0).await {
                Ok(listeners) => assert_eq!(listeners.len(), 1),
                Err(error) => eprintln!("SKIPPED: {host} on this machine: {error}"),
            }
        }
    }

    #[tokio::test]
    async fn a_socket_of_somebody_else_is_taken_over_if_it_listens() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let listener = adopt(socket).unwrap();
        let client = TcpStream::connect(address);
        let (client, accepted) = tokio::join!(client, listener.accept());
        client.unwrap();
        accepted.unwrap();
        // As a service manager passes one that it has accepted.
        let connected = std::net::TcpStream::connect(address).unwrap();
        let connected = std::net::TcpListener::from(std::os::fd::OwnedFd::from(connected));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        assert!(adopt(connected).is_err());
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        drop(connected);
    }

    #[tokio::test]
    async fn what_is_taken_or_unknown_is_said() {
        let first = listen("127.0.0.1", 0).await.unwrap();
        let address = first[0].local_addr().unwrap();
        assert!(matches!(
            listen("127.0.0.1", address.port()).await,
            Err(ListenError::InUse(taken)) if taken == address
        ));
        assert!(matches!(listen("no such host", 1).await, Err(ListenError::UnknownHost { .. })));
    }
}
