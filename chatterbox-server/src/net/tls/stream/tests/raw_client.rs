//! A client of TLS 1.3 that makes its records itself, so that it can break every rule.

use std::sync::{Arc, Mutex};

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::{ClientConfig, ClientConnection, KeyLog, version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::kit::{Chopped, Server, client_config, connect, localhost, server_config, whole};
use crate::net::tls::stream::TlsStream;

/// Kinds of records.
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const DATA: u8 = 23;

/// What a record has beside its data.
pub(super) const FRAME: usize = 5 + 1 + 16;

/// A client after its handshake.
pub(super) struct RawClient {
    pub(super) pipe: DuplexStream,
    sending: Keys,
    receiving: Keys,
}

impl RawClient {
    /// Connects a client and a server. Each direction has room for so many bytes.
    pub(super) async fn connect(room: usize) -> (Self, Server) {
        let (config, secrets) = watched();
        let (client, server) = connect(config, server_config(), room, whole()).await;
        let (pipe, _) = client.into_inner();
        (Self::new(pipe, &secrets), server)
    }

    /// The same, with records that go out in one piece with the end of the handshake.
    pub(super) async fn connect_with(records: impl FnOnce(&mut Self) -> Vec<u8>) -> (Self, Server) {
        let (config, secrets) = watched();
        let mut client = ClientConnection::new(Arc::new(config), localhost()).unwrap();
        let (mut pipe, far) = duplex(64 * 1024);
        let talk = async {
            loop {
                let mut said = Vec::new();
                while client.wants_write() {
                    client.write_tls(&mut said).unwrap();
                }
                if !client.is_handshaking() {
                    let mut client = Self::new(pipe, &secrets);
                    said.extend(records(&mut client));
                    client.send(&said).await;
                    return client;
                }
                pipe.write_all(&said).await.unwrap();
                let mut bytes = vec![0; 4096];
                let count = pipe.read(&mut bytes).await.unwrap();
                assert!(count > 0, "the server has closed");
                let mut bytes = &bytes[..count];
                while !bytes.is_empty() {
                    client.read_tls(&mut bytes).unwrap();
                    client.process_new_packets().unwrap();
                }
            }
        };
        let server = TlsStream::accept(Chopped::new(far, whole()), server_config());
        let (client, server) = tokio::join!(talk, server);
        (client, server.unwrap())
    }

    fn new(pipe: DuplexStream, secrets: &Secrets) -> Self {
        let sending = Keys::new(secrets.named("CLIENT_TRAFFIC_SECRET_0"));
        let receiving = Keys::new(secrets.named("SERVER_TRAFFIC_SECRET_0"));
        Self { pipe, sending, receiving }
    }

    /// The next record of this client, with so many zeros behind its content.
    pub(super) fn record(&mut self, kind: u8, content: &[u8], padding: usize) -> Vec<u8> {
        let mut sealed = [content, &[kind], &vec![0; padding]].concat();
        let [high, low] = u16::try_from(sealed.len() + 16).unwrap().to_be_bytes();
        let header = [DATA, 3, 3, high, low];
        let nonce = self.sending.nonce();
        self.sending.key.seal_in_place_append_tag(nonce, Aad::from(header), &mut sealed).unwrap();
        [&header[..], &sealed].concat()
    }

    /// News of keys, which the records behind it use.
    pub(super) fn key_update(&mut self, wants_answer: bool) -> Vec<u8> {
        let record = self.record(HANDSHAKE, &[24, 0, 0, 1, u8::from(wants_answer)], 0);
        self.update_sending();
        record
    }

    /// Goes over to the next keys.
    pub(super) fn update_sending(&mut self) {
        self.sending = self.sending.next();
    }

    /// The same for those of the server.
    pub(super) fn update_receiving(&mut self) {
        self.receiving = self.receiving.next();
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.pipe.write_all(bytes).await.unwrap();
    }

    /// Kind and content of the server's next record.
    pub(super) async fn next(&mut self) -> (u8, Vec<u8>) {
        let mut header = [0; 5];
        self.pipe.read_exact(&mut header).await.unwrap();
        let mut sealed = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        self.pipe.read_exact(&mut sealed).await.unwrap();
        let nonce = self.receiving.nonce();
        let opened = self.receiving.key.open_in_place(nonce, Aad::from(header), &mut sealed);
        let opened = opened.unwrap();
        let end = opened.iter().rposition(|byte| *byte != 0).unwrap();
        (opened[end], opened[..end].to_vec())
    }
}

/// What a client connects with, and the secrets that come of it.
fn watched() -> (ClientConfig, Arc<Secrets>) {
    let cipher_suites = vec![TLS13_AES_128_GCM_SHA256];
    let provider = CryptoProvider { cipher_suites, ..rustls::crypto::ring::default_provider() };
    let mut config = client_config(provider, &[&version::TLS13]);
    let secrets = Arc::new(Secrets::default());
    config.key_log = Arc::clone(&secrets) as Arc<dyn KeyLog>;
    (config, secrets)
}

/// The keys of one direction (RFC 8446, 7.3).
struct Keys {
    secret: Vec<u8>,
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
}

impl Keys {
    fn new(secret: Vec<u8>) -> Self {
        let key = UnboundKey::new(&AES_128_GCM, &expanded::<16>(&secret, b"key")).unwrap();
        let iv = expanded(&secret, b"iv");
        Self { secret, key: LessSafeKey::new(key), iv, sequence: 0 }
    }

    fn next(&self) -> Self {
        Self::new(expanded::<32>(&self.secret, b"traffic upd").to_vec())
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = self.iv;
        for (byte, of_sequence) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= of_sequence;
        }
        self.sequence += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// HKDF-Expand-Label without a context.
fn expanded<const LENGTH: usize>(secret: &[u8], label: &[u8]) -> [u8; LENGTH] {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let length = u16::try_from(LENGTH).unwrap().to_be_bytes();
    let label_length = u8::try_from(b"tls13 ".len() + label.len()).unwrap();
    let info = [&length[..], &[label_length], b"tls13 ", label, &[0]];
    let mut out = [0; LENGTH];
    let secret = Prk::new_less_safe(HKDF_SHA256, secret);
    secret.expand(&info, Length(LENGTH)).unwrap().fill(&mut out).unwrap();
    out
}

/// The secrets of a client, by name.
#[derive(Debug, Default)]
struct Secrets(Mutex<Vec<(String, Vec<u8>)>>);

impl Secrets {
    fn named(&self, name: &str) -> Vec<u8> {
        let secrets = self.0.lock().unwrap();
        secrets.iter().find(|(label, _)| label == name).unwrap().1.clone()
    }
}

impl KeyLog for Secrets {
    fn log(&self, label: &str, _random: &[u8], secret: &[u8]) {
        self.0.lock().unwrap().push((label.to_owned(), secret.to_owned()));
    }
}
