//! One connection from its first byte to its last: handshake, joining, chat, good bye.
//!
//! A joined connection is two halves in one task: one reads frames and posts messages, the other writes what its member
//! has not got yet. Neither waits for the other.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::Removal;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::JoinedSession;
use chatterbox_proto::{ClientFrame, Code, server_frame};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::access::{Gate, RenameRequest, Served};
use crate::chat::paging::Pages;
use crate::chat::shared::Chat;
use crate::config::{Config, Live};
use crate::net::inbound::Inbound;
use crate::net::login::{Joined, Joining, answer};
use crate::net::long_frame::LongFrame;
use crate::net::outbound::{Outbound, WriteEnd};
use crate::net::poll_on_wake::PollOnWake;
use crate::net::read_buffer;
use crate::net::socket::Socket;
use crate::net::tls::Transport;

/// What every connection needs.
#[derive(Debug)]
pub struct Context {
    /// The chat.
    pub chat: Arc<Chat>,
    /// Who decides who may come in.
    pub gate: Arc<dyn Gate>,
    /// Pages of history for those who ask.
    pub pages: Arc<Pages>,
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
pub(super) enum End {
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
    #[error("another connection goes on with the session")]
    Resumed,
    #[error("logged out")]
    LoggedOut,
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

/// Messages under the old name are taken for this long after a change, in milliseconds (RN-3).
const OLD_NAME: u64 = 10_000;

/// What is read from and written to: TLS or bare TCP.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// In a box, so that what a joined connection holds is small whatever is inside.
pub(super) type Stream = Box<dyn Duplex>;

/// Serves one connection to its end.
pub async fn serve(stream: TcpStream, peer: SocketAddr, context: Arc<Context>) {
    tracing::debug!(%peer, "connected");
    let config = context.config.current();
    // In boxes: what arriving and leaving need is not kept through all of the chat.
    let end = match Box::pin(arrive(stream, peer, &context, &config)).await {
        Ok(arrived) => chat(arrived, peer, &context, &config).await,
        Err(end) => end,
    };
    tracing::debug!(%peer, reason = %end, "disconnected");
}

/// A connection that has joined.
struct Arrived {
    stream: Stream,
    decoder: Decoder,
    joined: Joined,
}

/// From the first byte to a name, all of it within the time for joining.
async fn arrive(
    stream: TcpStream,
    peer: SocketAddr,
    context: &Context,
    config: &Config,
) -> Result<Box<Arrived>, End> {
    let deadline = tokio::time::sleep(config.join_timeout);
    let mut deadline = std::pin::pin!(deadline);
    let mut stream: Stream = match context.transport.acceptor() {
        None => Box::new(stream),
        Some(acceptor) => tokio::select! {
            accepted = acceptor.accept(Socket(stream)) => Box::new(accepted.map_err(End::Handshake)?),
            () = deadline.as_mut() => return Err(End::JoinTimeout),
            () = context.closing.cancelled() => return Err(End::Closing),
        },
    };
    let spoken = config.spoken | context.gate.speaks();
    let mut joining = Joining::new(peer, spoken, config);
    let greeted = tokio::select! {
        greeted = joining.run(&mut stream, context) => greeted,
        () = deadline => Err(End::JoinTimeout),
        () = context.closing.cancelled() => Err(End::Closing),
    };
    let end = match greeted {
        Ok(joined) => {
            joining.decoder.set_limit(config.max_frame);
            let Joining { decoder, .. } = joining;
            return Ok(Box::new(Arrived { stream, decoder, joined }));
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
        while read_buffer::read(stream, |_| ()).await? > 0 {}
        Ok::<_, io::Error>(())
    })
    .await;
}

/// The joined part of a connection's life.
async fn chat(arrived: Box<Arrived>, peer: SocketAddr, context: &Context, config: &Config) -> End {
    let Arrived { mut stream, decoder, joined } = *arrived;
    let Joined { mut seat, session, welcome, first, attached } = joined;
    let name = session.name().clone();
    let name = tracing::field::display(&name);
    tracing::info!(%peer, name, "joined");
    let member = seat.handle();
    let (mut serving, renames) = match attached {
        Some(attached) => (Some(context.gate.attend(*attached.attachment)), Some(attached.renames)),
        None => (None, None),
    };
    let (reader, writer) = tokio::io::split(&mut stream);
    let mut reader = Reader {
        renames,
        reader,
        decoder,
        session,
        inbound: first,
        long_frame: LongFrame::new(Arc::clone(&context.long_frames), config.join_timeout),
    };
    let mut outbound = Outbound::new(writer, member.clone(), config.stall_timeout, welcome);
    let end = {
        // Together, since all are rare: a message to everybody is no reason to look at them.
        let mut reading = pin!(async {
            tokio::select! {
                end = reader.run() => end,
                () = context.closing.cancelled() => End::Closing,
                end = serve_requests(&mut serving) => end,
            }
        });
        let mut reading = PollOnWake::new(reading.as_mut());
        tokio::select! {
            end = &mut reading => end,
            end = outbound.run(&mut seat) => match end {
                WriteEnd::Removed(Removal::Resumed) => End::Resumed,
                WriteEnd::Removed(Removal::TooSlow) => End::TooSlow,
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
            outbound.say_instead(Code::TooSlow);
            LAST_WORDS_SLOW
        }
        End::Resumed => {
            outbound.say_instead(Code::Resumed);
            LAST_WORDS
        }
        _ => {
            outbound.say_last(&seat);
            LAST_WORDS
        }
    };
    // Leaving comes first: nobody waits for the last words of somebody else.
    drop(seat);
    Box::pin(outbound.finish(within)).await;
    drop(outbound);
    tracing::info!(%peer, name, reason = %end, "left");
    if !matches!(end, End::Broken(_)) {
        Box::pin(close(&mut stream)).await;
    }
    end
}

/// The way in: frames of a joined client, turned into posts and answers.
struct Reader<R> {
    /// Names that the member is to get.
    renames: Option<mpsc::Receiver<RenameRequest>>,
    reader: R,
    decoder: Decoder,
    session: JoinedSession,
    inbound: Inbound,
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
                        if self.session.has_former_names() {
                            self.session.forget_names(self.inbound.member().chat().now());
                        }
                        let frame = ClientFrame::parse_as(&body, self.session.known());
                        let actions = self.session.receive(frame);
                        self.inbound.take(actions);
                        if self.inbound.is_due() {
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
                read = read_buffer::read_frames(&mut self.reader, &mut self.decoder) => read,
                rename = next(&mut self.renames) => {
                    self.rename(rename);
                    continue;
                }
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

    /// Gives the member another name, between two of its frames.
    fn rename(&mut self, rename: RenameRequest) {
        let member = self.inbound.member();
        let outcome = member.rename(&rename.name, rename.owns);
        if outcome.is_ok() {
            let until = member.chat().now().saturating_add(OLD_NAME);
            self.session.renamed(rename.name, until);
        }
        // Whoever does not wait any more does not need to know.
        let _ = rename.done.send(outcome);
    }

    async fn refuse(&mut self, code: Code, end: End) -> End {
        self.inbound.faults.note(|| code.into());
        self.deliver().await;
        end
    }

    async fn deliver(&mut self) {
        if !self.inbound.is_empty() {
            // In a box: most members are silent most of the time.
            Box::pin(self.inbound.deliver()).await;
        }
    }
}

/// Serves a member's commands for as long as it is here, where somebody does.
async fn serve_requests(serving: &mut Option<BoxFuture<'static, Served>>) -> End {
    if let Some(serving) = serving
        && serving.await == Served::Done
    {
        return End::LoggedOut;
    }
    std::future::pending().await
}

/// The next rename; none comes where nobody can have one.
async fn next(renames: &mut Option<mpsc::Receiver<RenameRequest>>) -> RenameRequest {
    if let Some(renames) = renames
        && let Some(rename) = renames.recv().await
    {
        return rename;
    }
    std::future::pending().await
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
        let (posts, _inbox) = crate::chat::sequencer::queue();
        let config = Config::default();
        let hub = chatterbox_hub::Hub::new(config.ring, config.keep);
        let context = Arc::new(Context {
            chat: Arc::new(Chat::new(hub, posts)),
            gate: Arc::new(crate::access::NoAccounts),
            pages: Arc::new(Pages::new(Arc::new(crate::store::Memory::default()))),
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
