//! For each bound that a peer could exceed: a peer that tries to, and the memory that it reached.
//!
//! The server is a process of its own with default settings, one for each bound, and what is measured is the peak of its
//! resident memory. `cargo test -p chatterbox-server --test bounds -- --nocapture --test-threads 1` prints the table of
//! docs/security.md.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;
#[path = "bounds/strangers.rs"]
mod strangers;
#[path = "bounds/waiting.rs"]
mod waiting;
#[path = "bounds/whole.rs"]
mod whole;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chatterbox_proto::{client_frame, frame};
use futures_util::future::join_all;
use harness::process::Running;
use harness::{PATIENCE, Peer, handshake, trusting};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const MIB: usize = 1024 * 1024;

/// The capabilities by which a member can ask for most.
const ALL: &str = "ids/1 ping/1 utf8/1 rename/1 commands/1 accounts/1";

/// A server, and what it takes.
struct Subject {
    running: Running,
    tls: Option<Arc<ClientConfig>>,
    /// Resident memory when the attack begins, in bytes.
    before: usize,
    _certificates: Option<tempfile::TempDir>,
}

impl Subject {
    /// Nothing is slowed down: what bounds the memory has to do so without that.
    fn start() -> Self {
        Self::with(&["--plaintext", "--no-limits"], None)
    }

    fn with_limits() -> Self {
        Self::with(&["--plaintext"], None)
    }

    fn with_tls() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        Self::with(&["--certs", &path, "--no-limits"], Some(folder))
    }

    fn with(flags: &[&str], certificates: Option<tempfile::TempDir>) -> Self {
        let arguments = [&["localhost", "-p", "0", "--memory", "--log", "off"], flags].concat();
        let running = Running::start(&arguments);
        let tls =
            certificates.as_ref().map(|folder| trusting(&Path::new(folder.path()).join("ca.crt")));
        let mut subject = Self { running, tls, before: 0, _certificates: certificates };
        subject.begin();
        subject
    }

    /// From now on it is the attack.
    fn begin(&mut self) {
        self.before = self.status("VmRSS");
    }

    fn status(&self, key: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.id()));
        let status = status.expect("the server is alive");
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }

    async fn connect(&self) -> Peer {
        let stream = TcpStream::connect(self.running.address).await.unwrap();
        match &self.tls {
            None => Peer::over(stream),
            Some(tls) => Peer::over(handshake(stream, tls).await),
        }
    }

    async fn join(&self, name: &str) -> Peer {
        let mut peer = self.connect().await;
        assert_eq!(peer.ask(name).await.accepted, Some(true));
        peer
    }

    /// A connection with little room for what it does not read.
    async fn narrow(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(self.running.address).await.unwrap()
    }

    /// The same, joined; what comes is not read.
    async fn stalled(&self, name: &str) -> TcpStream {
        let mut stream = self.narrow().await;
        stream.write_all(&offer(name)).await.unwrap();
        stream
    }

    /// Says what was tried and reached; at most this is allowed beyond the beginning. Others are still served.
    async fn reached(&self, bound: &str, tried: &str, allowed: usize) {
        self.is_done().await;
        self.others_are_served().await;
        let (before, peak) = (self.before / MIB, self.status("VmHWM") / MIB);
        println!("| {bound} | {tried} | {before} -> {peak} MiB |");
        assert!(peak <= before + allowed, "{bound}: {before} -> {peak} MiB");
    }

    /// Waits until the server has nothing more to do for the attack.
    async fn is_done(&self) {
        let cpu = || {
            let stat =
                std::fs::read_to_string(format!("/proc/{}/stat", self.running.id())).unwrap();
            let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
            fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
        };
        let idle = async {
            let mut last = cpu();
            loop {
                // At a hundred ticks a second this is less than a tenth of a processor.
                tokio::time::sleep(Duration::from_millis(300)).await;
                let now = cpu();
                if now - last < 3 {
                    return;
                }
                last = now;
            }
        };
        tokio::time::timeout(PATIENCE * 10, idle).await.expect("the attack ends");
    }

    /// Somebody joins, and is heard. The welcome may be long, so it is not parsed.
    async fn others_are_served(&self) {
        let stream = TcpStream::connect(self.running.address).await.unwrap();
        match &self.tls {
            None => self.is_served(stream).await,
            Some(tls) => self.is_served(handshake(stream, tls).await).await,
        }
    }

    async fn is_served(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let say = frame::encode(br#"{"MESSAGES": [["witness", "witness", 1, "still here"]]}"#);
        let join = client_frame::join("witness").unwrap();
        stream.write_all(&[&join[..], &say.unwrap()].concat()).await.unwrap();
        stream.flush().await.unwrap();
        let served = async {
            let (mut seen, mut buffer) = (String::new(), vec![0; 256 * 1024]);
            while !seen.contains("still here") {
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0, "the witness is not served");
                // Our frames are ASCII; the end of the last piece may be the beginning of what is looked for.
                seen = seen.split_off(seen.len().saturating_sub(16));
                seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        };
        // A server that gets no processor looks idle as well, and still has the attack to work off.
        tokio::time::timeout(PATIENCE * 10, served).await.expect("others are served");
    }

    /// Puts messages of the greatest size, 12 MiB when they are escaped, into the history: as many as one address may have
    /// there, each by a sender of its own.
    async fn remember_long_ones(&self) {
        for name in ["ann", "bob"] {
            let mut stream = TcpStream::connect(self.running.address).await.unwrap();
            // What was sent before the end counts.
            let join = client_frame::join(name).unwrap();
            match &self.tls {
                None => stream.write_all(&[&join[..], &long_one(name)].concat()).await.unwrap(),
                Some(tls) => {
                    let mut stream = handshake(stream, tls).await;
                    stream.write_all(&[&join[..], &long_one(name)].concat()).await.unwrap();
                    stream.flush().await.unwrap();
                    stream.shutdown().await.unwrap();
                }
            }
            self.is_done().await;
        }
    }
}

/// A message of the greatest size, 12 MiB when it is escaped.
fn long_one(name: &str) -> Vec<u8> {
    let content = "é".repeat(2 * MIB - 100);
    let body = format!(r#"{{"MESSAGES": [["{name}", "ALL", 1, "{content}"]]}}"#);
    frame::encode(body.as_bytes()).unwrap().to_vec()
}

fn offer(name: &str) -> Vec<u8> {
    let body = format!(r#"{{"USERNAME": "{name}", "CAPABILITIES": "{ALL}"}}"#);
    frame::encode(body.as_bytes()).unwrap().to_vec()
}

/// Sends until the server takes nothing more for a moment, or closes; says how much it took.
async fn push(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    let mut sent = 0;
    while sent < bytes.len() {
        let write = stream.write(&bytes[sent..]);
        match tokio::time::timeout(Duration::from_millis(300), write).await {
            Ok(Ok(written)) => sent += written,
            Ok(Err(_)) | Err(_) => break,
        }
    }
    sent
}

/// Reads until the server closes.
async fn is_closed(stream: &mut TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    let closed = async { while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {} };
    tokio::time::timeout(PATIENCE, closed).await.expect("the server closes it");
}
