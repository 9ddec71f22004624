//! The chat over real sockets: the decisions of docs/protocol.md one by one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use chatterbox_hub::{Keep, TimelineLimits};
use chatterbox_server::Config;
use harness::{Server, unlimited};

fn contents(frame: chatterbox_proto::ServerFrame) -> Vec<String> {
    frame.messages.unwrap().into_iter().map(|message| message.content.into_owned()).collect()
}

#[tokio::test]
async fn a_chat_over_tls() {
    let server = Server::start(Config::default()).await;
    let (mut ann, welcome) = server.join("ann").await;
    assert_eq!(welcome.info.unwrap().as_wire(), "Welcome, ann!");
    let (mut bob, welcome) = server.join("bob").await;
    let users: Vec<_> = welcome.user_list.unwrap();
    assert_eq!(users.iter().map(|user| user.as_wire()).collect::<Vec<_>>(), ["ann", "bob"]);
    assert_eq!(ann.next().await.joined[0].as_wire(), "bob");

    ann.say("ALL", "hello").await;
    ann.say("bob", "psst").await;
    ann.say("ALL", "bye").await;
    assert_eq!(bob.until("bye").await, ["hello", "psst", "bye"]);
    assert_eq!(ann.until("bye").await, ["hello", "bye"], "an echo of what goes to all");

    drop(ann);
    bob.sees_leave("ann").await;
    let (_, welcome) = server.join("cyd").await;
    assert_eq!(contents(welcome), ["hello", "bye"], "nobody else's private messages");
    drop(bob);
    server.stop().await;
}

#[tokio::test]
async fn history_holds_the_private_messages_of_its_reader() {
    let server = Server::plaintext(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    let (bob, _) = server.join("bob").await;
    for (to, text) in [("ALL", "1"), ("bob", "2"), ("ALL", "3")] {
        ann.say(to, text).await;
    }
    ann.until("3").await;
    drop(bob);
    ann.sees_leave("bob").await;
    let (_, welcome) = server.join("Bob").await;
    assert_eq!(contents(welcome), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_refused_name_harms_nobody_and_another_may_follow() {
    let server = Server::plaintext(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    let mut other = server.connect().await;
    for name in ["ann", "ANN", "a b", "ALL"] {
        let answer = other.ask(name).await;
        assert_eq!(answer.accepted, Some(false));
        assert!(answer.info.is_some());
    }
    drop(other);
    // B12: the end of the refused connection does not remove ann.
    let (mut bob, _) = server.join("bob").await;
    bob.say("Ann", "still there?").await;
    let seen = ann.next().await;
    assert_eq!(seen.joined[0].as_wire(), "bob");
    assert!(seen.left.is_empty());
    let seen = if seen.messages.is_some() { seen } else { ann.next().await };
    let message = &seen.messages.unwrap()[0];
    assert_eq!(message.destination, "ann", "delivered in the joined spelling");
}

#[tokio::test]
async fn the_tenth_refused_name_is_the_last() {
    let server = Server::plaintext(Config::default()).await;
    let mut peer = server.connect().await;
    for _ in 0..10 {
        assert_eq!(peer.ask("a b").await.accepted, Some(false));
    }
    assert!(peer.try_next().await.is_none());
}

#[tokio::test]
async fn invalid_input_is_answered_and_the_connection_stays() {
    let server = Server::plaintext(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    for (body, clause) in [
        ("xyz", "JS-1"),
        ("[1]", "JS-1"),
        ("{}", "IV-4"),
        ("", "FR-6"),
        (r#"{"X": 1}"#, "IV-4"),
        (r#"{"USERNAME": "bob"}"#, "NM-3"),
        (r#"{"USERNAME": 5}"#, "NM-1"),
        (r#"{"MESSAGES": 5}"#, "MM-1"),
        (r#"{"MESSAGES": [["ann", "ALL", 1]]}"#, "T4-1"),
        (r#"{"MESSAGES": [["ann", "ALL", "1", "x"]]}"#, "TS-1"),
        (r#"{"MESSAGES": [["bob", "ALL", 1, "x"]]}"#, "SR-1"),
        (r#"{"MESSAGES": [["ann", "zoe", 1, "x"]]}"#, "DE-2"),
        (r#"{"MESSAGES": [["ann", "all", 1, "x"]]}"#, "DE-2"),
    ] {
        ann.send_body(body).await;
        let text = ann.error().await;
        assert!(text.contains(clause), "{body}: {text}");
    }
    ann.send(b"\0\0\0\x02\xff\xfe").await;
    assert!(ann.error().await.contains("JS-3"));
    ann.say("ALL", "still here").await;
    assert_eq!(ann.until("still here").await, ["still here"]);
    let (_, welcome) = server.join("bob").await;
    assert_eq!(contents(welcome), ["still here"], "nothing that was refused is kept (SR-4)");
}

#[tokio::test]
async fn the_good_messages_of_a_frame_are_delivered_and_one_error_names_the_bad() {
    let server = Server::plaintext(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    ann.send_body(
        r#"{"MESSAGES": [["ann", "ALL", 1, "a"], ["bob", "ALL", 1, "b"], ["ann", "zoe", 1, "c"],
            5, ["ann", "ALL", 1, "d"]]}"#,
    )
    .await;
    let frame = ann.next().await;
    assert_eq!(contents(frame.clone()), ["a", "d"]);
    let text = match frame.error {
        Some(text) => text.as_wire().to_owned(),
        None => ann.error().await,
    };
    let places: Vec<_> = [1, 2, 3].map(|index| text.find(&format!("MESSAGES[{index}]"))).into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
}

#[tokio::test]
async fn b6_nothing_is_delivered_for_whoever_has_no_name() {
    let server = Server::plaintext(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    let mut nobody = server.connect().await;
    nobody.send_body(r#"{"MESSAGES": [["ann", "ALL", 1, "spoofed"]]}"#).await;
    assert!(nobody.error().await.contains("SR-3"));
    // A name and messages in one frame are fine.
    nobody.send_body(r#"{"MESSAGES": [["bob", "ALL", 1, "real"]], "USERNAME": "bob"}"#).await;
    assert_eq!(nobody.next().await.accepted, Some(true));
    assert_eq!(ann.until("real").await, ["real"]);
}

#[tokio::test]
async fn a_length_above_the_limit_is_answered_and_ends_the_connection() {
    let server = Server::start(Config::default()).await;
    let mut stranger = server.connect().await;
    stranger.send(&u32::MAX.to_be_bytes()).await;
    assert!(stranger.error().await.contains("FR-5"));
    assert!(stranger.try_next().await.is_none());

    let (mut ann, _) = server.join("ann").await;
    let (mut bob, _) = server.join("bob").await;
    // Input that nobody will read must not turn the answer into a reset.
    let mut flood = u32::MAX.to_be_bytes().to_vec();
    flood.resize(100_000, b'x');
    ann.send(&flood).await;
    assert!(ann.error().await.contains("FR-5"));
    assert!(ann.try_next().await.is_none());
    bob.sees_leave("ann").await;
}

#[tokio::test]
async fn long_messages_arrive_whole() {
    let server = Server::start(unlimited()).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut bob, _) = server.join("bob").await;
    for text in ["x".repeat(70_000), "é\u{1f44d}\"".repeat(100_000), "y".repeat(1 << 20)] {
        ann.say("ALL", &text).await;
        assert_eq!(bob.until(&text).await.len(), 1);
    }
}

#[tokio::test]
async fn the_kept_history_is_bounded() {
    let keep = Keep { messages: 10, bytes: 1 << 20 };
    let server = Server::plaintext(Config { keep, ..unlimited() }).await;
    let (mut ann, _) = server.join("ann").await;
    for number in 0..50 {
        ann.say("ALL", &number.to_string()).await;
    }
    ann.until("49").await;
    let (_, welcome) = server.join("bob").await;
    let kept = contents(welcome);
    assert!((40..50).map(|number| number.to_string()).eq(kept), "the newest are kept");
}

#[tokio::test]
async fn a_burst_overtakes_nobody_who_reads() {
    // A timeline of a fifth of the burst.
    let timeline = TimelineLimits { events: 4096, bytes: 1 << 24 };
    let server = Server::plaintext(Config { timeline, ..unlimited() }).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut bob, _) = server.join("bob").await;
    let entry = |number: usize| format!(r#"["ann", "ALL", 1, "{number}"]"#);
    let body = (0..20_000).map(entry).collect::<Vec<_>>().join(",");
    let reading = tokio::spawn(async move { bob.until("19999").await.len() });
    ann.send_body(&format!(r#"{{"MESSAGES": [{body}]}}"#)).await;
    assert_eq!(ann.until("19999").await.len(), 20_000);
    assert_eq!(reading.await.unwrap(), 20_000);
}
