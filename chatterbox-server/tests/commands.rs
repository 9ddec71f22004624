//! Commands over real sockets and real TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use chatterbox_server::Config;
use harness::accounts::{ADMIN_PASSWORD, AccountServer, PASSWORD};
use harness::unlimited;
use serde_json::json;

#[tokio::test]
async fn the_catalogue_comes_after_the_welcome_and_whenever_it_changes() {
    let chat = AccountServer::open(&[("root", 5)]).await;
    let mut ann = chat.guest("ann").await;
    let names = |commands: &[chatterbox_proto::capability::commands::Command]| -> Vec<String> {
        commands.iter().map(|command| command.name.clone()).collect()
    };
    let first = names(&ann.peer.find(|keys| keys.commands.clone()).await);
    assert!(first.contains(&"register".into()) && !first.contains(&"passwd".into()), "{first:?}");
    ann.data("register", &[PASSWORD]).await;
    let second = names(&ann.peer.find(|keys| keys.commands.clone()).await);
    assert!(second.contains(&"passwd".into()), "{second:?}");
    let mut root = chat.user("root").await;
    root.data("set-prefix", &["//"]).await;
    let prefix = ann.peer.find(|keys| keys.prefix.clone()).await;
    assert_eq!(prefix.as_wire(), "//");
}

#[tokio::test]
async fn a_nick_is_a_rename_for_all_and_needs_the_capability() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let mut ann = chat.user("ann").await;
    let (mut base, _) = chat.server.join("base").await;
    assert_eq!(ann.data("nick", &["annie"]).await["NAME"], "annie");
    let frame = base.next().await;
    assert_eq!((frame.left[0].as_wire(), frame.joined.len()), ("ann", 0));
    assert_eq!(base.next().await.joined[0].as_wire(), "annie");
    base.say("annie", "hello").await;
    ann.peer.until("hello").await;
    let mut peer = chat.server.connect().await;
    let beside = harness::accounts::password(PASSWORD);
    let welcome = peer.offer("bob", "accounts/1 commands/1", &beside).await;
    assert_eq!(welcome.accepted, Some(true));
    peer.send_body(r#"{"COMMAND": {"ID": "1", "NAME": "nick", "ARGS": ["bobby"]}}"#).await;
    let result = peer.find(|keys| keys.result.clone()).await;
    assert_eq!(result.code.as_wire(), "needs-capability");
}

#[tokio::test]
async fn a_question_is_answered_by_whom_it_was_put_to_and_nobody_else() {
    let chat = AccountServer::open(&[]).await;
    let (mut ann, mut eve) = (chat.guest("ann").await, chat.guest("eve").await);
    let id = ann.begin("input-test", &[]).await;
    let prompt = ann.prompt().await;
    assert_eq!((prompt.id.as_wire(), prompt.secret), (id.as_str(), false));
    eve.answer(&id, Some("I am ann")).await;
    assert!(eve.peer.error().await.contains("CM-4"), "b13");
    ann.answer(&id, Some("hello")).await;
    let result = ann.result(&id).await;
    assert_eq!(result.data.unwrap(), json!({"ANSWER": "hello"}));
    let id = ann.begin("register", &[]).await;
    assert!(ann.prompt().await.secret);
    ann.answer(&id, None).await;
    assert_eq!(ann.result(&id).await.code.as_wire(), "cancelled");
    ann.answer(&id, Some("late")).await;
    assert!(ann.peer.error().await.contains("CM-4"));
    // Leaving during a prompt leaves nothing behind.
    let _id = ann.begin("register", &[]).await;
    ann.prompt().await;
    drop(ann);
    eve.peer.sees_leave("ann").await;
    assert_eq!(chat.registered().await, [""; 0]);
}

#[tokio::test]
async fn malformed_commands_are_errors_and_the_connection_stays() {
    let chat = AccountServer::open(&[]).await;
    let mut ann = chat.guest("ann").await;
    for body in [
        r#"{"COMMAND": 5}"#,
        r#"{"COMMAND": {"ID": "1", "NAME": "name"}}"#,
        r#"{"COMMAND": {"ID": "", "NAME": "name", "ARGS": []}}"#,
        r#"{"COMMAND": {"ID": 1, "NAME": "name", "ARGS": []}}"#,
        r#"{"COMMAND": {"ID": "1", "NAME": "name", "ARGS": [1]}}"#,
        r#"{"ANSWER": {"ID": "1"}}"#,
        r#"{"ANSWER": {"ID": "1", "TEXT": 5}}"#,
    ] {
        ann.peer.send_body(body).await;
        assert!(ann.peer.error().await.contains("(CM-"), "{body}");
    }
    assert_eq!(ann.data("name", &[]).await["NAME"], "ann");
}

#[tokio::test]
async fn commands_and_answers_are_bounded_in_bytes() {
    let chat = AccountServer::open(&[]).await;
    let mut ann = chat.guest("ann").await;
    let longest = "x".repeat(16 * 1024 - 4);
    let (half, long) = ("x".repeat(9 * 1024), "x".repeat(16 * 1024 + 1));
    assert_eq!(ann.code_of("test", &[&longest]).await, "ok");
    for body in [
        format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "test", "ARGS": ["{half}", "{half}"]}}}}"#),
        format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "{long}", "ARGS": []}}}}"#),
        format!(r#"{{"ANSWER": {{"ID": "1", "TEXT": "{long}"}}}}"#),
    ] {
        ann.peer.send_body(&body).await;
        assert!(ann.peer.error().await.contains("(CM-"));
    }
    let config = Config { legacy_commands: true, ..Config::default() };
    let chat = AccountServer::with(config, &[]).await;
    let (mut bob, _) = chat.server.join("bob").await;
    bob.say("bob", &format!("/test {long}")).await;
    assert!(bob.error().await.contains("16 KiB"));
    bob.say("bob", "/test x").await;
    bob.until("It works: x").await;
}

#[tokio::test]
async fn a_block_is_seen_by_both_live_and_in_the_history() {
    let chat = AccountServer::open(&[("ann", 1), ("eve", 1), ("mod", 2)]).await;
    let mut ann = chat.user("ann").await;
    let mut eve = chat.user("eve").await;
    let mut staff = chat.user("mod").await;
    let (mut base, _) = chat.server.join("base").await;
    ann.peer.say("ALL", "ann before").await;
    eve.peer.say("ALL", "eve before").await;
    base.until("eve before").await;
    for who in [&mut ann, &mut eve, &mut staff] {
        who.settle().await;
    }
    assert!(ann.call("block", &["eve", "base", "mod"]).await.ok);
    ann.peer.say("ALL", "ann after").await;
    eve.peer.say("ALL", "eve after").await;
    base.say("ALL", "base after").await;
    base.until("base after").await;
    assert_eq!(ann.settle().await, ["ann after"]);
    assert_eq!(eve.settle().await, ["eve after", "base after"]);
    assert_eq!(staff.settle().await, ["ann after", "eve after", "base after"]);
    for (one, other) in [(&mut ann, "eve"), (&mut eve, "ann"), (&mut staff, "ann")] {
        one.peer.say(other, "psst").await;
        assert!(one.peer.error().await.contains("BL-1"), "to {other}");
        assert_eq!(one.code_of("msg", &[other, "psst"]).await, "blocked");
    }
    base.say("ann", "psst").await;
    assert!(base.error().await.contains("no private messages"));

    // The history of a welcome is filtered alike, also when the other one is not here.
    drop(ann);
    staff.peer.sees_leave("ann").await;
    drop(eve);
    staff.peer.sees_leave("eve").await;
    let contents = |frame: &chatterbox_proto::ServerFrame| -> Vec<String> {
        frame.messages.iter().flatten().map(|m| m.content.to_string()).collect()
    };
    let beside = harness::accounts::password(PASSWORD);
    let (mut eve, welcome) = chat.ask("eve", &beside).await;
    assert_eq!(contents(&welcome), ["eve before", "eve after", "base after"]);
    let (mut ann, welcome) = chat.ask("ann", &beside).await;
    assert_eq!(contents(&welcome), ["ann before", "ann after"]);
    ann.peer.say("ALL", "ann again").await;
    ann.settle().await;
    assert_eq!(eve.settle().await, [""; 0]);
    // Unblocked, they see each other again.
    assert!(ann.call("unblock", &["eve"]).await.ok);
    ann.peer.say("eve", "sorry").await;
    eve.peer.until("sorry").await;
}

#[tokio::test]
async fn b9_each_list_is_its_owners() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let (mut ann, mut bob) = (chat.user("ann").await, chat.user("bob").await);
    let _eve = chat.guest("eve").await;
    ann.data("block", &["eve"]).await;
    bob.data("block", &["eve"]).await;
    ann.data("unblock", &["eve"]).await;
    assert_eq!(bob.data("blocked", &[]).await["ROWS"], json!([["eve"]]));
    let mut watcher = chat.guest("watcher").await;
    drop(bob);
    watcher.peer.sees_leave("bob").await;
    let mut bob = chat.user("bob").await;
    assert_eq!(bob.data("blocked", &[]).await["ROWS"], json!([["eve"]]));
}

#[tokio::test]
async fn msg_goes_where_a_private_message_goes() {
    let chat = AccountServer::open(&[]).await;
    let mut ann = chat.guest("ann").await;
    let (mut bob, _) = chat.server.join("Bob").await;
    let (_bobby, _) = chat.server.join("bobby").await;
    let text = "hello \u{1b}[2J <b>bold</b> \u{202e}\u{1f44d}";
    assert!(ann.call("msg", &["bob", text]).await.ok);
    loop {
        let frame = bob.next().await;
        if let Some(entry) = frame.messages.into_iter().flatten().next() {
            assert_eq!((&*entry.source, &*entry.destination), ("ann", "Bob"), "b2");
            assert_eq!(entry.content, text, "b1: it arrives as it was, and acts on no screen");
            break;
        }
    }
    assert_eq!(ann.code_of("msg", &["nobody", "x"]).await, "no-such-user");
    assert_eq!(ann.code_of("msg", &["ALL", "x"]).await, "no-such-user");
}

#[tokio::test]
async fn b1_names_and_results_act_on_no_screen() {
    let chat = AccountServer::open(&[("root", 5)]).await;
    let mut root = chat.user("root").await;
    for name in ["a\u{1b}[2J", "\u{202e}nna", "a\u{200b}nn", "<b>\u{7}"] {
        assert_eq!(root.code_of("nick", &[name]).await, "bad-name", "{name:?}");
        let refused = root.call("perm", &[name]).await;
        assert!(!refused.text.as_wire().chars().any(|c| c.is_control() || c == '\u{202e}'));
    }
    assert_eq!(
        root.data("nick", &["<b>root</b>"]).await["NAME"],
        "<b>root</b>",
        "plain text is plain"
    );
}

#[tokio::test]
async fn the_ping_command_measures_a_client_that_answers() {
    let chat = AccountServer::open(&[]).await;
    let mut ann = chat.guest("ann").await;
    let id = ann.begin("ping", &[]).await;
    let number = ann.peer.find(|keys| keys.ping).await;
    ann.peer.send_body(&format!(r#"{{"PONG": {}}}"#, number + 1)).await;
    ann.peer.send_body(&format!(r#"{{"PONG": {number}}}"#)).await;
    let data = ann.result(&id).await.data.unwrap();
    assert!(data["MILLISECONDS"].as_f64().unwrap() > 0.0, "{data}");
    // A prompt that was never answered is not sent again.
    let id = ann.begin("ping", &[]).await;
    let unanswered = ann.peer.find(|keys| keys.ping).await;
    assert_eq!(unanswered, number + 1);
    assert_eq!(ann.result(&id).await.code.as_wire(), "timeout");
    let id = ann.begin("ping", &[]).await;
    let next = ann.peer.find(|keys| keys.ping).await;
    assert_eq!(next, unanswered + 1);
    ann.peer.send_body(&format!(r#"{{"PONG": {next}}}"#)).await;
    assert!(ann.result(&id).await.ok);
    let mut peer = chat.server.connect().await;
    peer.offer("bob", "commands/1", "").await;
    peer.send_body(r#"{"COMMAND": {"ID": "1", "NAME": "ping", "ARGS": []}}"#).await;
    let result = peer.find(|keys| keys.result.clone()).await;
    assert_eq!(result.text.as_wire(), "Pong!");
}

#[tokio::test]
async fn levels_are_given_from_above_and_count_at_once() {
    let chat = AccountServer::open(&[("root", 5), ("other", 5), ("bob", 1)]).await;
    let (mut root, mut bob) = (chat.user("root").await, chat.user("bob").await);
    let _guest = chat.guest("guest").await;
    assert_eq!(bob.code_of("set-perm", &["root", "1"]).await, "forbidden");
    for (who, level, expected) in [
        ("root", "1", "forbidden"),
        ("other", "4", "forbidden"),
        ("guest", "3", "no-such-user"),
        ("nobody", "3", "no-such-user"),
        ("bob", "0", "bad-arguments"),
        ("bob", "6", "bad-arguments"),
        ("bob", "moderator", "ok"),
    ] {
        assert_eq!(root.code_of("set-perm", &[who, level]).await, expected, "{who} {level}");
    }
    assert_eq!(bob.data("perm", &[]).await, json!({"NAME": "bob", "LEVEL": 3, "ACCOUNT": "bob"}));
    assert_eq!(bob.code_of("set-perm", &["guest", "1"]).await, "forbidden");
    assert_eq!(bob.data("elevate", &[ADMIN_PASSWORD]).await["LEVEL"], 5);
    assert_eq!(root.code_of("set-perm", &["bob", "1"]).await, "forbidden", "elevated, for now");
}

#[tokio::test]
async fn base_clients_use_commands_by_messages_to_themselves() {
    let config = Config { legacy_commands: true, ..Config::default() };
    let chat = AccountServer::with(config, &[("root", 5)]).await;
    let (mut ann, _) = chat.server.join("ann").await;
    let mut watcher = chat.guest("watcher").await;
    ann.say("ann", "/users").await;
    assert_eq!(ann.until("2 here: ann, watcher").await, ["2 here: ann, watcher"]);
    ann.say("ann", "/msg watcher  two  words").await;
    watcher.peer.until("two  words").await;
    ann.until("Sent to watcher.").await;
    ann.say("ann", "/nonsense").await;
    assert!(ann.error().await.contains("no command nonsense"));
    ann.say("ann", "/register").await;
    assert!(ann.error().await.contains("as an argument"));
    ann.say("ann", "/set-prefix !").await;
    assert!(ann.error().await.contains("level 5"));
    ann.say("ann", "/register correct-horse-battery").await;
    assert_eq!(
        ann.until("ann is your name now; join with your password next time. This client can't give one: you need another client then.").await.len(),
        1
    );
    assert_eq!(chat.registered().await, ["ann", "root"]);
    let mut root = chat.user("root").await;
    root.data("set-prefix", &["//"]).await;
    ann.say("ann", "/note to myself").await;
    ann.until("/note to myself").await;
    ann.say("ann", "\\//users").await;
    ann.until("\\//users").await;
    ann.say("ann", "//user-count").await;
    ann.until("3 here.").await;
    for bare in ["//", "//  "] {
        ann.say("ann", bare).await;
        ann.until(bare).await;
    }
    // A message to somebody else, or to all, is not a command.
    ann.say("watcher", "//users").await;
    watcher.peer.until("//users").await;
    assert_eq!(watcher.settle().await, [""; 0]);
}

#[tokio::test]
async fn who_agreed_to_anything_has_no_legacy_commands_and_is_told_of_each_tag() {
    let config = Config { legacy_commands: true, ..Config::default() };
    let chat = AccountServer::with(config, &[]).await;
    let mut peer = chat.server.connect().await;
    peer.offer("ann", "ids/1", "").await;
    let body = r#"{"MESSAGES": [["ann", "ann", 1, "/users"]], "TAGS": ["a1"]}"#;
    peer.send_body(body).await;
    let acks = peer.find(|keys| (!keys.acks.is_empty()).then(|| keys.acks.clone())).await;
    assert_eq!(acks.len(), 1);
}

#[tokio::test]
async fn a_block_holds_for_a_client_without_commands() {
    let chat = AccountServer::open(&[]).await;
    let mut ann = chat.guest("ann").await;
    let mut eve = chat.server.connect().await;
    eve.offer("eve", "ids/1", "").await;
    assert!(ann.call("block", &["eve"]).await.ok);
    ann.peer.say("ALL", "unheard").await;
    ann.settle().await;
    assert!(ann.call("unblock", &["eve"]).await.ok);
    ann.peer.say("ALL", "heard").await;
    assert_eq!(eve.until("heard").await, ["heard"]);
}

#[tokio::test]
async fn without_the_setting_a_message_to_oneself_is_a_message() {
    let chat = AccountServer::open(&[]).await;
    let (mut ann, _) = chat.server.join("ann").await;
    ann.say("ann", "/users").await;
    assert_eq!(ann.until("/users").await, ["/users"]);
}

#[tokio::test]
async fn too_many_commands_are_busy_and_the_connection_lives() {
    let chat = AccountServer::with(unlimited(), &[]).await;
    let mut ann = chat.guest("ann").await;
    let first = ann.begin("input-test", &[]).await;
    ann.prompt().await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(ann.begin("name", &[]).await);
    }
    let mut busy = 0;
    for id in &ids[16..] {
        busy += usize::from(ann.result(id).await.code.as_wire() == "busy");
    }
    assert_eq!(busy, 4);
    ann.answer(&first, Some("x")).await;
    assert_eq!(ann.result(&first).await.code.as_wire(), "ok");
    assert_eq!(ann.result(&ids[15]).await.code.as_wire(), "ok");
}
