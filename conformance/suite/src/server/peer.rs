//! One connection to the subject, and the user behind it.

use std::{
    net::{IpAddr, Shutdown},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use conformance_kit::{
    clock::unix_seconds,
    net::{
        dial::{Duplex, Link},
        tls::TlsFacts,
    },
    trace::{Kind, Trace},
    wire::{ascii::ascii, frame::Frame},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt as _, WriteHalf},
    sync::mpsc::UnboundedSender,
    time::timeout,
};

use super::{observer::ServerObserver, shared::Shared};
pub use crate::connection::Mark;
use crate::connection::{Inbox, Observer as _, write};

/// A way to close a connection (`LV-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// TLS `close_notify`, then FIN, or the close frame of a WebSocket: what a polite client does.
    Polite,
    /// FIN alone: what a killed process does.
    Fin,
    /// RST: what a crashed machine or an aborted connection looks like.
    Reset,
}

/// One connection to the subject.
pub struct Peer {
    /// The part it plays in the case.
    pub role: String,
    /// The name that it asked for last.
    pub name: String,
    /// The TLS parameters that were agreed on.
    pub tls: Option<TlsFacts>,
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Inbox,
    pub(super) trouble: Option<String>,
    extended: Arc<AtomicBool>,
    /// Gone when the connection was closed.
    wire: Option<Wire>,
    pub(super) trace: Trace,
    /// Where the connection goes when the case lets go of it.
    left: Left,
}

/// The sending half of a connection, and the socket below.
pub(super) struct Wire {
    writer: WriteHalf<Box<dyn Duplex>>,
    socket: std::net::TcpStream,
}

/// Connections that a case has let go of: they are closed when it is over.
pub(super) type Left = UnboundedSender<(Wire, Inbox)>;

impl Wire {
    /// Closes as a polite client does.
    async fn shut(&mut self) {
        // The outcome is nobody's business: the other end may have done it first.
        let _ = timeout(Duration::from_secs(1), self.writer.shutdown()).await;
    }
}

/// Closes a connection as a polite client does, and reads until the server closes it too, or time is
/// up: input left unread would turn the FIN into a reset.
pub(super) async fn part((mut wire, mut inbox): (Wire, Inbox), time: Duration) {
    wire.shut().await;
    inbox.drain(time).await;
}

impl Peer {
    /// Starts reading from a connection; what happens on it is charged to the case.
    pub(super) fn start(
        shared: &Arc<Shared>,
        case: &'static str,
        trace: &Trace,
        role: &str,
        link: Link,
        left: Left,
    ) -> Self {
        let (reading, writer) = tokio::io::split(link.stream);
        let extended = Arc::new(AtomicBool::new(false));
        let observer = ServerObserver {
            shared: Arc::clone(shared),
            case,
            judged: link.tls.is_some() || shared.transport().tls.is_none(),
            extended: Arc::clone(&extended),
        };
        Self {
            role: role.to_owned(),
            name: String::new(),
            tls: link.tls,
            shared: Arc::clone(shared),
            inbox: Inbox::start(observer, role, trace, reading, link.remarks),
            trouble: None,
            extended,
            wire: Some(Wire { writer, socket: link.socket }),
            trace: trace.clone(),
            left,
        }
    }

    /// The address that the connection has at this end.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        Some(self.wire.as_ref()?.socket.local_addr().ok()?.ip().to_canonical())
    }

    /// The connection is going to offer capabilities: keys beyond the base protocol are no surprise on it.
    pub(super) fn speaks_more(&self) {
        self.extended.store(true, Ordering::Relaxed);
    }

    /// Sends bytes as they are, in one write.
    ///
    /// A write that fails is not a verdict: the next frame that the case waits for will be missing, and the
    /// report says that the connection was closed.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let patience = self.shared.timing().patience;
        self.trace.bytes(&self.role, Kind::Sent, bytes);
        let Some(wire) = &mut self.wire else { return };
        if let Err(trouble) = write(&mut wire.writer, bytes, patience, ServerObserver::PEER).await {
            self.trace.note(&self.role, Kind::Note, &trouble);
            self.trouble.get_or_insert(trouble);
        }
    }

    /// Sends a body behind its length, in one write.
    pub async fn send_body(&mut self, body: &[u8]) {
        let bytes = self.frame(body);
        self.send_bytes(&bytes).await;
    }

    /// Sends an object as one frame of ASCII JSON.
    pub async fn send(&mut self, object: &Value) {
        let bytes = self.frame(ascii(object).as_bytes());
        self.send_bytes(&bytes).await;
    }

    /// A body behind its length, in the dialect that the server reads.
    #[must_use]
    pub fn frame(&self, body: &[u8]) -> Vec<u8> {
        self.shared.quirks().reads.frame_without_brace(body)
    }

    /// Asks for a name and waits for the answer; `None` when none came.
    pub async fn ask_for(&mut self, name: &str) -> Option<bool> {
        let since = self.mark();
        name.clone_into(&mut self.name);
        self.shared.remember_name(name);
        self.send(&json!({"USERNAME": name})).await;
        let answer = self.find(since, Frame::accepted).await;
        if answer.is_none() {
            self.in_vain("an answer, USERNAME_ACCEPTED: true or false");
        }
        answer
    }

    /// Sends a message in two pieces with a moment between them, as a network delivers what is long: a
    /// server that reads once gets it whole only by luck, and no verdict may be luck.
    pub async fn tell_in_pieces(&mut self, dest: &str, content: &str) {
        let message = message(&self.name, dest, content);
        let bytes = self.frame(ascii(&json!({"MESSAGES": [message]})).as_bytes());
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        self.send_bytes(head).await;
        tokio::time::sleep(self.shared.timing().settle).await;
        self.send_bytes(tail).await;
    }

    /// Sends a public message.
    pub async fn say(&mut self, content: &str) {
        self.tell("ALL", content).await;
    }

    /// Sends a private message.
    pub async fn tell(&mut self, dest: &str, content: &str) {
        let message = message(&self.name, dest, content);
        self.send(&json!({"MESSAGES": [message]})).await;
    }

    /// Whether writing to the server has failed or taken too long.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        self.trouble.is_some()
    }

    /// Stops taking bytes from the socket, as a program does that hangs.
    pub fn stop_reading(&mut self) {
        self.inbox.stop();
        self.trace.note(&self.role, Kind::Note, "stops reading");
    }

    /// Closes the connection.
    pub async fn close(self, how: Closing) {
        let settle = self.shared.timing().settle;
        self.close_within(how, settle).await;
    }

    /// Closes the connection, and reads until the server closes it too, or time is up: data left
    /// unread would turn the FIN into a reset, and an answer on its way would be lost.
    pub async fn close_within(mut self, how: Closing, time: Duration) {
        self.trace.note(
            &self.role,
            Kind::Closed,
            match how {
                Closing::Polite => "the suite closes the connection",
                Closing::Fin => "the suite sends FIN without closing what is above TCP",
                Closing::Reset => "the suite resets the connection",
            },
        );
        let Some(mut wire) = self.wire.take() else { return };
        match how {
            Closing::Polite => {
                wire.shut().await;
                self.inbox.drain(time).await;
            }
            Closing::Fin => {
                let _ = wire.socket.shutdown(Shutdown::Write);
                self.inbox.drain(time).await;
            }
            Closing::Reset => {
                let _ = socket2::SockRef::from(&wire.socket).set_linger(Some(Duration::ZERO));
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Whether anybody is left to close it politely changes nothing here: it is closed anyway.
        if let Some(wire) = self.wire.take() {
            let _ = self.left.send((wire, self.inbox.take_over()));
        }
    }
}

/// A message as it goes into `MESSAGES`, dated now.
#[must_use]
pub fn message(src: &str, dest: &str, content: &str) -> Value {
    json!([src, dest, unix_seconds(), content])
}
