//! A TCP connection, and how much of what was written to it the system may hold before it is sent.

#![allow(clippy::disallowed_methods, reason = "the edge: how quickly a peer takes what is written")]

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::net::ahead::Ahead;
use crate::net::stream::Duplex;

/// So much of what was written to a connection may be unsent, in bytes.
pub(crate) const UNSENT: u32 = 128 * 1024;

/// The same for a connection that fetches files: a piece of one. Whatever is written has to wait for what the system holds.
const UNSENT_BESIDE_FILES: u32 = 16 * 1024;

/// A TCP connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    /// How far ahead of its reader its welcome is written, until all of it is. Boxed: nearly all connections are done with that.
    ahead: Option<Box<Ahead>>,
    is_beside_files: bool,
}

impl Socket {
    /// A connection that was accepted, which has been told to hold [`UNSENT`] at most ([`set_unsent`]).
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, ahead: None, is_beside_files: false }
    }

    /// How much may be unsent when nothing is written ahead.
    const fn usual(&self) -> u32 {
        if self.is_beside_files { UNSENT_BESIDE_FILES } else { UNSENT }
    }

    fn bound_unsent(&self, bytes: u32) {
        // A system that has no such option holds as much as it likes.
        if let Err(error) = set_unsent(&self.stream, bytes) {
            tracing::debug!(%error, "what is unsent can't be bounded");
        }
    }

    /// Lets the system hold more or less, by how a write went.
    fn note(&mut self, written: &Poll<io::Result<usize>>) {
        let (usual, now) = (self.usual(), Instant::now().into_std());
        let Some(ahead) = &mut self.ahead else { return };
        let bytes = match written {
            Poll::Pending => return ahead.blocked(now),
            Poll::Ready(Ok(bytes)) => *bytes,
            Poll::Ready(Err(_)) => return,
        };
        let changed = ahead.written(bytes, usual, now);
        let may_have_sent = ahead.has_place() && !ahead.is_beyond(usual);
        if let Some(unsent) = changed {
            self.bound_unsent(unsent);
        }
        // A write that succeeded does not tell: the system adds to what it holds where there is room in a packet.
        let has_sent = may_have_sent && self.has_sent();
        let Some(ahead) = &mut self.ahead else { return };
        if has_sent {
            ahead.is_sent();
        }
        if ahead.is_over() {
            self.ahead = None;
        }
    }

    /// Whether no more is unsent than may be.
    fn has_sent(&self) -> bool {
        let mut all = [PollFd::new(&self.stream, PollFlags::OUT)];
        matches!(poll(&mut all, Some(&Timespec::default())), Ok(1..))
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
        self.bound_unsent(UNSENT_BESIDE_FILES);
    }

    fn run_ahead(&mut self, ahead: Ahead) {
        self.ahead = Some(Box::new(ahead));
    }

    fn is_ahead(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.has_place())
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
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if self.ahead.is_some() {
            self.note(&written);
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        if self.ahead.is_some() {
            self.note(&written);
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "android"))]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;

    use super::*;
    use crate::net::ahead::{Places, UNSENT_AHEAD};

    const MIB: usize = 1024 * 1024;

    /// A connection whose welcome has so many bytes, and its peer, which holds little that it has not read.
    async fn welcomed(places: &Places, bytes: usize) -> (Socket, TcpStream) {
        let [listener, peer] = [(); 2].map(|()| TcpSocket::new_v4().unwrap());
        peer.set_recv_buffer_size(32 * 1024).unwrap();
        listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = listener.listen(1).unwrap();
        let peer = peer.connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        set_unsent(&stream, UNSENT).unwrap();
        let mut socket = Socket::new(stream);
        socket.run_ahead(places.for_welcome(bytes).unwrap());
        (socket, peer)
    }

    fn unsent(socket: &Socket) -> u32 {
        SockRef::from(&socket.stream).tcp_notsent_lowat().unwrap()
    }

    /// Writes until the system takes nothing more, and says how much it took.
    async fn write_all_that_fits(socket: &mut Socket, bytes: &[u8]) -> usize {
        let mut written = 0;
        poll_fn(|context| {
            loop {
                match Pin::new(&mut *socket).poll_write(context, &bytes[written..]) {
                    Poll::Ready(more) => written += more.unwrap(),
                    Poll::Pending => return Poll::Ready(()),
                }
            }
        })
        .await;
        written
    }

    async fn read(peer: &mut TcpStream, bytes: usize) {
        peer.read_exact(&mut vec![0; bytes]).await.unwrap();
    }

    // The clock stands, so whatever is waited for was quick.
    #[tokio::test(start_paused = true)]
    async fn whoever_is_quick_is_ahead_and_keeps_the_place_until_the_system_has_sent_that() {
        let (places, all) = (Places::default(), 8 * MIB);
        let free = places.free();
        let (mut socket, mut peer) = welcomed(&places, all).await;
        assert!(!socket.is_ahead());
        let data = vec![0; all];
        let most = async {
            read(&mut peer, all - MIB).await;
            peer
        };
        let (mut peer, written) = tokio::join!(most, socket.write_all(&data));
        written.unwrap();
        // What was read is less than all by what only a system that may hold more has taken.
        assert_eq!((unsent(&socket), places.free()), (UNSENT, free - 1), "it is written");
        assert!(socket.is_ahead());
        let written = write_all_that_fits(&mut socket, &data).await;
        assert_eq!(places.free(), free - 1, "it is not sent");
        read(&mut peer, MIB + written).await;
        socket.write_all(b"more").await.unwrap();
        assert_eq!((unsent(&socket), places.free()), (UNSENT, free));
        assert!(!socket.is_ahead());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_slow_is_seen_in_small_steps() {
        let places = Places::default();
        let free = places.free();
        let (mut socket, mut peer) = welcomed(&places, 16 * MIB).await;
        let data = vec![0; 16 * MIB];
        for _ in 0..8 {
            let written = write_all_that_fits(&mut socket, &data).await;
            assert!(written < MIB, "{written}");
            tokio::time::advance(Duration::from_millis(200)).await;
            read(&mut peer, written).await;
        }
        assert_eq!((unsent(&socket), places.free()), (UNSENT, free));
        // It becomes quick, and then takes nothing.
        for _ in 0..8 {
            let written = write_all_that_fits(&mut socket, &data).await;
            read(&mut peer, written).await;
        }
        assert_eq!((unsent(&socket), places.free()), (UNSENT_AHEAD, free - 1));
        socket.keep_unsent_small();
        drop(socket);
        assert_eq!(places.free(), free, "whoever goes gives the place back");
    }
}
