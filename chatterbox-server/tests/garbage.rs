//! What does not belong into the log of several nodes: a fault of ours, or somebody who may write to the engine. Nodes pass over what
//! does not count, and stop at what they don't understand, all of them at the same place.
#![cfg(feature = "cluster")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use chatterbox_hub::{Group, Incarnation, Proposal, Tick, Up, format};
use chatterbox_proto::{Entry, client_frame};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use harness::PATIENCE;
use harness::engine::Engine;
use harness::process::{Running, connect, join, try_read};

/// Puts a record into a log as anybody can who may write there, and gives its place.
fn publish(engine: &Engine, cluster: &str, headers: &str, payload: &[u8]) -> u64 {
    let url = engine.url(0);
    let mut stream = TcpStream::connect(url.strip_prefix("nats://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = if headers.is_empty() {
        format!("PUB {cluster}.log _INBOX.{cluster} {}\r\n", payload.len())
    } else {
        let headers = headers.len();
        format!("HPUB {cluster}.log _INBOX.{cluster} {headers} {}\r\n", headers + payload.len())
    };
    let connect = r#"CONNECT {"verbose":false,"pedantic":false,"headers":true,"protocol":1}"#;
    write!(stream, "{connect}\r\nSUB _INBOX.{cluster} 1\r\n{head}{headers}").unwrap();
    stream.write_all(payload).unwrap();
    stream.write_all(b"\r\n").unwrap();
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the engine takes it");
        if line.starts_with("MSG ") {
            let length = line.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
            let mut answer = vec![0; length];
            lines.read_exact(&mut answer).unwrap();
            let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
            return answer["seq"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        }
    }
}

/// Two nodes of a cluster, and where their data is.
struct Nodes<'a> {
    engine: &'a Engine,
    cluster: String,
    folder: tempfile::TempDir,
}

impl<'a> Nodes<'a> {
    fn of(engine: &'a Engine, cluster: &str) -> Self {
        Self { engine, cluster: cluster.to_owned(), folder: tempfile::tempdir().unwrap() }
    }

    fn line(&self, name: &str) -> Vec<String> {
        let data = self.folder.path().join(name).display().to_string();
        let url = self.engine.urls();
        let line = [
            "127.0.0.1",
            "-p",
            "0",
            "--plaintext",
            "--grace",
            "0",
            "--data",
            &data,
            "--node",
            name,
            "--cluster",
            &url,
            "--cluster-name",
            &self.cluster,
            "--cluster-replicas",
            "1",
        ];
        line.map(str::to_owned).to_vec()
    }

    /// A node that takes users.
    fn start(&self, name: &str) -> Running {
        let line = self.line(name);
        let mut node = Running::start(&line.iter().map(String::as_str).collect::<Vec<_>>());
        node.is_ready();
        node
    }
}

fn say(stream: &mut TcpStream, by: &str, text: &str) {
    let entry =
        Entry { source: by.into(), destination: "ALL".into(), timestamp: 1, content: text.into() };
    stream.write_all(&client_frame::say([&entry]).unwrap()).unwrap();
}

fn hears(stream: &mut TcpStream, text: &str) {
    while !try_read(stream).unwrap_or_else(|| panic!("ended without {text:?}")).contains(text) {}
}

fn comes(node: &Running, name: &str) -> TcpStream {
    let mut stream = connect(node.address);
    let welcome = join(&mut stream, name);
    assert!(welcome.contains("\"USERNAME_ACCEPTED\": true"), "{welcome}");
    stream
}

fn group(from: u64, number: u64, proposals: Vec<Proposal>) -> Vec<u8> {
    format::encode(&Group { from: Incarnation(from), number, proposals }).unwrap().to_vec()
}

#[test]
fn what_does_not_count_changes_nothing() {
    let Some(engine) = Engine::start(1) else { return };
    let nodes = Nodes::of(&engine, "ignored");
    let (one, two) = (nodes.start("one"), nodes.start("two"));
    let (mut ann, mut bob) = (comes(&one, "ann"), comes(&two, "bob"));
    say(&mut ann, "ann", "before");
    hears(&mut bob, "before");
    let tick =
        || Proposal::Tick(Tick { place: u64::MAX, read: 7, state: Some((1, 2)), stores: None });
    let long_ago = Up { read_to: 0, name: "x".repeat(100_000).into(), speaks: u16::MAX };
    let garbage = [
        // A stranger, who is not up: nothing of it counts, whatever it says.
        group(u64::MAX, 1, vec![]),
        group(u64::MAX, u64::MAX, vec![tick(), Proposal::Speak(u16::MAX)]),
        group(7, 2, vec![Proposal::Down(Incarnation(7)); Group::PROPOSALS]),
        // It comes after its time: what it has read was long ago.
        group(9, 1, vec![Proposal::Up(long_ago), tick()]),
    ];
    for record in &garbage {
        publish(&engine, "ignored", "", record);
        publish(&engine, "ignored", "", record);
    }
    say(&mut ann, "ann", "behind it");
    hears(&mut bob, "behind it");
    say(&mut bob, "bob", "all is well");
    hears(&mut ann, "all is well");
}

#[test]
fn what_is_not_understood_stops_all_nodes_at_its_place() {
    let Some(engine) = Engine::start(1) else { return };
    let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..512 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let packed = |way: &str| format!("NATS/1.0\r\nChatterbox-Packed: {way}\r\n\r\n");
    // Two thousand of the shortest proposal there is.
    let mut crowd = vec![1, 1, 1, 0xd0, 0x0f];
    crowd.extend([2, 1].repeat(2000));
    for (index, (headers, record)) in [
        (String::new(), b"nonsense".to_vec()),
        (String::new(), Vec::new()),
        (String::new(), [&[99], &group(1, 1, vec![])[..]].concat()),
        // A kind of proposal that there is none of.
        (String::new(), vec![1, 1, 1, 1, 99]),
        (String::new(), crowd),
        (String::new(), [&group(1, 1, vec![])[..], b"and more"].concat()),
        (packed("zlib"), bomb),
        (packed("zlib"), b"nonsense".to_vec()),
        (packed("rot13"), group(1, 1, vec![])),
    ]
    .into_iter()
    .enumerate()
    {
        let cluster = format!("stops-{index}");
        let nodes = Nodes::of(&engine, &cluster);
        let running = [nodes.start("one"), nodes.start("two")];
        let _here = [comes(&running[0], "ann"), comes(&running[1], "bob")];
        let place = publish(&engine, &cluster, &headers, &record);
        let mut codes = Vec::new();
        for node in running {
            let (code, log) = node.end();
            assert!(log.contains(&format!("place {place} ")), "{index}: {log}");
            assert!(!log.contains("panicked"), "{index}: {log}");
            codes.push(code);
        }
        assert!(
            codes[0].is_some_and(|code| code > 1) && codes[0] == codes[1],
            "{index}: {codes:?}"
        );
        // It does not go on by being started again.
        let again = harness::program::process().args(nodes.line("one")).output().unwrap();
        let log = String::from_utf8_lossy(&again.stderr).into_owned();
        assert_eq!(again.status.code(), codes[0], "{index}: {log}");
        assert!(log.contains(&format!("place {place} ")), "{index}: {log}");
    }
}
