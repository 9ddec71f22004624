//! A connection while it speaks HTTP.

#![allow(clippy::disallowed_methods, reason = "the edge: deadlines")]

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::config::Config;
use crate::gateway::web::site::{Site, SiteState};
use crate::net::connection;
use crate::net::socket::Socket;
use crate::net::stream::Stream;

/// How often it is looked at whether a connection has had its time: how much that is may change meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// The longest head of a request, in bytes.
const HEAD: usize = 16 * 1024;

/// The most headers of a request.
const HEADERS: usize = 64;

/// Who closes has this long to see it.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// A client that is turned away has this long to take the reason.
const TURNED_AWAY: Duration = Duration::from_secs(5);

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// What is said when there is no place.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\n\
    content-type: text/plain\r\ncontent-length: 21\r\n\r\ntoo many connections\n";

/// A connection that has become a WebSocket.
pub(super) struct Upgraded {
    pub(super) stream: Stream,
    /// What came behind the request.
    pub(super) early: Vec<u8>,
    /// The address that it really comes from.
    pub(super) peer: SocketAddr,
    pub(super) config: Arc<Config>,
}

/// Serves a connection until it ends, or becomes a WebSocket.
pub(super) async fn serve(
    state: &Arc<SiteState>,
    stream: TcpStream,
    peer: SocketAddr,
) -> Option<Upgraded> {
    let served = tokio::select! {
        served = serve_until_closed(state, stream, peer) => served,
        () = state.context.closing.cancelled() => return None,
    };
    served.inspect_err(|error| tracing::debug!(%peer, %error, "HTTP")).ok().flatten()
}

async fn serve_until_closed(
    state: &Arc<SiteState>,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<Option<Upgraded>, hyper::Error> {
    let Ok(local) = stream.local_addr() else { return Ok(None) };
    let config = state.context.config.current();
    let within = state.requesting.times(&config).head;
    let handshake = tokio::time::timeout(within, transport(state, stream)).await;
    let Ok(Ok((stream, needs_https))) = handshake else { return Ok(None) };
    let site = Arc::new(Site::new(Arc::clone(state), config, (peer, local), needs_https));
    let answering = Arc::clone(&site);
    let service = service_fn(move |request| {
        std::future::ready(Ok::<_, Infallible>(answering.answer(&request)))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(within)
        .max_buf_size(HEAD)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let began = Instant::now();
    let mut is_ending = false;
    loop {
        let next = Instant::now() + LOOK;
        let serving = poll_fn(|context| connection.poll_without_shutdown(context));
        match tokio::time::timeout_at(next, serving).await {
            Ok(served) => {
                served?;
                let Parts { io, read_buf, .. } = connection.into_parts();
                let mut stream = io.into_inner();
                let Some(peer) = site.upgraded() else {
                    let _ = tokio::time::timeout(LAST_WRITES, stream.shutdown()).await;
                    return Ok(None);
                };
                let config = Arc::clone(&site.config);
                return Ok(Some(Upgraded { stream, early: read_buf.to_vec(), peer, config }));
            }
            Err(_) => {
                let times = state.requesting.times(&site.config);
                let is_idle = site.answered().is_some_and(|at| at.elapsed() >= times.idle);
                if began.elapsed() >= times.end {
                    return Ok(None);
                }
                if !is_ending && (is_idle || began.elapsed() >= times.old) {
                    is_ending = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        }
    }
}

/// Does the handshake, if there has to be one. Also says whether the client speaks HTTP where it has to speak HTTPS, which is answered in HTTP.
async fn transport(state: &SiteState, stream: TcpStream) -> io::Result<(Stream, bool)> {
    let Some(tls) = state.tls_config() else { return Ok((Box::new(Socket::new(stream)), false)) };
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first != [HANDSHAKE] {
        return Ok((Box::new(Socket::new(stream)), true));
    }
    Ok((connection::accept(tls, stream).await?, false))
}

/// Tells a client that there is no place for it.
pub(super) async fn turn_away(state: &SiteState, stream: TcpStream) {
    let told = async {
        let (mut stream, _) = transport(state, stream).await?;
        stream.write_all(FULL).await?;
        connection::close(&mut stream).await;
        Ok::<_, io::Error>(())
    };
    tokio::select! {
        _ = tokio::time::timeout(TURNED_AWAY, told) => {}
        () = state.context.closing.cancelled() => {}
    }
}
