//! The handshake of a WebSocket with servers that answer rightly, wrongly, slowly and for ever.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

#[allow(dead_code, reason = "not every test uses everything")]
mod scripted;

use std::{io, net::SocketAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use conformance_kit::net::{
    dial::{Link, Transport, dial},
    websocket::{Endpoint, upgrade},
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY as SHA1, digest};
use scripted::{PATIENCE, body, within};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
    net::TcpListener,
    task::JoinHandle,
};

/// Serves one connection: reads the request, and answers in pieces, with what belongs to its key in the place of ACCEPT.
async fn server(
    answer: &str,
    behind: &'static [u8],
    size: usize,
) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, answer) = (listener.local_addr().unwrap(), answer.to_owned());
    let serving = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(tcp.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let hashed = format!("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key.unwrap());
        let accept = STANDARD.encode(digest(&SHA1, hashed.as_bytes()));
        let answer = answer.replace("ACCEPT", &accept);
        let bytes = [answer.as_bytes(), behind].concat();
        for piece in bytes.chunks(size) {
            if tcp.write_all(piece).await.is_err() {
                break;
            }
        }
        // Whatever the client still says is read, so that no reset overtakes the answer.
        let _ = tcp.shutdown().await;
        let _ = tcp.read_to_end(&mut Vec::new()).await;
        request
    });
    (address, serving)
}

async fn dialled(address: SocketAddr) -> Result<Link, String> {
    let endpoint =
        Endpoint { tls: false, authority: "chat.example".into(), path: "/ws?a=b".into() };
    let transport = Transport { tls: None, websocket: Some(endpoint.into()) };
    dial(address, &transport, PATIENCE).await.map_err(|error| error.to_string())
}

const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nServer: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n";

#[tokio::test]
async fn the_handshake_works_and_what_comes_behind_it_counts() {
    for size in [1, 7, 4_096] {
        let (address, serving) = server(ACCEPTED, b"\x81\x02{}\x88\x02\x03\xE9", size).await;
        let mut link = dialled(address).await.unwrap();
        assert_eq!(within(body(&mut link.stream)).await.unwrap(), b"{}");
        assert_eq!(within(link.stream.read(&mut [0; 8])).await.unwrap(), 0);
        assert_eq!(link.remarks.ending().unwrap(), "close frame 1001");
        drop(link);
        let request = within(serving).await.unwrap();
        assert!(request.starts_with("GET /ws?a=b HTTP/1.1\r\nHost: chat.example\r\n"), "{request}");
        assert!(request.contains("\r\nOrigin: http://chat.example\r\n"), "{request}");
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_told() {
    for (answer, word) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "HTTP status 403 Forbidden"),
        ("HTTP/1.1 503\r\n\r\n", "HTTP status 503"),
        (&ACCEPTED.replace("ACCEPT", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "belong to the key"),
        (&ACCEPTED.replace("Connection: upgrade\r\n", ""), "without Upgrade"),
        ("\0\0\0\x20{\"ERROR\": \"a length of 1195725856\"}", "no HTTP"),
        ("HTTP/1.1 200", "no HTTP"),
        ("", "closed the connection"),
    ] {
        for size in [1, 4_096] {
            let (address, _serving) = server(answer, b"", size).await;
            let error = dialled(address).await.err().unwrap();
            assert!(error.contains(word), "{word}: {error}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let (mut ours, mut theirs) = duplex(4_096);
    let flood = tokio::spawn(async move {
        theirs.write_all(b"HTTP/1.1 101 Sure\r\n").await?;
        for _ in 0..1_000_000 {
            theirs.write_all(b"x: y\r\n").await?;
        }
        io::Result::Ok(())
    });
    let endpoint = Endpoint { tls: false, authority: "localhost".into(), path: "/".into() };
    let error = within(upgrade(&mut ours, &endpoint)).await.unwrap_err();
    assert!(error.to_string().contains("headers"), "{error}");
    drop(ours);
    assert!(within(flood).await.unwrap().is_err());
}
