//! New keys, by either side (RFC 8446, 4.6.3).

use std::io::ErrorKind;
use std::sync::Arc;

use rustls::crypto::ring::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS13_AES_128_GCM_SHA256,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{
    CipherSuiteCommon, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
    Tls12CipherSuite, Tls13CipherSuite, version,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::kit::{
    any_client, client_config, connect, noise, pair, server_config, soon, take, whole,
};
use super::raw_client::{DATA, FRAME, HANDSHAKE, RawClient};

#[tokio::test]
async fn a_client_takes_new_keys_and_gets_some() {
    soon(async {
        let config = client_config(ring::default_provider(), &[&version::TLS13]);
        let (mut client, mut server) = connect(config, server_config(), 4096, whole()).await;
        for round in 0..200 {
            client.get_mut().1.refresh_traffic_keys().unwrap();
            client.write_all(&[round]).await.unwrap();
            client.flush().await.unwrap();
            assert_eq!(server.read_u8().await.unwrap(), round);
            server.write_all(&[round]).await.unwrap();
            server.flush().await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), round);
        }
    })
    .await;
}

#[tokio::test]
async fn new_keys_are_answered_once_and_before_the_next_data() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(64 * 1024).await;
        let updates = [client.key_update(true), client.key_update(true), client.key_update(false)];
        let data = client.record(DATA, b"new", 0);
        client.send(&[updates.concat(), data].concat()).await;
        assert_eq!(take(&mut server, 3).await, b"new");
        let before = server.socket.written.len();
        server.write_all(b"answer").await.unwrap();
        // Both go out in one write.
        assert_eq!(server.socket.written[before..], [5 + FRAME + 6 + FRAME]);
        assert_eq!(client.next().await, (HANDSHAKE, vec![24, 0, 0, 1, 0]));
        client.update_receiving();
        assert_eq!(client.next().await, (DATA, b"answer".to_vec()));
    })
    .await;
}

/// A server of this version whose keys are worn out after so many records.
fn worn_after(records: u64, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
    let worn = |usual: &CipherSuiteCommon| CipherSuiteCommon {
        suite: usual.suite,
        hash_provider: usual.hash_provider,
        confidentiality_limit: records,
    };
    let suites = [TLS13_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
    let cipher_suites = suites.map(|usual| match usual {
        SupportedCipherSuite::Tls13(usual) => {
            SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                common: worn(&usual.common),
                hkdf_provider: usual.hkdf_provider,
                aead_alg: usual.aead_alg,
                quic: None,
            })))
        }
        SupportedCipherSuite::Tls12(usual) => {
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: worn(&usual.common),
                prf_provider: usual.prf_provider,
                kx: usual.kx,
                sign: usual.sign,
                aead_alg: usual.aead_alg,
            })))
        }
    });
    let provider =
        CryptoProvider { cipher_suites: cipher_suites.to_vec(), ..ring::default_provider() };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&server_config().cert_resolver));
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

#[tokio::test]
async fn keys_that_are_worn_out_are_renewed() {
    const RECORDS: usize = 1000;
    soon(async {
        let config = worn_after(100, &version::TLS13);
        let (mut client, mut server) = connect(any_client(), config, 4096, whole()).await;
        let before: usize = server.socket.written.iter().sum();
        for round in 0..RECORDS {
            let byte = u8::try_from(round % 256).unwrap();
            server.write_all(&[byte]).await.unwrap();
            server.flush().await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), byte);
        }
        let written = server.socket.written.iter().sum::<usize>() - before;
        let updates = (written - RECORDS * (1 + FRAME)) / (5 + FRAME);
        assert!((9..=12).contains(&updates), "{updates} updates");
        // The client answers them.
        client.write_all(b"after").await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(take(&mut server, 5).await, b"after");
    })
    .await;
}

#[tokio::test]
async fn writes_of_several_records_renew_keys_in_time() {
    soon(async {
        let config = worn_after(5, &version::TLS13);
        let (mut client, mut server) = connect(any_client(), config, 200_000, whole()).await;
        let much = noise(1, 150_000);
        server.write_all(&much).await.unwrap();
        server.shutdown().await.unwrap();
        let mut read = Vec::new();
        client.read_to_end(&mut read).await.unwrap();
        assert!(read == much);
    })
    .await;
}

#[tokio::test]
async fn keys_of_tls_1_2_that_are_worn_out_end_the_connection_in_order() {
    soon(async {
        let config = worn_after(100, &version::TLS12);
        let (mut client, mut server) = connect(any_client(), config, 64 * 1024, whole()).await;
        let mut written = 0;
        let worn = loop {
            match server.write(b"x").await {
                Ok(count) => written += count,
                Err(worn) => break worn,
            }
        };
        assert_eq!(worn.kind(), ErrorKind::InvalidData);
        assert!(written > 90 && written <= 100, "{written}");
        server.shutdown().await.unwrap();
        let mut read = Vec::new();
        // It ends with a close notify, otherwise this would be an error.
        client.read_to_end(&mut read).await.unwrap();
        assert_eq!(read.len(), written);
    })
    .await;
}

#[tokio::test]
async fn a_pair_without_news_of_keys_has_none() {
    soon(async {
        let (mut client, mut server) = pair(4096).await;
        let before = server.socket.written.len();
        server.write_all(b"x").await.unwrap();
        assert_eq!(server.socket.written[before..], [1 + FRAME]);
        assert_eq!(client.read_u8().await.unwrap(), b'x');
    })
    .await;
}
