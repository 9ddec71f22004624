//! The send queue of one connection, and the task that writes it.
#![allow(clippy::disallowed_methods, reason = "the writing task ends with its queue")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use conformance_kit::wire::{ascii::ascii, prefix::Prefix};
use conformance_suite::fault::Fault;
use serde_json::Value;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::{
    capability::{utf8, zstd},
    faults::Faults,
};

/// The sending end of a connection.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    queue: UnboundedSender<Option<Vec<u8>>>,
    waiting: Arc<AtomicUsize>,
    utf8: Arc<AtomicBool>,
    zstd: Arc<AtomicBool>,
    faults: Faults,
}

impl Outbox {
    /// Starts the writing task.
    pub(super) fn start(stream: impl AsyncWrite + Unpin + Send + 'static, faults: Faults) -> Self {
        let (queue, frames) = unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        tokio::spawn(write(stream, frames, Arc::clone(&waiting)));
        Self { queue, waiting, utf8: Arc::default(), zstd: Arc::default(), faults }
    }

    /// Leads nowhere.
    pub(super) fn nowhere(faults: Faults) -> Self {
        let (queue, _) = unbounded_channel();
        let (waiting, utf8, zstd) = (Arc::default(), Arc::default(), Arc::default());
        Self { queue, waiting, utf8, zstd, faults }
    }

    /// Queues a frame that nobody can read.
    pub(super) fn send_unreadable(&self) {
        let body = b"{\"USERNAME_ACCEPTED\": tr";
        let mut bytes = prefix(&self.faults).announce(body.len()).to_vec();
        bytes.extend_from_slice(body);
        let _ = self.queue.send(Some(bytes));
    }

    /// From now on, characters beyond ASCII are written as they are.
    pub(super) fn speak_utf8(&self) {
        self.utf8.store(true, Ordering::Relaxed);
    }

    /// From now on, long frames are compressed.
    pub(super) fn speak_zstd(&self) {
        self.zstd.store(true, Ordering::Relaxed);
    }

    /// Queues an object without escapes, whatever was agreed.
    pub(super) fn send_raw(&self, object: &Value) {
        let before = self.utf8.swap(true, Ordering::Relaxed);
        self.send(object);
        self.utf8.store(before, Ordering::Relaxed);
    }

    fn text(&self, object: &Value) -> String {
        let f = &self.faults;
        let agreed = self.utf8.load(Ordering::Relaxed) && !f.acts(Fault::StillEscaped);
        if agreed { utf8::raw(object, f) } else { ascii(object) }
    }

    pub(super) fn send(&self, object: &Value) {
        let prefix = prefix(&self.faults);
        let (body, length) = if self.faults.has(Fault::LengthInCharacters) {
            let text = object.to_string();
            let characters = text.chars().count();
            if characters != text.len() {
                let _ = self.faults.acts(Fault::LengthInCharacters);
            }
            (text, characters)
        } else {
            let text = self.text(object);
            let length = text.len();
            (text, length)
        };
        let agreed = self.zstd.load(Ordering::Relaxed);
        let packed = agreed.then(|| zstd::packed(object, &body, &self.faults)).flatten();
        let length = packed.as_ref().map_or(length, Vec::len);
        let mut bytes = prefix.announce(length).to_vec();
        bytes.extend_from_slice(packed.as_deref().unwrap_or(body.as_bytes()));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.queue.send(Some(bytes));
    }

    pub(super) fn error(&self, text: &str) {
        if self.faults.acts(Fault::ErrorBareString) {
            self.send(&Value::from(text));
        } else if self.faults.acts(Fault::ErrorObject) {
            self.send(&serde_json::json!({"ERROR": {"code": 1, "text": text}}));
        } else {
            self.send(&serde_json::json!({"ERROR": text}));
        }
    }

    /// Closes the connection when everything before is written.
    pub(super) fn close(&self) {
        let _ = self.queue.send(None);
    }

    /// How many frames wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// How this mutant writes and reads lengths.
pub(super) fn prefix(faults: &Faults) -> Prefix {
    Prefix {
        little_endian: faults.acts(Fault::LittleEndian),
        counts_itself: faults.acts(Fault::LengthCountsItself),
    }
}

async fn write(
    mut stream: impl AsyncWrite + Unpin,
    mut frames: UnboundedReceiver<Option<Vec<u8>>>,
    waiting: Arc<AtomicUsize>,
) {
    while let Some(Some(bytes)) = frames.recv().await {
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            break;
        }
        waiting.fetch_sub(1, Ordering::Relaxed);
    }
    waiting.store(0, Ordering::Relaxed);
    let _ = stream.shutdown().await;
}
