//! Opens one connection to a subject.

use std::{
    io,
    net::{SocketAddr, TcpStream as StdTcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    refusal,
    tls::{self, TlsFacts},
};

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// The layer between TCP and the frames.
#[derive(Clone)]
pub enum Transport {
    /// Nothing.
    Plain,
    /// TLS for this server name.
    Tls(Arc<ClientConfig>, ServerName<'static>),
}

/// An open connection.
pub struct Link {
    /// The bytes.
    pub stream: Box<dyn Duplex>,
    /// The socket below, for closing it in all the ways there are.
    pub socket: StdTcpStream,
    /// The TLS parameters; `None` without TLS.
    pub tls: Option<TlsFacts>,
}

/// Why there is no connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DialError {
    /// TCP failed.
    #[error("no TCP connection: {0}")]
    Tcp(io::Error),
    /// TCP took too long.
    #[error("no TCP connection within {0:.1?}")]
    TcpSlow(Duration),
    /// The certificate was refused.
    #[error("{}", refusal::in_words(_0))]
    Certificate(rustls::Error),
    /// The TLS handshake failed for another reason.
    #[error("the TLS handshake failed: {}", refusal::handshake(_0))]
    Handshake(io::Error),
    /// The TLS handshake took too long.
    #[error("the server did not answer the TLS handshake within {0:.1?}")]
    HandshakeSlow(Duration),
}

/// Opens a connection; TCP and TLS have `patience` each.
///
/// # Errors
/// Says which layer failed.
pub async fn dial(
    address: SocketAddr,
    transport: &Transport,
    patience: Duration,
) -> Result<Link, DialError> {
    let tcp = timeout(patience, TcpStream::connect(address))
        .await
        .map_err(|_| DialError::TcpSlow(patience))?
        .map_err(DialError::Tcp)?;
    // A case decides what is one segment, not Nagle.
    tcp.set_nodelay(true).map_err(DialError::Tcp)?;
    let std = tcp.into_std().map_err(DialError::Tcp)?;
    let socket = std.try_clone().map_err(DialError::Tcp)?;
    let tcp = TcpStream::from_std(std).map_err(DialError::Tcp)?;
    let Transport::Tls(config, name) = transport else {
        return Ok(Link { stream: Box::new(tcp), socket, tls: None });
    };
    let handshake = TlsConnector::from(Arc::clone(config)).connect(name.clone(), tcp);
    let stream = timeout(patience, handshake)
        .await
        .map_err(|_| DialError::HandshakeSlow(patience))?
        .map_err(classify)?;
    let facts = tls::facts(stream.get_ref().1);
    Ok(Link { stream: Box::new(stream), socket, tls: Some(facts) })
}

fn classify(error: io::Error) -> DialError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(inner @ rustls::Error::InvalidCertificate(_)) => DialError::Certificate(inner.clone()),
        _ => DialError::Handshake(error),
    }
}
