//! Accounts over real sockets and real TLS: logins, refusals, and that refused ones leave nothing behind.
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
use std::time::{Duration, Instant};

use chatterbox_proto::ServerFrame;
use chatterbox_server::Config;
use chatterbox_server::accounts::Cost;
use chatterbox_server::store::{MemoryDirectory, SqliteDirectory};
use harness::accounts::{
    AccountServer, Client, EVERYTHING, PASSWORD, account, code, password, token,
};
use harness::process::{Running, connect, read_frame};
use tokio::io::AsyncWriteExt as _;

#[tokio::test]
async fn a_password_opens_a_name_and_a_token_does_it_again() {
    let chat = AccountServer::open(&[("ann", 3)]).await;
    let (ann, welcome) = chat.ask("ANN", &password(PASSWORD)).await;
    let (level, text) = account(&welcome);
    let text = text.unwrap();
    assert_eq!(level, 3);
    let (_, answer) = chat.ask("ann", &token(&text)).await;
    assert_eq!(code(&answer), "taken", "the name is in use");
    let mut watcher = chat.guest("watcher").await;
    drop(ann);
    watcher.peer.sees_leave("ANN").await;
    let (_ann, welcome) = chat.ask("ann", &token(&text)).await;
    assert_eq!(account(&welcome), (3, None), "no new token for a token");
    let (_, welcome) = chat.ask("bob", "").await;
    assert_eq!(account(&welcome), (0, None), "a guest");
}

#[tokio::test]
async fn wrong_is_wrong_in_three_ways() {
    let chat = AccountServer::open(&[("ann", 1)]).await;
    let mut peer = chat.server.connect().await;
    for (name, beside, expected) in [
        ("ann", password("wrong"), "wrong-password"),
        ("nobody", password("wrong"), "wrong-password"),
        ("ann", token("wrong"), "wrong-token"),
        ("ann", String::new(), "registered"),
        ("a b", password(PASSWORD), "bad-name"),
        ("ann", password("wrong"), "wrong-password"),
        ("ann", password("wrong"), "wrong-password"),
        ("ann", password("wrong"), "wrong-password"),
    ] {
        assert_eq!(code(&peer.offer(name, EVERYTHING, &beside).await), expected);
    }
    // A failed login is a refused name, so a connection has ten (AN-4, TK-4).
    let mut peer = chat.server.connect().await;
    let last = peer.offer("ann", EVERYTHING, &password("wrong")).await;
    assert_eq!(code(&last), "wrong-password");
    let right = peer.offer("ann", EVERYTHING, &password(PASSWORD)).await;
    assert_eq!(code(&right), "throttled", "the right one has to wait, too");
    let other = peer.offer("bob", EVERYTHING, "").await;
    assert_eq!(other.accepted, Some(true), "others don't");
}

#[tokio::test]
async fn who_does_not_exist_takes_as_long() {
    // On a busy machine an attempt may take any time, but the shortest ones come near the cost of hashing. Without hashing
    // an unknown name would be answered in a hundredth of that.
    let mut rounds = Vec::new();
    for _ in 0..12 {
        // Each round is judged by itself, or one lucky answer to the unknown name would decide all of them.
        let mut shortest = [Duration::MAX; 2];
        // Four attempts for each name: the rate limit begins at the sixth.
        let memory = MemoryDirectory::default();
        let chat =
            AccountServer::keeping(Config::default(), &[("ann", 1)], memory, Cost::default()).await;
        for _ in 0..4 {
            for (name, shortest) in ["ann", "nobody"].into_iter().zip(&mut shortest) {
                let mut peer = chat.server.connect().await;
                let begun = Instant::now();
                let answer = peer.offer(name, EVERYTHING, &password("wrong")).await;
                assert_eq!(code(&answer), "wrong-password");
                *shortest = begun.elapsed().min(*shortest);
            }
        }
        let [known, unknown] = shortest;
        if unknown * 2 > known {
            return;
        }
        rounds.push(shortest);
    }
    panic!("known and unknown: {rounds:?}");
}

#[tokio::test]
async fn a_registered_name_is_nobody_elses() {
    let chat = AccountServer::open(&[("Bill", 1)]).await;
    let mut base = chat.server.connect().await;
    for name in ["Bill", "bill", "BILL"] {
        let answer = base.ask(name).await;
        assert_eq!(answer.accepted, Some(false));
        let info = answer.info.unwrap();
        assert!(info.as_wire().contains("registered"), "it says why: {info:?}");
        assert!(answer.keys.is_none(), "and nothing that is not of the base protocol");
    }
    let (_, answer) = chat.ask("BiII", "").await;
    assert_eq!(code(&answer), "looks-taken");
    assert_eq!(base.ask("billy").await.accepted, Some(true), "b2");
    let mut bill = chat.user("bill").await;
    assert_eq!(bill.code_of("nick", &["will"]).await, "ok");
    assert_eq!(chat.server.connect().await.ask("bill").await.accepted, Some(false), "still");
    let mut carl = chat.guest("carl").await;
    carl.code_of("register", &[PASSWORD]).await;
    assert_eq!(carl.code_of("nick", &["bill"]).await, "registered");
    assert_eq!(carl.code_of("nick", &["biII"]).await, "registered");
    assert_eq!(carl.code_of("nick", &["Will"]).await, "taken");
}

#[tokio::test]
async fn without_guests_only_registered_users_join() {
    let config = Config { guests: false, ..Config::default() };
    let chat = AccountServer::with(config, &[("ann", 1)]).await;
    assert_eq!(code(&chat.ask("bob", "").await.1), "no-guests");
    assert_eq!(chat.server.connect().await.ask("bob").await.accepted, Some(false));
    assert_eq!(code(&chat.ask("ann", "").await.1), "registered");
    chat.user("ann").await;
}

#[tokio::test]
async fn who_is_elevated_is_so_under_every_name() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let (mut ann, mut bob) = (chat.user("ann").await, chat.user("bob").await);
    for (client, nick) in [(&mut ann, "foo"), (&mut bob, "baz")] {
        assert_eq!(client.code_of("elevate", &[harness::accounts::ADMIN_PASSWORD]).await, "ok");
        assert_eq!(client.code_of("nick", &[nick]).await, "ok");
    }
    for name in ["ann", "foo", "bob", "baz"] {
        assert_eq!(ann.code_of("set-perm", &[name, "5"]).await, "forbidden", "{name}");
        assert_eq!(ann.code_of("set-perm", &[name, "1"]).await, "forbidden", "{name}");
    }
    for name in ["ann", "bob"] {
        let name = chatterbox_proto::Username::parse(name).unwrap();
        assert_eq!(chat.accounts.account(&name).await.unwrap().unwrap().level.number(), 1);
    }
}

#[tokio::test]
async fn b4_a_login_that_fails_or_is_broken_off_makes_no_user() {
    let chat = AccountServer::open(&[("ann", 1)]).await;
    assert_eq!(code(&chat.ask("bob", &password("wrong")).await.1), "wrong-password");
    // The client disconnects while its password is verified.
    let mut peer = chat.server.connect().await;
    let offer =
        format!(r#"{{"USERNAME": "cyd", "CAPABILITIES": "{EVERYTHING}", "PASSWORD": "x"}}"#);
    peer.send_body(&offer).await;
    drop(peer);
    // Crafted lines: quotes, line ends, other keys, other names inside the password.
    for text in ["x\", \"USERNAME\": \"ann", "x\nann:", "x\r\n{\"LEVEL\": 5}", "ann", "", "\0"] {
        let (_, answer) = chat.ask("dan", &password(text)).await;
        assert!(["wrong-password", "throttled"].contains(&code(&answer).as_str()), "{text:?}");
    }
    let (_, answer) = chat.ask("ann\\u0000", &password(PASSWORD)).await;
    assert_eq!(code(&answer), "bad-name");
    assert_eq!(chat.registered().await, ["ann"]);
    for name in ["bob", "cyd", "dan"] {
        chat.guest(name).await;
    }
}

#[tokio::test]
async fn b5_credentials_are_checked_in_the_server() {
    let chat = AccountServer::open(&[("ann", 5)]).await;
    let mut peer = chat.server.connect().await;
    // The server ignores claims of a client about its own level.
    for body in [
        r#"{"USERNAME": "ann", "USERNAME_ACCEPTED": true, "ACCOUNT": {"LEVEL": 5}}"#,
        r#"{"USERNAME": "ann", "PASSWORD_OK": true, "LEVEL": 5}"#,
        &format!(r#"{{"USERNAME": "ann", "PASSWORD": "{PASSWORD}"}}"#),
    ] {
        peer.send_body(body).await;
        assert_eq!(peer.next().await.accepted, Some(false), "{body}");
    }
    for proof in ["null", "true", "[]", "{}", "0", r#"["correct horse battery staple"]"#] {
        let body =
            format!(r#"{{"USERNAME": "ann", "CAPABILITIES": "accounts/1", "PASSWORD": {proof}}}"#);
        peer.send_body(&body).await;
        assert!(peer.error().await.contains("AN-1"), "{proof}");
    }
    let mut eve = chat.guest("eve").await;
    let forged =
        r#"{"COMMAND": {"ID": "1", "NAME": "set-prefix", "ARGS": ["!"], "LEVEL": 5, "AS": "ann"}}"#;
    eve.peer.send_body(forged).await;
    assert_eq!(eve.result("1").await.code.as_wire(), "forbidden");
}

#[tokio::test]
async fn b6_nothing_is_taken_before_the_login_and_nobody_speaks_for_others() {
    let chat = AccountServer::open(&[("ann", 1)]).await;
    let mut bob = chat.guest("bob").await;
    let mut eve = chat.server.connect().await;
    let said = r#""MESSAGES": [["ann", "ALL", 1, "forged"]]"#;
    for body in [
        format!("{{{said}}}"),
        format!(r#"{{"USERNAME": "ann", {said}}}"#),
        format!(r#"{{"USERNAME": "ann", "CAPABILITIES": "accounts/1", "PASSWORD": "x", {said}}}"#),
        format!(r#"{{"PASSWORD": "{PASSWORD}", {said}}}"#),
        r#"{"COMMAND": {"ID": "1", "NAME": "msg", "ARGS": ["bob", "forged"]}}"#.to_owned(),
    ] {
        eve.send_body(&body).await;
        while !eve.next_body().await.contains(r#""ERROR""#) {}
    }
    let mut eve = chat.guest("eve").await;
    eve.peer.send_body(&format!("{{{said}}}")).await;
    assert!(eve.peer.error().await.contains("SR-1"));
    assert_eq!(bob.settle().await, [""; 0]);
}

#[tokio::test]
async fn b7_a_silent_connection_stalls_nobodys_login() {
    let chat = AccountServer::keeping(
        Config::default(),
        &[("ann", 1)],
        MemoryDirectory::default(),
        Cost::default(),
    )
    .await;
    let mut silent = Vec::new();
    for number in 0..60 {
        // Before the handshake, after it, in the middle of a login.
        let mut raw = tokio::net::TcpStream::connect(chat.server.address).await.unwrap();
        if number % 2 == 0 {
            raw.write_all(b"\x16\x03").await.unwrap();
        }
        silent.push(raw);
    }
    let mut halves = Vec::new();
    for _ in 0..10 {
        let mut peer = chat.server.connect().await;
        peer.send(b"\0\0\0\x60{\"USERNAME\": \"ann\", \"PASSWORD").await;
        halves.push(peer);
    }
    // While many passwords are verified, the chat goes on.
    let mut guessing = Vec::new();
    for number in 0..20 {
        let mut peer = chat.server.connect().await;
        let offer = format!(
            r#"{{"USERNAME": "x{number}", "CAPABILITIES": "{EVERYTHING}", "PASSWORD": "x"}}"#
        );
        peer.send_body(&offer).await;
        guessing.push(peer);
    }
    let mut bob = chat.guest("bob").await;
    let begun = Instant::now();
    bob.settle().await;
    let mut ann = chat.user("ann").await;
    ann.peer.say("bob", "here").await;
    bob.peer.until("here").await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn accounts_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |users: &[(&str, u8)]| {
        let directory = SqliteDirectory::open(folder.path()).unwrap();
        AccountServer::keeping(Config::default(), users, directory, Cost::CHEAP).await
    };
    let chat = open(&[("root", 5)]).await;
    let mut ann = chat.guest("ann").await;
    let made = ann.data("register", &[PASSWORD]).await;
    let text = made["TOKEN"].as_str().unwrap().to_owned();
    chat.guest("eve").await.settle().await;
    let mut eve = chat.guest("eve2").await;
    eve.settle().await;
    assert_eq!(ann.code_of("block", &["eve2"]).await, "ok");
    let mut root = chat.user("root").await;
    root.data("set-perm", &["ann", "2"]).await;
    root.data("set-prefix", &["!"]).await;
    root.data("disable-command", &["test"]).await;
    chat.server.stop().await;

    let chat = open(&[]).await;
    let (mut ann, welcome) = chat.ask("ann", &token(&text)).await;
    assert_eq!(account(&welcome).0, 2);
    let prefix = ann.peer.find(|keys| keys.prefix.clone()).await;
    assert_eq!(prefix.as_wire(), "!");
    assert_eq!(ann.data("blocked", &[]).await["ROWS"], serde_json::json!([["eve2"]]));
    assert_eq!(ann.code_of("test", &[]).await, "disabled");
}

fn send(stream: &mut impl std::io::Write, body: &str) {
    let frame = chatterbox_proto::frame::encode(body.as_bytes()).unwrap();
    stream.write_all(&frame).unwrap();
}

fn holds(file: &Path, text: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn b14_passwords_and_tokens_are_in_no_file_and_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let server = Running::start(&[
        "127.0.0.1",
        "-p",
        "0",
        "--plaintext",
        "--grace",
        "0",
        "--log",
        "trace",
        "--data",
        &data,
    ]);
    let mut stream = connect(server.address);
    send(&mut stream, &format!(r#"{{"USERNAME": "ann", "CAPABILITIES": "{EVERYTHING}"}}"#));
    let first = "first secret of ann";
    let second = "second secret of ann";
    let mut call = |name: &str, arguments: &[&str]| {
        let call = serde_json::json!({"COMMAND": {"ID": "1", "NAME": name, "ARGS": arguments}});
        send(&mut stream, &call.to_string());
        loop {
            let frame: serde_json::Value = serde_json::from_str(&read_frame(&mut stream)).unwrap();
            if !frame["RESULT"].is_null() {
                return frame["RESULT"].clone();
            }
        }
    };
    let token = call("register", &[first])["DATA"]["TOKEN"].as_str().unwrap().to_owned();
    assert_eq!(call("passwd", &[first, second])["OK"], true);
    assert_eq!(call("passwd", &["a wrong secret", second])["OK"], false);
    assert_eq!(call("elevate", &["another wrong secret"])["OK"], false);
    assert_eq!(call("registr", &["a mistyped secret"])["OK"], false);
    let mut other = connect(server.address);
    let offer = format!(
        r#"{{"USERNAME": "ann", "CAPABILITIES": "{EVERYTHING}", "PASSWORD": "a guessed secret"}}"#
    );
    send(&mut other, &offer);
    read_frame(&mut other);
    let secrets = [
        first,
        second,
        "a wrong secret",
        "another wrong secret",
        "a mistyped secret",
        "a guessed secret",
        token.as_str(),
    ];
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    // The control socket is none that can be read, and holds nothing.
    files.retain(|file| file.is_file());
    assert!(files.iter().any(|file| file.ends_with("chatterbox.db-wal")), "{files:?}");
    for file in &files {
        for secret in secrets {
            assert!(!holds(file, secret), "{secret} in {}", file.display());
        }
    }
    assert!(files.iter().any(|file| holds(file, "$argon2id$v=19$m=19456,t=2,p=1$")));
    server.signal(rustix::process::Signal::TERM);
    let (_, log) = server.end();
    assert!(log.contains("registered") && log.contains("login failed"), "{log}");
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} in the log");
    }
    let left = folder.path().join("chatterbox.db");
    assert!(secrets.iter().all(|secret| !holds(&left, secret)));
}

#[tokio::test]
async fn a_token_is_worth_nothing_after_logging_out_or_another_password() {
    let chat = AccountServer::open(&[("ann", 1)]).await;
    let login = async |beside: String| -> (Client, ServerFrame) { chat.ask("ann", &beside).await };
    let (mut ann, welcome) = login(password(PASSWORD)).await;
    let first = account(&welcome).1.unwrap();
    let changed = ann.data("passwd", &[PASSWORD, "another password"]).await;
    let second = changed["TOKEN"].as_str().unwrap().to_owned();
    let mut watcher = chat.guest("watcher").await;
    drop(ann);
    watcher.peer.sees_leave("ann").await;
    assert_eq!(code(&login(token(&first)).await.1), "wrong-token");
    assert_eq!(code(&login(password(PASSWORD)).await.1), "wrong-password");
    let (mut ann, welcome) = login(token(&second)).await;
    assert_eq!(welcome.accepted, Some(true));
    assert!(ann.call("logout", &[]).await.ok);
    while ann.peer.try_next().await.is_some() {}
    assert_eq!(code(&login(token(&second)).await.1), "wrong-token");
    assert_eq!(login(password("another password")).await.1.accepted, Some(true));
}
