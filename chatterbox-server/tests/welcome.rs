//! What a welcome has beside the base protocol: a server that tells of itself, and fewer messages (CP-13, RC-1).
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod harness;

use chatterbox_proto::ServerFrame;
use chatterbox_server::Config;
use harness::{Peer, Server};

const IDS: &str = "ids/1 ping/1";
const RECENT: &str = "ids/1 recent/1";

fn contents(frame: &ServerFrame) -> Vec<String> {
    frame.messages.iter().flatten().map(|message| message.content.to_string()).collect()
}

fn ids(frame: &ServerFrame) -> Vec<Option<u64>> {
    frame.keys.as_ref().and_then(|keys| keys.ids.clone()).unwrap_or_default()
}

fn token(welcome: &ServerFrame) -> String {
    welcome.keys.as_ref().unwrap().resume.as_ref().unwrap().as_wire().to_owned()
}

async fn joined(server: &Server, name: &str, offered: &str) -> (Peer, ServerFrame) {
    let mut peer = server.connect().await;
    let welcome = peer.offer(name, offered, "").await;
    assert_eq!(welcome.accepted, Some(true), "{welcome:?}");
    (peer, welcome)
}

#[tokio::test]
async fn a_server_tells_of_itself_who_offers() {
    let name = Some("Lab \u{1f44d}".to_owned());
    let server = Server::start(Config { server_name: name, ..Config::default() }).await;
    let (_ann, welcome) = joined(&server, "ann", IDS).await;
    let told = welcome.keys.unwrap().server.unwrap();
    assert_eq!(told.name.unwrap().as_wire(), "Lab \u{1f44d}");
    // What is kept of them, everybody is told who can be (AN-7).
    let banner = told.banner.unwrap();
    assert!(banner.as_wire().starts_with("Kept here: "), "{banner:?}");
    let mut bob = server.connect().await;
    bob.send_body(r#"{"USERNAME": "bob"}"#).await;
    assert!(!bob.next_body().await.contains("Lab"));
}

#[tokio::test]
async fn a_short_welcome_has_the_newest_and_says_whether_there_is_more() {
    let server = Server::start(Config::default()).await;
    let (mut ann, welcome) = joined(&server, "ann", IDS).await;
    let token = token(&welcome);
    for text in ["1", "2", "3"] {
        ann.say("ALL", text).await;
        ann.until(text).await;
    }
    for (n, expected, more) in
        [(0, &[][..], true), (2, &["2", "3"], true), (3, &["1", "2", "3"], false)]
    {
        let mut peer = server.connect().await;
        let recent = format!(r#", "RECENT": {n}"#);
        let welcome = peer.offer(&format!("r{n}"), RECENT, &recent).await;
        assert_eq!(
            (contents(&welcome), ids(&welcome).len()),
            (expected.iter().map(|t| (*t).to_owned()).collect(), expected.len())
        );
        let keys = welcome.keys.unwrap();
        assert_eq!((keys.more, keys.times.unwrap().len()), (Some(more), expected.len()));
    }
    // Without the number, or without the capability, it holds everything.
    let mut peer = server.connect().await;
    let welcome = peer.offer("every", RECENT, "").await;
    assert_eq!((contents(&welcome).len(), welcome.keys.unwrap().more), (3, None));
    let mut peer = server.connect().await;
    let offer = r#"{"USERNAME": "old", "CAPABILITIES": "ids/1", "RECENT": "x"}"#;
    peer.send_body(offer).await;
    let welcome = peer.next_body().await;
    assert!(welcome.contains(r#""3"]], "IDS": [1, 2, 3], "TIMES": ["#), "{welcome}");
    assert!(!welcome.contains("MORE"), "{welcome}");
    // A session that goes on gets what it has missed, however much that is; one that does not is an ordinary join.
    for (after, missed, more) in [(1, &["2", "3"][..], None), (99_999, &["3"], Some(true))] {
        let token = if after == 1 { token.as_str() } else { "unknown" };
        let name = if after == 1 { "ann" } else { "cyd" };
        let mut peer = server.connect().await;
        let beside =
            format!(r#", "RECENT": 1, "RESUME": {{"TOKEN": "{token}", "AFTER": {after}}}"#);
        let welcome = peer.offer(name, RECENT, &beside).await;
        assert_eq!(contents(&welcome), missed);
        let keys = welcome.keys.unwrap();
        assert_eq!((keys.more, keys.resumed), (more, Some(more.is_none())));
    }
    for wrong in ["-1", "1001", "1.0", "true", "null", r#""5""#] {
        let mut peer = server.connect().await;
        let body =
            format!(r#"{{"USERNAME": "wrong", "CAPABILITIES": "recent/1", "RECENT": {wrong}}}"#);
        peer.send_body(&body).await;
        assert!(peer.error().await.contains("RC-1"), "{wrong}");
    }
    server.join("wrong").await;
}
