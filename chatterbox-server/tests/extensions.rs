//! Negotiated capabilities over real sockets: clause by clause of docs/capabilities.md.
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

use chatterbox_hub::{Event, Rename};
use chatterbox_proto::capability::commands::{CommandRequest, Outcome, OutcomeCode};
use chatterbox_proto::{Capabilities, Capability, Refusal, ServerFrame, Username};
use chatterbox_server::Config;
use chatterbox_server::access::{
    Access, Attachment, Authenticator, CommandInput, Grant, LoginRequest, RequestHandler, Served,
};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use harness::{Peer, Server};

const IDS: &str = "ids/1 ping/1";

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

/// Reads everything that was sent to the peer before now.
async fn settled(peer: &mut Peer) {
    peer.send_body(r#"{"PING": 7777}"#).await;
    assert_eq!(peer.find(|keys| keys.pong).await, 7777);
}

#[tokio::test]
async fn who_offers_is_told_what_is_in_force_and_who_does_not_sees_no_difference() {
    let server = Server::start(Config::default()).await;
    let mut ann = server.connect().await;
    ann.offer("ann", "ping/1 ids/3 fancy/9  utf8/1", "").await;
    let mut bob = server.connect().await;
    let offer = r#"{"CAPABILITIES": "ping/1 ids/3", "USERNAME": "bob"}"#;
    bob.send_body(offer).await;
    let welcome = bob.next_body().await;
    let (base, rest) = welcome.split_once(r#", "IDS": [], "TIMES": [], "#).unwrap();
    assert_eq!(
        base,
        r#"{"USERNAME_ACCEPTED": true, "INFO": "Welcome, bob!", "USER_LIST": ["ann", "bob"], "MESSAGES": []"#
    );
    let begin = r#""CAPABILITIES": "ids/1 ping/1", "LIMITS": {"FRAME": 4194304, "USERNAME": 32, "CONTENT": 349184}, "SERVER": {"BANNER": "Kept here: up to 1000000 messages, 65536 KiB. Activity log: off."}, "RESUME": ""#;
    assert!(rest.starts_with(begin), "{rest}");
    let mut cyd = server.connect().await;
    cyd.send_body(r#"{"USERNAME": "cyd"}"#).await;
    assert_eq!(
        cyd.next_body().await,
        r#"{"USERNAME_ACCEPTED": true, "INFO": "Welcome, cyd!", "USER_LIST": ["ann", "bob", "cyd"], "MESSAGES": []}"#
    );
    let mut dan = server.connect().await;
    dan.send_body(r#"{"USERNAME": "dan", "CAPABILITIES": ""}"#).await;
    let welcome = dan.next_body().await;
    assert!(welcome.contains(r#""MESSAGES": [], "CAPABILITIES": "", "LIMITS""#), "{welcome}");
}

#[tokio::test]
async fn a_malformed_offer_takes_no_name() {
    let server = Server::start(Config::default()).await;
    let mut peer = server.connect().await;
    for offer in [r#"["ids/1"]"#, "5", r#""ids""#, r#""ids/1 ids/1""#, r#""IDS/1""#, r#""ids/0""#] {
        peer.send_body(&format!(r#"{{"USERNAME": "ann", "CAPABILITIES": {offer}}}"#)).await;
        assert!(peer.error().await.contains("CP-3"), "{offer}");
    }
    peer.send_body(r#"{"CAPABILITIES": "ids/1"}"#).await;
    assert!(peer.error().await.contains("CP-4"));
    let (_ann, _) = server.join("ann").await;
    // A refused name may be tried again with another offer.
    assert_eq!(peer.offer("ann", "ids/1", "").await.accepted, Some(false));
    let welcome = peer.offer("bob", "ping/1", "").await;
    assert_eq!(welcome.keys.unwrap().agreed.unwrap().to_string(), "ping/1");
    peer.send_body(r#"{"CAPABILITIES": "ids/1"}"#).await;
    assert!(peer.error().await.contains("CP-4"));
    // Keys of capabilities that were not agreed are unknown.
    peer.send_body(r#"{"HISTORY": {"WITH": "ALL"}}"#).await;
    assert!(peer.error().await.contains("IV-4"));
    settled(&mut peer).await;
}

#[tokio::test]
async fn a_tagged_message_is_acknowledged_once_it_is_there() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = joined(&server, "ann", IDS).await;
    let (mut bob, _) = joined(&server, "bob", IDS).await;
    ann.say_tagged("ALL", "hello", "a1").await;
    let (tag, id) = ann.find(|keys| keys.acks.first().cloned()).await;
    assert_eq!(tag.as_wire(), "a1");
    let seen = bob.find(|keys| keys.ids.clone()).await;
    assert_eq!(seen, [Some(id)]);

    // The same idempotency key is the same message, also in one frame and with another text.
    ann.say_tagged("ALL", "hello?", "a1").await;
    let acks = ann.find(|keys| (!keys.acks.is_empty()).then(|| keys.acks.clone())).await;
    assert_eq!((acks[0].0.as_wire(), acks[0].1), ("a1", id));
    ann.send_body(
        r#"{"MESSAGES": [["ann", "bob", 1, "x"], ["ann", "bob", 1, "y"], ["ann", "bob", 1, "z"]],
            "TAGS": ["b", "b", null]}"#,
    )
    .await;
    let acks = ann.find(|keys| (!keys.acks.is_empty()).then(|| keys.acks.clone())).await;
    assert_eq!(acks.len(), 1);
    assert_eq!(bob.until("z").await, ["x", "z"]);
}

#[tokio::test]
async fn what_is_refused_is_named_by_its_tag_and_may_be_sent_again() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = joined(&server, "ann", IDS).await;
    ann.send_body(
        r#"{"TAGS": ["s", "d", null, "g"], "MESSAGES": [["bob", "ALL", 1, "x"], ["ann", "bob", 1, "y"], 5, ["ann", "ALL", 1, "z"]]}"#,
    )
    .await;
    let mut frame = ann.next().await;
    while frame.error.is_none() {
        frame = ann.next().await;
    }
    let refused = frame.keys.unwrap().refused;
    let mut refused: Vec<_> =
        refused.iter().map(|one| (one.tag.as_wire(), one.code.as_wire())).collect();
    refused.sort_unstable();
    assert_eq!(refused, [("d", "no-such-user"), ("s", "source-not-you")]);
    let (mut bob, _) = joined(&server, "bob", IDS).await;
    ann.say_tagged("bob", "y", "d").await;
    let acks = ann.find(|keys| keys.acks.first().cloned()).await;
    assert_eq!(acks.0.as_wire(), "d");
    assert_eq!(bob.until("y").await, ["y"]);
    // A duplicate is acknowledged although its recipient has left.
    drop(bob);
    ann.sees_leave("bob").await;
    ann.say_tagged("bob", "y", "d").await;
    assert_eq!(ann.find(|keys| keys.acks.first().cloned()).await, acks);
    ann.send_body(r#"{"MESSAGES": [["ann", "ALL", 1, "no"]], "TAGS": ["a", "b"]}"#).await;
    assert!(ann.error().await.contains("ID-3"));
}

#[tokio::test]
async fn history_is_paged() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = joined(&server, "ann", IDS).await;
    let (mut bob, _) = joined(&server, "bob", IDS).await;
    let (mut cyd, _) = joined(&server, "cyd", IDS).await;
    for (to, text) in [("ALL", "1"), ("bob", "2"), ("cyd", "3"), ("ALL", "4"), ("bob", "5")] {
        ann.say_tagged(to, text, text).await;
        ann.find(|keys| keys.acks.first().cloned()).await;
    }
    bob.say_tagged("ann", "6", "t").await;
    bob.find(|keys| keys.acks.first().cloned()).await;
    let page = async |peer: &mut Peer, query: &str| {
        peer.send_body(&format!(r#"{{"HISTORY": {{{query}}}}}"#)).await;
        let page = peer.find(|keys| keys.history.clone()).await;
        let contents: Vec<_> =
            page.messages.iter().map(|paged| paged.entry.content.to_string()).collect();
        let ids: Vec<_> = page.messages.iter().map(|paged| paged.id).collect();
        (contents.join(" "), ids, page.more)
    };
    let (all, ids, more) = page(&mut bob, r#""WITH": "ALL""#).await;
    assert_eq!((all.as_str(), more), ("1 4", false));
    let before = format!(r#""WITH": "ALL", "BEFORE": {}, "LIMIT": 1"#, ids[1]);
    assert_eq!(page(&mut cyd, &before).await, ("1".into(), vec![ids[0]], false));
    let after = r#""WITH": "ALL", "AFTER": 0, "LIMIT": 1"#;
    assert_eq!(page(&mut cyd, after).await, ("1".into(), vec![ids[0]], true));
    for (peer, other) in [(&mut ann, "BOB"), (&mut bob, "ann")] {
        let (private, ids, more) = page(peer, &format!(r#""WITH": "{other}""#)).await;
        assert_eq!((private.as_str(), more), ("2 5 6", false));
        assert!(ids.is_sorted());
    }
    assert_eq!(page(&mut cyd, r#""WITH": "bob""#).await.0, "", "nobody else's");
    assert_eq!(page(&mut cyd, r#""WITH": "not a name""#).await.0, "");
    cyd.send_body(r#"{"HISTORY": {"WITH": "ALL", "LIMIT": 501}}"#).await;
    assert!(cyd.error().await.contains("ID-6"));
}

#[tokio::test]
async fn a_session_goes_on_where_it_was_cut() {
    let server = Server::start(Config::default()).await;
    let (mut bob, _) = joined(&server, "bob", IDS).await;
    let (mut ann, welcome) = joined(&server, "ann", IDS).await;
    let token = token(&welcome);
    ann.say_tagged("ALL", "seen", "t").await;
    let (_, last) = ann.find(|keys| keys.acks.first().cloned()).await;
    bob.until("seen").await;
    // Half open: the old connection still exists when the new one resumes the session.
    let resume = format!(r#", "RESUME": {{"TOKEN": "{token}", "AFTER": {last}}}"#);
    let mut again = server.connect().await;
    bob.say_tagged("ann", "psst", "p").await;
    bob.find(|keys| keys.acks.first().cloned()).await;
    let welcome = again.offer("ANN", IDS, &resume).await;
    let keys = welcome.keys.as_ref().unwrap();
    assert_eq!((keys.resumed, welcome.accepted), (Some(true), Some(true)));
    assert_eq!(contents(&welcome), ["psst"]);
    assert!(ids(&welcome)[0] > Some(last));
    assert_eq!(welcome.user_list.as_ref().unwrap().len(), 2);
    assert!(ann.error().await.contains("ID-7"), "the old connection is told");
    assert!(ann.try_next().await.is_none(), "and closed");
    // Idempotency keys of the session are known on the new connection.
    again.say_tagged("ALL", "seen", "t").await;
    assert_eq!(again.find(|keys| keys.acks.first().cloned()).await.1, last);
    again.send_body(r#"{"MESSAGES": [["ann", "ALL", 1, "on"]]}"#).await;
    let seen = bob.next().await;
    assert!(seen.joined.is_empty() && seen.left.is_empty(), "the others saw nothing: {seen:?}");
    assert_eq!(contents(&seen), ["on"]);

    // After the end of the session it is an ordinary join for the others.
    drop(again);
    bob.sees_leave("ann").await;
    bob.say_tagged("ALL", "missed", "m").await;
    bob.find(|keys| keys.acks.first().cloned()).await;
    let mut last = server.connect().await;
    let welcome = last.offer("ann", IDS, &resume).await;
    assert_eq!(welcome.keys.as_ref().unwrap().resumed, Some(true));
    assert_eq!(contents(&welcome), ["psst", "on", "missed"]);
    assert_eq!(bob.next().await.joined.len(), 1);
}

#[tokio::test]
async fn what_can_not_go_on_is_an_ordinary_join() {
    let server = Server::start(Config::default()).await;
    let (mut ann, welcome) = joined(&server, "ann", IDS).await;
    let token = token(&welcome);
    ann.say("ALL", "x").await;
    ann.until("x").await;
    let resume = |token: &str| format!(r#", "RESUME": {{"TOKEN": "{token}", "AFTER": 1}}"#);
    let mut other = server.connect().await;
    assert_eq!(other.offer("ann", IDS, &resume("nonsense")).await.accepted, Some(false));
    let forged = format!("{}0", &token[..token.len() - 1]);
    let forged = if forged == token { token.replace('0', "1") } else { forged };
    assert_eq!(other.offer("ann", IDS, &resume(&forged)).await.accepted, Some(false));
    other.send_body(r#"{"USERNAME": "bob", "CAPABILITIES": "ids/1", "RESUME": 5}"#).await;
    assert!(other.error().await.contains("ID-7"));
    let welcome = other.offer("bob", IDS, &resume(&token)).await;
    assert_eq!(welcome.keys.as_ref().unwrap().resumed, Some(false), "another name");
    assert_eq!(contents(&welcome), ["x"], "all that there is");
    assert_eq!(ids(&welcome), [Some(1)]);
}

#[tokio::test]
async fn ping_is_answered_behind_what_came_before_it() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = joined(&server, "ann", "ping/1").await;
    ann.send_body(r#"{"PING": -9223372036854775808, "MESSAGES": [["ann", "ALL", 1, "x"], 5]}"#)
        .await;
    let (mut echoed, mut failed) = (false, false);
    loop {
        let frame = ann.next().await;
        echoed |= frame.messages.is_some();
        failed |= frame.error.is_some();
        if let Some(pong) = frame.keys.and_then(|keys| keys.pong) {
            assert_eq!((pong, echoed, failed), (i64::MIN, true, true));
            break;
        }
    }
    ann.send_body(r#"{"PING": 1.0}"#).await;
    assert!(ann.error().await.contains("PI-1"));
    ann.send_body(r#"{"PONG": 5}"#).await;
    settled(&mut ann).await;
}

#[tokio::test]
async fn text_is_shown_to_who_wants_it() {
    let server = Server::start(Config::default()).await;
    let (mut base, _) = server.join("base").await;
    base.say("ALL", "Grüße \u{202e}\u{1b} 👍").await;
    base.until("Grüße \u{202e}\u{1b} 👍").await;
    let mut ann = server.connect().await;
    ann.send_body(r#"{"USERNAME": "\u00e4nn", "CAPABILITIES": "utf8/1"}"#).await;
    let welcome = ann.next_body().await;
    assert!(welcome.contains(r#"["base", "änn"]"#), "{welcome}");
    assert!(welcome.contains(r#""Grüße \u202e\u001b 👍""#), "{welcome}");
    base.say("ALL", "é").await;
    let live = ann.next_body().await;
    assert_eq!(live, r#"{"MESSAGES": [["base", "ALL", 1, "é"]]}"#);
}

/// One command, which changes the name.
#[derive(Debug)]
struct Nick;

impl Authenticator for Nick {
    fn speaks(&self) -> Capabilities {
        Capabilities::NONE.with(Capability::Commands)
    }

    fn authenticate<'a>(&'a self, _: LoginRequest<'a>) -> BoxFuture<'a, Result<Grant, Refusal>> {
        ready(Ok(Grant::default())).boxed()
    }
}

impl RequestHandler for Nick {
    fn legacy_prefix(&self) -> Option<String> {
        Some("/".into())
    }

    fn serve(&self, mut attachment: Attachment) -> BoxFuture<'static, Served> {
        async move {
            while let Some(request) = attachment.requests.recv().await {
                let (id, name) = match request.input {
                    CommandInput::Request(CommandRequest::Call(call)) => {
                        (call.id, call.arguments[0].clone())
                    }
                    CommandInput::Typed(text) => (String::new(), text),
                    CommandInput::Request(CommandRequest::Answer(_)) | CommandInput::Pong(_) => {
                        continue;
                    }
                };
                let name = Username::parse(&name).unwrap();
                let rename = Rename { name, owns: false, blocked_by: vec![], now: 0 };
                let outcome = attachment.renamer.rename(rename).await;
                let (code, text) = match &outcome {
                    Ok(()) => (OutcomeCode::Ok, "done".to_owned()),
                    Err(refusal) => (OutcomeCode::Taken, refusal.to_string()),
                };
                if !id.is_empty() {
                    let outcome = Outcome::new(&id, code, text);
                    attachment.member.tell_when_read(Event::own(outcome.to_object())).await;
                }
            }
            Served::Unserved
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_rename_is_told_to_each_in_its_way() {
    let server = Server::with_access(Config::default(), Access::new(Nick)).await;
    let (mut base, _) = server.join("base").await;
    let (mut eve, _) = joined(&server, "eve", "rename/1 ping/1").await;
    let (mut ann, _) = joined(&server, "ann", "rename/1 commands/1 ids/1 ping/1").await;
    settled(&mut eve).await;
    let call =
        |name: &str| format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "nick", "ARGS": ["{name}"]}}}}"#);
    ann.send_body(&call("BASE")).await;
    let refused = ann.find(|keys| keys.result.clone()).await;
    assert_eq!(refused.code.as_wire(), "taken");
    ann.send_body(&format!(
        r#"{{"MESSAGES": [["ann", "ALL", 1, "before"]], {}"#,
        call("bob").trim_start_matches('{')
    ))
    .await;
    // The old name is still taken, and the message goes out under the new one (RN-3).
    ann.find(|keys| keys.result.clone()).await;
    ann.say_tagged("ALL", "after", "t").await;
    ann.find(|keys| keys.acks.first().cloned()).await;

    let mut story = Vec::new();
    while !story.contains(&"bob: after".to_owned()) {
        let frame = base.next().await;
        story.extend(frame.joined.iter().map(|name| format!("+{}", name.as_wire())));
        let messages = frame.messages.into_iter().flatten();
        story.extend(messages.map(|entry| format!("{}: {}", entry.source, entry.content)));
        story.extend(frame.left.iter().map(|name| format!("-{}", name.as_wire())));
    }
    assert_eq!(story, ["+eve", "+ann", "ann: before", "-ann", "+bob", "bob: after"]);
    let renamed = eve.find(|keys| keys.renamed.first().cloned()).await;
    assert_eq!((renamed.0.as_wire(), renamed.1.as_wire()), ("ann", "bob"));
    eve.say("ann", "?").await;
    assert!(eve.error().await.contains("DE-2"), "nobody has the old name");
    eve.say("bob", "!").await;
    assert_eq!(ann.until("!").await.last().unwrap(), "!");
    let (_new, welcome) = server.join("ann").await;
    assert!(welcome.user_list.unwrap().iter().any(|user| user.as_wire() == "bob"));
    // A base client's message to itself is a command only with the prefix.
    base.say("base", "not a command").await;
    base.until("not a command").await;
    base.say("base", "/zoe").await;
    let renamed = eve.find(|keys| keys.renamed.first().cloned()).await;
    assert_eq!((renamed.0.as_wire(), renamed.1.as_wire()), ("base", "zoe"));
}

#[tokio::test]
async fn a_name_is_held_for_whoever_left() {
    let config = Config { hold_name: Duration::from_secs(3600), ..Config::default() };
    let server = Server::start(config).await;
    let (mut bob, _) = server.join("bob").await;
    let (ann, _) = joined(&server, "ann", IDS).await;
    drop(ann);
    bob.sees_leave("ann").await;
    // The same address.
    let (_ann, _) = joined(&server, "ann", IDS).await;
}

/// All bytes that a base client receives while another user does these things.
async fn as_seen_by_base(offered: Option<&str>) -> Vec<String> {
    let server = Server::start(Config::default()).await;
    let mut base = server.connect().await;
    base.send_body(r#"{"USERNAME": "base"}"#).await;
    let mut seen = vec![base.next_body().await];
    let mut ann = server.connect().await;
    match offered {
        None => ann.send_body(r#"{"USERNAME": "ann"}"#).await,
        Some(offered) => {
            ann.send_body(&format!(r#"{{"USERNAME": "ann", "CAPABILITIES": "{offered}"}}"#)).await;
        }
    }
    ann.next_body().await;
    seen.push(base.next_body().await);
    for (number, to) in ["ALL", "base", "ALL", "ann", "ALL"].into_iter().enumerate() {
        let text = format!("Grüße \\\" 👍 {number}");
        let tag = format!("t{number}");
        let has_ids = offered.is_some_and(|offered| offered.contains("ids"));
        let tags = if has_ids { format!(r#", "TAGS": ["{tag}"]"#) } else { String::new() };
        let said = format!(r#"{{"MESSAGES": [["ann", "{to}", 1, "{text}"]]{tags}}}"#);
        ann.send_body(&said).await;
        if has_ids {
            // The duplicate is not delivered.
            ann.send_body(&said).await;
            ann.send_body(r#"{"PING": 1, "HISTORY": {"WITH": "ALL"}}"#).await;
        }
        if to != "ann" {
            seen.push(base.next_body().await);
        }
    }
    base.send_body(r#"{"MESSAGES": [["base", "ann", 1, "é"], ["base", "ALL", 1, "mine"]]}"#).await;
    seen.push(base.next_body().await);
    base.send_body(r#"{"TAGS": 5, "PING": {}, "MESSAGES": [["base", "ALL", 1, "still"]]}"#).await;
    seen.push(base.next_body().await);
    drop(ann);
    seen.push(base.next_body().await);
    drop(base);
    let mut again = server.connect().await;
    again.send_body(r#"{"USERNAME": "base2"}"#).await;
    seen.push(again.next_body().await);
    seen
}

#[tokio::test]
async fn a_base_client_gets_the_same_bytes_whoever_is_around() {
    let base = as_seen_by_base(None).await;
    assert_eq!(base.len(), 10);
    for offered in ["", "ids/1", "ids/1 ping/1 rename/1 utf8/1"] {
        assert_eq!(as_seen_by_base(Some(offered)).await, base, "{offered:?}");
    }
    assert!(base.iter().all(|body| body.is_ascii()));
}
