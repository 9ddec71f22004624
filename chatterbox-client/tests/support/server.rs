//! A server that does exactly what a test says, byte by byte.

use chatterbox_proto::frame::{Decoder, encode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::soon;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A port that is listened on.
pub(crate) struct Server {
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
}

impl Server {
    /// On 127.0.0.1, with TLS.
    pub(crate) async fn tls(certificate: &Certificate) -> Self {
        Self::versions(certificate, rustls::ALL_VERSIONS).await
    }

    /// The same with these versions of TLS only.
    pub(crate) async fn versions(
        certificate: &Certificate,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let acceptor = Some(TlsAcceptor::from(certificate.server_config(versions)));
        Self { acceptor, ..Self::plaintext().await }
    }

    /// On 127.0.0.1, without TLS.
    pub(crate) async fn plaintext() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, acceptor: None }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The next connection that gets through the handshake.
    pub(crate) async fn accept(&self) -> Peer {
        self.try_accept().await.unwrap()
    }

    /// The next connection.
    pub(crate) async fn try_accept(&self) -> std::io::Result<Peer> {
        let (stream, _) = soon("a connection", self.listener.accept()).await?;
        let stream: Box<dyn Stream> = match &self.acceptor {
            Some(acceptor) => Box::new(soon("the handshake", acceptor.accept(stream)).await?),
            None => Box::new(stream),
        };
        Ok(Peer { stream, decoder: Decoder::new(1 << 24) })
    }
}

/// One client, seen by the server.
pub(crate) struct Peer {
    stream: Box<dyn Stream>,
    decoder: Decoder,
}

impl Peer {
    /// The next frame of the client; `None` when it closed.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(body) = self.decoder.next_body().unwrap() {
                return Some(String::from_utf8(body.to_vec()).unwrap());
            }
            let mut piece = vec![0; 4096];
            let got = soon("a frame", self.stream.read(&mut piece)).await.unwrap_or(0);
            if got == 0 {
                return None;
            }
            self.decoder.push(&piece[..got]);
        }
    }

    /// The next message of the client, as destination and content.
    pub(crate) async fn message(&mut self) -> (String, String) {
        let frame = self.next().await.expect("a message, not the end");
        let frame = chatterbox_proto::ClientFrame::parse(frame.as_bytes()).unwrap();
        let messages = frame.messages.unwrap().unwrap();
        let message = messages.into_entries().remove(0).1;
        (message.destination.into_owned(), message.content.into_owned())
    }

    /// The content of the next message of the client, which has a tag.
    pub(crate) async fn message_with_tags(&mut self) -> String {
        let frame = self.next().await.expect("a message, not the end");
        let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
        assert!(frame["TAGS"][0].is_string(), "{frame}");
        frame["MESSAGES"][0][3].as_str().unwrap().to_owned()
    }

    /// Raw bytes.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        soon("the client to read", self.stream.write_all(bytes)).await.unwrap();
        soon("the client to read", self.stream.flush()).await.unwrap();
    }

    /// One frame.
    pub(crate) async fn send(&mut self, body: &str) {
        self.bytes(&encode(body.as_bytes()).unwrap()).await;
    }

    /// One frame, each byte in a TLS record of its own.
    pub(crate) async fn dribble(&mut self, body: &str) {
        for byte in encode(body.as_bytes()).unwrap() {
            self.bytes(&[byte]).await;
        }
    }

    /// Several frames in one piece.
    pub(crate) async fn glued(&mut self, bodies: &[&str]) {
        let pieces: Vec<u8> =
            bodies.iter().flat_map(|body| encode(body.as_bytes()).unwrap()).collect();
        self.bytes(&pieces).await;
    }

    /// The name that the client asks for; what it offers beside it is for servers that know about it.
    pub(crate) async fn name(&mut self) -> String {
        let frame = self.next().await.expect("a name, not the end");
        let frame = chatterbox_proto::ClientFrame::parse(frame.as_bytes()).unwrap();
        frame.username.unwrap().unwrap().into_owned()
    }

    /// Takes a name and says welcome.
    pub(crate) async fn welcome(&mut self, name: &str) {
        assert_eq!(self.name().await, name);
        self.send(&format!(
            r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "{name}"], "MESSAGES": []}}"#
        ))
        .await;
    }

    /// Takes a name and says welcome, as a server that speaks everything and has one command.
    pub(crate) async fn welcome_speaking(&mut self, name: &str) {
        assert_eq!(self.name().await, name);
        self.send(&format!(
            r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "{name}"], "MESSAGES": [], "IDS": [], "RESUME": "session",
                "CAPABILITIES": "accounts/1 commands/1 ids/1 ping/1", "ACCOUNT": {{"LEVEL": 1, "TOKEN": "for-next-time"}}}}"#
        ))
        .await;
        self.send(
            r#"{"PREFIX": "/", "COMMANDS": [{"NAME": "register", "ALIASES": [], "HELP": "Makes your name yours.", "EXAMPLE": "register", "LEVEL": 0,
                "ARGUMENTS": [{"NAME": "password", "TYPE": "secret", "OPTIONAL": true, "REST": false}]}]}"#,
        )
        .await;
    }

    /// Closes, with TLS and all.
    pub(crate) async fn close(mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads until the client has closed.
    pub(crate) async fn closed(&mut self) {
        while self.next().await.is_some() {}
    }
}
