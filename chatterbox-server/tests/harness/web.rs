//! A server with a listener for browsers, and a browser over raw sockets: it can send what no browser would.
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "tests may be blunt")]

use std::net::SocketAddr;
use std::sync::Arc;

use chatterbox_server::access::{Access, NoAccounts};
use chatterbox_server::gateway::web::WebListeners;
use chatterbox_server::net::{CertificateSource, Transport, listen};
use chatterbox_server::store::{Memory, StoreError};
use chatterbox_server::{Config, Listeners, Live};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{PATIENCE, Peer, Stream, handshake, trusting};

/// A server for browsers and, without TLS, for others.
pub struct WebServer {
    pub web: SocketAddr,
    pub address: SocketAddr,
    pub stop: watch::Sender<u32>,
    pub tls: Option<Arc<ClientConfig>>,
    task: JoinHandle<Result<(), StoreError>>,
    folder: Option<tempfile::TempDir>,
}

impl WebServer {
    /// HTTP.
    pub async fn start(config: Config) -> Self {
        Self::run(config, Transport::Plaintext, None, None).await
    }

    /// HTTPS, with a certificate for `localhost`.
    pub async fn tls(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = CertificateSource::Local {
            folder: folder.path().to_owned(),
            hosts: vec!["localhost".into()],
        };
        let transport = Transport::tls(source).unwrap();
        let tls = trusting(&folder.path().join("ca.crt"));
        Self::run(config, transport, Some(tls), Some(folder)).await
    }

    async fn run(
        config: Config,
        transport: Transport,
        tls: Option<Arc<ClientConfig>>,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let protocol = listen("127.0.0.1", 0).await.unwrap();
        let listeners = listen("127.0.0.1", 0).await.unwrap();
        let address = protocol.first().unwrap().local_addr().unwrap();
        let web = listeners.first().unwrap().local_addr().unwrap();
        let host = "127.0.0.1".to_owned();
        let listeners = WebListeners { listeners, host, tls: tls.is_some() };
        let listeners = Listeners { protocol, web: Some(listeners), ..Listeners::default() };
        let (stop, stopped) = watch::channel(0);
        let task = tokio::spawn(chatterbox_server::run_with(
            listeners,
            transport,
            Arc::new(Memory::default()),
            Access::new(NoAccounts),
            Live::new(config),
            stopped,
        ));
        Self { web, address, stop, tls, task, folder }
    }

    /// A connection before its first request.
    pub async fn connect(&self) -> Browser {
        let stream = TcpStream::connect(self.web).await.unwrap();
        stream.set_nodelay(true).unwrap();
        match &self.tls {
            None => Browser::over(stream),
            Some(tls) => Browser::over(handshake(stream, tls).await),
        }
    }

    /// What this server is called.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.web.port())
    }

    /// The origin of its page.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.host())
    }

    /// The head of a request for a WebSocket, with these lines beside it.
    pub fn upgrade(&self, beside: &str) -> String {
        format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{beside}\r\n",
            self.host()
        )
    }

    /// An open WebSocket.
    pub async fn open(&self) -> Browser {
        let mut browser = self.connect().await;
        let head = self.upgrade(&format!("Origin: {}\r\n", self.origin()));
        let answer = browser.ask(&head).await;
        assert_eq!(answer.status, 101, "{answer:?}");
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        browser
    }

    /// One whose user has joined, and the welcome.
    pub async fn join(&self, name: &str, offered: &str) -> (Browser, Value) {
        let mut browser = self.open().await;
        let body = format!(r#"{{"USERNAME": "{name}", "CAPABILITIES": "{offered}"}}"#);
        browser.send(&body).await;
        let welcome = browser.next_json().await;
        assert_eq!(welcome["USERNAME_ACCEPTED"], Value::Bool(true), "{welcome}");
        (browser, welcome)
    }

    /// A member that speaks frames; only without TLS.
    pub async fn peer(&self, name: &str) -> Peer {
        let mut peer = Peer::over(TcpStream::connect(self.address).await.unwrap());
        assert_eq!(peer.ask(name).await.accepted, Some(true));
        peer
    }

    /// Stops it, and waits until it has.
    pub async fn stop(self) {
        self.stop.send_modify(|count| *count += 2);
        tokio::time::timeout(PATIENCE, self.task).await.expect("stops in time").unwrap().unwrap();
    }
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// What a WebSocket gives.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    Text(String),
    Pong(Vec<u8>),
    Close(Option<u16>),
    /// The connection has ended.
    End,
}

/// The client's end of a connection.
pub struct Browser {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

impl Browser {
    pub fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), read: Vec::new() }
    }

    /// Sends bytes as they are; says whether that worked.
    pub async fn try_send_bytes(&mut self, bytes: &[u8]) -> bool {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        tokio::time::timeout(PATIENCE, sent).await.expect("is taken in time").is_ok()
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        assert!(self.try_send_bytes(bytes).await, "the connection is open");
    }

    /// Sends a request, and reads the answer.
    pub async fn ask(&mut self, head: &str) -> Answer {
        self.send_bytes(head.as_bytes()).await;
        self.answer(head.starts_with("HEAD")).await.expect("an answer")
    }

    /// Reads an answer; `None` where the connection ends without one.
    pub async fn answer(&mut self, is_head: bool) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if !self.more().await {
                return None;
            }
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        if !is_head && status != 304 {
            while self.read.len() < length && self.more().await {}
            answer.body = self.read.drain(..length).collect();
        }
        Some(answer)
    }

    /// Reads more; says whether there was any.
    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 64 * 1024];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        let read = read.expect("something comes in time").unwrap_or_default();
        self.read.extend_from_slice(buffer.get(..read).unwrap());
        read > 0
    }

    /// Whether the connection ends without another byte.
    pub async fn ends(&mut self) -> bool {
        self.read.is_empty() && !self.more().await
    }

    /// Sends a text message.
    pub async fn send(&mut self, text: &str) {
        self.send_bytes(&frame(0x81, text.as_bytes())).await;
    }

    /// Says something to all.
    pub async fn say(&mut self, name: &str, text: &str) {
        self.send(&format!(r#"{{"MESSAGES": [["{name}", "ALL", 1, "{text}"]]}}"#)).await;
    }

    /// The next event.
    pub async fn next(&mut self) -> Event {
        let Some((first, payload)) = self.next_frame().await else { return Event::End };
        match first {
            0x81 => Event::Text(String::from_utf8(payload).unwrap()),
            0x8a => Event::Pong(payload),
            0x88 => Event::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            other => panic!("the server sends {other:#x}"),
        }
    }

    async fn next_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            let (header, length) = match self.read.get(1).copied() {
                None => (2, 0),
                Some(126) => (
                    4,
                    self.read.get(2..4).map_or(0, |l| u16::from_be_bytes([l[0], l[1]]) as usize),
                ),
                Some(127) => {
                    let length = self.read.get(2..10).map(|long| long.try_into().unwrap());
                    (10, length.map_or(0, u64::from_be_bytes) as usize)
                }
                Some(short @ ..126) => (2, short as usize),
                Some(other) => panic!("a mask of the server: {other:#x}"),
            };
            if self.read.len() >= header + length {
                let frame: Vec<u8> = self.read.drain(..header + length).collect();
                return Some((frame[0], frame[header..].to_vec()));
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The next message, which has to be one.
    pub async fn next_json(&mut self) -> Value {
        match self.next().await {
            Event::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("no message, but {other:?}"),
        }
    }

    /// Reads until somebody has said this.
    pub async fn until(&mut self, content: &str) {
        loop {
            let frame = self.next_json().await;
            let messages = frame["MESSAGES"].as_array();
            if messages.into_iter().flatten().any(|message| message[3] == content) {
                return;
            }
        }
    }

    /// The messages until the close frame, and its code. The connection has to end behind it.
    pub async fn rest(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut messages = Vec::new();
        loop {
            match self.next().await {
                Event::Text(text) => messages.push(serde_json::from_str(&text).unwrap()),
                Event::Pong(_) => {}
                Event::Close(code) => {
                    assert_eq!(self.next().await, Event::End);
                    return (messages, code);
                }
                Event::End => panic!("no close frame: {messages:?}"),
            }
        }
    }
}

/// A frame of a client.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match payload.len() {
        length @ ..126 => frame.push(0x80 | length as u8),
        length @ ..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}
