//! The gateway for browsers once it speaks WebSocket: everything that holds for a connection of the protocol holds there, too.
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
use chatterbox_server::Config;
use harness::unlimited;
use harness::web::{Browser, Event, WebServer, frame};
use serde_json::{Value, json};

const NOTICES: &str = "ids/1 notices/1 ping/1";

/// CODE of the last message, which has to be CLOSED.
fn closed(messages: &[Value]) -> &str {
    messages.last().expect("it is told why")["CLOSED"]["CODE"].as_str().unwrap()
}

#[tokio::test]
async fn browsers_and_others_talk_with_each_other() {
    let server = WebServer::start(unlimited()).await;
    let mut bob = server.peer("bob").await;
    let (mut ann, _) = server.join("ann", NOTICES).await;
    ann.say("ann", "from the page").await;
    bob.until("from the page").await;
    ann.until("from the page").await;
    bob.say("ALL", "from a frame").await;
    ann.until("from a frame").await;
    // Long ones in both directions, whose headers are longer.
    for length in [125, 126, 200, 60_000, 70_000, 200_000] {
        let (to, from) = ("t".repeat(length), "f".repeat(length));
        ann.say("ann", &to).await;
        bob.until(&to).await;
        ann.until(&to).await;
        bob.say("ALL", &from).await;
        ann.until(&from).await;
    }
    bob.say("ann", "alone").await;
    ann.until("alone").await;
    ann.send(r#"{"PING": 7}"#).await;
    assert_eq!(ann.next_json().await["PONG"], json!(7));
    server.stop().await;
}

#[tokio::test]
async fn what_comes_with_the_request_is_not_lost() {
    let server = WebServer::start(unlimited()).await;
    let mut browser = server.connect().await;
    let head = server.upgrade(&format!("Origin: {}\r\n", server.origin()));
    let join = frame(0x81, br#"{"USERNAME": "ann"}"#);
    let (one, two) = join.split_at(7);
    browser.send_bytes(&[head.as_bytes(), one].concat()).await;
    assert_eq!(browser.answer(true).await.unwrap().status, 101);
    browser.send_bytes(two).await;
    assert_eq!(browser.next_json().await["USERNAME_ACCEPTED"], json!(true));
}

#[tokio::test]
async fn the_limit_that_is_told_is_the_limit() {
    let config = Config { max_frame: 70_000, ..unlimited() };
    let server = WebServer::start(config).await;
    let (mut ann, welcome) = server.join("ann", NOTICES).await;
    assert_eq!(welcome["LIMITS"]["FRAME"], json!(70_000));
    let with = |length: usize| {
        let text = r#"{"MESSAGES": [["ann", "ALL", 1, ""]]}"#;
        text.replace(r#""""#, &format!(r#""{}""#, "x".repeat(length - text.len())))
    };
    // In one frame, and in fragments.
    ann.send(&with(70_000)).await;
    assert!(ann.next_json().await.get("ERROR").is_none());
    let long = with(70_000);
    let (one, two) = long.as_bytes().split_at(35_000);
    ann.send_bytes(&[frame(0x01, one), frame(0x80, two)].concat()).await;
    assert!(ann.next_json().await.get("ERROR").is_none());
    ann.send_bytes(&frame(0x81, with(70_001).as_bytes())).await;
    let (messages, code) = ann.rest().await;
    assert_eq!((closed(&messages), code), ("protocol", Some(1009)));

    let (mut bob, _) = server.join("bob", NOTICES).await;
    bob.send_bytes(&[frame(0x01, one), frame(0x00, two), frame(0x80, b" ")].concat()).await;
    let (messages, code) = bob.rest().await;
    assert_eq!((closed(&messages), code), ("protocol", Some(1009)));

    // A tebibyte, of which nothing is waited for.
    let (mut cyd, _) = server.join("cyd", NOTICES).await;
    let tebibyte = [&[0x81, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    cyd.send_bytes(&tebibyte).await;
    let (messages, code) = cyd.rest().await;
    assert_eq!((closed(&messages), code), ("protocol", Some(1009)));
    // Who has not joined may send less.
    let mut stranger = server.open().await;
    stranger.send_bytes(&frame(0x81, with(70_000).as_bytes())).await;
    let (messages, code) = stranger.rest().await;
    assert!(messages[0]["ERROR"].as_str().unwrap().contains("FR-5"), "{messages:?}");
    assert_eq!(code, Some(1009));
    let mut stranger = server.open().await;
    stranger.send_bytes(&tebibyte).await;
    let (messages, code) = stranger.rest().await;
    assert!(messages[0]["ERROR"].as_str().unwrap().contains("FR-5"), "{messages:?}");
    assert_eq!(code, Some(1009));
}

#[tokio::test]
async fn what_is_no_text_message_is_closed_with_its_code() {
    let server = WebServer::start(unlimited()).await;
    let mut bob = server.peer("bob").await;
    for (place, (bytes, expected)) in [
        (frame(0x82, b"{}"), 1003),
        (b"\x81\x02{}xxxx".to_vec(), 1002),
        (frame(0xc1, b"{}"), 1002),
        (frame(0x80, b"{}"), 1002),
        (frame(0x81, b"\"\xff\""), 1007),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("u{place}");
        let (mut browser, _) = server.join(&name, NOTICES).await;
        browser.send_bytes(&bytes).await;
        let (_, code) = browser.rest().await;
        assert_eq!(code, Some(expected), "{bytes:x?}");
        bob.sees_leave(&name).await;
    }
}

#[tokio::test]
async fn fragments_and_pings_between_them_are_put_together() {
    let server = WebServer::start(unlimited()).await;
    let (mut ann, _) = server.join("ann", NOTICES).await;
    let text = r#"{"MESSAGES": [["ann", "ALL", 1, "in parts, é"]]}"#.as_bytes();
    for (place, byte) in text.iter().enumerate() {
        let first = if place == 0 { 0x01 } else { 0x00 };
        let last = if place + 1 == text.len() { 0x80 } else { 0 };
        ann.send_bytes(&frame(first | last, &[*byte])).await;
        if place == 20 {
            ann.send_bytes(&frame(0x89, b"between")).await;
            assert_eq!(ann.next().await, Event::Pong(b"between".to_vec()));
        }
    }
    ann.until("in parts, é").await;
    ann.send_bytes(&frame(0x89, &[b'p'; 125])).await;
    assert_eq!(ann.next().await, Event::Pong(vec![b'p'; 125]));
    ann.send_bytes(&frame(0x89, b"").repeat(500)).await;
    let (_, code) = ann.rest().await;
    assert_eq!(code, Some(1008), "a flood of pings");
}

#[tokio::test]
async fn who_says_good_bye_is_answered_and_who_does_not_leaves_too() {
    let server = WebServer::start(unlimited()).await;
    let mut bob = server.peer("bob").await;
    let (mut ann, _) = server.join("ann", NOTICES).await;
    ann.say("ann", "the last word").await;
    ann.send_bytes(&frame(0x88, &[3, 0xe9, b'b', b'y', b'e'])).await;
    bob.until("the last word").await;
    bob.sees_leave("ann").await;
    let (messages, code) = ann.rest().await;
    assert_eq!(code, Some(1001));
    assert!(messages.iter().any(|one| one["MESSAGES"][0][3] == "the last word"), "{messages:?}");
    let (cyd, _) = server.join("cyd", NOTICES).await;
    drop(cyd);
    bob.sees_leave("cyd").await;
}

#[tokio::test]
async fn a_shutdown_is_told_and_the_close_frame_is_the_last() {
    let config = Config { grace: Duration::from_secs(1), ..Config::default() };
    let server = WebServer::start(config).await;
    let (mut ann, _) = server.join("ann", NOTICES).await;
    let stranger = server.open().await;
    let request = server.connect().await;
    server.stop.send_modify(|count| *count += 1);
    let (messages, code) = ann.rest().await;
    assert!(messages.iter().any(|one| one["NOTICES"][0]["CODE"] == "shutdown"), "{messages:?}");
    assert_eq!((closed(&messages), code), ("shutdown", Some(1001)));
    for mut browser in [stranger, request] {
        assert!(matches!(browser.next().await, Event::Close(Some(1001)) | Event::End));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_full_house_is_told() {
    let config = Config { max_per_address: 2, ..Config::default() };
    let server = WebServer::start(config).await;
    let bob = server.peer("bob").await;
    let (mut ann, _) = server.join("ann", NOTICES).await;
    let mut more = server.open().await;
    let (messages, code) = more.rest().await;
    assert_eq!(messages.len(), 1);
    let error = messages[0]["ERROR"].as_str().unwrap();
    assert!(error.contains("too many connections"), "{error}");
    assert_eq!(code, Some(1013));
    // Both kinds have the same places.
    drop(bob);
    loop {
        if ann.next_json().await["USERS_LEFT"] == json!(["bob"]) {
            break;
        }
    }
    let mut again = server.open().await;
    loop {
        again.send(r#"{"USERNAME": "cyd"}"#).await;
        match again.next().await {
            Event::Text(text) if text.contains("USERNAME_ACCEPTED") => break,
            // Who leaves is gone from the room before its socket is.
            _ => again = server.open().await,
        }
    }
    ann.say("ann", "hello").await;
    again.until("hello").await;
}

#[tokio::test]
async fn a_browser_that_stops_reading_is_a_slow_consumer() {
    let config = Config {
        stall_timeout: Duration::from_secs(1),
        timeline: TimelineLimits { bytes: 4 * 1024 * 1024, ..TimelineLimits::default() },
        ..unlimited()
    };
    let server = WebServer::start(config).await;
    let (slow, _) = server.join("slow", NOTICES).await;
    let mut bob = server.peer("bob").await;
    let (mut ann, _) = server.join("ann", NOTICES).await;
    let text = "x".repeat(60_000);
    let gone = async {
        for place in 0.. {
            ann.say("ann", &format!("{text}{place}")).await;
            loop {
                let frame = bob.next().await;
                if frame.left.iter().any(|left| left.as_wire() == "slow") {
                    return;
                }
                if frame.messages.is_some_and(|all| {
                    all.iter().any(|one| one.content.ends_with(&place.to_string()))
                }) {
                    break;
                }
            }
            // The own connection is read, too.
            ann.until(&format!("{text}{place}")).await;
        }
    };
    tokio::time::timeout(harness::PATIENCE * 4, gone).await.expect("it is put out");
    drop::<Browser>(slow);
}

#[tokio::test]
async fn a_session_goes_on_over_another_connection() {
    let server = WebServer::start(unlimited()).await;
    let mut bob = server.peer("bob").await;
    let (mut ann, welcome) = server.join("ann", NOTICES).await;
    bob.say("ALL", "before").await;
    ann.until("before").await;
    let token = welcome["RESUME"].as_str().unwrap();
    let mut again = server.open().await;
    again
        .send(&format!(
            r#"{{"USERNAME": "ann", "CAPABILITIES": "{NOTICES}", "RESUME": {{"TOKEN": "{token}", "AFTER": 0}}}}"#
        ))
        .await;
    let welcome = again.next_json().await;
    assert_eq!(welcome["USERNAME_ACCEPTED"], json!(true), "{welcome}");
    let (messages, code) = ann.rest().await;
    assert_eq!((closed(&messages), code), ("replaced", Some(1000)));
    bob.say("ALL", "after").await;
    again.until("after").await;
}
