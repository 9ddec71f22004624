//! What was said in rooms goes from the disk, in steps.

use chatterbox_hub::{RoomKeep, RoomNumber, RoomRecord};

use super::rooms::{connect, count};
use super::*;
use crate::store::contract::rooms::{defined, ids_of, keep_facts, room, said_in};
use crate::store::sqlite::stored::Stored;

/// Waits until so many rows are left.
async fn settles(connection: &Connection, of: &str, rows: i64) {
    // Looks, and no time: this machine may stand still.
    for _ in 0..30_000 {
        if count(connection, of) == rows {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("{} rows of {of}, not {rows}", count(connection, of));
}

#[tokio::test]
async fn what_is_deleted_cleared_or_beyond_keep_goes_from_the_disk_in_steps() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let facts: Vec<_> = (1..=4).map(|number| defined(room(number, RoomKeep::All, 0))).collect();
    keep_facts(&store, &facts).await;
    for number in 1..=4 {
        // More than two steps.
        keep_next(&store, &vec![said_in(number, "hi"); 2500]).await.unwrap();
    }
    let mixed = [said_in(4, "hi"), record("lobby", 7), said_in(4, "hi")];
    keep_next(&store, &mixed).await.unwrap();
    let connection = connect(folder.path());
    let of = |number: u64| format!("messages WHERE room = {number}");
    let floor = ids_of(&store, 3).await[2399];
    let less = [
        RoomRecord::Deleted(RoomNumber(1)),
        defined(room(2, RoomKeep::Newest(100), 0)),
        defined(room(3, RoomKeep::All, floor)),
    ];
    keep_facts(&store, &less).await;
    for (number, left) in [(1, 0), (2, 100), (3, 100), (4, 2502)] {
        settles(&connection, &of(number), left).await;
    }
    // What is noted at the end of one server, the next one does.
    keep_facts(
        &store,
        &[defined(room(2, RoomKeep::Off, 0)), defined(room(0, RoomKeep::All, 1 << 50))],
    )
    .await;
    drop(store);
    connection.execute("DELETE FROM rooms WHERE number = 4", []).unwrap();
    connection.execute("UPDATE rooms SET floor = floor + 50 WHERE number = 3", []).unwrap();
    store = open(folder.path());
    assert!(ids_of(&store, 4).await.is_empty());
    for (number, left) in [(2, 0), (3, 50), (4, 0)] {
        settles(&connection, &of(number), left).await;
    }
    settles(&connection, "messages WHERE recipient IS NULL", 0).await;
    assert_eq!(count(&connection, "messages"), 50);
}

#[tokio::test]
async fn messages_of_rooms_grow_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let facts: Vec<_> = (1..=3).map(|number| defined(room(number, RoomKeep::All, 0))).collect();
    keep_facts(&store, &facts).await;
    let now = 1 << 40;
    for number in [1, 2, 3] {
        let old = vec![said_in(number, "old"); 1200];
        let young = vec![Record { arrived: now, ..said_in(number, "young") }; 5];
        keep_next(&store, &[&old[..], &young].concat()).await.unwrap();
    }
    drop(store);
    let retention = Retention { age: Some(std::time::Duration::from_secs(1 << 30)), ..FOR_EVER };
    let store = Sqlite::open(&SqliteOptions { retention, ..options(folder.path()) }).unwrap();
    settles(&connect(folder.path()), "messages", 15).await;
    for number in [1, 2, 3] {
        assert_eq!(ids_of(&store, number).await.len(), 5);
    }
}

#[test]
fn what_could_not_be_removed_of_rooms_is_still_counted() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let mut connection = connect(folder.path());
    connection.execute_batch("BEGIN").unwrap();
    for number in 0..300 {
        let sql = "INSERT INTO messages (arrived, json, recipient, room) VALUES (7, '[]', '#x', ?)";
        connection.execute(sql, [number % 3 + 1]).unwrap();
    }
    connection.execute("INSERT INTO messages (arrived, json) VALUES (7, '[]')", []).unwrap();
    connection.execute_batch("COMMIT").unwrap();
    let keep = Retention { messages: 10, ..FOR_EVER }.keep();
    let mut stored = Stored::load(&connection, keep).unwrap();
    for (number, keep, floor) in
        [(0, RoomKeep::All, 1000), (1, RoomKeep::Newest(7), 0), (2, RoomKeep::All, 0)]
    {
        stored.apply(&defined(room(number, keep, floor)));
    }
    for (rollback, left) in [(true, 301), (false, 40)] {
        assert!(stored.is_too_much());
        let transaction = connection.transaction().unwrap();
        let mut removed = Default::default();
        stored.remove(&transaction, None, 1000, &mut removed).unwrap();
        if rollback {
            drop(transaction);
            stored.restore(&removed);
        } else {
            transaction.commit().unwrap();
            assert!(!stored.done(&removed, 1000));
        }
        assert_eq!(count(&connection, "messages"), left);
    }
    assert_eq!(count(&connection, "messages WHERE room = 1"), 7);
    assert!(!stored.is_too_much());
}

#[test]
fn what_could_not_be_cleared_of_the_lobby_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let mut connection = connect(folder.path());
    connection.execute("INSERT INTO messages (arrived, json) VALUES (7, '[]')", []).unwrap();
    let mut stored = Stored::load(&connection, FOR_EVER.keep()).unwrap();
    assert!(!stored.is_too_much());
    stored.apply(&defined(room(0, RoomKeep::All, 1)));
    for rollback in [true, false] {
        assert!(stored.is_too_much());
        let transaction = connection.transaction().unwrap();
        let mut removed = Default::default();
        stored.remove(&transaction, None, 1000, &mut removed).unwrap();
        if rollback {
            drop(transaction);
            stored.restore(&removed);
        } else {
            transaction.commit().unwrap();
            assert!(!stored.done(&removed, 1000));
        }
    }
    assert!(!stored.is_too_much());
    assert_eq!(count(&connection, "messages"), 0);
}

#[tokio::test]
async fn rows_that_are_not_there_are_not_looked_for_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let retention = Retention { messages: 10, ..FOR_EVER };
    let store = Sqlite::open(&SqliteOptions { retention, ..options(folder.path()) }).unwrap();
    keep_facts(&store, &[defined(room(1, RoomKeep::All, 0)), defined(room(2, RoomKeep::All, 0))])
        .await;
    keep_next(&store, &vec![said_in(1, "x"); 39]).await.unwrap();
    let connection = connect(folder.path());
    connection.execute("DELETE FROM messages WHERE room = 1", []).unwrap();
    // The room that has nothing is the fullest.
    for count in [37, 1] {
        keep_next(&store, &vec![said_in(2, "x"); count]).await.unwrap();
    }
    assert_eq!(store.newest().await.unwrap(), 78);
    drop(store);
    assert_eq!(count(&connection, "messages"), 38);
}

#[tokio::test]
async fn rooms_are_paged_and_cut_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let connection = connect(folder.path());
    for sql in [
        "SELECT json FROM messages WHERE room = ?1 AND sequence < 9 AND sequence > 2 ORDER BY sequence DESC LIMIT 5",
        "SELECT sequence FROM messages WHERE room = ? ORDER BY sequence DESC LIMIT 1 OFFSET 9",
        "SELECT sequence, length(json), arrived FROM messages WHERE room = ? ORDER BY sequence LIMIT 5",
    ] {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let plan: String = connection.query_row(&explain, [1], |row| row.get(3)).unwrap();
        assert!(
            plan.contains("messages_in (room=?") || plan.contains("messages_in (room="),
            "{plan}"
        );
        assert!(!plan.contains("TEMP"), "{plan}");
    }
    for table in ["members", "leavers", "levels", "invitations", "defaults"] {
        // As the foreign keys look for what an account and a room have.
        for of in ["account", "room"] {
            let explain = format!("EXPLAIN QUERY PLAN SELECT 1 FROM room_{table} WHERE {of} = ?");
            let plan: String = connection.query_row(&explain, [1], |row| row.get(3)).unwrap();
            assert!(plan.starts_with("SEARCH"), "{table} {of}: {plan}");
        }
    }
}
