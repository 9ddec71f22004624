//! A WebSocket as a stream of frames, for the code that serves the protocol.
//!
//! Nothing is buffered between two calls but what is said in [`incoming`](super::incoming) and [`outgoing`](super::outgoing): an idle WebSocket takes
//! no more memory than an idle connection of the protocol itself. Extensions are never agreed to. Compression would cost some hundred KiB for each
//! connection, frames could not be shared any more, and secrets would be compressed together with what others say (CRIME).

#![allow(clippy::disallowed_methods, reason = "the edge: deadlines")]

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use chatterbox_proto::limits::JOINING_FRAME;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

use crate::gateway::web::close_code as code;
use crate::gateway::web::frame_header::{Opcode, control};
use crate::gateway::web::idle_frames::IdleFrames;
use crate::gateway::web::incoming::{Ended, HEADROOM, Incoming};
use crate::gateway::web::outgoing::{Outgoing, slices};
use crate::net::ahead::Ahead;
use crate::net::long_frame::LongFrame;
use crate::net::stream::{Duplex, Stream};

/// So much of what is already here is decoded at once.
const EARLY: usize = 1024;

/// Where the room for a read is smaller, so much is read and the rest waits.
const SMALL: usize = 64;

/// A WebSocket.
pub(super) struct Socket {
    stream: Stream,
    incoming: Incoming,
    outgoing: Outgoing,
    /// What was read and not decoded yet: what came behind the request for the WebSocket, or behind a message in fragments.
    early: Vec<u8>,
    /// So much of that was decoded. It goes away as a whole, so that many short messages behind each other are not moved for each of them.
    early_done: usize,
    /// What was decoded and not taken yet.
    decoded: Vec<u8>,
    idle_frames: IdleFrames,
    fragments: Fragments,
    /// Somebody waits for room to write, and writes what is pending then.
    is_writing: bool,
    /// The answer to a ping was written, and TLS may hold it back until it is flushed.
    is_unflushed: bool,
    /// The client sends nothing more.
    is_at_end: bool,
    /// A close frame was sent.
    has_closed: bool,
    /// What that says where nobody has broken a rule.
    close_code: u16,
    closing: CancellationToken,
}

/// The budget and the deadline of a message in fragments, which the decoder of frames does not see before it is whole.
struct Fragments {
    held: LongFrame,
    within: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// A WebSocket over a stream, of which `early` was read already. Messages are `most` bytes long, at most; one in fragments has to be complete
    /// `within` this time.
    pub(super) fn new(
        stream: Stream,
        early: Vec<u8>,
        most: usize,
        held: LongFrame,
        within: Duration,
        closing: CancellationToken,
    ) -> Self {
        Self {
            stream,
            incoming: Incoming::new(most),
            outgoing: Outgoing::default(),
            early,
            early_done: 0,
            decoded: Vec::new(),
            idle_frames: IdleFrames::default(),
            fragments: Fragments { held, within, deadline: None },
            is_writing: false,
            is_unflushed: false,
            is_at_end: false,
            has_closed: false,
            close_code: code::NORMAL,
            closing,
        }
    }

    /// The same, which will be closed with this code.
    pub(super) fn closed_with(mut self, code: u16) -> Self {
        self.close_code = code;
        self
    }

    /// What the close frame says.
    fn code(&self) -> Option<u16> {
        match self.incoming.ended {
            Some(Ended::ByClient(code)) => code,
            Some(Ended::Broken(code)) => Some(code),
            None if self.incoming.is_discarding() => Some(code::TOO_BIG),
            None if self.closing.is_cancelled() => Some(code::GOING_AWAY),
            None if !self.is_at_end && self.incoming.is_within(JOINING_FRAME) => {
                Some(code::TOO_BIG)
            }
            None => Some(self.close_code),
        }
    }

    /// Reads into a part of a buffer behind the headroom. Gives how many bytes are decoded at its beginning, and `None` at the end of the stream.
    fn poll_decode(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Option<usize>>> {
        let space = buffer.get_mut(HEADROOM..).unwrap_or_default();
        let is_early = !self.early.is_empty();
        let read = if !is_early {
            let mut space = ReadBuf::new(space);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut space))?;
            space.filled().len()
        } else {
            let early = self.early.get(self.early_done..).unwrap_or_default();
            // More than that would be copied for each message that ends in it.
            let read = early.len().min(space.len()).min(EARLY);
            for (place, byte) in space.iter_mut().zip(early.iter().take(read)) {
                *place = *byte;
            }
            read
        };
        if read == 0 {
            self.is_at_end = true;
            return Poll::Ready(Ok(None));
        }
        let Some(buffer) = buffer.get_mut(..HEADROOM + read) else { return Poll::Ready(Ok(None)) };
        let (written, at) = self.incoming.decode(buffer, HEADROOM);
        if is_early {
            self.early_done += at.saturating_sub(HEADROOM);
            if self.early_done >= self.early.len() {
                (self.early, self.early_done) = (Vec::new(), 0);
            }
        } else if let Some(rest @ [_, ..]) = buffer.get(at..) {
            self.early = rest.to_vec();
        }
        self.look_at_frames();
        Poll::Ready(Ok(Some(written)))
    }

    /// Bounds what is no message yet.
    fn look_at_frames(&mut self) {
        let idle = std::mem::take(&mut self.incoming.idle_frames);
        if idle > 0 && !self.idle_frames.admits(idle, Instant::now()) {
            self.incoming.fail(code::POLICY);
        }
        let held = self.incoming.held();
        let Fragments { held: budget, within, deadline } = &mut self.fragments;
        if budget.holds(held).is_err() {
            self.incoming.fail(code::TRY_AGAIN);
            let _ = budget.holds(0);
        }
        if held == 0 {
            *deadline = None;
        } else {
            deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(*within)));
        }
    }

    /// Writes what is pending, with an answer to the last ping.
    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.queue_pong();
        while !self.outgoing.pending.is_empty() {
            ready!(self.poll_slices(context, &[]))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the answer to a ping, unless it goes with what somebody else writes.
    fn answer_ping(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let is_due = self.incoming.pong.is_some() || !self.outgoing.pending.is_empty();
        if is_due && !self.is_writing && self.outgoing.is_at_border() {
            // Who reads is woken when there is room, and comes here again.
            if let Poll::Ready(done) = self.poll_pending(context) {
                done?;
                self.is_unflushed = true;
            }
        }
        if self.is_unflushed
            && !self.is_writing
            && let Poll::Ready(done) = Pin::new(&mut self.stream).poll_flush(context)
        {
            self.is_unflushed = false;
            done?;
        }
        Ok(())
    }

    fn queue_pong(&mut self) {
        if self.outgoing.is_at_border()
            && self.outgoing.pending.is_empty()
            && !self.has_closed
            && let Some(pong) = self.incoming.pong.take()
        {
            self.outgoing.pending = control(Opcode::Pong, &pong);
        }
    }

    /// Writes once. Gives how many bytes of the input these were, and 0 where it was only what is pending.
    fn poll_slices(
        &mut self,
        context: &mut Context<'_>,
        input: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let plan = self.outgoing.plan(input);
        let mut slices = slices();
        let count = plan.fill(&self.outgoing.pending, &mut slices);
        let stream = Pin::new(&mut self.stream);
        let written = ready!(match slices.get(..count) {
            None | Some([]) => return Poll::Ready(Ok(self.outgoing.written(&plan, 0))),
            Some([slice]) => stream.poll_write(context, slice),
            Some(slices) => stream.poll_write_vectored(context, slices),
        })?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        Poll::Ready(Ok(self.outgoing.written(&plan, written)))
    }

    /// After a close frame: reads until the client has answered it or gone. With input that nobody has read, the kernel would send a reset, and
    /// the client might never see the close frame.
    fn poll_last_reads(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while !matches!(self.incoming.ended, Some(Ended::ByClient(_))) {
            let space = buffer.initialize_unfilled();
            let mut own = [0; SMALL];
            let space = if space.len() < SMALL { &mut own } else { space };
            match ready!(self.poll_decode(context, space))? {
                None => break,
                Some(_) => (self.incoming.whole, self.decoded) = (None, Vec::new()),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Duplex for Socket {
    fn keep_unsent_small(&mut self) {
        self.stream.keep_unsent_small();
    }

    fn run_ahead(&mut self, ahead: Ahead) {
        self.stream.run_ahead(ahead);
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.has_closed {
            return this.poll_last_reads(context, buffer);
        }
        loop {
            if let Some(whole) = this.incoming.whole.take() {
                this.decoded = whole;
            }
            if !this.decoded.is_empty() {
                let most = this.decoded.len().min(buffer.remaining());
                buffer.put_slice(this.decoded.get(..most).unwrap_or_default());
                this.decoded.drain(..most);
                return Poll::Ready(Ok(()));
            }
            this.decoded = Vec::new();
            if this.incoming.ended.is_some() || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let is_small = buffer.remaining() < SMALL;
            let mut own = [0; SMALL];
            let space = if is_small { &mut own } else { buffer.initialize_unfilled() };
            let decoded = this.poll_decode(context, space);
            this.answer_ping(context)?;
            match decoded? {
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(written)) if is_small => {
                    this.decoded = own.get(..written).unwrap_or_default().to_vec();
                    // What comes out of fragments stands behind it.
                    this.decoded.extend(this.incoming.whole.take().into_iter().flatten());
                }
                Poll::Ready(Some(0)) => {}
                Poll::Ready(Some(written)) => {
                    buffer.advance(written);
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending => {
                    let overdue = &mut this.fragments.deadline;
                    let overdue = overdue.as_mut().map(|deadline| deadline.as_mut().poll(context));
                    if overdue.is_none_or(|overdue| overdue.is_pending()) {
                        return Poll::Pending;
                    }
                    this.incoming.fail(code::POLICY);
                }
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        input: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if input.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.queue_pong();
        loop {
            let poll = self.poll_slices(context, input);
            self.is_writing = poll.is_pending();
            let taken = ready!(poll)?;
            if taken > 0 {
                return Poll::Ready(Ok(taken));
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut poll = self.poll_pending(context);
        if matches!(poll, Poll::Ready(Ok(()))) {
            poll = Pin::new(&mut self.stream).poll_flush(context);
        }
        self.is_writing = poll.is_pending();
        self.is_unflushed &= self.is_writing;
        poll
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.has_closed {
            this.has_closed = true;
            // Behind half a message nothing else can be said.
            if this.outgoing.is_at_border() {
                let code = this.code().map(u16::to_be_bytes);
                let close = control(Opcode::Close, code.as_ref().map_or(&[], |code| &code[..]));
                this.outgoing.pending.extend_from_slice(&close);
            }
        }
        ready!(this.poll_pending(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
