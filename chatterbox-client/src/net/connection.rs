//! One connection: a half that reads frames and a half that writes bytes.
//!
//! Reads are bounded, so that a hostile server can't make the client allocate more than it has sent. Both halves are
//! cancel-safe: no byte is lost at any await.

use std::io;

use crate::exit::without_number;
use bytes::{Buf as _, Bytes, BytesMut};
use chatterbox_proto::capability::zstd::BadZstd;
use chatterbox_proto::frame::{Decoder, TooLong};
use chatterbox_proto::limits;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split,
};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The limit of one read.
const PIECE: usize = 16 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

type Boxed = Box<dyn Stream>;

/// The reason why no frame follows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Reading from the connection failed.
    #[error("the connection was lost: {}", without_number(.0))]
    Lost(#[from] io::Error),
    /// A length prefix is beyond the limit, so the next frame can't be found.
    #[error("the server announced {}", .0)]
    TooLong(#[from] TooLong),
    /// A compressed frame must not be inflated, or can't be (ZS-2).
    #[error("the server sent a frame that can't be taken: {}", .0)]
    BadZstd(#[from] BadZstd),
    /// A compressed frame came that is not the welcome which agrees to them (ZS-1).
    #[error("the server sent a compressed frame and has not agreed to that")]
    NotAgreed,
    /// The connection ended inside a frame.
    #[error("the server closed the connection in the middle of a frame")]
    Truncated,
    /// The bytes are TLS records in place of frames.
    #[error("the server speaks TLS")]
    SpeaksTls,
}

/// A connection to a server.
pub struct Connection {
    pub reader: Reader,
    pub writer: Writer,
}

impl Connection {
    /// A connection without TLS.
    pub fn plaintext(stream: TcpStream) -> Self {
        Self::new(Box::new(stream), false)
    }

    /// A connection inside TLS, after the handshake.
    pub fn encrypted(stream: TlsStream<TcpStream>) -> Self {
        Self::new(Box::new(stream), true)
    }

    /// A connection without a network, and its other end.
    #[cfg(test)]
    pub fn in_memory() -> (Self, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1 << 16);
        (Self::new(Box::new(near), false), far)
    }

    fn new(stream: Boxed, encrypted: bool) -> Self {
        let (read, write) = split(stream);
        Self {
            reader: Reader {
                half: read,
                decoder: Decoder::new(limits::SERVER_FRAME),
                buffer: BytesMut::with_capacity(PIECE),
                opening: (!encrypted).then(Vec::new),
            },
            writer: Writer { half: write, queue: BytesMut::new(), unflushed: false },
        }
    }
}

pub struct Reader {
    half: ReadHalf<Boxed>,
    decoder: Decoder,
    buffer: BytesMut,
    /// Without TLS, the first two bytes of the server, which tell a TLS record from a frame; `None` after the first frame.
    opening: Option<Vec<u8>>,
}

impl Reader {
    /// The body of the next frame; `None` when the server closed between two frames. Cancelling it loses nothing.
    ///
    /// # Errors
    /// [`ReadError`]; no frame will follow.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        loop {
            match self.decoder.next_body() {
                Ok(Some(body)) => {
                    self.opening = None;
                    return Ok(Some(body));
                }
                Ok(None) => {}
                Err(_) if self.is_tls() => return Err(ReadError::SpeaksTls),
                Err(error) => return Err(error.into()),
            }
            self.buffer.clear();
            self.buffer.reserve(PIECE);
            let mut piece = (&mut self.half).take(PIECE as u64);
            let got = match piece.read_buf(&mut self.buffer).await {
                Ok(got) => got,
                // Many servers close TCP without closing TLS.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                Err(error) => return Err(error.into()),
            };
            if got == 0 {
                return match self.decoder.pending() {
                    0 => Ok(None),
                    _ if self.is_tls() => Err(ReadError::SpeaksTls),
                    _ => Err(ReadError::Truncated),
                };
            }
            if let Some(opening) = &mut self.opening {
                let missing = 2_usize.saturating_sub(opening.len());
                opening.extend(self.buffer.iter().take(missing));
            }
            self.decoder.push(&self.buffer);
        }
    }

    /// Whether the server began with a TLS record (alert or handshake, version 3) where no TLS was expected.
    fn is_tls(&self) -> bool {
        matches!(self.opening.as_deref(), Some([0x15 | 0x16, 3]))
    }

    /// Reads and drops everything up to the end.
    pub async fn discard(&mut self) {
        while let Ok(Some(_)) = self.next().await {}
    }
}

/// The writing half, with its queue.
pub struct Writer {
    half: WriteHalf<Boxed>,
    queue: BytesMut,
    unflushed: bool,
}

impl Writer {
    /// Queues a frame.
    pub fn push(&mut self, frame: &[u8]) {
        self.queue.extend_from_slice(frame);
    }

    /// How many bytes are queued.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether everything has left this program.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && !self.unflushed
    }

    /// Writes some of the queue, or flushes. Cancelling it loses nothing.
    ///
    /// # Errors
    /// Writing to the connection failed.
    pub async fn progress(&mut self) -> io::Result<()> {
        if self.queue.is_empty() {
            // TLS may hold a record back until it is flushed.
            self.half.flush().await?;
            self.unflushed = false;
            return Ok(());
        }
        let written = self.half.write(&self.queue).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.queue.advance(written);
        self.unflushed = true;
        Ok(())
    }

    /// Writes the whole queue, then closes this direction.
    ///
    /// # Errors
    /// Writing to the connection failed.
    pub async fn close(&mut self) -> io::Result<()> {
        while !self.is_idle() {
            self.progress().await?;
        }
        self.half.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn frames_come_whole_however_they_are_cut() {
        let (mut connection, mut far) = Connection::in_memory();
        let sender = async {
            for byte in b"\0\0\0\x02{}\0\0\0\x03[1]" {
                far.write_all(&[*byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
            far.write_all(b"\0\0\0\0\0\0\0\x01x\0\0").await.unwrap();
            drop(far);
        };
        let receiver = async {
            let mut bodies = Vec::new();
            let end = loop {
                match connection.reader.next().await {
                    Ok(Some(body)) => bodies.push(body),
                    other => break other,
                }
            };
            assert_eq!(bodies, [&b"{}"[..], b"[1]", b"", b"x"]);
            assert!(matches!(end, Err(ReadError::Truncated)));
        };
        tokio::join!(sender, receiver);
    }

    #[tokio::test]
    async fn a_length_beyond_the_limit_ends_it() {
        let (mut connection, mut far) = Connection::in_memory();
        far.write_all(b"\xff\xff\xff\xff{}").await.unwrap();
        assert!(matches!(connection.reader.next().await, Err(ReadError::TooLong(_))));
    }

    #[tokio::test]
    async fn a_tls_alert_in_place_of_a_frame_is_recognised() {
        let (mut connection, mut far) = Connection::in_memory();
        far.write_all(&[0x15, 3, 3, 0, 2, 2, 50]).await.unwrap();
        drop(far);
        assert!(matches!(connection.reader.next().await, Err(ReadError::SpeaksTls)));
    }

    #[tokio::test]
    async fn closing_sends_what_waits() {
        let (mut connection, mut far) = Connection::in_memory();
        connection.writer.push(b"abc");
        connection.writer.push(b"def");
        assert!(!connection.writer.is_idle());
        connection.writer.close().await.unwrap();
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"abcdef");
    }
}
