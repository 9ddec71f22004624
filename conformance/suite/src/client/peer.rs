//! One connection of a client to the suite, which plays the server.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use conformance_kit::{
    clock::Clock,
    escape,
    net::{dial::Duplex, remarks::Remarks},
    trace::{Kind, Trace},
    wire::{ascii::ascii, frame::Frame, message::Message, prefix::Prefix},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt as _, WriteHalf},
    time::timeout,
};

use super::{observer::ClientObserver, shared::Shared};
use crate::connection::{Inbox, Mark, Observer as _, Unread, write};

/// The name of the connection in the trace: the suite is the server.
const ROLE: &str = "server";

/// The facts of a client's TLS handshake.
#[derive(Debug, Clone, Default)]
pub struct Hello {
    /// The server name that it asked for.
    pub sni: Option<String>,
    /// The version that was agreed on; `None` without TLS.
    pub version: Option<String>,
}

/// One connection of a client.
pub struct Peer {
    /// The facts of the TLS handshake.
    pub hello: Hello,
    shared: Arc<Shared>,
    inbox: Inbox,
    /// `None` when the suite has closed the connection.
    writer: Option<Mutex<WriteHalf<Box<dyn Duplex>>>>,
    dialect: Arc<OnceLock<Prefix>>,
    trace: Trace,
    /// The client's socket; `None` where the system does not show it.
    unread: Option<Unread>,
    /// When something was written last.
    written: Option<Clock>,
}

impl Peer {
    pub(super) fn start(
        shared: &Arc<Shared>,
        case: &'static str,
        trace: &Trace,
        unread: Option<Unread>,
        stream: Box<dyn Duplex>,
        hello: Hello,
    ) -> Self {
        let (reading, writer) = tokio::io::split(stream);
        let dialect = Arc::new(OnceLock::new());
        let observer =
            ClientObserver { shared: Arc::clone(shared), case, dialect: Arc::clone(&dialect) };
        Self {
            hello,
            shared: Arc::clone(shared),
            inbox: Inbox::start(observer, ROLE, trace, reading, Remarks::default()),
            // Only for the compiler: a case may hold a connection across its waits.
            writer: Some(Mutex::new(writer)),
            dialect,
            trace: trace.clone(),
            unread,
            written: None,
        }
    }

    /// Waits until the client has read what was sent, so that the next bytes come in a read of their
    /// own. Whoever can't take glued frames apart fails the cases about that, and no other.
    pub async fn until_read(&self) {
        let Some(written) = self.written else { return };
        let pace = self.shared.pace();
        let seen = match self.unread {
            Some(unread) => unread.read(pace.patience).await,
            None => None,
        };
        // What was read may still wait in the client for a moment; where nobody can see whether it was
        // read at all, time is all there is.
        let moment = match seen {
            Some(true) => pace.settle / 3,
            Some(false) => return,
            None => pace.settle,
        };
        tokio::time::sleep(moment.saturating_sub(written.elapsed())).await;
    }

    /// Sends bytes as they are, in one write, and not before the client has read what was sent to it
    /// until now. A write that fails is no verdict: what the case waits for next will be missing.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.until_read().await;
        self.send_piece(bytes).await;
    }

    /// Goes on with what was begun, whether its beginning was read by now or not.
    pub async fn send_piece(&mut self, bytes: &[u8]) {
        self.trace.bytes(ROLE, Kind::Sent, bytes);
        self.written = Some(Clock::start());
        let Some(writer) = &mut self.writer else { return };
        let writer = writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        let patience = self.shared.pace().patience;
        if let Err(trouble) = write(writer, bytes, patience, ClientObserver::PEER).await {
            self.trace.note(ROLE, Kind::Note, &trouble);
        }
    }

    /// Sends an object as one frame of ASCII JSON.
    pub async fn send(&mut self, object: &Value) {
        self.send_text(&ascii(object)).await;
    }

    /// Sends a body in the spelling of the case's own as one frame.
    pub async fn send_text(&mut self, body: &str) {
        let bytes = self.frame(body.as_bytes());
        self.send_bytes(&bytes).await;
    }

    /// Sends messages in one frame.
    pub async fn send_messages(&mut self, messages: &[Value]) {
        self.send(&json!({"MESSAGES": messages})).await;
    }

    /// A body behind its length, in the dialect that the client reads.
    #[must_use]
    pub fn frame(&self, body: &[u8]) -> Vec<u8> {
        self.shared.prefix().frame_without_brace(body)
    }

    /// Waits for the first frame in which something is found.
    pub async fn find<T>(
        &mut self,
        patience: Duration,
        pick: impl Fn(&Frame) -> Option<T>,
    ) -> Option<T> {
        self.inbox.find(Mark::START, patience, pick).await
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
        self.inbox.find_closed(patience).await
    }

    /// Every message that has arrived.
    pub fn messages(&mut self) -> Vec<Message> {
        self.inbox.messages(Mark::START)
    }

    /// The frames that have arrived.
    pub fn frames(&mut self) -> &[Frame] {
        self.inbox.frames(Mark::START)
    }

    /// Says in words what has arrived; for the `actual` of a mismatch.
    pub fn heard(&mut self) -> String {
        let frames = self.inbox.frames(Mark::START);
        let last = frames.iter().rev().take(3).map(|frame| escape::bytes(&frame.body, 200));
        let mut last: Vec<String> = last.collect();
        last.reverse();
        let mut text = match frames.len() {
            0 => "the client sent nothing".to_owned(),
            1..=3 => format!("the client sent {}", last.join(" and ")),
            count => {
                format!("the client sent {count} frames, the last ones {}", last.join(" and "))
            }
        };
        if let Some(how) = self.inbox.closed() {
            text.push_str("; ");
            text.push_str(how);
        }
        text
    }

    /// Writes down what was waited for until now and did not come.
    pub fn in_vain(&self, what: &str) {
        self.trace.note(ROLE, Kind::Missing, what);
    }

    /// How the client wrote the length of its first frame.
    #[must_use]
    pub fn prefix(&self) -> Option<Prefix> {
        self.dialect.get().copied()
    }

    /// Closes the connection in both directions, as a server does that ends.
    pub async fn close(&mut self) {
        self.trace.note(ROLE, Kind::Closed, "the suite closes the connection");
        if let Some(writer) = self.writer.take() {
            let mut writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
            // The other end may have done it first.
            let _ = timeout(Duration::from_secs(1), writer.shutdown()).await;
        }
        self.inbox.stop();
    }
}
