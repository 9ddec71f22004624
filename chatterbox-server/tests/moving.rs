//! A server that moves into a cluster and out of it again, as an operator does it: real processes, TLS, and a real engine.
#![cfg(feature = "cluster")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream as Stream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use harness::accounts::{PASSWORD, password};
use harness::engine::Engine;
use harness::process::Running;
use harness::rooms::Roomer;
use harness::{PATIENCE, Peer, handshake, trusting};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// A folder with certificates and data folders.
struct Site {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Site {
    /// `None` where there is no engine.
    fn new() -> Option<Self> {
        let engine = Engine::start(1)?;
        Some(Self { folder: tempfile::tempdir().unwrap(), engine })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn serve(&self, data: &str, more: &[&str]) -> Running {
        let (certs, data) = (self.text("certs"), self.text(data));
        let none = self.text("none.toml");
        std::fs::write(&none, "").unwrap();
        let line = ["localhost", "-p", "0", "--grace", "0", "--config", &none];
        Running::start(&[&line[..], &["--certs", &certs, "--data", &data], more].concat())
    }

    fn node(&self, name: &str) -> Running {
        let url = self.engine.url(0);
        self.serve(name, &["--cluster", &url, "--cluster-replicas", "1", "--node", name])
    }

    /// A subcommand around several nodes.
    fn command(&self, data: &str, arguments: &[&str]) -> Command {
        self.command_over(&self.engine.url(0), data, arguments)
    }

    /// The same, where the engine is found at this URL.
    fn command_over(&self, engine: &str, data: &str, arguments: &[&str]) -> Command {
        let mut command = harness::program::process();
        command.arg("cluster").args(arguments).arg("--data").arg(self.path(data));
        command.args(["--cluster", engine, "--cluster-replicas", "1"]);
        for variable in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"] {
            command.env(variable, self.folder.path());
        }
        command
    }

    fn run(&self, data: &str, arguments: &[&str]) -> (Option<i32>, String) {
        said(&self.command(data, arguments).output().unwrap())
    }

    /// The program with any arguments, which ends by itself.
    fn program(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = harness::program::process();
        command.args(arguments).env("XDG_CONFIG_HOME", self.folder.path()).stdin(Stdio::null());
        said(&command.output().unwrap())
    }

    fn add(&self, data: &str, name: &str, level: &str) {
        harness::program::server()
            .args(["user", "add", name, "--level", level, "--data", &self.text(data)])
            .env("XDG_CONFIG_HOME", self.folder.path())
            .write_stdin(PASSWORD)
            .assert()
            .success();
    }

    async fn peer(&self, server: &Running) -> Peer {
        let stream = TcpStream::connect(server.address).await.unwrap();
        Peer::over(handshake(stream, &trusting(&self.path("certs/ca.crt"))).await)
    }

    async fn user(&self, server: &Running, name: &str) -> Roomer {
        Roomer::join(self.peer(server).await, name, &password(PASSWORD)).await
    }

    fn last_place(&self) -> u64 {
        let all = self.engine.asked(0, "/jsz?streams=true").unwrap_or_default();
        let streams = all["account_details"][0]["stream_detail"].as_array().cloned();
        let log = streams.unwrap_or_default().into_iter().find(|stream| stream["name"] == "CHAT");
        log.and_then(|log| log["state"]["last_seq"].as_u64()).unwrap_or_default()
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

fn stop(server: Running) {
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
}

/// What somebody finds: all pages, rooms, and who they are.
async fn found(site: &Site, server: &Running, name: &str, with: &[&str]) -> Value {
    let mut user = site.user(server, name).await;
    let mut pages = Vec::new();
    for with in with {
        pages.push(user.history(with).await);
    }
    let rooms = user.welcome["ROOMS"].clone();
    let default = user.welcome["DEFAULT"].clone();
    json!({"pages": pages, "rooms": rooms, "default": default, "level": user.welcome["LEVEL"]})
}

const ANNS: [&str; 4] = ["ALL", "#lab", "bob", "zoe"];
const ZOES: [&str; 3] = ["ALL", "#lab", "ann"];

#[tokio::test]
async fn a_server_becomes_three_nodes_and_one_of_them_a_server_again() {
    let Some(site) = Site::new() else { return };
    let server = site.serve("old", &[]);
    for (name, level) in [("ann", "operator"), ("zoe", "user"), ("bob", "user")] {
        site.add("old", name, level);
    }
    let (mut ann, mut zoe) = (site.user(&server, "ann").await, site.user(&server, "zoe").await);
    let mut bob = site.user(&server, "bob").await;
    ann.ok("create-room", &["#lab", "hunter2"]).await;
    ann.ok("topic", &["#lab", "exercise 3"]).await;
    zoe.ok("join", &["#lab", "hunter2"]).await;
    zoe.ok("default", &["#lab"]).await;
    ann.ok("set-perm", &["zoe", "2", "#lab"]).await;
    ann.ok("invite", &["#lab", "bob"]).await;
    let mut last = 0;
    for number in 0..30 {
        ann.say("ALL", &format!("to all {number}")).await.unwrap();
        zoe.say("#lab", &format!("in the room {number}")).await.unwrap();
        ann.say("zoe", &format!("to zoe {number}")).await.unwrap();
        last = bob.say("ann", &format!("to ann {number}")).await.unwrap();
    }
    ann.ok("ban", &["mallory", "1h", "for this test"]).await;
    drop((ann, zoe, bob));
    let anns = found(&site, &server, "ann", &ANNS).await;
    let zoes = found(&site, &server, "zoe", &ZOES).await;
    assert_eq!(anns["pages"][0]["MESSAGES"].as_array().map(Vec::len), Some(30), "{anns}");
    let (code, text) = site.run("old", &["move-in"]);
    assert_eq!(code, Some(74), "{text}");
    assert!(text.contains("in use") && text.contains("stop the server"), "{text}");
    stop(server);

    // A node that is there too early makes the log, so it has to be stopped by hand; here it is not there yet.
    let (code, text) = site.run("old", &["move-in"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("moved  120 messages"), "{text}");
    let (code, text) = site.run("old", &["move-in"]);
    assert_eq!((code, text.contains("before")), (Some(0), true), "{text}");
    alone_it_is_refused(&site, "old");

    let nodes: Vec<_> = ["n1", "n2", "n3"].map(|name| site.node(name)).into();
    for node in &nodes {
        // Ids are numbers, so these are the same as well.
        assert_eq!(found(&site, node, "ann", &ANNS).await, anns);
        assert_eq!(found(&site, node, "zoe", &ZOES).await, zoes);
        let mut mallory = site.peer(node).await;
        let refused = mallory.ask("mallory").await;
        assert_ne!(refused.accepted, Some(true), "{refused:?}");
    }
    let (mut ann, mut zoe) = (site.user(&nodes[0], "ann").await, site.user(&nodes[1], "zoe").await);
    let first = ann.say("#lab", "of a node").await.unwrap();
    assert!(first > last, "{first}");
    zoe.say("ann", "of another node").await.unwrap();
    let bob = site.user(&nodes[2], "bob").await;
    drop((ann, zoe, bob));
    for node in nodes {
        stop(node);
    }

    alone_it_is_refused(&site, "n3");
    let (code, text) = site.run("n3", &["move-out"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("starts alone"), "{text}");
    let server = site.serve("n3", &[]);
    let anns_now = found(&site, &server, "ann", &ANNS).await;
    let pages =
        |all: &Value, page: usize| all["pages"][page]["MESSAGES"].as_array().unwrap().clone();
    let mut in_room = pages(&anns, 1);
    in_room.push(pages(&anns_now, 1).last().unwrap().clone());
    assert_eq!(pages(&anns_now, 1), in_room);
    assert_eq!(in_room.last().unwrap()[3], json!("of a node"));
    assert_eq!(pages(&anns_now, 0), pages(&anns, 0));
    assert_eq!(pages(&anns_now, 2), pages(&anns, 2));
    assert_eq!(pages(&anns_now, 3).len(), pages(&anns, 3).len() + 1);
    let mut ann = site.user(&server, "ann").await;
    assert!(ann.say("ALL", "alone again").await.unwrap() > first);
    stop(server);
    // It can move in again, under another name.
    let (code, text) = site.run("n3", &["move-in", "--cluster-name", "second"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("moved  123 messages"), "{text}");
}

/// Whoever opens the database of a cluster without it works, or says why not.
fn alone_it_is_refused(site: &Site, name: &str) {
    let data = site.text(name);
    let (code, text) = site.program(&["localhost", "-p", "0", "--plaintext", "--data", &data]);
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("cluster chat") && text.contains("cluster move-out"), "{text}");
    for arguments in [
        &["user", "level", "zoe", "2"][..],
        &["user", "del", "zoe"],
        &["admin-password", "--remove"],
    ] {
        let (code, text) = site.program(&[arguments, &["--data", &data]].concat());
        assert_eq!(code, Some(68), "{arguments:?}: {text}");
        assert!(text.contains("those of a cluster"), "{arguments:?}: {text}");
    }
    let backup = site.text(&format!("{name}.db"));
    for arguments in
        [&["user", "list"][..], &["bans"], &["audit"], &["export"], &["backup", &backup]]
    {
        let (code, text) = site.program(&[arguments, &["--data", &data]].concat());
        assert_eq!(code, Some(0), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn what_moves_out_is_told_what_the_others_have() {
    let Some(site) = Site::new() else { return };
    let (one, two) = (site.node("n1"), site.node("n2"));
    let mut guest = Roomer::join(site.peer(&one).await, "guest", "").await;
    guest.say("ALL", "before").await.unwrap();
    // It has what was said before it was stopped.
    let mut other = Roomer::join(site.peer(&two).await, "other", "").await;
    assert_eq!(other.history("ALL").await["MESSAGES"][0][3], json!("before"));
    drop(other);
    stop(two);
    let (code, text) = site.run("n1", &["move-out"]);
    assert_eq!(code, Some(74), "in use: {text}");
    guest.say("ALL", "while one was stopped").await.unwrap();
    let (code, text) = site.run("n2", &["move-out"]);
    assert_eq!(code, Some(74), "{text}");
    assert!(text.contains("1 messages and 0 other changes") && text.contains("--behind"), "{text}");
    let (code, text) = site.run("n2", &["move-out", "--behind"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = site.run("n2", &["move-out"]);
    assert_eq!((code, text.contains("belongs to no cluster")), (Some(0), true), "{text}");
    drop(guest);
    stop(one);
    let (code, text) = site.run("n1", &["move-out"]);
    assert_eq!(code, Some(0), "{text}");
    // The streams of the cluster are there still, and somebody has written into them.
    let (code, text) = site.run("n1", &["move-in"]);
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("another --cluster-name"), "{text}");
    stop(site.serve("n1", &[]));
}

/// A way to the engine that lets so many bytes go there, and then none.
struct Way {
    url: String,
    /// How many have gone.
    passed: Arc<AtomicU64>,
    /// Told when they have.
    full: Receiver<()>,
}

impl Way {
    fn to(engine: &str, most: u64) -> Self {
        let engine = engine.strip_prefix("nats://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        let passed = Arc::new(AtomicU64::new(0));
        let (tell, full) = sync_channel(1);
        let count = Arc::clone(&passed);
        // They end with their connections, and the first with the process of the tests.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, engine) = (client.unwrap(), Stream::connect(&engine).unwrap());
                let (count, tell) = (Arc::clone(&count), tell.clone());
                let (mut from, mut to) = (engine.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
                std::thread::spawn(move || pass(client, engine, most, &count, &tell));
            }
        });
        Self { url, passed, full }
    }
}

/// Passes on what there is to pass, and takes the rest without a word.
fn pass(
    mut client: Stream,
    mut engine: Stream,
    most: u64,
    passed: &AtomicU64,
    full: &SyncSender<()>,
) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = client.read(&mut piece) {
        let before = passed.load(Ordering::SeqCst);
        let more = usize::try_from(most.saturating_sub(before)).unwrap_or(usize::MAX).min(count);
        if engine.write_all(&piece[..more]).is_err() {
            break;
        }
        passed.fetch_add(more as u64, Ordering::SeqCst);
        if more < count {
            // Whoever has been told, or does not listen any more, knows.
            let _ = full.try_send(());
        }
    }
    let _ = engine.shutdown(Shutdown::Both);
}

/// So many messages as a server would have stored them.
fn fill(folder: &Path, count: i64) {
    let connection = rusqlite::Connection::open(folder.join("chatterbox.db")).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    let insert =
        "INSERT INTO messages (sequence, arrived, source, json) VALUES (?1, 1700000000, 'ann', ?2)";
    for number in 1..=count {
        let json = format!("[\"ann\", \"ALL\", 1, \"message {number} of many that are moved in\"]");
        connection.execute(insert, (number, json)).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn stored(folder: &Path) -> Vec<(i64, String)> {
    let connection = rusqlite::Connection::open(folder.join("chatterbox.db")).unwrap();
    let mut select = connection.prepare("SELECT sequence, json FROM messages ORDER BY 1").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// A database of so many messages.
fn filled(site: &Site, name: &str) {
    stop(site.serve(name, &[]));
    fill(&site.path(name), MESSAGES);
}

/// How many bytes go to the engine when such a database moves in: one like it does, into a cluster with a name as long.
fn bytes_of_all(site: &Site) -> u64 {
    filled(site, "like");
    let way = Way::to(&site.engine.url(0), u64::MAX);
    let mut command = site.command_over(&way.url, "like", &["move-in", "--cluster-name", "like"]);
    let (code, text) = said(&command.output().unwrap());
    assert_eq!(code, Some(0), "{text}");
    way.passed.load(Ordering::SeqCst)
}

/// A database begins to move in, and is killed when so many bytes have gone to the engine. That is certain to be in the middle, since
/// nothing more goes there.
fn cut(site: &Site, data: &str, bytes: u64) {
    let way = Way::to(&site.engine.url(0), bytes);
    let mut process = site
        .command_over(&way.url, data, &["move-in"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let full = way.full.recv_timeout(PATIENCE);
    let ended = process.try_wait().unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    full.unwrap_or_else(|error| panic!("{error}: it does not write {bytes} bytes, {ended:?}"));
    assert_eq!(ended, None, "it had not written everything");
}

const MESSAGES: i64 = 20_000;

/// It is killed again and again, wherever it is then.
#[tokio::test]
async fn kill_9_in_the_middle_costs_nothing() {
    let Some(site) = Site::new() else { return };
    let all = bytes_of_all(&site);
    filled(&site, "old");
    let place = MESSAGES.unsigned_abs() / 1024;
    // None of them writes all that is left, whether it goes on where the one before was killed or not.
    for part in [11, 13, 17, 8, 7, 9] {
        cut(&site, "old", all / part);
    }
    let last = site.last_place();
    assert!(last > place, "some of it was written: {last}");
    let (code, text) = site.run("old", &["move-in"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("moved  {MESSAGES} messages")), "{text}");
    assert!(!text.contains("before"), "it was not all there: {text}");
    let mut node = site.node("n1");
    node.is_ready();
    stop(node);
    assert!(stored(&site.path("n1")) == stored(&site.path("old")), "all of them, and each once");
}

#[tokio::test]
async fn a_node_that_starts_before_the_end_of_moving_in_is_refused_with_the_reason() {
    let Some(site) = Site::new() else { return };
    let all = bytes_of_all(&site);
    filled(&site, "old");
    cut(&site, "old", all / 2);
    let url = site.engine.url(0);
    let alone = |data: &str| {
        let rest = ["localhost", "-p", "0", "--plaintext", "--data", data];
        site.program(&[&rest[..], &["--cluster", &url, "--cluster-replicas", "1"]].concat())
    };
    let (code, text) = alone(&site.text("n1"));
    assert!(code.is_some_and(|code| code != 0), "{text}");
    assert!(text.contains("cluster move-in"), "{text}");
    // The database of a server that is alone is no node's, and is told how it becomes one.
    stop(site.serve("other", &[]));
    site.add("other", "ann", "user");
    let (code, text) = alone(&site.text("other"));
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("cluster move-in"), "{text}");
}
