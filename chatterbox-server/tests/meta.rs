//! What goes with messages, over real sockets and with accounts and rooms (MT-1 to MT-4).
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
use chatterbox_server::store::sqlite::{Durability, Retention, Sqlite, SqliteOptions};
use harness::accounts::{AccountServer, PASSWORD, password};
use harness::rooms::Roomer;
use serde_json::{Value, json};

const SPEAKS: &str = "accounts/1 commands/1 ids/1 meta/1 ping/1 rename/1 rooms/1";

async fn user(chat: &AccountServer, name: &str) -> Roomer {
    Roomer::join_speaking(chat.server.connect().await, name, SPEAKS, &password(PASSWORD)).await
}

async fn guest(chat: &AccountServer, name: &str) -> Roomer {
    Roomer::join_speaking(chat.server.connect().await, name, SPEAKS, "").await
}

/// Says something with what goes with it; the id, or the CODE of the refusal.
async fn say(who: &mut Roomer, to: &str, text: &str, meta: Value) -> Result<u64, String> {
    let tag = format!("t {text}");
    let message = json!([who.name, to, 7, text]);
    who.send(&json!({"MESSAGES": [message], "TAGS": [tag], "META": [meta]})).await;
    who.until(|frame| {
        if let Some(id) = frame["ACKS"][&tag].as_u64() {
            return Some(Ok(id));
        }
        frame["REFUSED"][&tag]["CODE"].as_str().map(|code| Err(code.to_owned()))
    })
    .await
}

/// What goes with the message of a text, in an object with MESSAGES.
fn beside(object: &Value, text: &str) -> Option<Value> {
    let messages = object["MESSAGES"].as_array()?;
    let place = messages.iter().position(|message| message[3] == text)?;
    let Some(metas) = object.get("META") else { return Some(Value::Null) };
    assert_eq!(metas.as_array().unwrap().len(), messages.len(), "{object}");
    Some(metas[place].clone())
}

async fn told(who: &mut Roomer, text: &str) -> Value {
    who.until(|frame| beside(frame, text)).await
}

#[tokio::test]
async fn a_reply_is_one_of_its_conversation_and_of_nobody_elses() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1), ("eve", 1)]).await;
    let (mut ann, mut bob) = (user(&chat, "ann").await, user(&chat, "bob").await);
    let mut eve = user(&chat, "eve").await;
    ann.ok("create-room", &["#lab"]).await;
    bob.ok("join", &["#lab"]).await;
    let public = say(&mut ann, "ALL", "public", Value::Null).await.unwrap();
    let in_room = say(&mut ann, "#lab", "room", Value::Null).await.unwrap();
    let private = say(&mut ann, "bob", "private", Value::Null).await.unwrap();
    let reply = |id: u64| json!({ "REPLY": id });
    for (to, id, text) in [("ALL", public, "a"), ("#LAB", in_room, "b"), ("ann", private, "c")] {
        assert!(say(&mut bob, to, text, reply(id)).await.unwrap() > id, "{to}");
        assert_eq!(told(&mut ann, text).await, reply(id));
    }
    let none = Err("no-such-message".to_owned());
    for (place, (to, id)) in [
        ("ALL", in_room),
        ("ALL", private),
        ("#lab", public),
        ("#lab", private),
        ("ann", public),
        ("eve", private),
        ("ann", private + 1_000_000),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(say(&mut bob, to, &format!("no {place}"), reply(id)).await, none, "{to} {id}");
    }
    // Whoever is not there, or may not know of it, learns no more than with any message.
    let stranger = say(&mut eve, "#lab", "no", reply(in_room)).await;
    assert_eq!(stranger, Err("not-a-member".to_owned()));
    assert_eq!(say(&mut eve, "#none", "no", reply(in_room)).await, Err("no-such-room".to_owned()));
    assert_eq!(say(&mut eve, "ann", "no", reply(private)).await, none, "of the other two");
    // Pages of all three have it, and the welcome of who comes later.
    for (with, text, id) in [("ALL", "a", public), ("#lab", "b", in_room), ("bob", "c", private)] {
        let page = ann.history(with).await;
        assert_eq!(beside(&page, text), Some(reply(id)), "{page}");
    }
    let late = guest(&chat, "late").await;
    assert_eq!(beside(&late.welcome, "a"), Some(reply(public)));
}

#[tokio::test]
async fn what_is_said_behind_a_reply_stays_behind_it() {
    let chat = AccountServer::open(&[]).await;
    let (mut ann, mut bob) = (guest(&chat, "ann").await, guest(&chat, "bob").await);
    let id = say(&mut ann, "ALL", "first", Value::Null).await.unwrap();
    let count = 40_usize;
    let message = |n: usize| json!(["bob", "ALL", 1, format!("n{n}")]);
    let meta = |n: usize| if n.is_multiple_of(3) { json!({ "REPLY": id }) } else { Value::Null };
    let all: Vec<_> = (0..count).map(message).collect();
    let tags: Vec<_> = (0..count).map(|n| format!("t{n}")).collect();
    let metas: Vec<_> = (0..count).map(meta).collect();
    bob.send(&json!({"MESSAGES": all, "TAGS": tags, "META": metas})).await;
    let (mut seen, mut beside_them) = (Vec::new(), Vec::new());
    while seen.len() < count {
        let frame = ann.next().await;
        let Some(messages) = frame["MESSAGES"].as_array() else { continue };
        for message in messages.iter().filter(|message| message[0] == "bob") {
            seen.push(message[3].as_str().unwrap().to_owned());
            beside_them.push(beside(&frame, message[3].as_str().unwrap()).unwrap());
        }
    }
    assert_eq!(seen, (0..count).map(|n| format!("n{n}")).collect::<Vec<_>>());
    assert_eq!(beside_them, metas);
}

#[tokio::test]
async fn mentions_reach_accounts_that_are_not_here_and_members_of_rooms() {
    let chat = AccountServer::open(&[("ann", 1), ("Zoe", 1), ("mod", 3)]).await;
    let (mut ann, mut bob) = (user(&chat, "ann").await, guest(&chat, "Bob").await);
    let mut moderator = user(&chat, "mod").await;
    let mention = |names: &[&str]| json!({ "MENTIONS": names });
    say(&mut ann, "ALL", "one", mention(&["BOB", "zoe", "nobody", "bob"])).await.unwrap();
    assert_eq!(told(&mut bob, "one").await, mention(&["Bob", "Zoe"]));
    // A guest can't look through the accounts like that.
    say(&mut bob, "ALL", "guest", mention(&["zoe", "ann"])).await.unwrap();
    assert_eq!(told(&mut ann, "guest").await, mention(&["ann"]));
    say(&mut ann, "ALL", "two", mention(&["nobody"])).await.unwrap();
    assert_eq!(told(&mut bob, "two").await, Value::Null);
    let forbidden = Err("forbidden".to_owned());
    assert_eq!(say(&mut ann, "ALL", "three", mention(&["ALL"])).await, forbidden);
    say(&mut moderator, "ALL", "four", mention(&["ALL"])).await.unwrap();
    assert_eq!(told(&mut bob, "four").await, mention(&["ALL"]));
    ann.ok("create-room", &["#lab"]).await;
    bob.ok("join", &["#lab"]).await;
    assert_eq!(say(&mut bob, "#lab", "five", mention(&["#lab"])).await, forbidden);
    say(&mut ann, "#lab", "six", mention(&["#LAB", "mod", "bob"])).await.unwrap();
    assert_eq!(told(&mut bob, "six").await, mention(&["#lab", "Bob"]), "mod is no member");
}

#[tokio::test]
async fn looking_up_what_is_refused_has_its_price() {
    let chat = AccountServer::open(&[]).await;
    let mut eve = guest(&chat, "eve").await;
    let mut last = String::new();
    // A bucket holds 40 frames, and gets one a second. However slow this is, what is looked up is no more than that.
    let began = std::time::Instant::now();
    for tries in 1.. {
        let refused = say(&mut eve, "ALL", &format!("{tries}"), json!({"REPLY": 900_000})).await;
        last = refused.unwrap_err();
        let most = 41 + began.elapsed().as_secs();
        assert!(tries <= most || last == "flood", "{tries} of {most}: {last}");
        if last == "flood" {
            break;
        }
    }
    assert_eq!(last, "flood");
}

#[tokio::test]
async fn names_beside_an_empty_message_count_as_what_is_said() {
    let chat = AccountServer::open(&[]).await;
    let mut eve = guest(&chat, "eve").await;
    let names: Vec<_> = (0..20).map(|number| format!("{number:0>70}")).collect();
    let count = 100;
    let all = json!(vec![json!(["eve", "ALL", 1, "x"]); count]);
    let tags: Vec<_> = (0..count).map(|n| format!("t{n}")).collect();
    let metas = vec![json!({ "MENTIONS": names }); count];
    let frame = json!({"MESSAGES": all, "TAGS": tags, "META": metas});
    // Each is about 1.5 KiB: a frame of 100 costs more than 37 of the 40 tokens, and not 7 as its texts alone would.
    eve.send(&frame).await;
    eve.until(|frame| frame["ACKS"]["t99"].as_u64()).await;
    eve.send(&frame.to_string().replace("\"t", "\"u").parse().unwrap()).await;
    let code = eve.until(|frame| frame["REFUSED"]["u99"]["CODE"].as_str().map(str::to_owned));
    assert_eq!(code.await, "flood");
}

#[tokio::test]
async fn a_room_gives_no_reply_to_what_it_does_not_keep() {
    let chat = AccountServer::open(&[("ann", 1)]).await;
    let mut ann = user(&chat, "ann").await;
    ann.ok("create-room", &["#lab"]).await;
    ann.ok("set-room", &["#lab", "keep", "2"]).await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(say(&mut ann, "#lab", text, Value::Null).await.unwrap());
    }
    let none = Err("no-such-message".to_owned());
    assert_eq!(say(&mut ann, "#lab", "four", json!({"REPLY": ids[0]})).await, none);
    say(&mut ann, "#lab", "five", json!({"REPLY": ids[2]})).await.unwrap();
    ann.ok("set-room", &["#lab", "keep", "off"]).await;
    let id = say(&mut ann, "#lab", "six", Value::Null).await.unwrap();
    say(&mut ann, "#lab", "seven", json!({ "REPLY": id })).await.unwrap();
}

#[tokio::test]
async fn what_nobody_agreed_to_is_refused_and_nothing_else_is_lost() {
    let chat = AccountServer::open(&[]).await;
    let (mut ann, mut bob) = (guest(&chat, "ann").await, guest(&chat, "bob").await);
    let refused = Err("refused".to_owned());
    assert_eq!(say(&mut ann, "ALL", "file", json!({"FILE": "Qx7"})).await, refused);
    let sealed = json!({"E2EE": {"FROM": "d1", "TO": {"d2": [0, "AwogD8"]}}});
    assert_eq!(say(&mut ann, "bob", "sealed", sealed).await, refused);
    say(&mut ann, "ALL", "plain", json!({})).await.unwrap();
    let texts = bob.until(|frame| {
        let messages = frame["MESSAGES"].as_array()?;
        Some(messages.iter().map(|m| m[3].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    });
    assert_eq!(texts.await, ["plain"]);
}

#[tokio::test]
async fn a_restart_keeps_what_goes_with_messages() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        folder: folder.path().to_owned(),
        durability: Durability::Process,
        retention: Retention { messages: 1000, bytes: 1 << 20, age: None },
    };
    let open = || Sqlite::open(&options).unwrap();
    let first = {
        let store = std::sync::Arc::new(open());
        let server = harness::Server::with_store(Config::default(), store).await;
        let peer = server.connect().await;
        let mut ann = Roomer::join_speaking(peer, "ann", "ids/1 meta/1 ping/1", "").await;
        let id = say(&mut ann, "ALL", "one", Value::Null).await.unwrap();
        say(&mut ann, "ALL", "two", json!({"REPLY": id, "MENTIONS": ["ann"]})).await.unwrap();
        drop(ann);
        server.stop().await;
        id
    };
    let server = harness::Server::with_store(Config::default(), std::sync::Arc::new(open())).await;
    let peer = server.connect().await;
    let mut bob = Roomer::join_speaking(peer, "bob", "ids/1 meta/1 ping/1", "").await;
    let meta = json!({"REPLY": first, "MENTIONS": ["ann"]});
    assert_eq!(beside(&bob.welcome, "two"), Some(meta.clone()));
    assert_eq!(beside(&bob.welcome, "one"), Some(Value::Null));
    let page = bob.history("ALL").await;
    assert_eq!(beside(&page, "two"), Some(meta));
    let peer = server.connect().await;
    let base = Roomer::join_speaking(peer, "cyd", "ids/1 ping/1", "").await;
    assert!(base.welcome.get("META").is_none());
}
