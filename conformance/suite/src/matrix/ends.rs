//! The two ends of the proxy: connections that are read record by record, and written frame by frame.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use conformance_kit::net::dial::{Duplex, Transport};
use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWrite, BufWriter, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::connection::Unread;

/// How much is held back until a frame is complete; what is longer goes out in parts.
const HELD_BACK: usize = 64 * 1024;

/// One end of the proxy.
pub(super) struct End {
    /// A read gives at most one TLS record; what is written waits for a flush.
    pub(super) stream: Box<dyn Duplex>,
    /// Whether it speaks TLS, so that a read is what the other side wrote at once.
    pub(super) tls: bool,
    /// What the program there has not read yet.
    pub(super) unread: Option<Unread>,
}

impl End {
    /// The client's end.
    pub(super) async fn of_client(tcp: TcpStream, tls: &TlsAcceptor) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let unread = Unread::at_the_end_of(&tcp);
        let mut head = [0; 2];
        let count = tcp.peek(&mut head).await?;
        if count == 0 {
            return Err(io::Error::other("the client closed the connection at once"));
        }
        let tcp = BufWriter::with_capacity(HELD_BACK, tcp);
        // A handshake of any version; 0x16 alone may be a length in little-endian order. A client
        // without TLS is still worth looking at: what it lacks is told apart.
        if head[0] != 0x16 || (count > 1 && head[1] != 3) {
            return Ok(Self { stream: Box::new(tcp), tls: false, unread });
        }
        Ok(Self { stream: Box::new(Records(tls.accept(tcp).await?)), tls: true, unread })
    }

    /// The server's end.
    pub(super) async fn of_server(tcp: TcpStream, transport: Transport) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let unread = Unread::at_the_end_of(&tcp);
        let tcp = BufWriter::with_capacity(HELD_BACK, tcp);
        let Some((config, name)) = transport.tls else {
            return Ok(Self { stream: Box::new(tcp), tls: false, unread });
        };
        let stream = TlsConnector::from(config).connect(name, tcp).await?;
        Ok(Self { stream: Box::new(Records(stream)), tls: true, unread })
    }
}

/// A TLS connection of which a read gives at most one record: many clients take what one call returns
/// for a whole frame, and TLS libraries give them one record.
struct Records<S>(S);

impl<S: AsyncBufRead + Unpin> AsyncRead for Records<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let inner = &mut self.get_mut().0;
        let record = ready!(Pin::new(&mut *inner).poll_fill_buf(cx))?;
        let part = record.get(..buf.remaining()).unwrap_or(record);
        buf.put_slice(part);
        let count = part.len();
        Pin::new(inner).consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Records<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the other end is a task")]
mod tests {
    use std::sync::Arc;

    use conformance_kit::{
        authority::{Authority, Shows},
        net::tls::{self, Trust},
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_read_gives_one_record_though_two_came_in_one_segment() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Authority::make().unwrap().server(Shows::Good));
        let server = tokio::spawn(async move {
            let tcp = BufWriter::with_capacity(HELD_BACK, listener.accept().await.unwrap().0);
            let mut stream = acceptor.accept(tcp).await.unwrap();
            stream.write_all(&[0, 0, 0, 2]).await.unwrap();
            stream.write_all(b"{}").await.unwrap();
            stream.flush().await.unwrap();
            stream
        });
        let config = Arc::new(tls::configuration(&Trust::Anything, None).unwrap());
        let transport = Transport::tls(config, tls::server_name("localhost"));
        let tcp = TcpStream::connect(address).await.unwrap();
        let mut end = End::of_server(tcp, transport).await.unwrap();
        let _stream = server.await.unwrap();
        let mut buffer = [0; 64];
        assert!(end.tls);
        assert_eq!(end.stream.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(end.stream.read(&mut buffer).await.unwrap(), 2);
    }
}
