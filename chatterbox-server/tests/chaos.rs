//! Connections that are cut at any byte: with idempotency keys and resumption, every message arrives exactly once (ID-5, ID-7).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatterbox_proto::capability::accounts::Secret;
use chatterbox_proto::capability::ids::Resume;
use chatterbox_proto::client_frame::{self, Offer, Said};
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::{Capabilities, Capability, Entry, ServerFrame, limits};
use harness::{PATIENCE, Server, trusting, unlimited};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const USERS: usize = 4;
const MESSAGES: usize = 200;
const CUTS: u32 = 120;

/// A proxy that cuts connections after a random number of bytes, this many times; then it forwards everything.
struct Cutter {
    random: Mutex<u64>,
    cuts: AtomicU32,
}

impl Cutter {
    fn next(&self) -> u64 {
        let mut random = self.random.lock().unwrap();
        *random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *random >> 33
    }

    /// The bytes that the next connection may carry, in both directions together.
    fn budget(&self) -> u64 {
        if self.cuts.load(Ordering::SeqCst) >= CUTS {
            return u64::MAX;
        }
        // A handshake is about 2,500 bytes, so some are cut in the middle of it.
        500 + self.next() % 8_000
    }

    async fn serve(self: Arc<Self>, listener: TcpListener, server: SocketAddr) {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(Arc::clone(&self).carry(client, server));
        }
    }

    async fn carry(self: Arc<Self>, client: TcpStream, server: SocketAddr) {
        let server = TcpStream::connect(server).await.unwrap();
        let left = AtomicU64::new(self.budget());
        let (mut client_in, mut client_out) = client.into_split();
        let (mut server_in, mut server_out) = server.into_split();
        let cut = tokio::select! {
            cut = hand_on(&mut client_in, &mut server_out, &left) => cut,
            cut = hand_on(&mut server_in, &mut client_out, &left) => cut,
        };
        if cut {
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Forwards bytes until the end of the stream, or until the budget is used up, which is a cut.
async fn hand_on(
    from: &mut tokio::net::tcp::OwnedReadHalf,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    left: &AtomicU64,
) -> bool {
    let mut buffer = [0; 4096];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return false };
        let before =
            left.fetch_sub((read as u64).min(left.load(Ordering::SeqCst)), Ordering::SeqCst);
        let carried = read.min(usize::try_from(before).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..carried]).await.is_err() {
            return false;
        }
        if carried < read {
            return true;
        }
    }
}

/// A user whose client reconnects whenever its connection is cut.
struct User {
    name: String,
    tls: Arc<ClientConfig>,
    proxy: SocketAddr,
    token: Option<String>,
    last: u64,
    unacknowledged: VecDeque<(String, String)>,
    /// How often each message was seen, by number.
    seen: BTreeMap<u64, (String, usize)>,
    connections: usize,
}

impl User {
    /// Sends all its messages and receives everybody's, over as many connections as it takes.
    async fn run(mut self, total: usize) -> Self {
        while !self.is_done(total) {
            self.connections += 1;
            if self.connection(total).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        self
    }

    fn is_done(&self, total: usize) -> bool {
        self.unacknowledged.is_empty() && self.seen.len() >= total
    }

    async fn connection(&mut self, total: usize) -> io::Result<()> {
        let stream = TcpStream::connect(self.proxy).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?;
        let mut decoder = Decoder::new(limits::SERVER_FRAME);
        let capabilities = Capabilities::NONE.with(Capability::Ids);
        let resume = self.token.as_ref();
        let resume = resume.map(|token| Resume { token: Secret::new(token), after: self.last });
        let offer = Offer {
            capabilities,
            proof: None,
            resume: resume.as_ref(),
            recent: None,
            device: None,
        };
        stream.write_all(&client_frame::join_with(&self.name, &offer).unwrap()).await?;
        let welcome = next(&mut stream, &mut decoder).await?;
        if welcome.accepted != Some(true) {
            // The server has not seen the end of the last connection yet, and we never had its token.
            assert!(self.token.is_none(), "a session is never refused: {welcome:?}");
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let keys = welcome.keys.as_ref().unwrap();
        self.token = Some(keys.resume.as_ref().unwrap().as_wire().to_owned());
        assert_ne!(keys.resumed, Some(false), "everything is kept");
        self.take(&welcome);
        let waiting: Vec<_> = self.unacknowledged.iter().cloned().collect();
        for some in waiting.chunks(3) {
            let entries: Vec<_> = some
                .iter()
                .map(|(_, content)| Entry {
                    source: self.name.as_str().into(),
                    destination: "ALL".into(),
                    timestamp: 1,
                    content: content.as_str().into(),
                })
                .collect();
            let tagged = entries.iter().zip(some);
            let tagged: Vec<_> =
                tagged.map(|(entry, (tag, _))| Said { entry, tag, meta: None }).collect();
            stream.write_all(&client_frame::say_tagged(&tagged).unwrap()).await?;
            stream.flush().await?;
            let acknowledged = self.unacknowledged.len() - some.len();
            while self.unacknowledged.len() > acknowledged {
                let frame = next(&mut stream, &mut decoder).await?;
                self.take(&frame);
            }
        }
        while !self.is_done(total) {
            let frame = next(&mut stream, &mut decoder).await?;
            self.take(&frame);
        }
        Ok(())
    }

    fn take(&mut self, frame: &ServerFrame) {
        assert!(
            frame.error.is_none() || frame.error.as_ref().unwrap().as_wire().contains("ID-7"),
            "{frame:?}"
        );
        let Some(keys) = &frame.keys else { return };
        let messages = frame.messages.iter().flatten();
        for (id, entry) in keys.ids.iter().flatten().zip(messages) {
            let id = id.unwrap();
            assert!(id > self.last, "in order, and no more than what was missed");
            self.last = id;
            let seen = self.seen.entry(id).or_insert_with(|| (entry.content.to_string(), 0));
            seen.1 += 1;
        }
        for (tag, id) in &keys.acks {
            assert!(*id > 0);
            self.unacknowledged.retain(|(waiting, _)| waiting != tag.as_wire());
        }
    }
}

async fn next(stream: &mut TlsStream<TcpStream>, decoder: &mut Decoder) -> io::Result<ServerFrame> {
    loop {
        if let Some(body) = decoder.next_body().unwrap() {
            let known = Capabilities::NONE.with(Capability::Ids);
            let (frame, notes) = ServerFrame::parse_as(&body, known).unwrap();
            assert_eq!(notes.into_vec(), []);
            return Ok(frame);
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => decoder.push(&buffer[..read]),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_is_doubled_over_cut_connections() {
    let server = Server::start(unlimited()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    let cutter = Arc::new(Cutter { random: Mutex::new(7), cuts: AtomicU32::new(0) });
    let serving = tokio::spawn(Arc::clone(&cutter).serve(listener, server.address));
    let tls = trusting(&server.authority_file());
    let total = USERS * MESSAGES;
    let users: Vec<_> = (0..USERS)
        .map(|user| {
            let message = |number| (format!("t{number}"), format!("user{user} says {number}"));
            let user = User {
                name: format!("user{user}"),
                tls: Arc::clone(&tls),
                proxy,
                token: None,
                last: 0,
                unacknowledged: (0..MESSAGES).map(message).collect(),
                seen: BTreeMap::new(),
                connections: 0,
            };
            tokio::spawn(user.run(total))
        })
        .collect();
    let mut stories = Vec::new();
    let mut connections = 0;
    for user in users {
        let user = tokio::time::timeout(4 * PATIENCE, user).await.expect("in time").unwrap();
        connections += user.connections;
        stories.push(user.seen);
    }
    let (_observer, welcome) = server.join("observer").await;
    let history: Vec<_> =
        welcome.messages.unwrap().into_iter().map(|entry| entry.content.into_owned()).collect();
    let times = |text: &str| history.iter().filter(|said| *said == text).count();
    let expected: Vec<_> = (0..USERS)
        .flat_map(|user| (0..MESSAGES).map(move |number| format!("user{user} says {number}")))
        .collect();
    let lost = expected.iter().filter(|text| times(text) == 0).count();
    let doubled = expected.iter().filter(|text| times(text) > 1).count();
    let cuts = cutter.cuts.load(Ordering::SeqCst);
    eprintln!(
        "{total} messages by {USERS} users over {connections} connections, {cuts} of them cut: lost {lost}, doubled {doubled}"
    );
    assert_eq!((lost, doubled, history.len()), (0, 0, total));
    assert!(cuts >= CUTS.min(60), "the test has cut too little to show anything: {cuts}");
    for story in &stories {
        let story: Vec<_> = story.values().cloned().collect();
        let once: Vec<_> = history.iter().map(|text| (text.clone(), 1)).collect();
        assert_eq!(story, once, "everybody has seen everything once, in one order");
    }
    serving.abort();
}
