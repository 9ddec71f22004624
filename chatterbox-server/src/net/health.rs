//! Whether the server takes users, and what is measured of it, told in HTTP.
//!
//! It is for balancers, which ask every second or two, and for Prometheus. Nobody's name, address or words are told, so it needs
//! neither TLS nor a password; a request is read up to its empty line only.

#![allow(clippy::disallowed_methods, reason = "the edge: serves sockets")]

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::net::scrape::Scrape;
use crate::ops::readiness::Health;

/// Requests at a time; further connections are closed at once.
const AT_A_TIME: usize = 32;

/// The longest request. Balancers send a line and a few headers.
const REQUEST: usize = 2048;

/// A connection has this long from its first byte to its last.
const WITHIN: Duration = Duration::from_secs(2);

/// The pause after accept has failed, commonly because the process has no file descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// The form of what Prometheus reads.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers on a listener, for ever.
pub(crate) async fn serve(listener: TcpListener, health: Health, scrape: Arc<Scrape>) {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    // Those under way end with this future.
    let mut answering = JoinSet::new();
    loop {
        while answering.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "health can't be asked for");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (health, scrape) = (health.clone(), Arc::clone(&scrape));
        answering.spawn(async move {
            let answered = answer(stream, peer.ip(), &health, &scrape);
            // Who does not ask, or does not listen, needs no answer.
            let _ = tokio::time::timeout(WITHIN, answered).await;
            drop(place);
        });
    }
}

/// Answers one request.
async fn answer(
    mut stream: TcpStream,
    peer: IpAddr,
    health: &Health,
    scrape: &Scrape,
) -> io::Result<()> {
    let mut request = Vec::with_capacity(256);
    let asked = loop {
        if is_whole(&request) {
            break Asked::read(&request);
        }
        if request.len() >= REQUEST {
            break Asked::Nonsense;
        }
        let left = (REQUEST - request.len()) as u64;
        if (&mut stream).take(left).read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    };
    let reply = match asked {
        Asked::Metrics { .. } => Reply::metrics(scrape.for_peer(peer).await),
        _ => Reply::without_metrics(asked, health),
    };
    stream.write_all(&reply.written(asked.wants_body())).await?;
    stream.shutdown().await?;
    // What is unread would make the kernel send a reset, which may overtake the answer.
    let mut rest = [0; 256];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Whether users are taken.
    Ready { body: bool },
    /// Whether the process answers.
    Alive { body: bool },
    /// What is measured.
    Metrics { body: bool },
    /// What is not there.
    Nothing,
    /// What can't be done to it: these can.
    OtherMethod(&'static str),
    /// No HTTP.
    Nonsense,
}

impl Asked {
    fn read(request: &[u8]) -> Self {
        let line = request.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut words = line.trim_ascii_end().split(|byte| *byte == b' ');
        let (method, target, version) = (words.next(), words.next(), words.next());
        let is_http = version.is_some_and(|version| version.starts_with(b"HTTP/1."));
        let target = target.unwrap_or_default();
        if !is_http || target.is_empty() || words.next().is_some() {
            return Self::Nonsense;
        }
        let body = match method.unwrap_or_default() {
            b"GET" => Some(true),
            b"HEAD" => Some(false),
            _ => None,
        };
        // OPTIONS is what HAProxy asks where nothing else is configured.
        let or_options = body.or_else(|| matches!(method, Some(b"OPTIONS")).then_some(true));
        let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
        let known = match path {
            b"/" | b"*" | b"/readyz" => or_options.map(|body| Self::Ready { body }),
            b"/healthz" => or_options.map(|body| Self::Alive { body }),
            b"/metrics" => body.map(|body| Self::Metrics { body }),
            _ => return Self::Nothing,
        };
        let methods = if path == b"/metrics" { "GET, HEAD" } else { "GET, HEAD, OPTIONS" };
        known.unwrap_or(Self::OtherMethod(methods))
    }

    const fn wants_body(self) -> bool {
        match self {
            Self::Ready { body } | Self::Alive { body } | Self::Metrics { body } => body,
            Self::Nothing | Self::OtherMethod(_) | Self::Nonsense => true,
        }
    }
}

/// Whether the empty line behind the headers is there.
fn is_whole(request: &[u8]) -> bool {
    let ends = |end: &[u8]| request.windows(end.len()).any(|part| part == end);
    ends(b"\r\n\r\n") || ends(b"\n\n")
}

/// An answer.
struct Reply {
    status: &'static str,
    kind: &'static str,
    /// The methods that there are, where another one was asked for.
    allow: Option<&'static str>,
    body: Bytes,
}

impl Reply {
    /// A status with a few words.
    fn said(status: &'static str, words: &str) -> Self {
        Self { status, kind: "text/plain", allow: None, body: format!("{words}\n").into() }
    }

    fn without_metrics(asked: Asked, health: &Health) -> Self {
        match asked {
            Asked::Ready { .. } => {
                let readiness = health.readiness();
                let status =
                    if readiness.is_ready() { "200 OK" } else { "503 Service Unavailable" };
                Self::said(status, readiness.word())
            }
            // Starting it again would not help a server that starts, drains or has no engine.
            Asked::Alive { .. } => Self::said("200 OK", "alive"),
            Asked::OtherMethod(methods) => {
                let allow = Some(methods);
                Self { allow, ..Self::said("405 Method Not Allowed", methods) }
            }
            Asked::Nonsense => Self::said("400 Bad Request", "no request"),
            Asked::Nothing | Asked::Metrics { .. } => {
                Self::said("404 Not Found", "there are /readyz, /healthz and /metrics")
            }
        }
    }

    fn metrics(text: Option<Bytes>) -> Self {
        match text {
            Some(body) => Self { status: "200 OK", kind: METRICS, allow: None, body },
            None => Self::said(
                "403 Forbidden",
                "this is for the machine of the server, unless it was started with --metrics-anywhere",
            ),
        }
    }

    /// Head and body; a request with HEAD gets the head alone.
    fn written(&self, with_body: bool) -> Vec<u8> {
        let Self { status, kind, allow, body } = self;
        let allow = allow.map_or(String::new(), |methods| format!("allow: {methods}\r\n"));
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{allow}\
            cache-control: no-store\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let body: &[u8] = if with_body { body } else { &[] };
        [head.as_bytes(), body].concat()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    async fn serving() -> (Health, SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let health = Health::default();
        let scrape = Arc::new(Scrape::new(false, || "a_total 1\n".to_owned()));
        (health.clone(), address, tokio::spawn(serve(listener, health, scrape)))
    }

    async fn asked(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        answer
    }

    #[tokio::test]
    async fn a_balancer_is_told_whether_users_are_taken() {
        let (health, address, task) = serving().await;
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer = asked(address, request).await;
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\nstarting\n"));
        health.started();
        let answer = asked(address, request).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nready\n"));
        assert!(answer.contains("\r\ncontent-length: 6\r\n"), "{answer}");
        // In pieces, as old as HAProxy asks by itself, and without the word.
        let mut stream = TcpStream::connect(address).await.unwrap();
        for piece in [&b"OPTI"[..], b"ONS / HTTP/1.0\r", b"\n\r", b"\n"] {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("ready\n"));
        health.drains();
        let answer = asked(address, b"HEAD /readyz HTTP/1.1\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-length: 9\r\n"), "{answer}");
        task.abort();
    }

    #[tokio::test]
    async fn each_path_has_its_answer_and_others_are_not_there() {
        let (health, address, task) = serving().await;
        for (request, status, body) in [
            ("GET / HTTP/1.1", "503", "starting\n"),
            ("GET /?from=here HTTP/1.1", "503", "starting\n"),
            ("OPTIONS * HTTP/1.1", "503", "starting\n"),
            ("GET /readyz HTTP/1.0", "503", "starting\n"),
            ("GET /healthz HTTP/1.1", "200", "alive\n"),
            ("HEAD /healthz HTTP/1.1", "200", ""),
            ("GET /metrics HTTP/1.1", "200", "a_total 1\n"),
            ("GET /metrics?x=/ HTTP/1.1", "200", "a_total 1\n"),
            ("HEAD /metrics HTTP/1.1", "200", ""),
            ("OPTIONS /metrics HTTP/1.1", "405", "GET, HEAD\n"),
            ("POST /metrics HTTP/1.1", "405", "GET, HEAD\n"),
            ("PUT /readyz HTTP/1.1", "405", "GET, HEAD, OPTIONS\n"),
            ("GET /metrics/ HTTP/1.1", "404", "there are /readyz, /healthz and /metrics\n"),
            ("GET /Metrics HTTP/1.1", "404", "there are /readyz, /healthz and /metrics\n"),
            ("POST /anything HTTP/1.1", "404", "there are /readyz, /healthz and /metrics\n"),
        ] {
            let answer = asked(address, format!("{request}\r\n\r\n").as_bytes()).await;
            let (head, told) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {head}");
            assert_eq!(told, body, "{request}");
            let allow = (status == "405").then(|| body.trim_end());
            let line = head.lines().find_map(|line| line.strip_prefix("allow: "));
            assert_eq!(line, allow, "{request}");
        }
        let answer = asked(address, b"HEAD /metrics HTTP/1.1\r\n\r\n").await;
        assert!(answer.contains("\r\ncontent-length: 10\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        health.drains();
        let answer = asked(address, b"GET /healthz HTTP/1.1\r\n\r\n").await;
        assert!(
            answer.starts_with("HTTP/1.1 200 "),
            "a restart would end those who are still here"
        );
        task.abort();
    }

    #[tokio::test]
    async fn other_machines_are_told_whether_users_are_taken_and_no_more_unless_it_is_wanted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let health = Health::default();
        for (peer, anywhere, path, status, body) in [
            ("127.0.0.1", false, "/metrics", "200", "a_total 1\n"),
            ("192.0.2.1", true, "/metrics", "200", "a_total 1\n"),
            ("192.0.2.1", false, "/metrics", "403", "--metrics-anywhere\n"),
            ("2001:db8::1", false, "/metrics", "403", "--metrics-anywhere\n"),
            ("192.0.2.1", false, "/readyz", "503", "starting\n"),
        ] {
            let scrape = Scrape::new(anywhere, || "a_total 1\n".to_owned());
            let answering = async {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = answer(stream, peer.parse().unwrap(), &health, &scrape).await;
            };
            let request = format!("GET {path} HTTP/1.1\r\n\r\n");
            let (told, ()) = tokio::join!(asked(address, request.as_bytes()), answering);
            assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{peer} {path}: {told}");
            assert!(told.ends_with(body), "{peer} {path}: {told}");
        }
    }

    #[tokio::test]
    async fn what_is_no_request_is_answered_and_done_with() {
        let (_health, address, task) = serving().await;
        for (request, status) in [
            (&b"POST / HTTP/1.1\r\n\r\n"[..], "405"),
            (b"GET\r\n\r\n", "400"),
            (b"GET / SMTP\r\n\r\n", "400"),
            (b"GET / HTTP/1.1 x\r\n\r\n", "400"),
            (b"\x16\x03\x01\n\n", "400"),
            (&[b'a'; 10_000], "400"),
        ] {
            let answer = asked(address, request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        }
        task.abort();
    }

    /// Time stands still until this is dropped, or for so long that something is wrong: it goes on by itself only while nothing
    /// blocks.
    fn time_stands_still() -> std::sync::mpsc::Sender<()> {
        let (goes_on, waits) = std::sync::mpsc::channel();
        tokio::task::spawn_blocking(move || waits.recv_timeout(Duration::from_secs(20)));
        goes_on
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_say_nothing_hold_bounded_places_for_seconds() {
        let goes_on = time_stands_still();
        let (health, address, task) = serving().await;
        health.started();
        let start = tokio::time::Instant::now();
        let mut silent = Vec::new();
        for _ in 0..AT_A_TIME {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut beyond = TcpStream::connect(address).await.unwrap();
        let closed = beyond.read(&mut [0; 1]).await;
        assert!(matches!(closed, Ok(0) | Err(_)), "beyond the places: {closed:?}");
        assert_eq!(start.elapsed(), Duration::ZERO, "it is closed before anybody's time has ended");
        // The others have their places until their time ends, and then somebody else has.
        drop(goes_on);
        for stream in &mut silent {
            let closed = stream.read(&mut [0; 1]).await;
            assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
        }
        assert!(start.elapsed() >= WITHIN, "they had some seconds");
        tokio::time::resume();
        assert!(asked(address, b"GET / HTTP/1.1\n\n").await.ends_with("ready\n"));
        task.abort();
    }
}
