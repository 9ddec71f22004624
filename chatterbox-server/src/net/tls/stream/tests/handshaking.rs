//! Handshakes, and how connections end.

use std::io::{ErrorKind, Write as _};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConnection, ProtocolVersion, version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_rustls::TlsConnector;

use super::kit::{
    any_client, client_config, connect, localhost, pair, server_config, soon, take, whole,
};
use crate::net::tls::stream::TlsStream;

#[tokio::test]
async fn both_versions_carry_data_both_ways() {
    for (version, number) in
        [(&version::TLS12, ProtocolVersion::TLSv1_2), (&version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        soon(async {
            let config = client_config(ring::default_provider(), &[version]);
            let (mut client, mut server) = connect(config, server_config(), 4096, whole()).await;
            assert_eq!(client.get_ref().1.protocol_version(), Some(number));
            client.write_all(b"ping").await.unwrap();
            client.flush().await.unwrap();
            assert_eq!(take(&mut server, 4).await, b"ping");
            server.write_all(b"pong").await.unwrap();
            server.flush().await.unwrap();
            assert_eq!(take(&mut client, 4).await, b"pong");
        })
        .await;
    }
}

#[tokio::test]
async fn a_browser_is_offered_the_name_of_its_protocol() {
    let mut config = (*server_config()).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut browser = any_client();
    browser.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let (client, _server) = soon(connect(browser, Arc::new(config), 4096, whole())).await;
    assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

/// A handshake whose first message comes in records of so many bytes, with data behind the last one.
async fn handshake_in_pieces(size: usize) -> (DuplexStream, TlsStream<DuplexStream>) {
    let mut client = ClientConnection::new(Arc::new(any_client()), localhost()).unwrap();
    let (mut pipe, far) = duplex(64 * 1024);
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    for piece in hello[5..].chunks(size) {
        let [high, low] = u16::try_from(piece.len()).unwrap().to_be_bytes();
        pipe.write_all(&[&[22, 3, 1, high, low][..], piece].concat()).await.unwrap();
    }
    let talk = async {
        while client.is_handshaking() {
            let mut bytes = vec![0; 4096];
            let count = pipe.read(&mut bytes).await.unwrap();
            assert!(count > 0, "the server has closed");
            let mut bytes = &bytes[..count];
            while !bytes.is_empty() {
                client.read_tls(&mut bytes).unwrap();
                client.process_new_packets().unwrap();
            }
            if !client.is_handshaking() {
                client.writer().write_all(b"early").unwrap();
            }
            let mut said = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut said).unwrap();
            }
            pipe.write_all(&said).await.unwrap();
        }
    };
    let ((), server) = tokio::join!(talk, TlsStream::accept(far, server_config()));
    (pipe, server.unwrap())
}

#[tokio::test]
async fn a_handshake_in_tiny_records_and_data_right_behind_it_are_understood() {
    for size in [1, 3, 50, 10_000] {
        soon(async {
            let (_pipe, mut server) = handshake_in_pieces(size).await;
            assert_eq!(server.unread.rest(), b"early");
            assert_eq!(take(&mut server, 5).await, b"early");
            assert!(server.unread.is_empty());
        })
        .await;
    }
}

#[tokio::test]
async fn who_speaks_no_tls_gets_an_alert() {
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"\0\0\0\x17{\"USERNAME\": \"ann\"}     ",
        b"\x16\x09\x09\0\x01x",
    ] {
        let (mut client, far) = duplex(4096);
        client.write_all(garbage).await.unwrap();
        let refused = soon(TlsStream::accept(far, server_config())).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::InvalidData);
        assert!(refused.to_string().contains("corrupt message"), "{refused}");
        let mut answer = Vec::new();
        soon(client.read_to_end(&mut answer)).await.unwrap();
        // Fatal, and that it can't be decoded.
        assert_eq!(answer, [21, 3, 3, 0, 2, 2, 50]);
    }
}

#[tokio::test]
async fn who_has_no_cipher_in_common_gets_an_alert() {
    let cipher_suites = vec![ring::cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
    let provider = CryptoProvider { cipher_suites, ..ring::default_provider() };
    let connector = TlsConnector::from(Arc::new(client_config(provider, &[&version::TLS12])));
    let (near, far) = duplex(4096);
    let (client, server) = soon(async {
        tokio::join!(connector.connect(localhost(), near), TlsStream::accept(far, server_config()))
    })
    .await;
    let client = client.err().unwrap().to_string();
    assert!(client.contains("HandshakeFailure"), "{client}");
    assert_eq!(server.err().unwrap().kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_handshake_that_is_cut_is_no_mistake_of_tls() {
    for begun in [&b""[..], b"\x16", b"\x16\x03\x01\0\x50\x01\0\0"] {
        let (mut client, far) = duplex(4096);
        client.write_all(begun).await.unwrap();
        drop(client);
        let cut = soon(TlsStream::accept(far, server_config())).await.err().unwrap();
        assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
        assert!(cut.to_string().contains("handshake"), "{cut}");
    }
}

#[tokio::test]
async fn a_side_that_says_its_end_still_hears_the_other() {
    soon(async {
        let (mut client, mut server) = pair(4096).await;
        server.shutdown().await.unwrap();
        assert_eq!(server.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        // A client that had not been told would see an error.
        assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
        client.write_all(b"late").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(take(&mut server, 4).await, b"late");
        for _ in 0..2 {
            assert_eq!(server.read(&mut [0; 9]).await.unwrap(), 0);
        }
        server.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_client_that_says_its_end_still_gets_the_answer() {
    soon(async {
        let (mut client, mut server) = pair(4096).await;
        client.write_all(b"last").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(take(&mut server, 4).await, b"last");
        assert_eq!(server.read(&mut [0; 9]).await.unwrap(), 0);
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_is_cut_is_told_from_one_that_was_closed() {
    for begun in [&b""[..], b"\x17\x03", b"\x17\x03\x03\0\x50abc"] {
        soon(async {
            let (mut client, mut server) = pair(4096).await;
            client.write_all(b"data").await.unwrap();
            client.flush().await.unwrap();
            let (mut pipe, _) = client.into_inner();
            pipe.write_all(begun).await.unwrap();
            drop(pipe);
            assert_eq!(take(&mut server, 4).await, b"data");
            for _ in 0..2 {
                let cut = server.read(&mut [0; 9]).await.unwrap_err();
                assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
                assert!(cut.to_string().contains("close_notify"), "{cut}");
            }
        })
        .await;
    }
}
