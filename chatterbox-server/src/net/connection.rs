//! One connection from its first byte to its last: handshake, greeting, chat, good bye.
//!
//! A joined connection is two halves in one task: one reads frames and posts messages, the other writes what its member
//! has not got yet. Neither waits for the other.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::{Action, ServerSession};
use chatterbox_proto::{ClientFrame, Code, limits, server_frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;
use super::long_frame::LongFrame;
use super::outbox::{Outbox, WriteEnd};
use super::tls::Transport;
use crate::chat::{Chat, Seat};
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
