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

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt as _;
use harness::accounts::{PASSWORD, password};
use harness::engine::Engine;
use harness::process::Running;
use harness::rooms::Roomer;
use harness::{Peer, handshake, trusting};
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
        let mut command = Command::cargo_bin("chatterbox-server").unwrap();
        command.arg("cluster").args(arguments).arg("--data").arg(self.path(data));
        command.args(["--cluster", &self.engine.url(0), "--cluster-replicas", "1"]);
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
        let mut command = Command::cargo_bin("chatterbox-server").unwrap();
        command.args(arguments).env("XDG_CONFIG_HOME", self.folder.path()).stdin(Stdio::null());
        said(&command.output().unwrap())
    }

    fn add(&self, data: &str, name: &str, level: &str) {
        assert_cmd::Command::cargo_bin("chatterbox-server")
            .unwrap()
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

/// It is killed again and again, wherever it is then.
#[tokio::test]
async fn kill_9_in_the_middle_costs_nothing() {
    const MESSAGES: i64 = 20_000;
    let Some(site) = Site::new() else { return };
    stop(site.serve("old", &[]));
    fill(&site.path("old"), MESSAGES);
    let place = MESSAGES.unsigned_abs() / 1024;
    let mut killed = 0;
    for groups in [1, 3, 6, 10, 15, 19] {
        let mut process = site
            .command("old", &["move-in"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while site.last_place() < place + groups && process.try_wait().unwrap().is_none() {}
        killed += u32::from(process.try_wait().unwrap().is_none());
        process.kill().unwrap();
        process.wait().unwrap();
    }
    assert!(killed > 0, "the machine is faster than whoever kills");
    let url = site.engine.url(0);
    let (code, text) = site.run("old", &["move-in"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("moved  {MESSAGES} messages")), "{text}");
    stop(site.node("n1"));
    assert_eq!(stored(&site.path("n1")), stored(&site.path("old")));
    assert!(!url.is_empty());
}

#[tokio::test]
async fn a_node_that_starts_before_the_end_of_moving_in_is_refused_with_the_reason() {
    let Some(site) = Site::new() else { return };
    stop(site.serve("old", &[]));
    fill(&site.path("old"), 20_000);
    let mut process = site
        .command("old", &["move-in"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while site.last_place() < 20_000 / 1024 + 2 && process.try_wait().unwrap().is_none() {}
    let was_cut = process.try_wait().unwrap().is_none();
    process.kill().unwrap();
    process.wait().unwrap();
    let url = site.engine.url(0);
    let data = site.text("n1");
    let line = [
        "localhost",
        "-p",
        "0",
        "--plaintext",
        "--data",
        &data,
        "--cluster",
        &url,
        "--cluster-replicas",
        "1",
    ];
    if was_cut {
        let (code, text) = site.program(&line);
        assert!(code.is_some_and(|code| code != 0), "{text}");
        assert!(text.contains("cluster move-in"), "{text}");
    }
    // The database of a server that is alone is no node's, and is told how it becomes one.
    stop(site.serve("other", &[]));
    site.add("other", "ann", "user");
    let other = site.text("other");
    let line = [
        "localhost",
        "-p",
        "0",
        "--plaintext",
        "--data",
        &other,
        "--cluster",
        &url,
        "--cluster-replicas",
        "1",
    ];
    let (code, text) = site.program(&line);
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("cluster move-in"), "{text}");
}
