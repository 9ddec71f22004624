//! A TCP connection, and how much of what was written to it the system may hold before it is sent.
//!
//! Usually that is little: the kernel buffers less for slow readers, and their progress is seen in small steps. Each step costs a turn
//! of the connection's task, about a third of what writing a long history costs. So a connection whose welcome is long
//! may be further ahead until all of it is written, as long as there is a place for it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::net::ahead::Place;
use crate::net::stream::Duplex;

/// A socket is writable again when less than this is unsent, in bytes.
pub(crate) const UNSENT: u32 = 128 * 1024;

/// The same for a connection that fetches files: a piece of one. Whatever is written has to wait for what the system holds.
const UNSENT_BESIDE_FILES: u32 = 16 * 1024;

/// The same for one that is ahead.
const UNSENT_AHEAD: u32 = 2 * 1024 * 1024;

/// A TCP connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    /// Held while it is ahead.
    place: Option<Place>,
    is_beside_files: bool,
}

impl Socket {
    /// A connection whose system holds [`UNSENT`] at most.
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, place: None, is_beside_files: false }
    }

    fn bound_unsent(&self) {
        let bytes = match (&self.place, self.is_beside_files) {
            (Some(_), _) => UNSENT_AHEAD,
            (None, true) => UNSENT_BESIDE_FILES,
            (None, false) => UNSENT,
        };
        // A system that has no such option holds as much as it likes.
        if let Err(error) = set_unsent(&self.stream, bytes) {
            tracing::debug!(%error, "what is unsent can't be bounded");
        }
    }
}

/// Bounds what the system holds unsent.
pub(crate) fn set_unsent(stream: &TcpStream, bytes: u32) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    SockRef::from(stream).set_tcp_notsent_lowat(bytes)?;
    Ok(())
}

impl Duplex for Socket {
    fn keep_unsent_small(&mut self) {
        self.is_beside_files = true;
        self.bound_unsent();
    }

    fn run_ahead(&mut self, place: Place) {
        self.place = Some(place);
        self.bound_unsent();
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Nothing waits in this program. Whoever flushes has written all that there is, so the connection is not ahead any more.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.place.take().is_some() {
            self.bound_unsent();
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::net::ahead::{LONG_WRITE, PLACES, Places};

    async fn socket() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Socket::new(listener.accept().await.unwrap().0), peer)
    }

    fn unsent(socket: &Socket) -> u32 {
        SockRef::from(&socket.stream).tcp_notsent_lowat().unwrap()
    }

    #[tokio::test]
    async fn a_connection_is_ahead_until_all_is_written() {
        let places = Places::default();
        assert!(places.for_write(LONG_WRITE - 1).is_none(), "too short for a place");
        for (beside_files, usual) in [(false, UNSENT), (true, UNSENT_BESIDE_FILES)] {
            let (mut socket, _peer) = socket().await;
            if beside_files {
                socket.keep_unsent_small();
                assert_eq!(unsent(&socket), usual);
            }
            socket.run_ahead(places.for_write(LONG_WRITE).unwrap());
            assert_eq!((unsent(&socket), places.free()), (UNSENT_AHEAD, PLACES - 1));
            socket.write_all(b"some").await.unwrap();
            assert_eq!(unsent(&socket), UNSENT_AHEAD, "there may be more");
            socket.flush().await.unwrap();
            assert_eq!((unsent(&socket), places.free()), (usual, PLACES));
        }
    }

    #[tokio::test]
    async fn there_are_so_many_places_and_whoever_goes_gives_one_back() {
        let places = Places::default();
        let mut taken: Vec<_> = std::iter::from_fn(|| places.for_write(LONG_WRITE)).collect();
        assert_eq!(taken.len(), PLACES);
        let (mut socket, _peer) = socket().await;
        socket.run_ahead(taken.pop().unwrap());
        assert!(places.for_write(LONG_WRITE).is_none());
        drop(socket);
        assert!(places.for_write(LONG_WRITE).is_some());
    }
}
