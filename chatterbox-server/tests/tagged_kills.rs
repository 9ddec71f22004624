//! Kills under load: what was acknowledged is there once, and what was sent again with its tag is not doubled.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use chatterbox_proto::client_frame::{self, Said};
use chatterbox_proto::{Capabilities, Entry, ServerFrame};
use harness::process::{Running, try_read};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rustix::process::Signal;

fn start(data: &Path) -> Running {
    let data = data.display().to_string();
    let fixed = ["127.0.0.1", "-p", "0", "--plaintext", "--no-limits", "--grace", "0"];
    Running::start(&[&fixed[..], &["--data", &data]].concat())
}

fn stop(server: Running) {
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
}

const TAGGERS: u8 = 4;
const MOST_AT_ONCE: u64 = 8;
const MOST_ANSWERS: u64 = 300;

/// A member with tags, over all of its connections and all lives of the server.
struct Tagger {
    name: String,
    random: TestRng,
    /// The process that knows its session, and the token of that.
    session: Option<(u32, String)>,
    /// The newest number that it has seen in this life of the server.
    newest: u64,
    /// Its messages; the number of each is its tag.
    sent: u64,
    unanswered: BTreeMap<u64, String>,
    /// The ids of its messages, wherever it was told of them.
    ids: HashMap<String, u64>,
    found: usize,
    sent_again: usize,
    resumed: usize,
}

impl Tagger {
    fn new(number: u8, seed: u8) -> Self {
        Self {
            name: format!("t{number}"),
            random: TestRng::from_seed(RngAlgorithm::ChaCha, &[number + TAGGERS * seed; 32]),
            session: None,
            newest: 0,
            sent: 0,
            unanswered: BTreeMap::new(),
            ids: HashMap::new(),
            found: 0,
            sent_again: 0,
            resumed: 0,
        }
    }

    fn text(&self, tag: u64) -> String {
        format!("{}.{tag}", self.name)
    }

    /// Every third is to itself only.
    fn is_private(tag: u64) -> bool {
        tag % 3 == 2
    }

    fn send(&self, stream: &mut TcpStream, tags: &[u64]) -> Option<()> {
        let each: Vec<_> = tags
            .iter()
            .map(|tag| {
                let tag = *tag;
                let to = if Self::is_private(tag) { &self.name } else { "ALL" };
                let (source, content) = (self.name.as_str().into(), self.text(tag).into());
                let entry = Entry { source, destination: to.into(), timestamp: 1, content };
                (entry, tag.to_string())
            })
            .collect();
        let each: Vec<_> =
            each.iter().map(|(entry, tag)| Said { entry, tag, meta: None }).collect();
        stream.write_all(&client_frame::say_tagged(&each).unwrap()).ok()
    }

    /// Sends messages with these tags, whose answers are then awaited.
    fn say(&mut self, stream: &mut TcpStream, tags: std::ops::Range<u64>) -> Option<()> {
        self.sent = tags.end;
        for tag in tags.clone() {
            self.unanswered.insert(tag, self.text(tag));
        }
        self.send(stream, &tags.collect::<Vec<_>>())
    }

    /// Notes under which id a message of its own is stored, which is one and the same for ever.
    fn note(&mut self, text: &str, id: u64) {
        let known = *self.ids.entry(text.to_owned()).or_insert(id);
        assert_eq!(known, id, "{text} is there twice");
    }

    /// Takes the messages of a frame, whose ids rise, and gives them by text.
    fn see(&mut self, frame: &ServerFrame) -> HashMap<String, u64> {
        let ids = frame.keys.as_ref().and_then(|keys| keys.ids.clone()).unwrap_or_default();
        let messages: Vec<_> = frame.messages.iter().flatten().collect();
        assert_eq!(ids.len(), messages.len());
        let mut seen = HashMap::new();
        for (id, message) in ids.into_iter().zip(messages) {
            let id = id.unwrap();
            assert!(id > self.newest, "{id} after {}", self.newest);
            self.newest = id;
            assert_eq!(seen.insert(message.content.to_string(), id), None, "nothing twice");
            if message.source == self.name {
                self.note(&message.content, id);
            }
        }
        seen
    }

    fn parse(body: &str) -> ServerFrame {
        let known = Capabilities::parse_offer("ids/1").unwrap();
        let (frame, notes) = ServerFrame::parse_as(body.as_bytes(), known).unwrap();
        assert_eq!(notes.into_vec(), [], "{body}");
        frame
    }

    /// Joins, by going on with its session where the server knows it, and sends again what may not have arrived. `None` when
    /// the server is killed meanwhile.
    fn come(&mut self, address: SocketAddr, process: u32) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(harness::PATIENCE)).unwrap();
        let resume = self.session.as_ref().map_or_else(String::new, |(_, token)| {
            format!(r#", "RESUME": {{"TOKEN": "{token}", "AFTER": {}}}"#, self.newest)
        });
        let join = format!(r#"{{"USERNAME": "{}", "CAPABILITIES": "ids/1"{resume}}}"#, self.name);
        stream.write_all(&chatterbox_proto::frame::encode(join.as_bytes()).unwrap()).ok()?;
        let body = try_read(&mut stream)?;
        let welcome = Self::parse(&body);
        assert_eq!(welcome.accepted, Some(true), "{body}");
        let keys = welcome.keys.as_ref().unwrap();
        let token = keys.resume.as_ref().unwrap().as_wire().to_owned();
        let is_known = self.session.as_ref().map(|(knows, _)| *knows == process);
        assert_eq!(keys.resumed, is_known, "a session lives as long as its process, and no longer");
        self.session = Some((process, token));
        if is_known == Some(true) {
            self.resumed += 1;
            self.see(&welcome);
        } else {
            // All of the history, in which everything is that anybody was told to be stored.
            self.newest = 0;
            let told = self.ids.clone();
            let history = self.see(&welcome);
            for (text, id) in told {
                assert_eq!(history.get(&text), Some(&id), "{text} was seen or acknowledged");
            }
            // The server knows no tags of an earlier life, but the history says what has arrived.
            let before = self.unanswered.len();
            self.unanswered.retain(|_, text| !history.contains_key(text));
            self.found += before - self.unanswered.len();
        }
        let again: Vec<_> = self.unanswered.keys().copied().collect();
        if !again.is_empty() {
            self.sent_again += again.len();
            self.send(&mut stream, &again)?;
        }
        Some(stream)
    }

    /// Reads until all of its messages are answered.
    fn read_answers(&mut self, stream: &mut TcpStream) -> Option<()> {
        while !self.unanswered.is_empty() {
            let body = try_read(stream)?;
            let frame = Self::parse(&body);
            self.see(&frame);
            let Some(keys) = frame.keys else { continue };
            assert!(keys.refused.is_empty(), "{body}");
            for (tag, id) in keys.acks {
                let text = self.unanswered.remove(&tag.as_wire().parse().unwrap()).unwrap();
                self.note(&text, id);
            }
        }
        Some(())
    }

    /// Says more and more, and loses its connection now and then, until the server is killed.
    fn talk(&mut self, address: SocketAddr, process: u32, answered: &Sender<()>) -> Option<()> {
        let mut stream = self.come(address, process)?;
        loop {
            answered.send(()).ok()?;
            let new = self.sent..self.sent + 1 + self.random.next_u64() % MOST_AT_ONCE;
            if self.say(&mut stream, new).is_none() {
                // What it was told before the end counts.
                return self.read_answers(&mut stream);
            }
            if self.random.next_u64().is_multiple_of(16) {
                stream = self.come(address, process)?;
            }
            self.read_answers(&mut stream)?;
        }
    }
}

/// What became of the messages of some tagged runs.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    kept: usize,
    resumed: usize,
    sent_again: usize,
    found: usize,
}

impl Tally {
    /// Kills a server again and again under members who send again with its tag what was not answered.
    fn kill(&mut self, kills: u32, seed: u8) {
        let folder = tempfile::tempdir().unwrap();
        let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        let mut taggers: Vec<_> = (0..TAGGERS).map(|number| Tagger::new(number, seed)).collect();
        for _ in 0..kills {
            let server = start(folder.path());
            let (address, process) = (server.address, server.id());
            let (answered, answers) = channel();
            let talking = taggers.into_iter().map(|mut tagger| {
                let answered = answered.clone();
                std::thread::spawn(move || {
                    tagger.talk(address, process, &answered);
                    tagger
                })
            });
            let talking: Vec<_> = talking.collect();
            for _ in 0..random.next_u64() % MOST_ANSWERS {
                answers.recv_timeout(harness::PATIENCE).unwrap();
            }
            // One of them has its answers now, the others are somewhere on their way; where, has to be random.
            std::thread::sleep(Duration::from_micros(random.next_u64() % 3000));
            server.signal(Signal::KILL);
            assert_eq!(server.end().0, None);
            taggers = talking.into_iter().map(|tagger| tagger.join().unwrap()).collect();
        }
        let server = start(folder.path());
        for tagger in &mut taggers {
            let mut stream = tagger.come(server.address, server.id()).unwrap();
            tagger.read_answers(&mut stream).unwrap();
            // The second time as if no answer had come.
            let more = tagger.sent..tagger.sent + 100;
            for _ in 0..2 {
                tagger.say(&mut stream, more.clone()).unwrap();
                tagger.read_answers(&mut stream).unwrap();
            }
        }
        stop(server);
        let mut expected = BTreeMap::new();
        for tagger in taggers {
            assert_eq!(tagger.ids.len() as u64, tagger.sent, "everything has its id");
            expected.extend(tagger.ids.into_iter().map(|(text, id)| (id, text)));
            self.resumed += tagger.resumed;
            self.sent_again += tagger.sent_again;
            self.found += tagger.found;
        }
        let mut lines = Vec::new();
        chatterbox_server::store::sqlite::export(folder.path(), &mut lines).unwrap();
        let kept = String::from_utf8(lines).unwrap();
        let kept = kept.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            (line["sequence"].as_u64().unwrap(), line["message"][3].as_str().unwrap().to_owned())
        });
        assert!(kept.eq(expected.clone()), "everything is there once, under its id, in order");
        self.kills += kills;
        self.kept += expected.len();
    }
}

#[test]
fn what_was_acknowledged_is_there_once_after_fifty_kills() {
    let mut tally = Tally::default();
    for seed in 1..=5 {
        tally.kill(10, seed);
    }
    println!("{tally:?}, lost 0, doubled 0");
    // Some moments were between a message and its answer, on both sides of where it is stored.
    assert!(tally.found > 0 && tally.sent_again > 0 && tally.resumed > 0, "{tally:?}");
    assert!(tally.kept > 1000 && tally.kills == 50, "the load was real: {tally:?}");
}
