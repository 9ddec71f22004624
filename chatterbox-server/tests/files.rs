//! Files over real sockets: what the cases of the suite can't see from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::time::Duration;

use chatterbox_proto::Username;
use chatterbox_proto::capability::files::FileAnswer;
use chatterbox_server::Config;
use chatterbox_server::accounts::Directory as _;
use chatterbox_server::files::FileStore as _;
use chatterbox_server::store::{SqliteDirectory, SqliteFiles};
use harness::Peer;
use harness::files::{Client, FileServer, bytes};
use harness::process::Running;

const CHUNK: usize = 16 * 1024;

fn code(answer: &FileAnswer) -> Option<&str> {
    answer.code.as_ref().map(|code| code.as_wire())
}

fn space(answer: &FileAnswer) -> (String, u64, u64) {
    let space = answer.space.as_ref().unwrap();
    (space.of.as_wire().to_owned(), space.most, space.left)
}

/// Settings of tests, in which no disk is too full.
fn config() -> Config {
    Config { file_free: 0, ..Config::default() }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        file_size: 1_000,
        file_account: 1_500,
        file_room: 1_800,
        file_total: 2_600,
        ..config()
    };
    let server = FileServer::open(config, folder.path()).await;
    let (mut ann, mut bob) = (server.user("ann").await, server.user("bob").await);
    let refused = ann.put("ALL", "x", &bytes(1_001, 1)).await;
    assert_eq!(
        (code(&refused), space(&refused)),
        (Some("too-long"), ("file".into(), 1_000, 1_000))
    );
    ann.share("ALL", &bytes(1_000, 2)).await;
    let refused = ann.put("ALL", "x", &bytes(501, 3)).await;
    assert_eq!(
        (code(&refused), space(&refused)),
        (Some("no-space"), ("account".into(), 1_500, 500))
    );
    let refused = bob.put("ALL", "x", &bytes(801, 4)).await;
    assert_eq!(space(&refused), ("room".into(), 1_800, 800));
    bob.share("ann", &bytes(1_000, 5)).await;
    let mut cyd = server.user("cyd").await;
    let refused = cyd.put("ann", "x", &bytes(601, 6)).await;
    assert_eq!(space(&refused), ("all".into(), 2_600, 600));
    // What is given up takes no space any more.
    let begun = cyd.put("ann", "x", &bytes(600, 7)).await;
    assert_eq!(code(&begun), None);
    let stop = chatterbox_proto::capability::files::file_stop(begun.file.unwrap().as_wire());
    cyd.peer.send(&stop.finish().unwrap()).await;
    let begun = cyd.put("ann", "x", &bytes(600, 8)).await;
    assert_eq!(code(&begun), None, "{begun:?}");
}

#[tokio::test]
async fn a_disk_that_is_too_full_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(Config { file_free: 1 << 60, ..config() }, folder.path()).await;
    let mut ann = server.user("ann").await;
    let refused = ann.put("ALL", "x", &bytes(10, 1)).await;
    assert_eq!((code(&refused), space(&refused).0.as_str()), (Some("no-space"), "disk"));
    assert_eq!(server.spooled(), (0, 0));
}

#[tokio::test]
async fn uploads_are_counted_for_each_account() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(Config { file_hourly: 3, ..config() }, folder.path()).await;
    let mut ann = server.user("ann").await;
    for seed in 0..3 {
        ann.upload("ALL", &bytes(10, seed)).await;
    }
    let refused = ann.put("ALL", "x", &bytes(11, 9)).await;
    assert_eq!(code(&refused), Some("throttled"));
    assert!(refused.wait.is_some_and(|wait| (1..=1_201).contains(&wait)), "{refused:?}");
    let again = ann.put("ALL", "x", &bytes(10, 1)).await;
    assert_eq!(code(&again), None, "what has begun is gone on with");
    server.user("bob").await.upload("ALL", &bytes(10, 1)).await;
}

#[tokio::test]
async fn uploads_that_are_asked_for_again_have_their_price() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(Config { file_hourly: 1, ..config() }, folder.path()).await;
    let mut ann = server.user("ann").await;
    let file = bytes(10, 1);
    ann.upload("ALL", &file).await;
    for _ in 1..10 {
        let again = ann.put("ALL", "x", &file).await;
        assert_eq!(code(&again), None, "{again:?}");
    }
    let refused = ann.put("ALL", "x", &file).await;
    assert_eq!(code(&refused), Some("throttled"));
    assert!(refused.wait.is_some_and(|wait| (1..=361).contains(&wait)), "{refused:?}");
    server.user("bob").await.upload("ALL", &file).await;
}

#[tokio::test]
async fn a_level_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(Config { file_level: 3, ..config() }, folder.path()).await;
    let mut ann = server.user("ann").await;
    let refused = ann.put("ALL", "x", &bytes(10, 1)).await;
    assert_eq!(code(&refused), Some("forbidden"));
    let refused = server.guest("eve").await.put("ALL", "x", &bytes(10, 1)).await;
    assert_eq!(code(&refused), Some("forbidden"));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_under_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let mut ann = server.user("ann").await;
    // Beyond what any name can have, a name of a file, and a token.
    let long = "x".repeat(20_000);
    let file = bytes(10, 1);
    for (to, name, word) in [
        ("ALL", long.as_str(), "bad-name"),
        ("ALL", "", "bad-name"),
        (&long, "x", "no-such-user"),
        (&format!("#{long}"), "x", "no-such-room"),
    ] {
        assert_eq!(code(&ann.put(to, name, &file).await), Some(word), "{word}");
    }
    for token in ["", "no-such-file", &long] {
        assert_eq!(code(&ann.get(token, 0, 0).await), Some("expired"));
    }
    ann.upload("ALL", &file).await;
}

#[tokio::test]
async fn a_later_connection_takes_an_upload_over() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let mut ann = server.user("ann").await;
    let file = bytes(5 * CHUNK, 1);
    let begun = ann.put("ALL", "x", &file).await;
    let token = begun.file.clone().unwrap().as_wire().to_owned();
    ann.piece(&token, 0, &file[..CHUNK]).await;
    // What was sent is taken before this is answered, which goes the same way.
    let refused = ann.get("no-such-file-at-all", 0, 0).await;
    assert_eq!(code(&refused), Some("expired"));
    // The first connection is still there, under another name: its network may be gone, and nobody knows.
    let nick = r#"{"COMMAND": {"ID": "n", "NAME": "nick", "ARGS": ["annie"]}}"#;
    ann.peer.send_body(nick).await;
    ann.peer.find(|keys| keys.result.as_ref().map(|_| ())).await;
    let mut again = server.user("ann").await;
    let gone_on = again.put("ALL", "x", &file).await;
    assert_eq!(gone_on.file.as_ref().unwrap().as_wire(), token);
    assert_eq!(gone_on.at, Some(CHUNK as u64));
    // The first one is told, and nothing of it counts any more.
    ann.piece(&token, CHUNK, &[0; CHUNK]).await;
    let stopped = ann.peer.find(|keys| keys.file_stop.clone()).await;
    assert_eq!(stopped, token);
    assert!(again.send(&gone_on, &file).await.is_done);
    // Another account has an upload of its own.
    let other = server.user("bob").await.put("ALL", "x", &file).await;
    assert_ne!(other.file.unwrap().as_wire(), token);
}

#[tokio::test]
async fn an_upload_that_is_asked_for_again_on_its_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let mut ann = server.user("ann").await;
    let file = bytes(3 * CHUNK, 1);
    let begun = ann.put("ALL", "x", &file).await;
    let token = begun.file.unwrap().as_wire().to_owned();
    ann.piece(&token, 0, &file[..CHUNK]).await;
    let again = ann.put("ALL", "x", &file).await;
    let found = (code(&again), again.file.as_ref().map(|file| file.as_wire()), again.at);
    assert_eq!(found, (None, Some(&*token), Some(CHUNK as u64)));
    assert!(ann.send(&again, &file).await.is_done);
}

/// Fetches a file with credit for all of it, and reads nothing of it: the server has to wait with the rest.
async fn not_read(client: &mut Client, token: &str, size: usize) {
    assert_eq!(code(&client.get(token, 0, size).await), None);
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[tokio::test]
async fn a_fetch_that_begins_anew_has_nothing_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let (mut ann, mut bob) = (server.user("ann").await, server.user("bob").await);
    let file = bytes(400 * CHUNK, 1);
    let token = ann.share("ALL", &file).await;
    not_read(&mut bob, &token, file.len()).await;
    let stop = chatterbox_proto::capability::files::file_stop(&token);
    bob.peer.send(&stop.finish().unwrap()).await;
    // What was on its way comes before the answer, and nothing of it behind that.
    assert_eq!(bob.fetch(&token, 0, file.len()).await, file);
}

#[tokio::test]
async fn credit_is_no_permission() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let (mut ann, mut bob) = (server.user("ann").await, server.user("bob").await);
    let file = bytes(400 * CHUNK, 1);
    let token = ann.share("bob", &file).await;
    not_read(&mut bob, &token, file.len()).await;
    let block = r#"{"COMMAND": {"ID": "b", "NAME": "block", "ARGS": ["ann"]}}"#;
    bob.peer.send_body(block).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    ends_early(&mut bob, file.len()).await;
}

/// Reads what still comes of a fetch, which ends before all of it has come.
async fn ends_early(client: &mut Client, size: usize) {
    let mut got = 0;
    let end = loop {
        match client.next_piece().await {
            Ok(piece) => got += piece.data.unwrap().len(),
            Err(end) => break end,
        }
    };
    assert_eq!((code(&end), end.is_done), (Some("expired"), false), "after {got} bytes");
    assert!(got < size);
}

#[tokio::test]
async fn a_fetch_ends_with_the_account_of_the_sender() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let (mut ann, mut bob) = (server.user("ann").await, server.user("bob").await);
    let file = bytes(400 * CHUNK, 1);
    let token = ann.share("ALL", &file).await;
    not_read(&mut bob, &token, file.len()).await;
    let mut directory = SqliteDirectory::open(folder.path()).unwrap();
    directory.remove(&Username::parse("ann").unwrap()).unwrap();
    ends_early(&mut bob, file.len()).await;
}

#[tokio::test]
async fn a_private_file_was_fetched_when_all_of_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let (mut ann, mut bob) = (server.user("ann").await, server.user("bob").await);
    let file = bytes(3 * CHUNK, 1);
    let token = ann.share("bob", &file).await;
    let until = || SqliteFiles::open(folder.path()).unwrap().find(&token).unwrap().unwrap().until;
    let long = until();
    for (from, is_long) in [(CHUNK, true), (file.len(), true), (0, false)] {
        bob.fetch(&token, from, file.len()).await;
        // It is answered when the end of the fetch was seen to.
        bob.get("no-such-file-at-all", 0, 0).await;
        assert_eq!(until() == long, is_long, "from {from}");
    }
}

#[tokio::test]
async fn what_was_written_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = bytes(9 * CHUNK + 7, 1);
    let whole = bytes(3 * CHUNK, 2);
    let (token, shared) = {
        let server = FileServer::open(config(), folder.path()).await;
        let mut ann = server.user("ann").await;
        let shared = ann.share("ALL", &whole).await;
        let begun = ann.put("ALL", "x", &file).await;
        let token = begun.file.unwrap().as_wire().to_owned();
        for at in (0..4 * CHUNK).step_by(CHUNK) {
            ann.piece(&token, at, &file[at..at + CHUNK]).await;
        }
        ann.get("no-such-file-at-all", 0, 0).await;
        server.server.stop().await;
        (token, shared)
    };
    // What belongs to nobody is removed at the start.
    std::fs::write(folder.path().join("files").join("A".repeat(22)), b"left behind").unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let mut ann = server.user("ann").await;
    let again = ann.put("ALL", "x", &file).await;
    assert_eq!(
        (again.file.as_ref().unwrap().as_wire(), again.at),
        (&*token, Some(4 * CHUNK as u64))
    );
    let done = ann.send(&again, &file).await;
    assert!(done.is_done, "{done:?}");
    assert!(ann.announce("ALL", &token).await);
    let mut bob = server.user("bob").await;
    assert_eq!(bob.fetch(&token, 0, file.len()).await, file);
    assert_eq!(bob.fetch(&shared, CHUNK + 3, whole.len()).await, whole[CHUNK + 3..]);
    wait_until(|| server.spooled().0 == 2).await;
}

#[tokio::test]
async fn what_an_address_has_begun_is_counted_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    // An address may have 2,000 bytes begun.
    let config = Config { file_size: 1_000, file_total: 8_000, ..config() };
    {
        let server = FileServer::open(config.clone(), folder.path()).await;
        let mut ann = server.user("ann").await;
        for seed in [1, 2] {
            assert_eq!(code(&ann.put("ALL", "x", &bytes(900, seed)).await), None);
        }
        server.server.stop().await;
    }
    let server = FileServer::open(config, folder.path()).await;
    let mut ann = server.user("ann").await;
    let refused = ann.put("ALL", "x", &bytes(900, 3)).await;
    assert_eq!(code(&refused), Some("too-many"), "{refused:?}");
    // One of the two is finished, so there is room for another one.
    let again = ann.put("ALL", "x", &bytes(900, 1)).await;
    assert!(ann.send(&again, &bytes(900, 1)).await.is_done);
    assert_eq!(code(&ann.put("ALL", "x", &bytes(900, 3)).await), None);
}

/// Waits for something that a task does in its own time.
async fn wait_until(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(harness::PATIENCE, waiting).await.expect("it happens in time");
}

#[tokio::test]
async fn a_removed_account_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let mut ann = server.user("ann").await;
    let token = ann.share("ALL", &bytes(100, 1)).await;
    let mut bob = server.user("bob").await;
    assert_eq!(bob.fetch(&token, 0, 100).await.len(), 100);
    let mut directory = SqliteDirectory::open(folder.path()).unwrap();
    directory.remove(&Username::parse("ann").unwrap()).unwrap();
    assert_eq!(code(&bob.get(&token, 0, 100).await), Some("expired"));
}

#[tokio::test]
async fn two_transfers_run_and_a_third_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::open(config(), folder.path()).await;
    let mut ann = server.user("ann").await;
    let token = ann.share("ALL", &bytes(3 * CHUNK, 1)).await;
    assert_eq!(code(&ann.get(&token, 0, CHUNK).await), None);
    assert_eq!(code(&ann.put("ALL", "x", &bytes(CHUNK, 2)).await), None);
    assert_eq!(code(&ann.put("ALL", "x", &bytes(CHUNK, 3)).await), Some("busy"));
}

/// A guest of a program that runs by itself, who has got an account.
async fn registered(server: &Running, name: &str) -> Client {
    let mut client = over(server, name, "").await;
    let password = harness::accounts::PASSWORD;
    let body =
        format!(r#"{{"COMMAND": {{"ID": "r", "NAME": "register", "ARGS": ["{password}"]}}}}"#);
    client.peer.send_body(&body).await;
    let result = client.peer.find(|keys| keys.result.clone()).await;
    assert!(result.ok, "{result:?}");
    client
}

async fn over(server: &Running, name: &str, beside: &str) -> Client {
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    Client::over(Peer::over(stream), name, beside).await
}

#[tokio::test]
async fn a_kill_leaves_what_can_be_gone_on_with_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let arguments = ["127.0.0.1", "-p", "0", "--plaintext", "--file-free", "0", "--data", data];
    let (half, whole) = (bytes(40 * CHUNK, 1), bytes(3 * CHUNK, 2));
    let (shared, token) = {
        let server = Running::start(&arguments);
        let mut ann = registered(&server, "ann").await;
        let shared = ann.share("ALL", &whole).await;
        let begun = ann.put("ALL", "x", &half).await;
        let token = begun.file.unwrap().as_wire().to_owned();
        for at in (0..8 * CHUNK).step_by(CHUNK) {
            ann.piece(&token, at, &half[at..at + CHUNK]).await;
        }
        server.signal(rustix::process::Signal::KILL);
        server.end();
        (shared, token)
    };
    let orphan = folder.path().join("files").join("A".repeat(22));
    std::fs::write(&orphan, b"left behind").unwrap();
    let server = Running::start(&arguments);
    let mut ann =
        over(&server, "ann", &harness::accounts::password(harness::accounts::PASSWORD)).await;
    wait_until(|| !orphan.exists()).await;
    assert!(!ann.announce("ALL", &token).await, "half of it is there");
    let again = ann.put("ALL", "x", &half).await;
    assert_eq!(again.file.as_ref().unwrap().as_wire(), token);
    assert!(again.at.unwrap() <= 8 * CHUNK as u64, "{again:?}");
    assert!(ann.send(&again, &half).await.is_done);
    assert!(ann.announce("ALL", &token).await);
    for (token, bytes) in [(&token, &half), (&shared, &whole)] {
        assert_eq!(&ann.fetch(token, 0, bytes.len()).await, bytes);
    }
}
