//! The received frames of a connection, and waiting for the next ones within a deadline.
#![allow(clippy::disallowed_methods, reason = "the reading task is owned and stopped by its Inbox")]

use std::time::Duration;

use conformance_kit::{
    net::{dial::Duplex, remarks::Remarks},
    trace::Trace,
    wire::{frame::Frame, message::Message},
};
use tokio::{
    io::ReadHalf,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::reader::{Incoming, Observer, Reader};

/// A position in what a connection has received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(usize);

impl Mark {
    /// The beginning of the connection.
    pub const START: Self = Self(0);

    /// One frame further.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The received frames of a connection; reading ends when this is dropped.
pub(crate) struct Inbox {
    frames: Vec<Frame>,
    incoming: UnboundedReceiver<Incoming>,
    closed: Option<String>,
    /// Reads until it is aborted, which the owner of this handle does.
    reader: AbortOnDrop,
}

/// A task that ends with its handle.
struct AbortOnDrop(Option<JoinHandle<()>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Inbox {
    pub(crate) fn start(
        observer: impl Observer,
        role: &str,
        trace: &Trace,
        half: ReadHalf<Box<dyn Duplex>>,
        remarks: Remarks,
    ) -> Self {
        let (sink, incoming) = unbounded_channel();
        let (role, trace) = (role.to_owned(), trace.clone());
        let reader = Reader { observer, role, trace, sink, remarks };
        let reader = tokio::spawn(reader.run(half));
        Self { frames: Vec::new(), incoming, closed: None, reader: AbortOnDrop(Some(reader)) }
    }

    /// Stops reading.
    pub(crate) fn stop(&mut self) {
        self.reader = AbortOnDrop(None);
    }

    /// Hands the reading over to somebody else; nothing arrives here any more.
    pub(crate) fn take_over(&mut self) -> Self {
        let (_, nothing) = unbounded_channel();
        Self {
            frames: Vec::new(),
            incoming: std::mem::replace(&mut self.incoming, nothing),
            closed: None,
            reader: AbortOnDrop(self.reader.0.take()),
        }
    }

    /// Goes on reading until the other end closes the connection, or time is up.
    pub(crate) async fn drain(&mut self, time: Duration) {
        if let Some(reader) = &mut self.reader.0 {
            let _ = timeout(time, reader).await;
        }
    }

    /// The current position: later frames are behind this mark.
    pub(crate) fn mark(&mut self) -> Mark {
        self.catch_up();
        Mark(self.frames.len())
    }

    /// Takes in what has arrived, without waiting.
    pub(crate) fn catch_up(&mut self) {
        while let Ok(incoming) = self.incoming.try_recv() {
            self.take(incoming);
        }
    }

    /// The frames that arrived since a mark.
    pub(crate) fn frames(&mut self, since: Mark) -> &[Frame] {
        self.catch_up();
        self.frames.get(since.0..).unwrap_or_default()
    }

    /// Every message that has arrived since a mark.
    pub(crate) fn messages(&mut self, since: Mark) -> Vec<Message> {
        self.frames(since).iter().flat_map(Frame::messages).collect()
    }

    /// Waits for the first frame since a mark in which something is found.
    pub(crate) async fn find<T>(
        &mut self,
        since: Mark,
        patience: Duration,
        pick: impl Fn(&Frame) -> Option<T>,
    ) -> Option<T> {
        let mut at = since.0;
        let deadline = sleep(patience);
        tokio::pin!(deadline);
        loop {
            while let Some(frame) = self.frames.get(at) {
                if let Some(found) = pick(frame) {
                    return Some(found);
                }
                at += 1;
            }
            if self.closed.is_some() && self.incoming.is_empty() {
                return None;
            }
            let incoming = tokio::select! {
                // What is there already counts, even when the time is up.
                biased;
                incoming = self.incoming.recv() => incoming?,
                () = &mut deadline => return None,
            };
            self.take(incoming);
        }
    }

    /// Waits until the other end closes the connection; false when it does not.
    pub(crate) async fn find_closed(&mut self, patience: Duration) -> bool {
        let closing = async {
            while self.closed.is_none() {
                match self.incoming.recv().await {
                    Some(incoming) => self.take(incoming),
                    None => break,
                }
            }
        };
        let _ = timeout(patience, closing).await;
        self.closed.is_some()
    }

    /// How the connection has ended, as far as that was taken in.
    pub(crate) fn closed(&self) -> Option<&str> {
        self.closed.as_deref()
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Frame(frame) => self.frames.push(frame),
            Incoming::Closed(how) => {
                self.closed.get_or_insert(how);
            }
        }
    }
}
