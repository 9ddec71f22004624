//! Passes one direction of a connection on so that the other end reads what it would have read without
//! the proxy.
//!
//! A proxy that hands on whatever a read brought glues frames that were written apart, and a client
//! that can't take these apart fails where it works directly, or does not, as the machine's load has
//! it. So what one side wrote at once (a TLS record) stays together, a frame is handed on when it is
//! complete, and the next one waits until the frame before it was read. Without TLS nobody can see what
//! was written at once: frames are kept apart there.

use std::{io, time::Duration};

use conformance_kit::{clock::Clock, wire::prefix::Prefix};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{sleep, timeout},
};

use super::boundary::Boundary;
use crate::connection::Unread;

/// How long a frame that has begun is waited for before its beginning is passed on alone.
const STALLED: Duration = Duration::from_millis(60);

/// How long the other end may keep what it has read before it looks at it.
const MOMENT: Duration = Duration::from_millis(40);

/// One direction.
pub(super) struct Relay {
    /// How its lengths are written.
    pub(super) prefix: Prefix,
    /// Whether a read is what was written at once.
    pub(super) records: bool,
    /// The socket of the receiver.
    pub(super) unread: Option<Unread>,
    /// How long a receiver that does not read is waited for.
    pub(super) patience: Duration,
}

/// How one direction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The sender has closed it.
    Sender,
    /// The receiver takes nothing any more.
    Receiver,
}

impl Relay {
    /// Passes everything on, and shows it to `see` before.
    pub(super) async fn run(
        self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        mut see: impl FnMut(&[u8]),
    ) -> Ended {
        let mut boundary = Boundary::new(self.prefix);
        let mut passed = None;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let stalled = boundary.is_inside().then_some(STALLED);
            let read = match stalled {
                Some(stalled) => match timeout(stalled, from.read(&mut buffer)).await {
                    Ok(read) => read,
                    Err(_) => {
                        if to.flush().await.is_err() {
                            return Ended::Receiver;
                        }
                        from.read(&mut buffer).await
                    }
                },
                None => from.read(&mut buffer).await,
            };
            let Ok(count @ 1..) = read else {
                // The beginning of a frame that never ends is passed on, too.
                let _ = to.flush().await;
                return Ended::Sender;
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            see(bytes);
            if self.pass(bytes, &mut boundary, &mut passed, &mut to).await.is_err() {
                return Ended::Receiver;
            }
        }
    }

    async fn pass(
        &self,
        bytes: &[u8],
        boundary: &mut Boundary,
        passed: &mut Option<Clock>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if !boundary.is_inside() {
                self.apart(*passed).await;
            }
            let mut count = boundary.take(rest);
            while self.records && count < rest.len() {
                count += boundary.take(rest.get(count..).unwrap_or_default());
            }
            let (piece, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            to.write_all(piece).await?;
            if !boundary.is_inside() {
                to.flush().await?;
                *passed = Some(Clock::start());
            }
            rest = behind;
        }
        Ok(())
    }

    /// Waits until what was passed on before is read, so that the next frame comes in a read of its
    /// own.
    async fn apart(&self, passed: Option<Clock>) {
        let Some(passed) = passed else { return };
        if let Some(unread) = self.unread {
            unread.read(self.patience).await;
        }
        sleep(MOMENT.saturating_sub(passed.elapsed())).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, BufWriter, duplex};

    use super::*;

    fn relay(records: bool) -> Relay {
        let patience = Duration::from_secs(1);
        Relay { prefix: Prefix::NETWORK, records, unread: None, patience }
    }

    /// What the reads of the receiver bring when the sender writes these at the same moment.
    async fn reads(records: bool, writes: &[Vec<u8>]) -> Vec<usize> {
        let (mut sender, from) = duplex(4096);
        let (to, mut receiver) = duplex(4096);
        let writing = async {
            for bytes in writes {
                sender.write_all(bytes).await.unwrap();
            }
            drop(sender);
        };
        let reading = async {
            let (mut sizes, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(count @ 1..) = receiver.read(&mut buffer).await {
                sizes.push(count);
            }
            sizes
        };
        let ((), ended, sizes) =
            tokio::join!(writing, relay(records).run(from, BufWriter::new(to), |_| {}), reading);
        assert_eq!(ended, Ended::Sender);
        sizes
    }

    #[tokio::test]
    async fn what_was_written_at_once_stays_together_only_where_that_can_be_seen() {
        let frames = [&b"{}"[..], b"[1]", b"[22]"].map(|body| Prefix::NETWORK.frame(body));
        assert_eq!(reads(true, &[frames.concat()]).await, [6 + 7 + 8]);
        assert_eq!(reads(false, &[frames.concat()]).await, [6, 7, 8]);
    }

    #[tokio::test]
    async fn the_pieces_of_a_frame_are_handed_on_together() {
        let frame = Prefix::NETWORK.frame(b"[1, 2, 3]");
        let (head, body) = frame.split_at(4);
        for records in [true, false] {
            assert_eq!(reads(records, &[head.to_vec(), body.to_vec()]).await, [frame.len()]);
        }
    }

    #[tokio::test]
    async fn a_frame_that_stops_half_way_is_not_kept() {
        let frame = Prefix::NETWORK.frame(b"[1, 2, 3]");
        assert_eq!(reads(true, &[frame[..7].to_vec()]).await, [7]);
    }
}
