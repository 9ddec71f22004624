//! One connection from its first byte to its last: handshake, greeting, chat, good bye.
//!
//! A joined connection is two halves in one task: one reads frames and posts messages, the other writes what its member
//! has not got yet. Neither waits for the other.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::{Action, Claim, ServerSession};
use chatterbox_proto::{Capabilities, ClientFrame, Code, limits, server_frame};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;
use super::long_frame::LongFrame;
use super::outbox::{Outbox, WriteEnd};
use super::reading;
use super::tls::Transport;
use super::woken::Woken;
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

/// What is written to a connection that ends has this long to get away.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Who is removed for being slow gets longer to find out why.
const LAST_WORDS_SLOW: Duration = Duration::from_secs(5);

/// What a client has sent before it closed is read for this long.
const LAST_INPUT: Duration = Duration::from_secs(5);

/// What is read from and written to: TLS or bare TCP.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// In a box, so that what a joined connection holds is small whatever is inside.
type Stream = Box<dyn Duplex>;

/// Serves one connection to its end.
pub async fn serve(stream: TcpStream, peer: SocketAddr, context: Arc<Context>) {
    tracing::debug!(%peer, "connected");
    let config = context.config.current();
    // In boxes: what arriving and leaving need is not kept through all of the chat.
    let end = match Box::pin(arrive(stream, &context, &config)).await {
        Ok(arrived) => chat(arrived, peer, &context, &config).await,
        Err(end) => end,
    };
    tracing::debug!(%peer, reason = %end, "disconnected");
}

/// A connection that has joined.
struct Arrived {
    stream: Stream,
    greeting: Greeting,
    joined: Joined,
}

/// From the first byte to a name, all of it within the time for joining.
async fn arrive(
    stream: TcpStream,
    context: &Context,
    config: &Config,
) -> Result<Box<Arrived>, End> {
    let deadline = tokio::time::sleep(config.join_timeout);
    let mut deadline = std::pin::pin!(deadline);
    let mut stream: Stream = match context.transport.acceptor() {
        None => Box::new(stream),
        Some(acceptor) => tokio::select! {
            accepted = acceptor.accept(stream) => Box::new(accepted.map_err(End::Handshake)?),
            () = deadline.as_mut() => return Err(End::JoinTimeout),
            () = context.closing.cancelled() => return Err(End::Closing),
        },
    };
    let mut greeting = Greeting {
        decoder: Decoder::new(limits::GREETING_FRAME),
        session: ServerSession::new(config.max_name, Capabilities::NONE),
    };
    let greeted = tokio::select! {
        greeted = greeting.run(&mut stream, context) => greeted,
        () = deadline => Err(End::JoinTimeout),
        () = context.closing.cancelled() => Err(End::Closing),
    };
    let end = match greeted {
        Ok(joined) => {
            greeting.decoder.set_limit(config.max_frame);
            return Ok(Box::new(Arrived { stream, greeting, joined }));
        }
        Err(end) => end,
    };
    if matches!(end, End::JoinTimeout) {
        let last = answer(&mut stream, server_frame::error(&Code::JoinTimeout.into()));
        let _ = tokio::time::timeout(LAST_WORDS, last).await;
    }
    if !matches!(end, End::Broken(_)) {
        close(&mut stream).await;
    }
    Err(end)
}

/// Closes so that what was written last arrives: unread input would turn the close into a reset.
async fn close(stream: &mut Stream) {
    let _ = tokio::time::timeout(LAST_WORDS, async {
        stream.shutdown().await?;
        while reading::read(stream, |_| ()).await? > 0 {}
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
    async fn run(&mut self, stream: &mut Stream, context: &Context) -> Result<Joined, End> {
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
            if reading::read_frames(stream, &mut self.decoder).await? == 0 {
                return Err(End::Closed);
            }
        }
    }

    async fn frame(
        &mut self,
        body: &[u8],
        stream: &mut Stream,
        context: &Context,
    ) -> Result<Option<Joined>, End> {
        let mut actions = VecDeque::from(self.session.receive(ClientFrame::parse(body)));
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Claim(claim) => {
                    let Claim { name, messages, .. } = *claim;
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
                // Only what has a name posts, and only it has agreed to more.
                Action::Post(_)
                | Action::History(_)
                | Action::Call(_)
                | Action::Answer(_)
                | Action::Ping(_)
                | Action::Pong(_) => {}
            }
        }
        Ok(None)
    }
}

async fn answer(
    stream: &mut Stream,
    frame: Result<Bytes, chatterbox_proto::frame::TooLong>,
) -> io::Result<()> {
    // Answers are made of bounded parts, so they always fit a frame.
    stream.write_all(&frame.unwrap_or_default()).await?;
    stream.flush().await
}

/// The joined part of a connection's life.
async fn chat(arrived: Box<Arrived>, peer: SocketAddr, context: &Context, config: &Config) -> End {
    let Arrived { mut stream, greeting, joined } = *arrived;
    let Greeting { decoder, session } = greeting;
    let Joined { mut seat, welcome, first } = joined;
    let name = session.name().cloned();
    let name = name.as_ref().map(tracing::field::display);
    tracing::info!(%peer, name, "joined");
    let member = seat.handle();
    let (reader, writer) = tokio::io::split(&mut stream);
    let mut reader = Reader {
        reader,
        decoder,
        session,
        inbox: first,
        long_frame: LongFrame::new(Arc::clone(&context.long_frames), config.join_timeout),
    };
    let mut outbox = Outbox::new(writer, member.clone(), config.stall_timeout, welcome);
    let end = {
        // Together, since both are rare: a message to everybody wakes the other one only.
        let mut reading = pin!(async {
            tokio::select! {
                end = reader.run() => end,
                () = context.closing.cancelled() => End::Closing,
            }
        });
        let mut reading = Woken::new(reading.as_mut());
        let mut writing = pin!(outbox.run(&mut seat));
        tokio::select! {
            end = &mut reading => end,
            end = Woken::new(writing.as_mut()) => match end {
                WriteEnd::TooSlow => End::TooSlow,
                WriteEnd::Broken(error) => {
                    // A client that just closes has perhaps not read everything, but said it (QT-1).
                    member.mute();
                    let _ = tokio::time::timeout(LAST_INPUT, reading).await;
                    End::Broken(error)
                }
            },
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
    Box::pin(outbox.finish(within)).await;
    drop(outbox);
    tracing::info!(%peer, name, reason = %end, "left");
    if !matches!(end, End::Broken(_)) {
        Box::pin(close(&mut stream)).await;
    }
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
        self.deliver().await;
        loop {
            loop {
                match self.decoder.next_body() {
                    Ok(Some(body)) => {
                        let frame = ClientFrame::parse_as(&body, self.session.known());
                        let actions = self.session.receive(frame);
                        self.inbox.take(actions);
                        if self.inbox.is_due() {
                            self.deliver().await;
                        }
                    }
                    Ok(None) => break,
                    Err(_) => return self.refuse(Code::FrameTooLong, End::FrameTooLong).await,
                }
            }
            self.deliver().await;
            if self.long_frame.holds(self.decoder.pending()).is_err() {
                return self.refuse(Code::TooManyLongFrames, End::LongFrame).await;
            }
            let read = tokio::select! {
                read = reading::read_frames(&mut self.reader, &mut self.decoder) => read,
                () = self.long_frame.overdue() => {
                    return self.refuse(Code::FrameTimeout, End::LongFrame).await;
                }
            };
            match read {
                Ok(0) => return End::Closed,
                Ok(_) => {}
                // Many clients just drop the connection; that is leaving too (LV-1).
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return End::Closed,
                Err(error) => return End::Broken(error),
            }
        }
    }

    async fn refuse(&mut self, code: Code, end: End) -> End {
        self.inbox.faults.note(|| code.into());
        self.deliver().await;
        end
    }

    async fn deliver(&mut self) {
        if !self.inbox.is_empty() {
            // In a box: most members are silent most of the time.
            Box::pin(self.inbox.deliver()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Live};

    #[tokio::test]
    async fn a_connection_is_small() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (posts, _inbox) = crate::sequencer::queue();
        let config = Config::default();
        let hub = crate::hub::Hub::new(config.ring, config.keep);
        let context = Arc::new(Context {
            chat: Arc::new(Chat::new(hub, posts)),
            config: Live::new(config),
            transport: Transport::Plaintext,
            long_frames: Arc::new(Semaphore::new(1)),
            warmed: CancellationToken::new(),
            closing: CancellationToken::new(),
        });
        // Every connection costs this much for as long as it lasts, beside what TLS needs.
        let size = size_of_val(&serve(stream, address, context));
        assert!(size <= 2048, "{size} bytes");
    }
}
