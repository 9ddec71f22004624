//! One connection of a client to the suite: frames in, bytes out.
#![allow(clippy::disallowed_methods, reason = "the reading task is owned and stopped by its Link")]

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use conformance_kit::{
    escape,
    net::dial::Duplex,
    trace::{Kind, Trace},
    wire::{
        ascii::ascii,
        decoder::{Body, Decoder, Step},
        frame::Frame,
        message::Message,
        prefix::Prefix,
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::shared::Shared;
use crate::invariants::Invariant;

/// The most bytes that one connection may bring.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What TLS found out about a client.
#[derive(Debug, Clone, Default)]
pub struct Hello {
    /// The server name that it asked for.
    pub sni: Option<String>,
    /// The version that was agreed on; `None` without TLS.
    pub version: Option<String>,
}

/// One connection of a client.
pub struct Peer {
    /// What TLS found out.
    pub hello: Hello,
    shared: Arc<Shared>,
    frames: Vec<Frame>,
    inbox: UnboundedReceiver<Incoming>,
    closed: Option<String>,
    /// `None` when the suite has closed the connection.
    writer: Option<Mutex<WriteHalf<Box<dyn Duplex>>>>,
    reader: JoinHandle<()>,
    dialect: Arc<OnceLock<Prefix>>,
    trace: Trace,
}

enum Incoming {
    Frame(Frame),
    Closed(String),
}

impl Peer {
    pub(super) fn start(
        shared: &Arc<Shared>,
        case: &'static str,
        trace: &Trace,
        stream: Box<dyn Duplex>,
        hello: Hello,
    ) -> Self {
        let (sink, inbox) = unbounded_channel();
        let (reading, writer) = tokio::io::split(stream);
        let dialect = Arc::new(OnceLock::new());
        let reader = Reader {
            shared: Arc::clone(shared),
            case,
            trace: trace.clone(),
            sink,
            dialect: Arc::clone(&dialect),
        };
        Self {
            hello,
            shared: Arc::clone(shared),
            frames: Vec::new(),
            inbox,
            closed: None,
            // Only for the compiler: a case may hold a link across its waits.
            writer: Some(Mutex::new(writer)),
            reader: tokio::spawn(reader.run(reading)),
            dialect,
            trace: trace.clone(),
        }
    }

    /// Sends bytes as they are, in one write. A write that fails is no verdict: what the case waits
    /// for next will be missing.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.trace.bytes("server", Kind::Sent, bytes);
        let Some(writer) = &mut self.writer else { return };
        let writer = writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        let writing = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        let trouble = match timeout(self.shared.pace().patience, writing).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("the suite could not write: {error}"),
            Err(_) => "the client stopped reading".to_owned(),
        };
        self.trace.note("server", Kind::Note, &trouble);
    }

    /// Sends an object as one frame of ASCII JSON.
    pub async fn send(&mut self, object: &Value) {
        let bytes = self.frame(ascii(object).as_bytes());
        self.send_bytes(&bytes).await;
    }

    /// Sends messages in one frame.
    pub async fn send_messages(&mut self, messages: &[Value]) {
        self.send(&json!({"MESSAGES": messages})).await;
    }

    /// A body behind its length. Only `c.recv.len-123` may find out who searches for `{`.
    #[must_use]
    pub fn frame(&self, body: &[u8]) -> Vec<u8> {
        let prefix = self.shared.prefix();
        let trap = prefix.encode(body.len()).is_some_and(|bytes| bytes.contains(&b'{'));
        let mut padded = body.to_vec();
        if trap && body.last() == Some(&b'}') {
            padded.push(b' ');
        }
        prefix.frame(&padded)
    }

    /// Waits for the first frame in which something is found.
    pub async fn find<T>(
        &mut self,
        patience: Duration,
        pick: impl Fn(&Frame) -> Option<T>,
    ) -> Option<T> {
        let mut at = 0;
        let deadline = sleep(patience);
        tokio::pin!(deadline);
        loop {
            while let Some(frame) = self.frames.get(at) {
                if let Some(found) = pick(frame) {
                    return Some(found);
                }
                at += 1;
            }
            if self.closed.is_some() && self.inbox.is_empty() {
                return None;
            }
            let incoming = tokio::select! {
                biased;
                incoming = self.inbox.recv() => incoming?,
                () = &mut deadline => return None,
            };
            self.take(incoming);
        }
    }

    /// Waits for the name that the client asks for, and that is not one of these.
    pub async fn find_name(&mut self, patience: Duration, not: &[String]) -> Option<String> {
        let pick = |frame: &Frame| {
            let name = frame.key("USERNAME")?.as_str()?.to_owned();
            (!not.contains(&name)).then_some(name)
        };
        self.find(patience, pick).await
    }

    /// Waits for a message.
    pub async fn find_message(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&Message) -> bool,
    ) -> Option<Message> {
        self.find(patience, |frame| frame.messages().into_iter().find(|m| wanted(m))).await
    }

    /// Waits until the client closes the connection; false when it does not.
    pub async fn find_closed(&mut self, patience: Duration) -> bool {
        let closing = async {
            while self.closed.is_none() {
                match self.inbox.recv().await {
                    Some(incoming) => self.take(incoming),
                    None => break,
                }
            }
        };
        let _ = timeout(patience, closing).await;
        self.closed.is_some()
    }

    /// Every message that has arrived.
    pub fn messages(&mut self) -> Vec<Message> {
        self.catch_up();
        self.frames.iter().flat_map(Frame::messages).collect()
    }

    /// The frames that have arrived.
    pub fn frames(&mut self) -> &[Frame] {
        self.catch_up();
        &self.frames
    }

    /// Whether the client has closed the connection by now.
    pub fn is_closed(&mut self) -> bool {
        self.catch_up();
        self.closed.is_some()
    }

    /// Says in words what has arrived; for the `actual` of a mismatch.
    pub fn heard(&mut self) -> String {
        self.catch_up();
        let last = self.frames.iter().rev().take(3).map(|frame| escape::bytes(&frame.body, 200));
        let mut last: Vec<String> = last.collect();
        last.reverse();
        let mut text = match self.frames.len() {
            0 => "the client sent nothing".to_owned(),
            1..=3 => format!("the client sent {}", last.join(" and ")),
            count => {
                format!("the client sent {count} frames, the last ones {}", last.join(" and "))
            }
        };
        if let Some(how) = &self.closed {
            text.push_str("; ");
            text.push_str(how);
        }
        text
    }

    /// How the client wrote the length of its first frame.
    #[must_use]
    pub fn prefix(&self) -> Option<Prefix> {
        self.dialect.get().copied()
    }

    /// Closes the connection in both directions, as a server does that ends.
    pub async fn close(&mut self) {
        self.trace.note("server", Kind::Closed, "the suite closes the connection");
        if let Some(writer) = self.writer.take() {
            let mut writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
            // The other end may have done it first.
            let _ = timeout(Duration::from_secs(1), writer.shutdown()).await;
        }
        self.reader.abort();
    }

    fn catch_up(&mut self) {
        while let Ok(incoming) = self.inbox.try_recv() {
            self.take(incoming);
        }
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

impl Drop for Peer {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

struct Reader {
    shared: Arc<Shared>,
    case: &'static str,
    trace: Trace,
    sink: UnboundedSender<Incoming>,
    dialect: Arc<OnceLock<Prefix>>,
}

impl Reader {
    async fn run(self, half: ReadHalf<Box<dyn Duplex>>) {
        let end = self.read(half).await;
        self.trace.note("server", Kind::Closed, &end);
        // The link may be gone already; then nobody wants to know.
        let _ = self.sink.send(Incoming::Closed(end));
    }

    async fn read(&self, mut half: ReadHalf<Box<dyn Duplex>>) -> String {
        let mut prefix = self.shared.quirks().prefix;
        let mut decoder = Decoder::new(prefix.unwrap_or(Prefix::NETWORK));
        let mut buffer = vec![0; 16 * 1024];
        let mut total = 0_usize;
        loop {
            let read = match (decoder.is_partial(), self.quiet()) {
                // A length that is too long leaves a complete text waiting for more.
                (true, quiet) => match timeout(quiet, half.read(&mut buffer)).await {
                    Ok(read) => read,
                    Err(_) => match decoder.flush() {
                        Some(body) => {
                            self.deliver(body);
                            continue;
                        }
                        None => half.read(&mut buffer).await,
                    },
                },
                (false, _) => half.read(&mut buffer).await,
            };
            let bytes = match read {
                Ok(0) => {
                    if let Some(body) = decoder.flush() {
                        self.deliver(body);
                    }
                    return "the client closed the connection".to_owned();
                }
                Ok(count) => buffer.get(..count).unwrap_or_default(),
                Err(error) => return format!("the connection ended: {error}"),
            };
            self.trace.bytes("server", Kind::Received, bytes);
            total += bytes.len();
            if total > MOST_BYTES {
                return format!("the suite stopped reading after {total} bytes");
            }
            if prefix.is_none() {
                // The first contact: the length tells its own dialect.
                let found = recognise(bytes);
                let _ = self.dialect.set(found);
                decoder = Decoder::new(found);
                prefix = Some(found);
            }
            decoder.push(bytes);
            loop {
                match decoder.step() {
                    Step::Body(body) => self.deliver(body),
                    Step::More => break,
                    Step::Absurd(length) => {
                        let what = format!("a frame announces {length} bytes");
                        self.shared.invariants.charge(Invariant::Length, self.case, &what);
                        return format!("the suite stopped reading: {what}");
                    }
                }
            }
        }
    }

    fn quiet(&self) -> Duration {
        self.shared.pace().patience.mul_f64(0.4).max(Duration::from_millis(150))
    }

    fn deliver(&self, body: Body) {
        let frame = Frame::read(self.shared.clock.elapsed(), body);
        self.shared.invariants.look(self.case, &frame);
        let _ = self.sink.send(Incoming::Frame(frame));
    }
}

/// How the length in front of a first frame was written.
#[must_use]
pub fn recognise(bytes: &[u8]) -> Prefix {
    let Some((head, rest)) = bytes.split_first_chunk::<4>() else { return Prefix::NETWORK };
    let mut texts = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
    if !matches!(texts.next(), Some(Ok(_))) {
        return Prefix::NETWORK;
    }
    let end = texts.byte_offset();
    let fits = |prefix: &Prefix| {
        let length = usize::try_from(prefix.decode(*head)).unwrap_or(usize::MAX);
        let padding = rest.get(end..length);
        length == end || padding.is_some_and(|p| p.iter().all(u8::is_ascii_whitespace))
    };
    Prefix::ALL.into_iter().find(fits).unwrap_or(Prefix::NETWORK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_recognised() {
        for prefix in Prefix::ALL {
            assert_eq!(recognise(&prefix.frame(br#"{"USERNAME": "ann"} "#)), prefix);
        }
        assert_eq!(recognise(b"GET / HTTP/1.1\r\n"), Prefix::NETWORK);
        assert_eq!(recognise(b"\0\0"), Prefix::NETWORK);
    }
}
