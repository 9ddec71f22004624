//! The life of one connection: handshake, joining, chat, close.
//!
//! A joined connection is one task with two halves: the reader turns frames into posts, the writer sends the member what its
//! cursor has not reached yet. Neither waits for the other.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::Removal;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::JoinedSession;
use chatterbox_proto::{Capability, ClientFrame, Code, server_frame};
use futures_util::future::BoxFuture;
use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::access::{RenameRequest, Served};
use crate::chat::handle::Handle;
use crate::config::Config;
use crate::net::context::Context;
use crate::net::inbound::Inbound;
use crate::net::joining::{Joined, Joining, answer};
use crate::net::long_frame::LongFrame;
use crate::net::outbound::{Outbound, WriteEnd};
use crate::net::poll_on_wake::PollOnWake;
use crate::net::read_buffer::{self, READ};
use crate::net::socket::Socket;
use crate::net::stream::{End, Stream};

/// A frame of up to this size has at most as many messages as are read at a time: the shortest takes 13 bytes.
const SHORT: usize = 32 * 13;

/// A connection that ends has this long to take the frames that are still queued.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// A slow consumer that was removed has this long to take the reason.
const LAST_WRITES_SLOW: Duration = Duration::from_secs(5);

/// So much is encrypted ahead of what the socket takes. Each connection that does not read holds as much.
const TLS_BUFFER: usize = 32 * 1024;

/// The handshake has to be done in this time while more than half of all places are taken.
const CROWDED_HANDSHAKE: Duration = Duration::from_secs(10);

/// A connection that is turned away has this long to take the reason.
const TURNED_AWAY: Duration = Duration::from_secs(5);

/// When writing fails, input that is already on its way is read for this long; so is what a client has sent that hung up and
/// still waits to read its answers.
const LAST_READS: Duration = Duration::from_secs(5);

/// So much is read ahead while a frame is worked off.
const READ_AHEAD: usize = 16 * 1024;

/// Messages under the old name are accepted for this long after a rename, in milliseconds (RN-3).
const OLD_NAME_GRACE: u64 = 10_000;

/// Serves one connection to its end.
pub async fn serve(stream: TcpStream, peer: SocketAddr, context: Arc<Context>) {
    tracing::debug!(%peer, "connected");
    let config = context.config.current();
    // Boxed, so that the task does not keep the memory of joining and closing all the time.
    let end = match Box::pin(join(stream, peer, &context, &config)).await {
        Ok(connection) => chat(connection, peer, &context, &config).await,
        Err(end) => end,
    };
    tracing::debug!(%peer, reason = %end, "disconnected");
}

/// A connection that has joined.
struct Connection {
    stream: Stream,
    decoder: Decoder,
    joined: Joined,
}

/// Does the handshake and joins, both before the deadline for joining.
async fn join(
    stream: TcpStream,
    peer: SocketAddr,
    context: &Context,
    config: &Config,
) -> Result<Box<Connection>, End> {
    let deadline = tokio::time::sleep(config.join_timeout);
    let mut deadline = std::pin::pin!(deadline);
    let mut stream: Stream = match context.transport.acceptor() {
        None => Box::new(stream),
        Some(acceptor) => tokio::select! {
            accepted = accept(&acceptor, stream) => accepted.map_err(End::Handshake)?,
            () = crowded(context, config) => return Err(End::JoinTimeout),
            () = deadline.as_mut() => return Err(End::JoinTimeout),
            () = context.closing.cancelled() => return Err(End::Closing),
        },
    };
    let spoken = config.spoken | context.access.authenticator.speaks();
    let mut joining = Joining::new(peer, spoken, config);
    let outcome = tokio::select! {
        outcome = joining.run(&mut stream, context) => outcome,
        () = deadline => Err(End::JoinTimeout),
        () = context.closing.cancelled() => Err(End::Closing),
    };
    let end = match outcome {
        Ok(joined) => {
            context.limits.note_joined(peer.ip());
            joining.decoder.set_limit(config.max_frame);
            let Joining { decoder, .. } = joining;
            return Ok(Box::new(Connection { stream, decoder, joined }));
        }
        Err(end) => end,
    };
    if matches!(end, End::JoinTimeout) {
        let last = answer(&mut stream, server_frame::error(&Code::JoinTimeout.into()));
        let _ = tokio::time::timeout(LAST_WRITES, last).await;
    }
    if !matches!(end, End::Broken(_)) {
        close(&mut stream).await;
    }
    Err(end)
}

/// Does the handshake.
async fn accept(acceptor: &TlsAcceptor, stream: TcpStream) -> io::Result<Stream> {
    let bounded = |session: &mut ServerConnection| session.set_buffer_limit(Some(TLS_BUFFER));
    let accepted = acceptor.accept_with(Socket(stream), bounded).await?;
    Ok(Box::new(accepted))
}

/// Waits until a handshake has taken too long for a server that is short of places: sockets that say nothing take them from
/// everybody.
async fn crowded(context: &Context, config: &Config) {
    tokio::time::sleep(CROWDED_HANDSHAKE).await;
    while !context.limits.is_crowded(config.max_connections) {
        tokio::time::sleep(CROWDED_HANDSHAKE / 10).await;
    }
}

/// Tells a connection that there is no place for it, and closes it.
pub async fn turn_away(stream: TcpStream, reason: Code, context: &Context) {
    let told = async {
        let mut stream: Stream = match context.transport.acceptor() {
            None => Box::new(stream),
            Some(acceptor) => accept(&acceptor, stream).await?,
        };
        answer(&mut stream, server_frame::error(&reason.into())).await?;
        close(&mut stream).await;
        Ok::<_, io::Error>(())
    };
    tokio::select! {
        // Whoever does not listen needs not be told.
        _ = tokio::time::timeout(TURNED_AWAY, told) => {}
        () = context.closing.cancelled() => {}
    }
}

/// Closes so that the last frames arrive: with unread input the kernel would send a reset instead.
async fn close(stream: &mut Stream) {
    let _ = tokio::time::timeout(LAST_WRITES, async {
        stream.shutdown().await?;
        while read_buffer::read(stream, READ, |_| ()).await? > 0 {}
        Ok::<_, io::Error>(())
    })
    .await;
}

/// The joined part of a connection's life.
async fn chat(
    connection: Box<Connection>,
    peer: SocketAddr,
    context: &Context,
    config: &Config,
) -> End {
    let Connection { mut stream, decoder, joined } = *connection;
    let Joined { mut seat, session, welcome, first, attached } = joined;
    let name = session.name().clone();
    let name = tracing::field::display(&name);
    if context.logged.admits(peer.ip()) {
        tracing::info!(%peer, name, "joined");
    }
    let member = seat.handle();
    let (mut serving, rename_requests) = match attached {
        Some(attached) => (
            Some(context.access.requests.serve(*attached.attachment)),
            Some(attached.rename_requests),
        ),
        None => (None, None),
    };
    let is_escaped = session.agreed().has(Capability::Utf8);
    let (reader, writer) = tokio::io::split(&mut stream);
    let mut reader = Reader {
        rename_requests,
        reader,
        decoder,
        end: None,
        session,
        inbound: first,
        long_frame: LongFrame::new(
            Arc::clone(&context.long_frames),
            peer.ip(),
            config.join_timeout,
        ),
    };
    let mut outbound =
        Outbound::new(writer, member.clone(), config.stall_timeout, welcome, is_escaped);
    let end = {
        // A future of its own, polled only when woken: a broadcast wakes every task, but not every reader.
        let mut reading = pin!(async {
            tokio::select! {
                end = reader.run(context) => end,
                () = context.closing.cancelled() => End::Closing,
                end = serve_requests(&mut serving) => end,
            }
        });
        let mut reading = PollOnWake::new(reading.as_mut());
        tokio::select! {
            end = &mut reading => end,
            end = outbound.run(&mut seat, context) => match end {
                WriteEnd::Removed(Removal::Resumed) => End::Resumed,
                WriteEnd::Removed(Removal::OverBudget) => End::OverBudget,
                WriteEnd::Removed(Removal::TooSlow) => End::TooSlow,
                WriteEnd::Removed(Removal::AccountRemoved) => End::AccountRemoved,
                WriteEnd::Removed(Removal::LoggedOut) => End::LoggedOutElsewhere,
                WriteEnd::Broken(error) => {
                    // The client may have closed without reading everything; its last messages still count (QT-1).
                    member.mute();
                    let _ = tokio::time::timeout(LAST_READS, reading).await;
                    End::Broken(error)
                }
            },
        }
    };
    drop(reader);
    let within = match end {
        End::Broken(_) => Duration::ZERO,
        End::TooSlow => {
            outbound.replace_pending(Code::TooSlow);
            LAST_WRITES_SLOW
        }
        End::OverBudget => {
            outbound.drop_pending(Code::TooMuchWaiting);
            LAST_WRITES
        }
        End::Resumed => {
            outbound.replace_pending(Code::Resumed);
            LAST_WRITES
        }
        End::AccountRemoved => {
            outbound.replace_pending(Code::AccountRemoved);
            LAST_WRITES
        }
        End::LoggedOutElsewhere => {
            outbound.replace_pending(Code::LoggedOut);
            LAST_WRITES
        }
        _ => {
            outbound.queue_rest(&seat);
            LAST_WRITES
        }
    };
    // The member leaves before its last frames are written: nobody else waits for them.
    drop(seat);
    Box::pin(outbound.finish(within)).await;
    drop(outbound);
    if context.logged.admits(peer.ip()) {
        tracing::info!(%peer, name, reason = %end, "left");
    }
    if !matches!(end, End::Broken(_)) {
        Box::pin(close(&mut stream)).await;
    }
    end
}

/// The reading half: turns the frames of a member into posts and answers.
struct Reader<R> {
    rename_requests: Option<mpsc::Receiver<RenameRequest>>,
    reader: R,
    decoder: Decoder,
    /// The end of the input, when it was read ahead.
    end: Option<End>,
    session: JoinedSession,
    inbound: Inbound,
    long_frame: LongFrame,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    async fn run(&mut self, context: &Context) -> End {
        // The frame with the name may have held messages as well.
        self.deliver().await;
        loop {
            loop {
                match self.decoder.next_body() {
                    Ok(Some(body)) => self.frame(&body, context).await,
                    Ok(None) => break,
                    Err(_) => return self.refuse(Code::FrameTooLong, End::FrameTooLong).await,
                }
            }
            self.deliver().await;
            if self.long_frame.holds(self.decoder.pending()).is_err() {
                // Who sent it can't know how much the others send, so its connection goes on.
                self.decoder.discard_frame();
                let _ = self.long_frame.holds(self.decoder.pending());
                self.inbound.faults.note(|| Code::TooManyLongFrames.into());
                self.deliver().await;
            }
            if self.decoder.has_body() {
                continue;
            }
            if let Some(end) = self.end.take() {
                return end;
            }
            let read = tokio::select! {
                read = read_buffer::read_frames(&mut self.reader, &mut self.decoder, READ) => read,
                rename = next(&mut self.rename_requests) => {
                    self.rename(rename);
                    continue;
                }
                () = self.long_frame.overdue() => {
                    return self.refuse(Code::FrameTimeout, End::LongFrame).await;
                }
            };
            self.end = end_of_input(read);
        }
    }

    /// Processes one frame.
    async fn frame(&mut self, body: &Bytes, context: &Context) {
        if self.session.has_former_names() {
            self.session.forget_names(self.inbound.member().chat().now());
        }
        if body.len() > SHORT {
            // Boxed: most frames are short, and the tasks of connections stay small.
            return Box::pin(self.long_frame(body, context)).await;
        }
        let frame = ClientFrame::parse_as(body, self.session.known());
        let actions = self.session.receive(frame);
        self.inbound.take(actions);
        if self.inbound.is_due() {
            self.deliver().await;
        }
    }

    /// The same for one that may hold many or long messages.
    async fn long_frame(&mut self, body: &Bytes, context: &Context) {
        let work = &context.long_work;
        let known = self.session.known();
        let frame = work.on(body.len(), || ClientFrame::parse_as(body, known)).await;
        let actions = self.session.receive(frame);
        let member = self.inbound.member().clone();
        let working = self.inbound.work_off(actions, &self.session, work);
        while_reading_ahead(working, &member, &mut self.reader, &mut self.decoder, &mut self.end)
            .await;
        if self.inbound.is_due() {
            self.deliver().await;
        }
    }

    /// Renames the member, between two of its frames.
    fn rename(&mut self, request: RenameRequest) {
        let member = self.inbound.member();
        let name = request.rename.name.clone();
        let outcome = member.rename(request.rename);
        if outcome.is_ok() {
            let until = member.chat().now().saturating_add(OLD_NAME_GRACE);
            self.session.renamed(name, until);
        }
        // The handler may have ended meanwhile.
        let _ = request.done.send(outcome);
    }

    async fn refuse(&mut self, code: Code, end: End) -> End {
        self.inbound.faults.note(|| code.into());
        self.deliver().await;
        end
    }

    async fn deliver(&mut self) {
        if !self.inbound.is_empty() {
            let member = self.inbound.member().clone();
            let working = self.inbound.deliver();
            let reader = (&mut self.reader, &mut self.decoder, &mut self.end);
            // Boxed: most members are silent most of the time, and their tasks stay small.
            Box::pin(while_reading_ahead(working, &member, reader.0, reader.1, reader.2)).await;
        }
    }
}

/// Does some work that may wait for the member to read its answers. A little of its further input is read meanwhile, so that
/// it is seen when the member hangs up: it would stay in the room, and its name be taken, for as long as the work waits.
async fn while_reading_ahead<R: AsyncRead + Unpin, T>(
    working: impl Future<Output = T>,
    member: &Handle,
    reader: &mut R,
    decoder: &mut Decoder,
    end: &mut Option<End>,
) -> T {
    let mut working = pin!(working);
    while end.is_none() && decoder.pending() < READ_AHEAD {
        tokio::select! {
            biased;
            done = &mut working => return done,
            read = read_buffer::read_frames(reader, decoder, READ_AHEAD) => {
                *end = end_of_input(read);
            }
        }
    }
    if end.is_some() {
        tokio::select! {
            done = &mut working => return done,
            () = tokio::time::sleep(LAST_READS) => member.mute(),
        }
    }
    working.await
}

/// Whether nothing comes after this read, and why.
fn end_of_input(read: io::Result<usize>) -> Option<End> {
    match read {
        Ok(0) => Some(End::Closed),
        Ok(_) => None,
        // TLS without a close notify: many clients drop the connection, which is leaving too (LV-1).
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(End::Closed),
        Err(error) => Some(End::Broken(error)),
    }
}

/// Serves the member's requests; ends only when the member logs out.
async fn serve_requests(serving: &mut Option<BoxFuture<'static, Served>>) -> End {
    if let Some(serving) = serving
        && serving.await == Served::Done
    {
        return End::LoggedOut;
    }
    std::future::pending().await
}

/// The next rename; pending for ever without a handler.
async fn next(requests: &mut Option<mpsc::Receiver<RenameRequest>>) -> RenameRequest {
    if let Some(requests) = requests
        && let Some(rename) = requests.recv().await
    {
        return rename;
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::access::{Access, NoAccounts};
    use crate::chat::paging::Pages;
    use crate::chat::shared::Chat;
    use crate::config::Live;
    use crate::net::long_work::LongWork;
    use crate::net::tls::Transport;
    use crate::pacing::{JoinPacing, LogPacing};

    #[tokio::test]
    async fn a_connection_is_small() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (posts, _inbox) = crate::chat::posts::queue();
        let config = Config::default();
        let hub = chatterbox_hub::Hub::new(config.timeline, config.keep);
        let context = Arc::new(Context {
            chat: Arc::new(Chat::new(hub, posts)),
            access: Access::new(NoAccounts),
            joins: JoinPacing::default(),
            logged: LogPacing::default(),
            pages: Arc::new(Pages::new(
                Arc::new(crate::store::Memory::default()),
                Box::new(|_| Box::pin(async { None })),
            )),
            config: Live::new(config),
            transport: Transport::Plaintext,
            limits: Arc::default(),
            long_frames: Arc::default(),
            long_work: LongWork::default(),
            history_loaded: CancellationToken::new(),
            closing: CancellationToken::new(),
        });
        // The memory of every open connection, beside that of TLS.
        let size = size_of_val(&serve(stream, address, context));
        assert!(size <= 2048, "{size} bytes");
    }
}
