//! The writing half of a connection: takes the frames after the member's cursor, and writes them.
//!
//! Frames on their way are kept in the [`Outbound`], not in its futures. A write can be cancelled at any moment, and the last
//! frames still begin at the border of a frame (FR-1).
//!
//! A member has a minimum of bytes to take while much waits for it, since what waits is memory of the server.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use chatterbox_hub::{Batch, Delivery, Removal};
use chatterbox_proto::capability::utf8;
use chatterbox_zstd::Codec;
use futures_util::FutureExt as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::chat::handle::{Handle, Seat};
use crate::net::context::Context;
use crate::net::long_work::LONG_WORK;
use crate::net::minimum_rate::MinimumRate;
use crate::net::transfers::{Slot, next_piece};

/// Why writing has ended.
#[derive(Debug)]
pub(super) enum WriteEnd {
    /// The hub has removed the member, or is going to: a slow consumer, whose write made no progress in time.
    Removed(Removal),
    Broken(io::Error),
}

impl From<io::Error> for WriteEnd {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// When a connection ends, no more than this is still queued for it, and no more than one batch that is its alone.
const LAST_BYTES: usize = 1024 * 1024;

/// When memory is short, a frame that is written partly is finished if this is enough for it.
const LAST_OF_FRAME: usize = 256 * 1024;

/// After so many parts it is noted how many are left.
const NOTED_PARTS: usize = 32;

/// A batch of this size takes milliseconds to assemble.
const LONG_BATCH: usize = 256 * 1024;

/// Adjacent pieces of a frame smaller than this are joined: each write costs a TLS record and a system call.
const SMALL: usize = 16 * 1024;

/// So many small parts are written together, at most.
const TOGETHER: usize = 16;

/// The escapes of so many bytes are undone at a time, when they are going to be written.
const UNESCAPED: usize = 16 * 1024;

/// A part of a frame.
#[derive(Debug)]
struct Part {
    bytes: Bytes,
    /// Whether escapes have to be undone before it is written (U8-1).
    is_escaped: bool,
    ends_frame: bool,
}

/// The queue and the writer of one member.
#[derive(Debug)]
pub(super) struct Outbound<W> {
    writer: W,
    member: Handle,
    stall_timeout: Duration,
    /// Parts to write; the first may be written partly.
    pending: VecDeque<Part>,
    /// Their bytes.
    pending_bytes: usize,
    /// How many parts were handed out together.
    parts: u32,
    /// The batch that the last of them are from, which counts as held until they are written.
    batch: Option<Batch>,
    /// Whether one before it, which is small, is this member's alone.
    has_own: bool,
    rate: MinimumRate,
    /// The frame of the first part is written partly.
    mid_frame: bool,
    /// The last delivery left nothing in the hub for this member.
    up_to_date: bool,
    /// From where pieces of files come, which are written when nothing else waits (FI-5).
    pieces: Option<Arc<Slot>>,
    /// Bytes that were written and are not counted yet.
    sent: usize,
    /// Messages that are queued or written and not counted yet, beside those of `batch`.
    delivered: u32,
}

impl<W: AsyncWrite + Unpin> Outbound<W> {
    /// Begins with the welcome, given as the pieces of one frame.
    pub(super) fn new(
        writer: W,
        member: Handle,
        stall_timeout: Duration,
        welcome: Vec<Bytes>,
        is_escaped: bool,
        pieces: Option<Arc<Slot>>,
    ) -> Self {
        let pending = joined(welcome, is_escaped);
        let pending_bytes = pending.iter().map(|part| part.bytes.len()).sum();
        let parts = count(&pending);
        Self {
            writer,
            member,
            stall_timeout,
            pending,
            pending_bytes,
            parts,
            batch: None,
            has_own: false,
            rate: MinimumRate::default(),
            mid_frame: false,
            up_to_date: false,
            pieces,
            sent: 0,
            delivered: 0,
        }
    }

    /// Writes until the connection fails. It may be cancelled and run again.
    pub(super) fn run(
        &mut self,
        seat: &mut Seat,
        context: &Context,
    ) -> impl Future<Output = WriteEnd> {
        self.run_for_ever(seat, context).map(|end| match end {
            Ok(never) => match never {},
            Err(end) => end,
        })
    }

    async fn run_for_ever(
        &mut self,
        seat: &mut Seat,
        context: &Context,
    ) -> Result<Infallible, WriteEnd> {
        loop {
            while !self.pending.is_empty() {
                self.write_some().await?;
            }
            if self.up_to_date {
                self.flush().await?;
                self.has_written();
                let piece = tokio::select! {
                    biased;
                    () = seat.pending() => None,
                    piece = next_piece(self.pieces.as_deref()) => Some(piece),
                };
                if piece.is_some() {
                    self.push_frames(piece);
                    continue;
                }
            }
            drop(self.take_written());
            self.has_own = false;
            let mut delivery = seat.take();
            loop {
                if let Delivery::Frames { frames, .. } = &delivery
                    && frames.size() > LONG_BATCH
                    && !frames.is_assembled()
                {
                    self.member.looks_later();
                    let assemble = context.long_work.on(frames.size(), || frames.frames().len());
                    Box::pin(assemble).await;
                }
                if let Delivery::Frames { frames, compressed: true, .. } = &delivery
                    && frames.size() > LONG_WORK
                    && !frames.is_compressed()
                {
                    self.member.looks_later();
                    let compress = || compressed_form(frames, &context.compressing.codec).len();
                    Box::pin(context.long_work.on(frames.size(), compress)).await;
                }
                if !self.queue(delivery, &context.compressing.codec)? {
                    break;
                }
                delivery = seat.take_more();
            }
        }
    }

    /// Queues what was taken; says whether more can be written together with it. When much happens, the others were handed many
    /// small batches, one after the other.
    fn queue(&mut self, delivery: Delivery, codec: &Codec) -> Result<bool, WriteEnd> {
        match delivery {
            Delivery::Frames { frames, compressed, more } => {
                self.push_batch(frames, compressed.then_some(codec));
                self.up_to_date = !more;
                Ok(more && self.pending_bytes < SMALL)
            }
            Delivery::UpToDate => {
                self.up_to_date = true;
                Ok(false)
            }
            Delivery::Removed(why) => Err(WriteEnd::Removed(why)),
        }
    }

    /// Lets go of what was written, before it waits for more.
    fn has_written(&mut self) {
        // What others get as well does not count as this member's, and is not worth the lock: nearly everything is of that kind.
        let (batch, has_own) = (self.take_written(), std::mem::take(&mut self.has_own));
        let is_noted = has_own || batch.is_none_or(|batch| !batch.is_shared());
        if is_noted && self.parts > 0 {
            self.member.has_written();
        }
        self.parts = 0;
        // Its memory is small, but there is one for each connection.
        self.pending = VecDeque::new();
    }

    /// Gives the last batch when all that was queued is written, and counts that.
    fn take_written(&mut self) -> Option<Batch> {
        let batch = self.batch.take();
        self.delivered += batch.as_ref().map_or(0, Batch::messages);
        self.count();
        batch
    }

    /// Counts what was written. All connections share these counters, so each adds to them once for many writes.
    fn count(&mut self) {
        let (sent, delivered) =
            (std::mem::take(&mut self.sent), std::mem::take(&mut self.delivered));
        self.member.chat().traffic().written(sent, delivered);
    }

    /// Queues a batch, in its compressed form with a codec.
    fn push_batch(&mut self, batch: Batch, codec: Option<&Codec>) {
        let frames = match codec {
            None => batch.frames(),
            Some(codec) => compressed_form(&batch, codec),
        };
        self.push_frames(frames.iter().cloned());
        self.parts = count(&self.pending);
        if let Some(before) = self.batch.replace(batch) {
            self.has_own |= !before.is_shared();
            // It is written together with what comes behind it.
            self.delivered += before.messages();
        }
    }

    fn push_frames(&mut self, frames: impl IntoIterator<Item = Bytes>) {
        for bytes in frames {
            self.pending_bytes += bytes.len();
            self.pending.push_back(Part { bytes, is_escaped: false, ends_frame: true });
        }
    }

    /// Undoes the escapes at the beginning of the first part, so that it can be written.
    fn unescape_first(&mut self) {
        let Some(part) = self.pending.front_mut().filter(|part| part.is_escaped) else { return };
        let (unescaped, used) = utf8::unescaped_part(&part.bytes, UNESCAPED);
        let bytes = match unescaped {
            Cow::Borrowed(_) => part.bytes.slice(..used),
            Cow::Owned(unescaped) => unescaped.into(),
        };
        self.pending_bytes -= used - bytes.len();
        part.bytes.advance(used);
        let is_last = part.bytes.is_empty();
        let first = Part { bytes, is_escaped: false, ends_frame: is_last && part.ends_frame };
        if is_last {
            self.pending.pop_front();
        }
        self.pending.push_front(first);
    }

    /// Writes as much of the first parts as the socket takes at once, before the stall timeout.
    async fn write_some(&mut self) -> Result<(), WriteEnd> {
        self.unescape_first();
        let Self { writer, pending, .. } = self;
        let write = poll_fn(|context| poll_write(writer, pending, context));
        let written = in_time(write, &self.member, self.stall_timeout).await?;
        if written == 0 {
            return Err(WriteEnd::Broken(io::ErrorKind::WriteZero.into()));
        }
        self.sent += written;
        let is_whole = self.advance(written);
        if !is_whole || (self.mid_frame && self.pending.len().is_multiple_of(NOTED_PARTS)) {
            self.member.progressed(self.pending.len(), self.parts as usize);
        }
        if !self.rate.is_kept(written, self.pending_bytes) {
            return Err(WriteEnd::Removed(Removal::TooSlow));
        }
        Ok(())
    }

    /// Drops so many bytes of the first parts, and says whether the last of these was written wholly.
    fn advance(&mut self, mut written: usize) -> bool {
        while let Some(part) = self.pending.front_mut() {
            let of_part = written.min(part.bytes.len());
            part.bytes.advance(of_part);
            self.pending_bytes -= of_part;
            written -= of_part;
            let is_whole = part.bytes.is_empty();
            self.mid_frame = !(is_whole && part.ends_frame);
            if is_whole {
                self.pending.pop_front();
            }
            if written == 0 || !is_whole {
                return is_whole;
            }
        }
        true
    }

    async fn flush(&mut self) -> Result<(), WriteEnd> {
        in_time(self.writer.flush(), &self.member, self.stall_timeout).await
    }

    /// Queues what is left for the member in the hub.
    pub(super) fn queue_rest(&mut self, seat: &Seat) {
        let mut size = 0;
        while size < LAST_BYTES {
            let Delivery::Frames { frames, .. } = seat.take_more() else { break };
            let is_shared = frames.is_shared();
            size += frames.frames().iter().map(Bytes::len).sum::<usize>();
            self.push_batch(frames, None);
            if !is_shared {
                break;
            }
        }
    }

    /// Queues the last frame behind all that waits.
    pub(super) fn push_last(&mut self, last: Option<Bytes>) {
        self.push_frames(last);
    }

    /// Replaces everything but the frame that is written partly by the last frame, with the reason for the end (AS-3).
    pub(super) fn replace_pending(&mut self, last: Option<Bytes>) {
        let frame_ends = self.pending.iter().position(|part| part.ends_frame);
        let rest_of_frame = if self.mid_frame { frame_ends.map_or(0, |end| end + 1) } else { 0 };
        self.pending.truncate(rest_of_frame);
        // What they were to deliver is not.
        (self.batch, self.delivered) = (None, 0);
        self.push_last(last);
    }

    /// The same where memory is short: what is left of a long frame is dropped as well, and so is the reason then, since it could
    /// not be read behind half a frame.
    pub(super) fn drop_pending(&mut self, last: Option<Bytes>) {
        let frame_ends = self.pending.iter().position(|part| part.ends_frame);
        let rest = self.pending.iter().take(frame_ends.map_or(0, |end| end + 1));
        if self.mid_frame && rest.map(|part| part.bytes.len()).sum::<usize>() > LAST_OF_FRAME {
            self.pending = VecDeque::new();
            (self.batch, self.delivered) = (None, 0);
        } else {
            self.replace_pending(last);
        }
    }

    /// Writes the queue until this time is over; the rest is dropped.
    pub(super) async fn finish(&mut self, within: Duration) {
        match tokio::time::timeout(within, self.write_rest()).await {
            Ok(Ok(())) => drop(self.take_written()),
            _ => {
                self.delivered = 0;
                self.count();
            }
        }
    }

    async fn write_rest(&mut self) -> io::Result<()> {
        loop {
            self.unescape_first();
            let Some(part) = self.pending.front() else { break };
            let written = self.writer.write(&part.bytes).await?;
            if written == 0 && !part.bytes.is_empty() {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.sent += written;
            self.advance(written);
        }
        self.writer.flush().await
    }
}

/// Writes the first part, or several small ones. The slices live no longer than one poll: every connection has this future.
fn poll_write<W: AsyncWrite + Unpin>(
    writer: &mut W,
    parts: &VecDeque<Part>,
    context: &mut task::Context<'_>,
) -> Poll<io::Result<usize>> {
    let is_small = |part: &&Part| !part.is_escaped && part.bytes.len() < SMALL;
    let mut slices = [IoSlice::new(&[]); TOGETHER];
    let mut count = 0;
    for (slice, part) in slices.iter_mut().zip(parts.iter().take_while(is_small)) {
        *slice = IoSlice::new(&part.bytes);
        count += 1;
    }
    let first = parts.front().map_or(&[][..], |part| &part.bytes);
    match slices.get(..count) {
        Some(several @ [_, _, ..]) => Pin::new(writer).poll_write_vectored(context, several),
        _ => Pin::new(writer).poll_write(context, first),
    }
}

/// Awaits a write, unless the member is removed or the stall timeout passes.
///
/// Nearly every write completes at the first poll, which then costs neither a timer nor a look at the wake flag.
async fn in_time<T>(
    write: impl Future<Output = io::Result<T>>,
    member: &Handle,
    stall_timeout: Duration,
) -> Result<T, WriteEnd> {
    let mut write = pin!(write);
    if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(write.as_mut().poll(context))).await {
        return Ok(done?);
    }
    member.looks_later();
    // Boxed: each connection has the memory of the future above, and few are blocked.
    Box::pin(unblocked(write, member, stall_timeout)).await
}

/// Awaits a write that is blocked.
async fn unblocked<T>(
    write: impl Future<Output = io::Result<T>>,
    member: &Handle,
    stall_timeout: Duration,
) -> Result<T, WriteEnd> {
    tokio::select! {
        biased;
        done = write => Ok(done?),
        why = member.removed() => Err(WriteEnd::Removed(why)),
        () = tokio::time::sleep(stall_timeout) => Err(WriteEnd::Removed(Removal::TooSlow)),
    }
}

/// The compressed form of a batch, which is made once for all who take it.
fn compressed_form<'b>(batch: &'b Batch, codec: &Codec) -> &'b [Bytes] {
    batch.compressed(|body| codec.compressed(body))
}

/// How many parts there are; a number that is kept for each connection is small.
fn count(parts: &VecDeque<Part>) -> u32 {
    u32::try_from(parts.len()).unwrap_or(u32::MAX)
}

/// The pieces of one frame, with small neighbours joined.
fn joined(pieces: Vec<Bytes>, is_escaped: bool) -> VecDeque<Part> {
    let mut parts: VecDeque<Part> = VecDeque::new();
    let mut small = BytesMut::new();
    let mut push = |bytes| parts.push_back(Part { bytes, is_escaped, ends_frame: false });
    for piece in pieces {
        if piece.len() < SMALL {
            small.extend_from_slice(&piece);
        }
        if !small.is_empty() && (piece.len() >= SMALL || small.len() >= SMALL) {
            push(small.split().freeze());
        }
        if piece.len() >= SMALL {
            push(piece);
        }
    }
    if !small.is_empty() {
        push(small.freeze());
    }
    if let Some(last) = parts.back_mut() {
        last.ends_frame = true;
    }
    parts
}

#[cfg(test)]
mod tests;
