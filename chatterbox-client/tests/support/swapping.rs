//! A server that lies about keys: the real one, with something before it that has the certificate which clients trust. It hands on
//! what both say, notes it, and tells one user keys of its own for another one.

use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chatterbox_proto::LookupKey;
use chatterbox_proto::capability::e2ee::{KeyKind, KeyName, PublicKey, device_lines, key_lines};
use chatterbox_proto::capability::meta::DeviceId;
use chatterbox_proto::frame::{Decoder, encode};
use chatterbox_proto::limits::USERNAME_CHARS_MOST;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::Certificate;

/// The device that it puts in the place of others.
const DEVICE: &str = "evil";

/// The number of a message that it has taken for that device; no other message has it.
const TAKEN: u64 = 4_000_000_000;

/// A server in the middle.
pub(crate) struct Swapping {
    port: u16,
    certificate: Certificate,
    ledger: Arc<Mutex<Ledger>>,
}

/// What it does, and what it has heard.
#[derive(Default)]
struct Ledger {
    /// Who is told other keys, and whose.
    lie: Option<(String, String)>,
    /// The number of the account whose keys they are said to be.
    number: u64,
    /// Every frame of a client, with its user.
    heard: Vec<(String, String)>,
    /// How many messages were encrypted for the keys of its own.
    caught: usize,
}

impl Swapping {
    /// Stands before the server at this port of 127.0.0.1, which has no TLS.
    pub(crate) async fn before(server: u16) -> Self {
        let certificate = Certificate::localhost();
        let acceptor = TlsAcceptor::from(certificate.server_config(rustls::ALL_VERSIONS));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let shared = Arc::clone(&ledger);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (acceptor, ledger) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    let Ok(near) = acceptor.accept(near).await else { return };
                    let Ok(far) = TcpStream::connect(("127.0.0.1", server)).await else { return };
                    hand_on(near, far, &ledger).await;
                });
            }
        });
        Self { port, certificate, ledger }
    }

    /// The arguments that reach it. Nothing is compressed, so that it can read what is not encrypted.
    pub(crate) fn arguments(&self, more: &[&str]) -> Vec<String> {
        let (ca, port) =
            (self.certificate.authority().display().to_string(), self.port.to_string());
        let words = ["localhost", "-p", &port, "-ca", &ca, "--no-compression"];
        words.iter().chain(more).map(|word| (*word).to_owned()).collect()
    }

    /// From now on this user is told other keys of that one.
    pub(crate) fn lie_to(&self, user: &str, about: &str) {
        self.ledger.lock().unwrap().lie = Some((user.to_owned(), about.to_owned()));
    }

    /// From now on everybody is told what is true.
    pub(crate) fn be_honest(&self) {
        self.ledger.lock().unwrap().lie = None;
    }

    /// The frames in which clients of a user have said this.
    pub(crate) fn heard(&self, user: &str, words: &str) -> usize {
        let ledger = self.ledger.lock().unwrap();
        let frames = ledger.heard.iter().filter(|(by, frame)| by == user && frame.contains(words));
        frames.count()
    }

    /// How many messages were encrypted for the keys of its own.
    pub(crate) fn caught(&self) -> usize {
        self.ledger.lock().unwrap().caught
    }
}

/// Hands frames on until one end has gone.
async fn hand_on(near: TlsStream<TcpStream>, far: TcpStream, ledger: &Mutex<Ledger>) {
    let (mut near_in, near_out) = tokio::io::split(near);
    let (mut far_in, mut far_out) = far.into_split();
    let near_out = tokio::sync::Mutex::new(near_out);
    let who = OnceLock::new();
    let up = async {
        let mut decoder = Decoder::new(1 << 24);
        while let Some(frame) = next(&mut near_in, &mut decoder).await {
            let answer = ledger.lock().unwrap().hears(&who, &frame);
            let sent = match answer {
                Some(answer) => send(&mut *near_out.lock().await, &answer).await,
                None => send(&mut far_out, &frame).await,
            };
            if sent.is_err() {
                return;
            }
        }
    };
    let down = async {
        let mut decoder = Decoder::new(1 << 24);
        while let Some(frame) = next(&mut far_in, &mut decoder).await {
            let frame = ledger.lock().unwrap().tells(who.get(), frame);
            if send(&mut *near_out.lock().await, &frame).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

/// The next frame; `None` at the end.
async fn next(stream: &mut (impl AsyncRead + Unpin), decoder: &mut Decoder) -> Option<String> {
    loop {
        if let Some(body) = decoder.next_body().unwrap() {
            return Some(String::from_utf8(body.to_vec()).unwrap());
        }
        let mut piece = vec![0; 4096];
        let got = stream.read(&mut piece).await.ok().filter(|got| *got > 0)?;
        decoder.push(&piece[..got]);
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), frame: &str) -> std::io::Result<()> {
    stream.write_all(&encode(frame.as_bytes()).unwrap()).await?;
    stream.flush().await
}

impl Ledger {
    /// Notes a frame of a client. Gives an answer where the frame goes no further.
    fn hears(&mut self, who: &OnceLock<String>, frame: &str) -> Option<String> {
        let said: Value = serde_json::from_str(frame).ok()?;
        if let Some(name) = said["USERNAME"].as_str() {
            let _ = who.set(name.to_owned());
        }
        let by = who.get().cloned().unwrap_or_default();
        self.heard.push((by, frame.to_owned()));
        said["META"][0]["E2EE"]["TO"].get(DEVICE)?;
        self.caught += 1;
        let tag = said["TAGS"][0].as_str()?;
        Some(json!({"ACKS": {tag: TAKEN}}).to_string())
    }

    /// What a client is told in the place of a frame of the server.
    fn tells(&mut self, who: Option<&String>, frame: String) -> String {
        let lie = self.lie.clone().filter(|(user, _)| who == Some(user));
        let Some((_, about)) = lie else { return frame };
        let Ok(mut told) = serde_json::from_str::<Value>(&frame) else { return frame };
        let Some(keys) = told.get_mut("KEYS") else { return frame };
        if let Some(owner) = keys.pointer_mut(&format!("/USERS/{about}")) {
            self.number = owner["NUMBER"].as_u64().unwrap();
            self.put_device(owner, &about);
        }
        let one_time = keys.get_mut("ONE_TIME").and_then(Value::as_array_mut);
        for claimed in one_time.into_iter().flatten() {
            if claimed[1] == DEVICE {
                claimed[2] = self.one_time(&about);
            }
        }
        told.to_string()
    }

    /// Another identity, and one device of it.
    fn put_device(&self, owner: &mut Value, name: &str) {
        let (identity, own) = (pair(1), pair(2));
        let (curve25519, ed25519) = (curve(3), public(&own));
        let lines = device_lines(self.number, &folded(name), &device(), &curve25519, &ed25519);
        owner["IDENTITY"] = json!(public(&identity).as_str());
        owner["DEVICES"] = json!([{
            "DEVICE": DEVICE,
            "CURVE25519": curve25519.as_str(),
            "ED25519": ed25519.as_str(),
            "SIGNATURE": sign(&identity, &lines),
        }]);
    }

    /// A key for a new session with that device.
    fn one_time(&self, name: &str) -> Value {
        let (key, key_name) = (curve(4), KeyName::parse("A").unwrap());
        let kind = KeyKind::OneTime;
        let lines = key_lines(kind, self.number, &folded(name), &device(), &key_name, &key);
        json!({"NAME": "A", "KEY": key.as_str(), "SIGNATURE": sign(&pair(2), &lines)})
    }
}

fn folded(name: &str) -> LookupKey {
    LookupKey::of(name, USERNAME_CHARS_MOST).unwrap()
}

fn device() -> DeviceId {
    DeviceId::parse(DEVICE).unwrap()
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn public(pair: &Ed25519KeyPair) -> PublicKey {
    PublicKey::parse(&STANDARD_NO_PAD.encode(pair.public_key().as_ref())).unwrap()
}

fn curve(fill: u8) -> PublicKey {
    PublicKey::parse(&STANDARD_NO_PAD.encode([fill; 32])).unwrap()
}

fn sign(pair: &Ed25519KeyPair, lines: &str) -> String {
    STANDARD_NO_PAD.encode(pair.sign(lines.as_bytes()).as_ref())
}
