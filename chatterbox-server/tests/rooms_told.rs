//! Members know what a room is like from what they are told of it (RM-6, RM-7, RM-8, RM-11).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use harness::accounts::{ADMIN_PASSWORD, AccountServer};
use harness::rooms::{Roomer, user};
use serde_json::{Value, json};

/// What a member knows of a room from what it was told, and nothing else.
fn learn(known: &mut Value, frames: &[Value]) {
    let name = known["ROOM"].as_str().unwrap().to_owned();
    for frame in frames {
        let names = |key: &str| frame[key][&name].as_array().cloned().unwrap_or_default();
        let mut users = known["USERS"].as_array().unwrap().clone();
        users.extend(names("ROOM_USERS_JOINED"));
        users.retain(|user| !names("ROOM_USERS_LEFT").contains(user));
        users.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        // Who is no member is no staff.
        let staff = known["STAFF"].as_object_mut().unwrap();
        staff.retain(|name, _| !names("ROOM_USERS_LEFT").contains(&json!(name)));
        known["COUNT"] = json!(users.len());
        known["USERS"] = json!(users);
        for room in frame["ROOMS"].as_array().into_iter().flatten() {
            assert!(room["ROOM"] == *name && room["NUMBER"] == known["NUMBER"], "{room}");
            known.as_object_mut().unwrap().extend(room.as_object().unwrap().clone());
        }
        let ids = frame["IDS"].as_array().into_iter().flatten();
        let messages = frame["MESSAGES"].as_array().into_iter().flatten();
        for (id, _) in ids.zip(messages).filter(|(_, message)| message[1] == *name) {
            known["LAST"] = id.clone();
        }
    }
}

#[tokio::test]
async fn members_know_what_a_room_is_like_from_what_they_are_told() {
    let chat = AccountServer::open(&[("prof", 1), ("ann", 1), ("bob", 1), ("mod", 3)]).await;
    let mut prof = user(&chat, "prof").await;
    let mut ann = user(&chat, "ann").await;
    let mut bob = user(&chat, "bob").await;
    prof.ok("create-room", &["#lab"]).await;
    prof.ok("join", &["#lab"]).await;
    bob.ok("join", &["#lab"]).await;
    let mut known = bob.room("#lab").await;
    bob.settle().await;
    let mut helper = user(&chat, "mod").await;
    let steps: &[(&str, &[&str])] = &[
        ("topic", &["#lab", "exercise 3"]),
        ("set-room", &["#lab", "description", "questions"]),
        ("set-room", &["#lab", "limit", "9"]),
        ("set-room", &["#lab", "password", "hunter2"]),
        ("set-room", &["#lab", "hidden", "on"]),
        ("set-room", &["#lab", "closed", "on"]),
        ("set-room", &["#lab", "slow", "1"]),
        ("set-room", &["#lab", "talk", "1"]),
        ("set-room", &["#lab", "length", "99"]),
        ("set-room", &["#lab", "keep", "7"]),
        ("set-room", &["#lab", "show", "joined"]),
        ("say", &["#lab", "hello"]),
        ("set-perm", &["ann", "2", "#lab"]),
        ("invite", &["#lab", "ann", "mod"]),
        ("set-perm", &["bob", "3", "#lab"]),
        ("set-perm", &["bob", "0", "#lab"]),
    ];
    for (command, arguments) in steps {
        prof.ok(command, arguments).await;
    }
    // Joining is paced, and so is asking for the truth.
    told(&mut known, &mut bob, "settings and levels").await;
    assert_eq!(known["FLAGS"].as_array().unwrap().len(), 3);
    ann.ok("join", &["#lab"]).await;
    told(&mut known, &mut bob, "ann, who has a level, joins").await;
    assert_eq!(known["STAFF"], json!({"ann": 2, "prof": 4}));
    ann.ok("leave", &["#lab"]).await;
    told(&mut known, &mut bob, "ann leaves").await;
    assert_eq!(known["STAFF"], json!({"prof": 4}));
    helper.ok("join", &["#lab"]).await;
    told(&mut known, &mut bob, "mod joins").await;
    assert_eq!(known["STAFF"], json!({"mod": 3, "prof": 4}));
    drop(helper);
    prof.until(|frame| frame["USERS_LEFT"].as_array().filter(|who| **who == ["mod"]).cloned())
        .await;
    told(&mut known, &mut bob, "mod is not here").await;
    let mut helper = user(&chat, "mod").await;
    told(&mut known, &mut bob, "mod is here").await;
    helper.ok("nick", &["helper"]).await;
    bob.until(|frame| frame.get("USERS_RENAMED").cloned()).await;
    known = bob.room("#lab").await;
    assert_eq!(known["STAFF"], json!({"helper": 3, "prof": 4}));
    bob.settle().await;
    prof.ok("set-perm", &["mod", "4", "#lab"]).await;
    told(&mut known, &mut bob, "mod has a level in the room").await;
    helper.ok("elevate", &[ADMIN_PASSWORD]).await;
    told(&mut known, &mut bob, "mod is admin").await;
    bob.ok("elevate", &[ADMIN_PASSWORD]).await;
    told(&mut known, &mut bob, "bob is admin").await;
    assert_eq!(known["LEVEL"], json!(5));
}

/// Compares what bob knows with what is so.
async fn told(known: &mut Value, bob: &mut Roomer, what: &str) {
    learn(known, &bob.settle().await);
    assert_eq!(*known, bob.room("#lab").await, "{what}");
    bob.settle().await;
}
