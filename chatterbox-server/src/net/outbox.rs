//! The way out: from a member's cursor to its socket, one write for whatever is waiting.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::{Code, Fault, server_frame};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::chat::{Handle, Seat};
use crate::hub::Taken;

/// Why nothing more is written.
#[derive(Debug)]
pub(super) enum WriteEnd {
    /// The member has been removed, or has taken nothing for too long.
    TooSlow,
    /// The connection is broken.
    Broken(io::Error),
}

impl From<io::Error> for WriteEnd {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// A member who is removed for being slow has this long to take the news.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// When a connection ends, no more than this is still written to it.
const LAST_BYTES: usize = 1024 * 1024;

/// Writes one member's frames.
#[derive(Debug)]
pub(super) struct Outbox<W> {
    writer: W,
    member: Handle,
    stall_timeout: Duration,
}

impl<W: AsyncWrite + Unpin> Outbox<W> {
    pub(super) fn new(writer: W, member: Handle, stall_timeout: Duration) -> Self {
        Self { writer, member, stall_timeout }
    }

    /// Writes the welcome, then whatever comes, until the connection can't be written to any more.
    pub(super) async fn run(&mut self, welcome: Vec<Bytes>, seat: &mut Seat) -> WriteEnd {
        match self.write_for_ever(welcome, seat).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn write_for_ever(
        &mut self,
        welcome: Vec<Bytes>,
        seat: &mut Seat,
    ) -> Result<std::convert::Infallible, WriteEnd> {
        for piece in welcome {
            self.write(&piece).await?;
        }
        loop {
            match seat.take() {
                Taken::Batch(frames) => {
                    for frame in frames.iter() {
                        self.write(frame).await?;
                    }
                }
                Taken::Nothing => {
                    self.flush().await?;
                    seat.news().await;
                }
                Taken::Gone => {
                    self.tell_too_slow(&[]).await;
                    return Err(WriteEnd::TooSlow);
                }
            }
        }
    }

    /// Writes all of a piece, for as long as at least some of it gets away in time.
    async fn write(&mut self, piece: &[u8]) -> Result<(), WriteEnd> {
        let mut rest = piece;
        while !rest.is_empty() {
            let written = tokio::select! {
                biased;
                written = self.writer.write(rest) => written?,
                () = self.member.overtaken() => {
                    self.tell_too_slow(rest).await;
                    return Err(WriteEnd::TooSlow);
                }
                () = tokio::time::sleep(self.stall_timeout) => {
                    self.tell_too_slow(rest).await;
                    return Err(WriteEnd::TooSlow);
                }
            };
            if written == 0 {
                return Err(WriteEnd::Broken(io::ErrorKind::WriteZero.into()));
            }
            rest = rest.get(written..).unwrap_or_default();
            if !rest.is_empty() {
                self.member.progressed();
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), WriteEnd> {
        tokio::select! {
            biased;
            flushed = self.writer.flush() => Ok(flushed?),
            () = self.member.overtaken() => Err(WriteEnd::TooSlow),
            () = tokio::time::sleep(self.stall_timeout) => Err(WriteEnd::TooSlow),
        }
    }

    /// Tries to say why, behind the rest of the frame that is on its way.
    async fn tell_too_slow(&mut self, rest: &[u8]) {
        let last = server_frame::error(&[Fault::frame(Code::TooSlow)]).unwrap_or_default();
        let _ = tokio::time::timeout(LAST_WORDS, async {
            self.writer.write_all(rest).await?;
            self.writer.write_all(&last).await?;
            self.writer.flush().await
        })
        .await;
    }
}

/// What is waiting for a member whose connection ends, as far as it is worth waiting for.
pub(super) fn last_words(seat: &Seat) -> Vec<Bytes> {
    let mut words = Vec::new();
    let mut size = 0;
    while size < LAST_BYTES {
        let Taken::Batch(frames) = seat.take() else { break };
        size += frames.iter().map(Bytes::len).sum::<usize>();
        words.extend(frames.iter().cloned());
    }
    words
}
