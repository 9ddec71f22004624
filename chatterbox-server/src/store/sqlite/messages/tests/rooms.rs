//! Rooms in a database: they come back, and nothing that somebody does by hand keeps a server from starting.

use chatterbox_hub::{
    AccountRef, Level, RoomDefinition, RoomKeep, RoomMember, RoomNumber, RoomRecord,
};

use super::*;
use crate::accounts::Directory as _;
use crate::store::contract::rooms::{account, defined, ids_of, keep_facts, room, said_in};
use crate::store::sqlite::SqliteDirectory;

const SOME_DAY: i64 = 1 << 40;

pub(super) fn connect(folder: &Path) -> Connection {
    Connection::open(folder.join(DATABASE_FILE)).unwrap()
}

pub(super) fn count(connection: &Connection, of: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {of}"), [], |row| row.get(0)).unwrap()
}

/// A room with some of everything.
fn some_of_everything() -> Vec<RoomRecord> {
    let who = |id| RoomMember::Account(account(id));
    let one = RoomNumber(1);
    vec![
        defined(room(0, RoomKeep::All, 0)),
        defined(RoomDefinition { owner: Some(account(1)), ..room(1, RoomKeep::All, 0) }),
        defined(room(2, RoomKeep::Off, 0)),
        RoomRecord::Entered { room: one, who: who(3), since: 9 },
        RoomRecord::Entered { room: one, who: who(2), since: 9 },
        RoomRecord::Entered { room: one, who: who(1), since: 9 },
        RoomRecord::Left { room: one, who: who(4), stays_out: true },
        RoomRecord::LevelSet { room: one, account: account(1), level: Level::ADMIN },
        RoomRecord::LevelSet { room: one, account: account(2), level: Level::OPERATOR },
        RoomRecord::Invited { room: one, who: who(1), by: "bob".into(), until: SOME_DAY },
        RoomRecord::Invited { room: one, who: who(5), by: "ann".into(), until: SOME_DAY },
        RoomRecord::DefaultSet { account: 1, room: Some(one) },
        RoomRecord::DefaultSet { account: 2, room: Some(one) },
    ]
}

#[tokio::test]
async fn rooms_and_their_messages_are_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    make_accounts(folder.path());
    let facts = some_of_everything();
    keep_facts(&store, &facts).await;
    let said =
        [said_in(1, "a"), said_in(2, "never written down"), said_in(1, "b"), said_in(2, "c")];
    keep_next(&store, &said).await.unwrap();
    for _ in 0..2 {
        drop(store);
        store = open(folder.path());
        assert_eq!(store.rooms().await.unwrap(), facts);
        let page = contract::rooms::page_of(&store, 1, 0, None).await;
        assert_eq!(page.records, [(2, said[0].clone()), (4, said[2].clone())]);
        assert_eq!(store.newest().await.unwrap(), 5, "what is kept nothing of has numbers, too");
    }
    assert_eq!(keep_next(&store, &[record("x", 7)]).await.unwrap(), 6);
    drop(store);
    let bytes = std::fs::read(folder.path().join(DATABASE_FILE)).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|some| some == text.as_bytes());
    assert!(has("#Room2") && !has("never written down"));
}

#[tokio::test]
async fn the_number_of_rooms_is_used_though_nothing_was_ever_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.keep_rooms(7, &[defined(room(7, RoomKeep::Off, 0))]).await.unwrap();
    store.keep(&[(9, said_in(7, "x"))]).await.unwrap();
    drop(store);
    store = open(folder.path());
    assert_eq!(store.newest().await.unwrap(), 9);
    assert_eq!(keep_next(&store, &[record("x", 7)]).await.unwrap(), 10);
}

#[tokio::test]
async fn an_account_that_is_removed_beside_leaves_its_rooms() {
    let expected = |facts: &[RoomRecord]| -> Vec<_> {
        let mut left = facts.to_vec();
        left.retain(|fact| match fact {
            RoomRecord::Entered { who, .. } | RoomRecord::Invited { who, .. } => {
                *who != RoomMember::Account(account(1))
            }
            RoomRecord::LevelSet { account, .. } => account.id != 1,
            RoomRecord::DefaultSet { account, .. } => *account != 1,
            _ => true,
        });
        left[1] = defined(RoomDefinition { owner: Some(account(2)), ..room(1, RoomKeep::All, 0) });
        left
    };
    for (is_running, by_hand) in [(true, false), (false, false), (false, true)] {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Some(open(folder.path()));
        make_accounts(folder.path());
        let facts = some_of_everything();
        keep_facts(running.as_ref().unwrap(), &facts).await;
        running.take_if(|_| !is_running);
        if by_hand {
            let connection = connect(folder.path());
            connection.pragma_update(None, "foreign_keys", false).unwrap();
            connection.execute("DELETE FROM accounts WHERE id = 1", []).unwrap();
        } else {
            let mut directory = SqliteDirectory::open(folder.path()).unwrap();
            directory.remove(&Username::parse("user1").unwrap()).unwrap().unwrap();
        }
        let store = running.unwrap_or_else(|| open(folder.path()));
        if is_running {
            store.forget_account(1).await;
        }
        assert_eq!(store.rooms().await.unwrap(), expected(&facts));
        // What comes late is about nobody.
        let late = some_of_everything();
        keep_facts(&store, &late[3..]).await;
        let who = store.rooms().await.unwrap().into_iter().filter(|fact| match fact {
            RoomRecord::Entered { who, .. } | RoomRecord::Invited { who, .. } => {
                *who == RoomMember::Account(account(1))
            }
            RoomRecord::LevelSet { account, .. } => account.id == 1,
            RoomRecord::DefaultSet { account, .. } => *account == 1,
            _ => false,
        });
        assert_eq!(who.count(), 0);
    }
}

#[tokio::test]
async fn facts_are_kept_wholly_or_not_at_all() {
    let same_name = RoomDefinition { number: RoomNumber(3), ..room(1, RoomKeep::All, 0) };
    let facts = [defined(room(2, RoomKeep::All, 0)), RoomRecord::Deleted(RoomNumber(1))];
    let contradiction = [defined(room(2, RoomKeep::All, 0)), defined(same_name)];
    for (number, facts) in [(u64::MAX, facts), (9, contradiction)] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let before = [defined(room(1, RoomKeep::All, 0))];
        keep_facts(&store, &before).await;
        let refused = store.keep_rooms(number, &facts).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
        assert_eq!(store.rooms().await.unwrap(), before);
        assert_eq!(store.newest().await.unwrap(), 1);
        // Nor does anything follow from it for what is said.
        keep_next(&store, &[said_in(2, "x"), said_in(1, "y")]).await.unwrap();
        assert_eq!(ids_of(&store, 1).await, [3]);
        assert_eq!(count(&connect(folder.path()), "messages WHERE room = 2"), 0);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_facts_and_takes_them_again() {
    let folder = tempfile::tempdir().unwrap();
    let opened = database::open(&options(folder.path())).unwrap();
    opened.connection.pragma_update(None, "max_page_count", 8).unwrap();
    let writer = Writer::new(opened, FOR_EVER).unwrap();
    let (jobs, inbox) = mpsc::channel(16);
    let thread = std::thread::spawn(|| writer.run(inbox));
    let store = Sqlite { jobs: Some(jobs), thread: Some(thread), time: OrderTime::default() };
    let mut long = room(1, RoomKeep::All, 0);
    long.settings.topic = "x".repeat(100_000).into();
    let refused = store.keep_rooms(1, &[defined(room(2, RoomKeep::All, 0)), defined(long)]).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert_eq!((store.rooms().await.unwrap(), store.newest().await.unwrap()), (vec![], 0));
    let short = [defined(room(1, RoomKeep::All, 0))];
    store.keep_rooms(1, &short).await.unwrap();
    assert_eq!(store.rooms().await.unwrap(), short);
}

#[tokio::test]
async fn rows_that_this_program_would_not_write_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    make_accounts(folder.path());
    keep_facts(&store, &some_of_everything()).await;
    keep_next(&store, &[said_in(1, "a"), said_in(1, "b")]).await.unwrap();
    drop(store);
    let connection = connect(folder.path());
    connection
        .execute_batch(
            "PRAGMA ignore_check_constraints = 1;
             PRAGMA foreign_keys = 0;
             UPDATE rooms SET name = '', owner_name = CAST(x'ff' AS TEXT), talk = 77, keep = -9, most = -1,
                 length = 1 << 60, hidden = 5, floor = -1, topic = CAST(x'ff' AS TEXT) WHERE number = 1;
             UPDATE rooms SET talk = -3, keep = 1 << 60 WHERE number = 2;
             UPDATE room_members SET name = 'a b', since = -5 WHERE account = 2;
             UPDATE room_levels SET level = -1 WHERE account = 1;
             INSERT INTO room_levels VALUES (88, 3, 'x', 3), (1, 99, 'x', 3);
             UPDATE messages SET recipient = NULL WHERE sequence = 2;
             UPDATE messages SET recipient = CAST(x'ff' AS TEXT), room = -2 WHERE sequence = 3",
        )
        .unwrap();
    store = open(folder.path());
    let found = store.rooms().await.unwrap();
    assert_eq!(found.len(), some_of_everything().len());
    let RoomRecord::Defined(one) = &found[1] else { panic!("{found:?}") };
    let settings = &one.settings;
    assert_eq!((one.name.as_str(), &*settings.topic, one.floor), ("", "\u{fffd}", 1));
    assert_eq!(
        (settings.talk, settings.keep, settings.hidden),
        (Level::ADMIN, RoomKeep::Off, true)
    );
    assert_eq!(one.owner, Some(AccountRef { id: 1, name: Username::stored("\u{fffd}") }));
    let RoomRecord::Defined(two) = &found[2] else { panic!("{found:?}") };
    let settings = &two.settings;
    assert_eq!((settings.talk, settings.keep), (Level::GUEST, RoomKeep::Newest(u32::MAX)));
    assert!(found.contains(&RoomRecord::LevelSet {
        room: RoomNumber(1),
        account: account(1),
        level: Level::GUEST
    }));
    assert!(store.read(0, 9).await.is_ok());
    assert_eq!(keep_next(&store, &[record("x", 7)]).await.unwrap(), 4);
}

#[tokio::test]
async fn a_database_of_the_version_before_rooms_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let old = made_by_version(8, folder.path());
    let insert = "INSERT INTO messages
                  (arrived, source, recipient, json, conversation, mailbox, sender, origin)
                  VALUES (7, 'ann', ?, ?, ?, ?, 3, -4)";
    let name = |text| Username::parse(text).unwrap();
    let mut expected = Vec::new();
    for number in 1..=500 {
        let to = (number % 3 == 0).then(|| Party::Guest(name("bob")));
        let destination = to.as_ref().map_or(Destination::All, |_| Destination::User(name("bob")));
        let sender = Sender { number: 3, origin: Some(-4) };
        let filing = Filing { sender, from: None, to };
        let record = Record { destination, filing, ..record(&number.to_string(), 7) };
        let recipient = record.recipient().map(|party| party.key().into_owned());
        let json = std::str::from_utf8(&record.json).unwrap();
        old.execute(insert, (&recipient, json, record.conversation_key(), &recipient)).unwrap();
        expected.push((number, record));
    }
    // It numbered them itself; some have been removed, the newest too.
    old.execute("DELETE FROM messages WHERE sequence <= 9 OR sequence > 490", []).unwrap();
    expected.retain(|(number, _)| (10..=490).contains(number));
    let tables = |connection: &Connection| -> Vec<Vec<Vec<String>>> {
        let all = [
            "accounts",
            "account_looks",
            "tokens",
            "blocks",
            "settings",
            "disabled_commands",
            "account_changes",
        ];
        all.iter()
            .map(|table| {
                let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
                let columns = select.column_count();
                let rows = select.query_map([], |row| {
                    (0..columns).map(|column| Ok(format!("{:?}", row.get_ref(column)?))).collect()
                });
                rows.unwrap().collect::<Result<_, _>>().unwrap()
            })
            .collect()
    };
    drop(old);
    make_accounts(folder.path());
    let old = connect(folder.path());
    old.execute_batch(
        "INSERT INTO account_looks VALUES ('user1', 1);
         INSERT INTO tokens (hash, account, expires) VALUES (x'01', 1, 99);
         INSERT INTO blocks VALUES (1, 'user2', 'user2');
         INSERT INTO settings VALUES ('prefix', '!');
         INSERT INTO disabled_commands VALUES ('nick');
         INSERT INTO account_changes (account, name, epoch, writer) VALUES (1, 'user1', 2, 3)",
    )
    .unwrap();
    let before = tables(&old);
    assert!(before.iter().all(|rows| !rows.is_empty()));
    // It may be exported before a server of this version has migrated it.
    let mut lines = Vec::new();
    assert_eq!(export(folder.path(), &mut lines).unwrap(), 481);
    drop(old);
    let mut store = open(folder.path());
    for _ in 0..2 {
        assert_eq!(store.read(0, 999).await.unwrap(), expected);
        assert_eq!(store.newest().await.unwrap(), 500);
        assert_eq!(store.rooms().await.unwrap(), []);
        let of = Conversation::between(&name("ann"), &name("bob"));
        let page = store.page(PageQuery { of, side: Side::Before(30), limit: 2 }).await.unwrap();
        let (two, more) = (vec![expected[14].clone(), expected[17].clone()], true);
        assert_eq!((page.records, page.more), (two, more));
        drop(store);
        store = open(folder.path());
    }
    let connection = connect(folder.path());
    // Later versions have further columns.
    let after = tables(&connection);
    for (rows, was) in after.iter().flatten().zip(before.iter().flatten()) {
        assert_eq!(rows[..was.len()], was[..]);
    }
    assert!(after.iter().map(Vec::len).eq(before.iter().map(Vec::len)));
    let mut migrated = Vec::new();
    assert_eq!(export(folder.path(), &mut migrated).unwrap(), 481);
    assert_eq!(migrated, lines);
    assert_eq!(keep_next(&store, &[record("new", 9)]).await.unwrap(), 501);
    store.keep(&[(2048, record("later", 9))]).await.unwrap();
    let facts = some_of_everything();
    assert_eq!(keep_facts(&store, &facts).await, 2049);
    assert_eq!(store.rooms().await.unwrap(), facts);
    let version: i32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version.unsigned_abs() as usize, MIGRATIONS.len());
}

#[tokio::test]
async fn copies_hold_rooms() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    make_accounts(folder.path());
    let mut facts = some_of_everything();
    let mut lab = room(1, RoomKeep::Newest(3), 0);
    lab.owner = Some(account(1));
    lab.settings.topic = "line\n\"break\"".into();
    lab.settings.password = Some("$argon2id$secret".into());
    facts[1] = defined(lab);
    keep_facts(&store, &facts).await;
    keep_next(&store, &[said_in(1, "a"), record("lobby", 8), said_in(1, "b")]).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    backup(folder.path(), &copy.path().join(DATABASE_FILE)).unwrap();
    // The newest number is that of no message.
    keep_facts(&store, &[]).await;
    let later = tempfile::tempdir().unwrap();
    backup(folder.path(), &later.path().join(DATABASE_FILE)).unwrap();
    for (copy, newest) in [(&copy, 4), (&later, 5)] {
        let restored = open(copy.path());
        assert_eq!(restored.rooms().await.unwrap(), facts);
        assert_eq!(ids_of(&restored, 1).await, [2, 4]);
        assert_eq!(restored.newest().await.unwrap(), newest);
    }
    let exported = || {
        let mut lines = Vec::new();
        let count = export(folder.path(), &mut lines).unwrap();
        (count, String::from_utf8(lines).unwrap())
    };
    let (messages, lines) = exported();
    assert_eq!(messages, 3);
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lab = serde_json::json!({ "defined": {
        "number": 1, "name": "#Room1", "owner": "user1", "topic": "line\n\"break\"", "description": "",
        "limit": 0, "password": true, "hidden": false, "closed": false, "talk": 0, "slow": 0,
        "length": 4000, "keep": 3, "show": "all", "roster": true, "configured": false, "auto": false,
        "floor": 0,
    }});
    assert_eq!(lines[1], lab);
    let member = serde_json::json!({ "member": { "room": 1, "account": "user3", "since": 9 } });
    assert_eq!(lines[3], member);
    let level = serde_json::json!({ "level": { "room": 1, "account": "user2", "level": 4 } });
    assert_eq!(lines[7], level);
    let room = serde_json::json!({ "number": 1, "name": "#Room1" });
    let of = |line: &serde_json::Value| (line["sequence"].as_u64(), line.get("room").cloned());
    let said: Vec<_> = lines[8..].iter().map(of).collect();
    assert_eq!(said, [(Some(2), Some(room.clone())), (Some(3), None), (Some(4), Some(room))]);
    // What nobody may read any more is in no export, whether it is removed already or not.
    drop(store);
    connect(folder.path())
        .execute_batch("UPDATE rooms SET floor = 2 WHERE number = 1; UPDATE rooms SET floor = 9 WHERE number = 0")
        .unwrap();
    let (messages, lines) = exported();
    assert_eq!((messages, lines.lines().last().unwrap().contains("\"sequence\": 4,")), (1, true));
    connect(folder.path()).execute("DELETE FROM rooms WHERE number = 1", []).unwrap();
    assert_eq!(exported().0, 0);
}
