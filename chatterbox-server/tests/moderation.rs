//! Keeping order: who is put out, kept out or kept from writing, what they are told, and what everybody else is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::path::Path;

use chatterbox_proto::ServerFrame;
use chatterbox_proto::capability::notices::{Closed, Retry};
use chatterbox_server::Config;
use chatterbox_server::accounts::Cost;
use chatterbox_server::store::{SqliteDirectory, SqliteModeration};
use harness::accounts::{AccountServer, Client, PASSWORD, code, password};
use harness::rooms;

/// Reads to the end of a connection; gives its last ERROR, and why it was closed.
async fn end(client: &mut Client) -> (String, Option<Closed>) {
    let mut last = None;
    while let Some(frame) = client.peer.try_next().await {
        let closed = frame.keys.and_then(|keys| keys.closed);
        last = frame.error.map(|text| (text.as_wire().to_owned(), closed)).or(last);
    }
    last.expect("it is told why")
}

fn session(welcome: &ServerFrame) -> String {
    let text = welcome.keys.as_ref().unwrap().resume.as_ref().unwrap().as_wire().to_owned();
    format!(r#", "RESUME": {{"TOKEN": "{text}", "AFTER": 0}}"#)
}

fn until(answer: &ServerFrame) -> Option<i64> {
    answer.keys.as_ref().and_then(|keys| keys.until)
}

/// All that a client is told up to now, as it came, apart from its commands.
async fn everything(client: &mut Client) -> String {
    client.peer.send_body(r#"{"PING": 815}"#).await;
    let mut all = String::new();
    loop {
        let body = client.peer.next_body().await;
        if !body.contains(r#"{"COMMANDS""#) {
            all += &body;
        }
        if body.contains(r#""PONG": 815"#) {
            return all;
        }
    }
}

#[tokio::test]
async fn who_is_put_out_is_told_why_and_may_come_back_in_half_a_minute() {
    let chat = AccountServer::open(&[("prof", 3), ("ann", 1)]).await;
    let mut prof = chat.user("prof").await;
    let (mut base, _) = chat.server.join("base").await;
    let (mut eve, welcome) = chat.ask("eve", "").await;
    let session = session(&welcome);
    let (mut ann, mut second) = (chat.user("ann").await, chat.ask("zoe", "").await.0);
    assert_eq!(prof.code_of("kick", &["eve", "calm", "down"]).await, "ok");
    let (error, closed) = end(&mut eve).await;
    assert!(error.contains("calm down"), "{error}");
    let closed = closed.unwrap();
    assert_eq!((closed.code.as_wire(), closed.retry), ("kicked", Some(Retry::After(30))));
    // Others are told once, before they see them leave: in words, or as a notice.
    let mut said = Vec::new();
    loop {
        let frame = base.next().await;
        said.extend(frame.messages.into_iter().flatten().map(|one| one.content.into_owned()));
        if frame.left.iter().any(|left| left.as_wire() == "eve") {
            break;
        }
    }
    assert_eq!(said, ["eve was put out by prof: calm down"]);
    let notice = second.peer.find(|keys| keys.notices.first().cloned()).await;
    assert_eq!(notice.code.as_wire(), "kicked");
    assert_eq!(notice.name.unwrap().as_wire(), "eve");
    assert_eq!(notice.by.unwrap().as_wire(), "prof");
    // Neither anew, nor in the session.
    for beside in ["", session.as_str()] {
        let (_, refused) = chat.ask("EVE", beside).await;
        assert_eq!(code(&refused), "kicked", "{beside}");
        assert!(refused.info.as_ref().unwrap().as_wire().contains("calm down"));
        assert!(until(&refused).is_some());
    }
    // Of an account, whatever it is called, all connections.
    assert_eq!(ann.code_of("nick", &["annie"]).await, "ok");
    let mut other = chat.user("ann").await;
    assert_eq!(prof.data("kick", &["annie"]).await["CONNECTIONS"], 2);
    for client in [&mut ann, &mut other] {
        assert_eq!(end(client).await.1.unwrap().code.as_wire(), "kicked");
    }
    let (_, refused) = chat.ask("ann", &password(PASSWORD)).await;
    assert_eq!(code(&refused), "kicked");
    // A base client is told in INFO, and when it is put out in ERROR.
    let mut stranger = chat.server.connect().await;
    let refused = stranger.ask("eve").await;
    assert!(refused.info.unwrap().as_wire().contains("calm down"));
    assert!(refused.keys.is_none_or(|keys| keys.code.is_none()));
    assert_eq!(prof.code_of("kick", &["base"]).await, "ok");
    let mut last = String::new();
    while let Some(frame) = base.try_next().await {
        assert!(frame.keys.as_ref().is_none_or(|keys| keys.closed.is_none()));
        last = frame.error.map_or(last, |text| text.as_wire().to_owned());
    }
    assert!(last.starts_with("You were put out"), "{last}");
}

#[tokio::test]
async fn b13_who_has_no_rank_moderates_nobody() {
    let chat = AccountServer::open(&[("root", 5), ("prof", 3), ("ann", 1)]).await;
    let (mut ann, mut prof) = (chat.user("ann").await, chat.user("prof").await);
    let mut eve = chat.guest("eve").await;
    for who in [&mut ann, &mut eve] {
        for (command, arguments) in [
            ("kick", &["prof"][..]),
            ("ban", &["prof"]),
            ("unban", &["prof"]),
            ("mute", &["prof"]),
            ("set-perm", &["ann", "5"]),
            ("user-del", &["prof"]),
            ("server-broadcast", &["x"]),
            ("guests", &["off"]),
            ("audit", &[]),
            ("reports", &[]),
        ] {
            assert_eq!(who.code_of(command, arguments).await, "forbidden", "{command}");
        }
    }
    for whom in ["root", "prof", "PROF"] {
        assert_eq!(prof.code_of("ban", &[whom]).await, "forbidden", "{whom}");
    }
    let mut root = chat.user("root").await;
    let audit = root.data("audit", &[]).await;
    assert_eq!(audit["ROWS"], serde_json::json!([]), "what was refused is not written down");
}

/// The tries of somebody who was banned.
async fn is_kept_out(chat: &AccountServer, name: &str, beside: &[&str]) {
    for beside in beside {
        let (_, refused) = chat.ask(name, beside).await;
        assert_eq!(code(&refused), "banned", "{name} {beside}");
        let info = refused.info.as_ref().unwrap().as_wire();
        assert!(info.contains("spam") && info.contains("until 2"), "{info}");
        assert!(until(&refused).is_some_and(|until| until > 1_700_000_000));
    }
    let mut base = chat.server.connect().await;
    let refused = base.ask(name).await;
    assert_eq!(refused.accepted, Some(false), "{name}");
}

async fn open(folder: &Path) -> AccountServer {
    let directory = SqliteDirectory::open(folder).unwrap();
    let moderation = SqliteModeration::open(folder).unwrap();
    let users = [("root", 5), ("prof", 3), ("ann", 1)];
    AccountServer::moderated(Config::default(), &users, directory, moderation, Cost::CHEAP).await
}

#[tokio::test]
async fn who_is_banned_stays_out_whatever_they_try() {
    let folder = tempfile::tempdir().unwrap();
    let chat = open(folder.path()).await;
    let mut prof = chat.user("prof").await;
    let (mut eve, welcome) = chat.ask("b0b", "").await;
    let of_guest = session(&welcome);
    let (mut ann, welcome) = chat.ask("ann", &password(PASSWORD)).await;
    let of_account = session(&welcome);
    assert_eq!(ann.code_of("nick", &["annie"]).await, "ok");
    let mut second = chat.user("ann").await;
    let mut witness = chat.guest("witness").await;
    let by_password = password(PASSWORD);

    assert_eq!(prof.code_of("ban", &["b0b", "2h", "spam"]).await, "ok");
    assert_eq!(prof.code_of("ban", &["annie", "7d", "spam"]).await, "ok");
    for client in [&mut eve, &mut ann, &mut second] {
        let (error, closed) = end(client).await;
        assert!(error.contains("spam"), "{error}");
        let closed = closed.unwrap();
        assert_eq!((closed.code.as_wire(), closed.retry), ("banned", Some(Retry::Never)));
        assert!(closed.until.is_some());
    }
    // The name in another case, one that looks like it, the session, a second connection, another guest's change of name.
    for name in ["b0b", "B0B", "BOB", "bob"] {
        is_kept_out(&chat, name, &["", &of_guest]).await;
    }
    is_kept_out(&chat, "ann", &[&by_password]).await;
    let (_, refused) = chat.ask("ann", &of_account).await;
    assert_ne!(refused.accepted, Some(true), "the session is no way in: {refused:?}");
    for name in ["bob", "BoB"] {
        assert_eq!(witness.code_of("nick", &[name]).await, "banned", "{name}");
    }
    drop((prof, witness));
    chat.server.stop().await;

    // After a restart it is as before, until it is lifted.
    let chat = open(folder.path()).await;
    let mut prof = chat.user("prof").await;
    is_kept_out(&chat, "bob", &["", &of_guest]).await;
    is_kept_out(&chat, "ann", &[&by_password]).await;
    assert_eq!(prof.data("banned-users", &[]).await["ROWS"].as_array().unwrap().len(), 2);
    assert_eq!(prof.code_of("unban", &["b0b"]).await, "ok");
    assert_eq!(prof.code_of("unban", &["ANN"]).await, "ok");
    chat.guest("bob").await;
    chat.user("ann").await;
    // The audit log has it all, and has it still.
    let mut root = chat.user("root").await;
    let rows = root.data("audit", &[]).await["ROWS"].clone();
    let acts: Vec<_> = rows.as_array().unwrap().iter().map(|row| row[2].clone()).collect();
    assert_eq!(acts, ["unban", "unban", "ban", "ban"], "the newest first");
}

#[tokio::test]
async fn a_banned_name_keeps_no_account_out_that_looks_like_it() {
    let chat = AccountServer::open(&[("prof", 3), ("olga", 5)]).await;
    let mut prof = chat.user("prof").await;
    assert_eq!(prof.code_of("ban", &["0lga", "1h", "spam"]).await, "ok");
    let (_, refused) = chat.ask("0lga", "").await;
    assert_eq!(refused.accepted, Some(false), "{refused:?}");
    let mut olga = chat.user("olga").await;
    assert_eq!(olga.code_of("nick", &["olga2"]).await, "ok");
    assert_eq!(olga.code_of("nick", &["olga"]).await, "ok");
}

/// Whether a message to all is refused because of a mute.
async fn is_mute(client: &mut Client, tag: &str) -> bool {
    client.peer.say_tagged("ALL", "hello", tag).await;
    let refused = client.peer.find(|keys| {
        let code = keys.refused.first().map(|refused| refused.code.as_wire().to_owned());
        code.or_else(|| keys.acks.first().map(|_| String::new()))
    });
    refused.await == "muted"
}

#[tokio::test]
async fn a_mute_goes_with_its_guest_to_an_account_and_with_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let chat = open(folder.path()).await;
    let mut prof = chat.user("prof").await;
    let mut eve = chat.guest("eve").await;
    assert_eq!(prof.code_of("mute", &["eve", "2h", "ALL", "loud"]).await, "ok");
    assert_eq!(eve.code_of("nick", &["mallory"]).await, "ok");
    eve.peer.name = "mallory".to_owned();
    // Somebody else takes the name, and an account with it: that frees nobody.
    let mut other = chat.guest("eve").await;
    assert_eq!(other.code_of("register", &[PASSWORD]).await, "ok");
    assert!(is_mute(&mut eve, "a").await);
    assert_eq!(eve.code_of("register", &[PASSWORD]).await, "ok");
    assert!(is_mute(&mut eve, "b").await);
    assert!(!is_mute(&mut other, "c").await, "it was never on them");
    drop((prof, eve, other));
    chat.server.stop().await;

    let chat = open(folder.path()).await;
    let mut eve = chat.user("mallory").await;
    assert_eq!(eve.code_of("nick", &["somebody"]).await, "ok");
    eve.peer.name = "somebody".to_owned();
    assert!(is_mute(&mut eve, "d").await, "it is stored of the account");
    assert!(!is_mute(&mut chat.user("eve").await, "e").await);
    let mut prof = chat.user("prof").await;
    assert_eq!(prof.code_of("unmute", &["mallory"]).await, "ok");
    assert!(!is_mute(&mut eve, "f").await);
}

#[tokio::test]
async fn who_is_banned_from_a_room_keeps_no_order_there() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1), ("cyd", 1)]).await;
    let (mut ann, mut bob) = (rooms::user(&chat, "ann").await, rooms::user(&chat, "bob").await);
    let mut cyd = rooms::user(&chat, "cyd").await;
    ann.ok("create-room", &["#lab"]).await;
    bob.ok("join", &["#lab"]).await;
    cyd.ok("join", &["#lab"]).await;
    ann.ok("set-perm", &["bob", "3", "#lab"]).await;
    bob.ok("mute", &["cyd", "10m", "#lab"]).await;
    ann.ok("ban-from", &["#lab", "bob", "7d"]).await;
    let acts: [(&str, &[&str]); 5] = [
        ("unmute", &["cyd", "#lab"]),
        ("mute", &["cyd", "10m", "#lab"]),
        ("ban-from", &["#lab", "cyd"]),
        ("unban", &["bob", "#lab"]),
        ("banned-users", &["#lab"]),
    ];
    for (act, arguments) in acts {
        assert_eq!(bob.code(act, arguments).await, "forbidden", "{act}");
    }
}

#[tokio::test]
async fn who_is_banned_from_a_room_is_told_why_whenever_they_try() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let (mut ann, mut bob) = (rooms::user(&chat, "ann").await, rooms::user(&chat, "bob").await);
    ann.ok("create-room", &["#lab"]).await;
    bob.ok("join", &["#lab"]).await;
    let banned = ann.ok("ban-from", &["#lab", "bob", "7d", "spam"]).await;
    let end = banned["DATA"]["UNTIL"].as_i64().unwrap();
    for _ in 0..2 {
        let refused = bob.call("join", &["#lab"]).await;
        assert_eq!((&refused["CODE"], refused["UNTIL"].as_i64()), (&"banned".into(), Some(end)));
        let text = refused["ERROR"].as_str().unwrap();
        assert!(text.contains("until 2") && text.ends_with(": spam"), "{text}");
        // An invitation does not help.
        ann.call("invite", &["#lab", "bob"]).await;
    }
    ann.ok("unban", &["bob", "#lab"]).await;
    bob.ok("join", &["#lab"]).await;
}

#[tokio::test]
async fn who_is_muted_may_only_ask_those_who_keep_order() {
    let chat = AccountServer::open(&[("prof", 3), ("helper", 2), ("ann", 1)]).await;
    let (mut prof, mut helper) = (chat.user("prof").await, chat.user("helper").await);
    let (mut eve, welcome) = chat.ask("eve", "").await;
    let session = session(&welcome);
    let (mut base, _) = chat.server.join("base").await;
    let end = prof.data("mute", &["eve", "10m", "ALL", "loud"]).await["UNTIL"].as_i64();
    let notice = eve.peer.find(|keys| keys.notices.first().cloned()).await;
    assert_eq!((notice.code.as_wire(), notice.until), ("muted", end));
    assert_eq!((notice.by.unwrap().as_wire(), notice.info.unwrap().as_wire()), ("prof", "loud"));
    let notice = helper.peer.find(|keys| keys.notices.first().cloned()).await;
    assert_eq!(notice.name.unwrap().as_wire(), "eve", "those who keep order are told");
    assert!(!everything(&mut chat.guest("witness").await).await.contains("muted"));

    let is_muted = async |eve: &mut Client, to: &str, tag: &str| {
        eve.peer.say_tagged(to, "hello", tag).await;
        let refused = eve.peer.find(|keys| keys.refused.first().cloned()).await;
        assert_eq!(refused.code.as_wire(), "muted", "{to}");
        assert_eq!(refused.until, end);
    };
    is_muted(&mut eve, "ALL", "a").await;
    is_muted(&mut eve, "helper", "b").await;
    // Another name, another connection of the session, a new connection: still.
    assert_eq!(eve.code_of("nick", &["evelyn"]).await, "ok");
    eve.peer.name = "evelyn".to_owned();
    is_muted(&mut eve, "ALL", "c").await;
    let (mut eve, welcome) = chat.ask("evelyn", &session).await;
    assert_eq!(welcome.keys.as_ref().unwrap().resumed, Some(true));
    is_muted(&mut eve, "ALL", "d").await;
    drop(eve);
    prof.peer.sees_leave("evelyn").await;
    let mut eve = chat.guest("eve").await;
    is_muted(&mut eve, "ALL", "e").await;
    eve.peer.say("prof", "please").await;
    prof.peer.until("please").await;
    // To register is no way out.
    assert_eq!(eve.code_of("register", &[PASSWORD]).await, "ok");
    is_muted(&mut eve, "ALL", "f").await;
    drop(eve);
    prof.peer.sees_leave("eve").await;
    let mut eve = chat.user("eve").await;
    is_muted(&mut eve, "ALL", "g").await;
    assert_eq!(prof.code_of("unmute", &["eve"]).await, "ok");
    eve.peer.say("ALL", "thanks").await;
    base.until("thanks").await;
    // A base client is told in ERROR, and stays.
    assert_eq!(prof.code_of("mute", &["base"]).await, "ok");
    assert!(base.error().await.starts_with("You are muted until 2"));
    base.say("ALL", "hm").await;
    assert!(base.error().await.contains("muted"));
}

#[tokio::test]
async fn a_silent_act_is_seen_by_nobody_else() {
    let chat = AccountServer::open(&[("prof", 3), ("root", 5)]).await;
    let mut prof = chat.user("prof").await;
    let (mut eve, mut bob) = (chat.guest("eve").await, chat.guest("bob").await);
    let mut witness = chat.guest("witness").await;
    let (mut base, _) = chat.server.join("base").await;
    assert_eq!(prof.code_of("kick", &["eve", "--silent", "secret reason"]).await, "ok");
    assert_eq!(prof.code_of("ban", &["bob", "1h", "--silent", "secret reason"]).await, "ok");
    assert!(end(&mut eve).await.0.contains("secret reason"));
    assert!(end(&mut bob).await.0.contains("secret reason"));
    let told = everything(&mut witness).await;
    assert!(told.contains("eve") && told.contains("bob"), "they have left: {told}");
    for word in ["secret", "prof", "banned", "kicked", "put out"] {
        assert!(!told.contains(word), "{word}: {told}");
    }
    base.say("ALL", "last").await;
    let before = base.until("last").await;
    assert!(before.iter().all(|text| !text.contains("secret") && !text.contains("put out")));
}

#[tokio::test]
async fn nobody_below_level_4_learns_an_address() {
    let chat = AccountServer::open(&[("prof", 3), ("oper", 4), ("root", 5)]).await;
    let mut prof = chat.user("prof").await;
    let mut oper = chat.user("oper").await;
    let (_eve, mut bob) = (chat.guest("eve").await, chat.guest("bob").await);
    assert_eq!(prof.code_of("ban", &["eve", "1h", "spam"]).await, "ok");
    assert_eq!(oper.code_of("ban", &["203.0.113.0/24", "1h"]).await, "ok");
    assert_eq!(oper.code_of("ban", &["2001:db8::1", "1h"]).await, "ok");
    let mut all = String::new();
    for client in [&mut prof, &mut bob] {
        for command in ["banned-users", "audit", "reports", "users", "name"] {
            all += &format!("{:?}", client.call(command, &[]).await);
        }
        all += &everything(client).await;
    }
    for part in ["127.0.0.1", "203.0.113", "2001:db8", "::1"] {
        assert!(!all.contains(part), "{part}: {all}");
    }
    assert!(all.contains("an address"), "they see that there is one: {all}");
    let listed = oper.data("banned-users", &[]).await.to_string();
    assert!(listed.contains("203.0.113.0/24") && listed.contains("2001:db8::/64"), "{listed}");
}

#[tokio::test]
async fn nobody_is_there_any_more_when_a_ban_is_answered() {
    let chat = AccountServer::open(&[("prof", 3)]).await;
    let mut prof = chat.user("prof").await;
    for round in 0..10 {
        // They try while it is imposed.
        let name = format!("eve{round}");
        let tries = async {
            let mut joined = Vec::new();
            for _ in 0..5 {
                let (client, answer) = chat.ask(&name, "").await;
                if answer.accepted == Some(true) {
                    joined.push(client);
                }
            }
            joined
        };
        let ban = async {
            assert_eq!(prof.code_of("ban", &[&name, "1h"]).await, "ok");
            prof.data("users", &[]).await.to_string()
        };
        let (joined, users) = tokio::join!(tries, ban);
        assert!(!users.contains(&name), "{users}");
        for mut client in joined {
            let (_, closed) = end(&mut client).await;
            assert_eq!(closed.unwrap().code.as_wire(), "banned");
        }
    }
}

#[tokio::test]
async fn a_report_is_told_to_who_keeps_order_and_never_to_who_is_reported() {
    let chat = AccountServer::open(&[("prof", 3), ("dean", 3), ("ann", 1)]).await;
    let (mut prof, mut dean) = (chat.user("prof").await, chat.user("dean").await);
    let mut ann = chat.user("ann").await;
    assert_eq!(ann.code_of("report", &["prof", "insults"]).await, "ok");
    assert!(everything(&mut dean).await.contains(r#""CODE": "report""#));
    let told = everything(&mut prof).await;
    assert!(!told.contains("insults"), "{told}");
}

#[tokio::test]
async fn what_the_server_says_is_not_kept() {
    let chat = AccountServer::open(&[("root", 5)]).await;
    let mut root = chat.user("root").await;
    let mut ann = chat.guest("ann").await;
    let (mut base, _) = chat.server.join("base").await;
    assert_eq!(root.code_of("server-broadcast", &["back", "at", "six"]).await, "ok");
    base.until("back at six").await;
    let told = everything(&mut ann).await;
    assert!(told.contains(r#""CODE": "announcement""#), "{told}");
    assert_eq!(told.matches("back at six").count(), 1, "not both: {told}");
    let (_, welcome) = chat.server.join("later").await;
    assert_eq!(welcome.messages.unwrap_or_default(), []);
}
