//! Crashes, full disks and other programs in the middle of an act.

use std::path::Path;
use std::time::Duration;

use chatterbox_hub::{AccountRef, SanctionKind, SanctionSubject};
use chatterbox_proto::Username;
use rusqlite::Connection;

use super::*;
use crate::moderation::Act;
use crate::store::sqlite::migrate::{APPLICATION, MIGRATIONS, VERSION};
use crate::store::sqlite::place::DATABASE_FILE;

/// The first version that has what is stored of moderation.
const FIRST: usize = 10;

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(folder).unwrap()
}

fn act(act: Act) -> AuditEntry {
    AuditEntry::new(100, "Mod", act)
}

fn ban(name: &str) -> NewSanction {
    NewSanction {
        kind: SanctionKind::Ban,
        subject: SanctionSubject::Name(Username::parse(name).unwrap()),
        about: name.into(),
        room: None,
        by: "Mod".into(),
        reason: "x".repeat(500).as_str().into(),
        since: 100,
        until: None,
    }
}

fn banned(store: &mut Sqlite) -> Vec<String> {
    store.sanctions(100).unwrap().into_iter().map(|sanction| sanction.about.to_string()).collect()
}

fn acts(store: &mut Sqlite) -> Vec<Act> {
    let entries = store.audit(&AuditFilter::default()).unwrap();
    entries.into_iter().rev().map(|entry| entry.act).collect()
}

#[test]
fn holds_the_contract() {
    let folders = std::cell::RefCell::new(Vec::new());
    crate::moderation::contract::holds(|| {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        // What a power cut leaves is not asked here, and the contract writes tens of thousands of times.
        store.connection.pragma_update(None, "synchronous", "OFF").unwrap();
        folders.borrow_mut().push(folder);
        store
    });
}

#[test]
fn what_was_stored_is_there_again_and_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = open(folder.path());
    let ids = server.impose(&act(Act::Ban), &[ban("eve")]).unwrap();
    let mut beside = open(folder.path());
    assert_eq!((banned(&mut beside), acts(&mut beside)), (vec!["eve".into()], vec![Act::Ban]));
    server.lift(&act(Act::Unban), &ids).unwrap();
    assert_eq!(banned(&mut beside), [""; 0]);
    drop((server, beside));
    let mut again = open(folder.path());
    assert_eq!(acts(&mut again), [Act::Ban, Act::Unban]);
    assert!(again.impose(&act(Act::Ban), &[ban("eve")]).unwrap() > ids);
}

#[test]
fn acts_are_as_durable_as_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let full = 2;
    let synchronous: i64 =
        store.connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
    assert_eq!(synchronous, full);
}

/// Copies the files of a database, as they are at this moment: what is left of a process that ends now.
fn crash(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in [DATABASE_FILE.to_owned(), format!("{DATABASE_FILE}-wal")] {
        std::fs::copy(folder.join(&file), copy.path().join(&file)).unwrap();
    }
    copy
}

#[test]
fn b10_a_crash_in_the_middle_of_a_ban_or_an_unban_keeps_all_earlier_bans() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    // So few pages in memory that what is not committed is in the file as well.
    store.connection.pragma_update(None, "cache_size", 10).unwrap();
    let ids = store.impose(&act(Act::Ban), &[ban("eve"), ban("mallory")]).unwrap();
    let size = || std::fs::metadata(folder.path().join("chatterbox.db-wal")).unwrap().len();
    let before = size();

    let transaction = store.writing().unwrap();
    audit::write(&transaction, &act(Act::Ban)).unwrap();
    for number in 0..500 {
        sanctions::insert(&transaction, None, &ban(&format!("x{number}"))).unwrap();
    }
    for id in &ids {
        sanctions::remove(&transaction, *id).unwrap();
    }
    assert!(size() > before + 64 * 1024, "half of it is on the disk");
    let crashed = crash(folder.path());
    drop(transaction);
    for folder in [crashed.path(), folder.path()] {
        let mut again = open(folder);
        assert_eq!(banned(&mut again), ["eve", "mallory"]);
        assert_eq!(acts(&mut again), [Act::Ban]);
    }
    // What was committed is there at once, whatever happens then.
    store.lift(&act(Act::Unban), &ids[..1]).unwrap();
    let mut again = open(crash(folder.path()).path());
    assert_eq!(
        (banned(&mut again), acts(&mut again)),
        (vec!["mallory".into()], vec![Act::Ban, Act::Unban])
    );
}

#[test]
fn b10_a_full_disk_in_the_middle_of_a_ban_keeps_all_earlier_bans() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.impose(&act(Act::Ban), &[ban("eve")]).unwrap();
    let pages: i64 =
        store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    // As many pages as there are and a few: the next one is like a disk that is full.
    store.connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let many: Vec<_> = (0..100).map(|number| ban(&format!("x{number}"))).collect();
    let full = store.impose(&act(Act::Ban), &many);
    assert!(matches!(full, Err(ModerationError::Full)), "{full:?}");
    assert_eq!((banned(&mut store), acts(&mut store)), (vec!["eve".into()], vec![Act::Ban]));

    let mut written = 0;
    let full = loop {
        match store.note(&AuditEntry { reason: "x".repeat(500).as_str().into(), ..act(Act::Kick) })
        {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1000);
    };
    assert!(matches!(full, ModerationError::Full), "{full}");
    let number = store.sanctions(100).unwrap()[0].id;
    let lifted = (0..1000).find_map(|_| store.lift(&act(Act::Unban), &[number]).err());
    // Short lines may have found room; what did not is told, and nothing of it was done.
    assert!(matches!(lifted, Some(ModerationError::Full)), "{lifted:?}");
    let kept = acts(&mut store);
    let mut again = open(folder.path());
    assert_eq!(acts(&mut again), kept);
    // It goes on as soon as there is room.
    store.connection.pragma_update(None, "max_page_count", pages + 1000).unwrap();
    store.impose(&act(Act::Ban), &many).unwrap();
    assert_eq!(
        banned(&mut open(folder.path())).iter().filter(|of| of.starts_with('x')).count(),
        100
    );
}

#[test]
fn an_act_is_written_down_or_has_not_happened() {
    for missing in ["audit", "sanctions"] {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let ids = store.impose(&act(Act::Ban), &[ban("eve")]).unwrap();
        let number = store
            .report(&NewReport {
                reporter: "ann".into(),
                reporter_account: None,
                subject: "eve".into(),
                message: None,
                text: None,
                room: None,
                reason: "".into(),
                at: 100,
            })
            .unwrap();
        let rename = |from: &str, to: &str| {
            Connection::open(folder.path().join(DATABASE_FILE))
                .unwrap()
                .execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))
                .unwrap();
        };
        rename(missing, "elsewhere");
        assert!(store.impose(&act(Act::Ban), &[ban("mallory")]).is_err());
        assert!(store.lift(&act(Act::Unban), &ids).is_err());
        let closed = store.close_report(&act(Act::CloseReport), number);
        assert_eq!(closed.is_err(), missing == "audit");
        rename("elsewhere", missing);
        assert_eq!(banned(&mut store), ["eve"]);
        let expected: &[Act] =
            if missing == "audit" { &[Act::Ban] } else { &[Act::Ban, Act::CloseReport] };
        assert_eq!(acts(&mut store), expected);
        assert_eq!(store.report_of(number).unwrap().unwrap().closed.is_none(), missing == "audit");
    }
}

#[test]
fn what_others_lock_is_told_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.impose(&act(Act::Ban), &[ban("eve")]).unwrap();
    store.connection.busy_timeout(Duration::ZERO).unwrap();
    let mut other = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    let lock = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let locked = store.impose(&act(Act::Ban), &[ban("mallory")]);
    assert!(matches!(locked, Err(ModerationError::Store(_))), "{locked:?}");
    assert_eq!(banned(&mut store), ["eve"], "reading goes on");
    drop(lock);
    store.impose(&act(Act::Ban), &[ban("mallory")]).unwrap();
    assert_eq!(banned(&mut store), ["eve", "mallory"]);
}

#[test]
fn nothing_is_written_to_files_that_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.impose(&act(Act::Ban), &[ban("eve")]).unwrap();
    let path = folder.path().join(DATABASE_FILE);
    let aside = folder.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    assert!(store.impose(&act(Act::Ban), &[ban("mallory")]).is_err());
    std::fs::rename(&aside, &path).unwrap();
    assert_eq!((banned(&mut store), acts(&mut store)), (vec!["eve".into()], vec![Act::Ban]));
}

#[test]
fn a_row_that_can_not_be_read_sets_nobody_free() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.impose(&act(Act::Ban), &[ban("eve"), ban("ops"), ban("mallory")]).unwrap();
    let damage =
        "UPDATE sanctions SET subject = 'network', network = '1.2.3.4/99' WHERE name = 'ops'";
    store.connection.execute(damage, []).unwrap();
    assert_eq!(banned(&mut store), ["eve", "mallory"]);
    store
        .connection
        .execute("UPDATE sanctions SET name = 'SERVER' WHERE name = 'eve'", [])
        .unwrap();
    assert_eq!(banned(&mut store), ["eve", "mallory"], "a name that is none today");
    store.connection.execute("UPDATE audit SET act = 'of-tomorrow'", []).unwrap();
    assert_eq!(acts(&mut store), [Act::Other]);
}

#[test]
fn sanctions_of_what_was_removed_meanwhile_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let make = "INSERT INTO accounts (id, name, key, password, level, created) VALUES (7, 'eve', 'eve', 'x', 1, 0);
         INSERT INTO rooms (number, name, key, topic, description, most, hidden, closed, talk, slow, length, show_all,
             roster, configured, auto, floor)
         VALUES (3, '#lab', '#lab', '', '', 0, 0, 0, 0, 0, 9, 1, 1, 0, 0, 0)";
    store.connection.execute_batch(make).unwrap();
    let of =
        |id| SanctionSubject::Account(AccountRef { id, name: Username::parse("eve").unwrap() });
    let account = |id| NewSanction {
        subject: of(id),
        about: format!("account {id}").as_str().into(),
        ..ban("x")
    };
    let room =
        |number| NewSanction { room: Some(RoomNumber(number)), ..ban(&format!("in{number}")) };
    let all = [account(7), account(8), room(0), room(3), room(4), ban("eve")];
    store.impose(&act(Act::Ban), &all).unwrap();
    store.forget_orphans().unwrap();
    assert_eq!(banned(&mut store), ["account 7", "in0", "in3", "eve"]);
    store.connection.execute_batch("DELETE FROM accounts; DELETE FROM rooms").unwrap();
    store.forget_orphans().unwrap();
    assert_eq!(banned(&mut store), ["in0", "eve"]);
}

#[test]
fn a_database_without_them_gets_them_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    for migration in MIGRATIONS.iter().take(FIRST - 1) {
        old.execute_batch(migration).unwrap();
    }
    old.execute_batch(
        "INSERT INTO accounts (name, key, password, level, created) VALUES ('ann', 'ann', 'x', 5, 7);
         INSERT INTO messages (arrived, source, json) VALUES (7, 'ann', '[]')",
    )
    .unwrap();
    old.pragma_update(None, "application_id", APPLICATION).unwrap();
    old.pragma_update(None, "user_version", i64::try_from(FIRST).unwrap() - 1).unwrap();
    drop(old);
    let mut store = open(folder.path());
    store.impose(&act(Act::Ban), &[ban("eve")]).unwrap();
    assert_eq!((banned(&mut store), acts(&mut store)), (vec!["eve".into()], vec![Act::Ban]));
    let count = |table: &str| -> i64 {
        let select = format!("SELECT count(*) FROM {table}");
        store.connection.query_row(&select, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("accounts"), count("messages")), (1, 1));
    let version = store.connection.pragma_query_value(None, "user_version", |row| row.get(0));
    assert_eq!(version, Ok(i64::try_from(VERSION).unwrap()));
}

#[test]
fn questions_have_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (condition, index) in [
        ("about_key = 'x'", "audit_about"),
        ("author_key = 'x'", "audit_by"),
        ("room = 1", "audit_in"),
        ("room_key = 'x'", "audit_in_named"),
    ] {
        let explain = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM audit WHERE id < 9 AND {condition} ORDER BY id DESC LIMIT 9"
        );
        let plan: String = store.connection.query_row(&explain, [], |row| row.get(3)).unwrap();
        assert!(plan.contains(&format!("USING INDEX {index} ")), "{plan}");
    }
}
