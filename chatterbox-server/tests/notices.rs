//! What who agreed to `notices` is told in objects: what all should know, and why a connection ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::time::Duration;

use chatterbox_hub::TimelineLimits;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::{frame, limits};
use chatterbox_server::Config;
use harness::accounts::{AccountServer, PASSWORD, password};
use harness::{PATIENCE, Peer, Server, unlimited};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

const NOTICES: &str = "ids/1 notices/1 ping/1";
const ALL_OF_THEM: &str = "accounts/1 commands/1 ids/1 notices/1 ping/1 rename/1";

async fn joined(server: &Server, name: &str, offered: &str, beside: &str) -> (Peer, Value) {
    let mut peer = server.connect().await;
    let body = format!(r#"{{"USERNAME": "{name}", "CAPABILITIES": "{offered}"{beside}}}"#);
    peer.send_body(&body).await;
    let welcome = next(&mut peer).await.unwrap();
    assert_eq!(welcome["USERNAME_ACCEPTED"], json!(true), "{welcome}");
    (peer, welcome)
}

async fn next(peer: &mut Peer) -> Option<Value> {
    peer.try_next_body().await.map(|body| serde_json::from_slice(&body).unwrap())
}

/// All frames until the connection ends.
async fn rest(peer: &mut Peer) -> Vec<Value> {
    let mut all = Vec::new();
    while let Some(frame) = next(peer).await {
        all.push(frame);
    }
    all
}

/// The code and RETRY of the end, which has to be told in the last frame beside ERROR, and nowhere else.
fn closed(frames: &[Value]) -> (String, Value) {
    let (last, before) = frames.split_last().expect("it is told why");
    assert!(before.iter().all(|frame| frame.get("CLOSED").is_none()), "{frames:?}");
    assert!(last["ERROR"].as_str().is_some_and(|text| !text.is_empty()), "{last}");
    let closed = last["CLOSED"].as_object().unwrap_or_else(|| panic!("{last}"));
    assert!(closed["INFO"].as_str().is_some_and(|text| !text.is_empty()), "{last}");
    assert!(closed.len() == 4 && closed["UNTIL"].is_null(), "{last}");
    (closed["CODE"].as_str().unwrap().to_owned(), closed["RETRY"].clone())
}

fn contents(frames: &[Value]) -> Vec<&str> {
    let messages = frames.iter().filter_map(|frame| frame["MESSAGES"].as_array()).flatten();
    messages.map(|message| message[3].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_shutdown_is_a_notice_and_then_the_end_and_a_message_for_others() {
    let config = Config { grace: Duration::from_secs(1), ..Config::default() };
    let server = Server::start(config).await;
    let (mut told, _) = joined(&server, "told", NOTICES, "").await;
    let (mut ids, _) = joined(&server, "ids", "ids/1", "").await;
    let (mut base, _) = server.join("base").await;
    base.say("ALL", "before").await;
    base.until("before").await;
    server.stop.send_modify(|count| *count += 1);
    let frames = rest(&mut told).await;
    assert_eq!(contents(&frames), ["before"], "no message of SERVER");
    let notices: Vec<_> = frames.iter().filter_map(|frame| frame.get("NOTICES")).collect();
    let info = "The server is shutting down in 1 s.";
    assert_eq!(notices, [&json!([{"CODE": "shutdown", "INFO": info, "WAIT": 1}])]);
    assert_eq!(closed(&frames), ("shutdown".to_owned(), json!(5)));
    let frames = rest(&mut ids).await;
    assert_eq!(contents(&frames), ["before", info]);
    assert!(frames.iter().all(|frame| frame.get("NOTICES").is_none()));
    assert!(frames.iter().all(|frame| frame.get("ERROR").is_none()), "as before");
    let notice = frames.iter().find(|frame| contents(std::slice::from_ref(*frame)) == [info]);
    let notice = notice.unwrap();
    assert_eq!((&notice["IDS"], &notice["TIMES"]), (&json!([null]), &json!([null])));
    let body = base.next_body().await;
    assert!(body.starts_with(r#"{"MESSAGES": [["SERVER", "ALL", "#), "{body}");
    assert!(body.ends_with(&format!(r#", "{info}"]]}}"#)), "{body}");
    assert!(rest(&mut base).await.is_empty());
}

#[tokio::test]
async fn a_shutdown_says_when_the_server_is_expected_back() {
    let back_in = Some(Duration::from_secs(600));
    let config = Config { grace: Duration::from_secs(1), back_in, ..Config::default() };
    let server = Server::start(config).await;
    let (mut told, _) = joined(&server, "told", NOTICES, "").await;
    let (mut base, _) = server.join("base").await;
    server.stop.send_modify(|count| *count += 1);
    let info = "The server is shutting down in 1 s. It is expected back 10 min later.";
    let frames = rest(&mut told).await;
    let notices: Vec<_> = frames.iter().filter_map(|frame| frame.get("NOTICES")).collect();
    assert_eq!(notices, [&json!([{"CODE": "shutdown", "INFO": info, "WAIT": 1}])]);
    assert_eq!(closed(&frames), ("shutdown".to_owned(), json!(600)));
    let body = base.next_body().await;
    assert!(body.starts_with(r#"{"MESSAGES": [["SERVER", "ALL", "#), "{body}");
    assert!(body.ends_with(&format!(r#", "{info}"]]}}"#)), "{body}");
    assert!(rest(&mut base).await.is_empty(), "nothing that the base protocol does not know");
}

#[tokio::test]
async fn who_is_replaced_is_told_so() {
    let server = Server::start(Config::default()).await;
    for (name, offered, has_closed) in [("ann", NOTICES, true), ("bob", "ids/1", false)] {
        let (mut old, welcome) = joined(&server, name, offered, "").await;
        let token = welcome["RESUME"].as_str().unwrap();
        let resume = format!(r#", "RESUME": {{"TOKEN": "{token}", "AFTER": 0}}"#);
        let (again, _) = joined(&server, name, offered, &resume).await;
        let frames = rest(&mut old).await;
        if has_closed {
            assert_eq!(closed(&frames), ("replaced".to_owned(), Value::Null));
        } else {
            let keys: Vec<_> = frames.last().unwrap().as_object().unwrap().keys().collect();
            assert_eq!(keys, ["ERROR"]);
        }
        drop(again);
    }
}

#[tokio::test]
async fn who_sends_what_ends_a_connection_is_told_so_once() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = joined(&server, "ann", NOTICES, "").await;
    ann.send_body(r#"{"MESSAGES": [["ann", "ALL", 1, "x"], 5]}"#).await;
    ann.send(&u32::MAX.to_be_bytes()).await;
    let frames = rest(&mut ann).await;
    assert_eq!(closed(&frames), ("protocol".to_owned(), Value::Null));
    assert_eq!(contents(&frames), ["x"], "what came before is delivered");
    let errors = frames.iter().filter_map(|frame| frame["ERROR"].as_str());
    assert_eq!(errors.filter(|text| text.contains("FR-5")).count(), 1, "{frames:?}");
    let (mut bob, _) = joined(&server, "bob", "ids/1", "").await;
    bob.send(&u32::MAX.to_be_bytes()).await;
    let frames = rest(&mut bob).await;
    let last = frames.last().unwrap();
    assert!(last["ERROR"].as_str().unwrap().contains("FR-5") && last.get("CLOSED").is_none());
}

#[tokio::test]
async fn the_end_of_a_login_is_told_wherever_it_comes_from() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1), ("root", 5)]).await;
    let login = password(PASSWORD);
    let (mut ann, _) = joined(&chat.server, "ann", ALL_OF_THEM, &login).await;
    ann.send_body(r#"{"COMMAND": {"ID": "1", "NAME": "logout", "ARGS": []}}"#).await;
    let frames = rest(&mut ann).await;
    assert_eq!(closed(&frames), ("logout".to_owned(), Value::Null));
    assert!(frames.iter().any(|frame| frame["RESULT"]["OK"] == json!(true)), "{frames:?}");

    let mut root = chat.user("root").await;
    let (mut bob, _) = joined(&chat.server, "bob", ALL_OF_THEM, &login).await;
    assert_eq!(root.code_of("user-del", &["bob"]).await, "ok");
    assert_eq!(closed(&rest(&mut bob).await), ("logout".to_owned(), Value::Null));
}

#[tokio::test]
async fn who_does_not_read_is_told_when_to_come_back() {
    let timeline = TimelineLimits { events: 256, bytes: 1 << 20 };
    let server = Server::plaintext(Config { timeline, ..unlimited() }).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = socket.connect(server.address).await.unwrap();
    let join = br#"{"USERNAME": "slow", "CAPABILITIES": "notices/1"}"#;
    slow.write_all(&frame::encode(join).unwrap()).await.unwrap();
    let mut start = vec![0; 8];
    slow.read_exact(&mut start).await.unwrap();
    let (mut ann, _) = server.join("ann").await;
    let text = "x".repeat(20_000);
    let mut gone = false;
    for _ in 0..10_000 {
        ann.say("ALL", &text).await;
        let mut echoed = false;
        while !echoed {
            let frame = ann.next().await;
            gone |= frame.left.iter().any(|left| left.as_wire() == "slow");
            echoed = frame.messages.is_some();
        }
        if gone {
            break;
        }
    }
    assert!(gone, "slow is removed at last");
    let _ = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut start)).await.unwrap();
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    decoder.push(&start);
    let bodies = std::iter::from_fn(|| decoder.next_body().unwrap());
    let frames: Vec<Value> = bodies.map(|body| serde_json::from_slice(&body).unwrap()).collect();
    assert_eq!(closed(&frames), ("slow".to_owned(), json!(1)));
}
