//! The reading half of a connection: a task that drains the socket, so that a case which is busy
//! elsewhere never becomes the slow reader that it does not mean to be.
#![allow(clippy::disallowed_methods, reason = "the task is owned and stopped by its Peer")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use conformance_kit::{
    net::dial::Duplex,
    trace::{Kind, Trace},
    wire::{
        decoder::{Body, Decoder, Step},
        frame::Frame,
    },
};
use tokio::{
    io::{AsyncReadExt as _, ReadHalf},
    sync::mpsc::UnboundedSender,
    task::JoinHandle,
    time::timeout,
};

use crate::{invariants::Invariant, server::shared::Shared};

/// The most bytes that one connection may bring; whoever sends more is not read any further.
const MOST_BYTES: usize = 96 * 1024 * 1024;

/// What a connection brings.
#[derive(Debug)]
pub(super) enum Incoming {
    Frame(Frame),
    /// The end, and how it came.
    Closed(String),
}

pub(super) struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) case: &'static str,
    pub(super) role: String,
    pub(super) trace: Trace,
    /// Whether the invariants apply: they don't where the suite spoke no TLS and the answer may be
    /// an alert instead of a frame.
    pub(super) judged: bool,
    /// Whether more than the base protocol was offered on this connection.
    pub(super) extended: Arc<AtomicBool>,
    pub(super) sink: UnboundedSender<Incoming>,
}

impl Reader {
    /// Starts reading.
    pub(super) fn start(self, half: ReadHalf<Box<dyn Duplex>>) -> JoinHandle<()> {
        tokio::spawn(async move {
            let end = self.read(half).await;
            self.trace.note(&self.role, Kind::Closed, &end);
            // The peer may be gone already; then nobody wants to know.
            let _ = self.sink.send(Incoming::Closed(end));
        })
    }

    async fn read(&self, mut half: ReadHalf<Box<dyn Duplex>>) -> String {
        let mut decoder = Decoder::new(self.shared.quirks().sends);
        let mut buffer = vec![0; 64 * 1024];
        let mut total = 0_usize;
        loop {
            // A frame that stays incomplete for so long has a length that is too large, or comes
            // from a server that is stuck; the first can be told from what is there.
            let quiet = self.shared.timing().patience.mul_f64(0.4).max(Duration::from_millis(150));
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
            let bytes = match read {
                Ok(0) => {
                    if let Some(body) = decoder.flush() {
                        self.deliver(body);
                    }
                    return "the server closed the connection".to_owned();
                }
                Ok(count) => buffer.get(..count).unwrap_or_default(),
                Err(error) => return format!("the connection broke: {error}"),
            };
            self.trace.bytes(&self.role, Kind::Received, bytes);
            total += bytes.len();
            if total > MOST_BYTES {
                return format!("the suite stopped reading after {total} bytes");
            }
            decoder.push(bytes);
            loop {
                match decoder.step() {
                    Step::Body(body) => self.deliver(body),
                    Step::More => break,
                    Step::Absurd(length) => {
                        let what = format!("a frame announces {length} bytes{}", likeness(length));
                        if self.judged {
                            self.shared.invariants.charge(Invariant::Length, self.case, &what);
                        }
                        return format!("the suite stopped reading: {what}");
                    }
                }
            }
        }
    }

    fn deliver(&self, body: Body) {
        let frame = Frame::read(self.shared.clock.elapsed(), body);
        if self.judged {
            self.shared.invariants.look(self.case, &frame);
            if !self.extended.load(Ordering::Relaxed) {
                self.shared.invariants.look_for_unknown_keys(&frame);
            }
        }
        let _ = self.sink.send(Incoming::Frame(frame));
    }
}

/// What four bytes look like that are no sensible length.
const fn likeness(length: u32) -> &'static str {
    match length.to_be_bytes() {
        [0x14..=0x17, 3, ..] => " (which is how TLS begins: does the server speak it after all?)",
        [b'H', b'T', b'T', b'P'] => " (which is how a web server answers)",
        [b'{', ..] => " (which is how JSON begins: is the length missing?)",
        _ => "",
    }
}
