//! Opens one connection to a subject.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream as StdTcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    refusal,
    remarks::Remarks,
    tls::{self, TlsFacts},
    websocket::{self, Endpoint, UpgradeError, WebSocket},
};

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// The layers between TCP and the frames; by default there are none.
#[derive(Clone, Default)]
pub struct Transport {
    /// TLS for this server name.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// A WebSocket above TCP or TLS.
    pub websocket: Option<Arc<Endpoint>>,
}

impl Transport {
    /// Nothing.
    pub const PLAIN: Self = Self { tls: None, websocket: None };

    /// TLS for this server name, and nothing above it.
    #[must_use]
    pub fn tls(config: Arc<ClientConfig>, name: ServerName<'static>) -> Self {
        Self { tls: Some((config, name)), websocket: None }
    }

    /// The same without TLS.
    #[must_use]
    pub fn without_tls(&self) -> Self {
        Self { tls: None, websocket: self.websocket.clone() }
    }

    /// What it is for a transcript, such as `TLSv1.3, WebSocket`.
    #[must_use]
    pub fn describe(&self, tls: Option<&TlsFacts>) -> String {
        let tls = tls.map_or("no TLS", |facts| facts.version.as_str());
        if self.websocket.is_some() { format!("{tls}, WebSocket") } else { tls.to_owned() }
    }
}

/// An open connection.
pub struct Link {
    /// The bytes.
    pub stream: Box<dyn Duplex>,
    /// The socket below, for closing it in all the ways there are.
    pub socket: StdTcpStream,
    /// The TLS parameters; `None` without TLS.
    pub tls: Option<TlsFacts>,
    /// What the layers below the frames have to tell.
    pub remarks: Remarks,
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
    /// There is no WebSocket.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// The handshake of the WebSocket took too long.
    #[error("the server did not answer the request for a WebSocket within {0:.1?}")]
    UpgradeSlow(Duration),
}

/// Opens a connection; each layer has `patience`.
///
/// # Errors
/// Says which layer failed.
pub async fn dial(
    address: SocketAddr,
    transport: &Transport,
    patience: Duration,
) -> Result<Link, DialError> {
    dial_from(None, address, transport, patience).await
}

/// The same from an address of this machine; from any where it is nothing.
///
/// # Errors
/// Says which layer failed.
pub async fn dial_from(
    source: Option<IpAddr>,
    address: SocketAddr,
    transport: &Transport,
    patience: Duration,
) -> Result<Link, DialError> {
    let tcp = timeout(patience, connect_from(source, address))
        .await
        .map_err(|_| DialError::TcpSlow(patience))?
        .map_err(DialError::Tcp)?;
    // A case decides what is one segment, not Nagle.
    tcp.set_nodelay(true).map_err(DialError::Tcp)?;
    let std = tcp.into_std().map_err(DialError::Tcp)?;
    let socket = std.try_clone().map_err(DialError::Tcp)?;
    let tcp = TcpStream::from_std(std).map_err(DialError::Tcp)?;
    let (mut stream, facts): (Box<dyn Duplex>, _) = match &transport.tls {
        None => (Box::new(tcp), None),
        Some((config, name)) => {
            let handshake = TlsConnector::from(Arc::clone(config)).connect(name.clone(), tcp);
            let stream = timeout(patience, handshake)
                .await
                .map_err(|_| DialError::HandshakeSlow(patience))?
                .map_err(classify)?;
            let facts = tls::facts(stream.get_ref().1);
            (Box::new(stream), Some(facts))
        }
    };
    let remarks = Remarks::default();
    if let Some(endpoint) = &transport.websocket {
        let came = timeout(patience, websocket::upgrade(&mut stream, endpoint))
            .await
            .map_err(|_| DialError::UpgradeSlow(patience))??;
        stream = Box::new(WebSocket::new(stream, came, remarks.clone()));
    }
    Ok(Link { stream, socket, tls: facts, remarks })
}

/// Connects from an address of this machine; from any where it is nothing.
///
/// # Errors
/// Those of the system.
pub async fn connect_from(source: Option<IpAddr>, address: SocketAddr) -> io::Result<TcpStream> {
    let Some(source) = source else { return TcpStream::connect(address).await };
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(source, 0))?;
    socket.connect(address).await
}

fn classify(error: io::Error) -> DialError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(inner @ rustls::Error::InvalidCertificate(_)) => DialError::Certificate(inner.clone()),
        _ => DialError::Handshake(error),
    }
}
