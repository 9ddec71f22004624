//! Whether the server takes users, told in HTTP: 200 or 503, with a word.
//!
//! It is for balancers, which ask every second or two. Who asks is told nothing else, so it needs neither TLS nor a password; a
//! request is read up to its empty line only, and every path has the same answer.

#![allow(clippy::disallowed_methods, reason = "the edge: serves sockets")]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::ops::readiness::Health;

/// Requests at a time; further connections are closed at once.
const AT_A_TIME: usize = 32;

/// The longest request. Balancers send a line and a few headers.
const REQUEST: usize = 2048;

/// A connection has this long from its first byte to its last.
const WITHIN: Duration = Duration::from_secs(2);

/// The pause after accept has failed, commonly because the process has no file descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Answers on a listener, for ever.
pub(crate) async fn serve(listener: TcpListener, health: Health) {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    // Those under way end with this future.
    let mut answering = JoinSet::new();
    loop {
        while answering.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "health can't be asked for");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let health = health.clone();
        answering.spawn(async move {
            // Who does not ask, or does not listen, needs no answer.
            let _ = tokio::time::timeout(WITHIN, answer(stream, &health)).await;
            drop(place);
        });
    }
}

/// Answers one request.
async fn answer(mut stream: TcpStream, health: &Health) -> io::Result<()> {
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
    stream.write_all(&reply(asked, health)).await?;
    stream.shutdown().await?;
    // What is unread would make the kernel send a reset, which may overtake the answer.
    let mut rest = [0; 256];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The answer with its word, or without it.
    Health { word: bool },
    /// What can't be done to it.
    OtherMethod,
    /// No HTTP.
    Nonsense,
}

impl Asked {
    fn read(request: &[u8]) -> Self {
        let line = request.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut words = line.trim_ascii_end().split(|byte| *byte == b' ');
        let (method, path, version) = (words.next(), words.next(), words.next());
        let is_http = version.is_some_and(|version| version.starts_with(b"HTTP/1."));
        if !is_http || path.is_none_or(<[u8]>::is_empty) || words.next().is_some() {
            return Self::Nonsense;
        }
        match method.unwrap_or_default() {
            // OPTIONS is what HAProxy asks where nothing else is configured.
            b"GET" | b"OPTIONS" => Self::Health { word: true },
            b"HEAD" => Self::Health { word: false },
            _ => Self::OtherMethod,
        }
    }
}

/// Whether the empty line behind the headers is there.
fn is_whole(request: &[u8]) -> bool {
    let ends = |end: &[u8]| request.windows(end.len()).any(|part| part == end);
    ends(b"\r\n\r\n") || ends(b"\n\n")
}

fn reply(asked: Asked, health: &Health) -> Vec<u8> {
    let readiness = health.readiness();
    let (status, word) = match asked {
        Asked::Health { .. } if readiness.is_ready() => ("200 OK", readiness.word()),
        Asked::Health { .. } => ("503 Service Unavailable", readiness.word()),
        Asked::OtherMethod => ("405 Method Not Allowed", "GET, HEAD or OPTIONS"),
        Asked::Nonsense => ("400 Bad Request", "no request"),
    };
    let length = word.len() + 1;
    let body = match asked {
        Asked::Health { word: false } => String::new(),
        _ => format!("{word}\n"),
    };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\
        cache-control: no-store\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    async fn serving() -> (Health, SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let health = Health::default();
        (health.clone(), address, tokio::spawn(serve(listener, health)))
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
        let answer = asked(address, b"HEAD /anything HTTP/1.1\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-length: 9\r\n"), "{answer}");
        task.abort();
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
