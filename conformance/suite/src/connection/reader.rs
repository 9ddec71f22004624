//! The reading half of a connection: a task that drains the socket, so that a case which is busy
//! elsewhere never becomes the slow reader that it does not mean to be.

use std::time::Duration;

use conformance_kit::{
    net::{dial::Duplex, remarks::Remarks},
    trace::{Kind, Trace},
    wire::{
        decoder::{Body, Decoder, Step},
        frame::Frame,
        prefix::Prefix,
    },
};
use tokio::{
    io::{AsyncReadExt as _, ReadHalf},
    sync::mpsc::UnboundedSender,
    time::timeout,
};

/// One piece of what a connection receives.
#[derive(Debug)]
pub(crate) enum Incoming {
    Frame(Frame),
    /// The end, and how it came.
    Closed(String),
}

/// Judges the frames of a connection for one side.
pub(crate) trait Observer: Send + Sync + 'static {
    /// The other end in words.
    const PEER: &'static str;
    /// How a connection that broke is told of.
    const BROKE: &'static str;
    /// The most bytes that one connection may bring; whoever sends more is not read any further.
    const MOST_BYTES: usize;
    /// How much is read at once.
    const BUFFER: usize;

    /// How long something that must come may take.
    fn patience(&self) -> Duration;

    /// How lengths are written; `None` before that is known.
    fn prefix(&self) -> Option<Prefix>;

    /// Recognises by the first bytes how lengths are written.
    fn recognise(&self, _bytes: &[u8]) -> Prefix {
        Prefix::NETWORK
    }

    /// Reads a frame, and judges it.
    fn frame(&self, body: Body) -> Frame;

    /// Charges a length that no frame can have, and says what was announced.
    fn absurd(&self, length: u32) -> String;
}

/// Reads one connection to its end.
pub(super) struct Reader<O> {
    pub(super) observer: O,
    /// The name of the connection in the trace.
    pub(super) role: String,
    pub(super) trace: Trace,
    pub(super) sink: UnboundedSender<Incoming>,
    /// What the layers below have to tell.
    pub(super) remarks: Remarks,
}

impl<O: Observer> Reader<O> {
    pub(super) async fn run(self, half: ReadHalf<Box<dyn Duplex>>) {
        let end = self.read(half).await;
        self.trace.note(&self.role, Kind::Closed, &end);
        // The peer may be gone already; then nobody wants to know.
        let _ = self.sink.send(Incoming::Closed(end));
    }

    async fn read(&self, mut half: ReadHalf<Box<dyn Duplex>>) -> String {
        let mut prefix = self.observer.prefix();
        let mut decoder = Decoder::new(prefix.unwrap_or(Prefix::NETWORK));
        let mut buffer = vec![0; O::BUFFER];
        let mut total = 0_usize;
        loop {
            // A frame that stays incomplete for so long has a length that is too large, or comes
            // from a subject that is stuck; the first can be told from what is there.
            let quiet = self.observer.patience().mul_f64(0.4).max(Duration::from_millis(150));
            let read = if decoder.is_partial() {
                match timeout(quiet, half.read(&mut buffer)).await {
                    Ok(read) => read,
                    Err(_) => match decoder.flush() {
                        Some(body) => {
                            self.deliver(body);
                            continue;
                        }
                        None => half.read(&mut buffer).await,
                    },
                }
            } else {
                half.read(&mut buffer).await
            };
            for remark in self.remarks.take() {
                self.trace.note(&self.role, Kind::Note, &remark);
            }
            let bytes = match read {
                Ok(0) => {
                    if let Some(body) = decoder.flush() {
                        self.deliver(body);
                    }
                    let how =
                        self.remarks.ending().map_or_else(String::new, |how| format!(" ({how})"));
                    return format!("the {} closed the connection{how}", O::PEER);
                }
                Ok(count) => buffer.get(..count).unwrap_or_default(),
                Err(error) => return format!("{}: {error}", O::BROKE),
            };
            self.trace.bytes(&self.role, Kind::Received, bytes);
            total += bytes.len();
            if total > O::MOST_BYTES {
                return format!("the suite stopped reading after {total} bytes");
            }
            if prefix.is_none() {
                let found = self.observer.recognise(bytes);
                decoder = Decoder::new(found);
                prefix = Some(found);
            }
            decoder.push(bytes);
            loop {
                match decoder.step() {
                    Step::Body(body) => self.deliver(body),
                    Step::More => break,
                    Step::Absurd(length) => {
                        let what = self.observer.absurd(length);
                        return format!("the suite stopped reading: {what}");
                    }
                }
            }
        }
    }

    fn deliver(&self, body: Body) {
        let _ = self.sink.send(Incoming::Frame(self.observer.frame(body)));
    }
}
