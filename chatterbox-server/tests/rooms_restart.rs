//! Rooms over restarts, kill -9 included, and over changes of the configuration, with the server as a process and real TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use harness::accounts::{PASSWORD, password};
use harness::process::Running;
use harness::rooms::{Roomer, texts, values};
use harness::{Peer, handshake, trusting};
use predicates::str::contains;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// A folder with certificates, messages and a configuration file.
struct House(tempfile::TempDir);

impl House {
    fn new(rooms: &str) -> Self {
        let house = Self(tempfile::tempdir().unwrap());
        house.configure(rooms);
        house
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn configure(&self, rooms: &str) {
        std::fs::write(self.0.path().join("server.toml"), rooms).unwrap();
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<_> =
            ["localhost", "-p", "0", "--grace", "0"].map(str::to_owned).into();
        for (flag, name) in [("--certs", "certs"), ("--data", "data"), ("--config", "server.toml")]
        {
            arguments.extend([flag.to_owned(), self.path(name)]);
        }
        arguments
    }

    fn start(&self) -> Running {
        let arguments = self.arguments();
        Running::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn add(&self, name: &str, level: &str) {
        harness::program::server()
            .args(["user", "add", name, "--level", level, "--data", &self.path("data")])
            .write_stdin(PASSWORD)
            .assert()
            .success();
    }

    async fn connect(&self, server: &Running) -> Peer {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let authority = self.0.path().join("certs").join("ca.crt");
        Peer::over(handshake(stream, &trusting(&authority)).await)
    }

    /// A file with the password of a room beside the configuration, which these may read.
    fn secret(&self, name: &str, text: &str, mode: u32) {
        let file = self.0.path().join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    }

    /// A user with an account who has joined.
    async fn user(&self, server: &Running, name: &str) -> Roomer {
        Roomer::join(self.connect(server).await, name, &password(PASSWORD)).await
    }

    /// Whether any file of the data folder has this in it.
    fn has_on_disk(&self, text: &str) -> bool {
        let entries = std::fs::read_dir(self.path("data")).unwrap().map(Result::unwrap);
        // The control socket of a server that was killed is there still.
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        let mut bytes = files.map(|file| std::fs::read(file.path()).unwrap());
        bytes.any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    }
}

fn kill(server: Running) {
    server.signal(Signal::KILL);
    assert_eq!(server.end().0, None);
}

fn stop(server: Running) {
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
}

const NEWS: &str = "[rooms.\"#news\"]\ntopic = \"read this\"\nauto = true\ntalk = 3\n";
const UNWRITTEN: &str = "never-on-the-disk-7291";

/// What a user finds of its rooms: the whole objects, and the pages.
async fn found(user: &mut Roomer, rooms: &[&str]) -> Vec<(Value, Value)> {
    let mut all = Vec::new();
    for room in rooms {
        all.push((user.room(room).await, user.history(room).await));
    }
    all
}

#[tokio::test]
async fn what_is_so_of_rooms_is_so_after_kill_9() {
    let house = House::new(NEWS);
    let server = house.start();
    for (name, level) in [("prof", "moderator"), ("ann", "user"), ("bob", "user"), ("dora", "user")]
    {
        house.add(name, level);
    }
    let mut prof = house.user(&server, "prof").await;
    let (mut ann, mut bob) = (house.user(&server, "ann").await, house.user(&server, "bob").await);
    for user in [&prof, &ann, &bob] {
        assert_eq!(user.rooms(), ["ALL", "#news"], "the configuration says auto");
    }
    prof.ok("create-room", &["#Lab", "hunter2"]).await;
    prof.ok("set-room", &["#lab", "hidden", "on"]).await;
    assert_eq!(ann.code("join", &["#lab", "hunter3"]).await, "no-such-room", "RM-12");
    ann.ok("join", &["#lab", "hunter2"]).await;
    bob.ok("join", &["#lab", "hunter2"]).await;
    prof.ok("topic", &["#lab", "exercise 3"]).await;
    prof.ok("set-perm", &["ann", "2", "#lab"]).await;
    prof.ok("invite", &["#lab", "dora"]).await;
    ann.ok("default", &["#lab"]).await;
    for (room, keep) in [("#quiet", "off"), ("#short", "2")] {
        ann.ok("create-room", &[room]).await;
        ann.ok("set-room", &[room, "keep", keep]).await;
        bob.ok("join", &[room]).await;
    }
    prof.say("#news", "welcome").await.unwrap();
    assert_eq!(bob.say("#news", "me too").await.unwrap_err(), "read-only");
    ann.say("#LAB", "written-4711").await.unwrap();
    bob.say("#lab", "two").await.unwrap();
    for text in ["a", "b", "c"] {
        bob.say("#short", text).await.unwrap();
    }
    let unwritten = ann.say("#quiet", UNWRITTEN).await.unwrap();
    assert!(texts(&bob.settle().await).contains(&UNWRITTEN), "it was said");
    prof.ok("kick-from", &["#lab", "bob", "enough", "now"]).await;
    let left = bob.until(|frame| frame.get("ROOMS_LEFT").cloned()).await;
    assert_eq!((&left[0]["ROOM"], &left[0]["CODE"]), (&json!("#Lab"), &json!("kicked")));
    assert_eq!((&left[0]["BY"], &left[0]["INFO"]), (&json!("prof"), &json!("enough now")));
    let anns = ["#Lab", "#news", "#quiet", "#short"];
    let (before, profs) = (found(&mut ann, &anns).await, found(&mut prof, &anns[..2]).await);
    assert_eq!(before[0].0["USERS"], json!(["ann", "prof"]));
    assert_eq!(before[2].0["LAST"], json!(unwritten));
    assert_eq!(before[3].1["MESSAGES"].as_array().unwrap().len(), 2, "KEEP 2");
    assert!(house.has_on_disk("written-4711"), "so the search finds what is there");
    assert!(!house.has_on_disk(UNWRITTEN) && !house.has_on_disk("hunter2"));
    kill(server);

    let server = house.start();
    // The level that prof has on the server counts in STAFF while prof is here.
    let mut prof = house.user(&server, "prof").await;
    let mut ann = house.user(&server, "ann").await;
    assert_eq!((ann.rooms().len(), &ann.welcome["DEFAULT"]), (5, &json!("#Lab")));
    for ((room, page), name) in before.iter().zip(anns) {
        let mut kept = room.clone();
        if name == "#quiet" {
            // What was said last is not kept, so nothing is there to ask for.
            kept["LAST"] = json!(0);
        }
        assert_eq!(ann.welcomed(name), Some(kept));
        assert_eq!(ann.history(name).await, *page, "{name}");
    }
    assert_eq!(prof.welcomed("#Lab"), Some(profs[0].0.clone()));
    assert_eq!(found(&mut prof, &anns[..2]).await, profs);
    let mut bob = house.user(&server, "bob").await;
    assert_eq!(bob.rooms(), ["ALL", "#news", "#quiet", "#short"]);
    assert_eq!(bob.history("#lab").await["CODE"], json!("no-such-room"));
    assert_eq!(bob.say("#lab", "again").await.unwrap_err(), "no-such-room");
    let mut dora = house.user(&server, "dora").await;
    assert_eq!(dora.ok("invitations", &[]).await["DATA"]["ROWS"][0][0], json!("#Lab"));
    dora.ok("join", &["#lab"]).await;
    let id = dora.say("#lab", "three").await.unwrap();
    assert!(id > unwritten, "no number is used twice, also not that of what is not kept");
    let seen = ann.settle().await;
    assert_eq!(texts(&seen), ["three"]);
    let joined = [json!({"#news": ["dora"]}), json!({"#Lab": ["dora"]})];
    assert!(values(&seen, "ROOM_USERS_JOINED").into_iter().eq(&joined), "{seen:?}");
    stop(server);
    assert!(house.has_on_disk("written-4711") && !house.has_on_disk(UNWRITTEN));
}

#[tokio::test]
async fn rooms_follow_the_configuration_of_each_start() {
    let lab = "[rooms.\"#lab\"]\npassword-file = \"lab.txt\"\nowner = \"prof\"\nlimit = 9\n";
    let house = House::new(&format!("{NEWS}owner = \"prof\"\n{lab}"));
    house.secret("lab.txt", "hunter2\n", 0o600);
    // Accounts need a folder, which a first start makes.
    stop(house.start());
    for name in ["prof", "ann", "bob", "cyd"] {
        house.add(name, "user");
    }
    let server = house.start();
    let mut prof = house.user(&server, "prof").await;
    let mut ann = house.user(&server, "ann").await;
    assert_eq!(ann.code("join", &["#lab", "wrong"]).await, "wrong-password");
    ann.ok("join", &["#lab", "hunter2"]).await;
    let flags = ann.room("#lab").await["FLAGS"].clone();
    assert_eq!(flags, json!(["password", "configured"]));
    prof.ok("join", &["#lab"]).await;
    assert_eq!(prof.code("set-room", &["#lab", "limit", "3"]).await, "configured");
    assert_eq!(prof.code("delete-room", &["#lab"]).await, "configured");
    prof.ok("set-room", &["#lab", "slow", "0"]).await;
    prof.ok("topic", &["#lab", "by command"]).await;
    prof.say("#lab", "kept").await.unwrap();
    stop(server);

    // An empty password closes the room; #news is taken out.
    house.secret("lab.txt", "\n", 0o600);
    house.configure(lab);
    let server = house.start();
    let mut ann = house.user(&server, "ann").await;
    assert_eq!(ann.rooms(), ["ALL", "#lab", "#news"], "who was a member is one");
    let room = ann.welcomed("#lab").unwrap();
    assert_eq!(room["FLAGS"], json!(["closed", "configured"]));
    assert_eq!((&room["TOPIC"], &room["LIMIT"]), (&json!("by command"), &json!(9)));
    assert_eq!(texts(&[ann.history("#lab").await]), ["kept"]);
    let news = ann.welcomed("#news").unwrap();
    assert_eq!((&news["FLAGS"], &news["TALK"]), (&json!([]), &json!(3)), "an ordinary one");
    let mut bob = house.user(&server, "bob").await;
    assert_eq!(bob.rooms(), ["ALL"], "nobody becomes a member by themselves any more");
    for secret in ["", "hunter2"] {
        assert_eq!(bob.code("join", &["#lab", secret]).await, "closed");
    }
    let mut prof = house.user(&server, "prof").await;
    let id = prof.begin("delete-room", &["#news"]).await;
    let question = prof.until(|frame| frame.get("PROMPT").cloned()).await;
    assert_eq!(question["ID"], *id);
    prof.send(&json!({"ANSWER": {"ID": id, "TEXT": "#news"}})).await;
    assert_eq!(prof.result(&id).await["CODE"], json!("ok"));
    let left = ann.until(|frame| frame.get("ROOMS_LEFT").cloned()).await;
    assert_eq!(left[0]["CODE"], json!("deleted"));
    stop(server);
    house.configure("");
    let server = house.start();
    let cyd = house.user(&server, "cyd").await;
    assert_eq!(cyd.rooms(), ["ALL"]);
    let ann = house.user(&server, "ann").await;
    assert_eq!(
        (ann.rooms().len(), &ann.welcomed("#lab").unwrap()["FLAGS"]),
        (2, &json!(["closed"]))
    );
}

#[test]
fn a_room_that_can_not_be_is_told_with_its_line_and_nothing_starts() {
    let house = House::new("");
    let refused = |rooms: &str, text: &str| {
        house.configure(rooms);
        harness::program::server()
            .args(house.arguments())
            .assert()
            .code(78)
            .stderr(contains(text))
            .stderr(contains("hint: "));
    };
    let sound = "port = 0\n\n[rooms.\"#news\"]\nauto = true\n\n";
    refused(&format!("{sound}[rooms.\"#lab\"]\nlimt = 3\n"), "server.toml:7: [rooms.\"#lab\"]");
    refused(&format!("{sound}[rooms.\"#lab\"]\nlimt = 3\n"), "did you mean \"limit\"?");
    refused(&format!("{sound}[rooms.\"#lab\"]\nslow = 0\ntalk = 9\n"), "server.toml:8: ");
    refused(&format!("{sound}[rooms.\"lab\"]\n"), "server.toml:6: ");
    refused(&format!("{sound}[rooms.\"#NEWS\"]\n"), "the room is there twice");
    let missing = format!("{sound}[rooms.\"#lab\"]\npassword-file = \"gone.txt\"\n");
    refused(&missing, "gone.txt");
    house.secret("gone.txt", "one\nsecret-two\n", 0o600);
    refused(&missing, "a password is one line");
    house.secret("gone.txt", "hunter2\n", 0o644);
    refused(&missing, "gone.txt");
}

#[tokio::test]
async fn rooms_go_on_when_the_settings_are_read_again() {
    let house = House::new(NEWS);
    let mut server = house.start();
    house.add("ann", "operator");
    let mut ann = house.user(&server, "ann").await;
    ann.say("#news", "before").await.unwrap();
    let room = ann.room("#news").await;
    ann.settle().await;

    house.configure(&format!("max-name = 12\n{NEWS}slow = 7\n[rooms.\"#new\"]\n"));
    server.signal(Signal::HUP);
    assert!(server.log_line("next start only").contains("rooms"));
    server.log_line("settings read again");
    house.configure("[rooms.\"#news\"]\ntolk = 3\n");
    server.signal(Signal::HUP);
    let line = server.log_line("old settings stay in use");
    assert!(line.contains("server.toml:2") && line.contains("talk"), "{line}");
    house.configure(NEWS);
    server.signal(Signal::HUP);
    server.log_line("settings read again");

    assert_eq!(ann.room("#news").await, room);
    ann.say("#news", "after").await.unwrap();
    assert_eq!(ann.code("join", &["#new"]).await, "no-such-room", "rooms are made at a start");
    assert_eq!(texts(&ann.settle().await), ["after"]);
    assert_eq!(ann.history("#news").await["MESSAGES"].as_array().unwrap().len(), 2);
    stop(server);
}
