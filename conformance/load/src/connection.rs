//! One connection of a member: a socket, TLS or none, and what still has to be written.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustls::{ClientConfig, client::UnbufferedClientConnection, pki_types::ServerName};
use thiserror::Error;
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    net::{TcpSocket, TcpStream},
};

use super::tls::{TlsError, TlsSession};

/// Buffers above this are given back when they are empty.
const KEPT: usize = 4 * 1024;

/// How a member reaches the server.
#[derive(Clone)]
pub enum Wire {
    /// Without TLS.
    Plain,
    /// With TLS, for this server name.
    Tls(Arc<ClientConfig>, ServerName<'static>),
}

/// Why a connection ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// No TCP connection.
    #[error("can't connect: {0}")]
    Connect(io::Error),
    /// This source address has no free port.
    #[error("no free port for another connection from {0}: more source addresses help (--sources)")]
    Ports(IpAddr),
    /// TLS failed.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
}

/// The outcome of one read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Arrived {
    /// How many bytes came from the socket.
    pub bytes: usize,
    /// Whether nothing more will come.
    pub ended: bool,
}

pub struct Connection {
    tcp: TcpStream,
    secure: Option<Box<TlsSession<UnbufferedClientConnection>>>,
    /// The beginning of a TLS record.
    leftover: Vec<u8>,
    out: Vec<u8>,
    written: usize,
}

impl Connection {
    /// Connects; the TLS handshake is not part of it, and goes on with reading and writing.
    ///
    /// # Errors
    /// When there is no TCP connection.
    pub async fn connect(
        address: SocketAddr,
        source: Option<IpAddr>,
        wire: &Wire,
    ) -> Result<Self, ConnectionError> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(ConnectionError::Connect)?;
        let failed = |error: io::Error| match (error.kind(), source) {
            (io::ErrorKind::AddrInUse, Some(source)) => ConnectionError::Ports(source),
            (io::ErrorKind::AddrNotAvailable, None) => ConnectionError::Ports(address.ip()),
            _ => ConnectionError::Connect(error),
        };
        if let Some(source) = source {
            socket.bind(SocketAddr::new(source, 0)).map_err(failed)?;
        }
        let tcp = socket.connect(address).await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(ConnectionError::Connect)?;
        let mut secure = match wire {
            Wire::Plain => None,
            Wire::Tls(config, name) => {
                let end = UnbufferedClientConnection::new(Arc::clone(config), name.clone())
                    .map_err(TlsError::from)?;
                Some(Box::new(TlsSession::new(end)))
            }
        };
        let mut out = Vec::new();
        if let Some(secure) = &mut secure {
            secure.open(&mut [], &mut out, |_| {})?;
        }
        Ok(Self { tcp, secure, leftover: Vec::new(), out, written: 0 })
    }

    /// Whether data can be sent.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.secure.as_ref().is_none_or(|secure| secure.is_ready())
    }

    /// The TLS version and cipher suite; `None` without TLS.
    #[must_use]
    pub fn suite(&self) -> Option<String> {
        let end = self.secure.as_ref()?.end();
        Some(format!("{:?}, {:?}", end.protocol_version()?, end.negotiated_cipher_suite()?.suite()))
    }

    /// How many bytes wait to be written.
    #[must_use]
    pub const fn backlog(&self) -> usize {
        self.out.len() - self.written
    }

    /// Puts data behind what waits to be written.
    ///
    /// # Errors
    /// When TLS can't go on.
    pub fn send(&mut self, data: &[u8]) -> Result<(), ConnectionError> {
        match &mut self.secure {
            Some(secure) => secure.seal(data, &mut self.out)?,
            None => self.out.extend_from_slice(data),
        }
        Ok(())
    }

    /// Puts the end of the conversation behind what waits to be written.
    pub fn farewell(&mut self) {
        if let Some(secure) = &mut self.secure {
            secure.farewell(&mut self.out);
        }
    }

    /// Writes what waits, as far as the socket takes it.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.tcp).poll_write(cx, rest));
            match written.map_err(ConnectionError::Broken)? {
                0 => {
                    return Poll::Ready(Err(ConnectionError::Broken(
                        io::ErrorKind::WriteZero.into(),
                    )));
                }
                count => self.written += count,
            }
        }
        self.written = 0;
        if self.out.capacity() > KEPT {
            self.out = Vec::new();
        }
        self.out.clear();
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more will be written.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    /// Reads once into a buffer that others use as well, and hands over the data, record by record.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        shared: &mut [u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Poll<Result<Arrived, ConnectionError>> {
        let kept = self.leftover.len();
        let mut buffer = ReadBuf::new(shared);
        buffer.put_slice(&self.leftover);
        ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buffer))
            .map_err(ConnectionError::Broken)?;
        let bytes = buffer.filled().len() - kept;
        let ended = bytes == 0;
        let Some(secure) = &mut self.secure else {
            sink(buffer.filled());
            return Poll::Ready(Ok(Arrived { bytes, ended }));
        };
        let opened = secure.open(buffer.filled_mut(), &mut self.out, sink)?;
        let rest = buffer.filled().get(opened.used..).unwrap_or_default();
        self.leftover.clear();
        if rest.is_empty() && self.leftover.capacity() > KEPT {
            self.leftover = Vec::new();
        }
        self.leftover.extend_from_slice(rest);
        Poll::Ready(Ok(Arrived { bytes, ended: ended || opened.ended }))
    }
}
