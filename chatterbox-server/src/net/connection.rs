//! The life of one connection: handshake, joining, chat, close.
//!
//! A joined connection is one task with two halves: the reader turns frames into posts, the writer sends the member what its
//! cursor has not reached yet. Neither waits for the other.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::Removal;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::JoinedSession;
use chatterbox_proto::{Capability, Code, server_frame};
use futures_util::future::BoxFuture;
use rustls::ServerConfig;
use tokio::io::{AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;

use crate::access::{RenameRequest, Served};
use crate::chat::handle::Seat;
use crate::chat::short_queue;
use crate::config::Config;
use crate::net::context::Context;
use crate::net::inbound::Inbound;
use crate::net::input_pace::InputPace;
use crate::net::joining::{Joined, Joining, answer};
use crate::net::long_frame::LongFrame;
use crate::net::outbound::{Outbound, WriteEnd};
use crate::net::poll_on_wake::PollOnWake;
use crate::net::read_buffer::{self, READ};
use crate::net::reader::Reader;
use crate::net::socket::Socket;
use crate::net::stream::{End, Stream};
use crate::net::tls::TlsStream;
use crate::net::transfers::{Slot, Transfers};

/// A connection that ends has this long to take the frames that are still queued.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// A slow consumer that was removed has this long to take the reason.
const LAST_WRITES_SLOW: Duration = Duration::from_secs(5);

/// The handshake has to be done in this time while more than half of all places are taken.
const CROWDED_HANDSHAKE: Duration = Duration::from_secs(10);

/// A connection that is turned away has this long to take the reason.
const TURNED_AWAY: Duration = Duration::from_secs(5);

/// When writing fails, input that is already on its way is read for this long.
const LAST_READS: Duration = Duration::from_secs(5);

/// Serves one connection of the protocol to its end: the handshake, then frames.
pub fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    context: Arc<Context>,
) -> impl Future<Output = ()> + Send {
    tracing::debug!(%peer, "connected");
    let config = context.config.current();
    let (of_join, config_of_join) = (Arc::clone(&context), Arc::clone(&config));
    // Boxed, so that the task does not keep the memory of joining and closing all the time; and made here, since what is given to
    // an asynchronous function keeps a place in its future, beside that of what it is moved to.
    let joining = Box::pin(async move {
        join(Transported::Socket(stream), peer, &of_join, &config_of_join).await
    });
    async move {
        // No part of the expression that serves it, which would keep a place for the result.
        let connection = match joining.await {
            Ok(connection) => connection,
            Err(end) => return ended(&peer, &end),
        };
        ended(&peer, &chat(connection, &peer, &context, &config).await);
    }
}

fn ended(peer: &SocketAddr, reason: &End) {
    tracing::debug!(%peer, %reason, "disconnected");
}

/// Serves a stream of frames to its end, wherever it comes from. A gateway translates what its clients speak into such a stream; all
/// rules, limits and capabilities hold for it then.
///
/// `config` is what this connection is told and held to; a gateway may be stricter than the settings.
pub(crate) async fn serve_frames(
    stream: Stream,
    peer: SocketAddr,
    context: &Context,
    config: &Config,
) {
    // The same once more: a function for both would be a task within each task.
    tracing::debug!(%peer, "connected to a gateway");
    let end = match Box::pin(join(Transported::Frames(stream), peer, context, config)).await {
        Ok(connection) => chat(connection, &peer, context, config).await,
        Err(end) => end,
    };
    ended(&peer, &end);
}

/// What a connection begins with.
enum Transported {
    /// A socket before its handshake.
    Socket(TcpStream),
    /// A stream of frames.
    Frames(Stream),
}

/// A connection that has joined.
struct Connection {
    stream: Stream,
    decoder: Decoder,
    joined: Joined,
}

/// Does the handshake and joins, both before the deadline for joining.
async fn join(
    stream: Transported,
    peer: SocketAddr,
    context: &Context,
    config: &Config,
) -> Result<Box<Connection>, End> {
    let deadline = tokio::time::sleep(config.join_timeout);
    let mut deadline = std::pin::pin!(deadline);
    let is_gateway = matches!(stream, Transported::Frames(_));
    let mut stream: Stream = match (stream, context.transport.config()) {
        (Transported::Frames(stream), _) => stream,
        (Transported::Socket(stream), None) => Box::new(Socket::new(stream)),
        (Transported::Socket(stream), Some(tls)) => tokio::select! {
            accepted = accept(tls, stream) => accepted.map_err(End::Handshake)?,
            () = crowded(context, config) => return Err(End::JoinTimeout),
            () = deadline.as_mut() => return Err(End::JoinTimeout),
            () = context.closing.cancelled() => return Err(End::Closing),
        },
    };
    let mut spoken = context.chat.carried(config.spoken | context.access.speaks());
    if is_gateway {
        // What a gateway passes on is text.
        spoken = spoken.without(Capability::Zstd);
    }
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
pub(crate) async fn accept(tls: Arc<ServerConfig>, stream: TcpStream) -> io::Result<Stream> {
    Ok(Box::new(TlsStream::accept(Socket::new(stream), tls).await?))
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
    let stream = async {
        Ok(match context.transport.config() {
            None => Box::new(Socket::new(stream)) as Stream,
            Some(tls) => accept(tls, stream).await?,
        })
    };
    turn_away_from(stream, reason, context).await;
}

/// The same for a stream of frames.
pub(crate) async fn turn_away_frames(stream: Stream, reason: Code, context: &Context) {
    turn_away_from(std::future::ready(Ok(stream)), reason, context).await;
}

async fn turn_away_from(
    stream: impl Future<Output = io::Result<Stream>>,
    reason: Code,
    context: &Context,
) {
    let told = async {
        let mut stream = stream.await?;
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
pub(crate) async fn close(stream: &mut Stream) {
    let _ = tokio::time::timeout(LAST_WRITES, async {
        stream.shutdown().await?;
        while read_buffer::read(stream, READ, |_| ()).await? > 0 {}
        Ok::<_, io::Error>(())
    })
    .await;
}

/// What is left of a connection that has joined when its stream, its seat and its requests are taken out: its two halves.
struct Halves {
    decoder: Decoder,
    session: JoinedSession,
    inbound: Inbound,
    first: Option<Bytes>,
    rename_requests: Option<short_queue::Receiver<RenameRequest>>,
    welcome: Vec<Bytes>,
    is_escaped: bool,
    pieces: Option<Arc<Slot>>,
}

/// Serves the requests of a member.
type Serving = BoxFuture<'static, Served>;

/// Takes a connection that has joined apart. No part of the future of [`chat`], in which the whole would keep a place beside its parts.
fn begun(
    connection: Box<Connection>,
    context: &Context,
) -> (Stream, Seat, Option<Serving>, Box<Halves>) {
    let Connection { mut stream, decoder, joined } = *connection;
    let Joined { seat, session, welcome, is_escaped, inbound, first, attached } = joined;
    let (serving, rename_requests, pieces) = match attached {
        Some(attached) => {
            let serving = context.access.requests.serve(*attached.attachment);
            let pieces = attached.transfers.as_ref().map(|transfers| transfers.slot());
            let serving = match attached.transfers {
                Some(transfers) => with_transfers(serving, transfers),
                None => serving,
            };
            (Some(serving), Some(attached.rename_requests), pieces)
        }
        None => (None, None, None),
    };
    if pieces.is_some() {
        stream.keep_unsent_small();
    }
    let welcome_bytes = welcome.iter().map(Bytes::len).sum();
    if let Some(ahead) = context.ahead.for_welcome(welcome_bytes) {
        stream.run_ahead(ahead);
    }
    let halves =
        Halves { decoder, session, inbound, first, rename_requests, welcome, is_escaped, pieces };
    (stream, seat, serving, Box::new(halves))
}

impl Halves {
    /// The halves over the stream.
    fn over<'s>(
        self: Box<Self>,
        stream: &'s mut Stream,
        peer: IpAddr,
        context: &Context,
        config: &Config,
    ) -> (Reader<ReadHalf<&'s mut Stream>>, Outbound<WriteHalf<&'s mut Stream>>) {
        let Self { decoder, session, inbound, first, rename_requests, welcome, is_escaped, pieces } =
            *self;
        let (reader, writer) = tokio::io::split(stream);
        let member = inbound.member().clone();
        let reader = Reader {
            rename_requests,
            reader,
            decoder,
            end: None,
            session,
            inbound,
            long_frame: LongFrame::new(Arc::clone(&context.long_frames), peer, config.join_timeout),
            first: first.map(Box::new),
            pace: (!config.no_limits).then(|| Box::new(InputPace::new(peer))),
        };
        let stall_timeout = config.stall_timeout;
        let outbound = Outbound::new(writer, member, stall_timeout, welcome, is_escaped, pieces);
        (reader, outbound)
    }
}

/// The joined part of a connection's life. No asynchronous function, which would keep what it is given twice.
fn chat<'c>(
    connection: Box<Connection>,
    peer: &'c SocketAddr,
    context: &'c Context,
    config: &'c Config,
) -> impl Future<Output = End> + Send + 'c {
    let name = connection.joined.session.name().clone();
    let notices = connection.joined.session.agreed().has(Capability::Notices);
    let (mut stream, mut seat, mut serving, halves) = begun(connection, context);
    if context.logged.admits(peer.ip()) {
        tracing::info!(%peer, %name, "joined");
    }
    async move {
        let (mut reader, mut outbound) = halves.over(&mut stream, peer.ip(), context, config);
        let end = {
            // A future of its own, polled only when woken: a broadcast wakes every task, but not every reader.
            let mut reading = pin!(async {
                tokio::select! {
                    end = reader.run(context) => end,
                    turn = context.drain.turn() => turn.into(),
                    end = serve_requests(&mut serving) => end,
                }
            });
            let mut reading = PollOnWake::new(reading.as_mut());
            tokio::select! {
                end = &mut reading => end,
                end = outbound.run(&mut seat, context) => match end {
                    WriteEnd::Removed(Removal::Resumed) => End::Resumed,
                    WriteEnd::Removed(Removal::NoEngine) => End::NoEngine,
                    WriteEnd::Removed(Removal::OverBudget) => End::OverBudget,
                    WriteEnd::Removed(Removal::TooSlow) => End::TooSlow,
                    WriteEnd::Removed(Removal::AccountRemoved) => End::AccountRemoved,
                    WriteEnd::Removed(Removal::LoggedOut) => End::LoggedOutElsewhere,
                    WriteEnd::Removed(Removal::Fenced) => End::Fenced,
                    WriteEnd::Removed(Removal::Kicked(exclusion)) => End::Kicked(exclusion),
                    WriteEnd::Removed(Removal::Banned(exclusion)) => End::Banned(exclusion),
                    WriteEnd::Broken(error) => {
                        // The client may have closed without reading everything; its last messages still count (QT-1).
                        let member = seat.handle();
                        member.mute();
                        member.looks_later();
                        let _ = Box::pin(tokio::time::timeout(LAST_READS, reading)).await;
                        End::Broken(error)
                    }
                },
            }
        };
        drop(reader);
        if let Some(code) = end.closed_code() {
            context.chat.traffic().ended(code);
        }
        let within = match end {
            End::Broken(_) => Duration::ZERO,
            End::TooSlow => {
                outbound.replace_pending(end.last_frame(notices, None));
                LAST_WRITES_SLOW
            }
            End::OverBudget => {
                outbound.drop_pending(end.last_frame(notices, None));
                LAST_WRITES
            }
            End::Resumed
            | End::NoEngine
            | End::AccountRemoved
            | End::LoggedOutElsewhere
            | End::Fenced
            | End::Kicked(_)
            | End::Banned(_) => {
                outbound.replace_pending(end.last_frame(notices, None));
                LAST_WRITES
            }
            _ => {
                outbound.queue_rest(&seat);
                let back_in = context.config.current().back_in;
                outbound.push_last(end.last_frame(notices, back_in));
                LAST_WRITES
            }
        };
        // The member leaves before its last frames are written: nobody else waits for them.
        drop(seat);
        Box::pin(outbound.finish(within)).await;
        drop(outbound);
        if context.logged.admits(peer.ip()) {
            tracing::info!(%peer, %name, reason = %end, "left");
        }
        if !matches!(end, End::Broken(_)) {
            Box::pin(close(&mut stream)).await;
        }
        end
    }
}

/// Serves the member's requests; ends only when the member logs out.
async fn serve_requests(serving: &mut Option<Serving>) -> End {
    if let Some(serving) = serving
        && serving.await == Served::Done
    {
        return End::LoggedOut;
    }
    std::future::pending().await
}

/// Serves a member's requests, and runs its transfers beside them: few connections have any, and the tasks of the others stay small.
fn with_transfers(
    serving: BoxFuture<'static, Served>,
    mut transfers: Box<Transfers>,
) -> BoxFuture<'static, Served> {
    let serving = async move {
        match serving.await {
            Served::Done => Served::Done,
            Served::Unserved => std::future::pending().await,
        }
    };
    Box::pin(async move {
        tokio::select! {
            served = serving => served,
            () = transfers.run() => std::future::pending().await,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::shared::Chat;

    #[tokio::test]
    async fn a_connection_is_small() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (proposals, _queue) = crate::chat::proposals::queue();
        let config = Config::default();
        let hub = chatterbox_hub::Hub::new(config.timeline, config.keep);
        let context = Arc::new(Context::plain(Arc::new(Chat::new(hub, proposals))));
        // The memory of every open connection, beside that of TLS.
        let size = size_of_val(&serve(stream, address, context));
        assert!(size <= 1536, "{size} bytes");
    }
}
