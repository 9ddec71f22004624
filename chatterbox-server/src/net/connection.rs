//! One connection from its first byte to its last: handshake, greeting, chat, good bye.
//!
//! A joined connection is two halves in one task: one reads frames and posts messages, the other writes what its member
//! has not got yet. Neither waits for the other.

#![allow(clippy::disallowed_methods, reason = "the edge: says when messages arrived")]

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::{Action, ServerSession};
use chatterbox_proto::{ClientFrame, Code, Fault, Faults, limits, server_frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::outbox::{Outbox, WriteEnd};
use super::tls::Transport;
use crate::backlog::Record;
use crate::chat::{Chat, Handle, Seat, resolve};
use crate::config::{Config, Live};
use crate::hub::JoinError;

/// What every connection needs.
#[derive(Debug)]
pub struct Context {
    /// The chat.
    pub chat: Arc<Chat>,
    /// The settings.
    pub config: Live,
    /// TLS or not.
    pub transport: Transport,
    /// Room for long frames that are being received, in KiB, for all connections together.
    pub long_frames: Arc<Semaphore>,
    /// Cancelled (that is, done) when the history of earlier runs is there; nobody joins before.
    pub warmed: CancellationToken,
    /// Cancelled when connections have to end.
    pub closing: CancellationToken,
}

/// Why a connection ended, for the log.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("closed by the client")]
    Closed,
    #[error("took too long to join")]
    JoinTimeout,
    #[error("handshake failed: {0}")]
    Handshake(io::Error),
    #[error("sent a frame that is too long")]
    FrameTooLong,
    #[error("did not finish a long frame, or there were too many")]
    LongFrame,
    #[error("too many refused names")]
    Refused,
    #[error("stopped reading")]
    TooSlow,
    #[error("the server is closing")]
    Closing,
    #[error("connection broken: {0}")]
    Broken(#[from] io::Error),
}

/// How much is read at a time.
const READ: usize = 8 * 1024;

/// What is written to a connection that ends has this long to get away.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Who is removed for being slow gets longer to find out why.
const LAST_WORDS_SLOW: Duration = Duration::from_secs(5);

/// What a client has sent before it closed is read for this long.
const LAST_INPUT: Duration = Duration::from_secs(5);

/// From this size on a frame is long: it needs room from what all connections share, and has to be finished in time.
const LONG_FRAME: usize = 64 * 1024;

/// What all connections together may hold of unfinished long frames, in KiB.
pub const LONG_FRAMES_KIB: usize = 256 * 1024;

/// Messages are handed on in posts of no more than this.
const POST_RECORDS: usize = 256;
const POST_BYTES: usize = 1024 * 1024;

/// Serves one connection to its end.
pub async fn serve(stream: TcpStream, peer: SocketAddr, context: Arc<Context>) {
    tracing::debug!(%peer, "connected");
    let config = context.config.current();
    let deadline = tokio::time::sleep(config.join_timeout);
    let mut deadline = std::pin::pin!(deadline);
    let end = match context.transport.acceptor() {
        None => talk(stream, peer, &context, &config, deadline.as_mut()).await,
        Some(acceptor) => {
            tokio::select! {
                accepted = acceptor.accept(stream) => match accepted {
                    Ok(stream) => talk(stream, peer, &context, &config, deadline.as_mut()).await,
                    Err(error) => End::Handshake(error),
                },
                () = deadline.as_mut() => End::JoinTimeout,
                () = context.closing.cancelled() => End::Closing,
            }
        }
    };
    tracing::debug!(%peer, reason = %end, "disconnected");
}

type Deadline<'a> = std::pin::Pin<&'a mut tokio::time::Sleep>;

async fn talk<S>(
    mut stream: S,
    peer: SocketAddr,
    context: &Context,
    config: &Config,
    deadline: Deadline<'_>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut greeting = Greeting {
        decoder: Decoder::new(limits::GREETING_FRAME),
        session: ServerSession::new(config.max_name),
    };
    let greeted = tokio::select! {
        greeted = greeting.run(&mut stream, context) => greeted,
        () = deadline => Err(End::JoinTimeout),
        () = context.closing.cancelled() => Err(End::Closing),
    };
    let end = match greeted {
        Ok(joined) => {
            let name = greeting.session.name().cloned();
            let name = name.as_ref().map(tracing::field::display);
            tracing::info!(%peer, name, "joined");
            greeting.decoder.set_limit(config.max_frame);
            let end = chat(&mut stream, greeting, joined, context, config).await;
            tracing::info!(%peer, name, reason = %end, "left");
            end
        }
        Err(end) => {
            if matches!(end, End::JoinTimeout) {
                let last = answer(&mut stream, server_frame::error(&Code::JoinTimeout.into()));
                let _ = tokio::time::timeout(LAST_WORDS, last).await;
            }
            end
        }
    };
    if !matches!(end, End::Broken(_)) {
        close(&mut stream).await;
    }
    end
}

/// Closes so that what was written last arrives: unread input would turn the close into a reset.
async fn close<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let _ = tokio::time::timeout(LAST_WORDS, async {
        stream.shutdown().await?;
        let mut ignored = vec![0; READ];
        while stream.read(&mut ignored).await? > 0 {}
        Ok::<_, io::Error>(())
    })
    .await;
}

/// A connection that has no name yet.
struct Greeting {
    decoder: Decoder,
    session: ServerSession,
}

/// A connection that has just joined.
struct Joined {
    seat: Seat,
    welcome: Vec<Bytes>,
    /// What the frame with the name held beside it.
    first: Inbox,
}

impl Greeting {
    async fn run<S>(&mut self, stream: &mut S, context: &Context) -> Result<Joined, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut buffer = vec![0; READ];
        loop {
            loop {
                let body = match self.decoder.next_body() {
                    Ok(Some(body)) => body,
                    Ok(None) => break,
                    Err(_) => {
                        answer(stream, server_frame::error(&Code::FrameTooLong.into())).await?;
                        return Err(End::FrameTooLong);
                    }
                };
                if let Some(joined) = self.frame(&body, stream, context).await? {
                    return Ok(joined);
                }
            }
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Err(End::Closed);
            }
            self.decoder.push(buffer.get(..read).unwrap_or_default());
        }
    }

    async fn frame<S: AsyncWrite + Unpin>(
        &mut self,
        body: &[u8],
        stream: &mut S,
        context: &Context,
    ) -> Result<Option<Joined>, End> {
        let mut actions = VecDeque::from(self.session.receive(ClientFrame::parse(body)));
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Claim { name, messages } => {
                    // A welcome holds all of the history, so there is none before all of it is read.
                    context.warmed.cancelled().await;
                    let info = format!("Welcome, {name}!");
                    match context.chat.join(&name, &info) {
                        Ok((seat, welcome)) => {
                            let rest = self.session.claimed(Ok(name), messages);
                            let mut first = Inbox::new(seat.handle());
                            first.take(rest);
                            return Ok(Some(Joined { seat, welcome, first }));
                        }
                        Err(JoinError::Refused(refusal)) => {
                            actions.extend(self.session.claimed(Err(refusal), messages));
                        }
                        Err(JoinError::TooLong(error)) => {
                            tracing::error!(%error, "the history does not fit a welcome");
                            return Err(End::Closing);
                        }
                    }
                }
                Action::Refuse(refusal) => {
                    tracing::debug!(reason = refusal.word(), "name refused");
                    answer(stream, server_frame::refused(&refusal)).await?;
                }
                Action::Error(faults) => answer(stream, server_frame::error(&faults)).await?,
                Action::Close => return Err(End::Refused),
                // Only what has a name posts.
                Action::Post(_) => {}
            }
        }
        Ok(None)
    }
}

async fn answer<S: AsyncWrite + Unpin>(
    stream: &mut S,
    frame: Result<Bytes, chatterbox_proto::frame::TooLong>,
) -> io::Result<()> {
    // Answers are made of bounded parts, so they always fit a frame.
    stream.write_all(&frame.unwrap_or_default()).await?;
    stream.flush().await
}

/// The joined part of a connection's life.
async fn chat<S>(
    stream: &mut S,
    greeting: Greeting,
    joined: Joined,
    context: &Context,
    config: &Config,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Greeting { decoder, session } = greeting;
    let Joined { mut seat, welcome, first } = joined;
    let member = seat.handle();
    let (reader, writer) = tokio::io::split(stream);
    let mut reader = Reader {
        reader,
        decoder,
        session,
        inbox: first,
        long_frame: LongFrame::new(Arc::clone(&context.long_frames), config.join_timeout),
    };
    let mut outbox = Outbox::new(writer, member.clone(), config.stall_timeout, welcome);
    let end = {
        let mut reading = std::pin::pin!(reader.run());
        tokio::select! {
            end = &mut reading => end,
            end = outbox.run(&mut seat) => match end {
                WriteEnd::TooSlow => End::TooSlow,
                WriteEnd::Broken(error) => {
                    // A client that just closes has perhaps not read everything, but said it (QT-1).
                    member.mute();
                    let _ = tokio::time::timeout(LAST_INPUT, reading).await;
                    End::Broken(error)
                }
            },
            () = context.closing.cancelled() => End::Closing,
        }
    };
    drop(reader);
    let within = match end {
        End::Broken(_) => Duration::ZERO,
        End::TooSlow => {
            outbox.say_too_slow();
            LAST_WORDS_SLOW
        }
        _ => {
            outbox.say_last(&seat);
            LAST_WORDS
        }
    };
    // Leaving comes first: nobody waits for the last words of somebody else.
    drop(seat);
    outbox.finish(within).await;
    end
}

/// The way in: frames of a joined client, turned into posts and answers.
struct Reader<R> {
    reader: R,
    decoder: Decoder,
    session: ServerSession,
    inbox: Inbox,
    long_frame: LongFrame,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    async fn run(&mut self) -> End {
        // What came beside the name belongs to that frame.
        self.inbox.deliver().await;
        let mut buffer = vec![0; READ];
        loop {
            loop {
                match self.decoder.next_body() {
                    Ok(Some(body)) => {
                        let actions = self.session.receive(ClientFrame::parse(&body));
                        self.inbox.take(actions);
                        if self.inbox.is_due() {
                            self.inbox.deliver().await;
                        }
                    }
                    Ok(None) => break,
                    Err(_) => return self.refuse(Code::FrameTooLong, End::FrameTooLong).await,
                }
            }
            self.inbox.deliver().await;
            if self.long_frame.holds(self.decoder.pending()).is_err() {
                return self.refuse(Code::TooManyLongFrames, End::LongFrame).await;
            }
            let read = tokio::select! {
                read = self.reader.read(&mut buffer) => read,
                () = self.long_frame.overdue() => {
                    return self.refuse(Code::FrameTimeout, End::LongFrame).await;
                }
            };
            match read {
                Ok(0) => return End::Closed,
                Ok(read) => self.decoder.push(buffer.get(..read).unwrap_or_default()),
                // Many clients just drop the connection; that is leaving too (LV-1).
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return End::Closed,
                Err(error) => return End::Broken(error),
            }
        }
    }

    async fn refuse(&mut self, code: Code, end: End) -> End {
        self.inbox.faults.note(|| code.into());
        self.inbox.deliver().await;
        end
    }
}

/// The long frame that a connection is receiving: what it holds of the shared room, and until when.
struct LongFrame {
    room: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    time: Duration,
    until: Option<tokio::time::Instant>,
}

impl LongFrame {
    fn new(room: Arc<Semaphore>, time: Duration) -> Self {
        Self { room, held: None, time, until: None }
    }

    /// Notes how much of an unfinished frame there is.
    fn holds(&mut self, pending: usize) -> Result<(), tokio::sync::TryAcquireError> {
        if pending < LONG_FRAME {
            (self.held, self.until) = (None, None);
            return Ok(());
        }
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = (pending / 1024).saturating_sub(held);
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.room).try_acquire_many_owned(more)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        self.until.get_or_insert_with(|| tokio::time::Instant::now() + self.time);
        Ok(())
    }

    /// Waits until the frame should have been finished; for ever when there is none.
    async fn overdue(&self) {
        match self.until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    }
}

/// What a member's frames have led to and is not handed on yet: messages to post, then faults to answer.
struct Inbox {
    member: Handle,
    records: Vec<Record>,
    bytes: usize,
    faults: Faults,
}

impl Inbox {
    fn new(member: Handle) -> Self {
        Self { member, records: Vec::new(), bytes: 0, faults: Faults::new() }
    }

    /// Takes what one frame led to.
    fn take(&mut self, actions: Vec<Action<'_>>) {
        for action in actions {
            match action {
                Action::Post(postings) => {
                    for posting in postings {
                        self.post(posting);
                    }
                }
                Action::Error(faults) => self.faults.merge(faults),
                // Names are settled.
                Action::Claim { .. } | Action::Refuse(_) | Action::Close => {}
            }
        }
    }

    fn post(&mut self, mut posting: chatterbox_proto::session::Posting<'_>) {
        let wanted = posting.entry.destination.clone();
        let size = posting.entry.content.len();
        match resolve(self.member.chat(), posting.destination, size) {
            Ok(destination) => {
                if let chatterbox_proto::session::Destination::User(name) = &destination {
                    // In the spelling that the recipient's client knows as its own.
                    posting.entry.destination = name.as_str().to_owned().into();
                }
                let json = Bytes::from(posting.entry.to_json());
                self.bytes += json.len();
                self.records.push(Record { destination, json, arrived: unix_now() });
            }
            Err(code) => {
                let index = posting.index;
                let mut fault = Faults::new();
                fault.note(|| Fault::message(index, code).about(&wanted));
                self.faults.merge(fault);
            }
        }
    }

    /// Whether what is waiting should not wait for more frames: an answer belongs to one frame, and posts are bounded.
    fn is_due(&self) -> bool {
        !self.faults.is_empty() || self.records.len() >= POST_RECORDS || self.bytes >= POST_BYTES
    }

    /// Posts the messages, then answers the faults.
    async fn deliver(&mut self) {
        self.bytes = 0;
        let mut records = std::mem::take(&mut self.records).into_iter().peekable();
        while records.peek().is_some() {
            let mut bytes = 0;
            let mut post = Vec::new();
            while let Some(record) =
                records.next_if(|_| post.len() < POST_RECORDS && bytes < POST_BYTES)
            {
                bytes += record.json.len();
                post.push(record);
            }
            if let Err(code) = self.member.chat().post(post).await {
                self.faults.note(|| code.into());
            }
        }
        if self.faults.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.faults).text();
        // Who does not read the answers to its mistakes is not listened to, either.
        while !self.member.tell_error(&text) {
            self.member.room().await;
        }
    }
}

/// Seconds since 1970 UTC.
pub(crate) fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
