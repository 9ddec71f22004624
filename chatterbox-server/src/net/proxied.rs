//! The real address of a connection that comes through a proxy: the PROXY protocol, version 2.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;

use crate::config::Config;

/// Whether this address may say whom it speaks for.
pub(super) fn is_trusted(_peer: IpAddr, _config: &Config) -> bool {
    false
}

/// The address that the proxy names; its own where it speaks for itself, or says nothing of it.
///
/// # Errors
/// The header is broken, or the connection ends within it.
pub(super) async fn real_peer(_stream: &mut TcpStream, peer: SocketAddr) -> io::Result<SocketAddr> {
    Ok(peer)
}
