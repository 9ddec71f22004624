//! A WebSocket as a stream of frames behind their lengths.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    decode::{Control, Decoder, Violation},
    encode::Encoder,
};
use crate::net::remarks::Remarks;

/// How much is read, and written, at once.
const PIECE: usize = 16 * 1024;

/// The connection has served its purpose.
const NORMAL: u16 = 1000;
/// The other end broke the protocol.
const PROTOCOL_ERROR: u16 = 1002;

/// A WebSocket over a connection, after its handshake.
///
/// Both directions share what is to be written, since a ping that is read is answered. A frame that the case has not
/// finished keeps answers back, as it would anywhere: nothing can stand inside a frame.
pub struct WebSocket<S> {
    inner: S,
    encoder: Encoder,
    decoder: Decoder,
    /// What came, and was not decoded yet.
    came: Vec<u8>,
    /// Frames that nobody has taken yet, and how much of them was taken.
    frames: Vec<u8>,
    taken: usize,
    /// Where reads go.
    buffer: Vec<u8>,
    /// What is to be written, and how much of it was written.
    out: Vec<u8>,
    written: usize,
    /// The ping that was not answered yet; of several the last counts (RFC 6455, section 5.5.3).
    ping: Option<Vec<u8>>,
    end: Option<End>,
    /// A close frame of ours is written, or never can be.
    closed: bool,
    /// Whoever waits to write, while the reading half writes an answer.
    writer: Option<Waker>,
    remarks: Remarks,
}

/// Why nothing more is read.
#[derive(Debug, Clone)]
enum End {
    /// A close frame of the server, or the end of the connection.
    Closed,
    /// What no server may send.
    Violation(Violation),
}

impl<S> WebSocket<S> {
    /// A WebSocket behind whose handshake these bytes came; what it has to tell goes to `remarks`.
    pub fn new(inner: S, came: Vec<u8>, remarks: Remarks) -> Self {
        Self {
            inner,
            encoder: Encoder::default(),
            decoder: Decoder::default(),
            came,
            frames: Vec::new(),
            taken: 0,
            buffer: vec![0; PIECE],
            out: Vec::new(),
            written: 0,
            ping: None,
            end: None,
            closed: false,
            writer: None,
            remarks,
        }
    }

    /// Decodes what came, and keeps what has to be answered.
    fn decode(&mut self, count: usize) {
        let Self { decoder, frames, ping, remarks, came, buffer, .. } = self;
        let mut left = None;
        let control = |control| match control {
            Control::Ping(payload) => {
                remarks.push(format!("the server sends a ping of {} bytes", payload.len()));
                *ping = Some(payload);
            }
            Control::Pong => remarks.push("the server sends a pong"),
            Control::Close(close) => left = Some(close),
        };
        let came = std::mem::take(came);
        let bytes = if came.is_empty() { buffer.get(..count) } else { Some(came.as_slice()) };
        let decoded = decoder.take(bytes.unwrap_or_default(), frames, control);
        if let Some(close) = left {
            self.remarks.end(close.to_string());
            self.end = Some(End::Closed);
            self.close(close.code);
        }
        if let Err(violation) = decoded {
            self.end = Some(End::Violation(violation));
            self.close(Some(PROTOCOL_ERROR));
        }
    }

    /// The connection has ended.
    fn ended(&mut self) {
        let how = if self.decoder.is_inside() {
            "inside a message, and without a close frame"
        } else {
            "without a close frame"
        };
        self.remarks.end(how);
        self.end = Some(End::Closed);
    }

    /// Puts a close frame behind what waits to be written, once, where that is possible.
    fn close(&mut self, code: Option<u16>) {
        if !std::mem::replace(&mut self.closed, true)
            && !self.encoder.close(code, rand::random(), &mut self.out)
        {
            self.remarks.push("no close frame: the suite is in the middle of a message");
        }
    }

    /// Puts the answer to a ping behind what waits to be written, where that is possible.
    fn answer(&mut self) {
        if !self.closed
            && let Some(payload) = self.ping.take_if(|_| !self.encoder.is_inside())
        {
            self.encoder.pong(&payload, rand::random(), &mut self.out);
        }
    }
}

impl<S: AsyncWrite + Unpin> WebSocket<S> {
    /// Writes what waits, as far as the connection takes it.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.inner).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.out.clear();
        self.written = 0;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// The same for the half that writes, which is woken again where the other half takes its place in the queue.
    fn poll_out_for_writer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.poll_out(cx);
        self.writer = polled.is_pending().then(|| cx.waker().clone());
        polled
    }

    /// The same for the half that reads.
    fn poll_out_for_reader(&mut self, cx: &mut Context<'_>) {
        if self.out.is_empty() {
            return;
        }
        // A socket wakes the one who asked last. What went wrong the other half is told, and the next read.
        let _ = self.poll_out(cx);
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let waiting = this.frames.get(this.taken..).unwrap_or_default();
            if !waiting.is_empty() {
                let part = waiting.get(..buf.remaining()).unwrap_or(waiting);
                buf.put_slice(part);
                this.taken += part.len();
                if this.taken == this.frames.len() {
                    this.frames = Vec::new();
                    this.taken = 0;
                }
                return Poll::Ready(Ok(()));
            }
            // What is left of an answer is written whenever there is something to read.
            this.poll_out_for_reader(cx);
            match &this.end {
                Some(End::Closed) => return Poll::Ready(Ok(())),
                Some(End::Violation(violation)) => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, violation.clone());
                    return Poll::Ready(Err(error));
                }
                None => {}
            }
            let mut count = 0;
            if this.came.is_empty() {
                let mut piece = ReadBuf::new(&mut this.buffer);
                ready!(Pin::new(&mut this.inner).poll_read(cx, &mut piece))?;
                count = piece.filled().len();
                if count == 0 {
                    this.ended();
                    continue;
                }
            }
            this.decode(count);
            this.answer();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_out_for_writer(cx))?;
        if this.closed {
            let how = this.remarks.ending().unwrap_or_else(|| "by the suite".to_owned());
            let error = format!("the WebSocket is closed: {how}");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, error)));
        }
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        this.encoder.take(piece, &mut this.out, rand::random);
        this.answer();
        // These bytes are taken: what becomes of them is told with the next ones, or by flushing.
        match this.poll_out_for_writer(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(piece.len())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_out_for_writer(cx)
    }

    /// Sends a close frame, and leaves the connection to the server, which has to end it (RFC 6455, section 7.1.1): one
    /// that waits for the end of TCP instead has not understood the frame.
    ///
    /// In the middle of a message there is no room for a close frame; then the connection ends.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.close(Some(NORMAL));
        ready!(this.poll_out_for_writer(cx))?;
        if this.encoder.is_inside() {
            return Pin::new(&mut this.inner).poll_shutdown(cx);
        }
        Poll::Ready(Ok(()))
    }
}
