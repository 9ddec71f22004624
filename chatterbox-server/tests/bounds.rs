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

#[tokio::test]
async fn announced_lengths() {
    let subject = Subject::start();
    let mut peers = join_all((0..500).map(|_| subject.narrow())).await;
    for (n, peer) in peers.iter_mut().enumerate() {
        // Above the limit, and just within it.
        let length = if n % 2 == 0 { u32::MAX } else { 64 * 1024 };
        push(peer, &length.to_be_bytes()).await;
    }
    is_closed(&mut peers[0]).await;
    subject.reached("a frame from a stranger", "500 announce 4 GiB or 64 KiB", 32).await;
}

#[tokio::test]
async fn deep_json() {
    let subject = Subject::start();
    let mut ann = subject.join("ann").await;
    ann.send_body(&format!(r#"{{"MESSAGES": {}"#, "[".repeat(4 * MIB - 100))).await;
    let error = ann.error().await;
    assert!(error.contains("JS-"), "{error}");
    subject.reached("JSON nesting", "4 MiB of brackets", 32).await;
}

#[tokio::test]
async fn refused_names() {
    let subject = Subject::start();
    let mut peer = subject.narrow().await;
    let refused = client_frame::join("no\u{7}name").unwrap();
    push(&mut peer, &refused.repeat(11)).await;
    is_closed(&mut peer).await;
    subject.reached("refused names of a connection", "11", 32).await;
}

#[tokio::test]
async fn connections_of_an_address() {
    let subject = Subject::with_limits();
    let mut peers = join_all((0..2_000).map(|_| subject.narrow())).await;
    let mut further = subject.connect().await;
    assert!(further.error().await.contains("too many connections"));
    is_closed(&mut subject.narrow().await).await;
    let peak = subject.status("VmHWM") / MIB;
    // The places are free again.
    peers.truncate(1_000);
    while subject.connect().await.ask("early").await.accepted != Some(true) {}
    subject.reached("connections of an address", "2,002 silent ones", 32).await;
    assert!(peak <= subject.before / MIB + 32);
}

#[tokio::test]
async fn long_frames() {
    let subject = Subject::start();
    let part = [&(4_u32 << 20).to_be_bytes()[..], &vec![b' '; 4 * MIB - 1]].concat();
    let mut peers = Vec::new();
    for n in 0..40 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        push(&mut peer, &part).await;
        peers.push(peer);
    }
    // A quarter of 64 MiB, in buffers that double as they grow.
    subject.reached("unfinished long frames", "40 of 4 MiB", 96).await;
    let mut peers = Vec::new();
    for n in 0..600 {
        let mut peer = subject.stalled(&format!("t{n}")).await;
        push(&mut peer, &part[..60_000]).await;
        peers.push(peer);
    }
    subject.reached("unfinished shorter frames", "600 of 60 kB", 128).await;
}

#[tokio::test]
async fn frames_that_are_worked_off() {
    let subject = Subject::start();
    let messages = |name: &str| vec![format!(r#"["{name}","zz",1,""]"#); 190_000].join(",");
    let mut tasks = Vec::new();
    for n in 0..8 {
        let name = format!("s{n}");
        let mut peer = subject.stalled(&name).await;
        let body = format!(r#"{{"MESSAGES": [{}]}}"#, messages(&name));
        let bytes = frame::encode(body.as_bytes()).unwrap();
        tasks.push(tokio::spawn(async move { (push(&mut peer, &bytes).await, peer) }));
    }
    join_all(tasks).await;
    subject.reached("frames that are worked off", "8 of 190,000 messages", 64).await;
}

#[tokio::test]
async fn a_byte_behind_a_long_frame() {
    let subject = Subject::start();
    let whole = frame::encode(&[b" ".repeat(4 * MIB - 3), b"{}".to_vec()].concat()).unwrap();
    let bytes = [&whole[..], b"\0"].concat();
    let mut peers = Vec::new();
    for n in 0..60 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        push(&mut peer, &bytes).await;
        peers.push(peer);
    }
    subject.reached("a read buffer", "60 begin a frame behind one of 4 MiB", 128).await;
}

#[tokio::test]
async fn private_messages_to_whoever_does_not_read() {
    let subject = Subject::start();
    let mut stalled = Vec::new();
    for n in 0..40 {
        stalled.push(subject.stalled(&format!("s{n}")).await);
    }
    let mut ann = subject.join("ann").await;
    for _ in 0..2 {
        for n in 0..40 {
            // 3 MiB when they are escaped.
            ann.say(&format!("s{n}"), &"é".repeat(MIB / 2)).await;
        }
    }
    ann.say("ann", "all").await;
    let ended = async {
        loop {
            let frame = ann.next().await;
            let own = frame.messages.into_iter().flatten().any(|message| message.content == "all");
            if own {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE * 4, ended).await.unwrap();
    let tried = "80 of 3 MiB to 40 who do not read";
    subject.reached("what waits for members", tried, 224).await;
}

#[tokio::test]
async fn pages_that_nobody_reads() {
    let mut subject = Subject::start();
    subject.remember_long_ones().await;
    subject.begin();
    let mut stalled = Vec::new();
    let page = frame::encode(br#"{"HISTORY": {"WITH": "ALL", "LIMIT": 500}}"#).unwrap();
    for n in 0..40 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        push(&mut peer, &page.repeat(4)).await;
        stalled.push(peer);
    }
    subject.reached("what waits for members", "160 pages of 12 MiB, 40 connections", 192).await;
}

#[tokio::test]
async fn welcomes_that_nobody_reads() {
    let mut subject = Subject::start();
    subject.remember_long_ones().await;
    subject.begin();
    let mut stalled = Vec::new();
    for n in 0..100 {
        stalled.push(subject.stalled(&format!("s{n}")).await);
    }
    let tried = "100 welcomes of 24 MiB without escapes";
    subject.reached("what waits for members", tried, 96).await;
}

#[tokio::test]
async fn commands_that_wait_and_are_remembered() {
    let subject = Subject::start();
    let arguments = vec![r#""""#; 5_000].join(",");
    let call = |arguments: &str| {
        let body =
            format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "test", "ARGS": [{arguments}]}}}}"#);
        frame::encode(body.as_bytes()).unwrap()
    };
    let many = call(&arguments).repeat(80);
    let long = call(&format!(r#""{}""#, "\u{7f}".repeat(15_000))).repeat(80);
    let mut stalled = Vec::new();
    for n in 0..60 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        push(&mut peer, if n % 2 == 0 { &many } else { &long }).await;
        stalled.push(peer);
    }
    subject.reached("commands that wait, are remembered", "60 times 80 of 16 KiB", 64).await;
}

#[tokio::test]
async fn answers_that_nobody_reads() {
    let subject = Subject::start();
    let garbage = b"\0\0\0\x01x".repeat(MIB);
    let mut tasks = Vec::new();
    for n in 0..40 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        let garbage = garbage.clone();
        tasks.push(tokio::spawn(async move { (push(&mut peer, &garbage).await, peer) }));
    }
    let sent: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert!(sent.iter().all(|(sent, _)| *sent < garbage.len()), "the server went on listening");
    subject.reached("answers to a member's own frames", "40 send 1,048,576 mistakes", 64).await;
}

#[tokio::test]
async fn public_messages_to_whoever_does_not_read() {
    let subject = Subject::start();
    let mut stalled = Vec::new();
    for n in 0..40 {
        stalled.push(subject.stalled(&format!("s{n}")).await);
    }
    // One who reads, and says so much that the others fall behind.
    let (mut reads, mut writes) =
        TcpStream::connect(subject.running.address).await.unwrap().into_split();
    writes.write_all(&client_frame::join("ann").unwrap()).await.unwrap();
    let said = 30;
    let all = said * 12 * (2 * MIB - 100) / 2;
    let reading = tokio::spawn(async move {
        let (mut read, mut buffer) = (0, vec![0; 256 * 1024]);
        while read < all {
            read += reads.read(&mut buffer).await.unwrap();
        }
    });
    for _ in 0..said {
        writes.write_all(&long_one("ann")).await.unwrap();
    }
    tokio::time::timeout(PATIENCE * 4, reading).await.unwrap().unwrap();
    // Timeline and history, 64 MiB each, share their bytes; then batches, and messages on their way.
    let tried = "360 MiB said beside 40 who do not read";
    subject.reached("timeline, history, posts, batches", tried, 384).await;
}

/// The figure that docs/security.md states: one address, everything that is expensive at once, over TLS.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_connections_that_ask_for_everything() {
    let mut subject = Subject::with_tls();
    subject.remember_long_ones().await;
    subject.begin();
    let page = frame::encode(br#"{"HISTORY": {"WITH": "ALL", "LIMIT": 500}}"#).unwrap();
    let arguments = vec![r#""""#; 5_000].join(",");
    let command =
        format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "users", "ARGS": [{arguments}]}}}}"#);
    let command = frame::encode(command.as_bytes()).unwrap();
    let unfinished = [&60_000_u32.to_be_bytes()[..], &vec![b' '; 15_000]].concat();
    let tls = subject.tls.clone().unwrap();
    let address = subject.running.address;
    let attack = Arc::new([page.repeat(2), command.repeat(3), unfinished]);
    let mut stalled = Vec::new();
    for some in (0..2_000).collect::<Vec<_>>().chunks(50) {
        let peers = some.iter().map(|n| {
            let (tls, attack, name) = (tls.clone(), Arc::clone(&attack), format!("s{n}"));
            tokio::spawn(async move {
                let mut stream = handshake(TcpStream::connect(address).await.unwrap(), &tls).await;
                for bytes in [&offer(&name)].into_iter().chain(&*attack) {
                    let write = async {
                        stream.write_all(bytes).await?;
                        stream.flush().await
                    };
                    // Some are cut off already.
                    let _ = tokio::time::timeout(Duration::from_millis(300), write).await;
                }
                stream
            })
        });
        stalled.extend(join_all(peers).await.into_iter().map(Result::unwrap));
    }
    assert_eq!(stalled.len(), 2_000);
    subject.is_done().await;
    let before = subject.before / MIB;
    let peak = subject.status("VmHWM") / MIB;
    println!("| 2,000 connections of one address | all of it, over TLS | {before} -> {peak} MiB |");
    assert!(peak <= 512, "{peak} MiB");
    drop(stalled);
    subject.is_done().await;
    subject.others_are_served().await;
}

#[tokio::test]
async fn memory_goes_back_after_a_peak() {
    let mut subject = Subject::start();
    let mut last = 0;
    // The first rounds fill the timeline.
    for round in 0..6 {
        subject.remember_long_ones().await;
        let mut peers = Vec::new();
        for number in 0..8 {
            let mut peer = subject.stalled(&format!("p{round}-{number}")).await;
            let page = frame::encode(br#"{"HISTORY": {"WITH": "ALL", "LIMIT": 1}}"#).unwrap();
            push(&mut peer, &page.repeat(1 + round)).await;
            peers.push(peer);
        }
        subject.is_done().await;
        drop(peers);
        subject.is_done().await;
        last = subject.status("VmRSS");
        if round == 2 {
            subject.before = last;
        }
    }
    let (first, peak) = (subject.before / MIB, subject.status("VmHWM") / MIB);
    println!(
        "| what is free again | three times more pages that nobody reads | {first} -> {peak} -> {} MiB |",
        last / MIB
    );
    assert!(last <= subject.before * 3 / 2, "{first} -> {peak} -> {} MiB", last / MIB);
}

#[tokio::test]
async fn the_allocator_is_told_to_give_memory_back() {
    let subject = Subject::start();
    let environment = format!("/proc/{}/environ", subject.running.id());
    let environment = std::fs::read_to_string(environment).unwrap();
    let settings: Vec<_> =
        environment.split('\0').filter(|set| set.starts_with("MALLOC_")).collect();
    if cfg!(target_env = "gnu") {
        assert!(settings.contains(&"MALLOC_TRIM_THRESHOLD_=131072"), "{settings:?}");
        assert!(settings.contains(&"MALLOC_MMAP_THRESHOLD_=131072"), "{settings:?}");
    }
    let command = std::fs::read_to_string(format!("/proc/{}/cmdline", subject.running.id()));
    assert!(command.unwrap().contains("--plaintext"), "it is the same command");
}
