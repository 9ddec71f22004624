//! The link to the server: supervises the connection, dials the next one, and finds out when the server is silent.

use std::future::pending;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::capability::zstd;
use chatterbox_proto::limits::{self, PREFIX};
use chatterbox_proto::{ALL, ClientFrame};
use chatterbox_zstd::Codec;
use tokio::time::{Instant, sleep, timeout};

use super::heartbeat::{Beat, Heartbeat, Watch};
use super::security::Security;
use super::server::Server;
use crate::exit::Failure;
use crate::net::{Connection, ReadError, Reader, Writer};

/// The deadline of a server to resume the session on a new connection.
const RESUME_TIME: Duration = Duration::from_secs(10);

/// The limit of each step of closing.
const CLOSE_TIME: Duration = Duration::from_secs(1);

type Dialing = Pin<Box<dyn Future<Output = Result<Connection, Failure>>>>;

/// The connection of a session, or the way to the next one.
pub(super) struct Link {
    server: Server,
    connection: Option<Connection>,
    /// The next connection, while there is none.
    dialing: Option<Dialing>,
    /// The failure of a write. The connection is still read from: the server may have said why it closes.
    write_error: Option<io::Error>,
    /// The time of the request to resume the session, until the server answers it.
    resuming: Option<Instant>,
    heartbeat: Heartbeat,
    /// Compresses and inflates frames, where that is agreed.
    codec: Codec,
    /// The reason of the last loss.
    failure: Option<Failure>,
    state: LinkState,
}

/// What a person can know of the link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LinkState {
    /// The server, as the user has typed it.
    pub(crate) server: String,
    /// Whether the connection is encrypted, and the server's certificate was checked.
    pub(crate) security: Security,
    /// How long the server takes to answer.
    pub(crate) latency: Option<Duration>,
    /// Why the connection was lost and when the next try is, while there is none.
    pub(crate) lost: Option<(String, Option<Instant>)>,
}

/// An event of the link.
pub(super) enum LinkEvent {
    /// A frame.
    Frame {
        /// Its body.
        body: Bytes,
        /// Whether that came compressed.
        inflated: bool,
    },
    /// Some bytes were written, or writing failed.
    Written,
    /// The server closed the connection, or reading failed.
    Closed(Option<ReadError>),
    /// Dialing has ended.
    Dialed(Result<Connection, Failure>),
}

/// A deadline of the link that is over.
pub(super) enum LinkTimeout {
    /// The server did not answer whether it resumes the session.
    NotResumed,
    /// The server is to be sent a PING of this number.
    Quiet(i64),
    /// The server did not answer the PING.
    Silent,
}

impl Link {
    pub(super) fn new(server: Server, connection: Connection, now: Instant) -> Self {
        let state = LinkState {
            server: server.name(),
            security: server.security(),
            ..LinkState::default()
        };
        Self {
            server,
            state,
            connection: Some(connection),
            dialing: None,
            write_error: None,
            resuming: None,
            heartbeat: Heartbeat::new(now),
            codec: Codec::new(),
            failure: None,
        }
    }

    /// What a person can know of it.
    pub(super) fn state(&self) -> &LinkState {
        &self.state
    }

    /// Waits for the next event. Frames are read only if `read`, so that what can't be shown is not taken from the
    /// server. The next one is inflated, if it is compressed and `zstd` says that this may be. Cancelling it loses nothing.
    pub(super) async fn event(&mut self, read: bool, zstd: bool) -> LinkEvent {
        let (reader, writer) = match &mut self.connection {
            Some(Connection { reader, writer }) => (Some(reader), Some(writer)),
            None => (None, None),
        };
        let reader = reader.filter(|_| read);
        let writer = writer.filter(|writer| self.write_error.is_none() && !writer.is_idle());
        tokio::select! {
            written = write_some(writer) => {
                self.write_error = written.err();
                LinkEvent::Written
            }
            frame = next_frame(reader) => match frame {
                Ok(Some(body)) => arrived(&self.codec, body, zstd),
                Ok(None) => LinkEvent::Closed(None),
                Err(error) => LinkEvent::Closed(Some(error)),
            },
            dialed = dialed(self.dialing.as_mut()) => {
                self.dialing = None;
                LinkEvent::Dialed(dialed)
            }
        }
    }

    /// Queues a frame, if there is a connection; compressed, if the server takes that and it is worth it.
    pub(super) fn send(&mut self, frame: &Bytes, zstd: bool) {
        if let Some(connection) = &mut self.connection {
            let compressed = if zstd { compressed(&self.codec, frame) } else { None };
            connection.writer.push(compressed.as_ref().unwrap_or(frame));
        }
    }

    /// How many bytes are queued.
    pub(super) fn unsent(&self) -> usize {
        self.connection.as_ref().map_or(0, |connection| connection.writer.waiting())
    }

    /// Whether everything has left this program.
    pub(super) fn is_idle(&self) -> bool {
        self.connection.as_ref().is_none_or(|connection| connection.writer.is_idle())
    }

    pub(super) fn write_failed(&self) -> bool {
        self.write_error.is_some()
    }

    /// Takes the failure of a write, if there was one.
    pub(super) fn take_write_error(&mut self) -> Option<io::Error> {
        self.write_error.take()
    }

    /// Dials after this wait.
    pub(super) fn dial(&mut self, wait: Duration, now: Instant) {
        let why = self.failure.as_ref().map(|failure| failure.message().to_owned());
        self.state.lost = Some((why.unwrap_or_default(), Some(now + wait)));
        let server = self.server.clone();
        self.dialing = Some(Box::pin(async move {
            sleep(wait).await;
            server.connect().await
        }));
    }

    /// Takes a new connection, on which the server is asked to resume the session.
    pub(super) fn connected(&mut self, connection: Connection, now: Instant) {
        self.connection = Some(connection);
        self.state.lost = None;
        self.state.latency = None;
        self.heartbeat.restart(now);
        self.resuming = Some(now);
    }

    /// Drops the connection, and the dialing of the next one.
    pub(super) fn lose(&mut self, failure: Failure) {
        self.connection = None;
        self.dialing = None;
        self.write_error = None;
        self.resuming = None;
        self.failure = Some(failure);
    }

    /// Takes the reason of the last loss.
    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// A frame arrived.
    pub(super) fn heard(&mut self) {
        self.heartbeat.heard();
    }

    /// A PONG arrived.
    pub(super) fn pong(&mut self, number: i64, now: Instant) {
        self.heartbeat.pong(number, now);
        self.state.latency = self.heartbeat.latency();
    }

    /// The program has slept, for this part of its deadlines.
    pub(super) fn woken(&mut self, slept: Duration, now: Instant) {
        self.heartbeat.woken(now);
        self.resuming = self.resuming.map(|since| (since + slept).min(now));
    }

    /// The server is asked once more to resume the session, if there is a connection.
    pub(super) fn resumes_again(&mut self, now: Instant) {
        self.resuming = self.connection.as_ref().map(|_| now);
    }

    /// The session needs no answer to its resumption any more.
    pub(super) fn stop_resuming(&mut self) {
        self.resuming = None;
    }

    /// The next deadline.
    pub(super) fn deadline(&self, watch: Watch) -> Option<Instant> {
        [self.resume_deadline(), self.silence_deadline(watch)].into_iter().flatten().min()
    }

    /// The deadline that is over, if one is.
    pub(super) fn expired(&mut self, watch: Watch, now: Instant) -> Option<LinkTimeout> {
        if self.resume_deadline().is_some_and(|deadline| deadline <= now) {
            return Some(LinkTimeout::NotResumed);
        }
        match self.heartbeat.expired(watch, now)? {
            Beat::Gone => Some(LinkTimeout::Silent),
            Beat::Ping(number) => Some(LinkTimeout::Quiet(number)),
        }
    }

    fn resume_deadline(&self) -> Option<Instant> {
        self.resuming.map(|since| since + RESUME_TIME)
    }

    fn silence_deadline(&self, watch: Watch) -> Option<Instant> {
        (watch != Watch::Off).then(|| self.heartbeat.deadline())
    }

    /// Closes the connection, if it is sound. Unread bytes are read first: closing with them would reset the connection,
    /// and the reset could overtake the last message.
    pub(super) async fn close(&mut self) {
        if self.write_error.is_none()
            && let Some(connection) = &mut self.connection
        {
            let _ = timeout(CLOSE_TIME, connection.writer.close()).await;
            let _ = timeout(CLOSE_TIME, connection.reader.discard()).await;
        }
    }
}

/// A frame that has come, with the body that is meant.
fn arrived(codec: &Codec, body: Bytes, may_be_compressed: bool) -> LinkEvent {
    if !may_be_compressed || !zstd::is_compressed(&body) {
        return LinkEvent::Frame { body, inflated: false };
    }
    match codec.inflated(&body, limits::SERVER_FRAME) {
        Ok(body) => LinkEvent::Frame { body, inflated: true },
        Err(bad) => LinkEvent::Closed(Some(bad.into())),
    }
}

/// A frame with messages to all or to rooms alone, compressed. Nothing else is: neither what may hold a password, a token or an
/// answer, nor what is private or encrypted (ZS-3). The frame is ours, so its first key tells; and a quotation mark inside a text has
/// a backslash before it.
fn compressed(codec: &Codec, frame: &Bytes) -> Option<Bytes> {
    let body = frame.get(PREFIX..)?;
    let is_said = body.starts_with(br#"{"MESSAGES": "#);
    let is_encrypted = || body.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED);
    if body.len() < zstd::WORTH || !is_said || is_encrypted() || !is_public(body) {
        return None;
    }
    codec.compressed(body)
}

/// The key of what is encrypted.
const ENCRYPTED: &[u8] = br#""E2EE""#;

/// Whether a frame has messages, and all of them are to all or to rooms. No name of a user begins as that of a room.
fn is_public(body: &[u8]) -> bool {
    let messages = ClientFrame::parse(body).ok().and_then(|frame| frame.messages?.ok());
    let entries = messages.map(|messages| messages.into_entries()).unwrap_or_default();
    let public = |to: &str| to == ALL || to.starts_with('#');
    !entries.is_empty() && entries.iter().all(|(_, entry)| public(&entry.destination))
}

async fn next_frame(reader: Option<&mut Reader>) -> Result<Option<Bytes>, ReadError> {
    match reader {
        Some(reader) => reader.next().await,
        None => pending().await,
    }
}

async fn write_some(writer: Option<&mut Writer>) -> io::Result<()> {
    match writer {
        Some(writer) => writer.progress().await,
        None => pending().await,
    }
}

async fn dialed(dialing: Option<&mut Dialing>) -> Result<Connection, Failure> {
    match dialing {
        Some(dialing) => dialing.await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::capability::zstd::BadZstd;
    use chatterbox_proto::{Entry, client_frame, frame};
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::net::Trust;
    use crate::session::clock::Clock;

    #[tokio::test]
    async fn a_resumption_has_a_deadline_until_it_is_answered() {
        let (connection, _far) = Connection::in_memory();
        let (next, _other) = Connection::in_memory();
        let server = Server { host: String::new(), port: 1, trust: Trust::Plaintext, ssh: None };
        let start = Clock::start().now();
        let mut link = Link::new(server, connection, start);
        link.connected(next, start);
        let end = start + RESUME_TIME;
        assert_eq!(link.deadline(Watch::GivesUp), Some(end));
        assert!(matches!(link.expired(Watch::GivesUp, end), Some(LinkTimeout::NotResumed)));
        link.stop_resuming();
        assert!(link.expired(Watch::Off, end).is_none());
    }
    /// While the program slept the server could not answer.
    #[tokio::test]
    async fn a_resumption_that_was_slept_through_goes_on_waiting() {
        let (connection, _far) = Connection::in_memory();
        let (next, _other) = Connection::in_memory();
        let server = Server { host: String::new(), port: 1, trust: Trust::Plaintext, ssh: None };
        let start = Clock::start().now();
        let mut link = Link::new(server, connection, start);
        link.connected(next, start);
        let slept = RESUME_TIME * 5;
        let woken = start + slept + RESUME_TIME / 2;
        link.woken(slept, woken);
        assert!(!matches!(link.expired(Watch::GivesUp, woken), Some(LinkTimeout::NotResumed)));
        let end = start + slept + RESUME_TIME;
        assert!(matches!(link.expired(Watch::GivesUp, end), Some(LinkTimeout::NotResumed)));
    }

    fn said_to(all: &[&'static str], text: &str) -> Bytes {
        let entry = |to: &&'static str| Entry {
            source: "ann".into(),
            destination: (*to).into(),
            timestamp: 1,
            content: text.to_owned().into(),
        };
        client_frame::say(&all.iter().map(entry).collect::<Vec<_>>()).unwrap()
    }

    fn said(text: &str) -> Bytes {
        said_to(&[ALL], text)
    }

    #[test]
    fn only_long_public_messages_are_sent_compressed() {
        let codec = Codec::new();
        let long = "a long text that says the same again and again, ".repeat(50);
        let plain = said(&long);
        let sent = compressed(&codec, &plain).unwrap();
        assert!(sent.len() < plain.len() / 5);
        let body = codec.inflated(&sent[PREFIX..], plain.len()).unwrap();
        assert_eq!(body, plain.slice(PREFIX..));
        assert!(compressed(&codec, &said_to(&["#lab", ALL], &long)).is_some());
        for to in [&["bob"][..], &[ALL, "bob"], &["bob", "#lab"]] {
            assert!(compressed(&codec, &said_to(to, &long)).is_none(), "{to:?}");
        }
        assert!(compressed(&codec, &said("short")).is_none());
        let quoted = said(&format!("{long} \"E2EE\": "));
        assert!(compressed(&codec, &quoted).is_some(), "that is only said");
        for body in [
            format!(r#"{{"USERNAME": "ann", "PASSWORD": "{long}"}}"#),
            format!(r#"{{"ANSWER": {{"ID": "1", "TEXT": "{long}"}}}}"#),
            format!(r#"{{"MESSAGES": [], "META": [{{"E2EE": "{long}"}}]}}"#),
        ] {
            let frame = frame::encode(body.as_bytes()).unwrap();
            assert!(compressed(&codec, &frame).is_none(), "{body}");
        }
    }

    #[tokio::test]
    async fn a_frame_is_inflated_only_where_it_may_be_compressed_and_a_bomb_never() {
        let (connection, mut far) = Connection::in_memory();
        let server = Server { host: String::new(), port: 1, trust: Trust::Plaintext, ssh: None };
        let mut link = Link::new(server, connection, Clock::start().now());
        let plain = said(&"again and again, ".repeat(200));
        let packed = link.codec.compressed(&plain[PREFIX..]).unwrap();
        let bomb = link.codec.compressed(&vec![b' '; limits::SERVER_FRAME + 1]).unwrap();
        for frame in [&packed, &packed, &plain, &bomb] {
            far.write_all(frame).await.unwrap();
        }
        for (zstd, expected, was_packed) in
            [(false, &packed, false), (true, &plain, true), (true, &plain, false)]
        {
            let event = link.event(true, zstd).await;
            let LinkEvent::Frame { body, inflated } = event else { panic!("no frame") };
            assert_eq!((&body[..], inflated), (&expected[PREFIX..], was_packed));
        }
        let bad = link.event(true, true).await;
        assert!(matches!(bad, LinkEvent::Closed(Some(ReadError::BadZstd(BadZstd::TooLong)))));
    }
}
