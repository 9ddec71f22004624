//! A server in this process, and peers over real sockets and real TLS.
#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

pub mod accounts;
pub mod engine;
pub mod files;
pub mod metrics;
pub mod process;
pub mod program;
pub mod pty;
pub mod rooms;
pub mod telnet;
pub mod web;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::capability::zstd;
use chatterbox_proto::client_frame::{self, Said};
use chatterbox_proto::frame::{self, Decoder};
use chatterbox_proto::server_frame::ServerKeys;
use chatterbox_proto::{Capabilities, Capability, Entry, ServerFrame, limits};
use chatterbox_server::Listeners;
use chatterbox_server::access::{Access, NoAccounts};
use chatterbox_server::gateway::web::WebListeners;
use chatterbox_server::net::{CertificateSource, Transport, listen};
use chatterbox_server::store::{Memory, Store, StoreError};
use chatterbox_server::{Config, Live};
use chatterbox_zstd::Codec;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

/// The timeout of everything that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The settings of a server in which nobody is held up who says much, or comes often.
pub fn unlimited() -> Config {
    Config { no_limits: true, ..Config::default() }
}

/// A server in this process.
pub struct Server {
    pub address: SocketAddr,
    /// For browsers, with TLS where the server has it.
    pub web: SocketAddr,
    pub stop: watch::Sender<u32>,
    tls: Option<Arc<ClientConfig>>,
    task: JoinHandle<Result<(), StoreError>>,
    folder: Option<tempfile::TempDir>,
}

impl Server {
    /// With TLS, from a local authority in a temporary folder.
    pub async fn start(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = CertificateSource::Local {
            folder: folder.path().to_owned(),
            hosts: vec!["localhost".into()],
        };
        let transport = Transport::tls(source).unwrap();
        let tls = trusting(&folder.path().join("ca.crt"));
        Self::run(config, transport, Arc::new(Memory::default()), Some(tls), Some(folder)).await
    }

    /// Without TLS.
    pub async fn plaintext(config: Config) -> Self {
        Self::with_store(config, Arc::new(Memory::default())).await
    }

    /// With TLS, and with this authenticator and handler.
    pub async fn with_access(config: Config, access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = CertificateSource::Local {
            folder: folder.path().to_owned(),
            hosts: vec!["localhost".into()],
        };
        let transport = Transport::tls(source).unwrap();
        let tls = trusting(&folder.path().join("ca.crt"));
        let store = Arc::new(Memory::default());
        Self::run_with(config, transport, store, access, Some(tls), Some(folder)).await
    }

    /// Without TLS, with this store.
    pub async fn with_store(config: Config, store: Arc<dyn Store>) -> Self {
        Self::run(config, Transport::Plaintext, store, None, None).await
    }

    /// Without TLS, with this store, authenticator and handler.
    pub async fn with_all(config: Config, store: Arc<dyn Store>, access: Access) -> Self {
        Self::run_with(config, Transport::Plaintext, store, access, None, None).await
    }

    async fn run(
        config: Config,
        transport: Transport,
        store: Arc<dyn Store>,
        tls: Option<Arc<ClientConfig>>,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        Self::run_with(config, transport, store, Access::new(NoAccounts), tls, folder).await
    }

    async fn run_with(
        config: Config,
        transport: Transport,
        store: Arc<dyn Store>,
        access: Access,
        tls: Option<Arc<ClientConfig>>,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let protocol = listen("127.0.0.1", 0).await.unwrap();
        let address = protocol.first().unwrap().local_addr().unwrap();
        let web = listen("127.0.0.1", 0).await.unwrap();
        let web_address = web.first().unwrap().local_addr().unwrap();
        let web = WebListeners { listeners: web, host: "localhost".into(), tls: tls.is_some() };
        let listeners = Listeners { protocol, web: Some(web), ..Listeners::default() };
        let (stop, stopped) = watch::channel(0);
        let task = tokio::spawn(chatterbox_server::run_with(
            listeners,
            transport,
            store,
            access,
            Live::new(config),
            stopped,
        ));
        Self { address, web: web_address, stop, tls, task, folder }
    }

    /// The file of the authority that clients trust.
    pub fn authority_file(&self) -> PathBuf {
        self.folder.as_ref().expect("a server with TLS").path().join("ca.crt")
    }

    /// The certificate of the authority.
    pub fn authority(&self) -> Vec<CertificateDer<'static>> {
        let pem = std::fs::read(self.authority_file()).unwrap();
        rustls_pemfile::certs(&mut &pem[..]).map(Result::unwrap).collect()
    }

    /// A peer that is connected, but has not joined.
    pub async fn connect(&self) -> Peer {
        self.connect_by(self.address).await
    }

    /// The same through a proxy at another address.
    pub async fn connect_by(&self, address: SocketAddr) -> Peer {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        match &self.tls {
            None => Peer::over(stream),
            Some(tls) => Peer::over(handshake(stream, tls).await),
        }
    }

    /// A peer that has joined, and its welcome.
    pub async fn join(&self, name: &str) -> (Peer, ServerFrame) {
        let mut peer = self.connect().await;
        let welcome = peer.ask(name).await;
        assert_eq!(welcome.accepted, Some(true), "{welcome:?}");
        (peer, welcome)
    }

    /// Stops it, and waits until it has.
    pub async fn stop(self) {
        self.stop.send_modify(|count| *count += 2);
        tokio::time::timeout(PATIENCE, self.task).await.expect("stops in time").unwrap().unwrap();
    }
}

/// A TLS client that trusts one authority.
pub fn trusting(authority: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let pem = std::fs::read(authority).unwrap();
    for certificate in rustls_pemfile::certs(&mut &pem[..]) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Arc::new(
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

pub async fn handshake(
    stream: TcpStream,
    tls: &Arc<ClientConfig>,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.unwrap()
}

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// The client's end of a connection, frame by frame.
pub struct Peer {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    waiting: VecDeque<Bytes>,
    pub name: String,
    /// The capabilities that it has offered.
    offered: Capabilities,
    /// Whether the last frame was compressed, where that was offered.
    pub was_compressed: bool,
    codec: Codec,
}

impl Peer {
    pub fn over(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            decoder: Decoder::new(limits::SERVER_FRAME),
            waiting: VecDeque::new(),
            name: String::new(),
            offered: Capabilities::NONE,
            was_compressed: false,
            codec: Codec::new(),
        }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends a body as a frame.
    pub async fn send_body(&mut self, body: &str) {
        self.send(&frame::encode(body.as_bytes()).unwrap()).await;
    }

    /// Joins with the base protocol, and returns the answer.
    pub async fn ask(&mut self, name: &str) -> ServerFrame {
        self.name = name.to_owned();
        self.send(&client_frame::join(name).unwrap()).await;
        self.next().await
    }

    /// Joins with an offer of capabilities and further members of the frame, and returns the answer.
    pub async fn offer(&mut self, name: &str, offered: &str, beside: &str) -> ServerFrame {
        self.name = name.to_owned();
        self.offered = Capabilities::parse_offer(offered).unwrap();
        let body = format!(r#"{{"USERNAME": "{name}", "CAPABILITIES": "{offered}"{beside}}}"#);
        self.send_body(&body).await;
        self.next().await
    }

    /// Sends a message with an idempotency key.
    pub async fn say_tagged(&mut self, destination: &str, content: &str, tag: &str) {
        let entry = Entry {
            source: self.name.as_str().into(),
            destination: destination.into(),
            timestamp: 1,
            content: content.into(),
        };
        self.send(&client_frame::say_tagged(&[Said { entry: &entry, tag, meta: None }]).unwrap())
            .await;
    }

    pub async fn say(&mut self, destination: &str, content: &str) {
        let entry = Entry {
            source: self.name.as_str().into(),
            destination: destination.into(),
            timestamp: 1,
            content: content.into(),
        };
        self.send(&client_frame::say([&entry]).unwrap()).await;
    }

    /// The next frame.
    pub async fn next(&mut self) -> ServerFrame {
        self.try_next().await.expect("the connection is open")
    }

    /// The next frame, or `None` when the connection has ended.
    pub async fn try_next(&mut self) -> Option<ServerFrame> {
        let body = self.try_next_body().await?;
        let (frame, notes) = ServerFrame::parse_as(&body, self.offered).unwrap();
        assert_eq!(notes.into_vec(), [], "the server keeps to the norm");
        Some(frame)
    }

    /// The body of the next frame.
    pub async fn next_body(&mut self) -> String {
        let body = self.try_next_body().await.expect("the connection is open");
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// The same, or `None` when the connection has ended.
    pub async fn try_next_body(&mut self) -> Option<Bytes> {
        loop {
            if let Some(body) = self.waiting.pop_front() {
                let zstd = self.offered.has(Capability::Zstd);
                self.was_compressed = zstd && zstd::is_compressed(&body);
                if self.was_compressed {
                    return Some(self.codec.inflated(&body, limits::SERVER_FRAME).unwrap());
                }
                return Some(body);
            }
            let mut buffer = vec![0; 64 * 1024];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer));
            match read.await.expect("something comes in time") {
                Ok(read) if read > 0 => self.decoder.push(buffer.get(..read).unwrap()),
                _ => return None,
            }
            while let Some(body) = self.decoder.next_body().unwrap() {
                self.waiting.push_back(body);
            }
        }
    }

    /// Reads until `what` finds something in the capability keys of a frame, and returns it.
    pub async fn find<T>(&mut self, what: impl Fn(&ServerKeys) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.next().await.keys.as_ref().and_then(|keys| what(keys)) {
                return found;
            }
        }
    }

    /// Reads until a message with this content; returns the contents of all messages up to it.
    pub async fn until(&mut self, content: &str) -> Vec<String> {
        let mut contents = Vec::new();
        loop {
            let frame = self.next().await;
            contents.extend(frame.messages.into_iter().flatten().map(|m| m.content.into_owned()));
            if contents.last().is_some_and(|last| last == content) {
                return contents;
            }
        }
    }

    /// Reads until an ERROR, and returns its text.
    pub async fn error(&mut self) -> String {
        loop {
            if let Some(text) = self.next().await.error {
                return text.as_wire().to_owned();
            }
        }
    }

    /// Reads until this user is announced as gone.
    pub async fn sees_leave(&mut self, name: &str) {
        loop {
            let left = self.next().await.left;
            if left.iter().any(|left| left.as_wire() == name) {
                return;
            }
        }
    }
}
