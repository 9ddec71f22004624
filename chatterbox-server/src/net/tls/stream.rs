//! A TLS connection over any stream, at the server.
//!
//! A connection that waits holds keys and no buffers: what is read, and what is encrypted, lies in buffers of its thread
//! (`scratch.rs`). It keeps bytes only where it has to: the beginning of a record or of a message of the handshake whose rest has not
//! come, data that the last reader had no room for, and records that the stream below has not taken.
//!
//! A write encrypts once and is sent with one write below. It is done when that one takes the records at once; there is nothing
//! left to flush then.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::{InvalidMessage, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::ahead::Ahead;
use crate::net::stream::Duplex;
use crate::net::tls::leftover::Leftover;
use crate::net::tls::records::{Next, Opened, Records};
use crate::net::tls::scratch;

/// The most data of one record, in bytes.
const RECORD: usize = 16 * 1024;

/// So much data is encrypted at a time, and nothing ahead of what the stream below has not taken: each connection that does not read
/// holds as much, and the frames of its records.
const MOST_WRITTEN: usize = 2 * RECORD;

/// The same while the stream below takes more ahead. Few connections may be so at a time.
const MOST_AHEAD: usize = 4 * RECORD;

/// What records have beside their data, those of a write and news of keys before it.
const MOST_FRAMES: usize = 1024;

/// Bytes of one read, at most and at least: a reader with little room gets a whole short record all the same.
const MOST_READ: usize = 32 * 1024;
const LEAST_READ: usize = 4 * 1024;

/// So much of what has come may be kept, since it is not whole: a record has up to 18 KiB, a message of the handshake may be longer.
const MOST_KEPT: usize = 64 * 1024;

/// A TLS connection, at the server.
pub(crate) struct TlsStream<S> {
    socket: S,
    records: Records,
    /// What has come and is not done with: parts of a message of the handshake, the beginning of a record, or whole records behind
    /// data that found no room.
    kept: Vec<u8>,
    /// Data that the last reader had no room for.
    unread: Leftover,
    /// Records that the stream below has not taken.
    unsent: Leftover,
    /// Why the connection is good for nothing any more. Boxed: few have a reason.
    failure: Option<Box<rustls::Error>>,
    /// There may be whole records in what is kept that are not opened.
    keeps_records: bool,
    /// Much was done for the peer, so others have their turn before the next read.
    owes_turn: bool,
    /// The peer has said that it sends no more.
    is_read: bool,
    /// This side has said so.
    is_closed: bool,
}

impl<S> TlsStream<S> {
    /// Keeps what was not opened, in no more memory than it needs.
    fn keep(&mut self, rest: &[u8]) {
        if rest.len() < self.kept.capacity() / 2 {
            self.kept = Vec::new();
        }
        self.kept.clear();
        self.kept.extend_from_slice(rest);
    }

    /// Fails if the connection has ended for this side.
    fn check(&self) -> io::Result<()> {
        match &self.failure {
            Some(error) => Err(failed(error)),
            None if self.is_closed => Err(io::ErrorKind::BrokenPipe.into()),
            None => Ok(()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Does the handshake.
    ///
    /// # Errors
    /// The client and this server have no TLS in common, or the stream below has ended or failed. The client is told by an alert.
    pub(crate) async fn accept(socket: S, config: Arc<ServerConfig>) -> io::Result<Self> {
        let mut stream = Self {
            socket,
            records: Records::new(config).map_err(io::Error::other)?,
            kept: Vec::new(),
            unread: Leftover::default(),
            unsent: Leftover::default(),
            failure: None,
            keeps_records: false,
            owes_turn: false,
            is_read: false,
            is_closed: false,
        };
        std::future::poll_fn(|context| stream.poll_handshake(context)).await?;
        Ok(stream)
    }

    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.check()?;
            // Whatever is to be said goes out in one write, and before more is read: the client waits for it.
            ready!(self.poll_unsent(context))?;
            if !self.records.is_handshaking() {
                return Pin::new(&mut self.socket).poll_flush(context);
            }
            // Data that comes with the end of the handshake waits for the first reader.
            ready!(self.poll_records(context, &mut ReadBuf::new(&mut [])))?;
        }
    }

    /// Opens records: those that are kept, or what one read brings. Their data goes to `into`, and what has no room there waits.
    fn poll_records(
        &mut self,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.owes_turn) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.keeps_records {
            let mut kept = std::mem::take(&mut self.kept);
            self.open(context, &mut kept, into);
            return Poll::Ready(Ok(()));
        }
        scratch::incoming(MOST_KEPT + MOST_READ, |incoming| {
            let kept = self.kept.len();
            // The data of so many bytes fits.
            let most = into.remaining().saturating_sub(kept).clamp(LEAST_READ, MOST_READ);
            let mut read = ReadBuf::new(incoming.get_mut(kept..kept + most).unwrap_or_default());
            ready!(Pin::new(&mut self.socket).poll_read(context, &mut read))?;
            let count = read.filled().len();
            if count == 0 {
                return Poll::Ready(Err(self.cut()));
            }
            let input = incoming.get_mut(..kept + count).unwrap_or_default();
            if let Some(front) = input.get_mut(..kept) {
                front.copy_from_slice(&self.kept);
            }
            self.open(context, input, into);
            Poll::Ready(Ok(()))
        })
    }

    /// Opens the records of `input`, and keeps what is left of it.
    fn open(&mut self, context: &mut Context<'_>, input: &mut [u8], into: &mut ReadBuf<'_>) {
        let Self { records, unread, .. } = self;
        let mut said = Vec::new();
        let opened = records.open(input, &mut said, |data| {
            let (fitting, rest) = data.split_at(data.len().min(into.remaining()));
            into.put_slice(fitting);
            unread.push(rest);
            into.remaining() > 0
        });
        // It is sent with the next write: the writer waits for the stream below, and this may be another task.
        self.unsent.push(&said);
        self.keeps_records = false;
        let rest = match opened {
            Ok(Opened { used, next }) => {
                self.is_read = next == Next::Nothing;
                let rest = input.get(used..).filter(|_| !self.is_read).unwrap_or_default();
                self.keeps_records = matches!(next, Next::Room | Next::Turn) && !rest.is_empty();
                self.owes_turn = next == Next::Turn;
                rest
            }
            Err(error) => return self.fail(context, error),
        };
        if !self.keeps_records && rest.len() > MOST_KEPT {
            return self.fail(context, InvalidMessage::HandshakePayloadTooLarge.into());
        }
        self.keep(rest);
    }

    /// Ends the connection because of an error, and tells the peer as far as the stream below takes it.
    fn fail(&mut self, context: &mut Context<'_>, error: rustls::Error) {
        let mut said = Vec::new();
        self.records.alerts(&mut said);
        self.unsent.push(&said);
        self.failure = Some(Box::new(error));
        self.keep(&[]);
        // What it does not take now is sent with the shutdown.
        let _ = self.poll_unsent(context);
    }

    /// The stream below has ended, and the peer has not said that it would.
    fn cut(&self) -> io::Error {
        let what = match self.records.is_handshaking() {
            true => "the connection ended within the TLS handshake",
            false => "the peer closed the connection without a TLS close_notify",
        };
        io::Error::new(io::ErrorKind::UnexpectedEof, what)
    }

    /// Encrypts data, and sends it as far as the stream below takes it. Nothing may be unsent.
    fn send(&mut self, context: &mut Context<'_>, data: &[u8]) -> io::Result<()> {
        scratch::sealed(MOST_AHEAD + MOST_FRAMES, |sealed| {
            let length = match self.records.seal(&mut self.kept, data, sealed) {
                Ok(length) => length,
                Err(error) => {
                    self.fail(context, error);
                    return self.check();
                }
            };
            let sealed = sealed.get(..length).unwrap_or_default();
            let sent = match Pin::new(&mut self.socket).poll_write(context, sealed) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(sent) => sent?,
                Poll::Pending => 0,
            };
            self.unsent.push(sealed.get(sent..).unwrap_or_default());
            Ok(())
        })
    }

    /// Sends what the stream below has not taken.
    fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let write = Pin::new(&mut self.socket).poll_write(context, self.unsent.rest());
            match ready!(write)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.unsent.take(sent),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Duplex> Duplex for TlsStream<S> {
    fn keep_unsent_small(&mut self) {
        self.socket.keep_unsent_small();
    }

    fn run_ahead(&mut self, ahead: Ahead) {
        self.socket.run_ahead(ahead);
    }

    fn is_ahead(&self) -> bool {
        self.socket.is_ahead()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let room = buffer.remaining();
        if room > 0 && !this.unread.is_empty() {
            let unread = this.unread.rest();
            let unread = unread.get(..room).unwrap_or(unread);
            let count = unread.len();
            buffer.put_slice(unread);
            this.unread.take(count);
        }
        // A record may have no data, so one read may not be enough. Each takes bytes of the stream below, and the peer may send few
        // such records in a row.
        while room > 0 && buffer.remaining() == room && !this.is_read {
            if let Some(error) = &this.failure {
                return Poll::Ready(Err(failed(error)));
            }
            ready!(this.poll_records(context, buffer))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Duplex> AsyncWrite for TlsStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check()?;
        let most = if this.socket.is_ahead() { MOST_AHEAD } else { MOST_WRITTEN };
        let data = bytes.get(..most).unwrap_or(bytes);
        if !data.is_empty() {
            ready!(this.poll_unsent(context))?;
            this.send(context, data)?;
        }
        Poll::Ready(Ok(data.len()))
    }

    /// Puts slices together, so that several small ones share a record.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = slices.iter().map(|slice| &slice[..]).filter(|slice| !slice.is_empty());
        let first = filled.next().unwrap_or_default();
        if first.len() >= RECORD || filled.next().is_none() {
            return self.poll_write(context, first);
        }
        self.check()?;
        // First, since nothing is to be copied while it waits.
        ready!(self.poll_unsent(context))?;
        scratch::gathered(|gathered| {
            for slice in slices {
                let room = MOST_WRITTEN.saturating_sub(gathered.len());
                gathered.extend_from_slice(slice.get(..room).unwrap_or(slice));
            }
            self.send(context, gathered)?;
            Poll::Ready(Ok(gathered.len()))
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(error) = &this.failure {
            return Poll::Ready(Err(failed(error)));
        }
        ready!(this.poll_unsent(context))?;
        Pin::new(&mut this.socket).poll_flush(context)
    }

    /// Says that this side sends no more, and closes it below.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_closed && this.failure.is_none() {
            this.is_closed = true;
            let mut said = Vec::new();
            // Who can't be told is closed all the same.
            if let Ok(length) = this.records.close(&mut this.kept, &mut said) {
                this.unsent.push(said.get(..length).unwrap_or_default());
            }
        }
        ready!(this.poll_unsent(context))?;
        match ready!(Pin::new(&mut this.socket).poll_shutdown(context)) {
            // The peer has gone, which is as closed as can be.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            closed => Poll::Ready(closed),
        }
    }
}

fn failed(error: &rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.clone())
}

#[cfg(test)]
mod tests;
