//! Compressed frames over real sockets: clause by clause of docs/capabilities.md (ZS-1 to ZS-4).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use bytes::Bytes;
use chatterbox_proto::{ServerFrame, frame};
use chatterbox_server::Config;
use chatterbox_zstd::Codec;
use harness::accounts::{AccountServer, PASSWORD, password};
use harness::{Peer, Server, unlimited};

const ZSTD: &str = "ids/1 ping/1 zstd/1";

fn long(text: &str) -> String {
    format!(
        "{text}: {}",
        "what is said here again and again can be said in fewer bytes; ".repeat(60)
    )
}

async fn joined(server: &Server, name: &str, offered: &str) -> (Peer, ServerFrame) {
    let mut peer = server.connect().await;
    let welcome = peer.offer(name, offered, "").await;
    assert_eq!(welcome.accepted, Some(true), "{welcome:?}");
    (peer, welcome)
}

fn contents(frame: &ServerFrame) -> Vec<String> {
    frame.messages.iter().flatten().map(|message| message.content.to_string()).collect()
}

fn message(name: &str, to: &str, text: &str) -> String {
    format!(r#"{{"MESSAGES": [["{name}", "{to}", 1, "{text}"]]}}"#)
}

/// A compressed body behind its length.
fn packed(body: &[u8]) -> Bytes {
    Codec::new().compressed(body).unwrap()
}

#[tokio::test]
async fn a_batch_is_compressed_for_the_second_who_takes_it_and_for_nobody_without_the_agreement() {
    let server = Server::start(unlimited()).await;
    let (mut carl, _) = server.join("carl").await;
    let (mut dan, _) = joined(&server, "dan", "ids/1 ping/1").await;
    let mut all = Vec::new();
    for name in ["ann", "bob", "ben"] {
        all.push(joined(&server, name, ZSTD).await.0);
    }
    // From here on all of them are at one place, so they get one batch.
    carl.say("ALL", "hello").await;
    for peer in all.iter_mut().chain([&mut carl, &mut dan]) {
        peer.until("hello").await;
    }
    let text = long("to all");
    carl.say("ALL", &text).await;
    let mut compressed = 0;
    for peer in &mut all {
        peer.until(&text).await;
        compressed += usize::from(peer.was_compressed);
    }
    assert_eq!(compressed, 2, "all but the first");
    for plain in [&mut carl, &mut dan] {
        plain.until(&text).await;
        assert!(!plain.was_compressed);
    }
    // Short ones, and what only one of them gets.
    carl.say("ALL", "short").await;
    let private = long("to ann");
    for peer in &mut all {
        peer.until("short").await;
        assert!(!peer.was_compressed);
    }
    carl.say("ann", &private).await;
    all[0].until(&private).await;
    assert!(!all[0].was_compressed);
    server.stop().await;
}

#[tokio::test]
async fn a_welcome_is_compressed_unless_something_in_it_is_private_or_its_session_goes_on() {
    let server = Server::start(unlimited()).await;
    let (mut carl, _) = server.join("carl").await;
    let texts: Vec<String> = (0..20).map(|n| long(&format!("text {n} \u{e9}"))).collect();
    for text in &texts {
        carl.say("ALL", text).await;
        carl.until(text).await;
    }
    // With and without escapes, which are undone while it is compressed.
    for (name, offered) in [("ann", ZSTD), ("bob", "ids/1 ping/1 utf8/1 zstd/1")] {
        let (peer, welcome) = joined(&server, name, offered).await;
        assert!(peer.was_compressed);
        assert_eq!(contents(&welcome), texts);
    }
    let (ann, welcome) = joined(&server, "anna", ZSTD).await;
    drop(ann);
    carl.sees_leave("anna").await;
    let token = welcome.keys.unwrap().resume.unwrap().as_wire().to_owned();
    let mut again = server.connect().await;
    let resume = format!(r#", "RESUME": {{"TOKEN": "{token}", "AFTER": 0}}"#);
    let welcome = again.offer("anna", ZSTD, &resume).await;
    assert_eq!(contents(&welcome), texts);
    assert_eq!(welcome.keys.unwrap().resumed, Some(true));
    assert!(!again.was_compressed, "its RESUME is the same each time");
    let (mut dora, _) = joined(&server, "dora", ZSTD).await;
    carl.say("dora", "in private").await;
    dora.until("in private").await;
    drop(dora);
    carl.sees_leave("dora").await;
    let (dora, welcome) = joined(&server, "dora", ZSTD).await;
    assert!(contents(&welcome).contains(&"in private".to_owned()));
    assert!(!dora.was_compressed);
    // Who does not offer it gets it plain.
    let (dan, welcome) = joined(&server, "dan", "ids/1").await;
    assert!(!dan.was_compressed && contents(&welcome) == texts);
    server.stop().await;
}

#[tokio::test]
async fn pages_of_the_lobby_are_compressed_and_those_of_two_are_not() {
    let server = Server::start(unlimited()).await;
    let (mut ann, _) = joined(&server, "ann", ZSTD).await;
    let (mut bob, _) = joined(&server, "bob", ZSTD).await;
    for n in 0..5 {
        let (public, private) = (long(&format!("{n} to all")), long(&format!("{n} to bob")));
        ann.say("ALL", &public).await;
        ann.say("bob", &private).await;
        bob.until(&private).await;
    }
    for (with, compressed) in [("ALL", true), ("ann", false)] {
        bob.send_body(&format!(r#"{{"HISTORY": {{"WITH": "{with}"}}}}"#)).await;
        let page = bob.find(|keys| keys.history.clone()).await;
        assert_eq!((page.messages.len(), bob.was_compressed), (5, compressed), "{with}");
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_of_a_room_are_compressed_where_everybody_may_read_them() {
    let chat = AccountServer::with(unlimited(), &[("ann", 1)]).await;
    let offered = "accounts/1 commands/1 ids/1 ping/1 rename/1 rooms/1 zstd/1";
    let mut ann = chat.speaking("ann", offered, &password(PASSWORD)).await;
    assert!(ann.call("create-room", &["#lab"]).await.ok);
    for n in 0..5 {
        ann.peer.say("#lab", &long(&format!("{n} in the room"))).await;
    }
    for (setting, compressed) in [
        (None, true),
        (Some(("closed", "on")), false),
        (Some(("closed", "off")), true),
        (Some(("show", "joined")), false),
    ] {
        if let Some((setting, value)) = setting {
            assert!(ann.call("set-room", &["#lab", setting, value]).await.ok);
        }
        ann.peer.send_body(r##"{"HISTORY": {"WITH": "#lab"}}"##).await;
        let page = ann.peer.find(|keys| keys.history.clone()).await;
        let found = (page.messages.len(), ann.peer.was_compressed);
        assert_eq!(found, (5, compressed), "{setting:?}");
    }
}

#[tokio::test]
async fn a_client_may_send_compressed_frames_and_no_bombs() {
    let config = Config { max_frame: 1 << 20, ..unlimited() };
    let server = Server::start(config).await;
    let (mut ann, welcome) = joined(&server, "ann", ZSTD).await;
    let limits = welcome.keys.unwrap().limits.unwrap();
    assert_eq!((limits.frame, limits.inflated), (Some(1 << 20), Some(1 << 20)));
    let (mut bob, _) = server.join("bob").await;
    let text = long("compressed");
    ann.send(&packed(message("ann", "ALL", &text).as_bytes())).await;
    bob.until(&text).await;
    // Of the longest body, and of one byte more.
    for spaces in [0, 1] {
        let mut body = message("ann", "ALL", &long(&format!("{spaces} spaces"))).into_bytes();
        body.resize((1 << 20) + spaces, b' ');
        ann.send(&packed(&body)).await;
    }
    assert!(ann.error().await.contains("ZS-2"));
    bob.until(&long("0 spaces")).await;
    // A frame in a frame is no JSON.
    let inner = packed(&[b' '; 200_000]);
    let mut body = inner[4..].to_vec();
    body.resize(9_000, 0);
    ann.send(&packed(&body)).await;
    assert!(ann.error().await.contains("JS-3"));
    ann.say("ALL", "still here").await;
    assert_eq!(bob.until("still here").await, ["still here"]);
    // Who did not agree to it sends no JSON.
    bob.send(&packed(message("bob", "ALL", &text).as_bytes())).await;
    assert!(bob.error().await.contains("JS-3"));
    server.stop().await;
}

#[tokio::test]
async fn bombs_without_end_are_refused_and_leave_the_connection_usable() {
    let server = Server::start(unlimited()).await;
    let (mut ann, _) = joined(&server, "ann", ZSTD).await;
    let bomb = packed(&vec![b' '; 32 << 20]);
    assert!(bomb.len() < 10_000);
    for _ in 0..200 {
        ann.send(&bomb).await;
        assert!(ann.error().await.contains("LIMITS.INFLATED"));
    }
    let broken = frame::encode(&bomb[4..bomb.len() - 1]).unwrap();
    ann.send(&broken).await;
    assert!(ann.error().await.contains("ZS-2"));
    ann.say("ALL", "still here").await;
    ann.until("still here").await;
    server.stop().await;
}
