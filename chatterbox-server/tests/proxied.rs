//! Real addresses behind proxies (PROXY protocol, version 2), over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use chatterbox_proto::client_frame;
use chatterbox_server::access::{Access, NoAccounts};
use chatterbox_server::gateway::web::WebListeners;
use chatterbox_server::net::{Transport, listen};
use chatterbox_server::store::Memory;
use chatterbox_server::{Config, Listeners, Live};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use harness::process::{Running, connect, join, read_frame};
use harness::{PATIENCE, Peer, Server, handshake, trusting};
use proxy_header::{ProxiedAddress, ProxyHeader, Tlv};
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// What a proxy sends for a connection from this address.
fn header(from: &str) -> Vec<u8> {
    let from: SocketAddr = from.parse().unwrap();
    let to = if from.is_ipv4() { "127.0.0.1:9000" } else { "[::1]:9000" };
    let addresses = ProxiedAddress::stream(from, to.parse().unwrap());
    let noop = Tlv::UniqueId(b"abc"[..].into());
    let mut bytes = Vec::new();
    ProxyHeader::with_tlvs(Some(addresses), [noop]).encode_v2(&mut bytes).unwrap();
    bytes
}

/// A connection from another address of this machine.
fn connect_from(here: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((here, 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A server in a process of its own, with a control socket.
struct Controlled {
    folder: TempDir,
    server: Running,
}

impl Controlled {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").display().to_string();
        let line = ["127.0.0.1", "-p", "0", "--plaintext", "--data", &data];
        let server = Running::start(&[&line[..], more].concat());
        Self { folder, server }
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut command = harness::program::server();
        command.env("XDG_CONFIG_HOME", self.folder.path()).timeout(PATIENCE);
        command.args(arguments).arg("--data").arg(self.folder.path().join("data"));
        String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
    }

    /// Who is here, and from where.
    fn address_of(&self, name: &str) -> String {
        let status: Value = serde_json::from_str(&self.run(&["status", "--json"])).unwrap();
        let users = status["users"].as_array().unwrap();
        let one = users.iter().find(|user| user["name"] == name).unwrap();
        one["address"].as_str().unwrap().to_owned()
    }

    /// Joins through the proxy, and gives the answer as well.
    fn join_from(&self, from: &str, name: &str) -> (TcpStream, String) {
        let mut stream = connect(self.server.address);
        stream.write_all(&header(from)).unwrap();
        let answer = join(&mut stream, name);
        (stream, answer)
    }
}

const ACCEPTED: &str = "\"USERNAME_ACCEPTED\": true";

#[test]
fn the_real_address_is_the_one_that_is_seen_and_banned() {
    let chat = Controlled::start(&["--trust-proxy", "127.0.0.1"]);
    let (_ann, answer) = chat.join_from("192.0.2.7:4711", "ann");
    assert!(answer.contains(ACCEPTED), "{answer}");
    let (_bob, _) = chat.join_from("[2001:db8::7]:4711", "bob");
    let (_cyd, _) = chat.join_from("[::ffff:192.0.2.9]:4711", "cyd");
    // Without the header the proxy speaks for itself, and with LOCAL it says so.
    let mut own = connect(chat.server.address);
    assert!(join(&mut own, "own").contains(ACCEPTED));
    let mut check = connect(chat.server.address);
    check.write_all(&[SIGNATURE, &[0x20, 0, 0, 0]].concat()).unwrap();
    assert!(join(&mut check, "check").contains(ACCEPTED));
    for (name, address) in [
        ("ann", "192.0.2.7"),
        ("bob", "2001:db8::7"),
        ("cyd", "192.0.2.9"),
        ("own", "127.0.0.1"),
        ("check", "127.0.0.1"),
    ] {
        assert_eq!(chat.address_of(name), address, "{name}");
    }
    chat.run(&["ban", "192.0.2.7"]);
    let (_, refused) = chat.join_from("192.0.2.7:4712", "ann2");
    assert!(!refused.contains(ACCEPTED), "{refused}");
    let (_dan, answer) = chat.join_from("192.0.2.8:4711", "dan");
    assert!(answer.contains(ACCEPTED), "others behind the same proxy: {answer}");
    assert_eq!(chat.address_of("own"), "127.0.0.1", "the proxy itself is not banned");
}

#[test]
fn the_name_of_a_guest_is_banned_with_the_real_address_and_never_with_that_of_the_machine() {
    let chat = Controlled::start(&["--trust-proxy", "127.0.0.1"]);
    let (_eve, _) = chat.join_from("192.0.2.7:1", "eve");
    let (_mal, _) = chat.join_from("127.0.0.9:1", "mal");
    chat.run(&["ban", "eve"]);
    chat.run(&["ban", "mal"]);
    for (number, (from, may)) in [
        ("192.0.2.7:2", false),
        ("192.0.2.8:2", true),
        ("127.0.0.9:2", true),
        ("127.0.0.1:2", true),
    ]
    .into_iter()
    .enumerate()
    {
        let (_, answer) = chat.join_from(from, &format!("x{number}"));
        assert_eq!(answer.contains(ACCEPTED), may, "{from}: {answer}");
    }
}

#[test]
fn connections_are_counted_by_the_real_address() {
    let chat = Controlled::start(&["--trust-proxy", "127.0.0.0/8", "--max-per-address", "2"]);
    let held: Vec<_> = (0..2).map(|n| chat.join_from("192.0.2.7:1", &format!("a{n}")).0).collect();
    let mut third = connect(chat.server.address);
    third.write_all(&header("192.0.2.7:1")).unwrap();
    let told = read_frame(&mut third);
    assert!(told.contains("too many connections from your address"), "{told}");
    let _others: Vec<_> = (0..6)
        .map(|n| {
            let (stream, answer) = chat.join_from(&format!("198.51.100.{n}:1"), &format!("b{n}"));
            assert!(answer.contains(ACCEPTED), "{answer}");
            stream
        })
        .collect();
    drop(held);
}

#[tokio::test]
async fn a_header_in_pieces_leaves_what_follows_alone_inside_tls_too() {
    let config = Config { trust_proxy: Some("127.0.0.1".parse().unwrap()), ..Config::default() };
    let server = Server::plaintext(config.clone()).await;
    // Byte by byte, and all of it with a frame in one segment.
    let mut slow = tokio::net::TcpStream::connect(server.address).await.unwrap();
    slow.set_nodelay(true).unwrap();
    for byte in header("192.0.2.7:1") {
        slow.write_all(&[byte]).await.unwrap();
        slow.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut slow = Peer::over(slow);
    assert_eq!(slow.ask("slow").await.accepted, Some(true));
    let mut fast = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let all = [header("192.0.2.7:1"), client_frame::join("fast").unwrap().to_vec()].concat();
    fast.write_all(&all).await.unwrap();
    assert_eq!(Peer::over(fast).next().await.accepted, Some(true));
    // As much beside the address as is read at most.
    let mut long = header("192.0.2.7:1");
    long[14..16].copy_from_slice(&(16_384_u16).to_be_bytes());
    long.resize(16 + 16_384, 0);
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&long).await.unwrap();
    assert_eq!(Peer::over(stream).ask("long").await.accepted, Some(true));
    server.stop().await;

    let server = Server::start(config).await;
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&header("192.0.2.7:1")).await.unwrap();
    let stream = handshake(stream, &trusting(&server.authority_file())).await;
    assert_eq!(Peer::over(stream).ask("tls").await.accepted, Some(true));
    // The header belongs in front of TLS, and the same server serves who sends none.
    let (_peer, _) = server.join("none").await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_header_ends_the_connection_and_nothing_else() {
    let config = Config { trust_proxy: Some("127.0.0.1".parse().unwrap()), ..Config::default() };
    let server = Server::plaintext(config).await;
    let good = header("192.0.2.7:1");
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        [bytes, client_frame::join("mallory").unwrap().to_vec()].concat()
    };
    for (what, bytes) in [
        ("version 1", changed(12, &[0x11])),
        ("version 3", changed(12, &[0x31])),
        ("an unknown command", changed(12, &[0x22])),
        ("an unknown family", changed(13, &[0x41])),
        ("no place for the address", changed(14, &[0, 11])),
        ("IPv6 with addresses of IPv4", changed(13, &[0x21])),
        ("65,535 bytes are to follow", changed(14, &[0xFF, 0xFF])),
        ("half a header", good[..20].to_vec()),
    ] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        if what == "half a header" {
            stream.shutdown().await.unwrap();
        }
        let mut told = Vec::new();
        // A reset is an end as well: what was sent behind the header is not read.
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut told)).await;
        let _ = ended.unwrap_or_else(|_| panic!("{what}: stays open"));
        assert!(told.is_empty(), "{what}: {told:?}");
    }
    let (_peer, _) = server.join("mallory").await;
    server.stop().await;
}

#[test]
fn from_anybody_else_a_header_is_garbage() {
    let chat = Controlled::start(&["--trust-proxy", "127.0.0.1", "--max-per-address", "1"]);
    let mut stream = connect_from([127, 0, 0, 2], chat.server.address);
    stream.write_all(&header("192.0.2.7:1")).unwrap();
    let told = read_frame(&mut stream);
    assert!(told.contains("\"ERROR\""), "{told}");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    // Somebody else may take the place that they asked for.
    let (_ann, answer) = chat.join_from("192.0.2.7:1", "ann");
    assert!(answer.contains(ACCEPTED), "{answer}");
    // Without the setting nobody is trusted.
    let plain = Controlled::start(&[]);
    let mut stream = connect(plain.server.address);
    stream.write_all(&header("192.0.2.7:1")).unwrap();
    assert!(read_frame(&mut stream).contains("\"ERROR\""));
}

#[tokio::test]
async fn connections_without_a_name_are_bounded_and_harm_nobody_else() {
    const TAKEN: usize = 1024;
    let config = Config { trust_proxy: Some("127.0.0.1".parse().unwrap()), ..Config::default() };
    let server = Server::plaintext(config).await;
    let mut all = FuturesUnordered::new();
    for number in 0..1100 {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        // One that is not taken is closed at once; in the others half a header waits until their time is over.
        let _ = stream.write_all(&[SIGNATURE, &[0x21]].concat()).await;
        all.push(async move {
            let ended = tokio::time::timeout(PATIENCE, stream.read(&mut [0])).await;
            assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{number} stays open");
            number
        });
    }
    let mut ended = Vec::new();
    while let Some(number) = all.next().await {
        ended.push(number);
    }
    ended.truncate(1100 - TAKEN);
    ended.sort_unstable();
    assert_eq!(ended, (TAKEN..1100).collect::<Vec<_>>());
    // The places are free again.
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&header("192.0.2.7:1")).await.unwrap();
    assert_eq!(Peer::over(stream).ask("ann").await.accepted, Some(true));
    server.stop().await;
}

#[tokio::test]
async fn refusals_of_browsers_and_of_proxies_are_logged() {
    // Without a place in the chat, and with more proxies without a header than there are places for.
    let line = ["localhost", "-p", "0", "--plaintext", "--memory", "--web", "0"];
    let full = ["--max-connections", "1", "--trust-proxy", "127.0.0.1,::1"];
    let mut server = Running::start(&[&line[..], &full].concat());
    let printed = server.printed();
    let port = printed.split("http://localhost:").nth(1).unwrap().split('/').next().unwrap();
    let port: u16 = port.parse().unwrap();
    let (_ann, told) = asked_by_browser(port, &header("192.0.2.7:1"), "", "ann").await;
    assert!(told.contains(ACCEPTED), "{told}");
    let (_bob, told) = asked_by_browser(port, &header("192.0.2.8:1"), "", "bob").await;
    assert!(told.contains("\"ERROR\""), "{told}");
    let warning = server.log_line("turned away");
    assert!(warning.contains("192.0.2.8:1") && warning.contains("turned_away=1"), "{warning}");
    let waiting: Vec<_> = (0..1025).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let warning = server.log_line("turned away");
    assert!(warning.contains("turned_away=2"), "{warning}");
    drop(waiting);
}

/// Opens a WebSocket with these bytes in front and this header of the request, and asks for a name. Gives the first message.
async fn asked_by_browser(
    port: u16,
    before: &[u8],
    forwarded: &str,
    name: &str,
) -> (TcpStream, String) {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nForwarded: {forwarded}\r\n\r\n"
    );
    let body = format!(r#"{{"USERNAME": "{name}"}}"#);
    // One text message, whose mask changes nothing.
    let length = u8::try_from(body.len()).unwrap();
    let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], body.as_bytes()].concat();
    stream.write_all(&[before, request.as_bytes(), &frame].concat()).await.unwrap();
    let mut read = Vec::new();
    let first = async {
        while !read.contains(&b'}') {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0, "{read:?}");
        }
    };
    tokio::time::timeout(PATIENCE, first).await.unwrap();
    (stream.into_std().unwrap(), String::from_utf8_lossy(&read).into_owned())
}

#[tokio::test]
async fn browsers_have_the_address_that_a_trusted_proxy_names_either_way() {
    let config = Config {
        trust_proxy: Some("127.0.0.1,192.0.2.0/24".parse().unwrap()),
        max_per_address: 1,
        ..Config::default()
    };
    let listeners = listen("127.0.0.1", 0).await.unwrap();
    let port = listeners[0].local_addr().unwrap().port();
    let web = WebListeners { listeners, host: "localhost".into(), tls: false };
    let listeners = Listeners { web: Some(web), ..Listeners::default() };
    let (_stop, stopped) = tokio::sync::watch::channel(0);
    tokio::spawn(chatterbox_server::run_with(
        listeners,
        Transport::Plaintext,
        Arc::new(Memory::default()),
        Access::new(NoAccounts),
        Live::new(config),
        stopped,
    ));
    let outside = header("198.51.100.7:1");
    let proxy = header("192.0.2.1:1");
    let mut held = Vec::new();
    for (before, forwarded, name, is_taken) in [
        (&b""[..], "for=198.51.100.1", "a1", true),
        (b"", "for=198.51.100.1", "a2", false),
        (b"", "for=203.0.113.9, for=198.51.100.1;proto=https, for=192.0.2.9", "a3", false),
        (b"", "for=198.51.100.2", "a4", true),
        (&proxy, "for=\"198.51.100.2:99\"", "a5", false),
        (&proxy, "for=198.51.100.3", "a6", true),
        // Who is no proxy may write what they like.
        (&outside, "for=198.51.100.4", "a7", true),
        (&outside, "for=198.51.100.5", "a8", false),
    ] {
        let (stream, told) = asked_by_browser(port, before, forwarded, name).await;
        assert!(told.starts_with("HTTP/1.1 101 "), "{told}");
        assert_eq!(told.contains(ACCEPTED), is_taken, "{name}: {told}");
        assert_eq!(told.contains("too many connections"), !is_taken, "{name}: {told}");
        held.push(stream);
    }
}
