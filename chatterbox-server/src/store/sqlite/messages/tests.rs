//! The contract, and what only a database can do: come back, refuse, recover, shrink, be copied.

#![allow(clippy::disallowed_methods, reason = "a test of files")]

use std::path::Path;

use chatterbox_hub::{Conversation, Filing, Party, Sender};
use chatterbox_proto::capability::ids::Side;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Entry, Username};
use rusqlite::Connection;

use super::*;
use crate::store::contract::{self, keep_next};
use crate::store::sqlite::database::DATABASE_FILE;
use crate::store::sqlite::migrate::{APPLICATION, MIGRATIONS};
use crate::store::sqlite::{CopyError, Durability, Retention, backup, export};

const FOR_EVER: Retention = Retention { messages: u64::MAX, bytes: u64::MAX, age: None };

fn options(folder: &Path) -> SqliteOptions {
    SqliteOptions {
        folder: folder.to_owned(),
        durability: Durability::Process,
        retention: FOR_EVER,
    }
}

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(&options(folder)).unwrap()
}

fn record(text: &str, arrived: i64) -> Record {
    let source = Username::parse("ann").unwrap();
    let json = format!("[\"{text}\"]").into();
    Record {
        source,
        destination: Destination::All,
        json,
        arrived,
        filing: Filing::default(),
        meta: None,
    }
}

async fn texts(store: &Sqlite) -> Vec<(Sequence, String)> {
    let all = store.read(0, 10_000).await.unwrap();
    all.into_iter()
        .map(|(sequence, record)| (sequence, String::from_utf8(record.json.to_vec()).unwrap()))
        .collect()
}

/// Makes accounts with the numbers 1 to 9.
fn make_accounts(folder: &Path) {
    let connection = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    for id in 1..=9 {
        let make = "INSERT INTO accounts (id, name, key, password, level, created)
                    VALUES (?1, 'user' || ?1, 'user' || ?1, 'x', 1, 0)";
        connection.execute(make, [id]).unwrap();
    }
}

mod aging;
mod room_messages;
mod rooms;
mod shares;

#[tokio::test]
async fn holds_the_contract() {
    let folders = std::cell::RefCell::new(Vec::new());
    contract::holds(|keep| {
        let folder = tempfile::tempdir().unwrap();
        let retention = Retention { messages: keep.messages, bytes: keep.bytes, age: None };
        let store = Sqlite::open(&SqliteOptions { retention, ..options(folder.path()) }).unwrap();
        make_accounts(folder.path());
        folders.borrow_mut().push(folder);
        store
    })
    .await;
}

#[tokio::test]
async fn what_was_stored_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let to_bob = Record {
        destination: Destination::User(Username::parse("Jörg").unwrap()),
        ..record("b", 8)
    };
    let store = open(folder.path());
    keep_next(&store, &[record("a", 7), to_bob.clone()]).await.unwrap();
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.read(0, 9).await.unwrap(), [(1, record("a", 7)), (2, to_bob)]);
    assert_eq!(keep_next(&store, &[record("c", 9)]).await.unwrap(), 3);
}

#[tokio::test]
async fn private_messages_of_an_older_version_are_found_by_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let old = made_by_version(2, folder.path());
    for number in 0..2500 {
        let (recipient, to) =
            [(None, "ALL"), (Some("Bob"), "Bob"), (Some("cyd"), "cyd")][number % 3];
        let json = format!("[\"ann\", \"{to}\", 1, \"{number}\"]");
        let sql = "INSERT INTO messages (arrived, recipient, json) VALUES (7, ?, ?)";
        old.execute(sql, (recipient, json)).unwrap();
    }
    drop(old);
    let store = open(folder.path());
    let name = |text| Username::parse(text).unwrap();
    let of = Conversation::between(&name("BOB"), &name("ann"));
    let page = store.page(PageQuery { of, side: Side::Newest, limit: 500 }).await.unwrap();
    assert_eq!((page.records.len(), page.more), (500, true));
    assert!(page.records.iter().all(|(number, _)| number % 3 == 2));
    assert_eq!(page.records.last().unwrap().0, 2498);
}

#[tokio::test]
async fn a_group_with_what_can_not_be_stored_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let no_text = Record { json: vec![0xff].into(), ..record("", 7) };
    for wrong in [(9, no_text), (u64::MAX, record("", 7))] {
        let group = [(8, record("a", 7)), wrong];
        assert!(matches!(store.keep(&group).await, Err(StoreError::Failed(_))));
        assert_eq!((texts(&store).await, store.newest().await.unwrap()), (vec![], 0));
    }
    store.keep(&[(8, record("b", 7))]).await.unwrap();
    assert_eq!(texts(&store).await, [(8, "[\"b\"]".to_owned())]);
}

/// The database of an earlier version. Migrations never change, so the first of them are its schema.
fn made_by_version(version: i32, folder: &Path) -> Connection {
    let connection = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    for migration in MIGRATIONS.iter().take(version.unsigned_abs() as usize) {
        connection.execute_batch(migration).unwrap();
    }
    connection.pragma_update(None, "application_id", APPLICATION).unwrap();
    connection.pragma_update(None, "user_version", version).unwrap();
    connection
}

#[tokio::test]
async fn messages_of_a_version_without_sources_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let old = made_by_version(5, folder.path());
    let name = |text| Username::parse(text).unwrap();
    let said = [
        ("ann", None),
        ("J\u{f6}rg", Some("ann")),
        ("\u{20bb7}\u{91ce}", None),
        ("a\"b\\c", Some("J\u{d6}RG")),
    ];
    let mut expected = Vec::new();
    for (number, (source, to)) in (1..).zip(said) {
        let entry = Entry {
            source: source.into(),
            destination: to.unwrap_or("ALL").into(),
            timestamp: 1,
            content: "[\"eve\", \u{e9}".into(),
        };
        let json = entry.to_json();
        let conversation =
            to.and_then(|to| Conversation::between(&name(source), &name(to)).keys().pop());
        let sql =
            "INSERT INTO messages (arrived, recipient, json, conversation) VALUES (?, ?, ?, ?)";
        let text = std::str::from_utf8(&json).unwrap();
        assert!(text.is_ascii());
        old.execute(sql, (number, to, text, conversation)).unwrap();
        let destination = to.map_or(Destination::All, |to| Destination::User(name(to)));
        let (json, arrived) = (json.into(), number);
        let record = Record {
            source: name(source),
            destination,
            json,
            arrived,
            filing: Filing::default(),
            meta: None,
        };
        expected.push((number.unsigned_abs(), record));
    }
    drop(old);
    let store = open(folder.path());
    let read = store.read(0, 10).await.unwrap();
    assert_eq!(read, expected);
    for ((_, read), (source, _)) in read.iter().zip(said) {
        assert_eq!(read.source.as_str(), source, "in its spelling");
    }
    let of = Conversation::between(&name("ann"), &name("j\u{f6}rg"));
    let page = store.page(PageQuery { of, side: Side::Newest, limit: 5 }).await.unwrap();
    assert_eq!(page.records, expected[1..2]);
    assert_eq!(keep_next(&store, &[record("new", 9)]).await.unwrap(), 5);
    assert_eq!(store.read(5, 10).await.unwrap(), [(5, record("new", 9))]);
}

#[tokio::test]
async fn messages_that_today_would_be_refused_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let old = made_by_version(5, folder.path());
    let (full_width, mixed) = ("\u{ff21}\u{ff2c}\u{ff2c}", "\u{455}\u{435}rv\u{435}r");
    let from = |source| format!("[{source:?}, \"ALL\", 1, \"\"]");
    let rows = [
        (from("ann"), None, "ann"),
        (r#"["\uff21\uff2c\uff2c", "ALL", 1, ""]"#.into(), None, full_width),
        (r#"["\u0455\u0435rv\u0435r", "ALL", 1, ""]"#.into(), None, mixed),
        (r#"["\ud800", "ALL", 1, ""]"#.into(), None, "\u{fffd}\u{fffd}\u{fffd}"),
        (from(""), None, ""),
        ("[1]".into(), None, ""),
        ("[[\"ann\"]]".into(), None, ""),
        ("[]".into(), None, ""),
        ("{}".into(), None, ""),
        ("\"ann\"".into(), None, ""),
        ("xyz".into(), None, ""),
        (String::new(), None, ""),
        (from("ann"), Some(full_width), "ann"),
        (from("ann"), Some(""), "ann"),
        (from("ann"), Some("bob"), "ann"),
    ];
    for (json, recipient, _) in &rows {
        let sql = "INSERT INTO messages (arrived, recipient, json, conversation)
                   VALUES (7, ?1, ?2, 'ann' || char(10) || ?1)";
        old.execute(sql, (recipient, json)).unwrap();
    }
    drop(old);
    let store = open(folder.path());
    let expected: Vec<_> = (1..)
        .zip(&rows)
        .map(|(number, (json, recipient, source))| {
            let to = |name: &str| Destination::User(Username::stored(name));
            let destination = recipient.map_or(Destination::All, to);
            let (source, json) = (Username::stored(source), json.clone().into());
            (
                number,
                Record {
                    source,
                    destination,
                    json,
                    arrived: 7,
                    filing: Filing::default(),
                    meta: None,
                },
            )
        })
        .collect();
    let read = store.read(0, 99).await.unwrap();
    assert_eq!(read, expected);
    for ((_, record), (_, _, source)) in read.iter().zip(&rows) {
        assert_eq!(record.source.as_str(), *source);
    }
    let page = |of, limit| store.page(PageQuery { of, side: Side::Newest, limit });
    assert_eq!(page(Conversation::Public, 99).await.unwrap().records, expected[..12]);
    assert_eq!(page(Conversation::Public, 3).await.unwrap().records, expected[9..12]);
    let name = |text| Username::parse(text).unwrap();
    let private = page(Conversation::between(&name("ann"), &name("bob")), 99).await.unwrap();
    assert_eq!(private.records, expected[14..]);
}

#[tokio::test]
async fn a_page_keeps_each_name_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let said = |from, to| Record {
        source: Username::parse(from).unwrap(),
        destination: Destination::User(Username::parse(to).unwrap()),
        ..record("x", 7)
    };
    keep_next(&store, &[said("ann", "Ann"), said("bob", "ann")]).await.unwrap();
    let read = store.read(0, 9).await.unwrap();
    let Destination::User(again) = &read[1].1.destination else { panic!() };
    assert!(std::ptr::eq(read[0].1.source.as_str(), again.as_str()), "one text for both");
    let Destination::User(other) = &read[0].1.destination else { panic!() };
    assert_eq!(other.as_str(), "Ann", "another spelling is kept");
}

#[tokio::test]
async fn pages_are_found_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let connection = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    for (of, index) in [
        ("recipient IS NULL AND ?1 IS NULL", "messages_public"),
        ("conversation = ?1", "messages_of"),
    ] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT json FROM messages WHERE {of} AND sequence < 9 ORDER BY sequence DESC LIMIT 5"
        );
        let plan: String = connection.query_row(&sql, ["x"], |row| row.get(3)).unwrap();
        assert!(plan.contains(index), "{plan}");
    }
}

#[tokio::test]
async fn numbers_are_never_used_twice() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Retention { messages: 0, ..FOR_EVER };
    let store =
        Sqlite::open(&SqliteOptions { retention: nothing, ..options(folder.path()) }).unwrap();
    keep_next(&store, &[record("a", 7), record("b", 7)]).await.unwrap();
    drop(store);
    let store =
        Sqlite::open(&SqliteOptions { retention: nothing, ..options(folder.path()) }).unwrap();
    assert_eq!(texts(&store).await, []);
    assert_eq!(keep_next(&store, &[record("c", 7)]).await.unwrap(), 3);
}

#[test]
fn one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    assert!(matches!(Sqlite::open(&options(folder.path())), Err(OpenError::InUse(_))));
    drop(first);
    open(folder.path());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(DATABASE_FILE);
    let unchanged = |expected: fn(&OpenError) -> bool| {
        let before = std::fs::read(&path).unwrap();
        let error = Sqlite::open(&options(folder.path())).unwrap_err();
        assert!(expected(&error), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    };
    std::fs::write(&path, "this is a letter to my grandmother, and no database at all").unwrap();
    unchanged(|error| matches!(error, OpenError::Foreign(_)));

    std::fs::remove_file(&path).unwrap();
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(foreign);
    unchanged(|error| matches!(error, OpenError::Foreign(_)));

    std::fs::remove_file(&path).unwrap();
    drop(open(folder.path()));
    let newer = Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(newer);
    unchanged(|error| matches!(error, OpenError::TooNew { found: 999, .. }));
}

#[tokio::test]
async fn damage_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let many: Vec<_> = (0..2000).map(|number| record(&format!("{number:0100}"), 7)).collect();
    keep_next(&store, &many).await.unwrap();
    drop(store);
    let path = folder.path().join(DATABASE_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[5000..end].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let outcome = match Sqlite::open(&options(folder.path())) {
        Err(OpenError::Corrupt { .. }) => return,
        Err(error) => panic!("{error}"),
        Ok(store) => store.read(0, 10_000).await,
    };
    assert!(outcome.is_err());
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let opened = database::open(&options(folder.path())).unwrap();
    // As many pages as there are: the next one is like a disk that is full.
    opened.connection.pragma_update(None, "max_page_count", 8).unwrap();
    let writer = Writer::new(opened, Retention { messages: 20, ..FOR_EVER }).unwrap();
    let (jobs, inbox) = mpsc::channel(16);
    let thread = std::thread::spawn(|| writer.run(inbox));
    let store = Sqlite { jobs: Some(jobs), thread: Some(thread), time: OrderTime::default() };
    let long = "x".repeat(3000);
    let mut stored = Vec::new();
    let full = loop {
        match keep_next(&store, &[record(&long, 7), record("end", 7)]).await {
            Ok(first) => stored.extend([first, first + 1]),
            Err(error) => break error,
        }
        assert!(stored.len() < 1000);
    };
    assert!(matches!(full, StoreError::Full), "{full}");
    let kept: Vec<_> = texts(&store).await.into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(kept, stored, "all or none");
    // Short messages still fit, or fit again, without a restart.
    let next = keep_next(&store, &[record("short", 7)]).await.unwrap();
    assert_eq!(next, stored.last().unwrap() + 1);
}

#[tokio::test]
async fn the_oldest_go_by_number_size_and_age() {
    let now = 1 << 40;
    for retention in [
        Retention { messages: 10, ..FOR_EVER },
        Retention { bytes: 10 * 7, ..FOR_EVER },
        Retention { age: Some(std::time::Duration::from_secs(1 << 30)), ..FOR_EVER },
    ] {
        let folder = tempfile::tempdir().unwrap();
        let open = || Sqlite::open(&SqliteOptions { retention, ..options(folder.path()) }).unwrap();
        let mut store = open();
        let group: Vec<_> = (0..5000)
            .map(|number| {
                record(&format!("{:03}", number % 1000), if number < 4990 { 7 } else { now })
            })
            .collect();
        keep_next(&store, &group).await.unwrap();
        if retention.age.is_some() {
            // Age is looked at when the database is opened, and once a minute.
            drop(store);
            store = open();
        }
        // What is too much goes when nobody waits.
        while store.read(0, 10_000).await.unwrap().len() > 10 {
            tokio::task::yield_now().await;
        }
        let kept = store.read(0, 10_000).await.unwrap();
        assert_eq!(kept.first().map(|(sequence, _)| *sequence), Some(4991), "{retention:?}");
        assert_eq!(kept.len(), 10);
    }
}

#[tokio::test]
async fn copies_are_whole_and_restore() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    keep_next(&store, &[record("a", 7), record("b", 8)]).await.unwrap();
    // While it is in use.
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join(DATABASE_FILE);
    backup(folder.path(), &file).unwrap();
    assert!(matches!(backup(folder.path(), &file), Err(CopyError::Exists(_))));
    let mut lines = Vec::new();
    assert_eq!(export(folder.path(), &mut lines).unwrap(), 2);
    let lines = String::from_utf8(lines).unwrap();
    let first = r#"{"sequence": 1, "arrived": 7, "message": ["a"]}"#;
    assert_eq!(lines.lines().next(), Some(first));

    keep_next(&store, &[record("c", 9)]).await.unwrap();
    let restored = open(copy.path());
    assert_eq!(texts(&restored).await.len(), 2);
    assert_eq!(keep_next(&restored, &[record("d", 9)]).await.unwrap(), 3);
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        export(empty.path(), &mut Vec::new()),
        Err(CopyError::Open(OpenError::File { .. }))
    ));
}
