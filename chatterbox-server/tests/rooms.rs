//! Rooms over real sockets and real TLS: what members get, and what everybody else does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use futures_util::future::join_all;
use harness::accounts::{AccountServer, PASSWORD, password};
use harness::rooms::{Roomer, guest, ids, texts, user, values};
use harness::{Peer, unlimited};
use serde_json::{Value, json};

/// Comes back to a session whose connection is cut.
async fn resumed(chat: &AccountServer, cut: &Roomer, name: &str, after: u64) -> Roomer {
    let user = Roomer::join(chat.server.connect().await, name, &cut.resume(after)).await;
    assert_eq!(user.welcome["RESUMED"], json!(true), "{}", user.welcome);
    user
}

/// The next frames of a base client, up to one with this in it.
async fn up_to(base: &mut Peer, text: &str, bytes: &mut Vec<String>) {
    loop {
        bytes.push(base.next_body().await);
        if bytes.last().unwrap().contains(text) {
            return;
        }
    }
}

/// All frames of a base client, and of an account with `ids` and no rooms, though it is a member of one, beside users who say the same in the lobby, with or without rooms.
async fn beside(with_rooms: bool) -> (Vec<String>, Vec<Value>) {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1), ("only", 1)]).await;
    let mut ann = user(&chat, "ann").await;
    let mut bob = user(&chat, "bob").await;
    if with_rooms {
        ann.ok("create-room", &["#lab"]).await;
        let mut only = user(&chat, "only").await;
        only.ok("join", &["#lab"]).await;
        only.ok("default", &["#lab"]).await;
        drop(only);
        ann.until(|frame| frame.get("USERS_LEFT").cloned()).await;
        ann.ok("create-room", &["#secret", "hunter2"]).await;
        ann.ok("set-room", &["#secret", "hidden", "on"]).await;
        ann.say("#lab", "in the lab").await.unwrap();
    }
    ann.say("ALL", "one").await.unwrap();
    if with_rooms {
        ann.say("#secret", "in secret").await.unwrap();
    }
    let mut bytes = Vec::new();
    let mut base = chat.server.connect().await;
    base.send_body(r#"{"USERNAME": "base"}"#).await;
    up_to(&mut base, "USERNAME_ACCEPTED", &mut bytes).await;
    let offered = "accounts/1 ids/1 ping/1";
    let login = password(PASSWORD);
    let mut only =
        Roomer::join_speaking(chat.server.connect().await, "only", offered, &login).await;
    up_to(&mut base, "only", &mut bytes).await;
    let mut seen = vec![only.welcome.clone()];
    if with_rooms {
        bob.ok("join", &["#lab"]).await;
        bob.ok("join", &["#secret", "hunter2"]).await;
        ann.ok("topic", &["#lab", "exercise 3"]).await;
        ann.say("#lab", "lab again").await.unwrap();
        bob.say("#secret", "secret again").await.unwrap();
        ann.ok("set-room", &["#lab", "roster", "off"]).await;
    }
    for (from, to, text) in
        [("base", "#lab", "to a room"), ("base", "#none", "to none"), ("base", "bob", "to bob")]
    {
        base.send_body(&format!(r#"{{"MESSAGES": [["{from}", "{to}", 1, "{text}"]]}}"#)).await;
        if to.starts_with('#') {
            up_to(&mut base, "ERROR", &mut bytes).await;
            assert!(only.say(to, text).await.is_err());
        }
    }
    ann.say("ALL", "two").await.unwrap();
    up_to(&mut base, "two", &mut bytes).await;
    bob.ok("nick", &["rob"]).await;
    up_to(&mut base, "\"rob\"", &mut bytes).await;
    if with_rooms {
        ann.ok("kick-from", &["#lab", "rob"]).await;
        bob.ok("leave", &["#secret"]).await;
        bob.ok("join", &["#lab"]).await;
    }
    drop(bob);
    up_to(&mut base, "\"rob\"", &mut bytes).await;
    if with_rooms {
        let id = ann.begin("delete-room", &["#lab"]).await;
        ann.until(|frame| frame.get("PROMPT").cloned()).await;
        ann.send(&json!({"ANSWER": {"ID": id, "TEXT": "#lab"}})).await;
        assert_eq!(ann.result(&id).await["OK"], json!(true));
    }
    ann.say("ALL", "the end").await.unwrap();
    up_to(&mut base, "the end", &mut bytes).await;
    seen.extend(only.settle().await);
    seen.push(only.history("ALL").await);
    seen.push(only.history("#lab").await);
    (bytes, seen)
}

#[tokio::test]
async fn a_base_client_gets_the_same_bytes_as_where_nobody_is_in_rooms() {
    let (with_rooms, seen) = beside(true).await;
    let (without, _) = beside(false).await;
    assert_eq!(with_rooms, without);
    // Who speaks `ids` sees gaps in the numbers, and that is all (RM-4).
    assert_eq!(texts(&seen)[..1], ["one"]);
    assert!(texts(&seen).contains(&"the end"));
    for frame in &seen {
        for key in ["ROOMS", "ROOMS_LEFT", "ROOM_USERS_JOINED", "ROOM_USERS_LEFT", "DEFAULT"] {
            assert!(frame.get(key).is_none(), "{frame}");
        }
        // What it has written itself comes back in answers.
        let own = ["\"WITH\":\"#lab\"", "here: #lab", "here: #none"];
        let text = own.iter().fold(frame.to_string(), |text, own| text.replace(own, ""));
        for word in ["ROOM", "#", "secret", "in the lab", "TOPIC"] {
            assert!(!text.contains(word), "{word}: {frame}");
        }
    }
}

#[tokio::test]
async fn what_is_said_in_a_room_gives_nobody_else_a_byte() {
    let chat = AccountServer::with(unlimited(), &[("ann", 1), ("bob", 1)]).await;
    let mut ann = user(&chat, "ann").await;
    let mut bob = user(&chat, "bob").await;
    ann.ok("create-room", &["#lab"]).await;
    bob.ok("join", &["#lab"]).await;
    let mut outside = guest(&chat, "outside").await;
    let was_in = &mut guest(&chat, "was-in").await;
    was_in.ok("join", &["#lab"]).await;
    was_in.ok("leave", &["#lab"]).await;
    let offered = "ids/1 ping/1";
    let mut only = Roomer::join_speaking(chat.server.connect().await, "only", offered, "").await;
    for user in [&mut ann, &mut bob, &mut outside, was_in, &mut only] {
        user.settle().await;
    }
    for number in 0..50 {
        ann.say("#lab", &format!("a{number}")).await.unwrap();
        bob.say("#lab", &format!("b{number}")).await.unwrap();
    }
    ann.ok("topic", &["#lab", "exercise 3"]).await;
    for user in [&mut outside, was_in, &mut only] {
        assert_eq!(user.settle().await, [] as [Value; 0]);
    }
    let (anns, bobs) = (ann.settle().await, bob.settle().await);
    assert_eq!((texts(&anns), ids(&anns)), (texts(&bobs), ids(&bobs)), "each once, for both");
    assert!(texts(&anns).len() == 100 && ids(&anns).is_sorted_by(|a, b| a < b));
    for (room, code) in [("#lab", "not-a-member"), ("#none", "no-such-room")] {
        assert_eq!(outside.say(room, "x").await.unwrap_err(), code);
        let page = was_in.history(room).await;
        assert_eq!((&page["CODE"], &page["MESSAGES"]), (&json!(code), &json!([])));
    }
    assert!(texts(&ann.settle().await).is_empty());
}

#[tokio::test]
async fn what_was_missed_while_a_connection_was_cut_comes_in_one_rising_list() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let mut ann = user(&chat, "ann").await;
    let mut bob = user(&chat, "bob").await;
    for room in ["#lab", "#quiet", "#idle", "#other", "#left"] {
        bob.ok("create-room", &[room]).await;
        if room != "#other" {
            ann.ok("join", &[room]).await;
        }
    }
    for room in ["#quiet", "#idle"] {
        bob.ok("set-room", &[room, "keep", "off"]).await;
        bob.say(room, "before").await.unwrap();
    }
    let after = ann.say("ALL", "seen").await.unwrap();
    ann.settle().await;
    // All of this is on its way to her and not read.
    for (to, text) in [("ALL", "1"), ("#lab", "2"), ("ann", "3"), ("#quiet", "gone")] {
        bob.say(to, text).await.unwrap();
    }
    // The first time the old connection is still there, and then it is not.
    let mut again = resumed(&chat, &ann, "ann", after).await;
    assert_eq!(texts(std::slice::from_ref(&again.welcome)), ["1", "2", "3"]);
    let gap = |user: &Roomer, room| user.welcomed(room).unwrap().get("GAP").cloned();
    assert_eq!(gap(&again, "#quiet"), Some(json!(true)));
    assert!(again.settle().await.is_empty());
    drop(again);
    bob.until(|frame| frame["USERS_LEFT"].as_array().filter(|who| **who == ["ann"]).cloned()).await;
    bob.say("#other", "not hers").await.unwrap();
    for (to, text) in [("#lab", "4"), ("ALL", "5"), ("#left", "x"), ("#lab", "6")] {
        bob.say(to, text).await.unwrap();
    }
    bob.ok("kick-from", &["#left", "ann", "go"]).await;
    let back = resumed(&chat, &ann, "ann", after).await;
    let welcome = std::slice::from_ref(&back.welcome);
    assert_eq!(texts(welcome), ["1", "2", "3", "4", "5", "6"]);
    let numbers = ids(welcome);
    assert!(numbers.len() == 6 && numbers.is_sorted_by(|a, b| a < b) && numbers[0] > after);
    assert_eq!(back.rooms(), ["ALL", "#lab", "#quiet", "#idle"]);
    assert_eq!(gap(&back, "#quiet"), Some(json!(true)));
    assert_eq!((gap(&back, "#lab"), gap(&back, "#idle")), (None, None), "nothing was missed");
    let left = &back.welcome["ROOMS_LEFT"];
    assert_eq!((&left[0]["ROOM"], &left[0]["CODE"]), (&json!("#left"), &json!("kicked")));
    assert_eq!(left.as_array().unwrap().len(), 1);
    // From the last number on nothing is missed, and nothing is a gap.
    let back = resumed(&chat, &back, "ann", bob.say("ALL", "7").await.unwrap()).await;
    assert_eq!((texts(std::slice::from_ref(&back.welcome)).len(), gap(&back, "#quiet")), (0, None));
}

#[tokio::test]
async fn a_guest_is_in_its_rooms_again_when_the_session_is_resumed_and_only_then() {
    let chat = AccountServer::open(&[("ann", 1)]).await;
    let mut ann = user(&chat, "ann").await;
    ann.ok("create-room", &["#lab"]).await;
    let mut gus = guest(&chat, "gus").await;
    gus.ok("join", &["#lab"]).await;
    let after = ann.say("#lab", "seen").await.unwrap();
    gus.settle().await;
    let session = gus.resume(after);
    ann.settle().await;
    drop(gus);
    let left = ann.until(|frame| frame.get("ROOM_USERS_LEFT").cloned()).await;
    assert_eq!(left, json!({"#lab": ["gus"]}));
    ann.say("#lab", "missed").await.unwrap();
    let fresh = guest(&chat, "gus").await;
    assert_eq!(fresh.rooms(), ["ALL"], "another session");
    drop(fresh);
    ann.until(|frame| frame["USERS_LEFT"].as_array().filter(|who| **who == ["gus"]).cloned()).await;
    let gus = Roomer::join(chat.server.connect().await, "gus", &session).await;
    assert_eq!(gus.welcome["RESUMED"], json!(true));
    assert_eq!(texts(std::slice::from_ref(&gus.welcome)), ["missed"]);
    assert_eq!(gus.welcomed("#lab").unwrap()["USERS"], json!(["ann", "gus"]));
    let joined = ann.until(|frame| frame.get("ROOM_USERS_JOINED").cloned()).await;
    assert_eq!(joined, json!({"#lab": ["gus"]}));
}

#[tokio::test]
async fn b11_a_limit_holds_and_who_joins_again_or_elsewhere_leaves_no_ghost() {
    let chat = AccountServer::open(&[("prof", 1)]).await;
    let mut prof = user(&chat, "prof").await;
    for room in ["#lab", "#talk"] {
        prof.ok("create-room", &[room]).await;
    }
    prof.ok("set-room", &["#lab", "limit", "3"]).await;
    let mut guests = Vec::new();
    for number in 0..10 {
        guests.push(guest(&chat, &format!("g{number}")).await);
    }
    let codes = join_all(guests.iter_mut().map(|guest| guest.code("join", &["#lab"]))).await;
    let mut inside: Vec<_> = codes.iter().map(|code| code == "ok").collect();
    assert_eq!(inside.iter().filter(|is_in| **is_in).count(), 3, "{codes:?}");
    assert!(codes.iter().all(|code| code == "ok" || code == "full"), "{codes:?}");
    let room = prof.room("#lab").await;
    assert_eq!((&room["COUNT"], room["USERS"].as_array().unwrap().len()), (&json!(4), 4));
    prof.settle().await;
    let first = inside.iter().position(|is_in| *is_in).unwrap();
    let outside = inside.iter().position(|is_in| !is_in).unwrap();
    let name = format!("g{first}");
    for _ in 0..3 {
        assert_eq!(guests[first].code("join", &["#LAB"]).await, "already");
    }
    guests[first].ok("join", &["#talk"]).await;
    // Each message comes once, in the room that it was said in.
    prof.say("#lab", "x").await.unwrap();
    prof.say("#talk", "y").await.unwrap();
    assert_eq!(texts(&guests[first].settle().await), ["x", "y"]);
    assert_eq!(prof.room("#lab").await["USERS"], room["USERS"]);
    guests[first].ok("leave", &["#lab"]).await;
    let seen = prof.settle().await;
    assert_eq!(values(&seen, "ROOM_USERS_JOINED"), [&json!({"#talk": [name]})]);
    prof.say("#lab", "z").await.unwrap();
    assert!(texts(&guests[first].settle().await).is_empty(), "no ghost listens");
    let users = prof.room("#lab").await["USERS"].clone();
    assert!(!users.as_array().unwrap().contains(&json!(name)), "{users}");
    assert_eq!(guests[outside].code("join", &["#lab"]).await, "ok", "the place is free");
    assert_eq!(guests[first].code("join", &["#lab"]).await, "full");
    inside[outside] = true;
}

#[tokio::test]
async fn b13_what_may_be_left_out_may_be_and_nobody_answers_or_acts_for_others() {
    let chat = AccountServer::open(&[("prof", 1), ("ann", 1), ("eve", 1)]).await;
    let mut prof = user(&chat, "prof").await;
    let (mut ann, mut eve) = (user(&chat, "ann").await, user(&chat, "eve").await);
    prof.ok("create-room", &["#lab", "hunter2"]).await;
    // A password that is left out is asked for, and only who was asked answers.
    let id = ann.begin("join", &["#lab"]).await;
    let question = ann.until(|frame| frame.get("PROMPT").cloned()).await;
    assert_eq!((&question["ID"], &question["SECRET"]), (&json!(id), &json!(true)));
    eve.send(&json!({"ANSWER": {"ID": id, "TEXT": "wrong"}})).await;
    assert!(eve.until(|frame| frame["ERROR"].as_str().map(str::to_owned)).await.contains("CM-4"));
    assert!(values(&ann.settle().await, "RESULT").is_empty());
    ann.send(&json!({"ANSWER": {"ID": id, "TEXT": "hunter2"}})).await;
    assert_eq!(ann.result(&id).await["CODE"], json!("ok"));
    eve.ok("join", &["#lab", "hunter2"]).await;

    // A room that is left out is the default.
    eve.ok("default", &["#lab"]).await;
    prof.ok("default", &["#lab"]).await;
    prof.ok("topic", &["two words"]).await;
    assert_eq!(eve.ok("list", &[]).await["DATA"]["ROWS"].as_array().unwrap().len(), 3);
    for text in ["oldest", "older", "newest"] {
        prof.say("#lab", text).await.unwrap();
    }
    assert_eq!(texts(&[eve.history("#lab").await]), ["oldest", "older", "newest"]);

    let room = prof.room("#lab").await;
    assert_eq!(room["TOPIC"], json!("two words"));
    prof.settle().await;
    for (command, arguments) in [
        ("kick-from", &["#lab", "ann"][..]),
        ("kick-from", &["#lab", "prof"]),
        ("set-perm", &["eve", "4", "#lab"]),
        ("set-perm", &["prof", "0", "#lab"]),
        ("set-room", &["#lab", "password", ""]),
        ("topic", &["#lab", "mine"]),
        ("delete-room", &["#lab"]),
        ("clear", &["#lab"]),
        ("clear", &["ALL"]),
        ("topic", &["ALL", "mine"]),
    ] {
        assert_eq!(eve.code(command, arguments).await, "forbidden", "{command} {arguments:?}");
    }
    assert!(prof.settle().await.is_empty(), "nobody is told of what was not done");
    assert_eq!(prof.room("#lab").await, room);
    assert_eq!(eve.history("#lab").await["MESSAGES"].as_array().unwrap().len(), 3);
    assert_eq!(eve.ok("leave", &[]).await["DATA"]["ROOM"], json!("#lab"));
}
