//! Durability: every delivered message is there after a restart, after kill -9, and in a backup.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use chatterbox_proto::{Entry, ServerFrame, client_frame};
use harness::process::{Running, connect, join, read_frame, try_read};
use predicates::str::contains;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rustix::process::Signal;

fn start(data: &Path) -> Running {
    let data = data.display().to_string();
    let fixed = ["127.0.0.1", "-p", "0", "--plaintext", "--no-limits", "--grace", "0"];
    Running::start(&[&fixed[..], &["--data", &data]].concat())
}

fn contents(body: &str) -> Vec<String> {
    let (frame, _) = ServerFrame::parse(body.as_bytes()).unwrap();
    frame.messages.into_iter().flatten().map(|message| message.content.into_owned()).collect()
}

/// The history in the welcome of a user who joins now.
fn history(address: SocketAddr, name: &str) -> Vec<String> {
    contents(&join(&mut connect(address), name))
}

fn say(stream: &mut TcpStream, name: &str, to: &str, text: &str) -> std::io::Result<()> {
    let entry =
        Entry { source: name.into(), destination: to.into(), timestamp: 1, content: text.into() };
    stream.write_all(&client_frame::say([&entry]).unwrap())
}

fn say_and_see(server: &Running, name: &str, text: &str) {
    let mut stream = connect(server.address);
    join(&mut stream, name);
    say(&mut stream, name, "ALL", text).unwrap();
    while !contents(&read_frame(&mut stream)).iter().any(|seen| seen == text) {}
}

fn stop(server: Running) {
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn b9_a_restart_loses_nothing_old_or_new() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    say_and_see(&server, "zoe", "first");
    let (mut ann, mut bob) = (connect(server.address), connect(server.address));
    assert!(join(&mut ann, "ann").contains("true") && join(&mut bob, "bob").contains("true"));
    say(&mut ann, "ann", "bob", "for bob").unwrap();
    while contents(&read_frame(&mut bob)) != ["for bob"] {}
    drop((ann, bob));
    stop(server);
    let log = folder.path().join("chatterbox.db-wal");
    assert!(!log.exists(), "after a clean stop everything is in one file");

    let server = start(folder.path());
    assert_eq!(history(server.address, "ann"), ["first"]);
    assert_eq!(history(server.address, "Bob"), ["first", "for bob"]);
    say_and_see(&server, "cyd", "second");
    server.signal(Signal::KILL);
    assert_eq!(server.end().0, None);
    // B9: new messages don't replace those of earlier runs.
    let server = start(folder.path());
    assert_eq!(history(server.address, "ann"), ["first", "second"]);
}

#[test]
fn messages_of_names_that_older_rules_accepted_are_there_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    say_and_see(&server, "zoe", "first");
    stop(server);
    let old = rusqlite::Connection::open(folder.path().join("chatterbox.db")).unwrap();
    old.execute_batch(
        "DROP INDEX messages_by; ALTER TABLE messages DROP COLUMN sender;
         ALTER TABLE messages DROP COLUMN origin; ALTER TABLE messages DROP COLUMN mailbox;
         DROP INDEX messages_in; ALTER TABLE messages DROP COLUMN room; DROP TABLE room_defaults; DROP TABLE room_invitations;
         DROP TABLE room_levels; DROP TABLE room_leavers; DROP TABLE room_members; DROP TABLE rooms;
         DROP TABLE sanctions; DROP TABLE audit; DROP TABLE reports; DROP TABLE guests_seen;
         ALTER TABLE accounts DROP COLUMN seen; ALTER TABLE accounts DROP COLUMN hides_seen;
         DROP TABLE cluster; DROP TABLE commands; DROP TABLE marks; DROP TABLE files;
         DROP TABLE e2ee_keys; DROP TABLE e2ee_devices; DROP TABLE e2ee_identities;
         DROP INDEX messages_sealed;
         ALTER TABLE messages DROP COLUMN meta; ALTER TABLE messages DROP COLUMN sealed;
         DROP TABLE account_changes; ALTER TABLE messages DROP COLUMN source; PRAGMA user_version = 5",
    )
    .unwrap();
    let insert = "INSERT INTO messages (arrived, recipient, json) VALUES (7, ?, ?)";
    for source in ["\u{ff21}\u{ff2c}\u{ff2c}", "\u{455}\u{435}rv\u{435}r"] {
        let (to, timestamp, content) = ("ALL".into(), 1, "older".into());
        let entry = Entry { source: source.into(), destination: to, timestamp, content };
        let json = String::from_utf8(entry.to_json()).unwrap();
        old.execute(insert, (None::<&str>, json)).unwrap();
    }
    // Nobody can be their recipient, so nobody gets what is no message.
    for json in ["[1]", "{}", "xyz"] {
        old.execute(insert, (Some("\u{ff21}\u{ff2c}\u{ff2c}"), json)).unwrap();
    }
    drop(old);
    let server = start(folder.path());
    assert_eq!(history(server.address, "ann"), ["first", "older", "older"]);
    say_and_see(&server, "zoe", "second");
    stop(server);
    // The migrated database is like any other.
    let server = start(folder.path());
    assert_eq!(history(server.address, "ann"), ["first", "older", "older", "second"]);
}

#[test]
fn a_second_server_on_the_same_messages_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path());
    let data = folder.path().display().to_string();
    harness::program::server()
        .args(["127.0.0.1", "-p", "0", "--plaintext", "--data", &data])
        .assert()
        .code(74)
        .stderr(contains("is in use by another server"))
        .stderr(contains("hint: "));
    say_and_see(&first, "ann", "still fine");
}

#[test]
fn a_backup_under_load_is_of_one_moment_and_restores() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("chatterbox.db");
    let server = start(folder.path());
    let mut ann = connect(server.address);
    join(&mut ann, "ann");
    let backup = |file: &Path| {
        let mut command = harness::program::server();
        command.arg("backup").arg(file).arg("--data").arg(folder.path()).assert()
    };
    for number in 0..500 {
        say(&mut ann, "ann", "ALL", &number.to_string()).unwrap();
    }
    while contents(&read_frame(&mut ann)).is_empty() {}
    std::thread::scope(|scope| {
        let talking = scope.spawn(|| {
            let mut ann = &ann;
            for number in 500..3000 {
                let body = format!(r#"{{"MESSAGES": [["ann", "ALL", 1, "{number}"]]}}"#);
                ann.write_all(&chatterbox_proto::frame::encode(body.as_bytes()).unwrap()).unwrap();
            }
        });
        backup(&file).success();
        talking.join().unwrap();
    });
    backup(&file).code(74).stderr(contains("exists already"));
    let restored = start(copy.path());
    let kept = history(restored.address, "bob");
    assert!(!kept.is_empty());
    assert!((0..kept.len()).map(|number| number.to_string()).eq(kept), "no hole, nothing twice");
    let exported =
        harness::program::server().args(["export", "--data"]).arg(copy.path()).assert().success();
    let first = String::from_utf8(exported.get_output().stdout.clone()).unwrap();
    let first = first.lines().next().unwrap().to_owned();
    assert!(first.ends_with(r#""message": ["ann", "ALL", 1, "0"]}"#), "{first}");
}

const KILLS: u32 = 100;
const TALKERS: usize = 4;

/// A sender of numbered messages, as fast as their echoes come, which notes everything that it receives.
fn talk(address: SocketAddr, name: &str, prefix: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let Ok(mut stream) = TcpStream::connect(address) else { return seen };
    stream.set_read_timeout(Some(harness::PATIENCE)).unwrap();
    let greeting = client_frame::join(name).unwrap();
    if stream.write_all(&greeting).is_err() || try_read(&mut stream).is_none() {
        return seen;
    }
    for number in 0.. {
        if say(&mut stream, name, "ALL", &format!("{prefix}.{number}")).is_err() {
            break;
        }
        let Some(body) = try_read(&mut stream) else { break };
        seen.extend(contents(&body));
    }
    // Messages that had arrived before the end count as seen.
    while let Some(body) = try_read(&mut stream) {
        seen.extend(contents(&body));
    }
    seen
}

#[test]
fn a_hundred_kills_lose_nothing_that_anybody_saw() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (mut seen_in_all, mut last) = (0, Vec::new());
    for kill in 0..KILLS {
        let server = start(folder.path());
        let address = server.address;
        let talkers: Vec<_> = (0..TALKERS)
            .map(|talker| {
                std::thread::spawn(move || {
                    talk(address, &format!("t{talker}"), &format!("{kill}.{talker}"))
                })
            })
            .collect();
        // The moment has to be random; nothing is waited for here.
        let moment = 5 + random.next_u64() % 55;
        std::thread::sleep(Duration::from_millis(moment));
        server.signal(Signal::KILL);
        assert_eq!(server.end().0, None);
        let views: Vec<_> = talkers.into_iter().map(|talker| talker.join().unwrap()).collect();

        let server = start(folder.path());
        let kept = history(server.address, "reader");
        let place = |text: &String| kept.iter().position(|kept| kept == text);
        let own: Vec<_> =
            kept.iter().filter(|text| text.starts_with(&format!("{kill}."))).collect();
        let distinct: std::collections::HashSet<_> = own.iter().collect();
        assert_eq!(distinct.len(), own.len(), "nothing twice");
        for view in &views {
            let places: Vec<_> = view
                .iter()
                .map(|text| place(text).unwrap_or_else(|| panic!("{text} was seen and is lost")))
                .collect();
            assert!(places.is_sorted(), "what was seen is in the same order");
            seen_in_all += view.len();
        }
        assert!(kept.starts_with(&last), "what was there stays there");
        last = kept;
        stop(server);
    }
    println!("kills {KILLS}, messages seen {seen_in_all}, kept {}, lost 0, doubled 0", last.len());
    assert!(seen_in_all > 1000, "the load was real: {seen_in_all}");
}
