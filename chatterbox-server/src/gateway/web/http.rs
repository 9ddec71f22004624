//! A connection while it speaks HTTP.

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

use crate::config::Config;
use crate::gateway::web::site::{House, Site};
use crate::net::connection;
use crate::net::stream::Stream;

/// The handshake has to be done in this time, and the header of a request be here. A connection is idle no longer either.
const DEADLINE: Duration = Duration::from_secs(10);

/// After this time no further request is answered on a connection.
const OLD: Duration = Duration::from_secs(60);

/// After this time a connection ends, whatever is still to be written: who reads slowly takes the place of others.
const END: Duration = Duration::from_secs(120);

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

/// A WebSocket that was opened.
pub(super) struct Opened {
    pub(super) stream: Stream,
    /// What came behind the request.
    pub(super) early: Vec<u8>,
    /// The address that it really comes from.
    pub(super) peer: SocketAddr,
    pub(super) config: Arc<Config>,
}

/// Serves a connection until it ends, or becomes a WebSocket.
pub(super) async fn serve(
    house: &Arc<House>,
    stream: TcpStream,
    peer: SocketAddr,
) -> Option<Opened> {
    let served = tokio::select! {
        served = serve_until_closed(house, stream, peer) => served,
        () = house.context.closing.cancelled() => return None,
    };
    served.inspect_err(|error| tracing::debug!(%peer, %error, "HTTP")).ok().flatten()
}

async fn serve_until_closed(
    house: &Arc<House>,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<Option<Opened>, hyper::Error> {
    let Ok(local) = stream.local_addr() else { return Ok(None) };
    let handshake = tokio::time::timeout(DEADLINE, transport(house, stream)).await;
    let Ok(Ok((stream, is_astray))) = handshake else { return Ok(None) };
    let config = house.context.config.current();
    let site = Arc::new(Site::new(Arc::clone(house), config, (peer, local), is_astray));
    let answering = Arc::clone(&site);
    let service = service_fn(move |request| {
        std::future::ready(Ok::<_, Infallible>(answering.answer(&request)))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(DEADLINE)
        .max_buf_size(HEAD)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    for within in [OLD, END - OLD] {
        let serving = poll_fn(|context| connection.poll_without_shutdown(context));
        match tokio::time::timeout(within, serving).await {
            Ok(served) => {
                served?;
                let Parts { io, read_buf, .. } = connection.into_parts();
                let mut stream = io.into_inner();
                let Some(peer) = site.opened() else {
                    let _ = tokio::time::timeout(LAST_WRITES, stream.shutdown()).await;
                    return Ok(None);
                };
                let config = Arc::clone(&site.config);
                return Ok(Some(Opened { stream, early: read_buf.to_vec(), peer, config }));
            }
            Err(_) => Pin::new(&mut connection).graceful_shutdown(),
        }
    }
    Ok(None)
}

/// Does the handshake, if there has to be one. Also says whether the client speaks HTTP where it has to speak HTTPS, which is answered in HTTP.
async fn transport(house: &House, stream: TcpStream) -> io::Result<(Stream, bool)> {
    let Some(acceptor) = house.acceptor() else { return Ok((Box::new(stream), false)) };
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first != [HANDSHAKE] {
        return Ok((Box::new(stream), true));
    }
    Ok((connection::accept(&acceptor, stream).await?, false))
}

/// Tells a client that there is no place for it.
pub(super) async fn turn_away(house: &House, stream: TcpStream) {
    let told = async {
        let (mut stream, _) = transport(house, stream).await?;
        stream.write_all(FULL).await?;
        connection::close(&mut stream).await;
        Ok::<_, io::Error>(())
    };
    tokio::select! {
        _ = tokio::time::timeout(TURNED_AWAY, told) => {}
        () = house.context.closing.cancelled() => {}
    }
}
