//! The audit log and the bans as whoever has the machine reads them, while a server runs or not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::io::{Read, Write};
use std::path::Path;

use assert_cmd::assert::Assert;
use chatterbox_hub::{AccountRef, Network, RoomNumber, RoomRef, SanctionKind, SanctionSubject};
use chatterbox_proto::{RoomName, Username};
use chatterbox_server::moderation::{About, Act, AuditEntry, ModerationStore as _, NewSanction};
use chatterbox_server::store::SqliteModeration;
use harness::process::{Running, connect, join, read_frame};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::{contains, is_empty};
use rustix::process::Signal;
use serde_json::{Value, json};

/// 2023-11-14 22:13:20 UTC.
const SOME_DAY: i64 = 1_700_000_000;

fn run(data: &Path, arguments: &[&str]) -> Assert {
    let mut command = harness::program::server();
    command.args(arguments).arg("--data").arg(data).assert()
}

fn output(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// The lines of a table without its head, each with the white space between its columns as one blank.
fn rows(assert: &Assert) -> Vec<String> {
    let all = output(assert);
    all.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn objects(assert: &Assert) -> Vec<Value> {
    let all = output(assert);
    assert!(all.is_ascii(), "{all}");
    all.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn lab() -> RoomRef {
    RoomRef { number: RoomNumber(7), name: RoomName::parse("#Lab").unwrap() }
}

fn ban(subject: SanctionSubject) -> NewSanction {
    NewSanction {
        kind: SanctionKind::Ban,
        subject,
        about: "eve".into(),
        room: None,
        by: "Mod".into(),
        reason: "spam\u{9b}2J\u{1b}[31m\nx".into(),
        since: SOME_DAY,
        until: None,
    }
}

fn fill(store: &mut SqliteModeration) {
    let act = |after: i64, act| AuditEntry::new(SOME_DAY + after, "Mod", act);
    let network = Network::parse("192.0.2.0/24").unwrap();
    let entry = AuditEntry {
        by_account: Some(3),
        about: Some(About::user(&name("J\u{f6}rg"))),
        until: Some(SOME_DAY + 60),
        reason: "spam\u{9b}2J\u{1b}[31m\nx".into(),
        ..act(0, Act::Ban)
    };
    let account = AccountRef { id: 9, name: name("J\u{f6}rg") };
    let sanctions = [
        ban(SanctionSubject::Account(account)),
        NewSanction { until: Some(SOME_DAY + 60), ..ban(SanctionSubject::Name(name("gone"))) },
        ban(SanctionSubject::Network { network, guests_only: true }),
    ];
    store.impose(&entry, &sanctions).unwrap();
    let guest = SanctionSubject::Guest { name: name("eve"), session: None, member: None };
    let mute = NewSanction {
        kind: SanctionKind::Mute,
        room: Some(lab().number),
        until: Some(SOME_DAY * 2),
        reason: "".into(),
        ..ban(guest)
    };
    let entry = AuditEntry {
        about: Some(About::user(&name("eve"))),
        room: Some(lab()),
        ..act(1, Act::Mute)
    };
    store.impose(&entry, &[mute]).unwrap();
    store.note(&AuditEntry { about: Some(About::network(network)), ..act(2, Act::Ban) }).unwrap();
    store
        .note(&AuditEntry { by: "SERVER".into(), detail: "off".into(), ..act(3, Act::Guests) })
        .unwrap();
}

#[test]
fn the_log_is_read_while_a_server_runs_and_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let server = Running::start(&["localhost", "-p", "0", "--plaintext", "--data", &data]);
    run(folder.path(), &["audit"])
        .success()
        .stdout(is_empty())
        .stderr(contains("nothing of that in the audit log"));
    fill(&mut SqliteModeration::open(folder.path()).unwrap());
    let all = [
        "4 2023-11-14 22:13:23 SERVER guests off",
        "3 2023-11-14 22:13:22 Mod ban 192.0.2.0/24",
        "2 2023-11-14 22:13:21 Mod mute eve #Lab",
        "1 2023-11-14 22:13:20 Mod ban J\u{f6}rg 2023-11-14 22:14:20 spam\\u{9b}2J\\u{1b}[31m\\nx",
    ];
    let head =
        contains("NUMBER  AT (UTC)").and(contains('\u{1b}').not()).and(contains('\u{9b}').not());
    assert_eq!(rows(&run(folder.path(), &["audit"]).success().stdout(head)), all);
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    for (arguments, expected) in [
        (&["--limit", "2"][..], &all[..2]),
        (&["--before", "3", "--limit", "1"], &all[2..3]),
        (&["--user", "JO\u{308}RG"], &all[3..]),
        (&["--user", "192.0.2.0/24"], &all[1..2]),
        (&["--by", "server"], &all[..1]),
        (&["--room", "lab"], &all[2..3]),
        (&["--room", "#LAB", "--user", "eve"], &all[2..3]),
        (&["--room", "#lab", "--user", "ann"], &[]),
    ] {
        let arguments = [&["audit"], arguments].concat();
        assert_eq!(rows(&run(folder.path(), &arguments).success()), expected, "{arguments:?}");
    }
    let found = objects(&run(folder.path(), &["audit", "--json", "--limit", "3"]).success());
    assert_eq!(found.len(), 3);
    assert_eq!(
        found[1..],
        [
            json!({"number": 3, "at": SOME_DAY + 2, "by": "Mod", "account": null, "act": "ban", "name": "192.0.2.0/24",
                "address": true, "room": null, "until": null, "detail": "", "reason": ""}),
            json!({"number": 2, "at": SOME_DAY + 1, "by": "Mod", "account": null, "act": "mute", "name": "eve",
                "address": false, "room": {"number": 7, "name": "#Lab"}, "until": null, "detail": "", "reason": ""}),
        ]
    );
    let found = objects(&run(folder.path(), &["audit", "--json", "--user", "j\u{f6}rg"]).success());
    assert_eq!((&found[0]["name"], &found[0]["account"]), (&json!("J\u{f6}rg"), &json!(3)));
    assert_eq!(found[0]["reason"], "spam\u{9b}2J\u{1b}[31m\nx", "as it was given");
    run(folder.path(), &["audit", "--json", "--user", "nobody"]).success().stdout("").stderr("");
}

#[test]
fn more_than_a_page_of_the_log_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteModeration::open(folder.path()).unwrap();
    for after in 0..1_020 {
        store.note(&AuditEntry::new(SOME_DAY + after, "Mod", Act::Kick)).unwrap();
    }
    let found = objects(&run(folder.path(), &["audit", "--json", "--limit", "1010"]).success());
    let numbers: Vec<_> = found.iter().map(|entry| entry["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (11..=1_020).rev().collect::<Vec<_>>());
    assert_eq!(rows(&run(folder.path(), &["audit"]).success()).len(), 100);
    assert_eq!(rows(&run(folder.path(), &["audit", "--limit", "5000"]).success()).len(), 1_020);
}

#[test]
fn bans_and_mutes_that_hold_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteModeration::open(folder.path()).unwrap();
    run(folder.path(), &["bans"])
        .success()
        .stdout("")
        .stderr(contains("nobody is banned or muted"));
    fill(&mut store);
    let reason = "spam\\u{9b}2J\\u{1b}[31m\\nx";
    let expected = [
        format!("1 ban account J\u{f6}rg server Mod 2023-11-14 22:13:20 for ever {reason}"),
        format!("3 ban guests from 192.0.2.0/24 server Mod 2023-11-14 22:13:20 for ever {reason}"),
        "4 mute guest eve room 7 Mod 2023-11-14 22:13:20 2077-09-27 20:26:40".to_owned(),
    ];
    assert_eq!(rows(&run(folder.path(), &["bans"]).success()), expected, "not what has ended");
    let database = rusqlite::Connection::open(folder.path().join("chatterbox.db")).unwrap();
    let make = "INSERT INTO rooms (number, name, key, topic, description, most, hidden, closed, talk, slow, length,
             show_all, roster, configured, auto, floor)
         VALUES (7, '#Lab', '#lab', '', '', 0, 0, 0, 0, 0, 9, 1, 1, 0, 0, 0)";
    database.execute(make, []).unwrap();
    let found = objects(&run(folder.path(), &["bans", "--json"]).success());
    assert_eq!(found.len(), 3);
    assert_eq!(
        found[1..],
        [
            json!({"number": 3, "kind": "ban", "on": "network", "account": null, "name": null, "network": "192.0.2.0/24",
                "guests_only": true, "about": "eve", "room": null, "by": "Mod", "since": SOME_DAY, "until": null,
                "reason": "spam\u{9b}2J\u{1b}[31m\nx"}),
            json!({"number": 4, "kind": "mute", "on": "guest", "account": null, "name": "eve", "network": null,
                "guests_only": false, "about": "eve", "room": {"number": 7, "name": "#Lab"}, "by": "Mod",
                "since": SOME_DAY, "until": SOME_DAY * 2, "reason": ""}),
        ]
    );
    assert_eq!((&found[0]["account"], &found[0]["name"]), (&json!(9), &json!("J\u{f6}rg")));
}

#[test]
fn what_can_not_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["audit", "bans"] {
        let mistyped = folder.path().join("mistyped");
        run(&mistyped, &[command]).code(74).stderr(contains("hint: "));
        assert!(!mistyped.exists(), "nothing is made");
    }
    SqliteModeration::open(folder.path()).unwrap();
    run(folder.path(), &["audit", "--room", "a b"]).code(65).stderr(contains("no white space"));
    for wrong in [&["--limit", "0"][..], &["--limit", "x"], &["--before", "x"], &["eve"]] {
        run(folder.path(), &[&["audit"], wrong].concat()).code(64);
    }
}

#[test]
fn what_is_done_to_accounts_on_the_command_line_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let input = |arguments: &[&str], line: &'static str| {
        let mut command = harness::program::server();
        command.args(arguments).arg("--data").arg(folder.path()).write_stdin(line).assert()
    };
    input(&["user", "add", "ann", "--level", "4"], "secret-one\n").success();
    input(&["user", "add", "ann"], "secret-two\n").code(65);
    input(&["user", "level", "Ann", "2"], "").success();
    input(&["user", "passwd", "ann"], "secret-three\n").success();
    input(&["admin-password"], "secret-four\n").success();
    input(&["user", "del", "ann"], "").success();
    for nobody in
        [&["user", "level", "ann", "5"][..], &["user", "del", "ann"], &["user", "passwd", "ann"]]
    {
        input(nobody, "secret-five\n").code(67);
    }
    let found = objects(&run(folder.path(), &["audit", "--json", "--by", "server"]).success());
    let texts: Vec<_> = found
        .iter()
        .rev()
        .map(|entry| json!([entry["act"], entry["name"], entry["detail"]]))
        .collect();
    assert_eq!(
        texts,
        [
            json!(["add-account", "ann", "4 (operator)"]),
            json!(["set-level", "Ann", "2 (helper)"]),
            json!(["set-password", "ann", ""]),
            json!(["set-admin-password", null, "set"]),
            json!(["remove-account", "ann", ""]),
        ],
        "what was refused is no act"
    );
    let all = output(&run(folder.path(), &["audit"]).success());
    assert!(!all.contains("secret"), "{all}");
    // What can't be written down is not done.
    let database = rusqlite::Connection::open(folder.path().join("chatterbox.db")).unwrap();
    input(&["user", "add", "bob"], "secret-six\n").success();
    database.execute_batch("ALTER TABLE audit RENAME TO elsewhere").unwrap();
    input(&["user", "level", "bob", "5"], "").code(74);
    input(&["user", "list"], "").success().stdout(contains("bob").and(contains("1 (user)")));
}

/// Sends a frame, and reads until one with this text.
fn ask(stream: &mut (impl Read + Write), frame: &Value, until: &str) -> String {
    let body = frame.to_string();
    stream.write_all(&chatterbox_proto::frame::encode(body.as_bytes()).unwrap()).unwrap();
    loop {
        let answer = read_frame(stream);
        if answer.contains(until) {
            return answer;
        }
    }
}

#[test]
fn b10_a_ban_that_was_answered_survives_kill_9_and_so_do_all_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let mut add = harness::program::server();
    add.args(["user", "add", "mod", "--level", "3", "--data", &data]).write_stdin("secret-one\n");
    add.assert().success();
    let start = || Running::start(&["127.0.0.1", "-p", "0", "--plaintext", "--data", &data]);
    let login = json!({"USERNAME": "mod", "CAPABILITIES": "accounts/1 commands/1", "PASSWORD": "secret-one"});
    let mut bans = Vec::new();
    for life in 0..3 {
        let server = start();
        let mut moderator = connect(server.address);
        assert!(ask(&mut moderator, &login, "USERNAME_ACCEPTED").contains("true"));
        for number in 0..3 {
            let name = format!("eve{life}{number}");
            let ban = json!({"COMMAND": {"ID": name, "NAME": "ban", "ARGS": [name, "1d"]}});
            let result = ask(&mut moderator, &ban, "RESULT");
            assert!(result.contains("\"OK\": true") || result.contains("\"OK\":true"), "{result}");
            bans.push(name);
        }
        server.signal(Signal::KILL);
        assert_eq!(server.end().0, None);
        let listed = objects(&run(folder.path(), &["bans", "--json"]).success());
        let listed: Vec<_> =
            listed.iter().map(|ban| ban["about"].as_str().unwrap().to_owned()).collect();
        assert_eq!(listed, bans);
        let acts = objects(&run(folder.path(), &["audit", "--json", "--by", "mod"]).success());
        assert_eq!(acts.len(), bans.len(), "each act is one line");
    }
    let server = start();
    for name in &bans {
        let refused = join(&mut connect(server.address), name);
        assert!(refused.contains("\"USERNAME_ACCEPTED\": false"), "{refused}");
    }
    assert!(join(&mut connect(server.address), "ann").contains("\"USERNAME_ACCEPTED\": true"));
}
