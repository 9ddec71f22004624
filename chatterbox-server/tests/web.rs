//! The gateway for browsers while it speaks HTTP: the page, who gets it, and what no browser sends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::io::Read as _;
use std::sync::Arc;

use chatterbox_server::Config;
use chatterbox_server::ops::machine;
use clap::{Args as _, FromArgMatches as _};
use harness::web::{Browser, WebServer};
use harness::{PATIENCE, handshake};
use tokio::net::TcpStream;

/// Settings as they are given on a command line.
fn settings(line: &[&str]) -> Config {
    let flags = Config::augment_args(clap::Command::new("settings").no_binary_name(true));
    Config::from_arg_matches(&flags.try_get_matches_from(line).unwrap()).unwrap()
}

async fn status(server: &WebServer, head: &str) -> u16 {
    server.connect().await.ask(head).await.status
}

#[tokio::test]
async fn the_page_is_served_and_asked_for_again_only_when_it_has_changed() {
    let server = WebServer::start(Config::default()).await;
    let mut browser = server.connect().await;
    let host = server.host();
    let page = browser.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
    assert_eq!(page.header("cross-origin-resource-policy"), Some("same-origin"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "));
    assert!(policy.contains(&format!("connect-src 'self' ws://{host} wss://{host};")), "{policy}");
    assert!(page.body.starts_with(b"<!doctype html>"));
    // On the same connection.
    let etag = page.header("etag").unwrap();
    for known in [etag, &format!("W/{etag}"), &format!("\"x\", {etag}"), "*"] {
        let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\nIf-None-Match: {known}\r\n\r\n");
        let same = browser.ask(&head).await;
        assert_eq!((same.status, same.header("etag"), same.body.len()), (304, Some(etag), 0));
    }
    let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\nIf-None-Match: \"x\"\r\n\r\n");
    assert_eq!(browser.ask(&head).await.body, page.body);
    let head = browser.ask(&format!("HEAD / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert_eq!((head.status, head.header("etag")), (200, Some(etag)));
    assert_eq!(head.header("content-length"), Some(&*page.body.len().to_string()));
    let script = browser.ask(&format!("GET /main.js?v=1 HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    for path in ["/nothing", "/../Cargo.toml", "/state/types.d.ts", "/vendor/README.md", "/ws/x"] {
        let none = browser.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(none.status, 404, "{path}");
        assert!(none.body.len() < 100 && none.header("content-security-policy").is_some());
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let head = format!("{method} / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let refused = browser.ask(&head).await;
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[tokio::test]
async fn only_the_names_of_this_server_are_answered() {
    let server = WebServer::start(settings(&["--web-host", "chat.example"])).await;
    let port = server.web.port();
    let get = |lines: &str| format!("GET / HTTP/1.1\r\n{lines}\r\n");
    for host in ["localhost", &server.host(), &format!("127.0.0.1:{port}"), "chat.example:443"] {
        assert_eq!(status(&server, &get(&format!("Host: {host}\r\n"))).await, 200, "{host}");
    }
    for host in ["evil.example", &format!("evil.example:{port}"), "", "localhost:1", "a b"] {
        assert_eq!(status(&server, &get(&format!("Host: {host}\r\n"))).await, 403, "{host}");
    }
    assert_eq!(status(&server, &get("")).await, 400, "none");
    assert_eq!(status(&server, &get("Host: localhost\r\nHost: evil.example\r\n")).await, 400);
    // DNS rebinding: both headers name the same, but it is no name of this server.
    let foreign = format!("evil.example:{port}");
    let head = server.upgrade(&format!("Origin: http://{foreign}\r\n"));
    let head = head.replace(&server.host(), &foreign);
    assert_eq!(status(&server, &head).await, 403);
}

#[tokio::test]
async fn only_the_page_of_this_server_opens_a_websocket() {
    let server = WebServer::start(Config::default()).await;
    let (host, port) = (server.host(), server.web.port());
    let beside = |lines: String| server.upgrade(&lines);
    assert_eq!(status(&server, &beside(format!("Origin: http://{host}\r\n"))).await, 101);
    for origin in [
        "null".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://evil.example:{port}"),
        format!("http://{host}.evil.example"),
        format!("http://evil{host}"),
        format!("http://127.0.0.1:{port}"),
        "http://localhost".to_owned(),
        format!("http://localhost:{}", port ^ 1),
        format!("http://{host}/"),
        format!("ftp://{host}"),
    ] {
        let lines = beside(format!("Origin: {origin}\r\n"));
        assert_eq!(status(&server, &lines).await, 403, "{origin}");
    }
    assert_eq!(status(&server, &beside(String::new())).await, 403, "none");
    let two = format!("Origin: http://{host}\r\nOrigin: http://evil.example\r\n");
    assert_eq!(status(&server, &beside(two)).await, 403);
}

#[tokio::test]
async fn a_broken_handshake_opens_nothing_and_no_extension_is_agreed_to() {
    let server = WebServer::start(Config::default()).await;
    let own = format!("Origin: {}\r\n", server.origin());
    let without = |line: &str| {
        let head = server.upgrade(&own);
        let lines: Vec<_> = head.split("\r\n").filter(|one| !one.starts_with(line)).collect();
        lines.join("\r\n")
    };
    for (head, expected) in [
        (without("Upgrade"), 426),
        (without("Connection"), 426),
        (without("Sec-WebSocket-Version"), 400),
        (without("Sec-WebSocket-Key"), 400),
        (server.upgrade(&own).replace("Version: 13", "Version: 8"), 426),
        (server.upgrade(&own).replace("25jZQ==", "25j"), 400),
        (server.upgrade(&own).replace("GET", "POST"), 400),
    ] {
        let answer = server.connect().await.ask(&head).await;
        assert_eq!(answer.status, expected, "{head}");
        assert_eq!(answer.header("sec-websocket-version").is_some(), expected == 426);
    }
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
                 Sec-WebSocket-Protocol: chat\r\n";
    let answer = server.connect().await.ask(&server.upgrade(&format!("{own}{offer}"))).await;
    assert_eq!(answer.status, 101);
    assert!(!answer.head.to_lowercase().contains("extensions"), "{}", answer.head);
    assert!(!answer.head.to_lowercase().contains("protocol:"), "{}", answer.head);
}

#[tokio::test]
async fn who_says_too_little_or_too_much_is_let_go() {
    let server = WebServer::start(Config::default()).await;
    let host = server.host();
    let (mut silent, mut half, mut idle) =
        (server.connect().await, server.connect().await, server.connect().await);
    half.send_bytes(format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-A: ").as_bytes()).await;
    assert_eq!(idle.ask(&format!("HEAD / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await.status, 200);
    // Some are told before.
    for browser in [&mut silent, &mut half, &mut idle] {
        assert!(browser.answer(false).await.is_none_or(|answer| answer.status == 408));
        assert!(browser.ends().await);
    }
    let many = "X-A: b\r\n".repeat(70);
    let large = format!("X-A: {}\r\n", "b".repeat(20 * 1024));
    let path = "p".repeat(20 * 1024);
    for head in [
        format!("GET / HTTP/1.1\r\nHost: {host}\r\n{many}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {host}\r\n{large}\r\n"),
        format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        "\u{16}\u{3}\u{1}".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let mut browser = server.connect().await;
        browser.try_send_bytes(head.as_bytes()).await;
        let answer = browser.answer(false).await;
        let is_refused = |status| (400..500).contains(&status);
        assert!(answer.is_none_or(|answer| is_refused(answer.status)), "{head:.40}");
        assert!(browser.ends().await, "{head:.40}");
    }
}

#[tokio::test]
async fn a_class_behind_one_address_gets_the_page() {
    machine::allow_many_connections();
    // In the chat there is one place for this address.
    let server = WebServer::start(settings(&["--max-per-address", "1"])).await;
    let (mut ann, _) = server.join("ann", "ids/1").await;
    let host = server.host();
    // Two hundred browsers with six connections each, all at a time.
    let mut class = Vec::new();
    for _ in 0..1200 {
        class.push(server.connect().await);
    }
    let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for number in [0, 1199] {
        assert_eq!(class[number].ask(&head).await.status, 200, "{number}");
    }
    ann.say("ann", "still here").await;
    ann.until("still here").await;
}

#[tokio::test]
async fn connections_that_ask_for_nothing_are_counted_apart() {
    // Without limits, this one still holds in all.
    let config = Config { max_connections: 8, no_limits: true, ..Config::default() };
    let server = WebServer::start(config).await;
    let (mut ann, _) = server.join("ann", "ids/1").await;
    let host = server.host();
    let mut idle: Vec<Browser> = Vec::new();
    for _ in 0..8 {
        idle.push(server.connect().await);
    }
    let mut more = server.connect().await;
    let full = more.answer(false).await.unwrap();
    assert_eq!((full.status, full.header("retry-after")), (503, Some("5")));
    assert_eq!(full.body, b"too many connections\n");
    drop(idle);
    let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let placed = async {
        loop {
            let mut browser = server.connect().await;
            browser.try_send_bytes(head.as_bytes()).await;
            if browser.answer(false).await.is_some_and(|answer| answer.status == 200) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, placed).await.expect("there is room again");
    ann.say("ann", "still here").await;
    ann.until("still here").await;
}

#[tokio::test]
async fn who_has_its_file_gives_its_place_back_before_who_is_silent() {
    let server = WebServer::start(Config::default()).await;
    let mut silent = server.connect().await;
    let mut served = server.connect().await;
    let head = format!("HEAD / HTTP/1.1\r\nHost: {}\r\n\r\n", server.host());
    assert_eq!(served.ask(&head).await.status, 200);
    tokio::select! {
        biased;
        ended = served.ends() => assert!(ended),
        _ = silent.answer(false) => panic!("the one that was here first and asked nothing ends first"),
    }
}

#[tokio::test]
async fn where_half_of_the_places_are_taken_who_says_nothing_has_less_time() {
    let config = Config { max_connections: 8, no_limits: true, ..Config::default() };
    let server = WebServer::start(config).await;
    let mut first = server.connect().await;
    let _more = [server.connect().await, server.connect().await, server.connect().await];
    let mut fifth = server.connect().await;
    tokio::select! {
        biased;
        _ = fifth.answer(false) => {}
        _ = first.answer(false) => panic!("the one that was here first has more time"),
    }
}

#[tokio::test]
async fn files_are_compressed_for_who_accepts_that() {
    let server = WebServer::start(Config::default()).await;
    let host = server.host();
    let mut browser = server.connect().await;
    let mut get = async |beside: &str| {
        let head = format!("GET /style.css HTTP/1.1\r\nHost: {host}\r\n{beside}\r\n");
        browser.ask(&head).await
    };
    let plain = get("").await;
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    let gzip = get("Accept-Encoding: br\r\nAccept-Encoding: deflate, gzip;q=0.5\r\n").await;
    assert_eq!((gzip.status, gzip.header("content-encoding")), (200, Some("gzip")));
    assert_eq!(gzip.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(gzip.header("content-length"), Some(&*gzip.body.len().to_string()));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    for answer in [&plain, &gzip] {
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
    }
    // Each of both has its name, and is known by no other.
    let (plain_etag, gzip_etag) = (plain.header("etag").unwrap(), gzip.header("etag").unwrap());
    assert_ne!(plain_etag, gzip_etag);
    for (accepted, known, status) in [
        ("gzip", gzip_etag, 304),
        ("gzip", plain_etag, 200),
        ("identity", plain_etag, 304),
        ("identity", gzip_etag, 200),
    ] {
        let beside = format!("Accept-Encoding: {accepted}\r\nIf-None-Match: {known}\r\n");
        let answer = get(&beside).await;
        assert_eq!(answer.status, status, "{accepted} {known}");
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
    }
    for refused in ["gzip;q=0", "gzip;q=0, *", "br", "identity, gzip;q=0.9"] {
        let answer = get(&format!("Accept-Encoding: {refused}\r\n")).await;
        assert_eq!(answer.header("content-encoding"), None, "{refused}");
        assert_eq!(answer.body, plain.body);
    }
    // What is no file is never compressed.
    let head = format!("GET /no.css HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n");
    let nothing = browser.ask(&head).await;
    assert_eq!((nothing.status, nothing.header("content-encoding")), (404, None));
}

#[tokio::test]
async fn with_tls_all_is_the_same() {
    let server = WebServer::tls(Config::default()).await;
    let host = server.host();
    let mut browser = server.connect().await;
    let page = browser.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("connect-src 'self' wss://{host};")), "{policy}");
    let (mut ann, _) = server.join("ann", "ids/1").await;
    ann.say("ann", "over TLS").await;
    ann.until("over TLS").await;
    // A page without TLS is another one.
    let foreign = server.upgrade(&format!("Origin: http://{host}\r\n"));
    assert_eq!(status(&server, &foreign).await, 403);

    // Of what a browser offers, HTTP/1.1 is taken.
    let mut offering = server.tls.as_deref().unwrap().clone();
    offering.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.web).await.unwrap();
    let stream = handshake(stream, &Arc::new(offering)).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));

    // Who forgets the s is sent there, and nowhere else.
    let plain = async |head: String| {
        Browser::over(TcpStream::connect(server.web).await.unwrap()).ask(&head).await
    };
    let sent = plain(format!("GET /a?b HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert_eq!(sent.status, 308);
    assert_eq!(sent.header("location"), Some(&*format!("https://{host}/a?b")));
    assert_eq!(plain("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".into()).await.status, 403);
    let upgrade = server.upgrade(&format!("Origin: {}\r\n", server.origin()));
    assert_eq!(plain(upgrade).await.status, 308, "no WebSocket without TLS");

    // A handshake that does not come is not waited for.
    let mut silent = Browser::over(TcpStream::connect(server.web).await.unwrap());
    assert!(silent.ends().await);
    let mut half = Browser::over(TcpStream::connect(server.web).await.unwrap());
    half.send_bytes(&[0x16, 3, 1]).await;
    assert!(half.ends().await);
    server.stop().await;
}
