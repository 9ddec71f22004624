//! The reading half of a joined connection: turns the frames of a member into posts and answers.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::capability::zstd;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::{JoinedAction, JoinedSession};
use chatterbox_proto::{Capability, ClientFrame, Code, Username, limits};
use tokio::io::AsyncRead;

use crate::access::RenameRequest;
use crate::chat::handle::Handle;
use crate::chat::short_queue;
use crate::net::context::Context;
use crate::net::inbound::Inbound;
use crate::net::input_pace::InputPace;
use crate::net::long_frame::LongFrame;
use crate::net::long_work::LONG_WORK;
use crate::net::read_buffer::{self, READ};
use crate::net::stream::End;

/// So much is read ahead while a frame is worked off.
const READ_AHEAD: usize = 16 * 1024;

/// A client that has closed its half is looked at so often: it may still read its answers, or have hung up.
const STILL_READING: Duration = Duration::from_secs(5);

/// Answers that were waiting all the time between so many looks are read by nobody.
const LOOKS: u32 = 2;

/// The next frame of a member waits so long after one that flood control has refused.
const REFUSED: Duration = Duration::from_millis(5);

/// So much of a member's frames is worked off before others get their turn, in units of [`turn_of`].
const TURN: u32 = 64;

/// So many bytes of a frame count as another frame: a turn is 64 short frames, or 32 KiB of them.
const TURN_PIECE: usize = 512;

/// Messages under the old name are accepted for this long after a rename, in milliseconds (RN-3).
const OLD_NAME_GRACE: u64 = 10_000;

/// The reading half of a connection.
pub(super) struct Reader<R> {
    pub(super) rename_requests: Option<short_queue::Receiver<RenameRequest>>,
    pub(super) reader: R,
    pub(super) decoder: Decoder,
    /// The end of the input, when it was read ahead.
    pub(super) end: Option<End>,
    pub(super) session: JoinedSession,
    pub(super) inbound: Inbound,
    pub(super) long_frame: LongFrame,
    /// The frame with the name, if there are messages in it. They are posted when somebody writes the welcome.
    pub(super) first: Option<Box<Bytes>>,
    /// Boxed: the tasks of connections stay small.
    pub(super) pace: Option<Box<InputPace>>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) async fn run(&mut self, context: &Context) -> End {
        self.count_what_came_along();
        if let Some(body) = self.first.take() {
            Box::pin(self.first(&body, context)).await;
        }
        let mut worked_off = 0_u32;
        loop {
            while let Some(body) = self.next_body() {
                let bytes = if self.is_compressed(&body) {
                    // Boxed: the tasks of connections stay small.
                    Box::pin(self.compressed_frame(&body, context)).await
                } else {
                    self.frame(&body, context).await;
                    body.len()
                };
                self.pace(bytes, context).await;
                worked_off = worked_off.saturating_add(turn_of(bytes));
                if worked_off >= TURN {
                    worked_off = 0;
                    // A frame without an answer waits for nothing, and nor does the read behind it where more has
                    // come already: without this one poll takes thousands of them, and others wait for it.
                    tokio::task::yield_now().await;
                }
            }
            if let Some(End::FrameTooLong) = &self.end {
                return Box::pin(self.refuse(Code::FrameTooLong, End::FrameTooLong)).await;
            }
            self.deliver().await;
            if self.long_frame.holds(self.decoder.pending()).is_err() {
                // Who sent it can't know how much the others send, so its connection goes on.
                self.decoder.discard_frame();
                let _ = self.long_frame.holds(self.decoder.pending());
                self.inbound.faults.note(|| Code::TooManyLongFrames.into());
                self.deliver().await;
            }
            if self.decoder.has_body() {
                continue;
            }
            if let Some(end) = self.end.take() {
                return end;
            }
            let read = tokio::select! {
                read = read_buffer::read_frames(&mut self.reader, &mut self.decoder, READ) => read,
                rename = next(&mut self.rename_requests) => {
                    Box::pin(self.rename(rename)).await;
                    continue;
                }
                () = self.long_frame.overdue() => {
                    return Box::pin(self.refuse(Code::FrameTimeout, End::LongFrame)).await;
                }
            };
            self.end = end_of_input(read, self.inbound.member());
        }
    }

    /// The next frame that is complete. One that is too long is the end.
    fn next_body(&mut self) -> Option<Bytes> {
        match self.decoder.next_body() {
            Ok(body) => {
                if body.is_some() {
                    self.long_frame.complete();
                }
                body
            }
            Err(_) => {
                self.end = Some(End::FrameTooLong);
                None
            }
        }
    }

    /// Counts what has come together with the name: what is read from now on counts as it comes.
    fn count_what_came_along(&self) {
        let first = self.first.as_ref().map_or(0, |body| limits::PREFIX + body.len());
        self.inbound.member().chat().traffic().received(first + self.decoder.pending());
    }

    /// Processes one frame.
    async fn frame(&mut self, body: &Bytes, context: &Context) {
        self.look_at_name();
        if self.session.has_former_names() {
            self.session.forget_names(self.inbound.member().chat().now());
        }
        if body.len() > LONG_WORK {
            // Boxed: most frames are short, and the tasks of connections stay small.
            return Box::pin(self.long_frame(body, context)).await;
        }
        let frame = ClientFrame::parse_as(body, self.session.known());
        let actions = self.session.receive(frame);
        if actions.iter().any(|action| matches!(action, JoinedAction::ReadOn(_))) {
            return Box::pin(self.work_off(actions, context)).await;
        }
        self.inbound.take(actions);
        if self.inbound.is_due() {
            self.deliver().await;
        }
    }

    fn is_compressed(&self, body: &Bytes) -> bool {
        self.session.agreed().has(Capability::Zstd) && zstd::is_compressed(body)
    }

    /// Processes a compressed frame, and says how many bytes count as sent: those that were inflated for it (ZS-2).
    async fn compressed_frame(&mut self, body: &Bytes, context: &Context) -> usize {
        let limit = self.decoder.limit();
        // Looking through millions of empty blocks takes milliseconds, too.
        let look = || zstd::inflated_size(body, limit);
        let (bytes, inflated) =
            match context.long_work.for_reader(self.inbound.member(), body.len(), look).await {
                // It takes memory as if it had come plain, until it is worked off.
                Ok(size) if self.long_frame.holds(body.len() + size).is_err() => {
                    (body.len(), Err(Code::TooManyLongFrames))
                }
                Ok(size) => {
                    // It is complete: only its deadline is over.
                    self.long_frame.complete();
                    let bytes = size.max(body.len());
                    let inflate = || context.compressing.codec.inflated(body, limit);
                    let inflated =
                        context.long_work.for_reader(self.inbound.member(), bytes, inflate).await;
                    (bytes, inflated.map_err(Code::BadZstd))
                }
                Err(bad) => (body.len(), Err(Code::BadZstd(bad))),
            };
        match inflated {
            Ok(inflated) => self.frame(&inflated, context).await,
            // The connection goes on: where the next frame begins is known.
            Err(code) => self.inbound.faults.note(|| code.into()),
        }
        bytes
    }

    /// Waits when much has come from this address: what its members have sent is delivered first, and others get their turns.
    async fn pace(&mut self, bytes: usize, context: &Context) {
        let flooded = self.inbound.take_flooded();
        let Some(pace) = &mut self.pace else { return };
        let posted = std::mem::take(&mut self.inbound.posted);
        let wait = pace.wait(bytes, posted, self.inbound.member().chat().now(), &context.input);
        // Who floods is answered for each frame, which costs more than to send it.
        let wait = wait.max(REFUSED.saturating_mul(flooded));
        if !wait.is_zero() {
            self.deliver().await;
            let member = self.inbound.member().clone();
            let waiting = tokio::time::sleep(wait);
            let reader = (&mut self.reader, &mut self.decoder, &mut self.end);
            Box::pin(while_reading_ahead(waiting, &member, reader.0, reader.1, reader.2)).await;
        }
    }

    /// The same for a long one.
    async fn long_frame(&mut self, body: &Bytes, context: &Context) {
        let known = self.session.known();
        let parse = || ClientFrame::parse_as(body, known);
        let frame = context.long_work.for_reader(self.inbound.member(), body.len(), parse).await;
        let actions = self.session.receive(frame);
        self.work_off(actions, context).await;
    }

    /// The same for the messages of the frame with the name, which is limited to 64 KiB: all else in it is done.
    async fn first(&mut self, body: &Bytes, context: &Context) {
        self.look_at_name();
        let Ok(frame) = ClientFrame::parse(body) else { return };
        let rest = ClientFrame { username: None, keys: None, ..frame };
        let actions = self.session.receive(Ok(rest));
        self.work_off(actions, context).await;
        self.deliver().await;
    }

    /// Posts the messages of a frame a few at a time: it may hold many, or long ones.
    async fn work_off(&mut self, actions: Vec<JoinedAction<'_>>, context: &Context) {
        let member = self.inbound.member().clone();
        let working = self.inbound.work_off(actions, &self.session, &context.long_work);
        while_reading_ahead(working, &member, &mut self.reader, &mut self.decoder, &mut self.end)
            .await;
        if self.inbound.is_due() {
            self.deliver().await;
        }
    }

    /// Renames the member, between two of its frames.
    async fn rename(&mut self, request: RenameRequest) {
        let member = self.inbound.member();
        let name = request.rename.name.clone();
        let outcome = member.rename(request.rename).await;
        if outcome.is_ok() {
            self.is_called(name);
        }
        // The handler may have ended meanwhile.
        let _ = request.done.send(outcome);
    }

    /// Takes the name that another device of the user has asked for, if there is one.
    fn look_at_name(&mut self) {
        if let Some(name) = self.inbound.member().take_new_name() {
            self.is_called(name);
        }
    }

    /// The member has this name from now on, which another device of its user may have asked for.
    fn is_called(&mut self, name: Username) {
        if self.session.name().as_str() == name.as_str() {
            return;
        }
        let until = self.inbound.member().chat().now().saturating_add(OLD_NAME_GRACE);
        if self.session.agreed().has(Capability::Rename) {
            return self.session.renamed(name, until);
        }
        // It reads of no changes of name, so it goes on under the one that it has joined under (DV-2). A session keeps a few
        // former names, the newest: that one is made the newest of them each time.
        let current = self.session.name();
        let joined_as = self.inbound.joined_as(current);
        if let Some(joined_as) = joined_as.filter(|one| one.as_str() != current.as_str()) {
            self.session.renamed(joined_as, until);
        }
        self.session.renamed(name, u64::MAX);
    }

    async fn refuse(&mut self, code: Code, end: End) -> End {
        // Who agreed to `notices` is told in the last frame, with the reason for programs (NO-3).
        if !self.session.agreed().has(Capability::Notices) {
            self.inbound.faults.note(|| code.into());
        }
        self.deliver().await;
        end
    }

    async fn deliver(&mut self) {
        if !self.inbound.is_empty() {
            let member = self.inbound.member().clone();
            let working = self.inbound.deliver();
            let reader = (&mut self.reader, &mut self.decoder, &mut self.end);
            // Boxed: most members are silent most of the time, and their tasks stay small.
            Box::pin(while_reading_ahead(working, &member, reader.0, reader.1, reader.2)).await;
        }
    }
}

/// How much of a turn a frame of so many bytes is.
fn turn_of(bytes: usize) -> u32 {
    u32::try_from(bytes / TURN_PIECE).map_or(TURN, |pieces| pieces.saturating_add(1))
}

/// Does some work that may wait for the member to read its answers. A little of its further input is read meanwhile, so that
/// it is seen when the member hangs up: it would stay in the room, and its name be taken, for as long as the work waits.
async fn while_reading_ahead<R: AsyncRead + Unpin, T>(
    working: impl Future<Output = T>,
    member: &Handle,
    reader: &mut R,
    decoder: &mut Decoder,
    end: &mut Option<End>,
) -> T {
    let mut working = pin!(working);
    while end.is_none() && decoder.pending() < READ_AHEAD {
        tokio::select! {
            biased;
            done = &mut working => return done,
            read = read_buffer::read_frames(reader, decoder, READ_AHEAD) => {
                *end = end_of_input(read, member);
            }
        }
    }
    if end.is_some() {
        tokio::select! {
            biased;
            // Before the work: that may fill the room at once which the member has made.
            () = stopped_reading(member) => member.mute(),
            done = &mut working => return done,
        }
    }
    working.await
}

/// Waits until a member whose input has ended has not read its answers for a while. One that has only closed its half reads
/// them, however long its last frame takes.
async fn stopped_reading(member: &Handle) {
    let mut waiting = 0;
    while waiting < LOOKS {
        let look = tokio::time::sleep(STILL_READING);
        let read = tokio::time::timeout(STILL_READING, member.room());
        let ((), read) = tokio::join!(look, read);
        waiting = if read.is_ok() { 0 } else { waiting + 1 };
    }
}

/// Counts what was read, and says whether nothing comes after it, and why.
fn end_of_input(read: io::Result<usize>, member: &Handle) -> Option<End> {
    match read {
        Ok(0) => Some(End::Closed),
        Ok(bytes) => {
            member.chat().traffic().received(bytes);
            None
        }
        // TLS without a close notify: many clients drop the connection, which is leaving too (LV-1).
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(End::Closed),
        Err(error) => Some(End::Broken(error)),
    }
}

/// The next rename; pending for ever without a handler.
async fn next(requests: &mut Option<short_queue::Receiver<RenameRequest>>) -> RenameRequest {
    if let Some(requests) = requests
        && let Some(rename) = requests.recv().await
    {
        return rename;
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests;
