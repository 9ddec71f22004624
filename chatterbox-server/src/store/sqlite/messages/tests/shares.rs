//! Who has how much of the database, and what was said to accounts.

use super::*;
use crate::store::sqlite::stored::Stored;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn guest(text: &str) -> Party {
    Party::Guest(name(text))
}

/// A message of a sender from a network of its own.
fn said(by: i64, to: Option<Party>, text: &str) -> Record {
    let destination = match &to {
        None => Destination::All,
        Some(Party::Guest(name)) => Destination::User(name.clone()),
        Some(Party::Account(_)) => Destination::User(name("ann")),
    };
    let sender = Sender { number: by, origin: Some(-by.abs()) };
    let filing = Filing { sender, from: None, to };
    Record { destination, filing, ..record(text, 7) }
}

const KEEP: Retention = Retention { messages: 2000, bytes: 1 << 20, age: None };

fn bounded(folder: &Path) -> Sqlite {
    Sqlite::open(&SqliteOptions { retention: KEEP, ..options(folder) }).unwrap()
}

/// What is there once everything that is too much has gone.
async fn settled(store: &Sqlite, most: usize) -> Vec<String> {
    loop {
        let texts = texts(store).await;
        if texts.len() <= most {
            return texts.into_iter().map(|(_, text)| text).collect();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn f3_one_sender_takes_a_tenth_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = bounded(folder.path());
    let honest = || (1..=50).map(|number| said(number % 5 + 1, None, "honest"));
    keep_next(&store, &honest().collect::<Vec<_>>()).await.unwrap();
    let flood = vec![said(9, None, "flood"); 500];
    for _ in 0..10 {
        keep_next(&store, &flood).await.unwrap();
    }
    let is_honest = |texts: &[String]| texts.iter().filter(|text| text.contains("honest")).count();
    let kept = settled(&store, 50 + 200).await;
    assert_eq!((is_honest(&kept), kept.len()), (50, 250));
    // It is so after a restart, and goes on so.
    drop(store);
    store = bounded(folder.path());
    keep_next(&store, &flood).await.unwrap();
    let kept = settled(&store, 50 + 200).await;
    assert_eq!((is_honest(&kept), kept.len()), (50, 250));
    // Long messages count by their bytes.
    let long = "x".repeat(50_000);
    for _ in 0..20 {
        keep_next(&store, &[said(10, None, &long)]).await.unwrap();
    }
    let kept = settled(&store, 50 + 200 + 2).await;
    assert_eq!((is_honest(&kept), kept.len()), (50, 252));
}

#[tokio::test]
async fn f8_no_public_or_private_talk_takes_a_message_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let store = bounded(folder.path());
    let waiting: Vec<_> = (0..10).map(|_| said(1, Some(guest("bob")), "honest")).collect();
    keep_next(&store, &waiting).await.unwrap();
    for _ in 0..20 {
        let mut flood = vec![said(2, None, "flood"); 300];
        for by in 10..40 {
            let own = guest(&format!("x{}", by % 7));
            flood.extend(vec![said(by, Some(own), "flood"); 10]);
            flood.push(said(by % 2 + 10, Some(guest("bob")), "flood"));
        }
        keep_next(&store, &flood).await.unwrap();
    }
    // A quarter for what is private, and a tenth for the public flood.
    let kept = settled(&store, 500 + 200).await;
    assert_eq!(kept.iter().filter(|text| text.contains("honest")).count(), 10);
}

#[tokio::test]
async fn f11_what_was_said_to_a_removed_account_is_deleted_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let connection = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    let make = "INSERT INTO accounts (id, name, key, password, level, created)
                VALUES (7, 'ann', 'ann', 'x', 1, 0)";
    connection.execute(make, []).unwrap();
    let records = [
        said(1, Some(Party::Account(7)), "to 7"),
        said(1, Some(Party::Account(8)), "to 8"),
        said(1, Some(guest("ann")), "to the name"),
        said(1, None, "to all"),
    ];
    keep_next(&store, &records).await.unwrap();
    drop(store);
    let left = settled(&open(folder.path()), 3).await;
    assert_eq!(left, ["[\"to 7\"]", "[\"to the name\"]", "[\"to all\"]"]);
    connection.execute("DELETE FROM accounts", []).unwrap();
    let left = settled(&open(folder.path()), 2).await;
    assert_eq!(left, ["[\"to the name\"]", "[\"to all\"]"]);
}

#[tokio::test]
async fn f11_private_messages_of_an_older_version_are_filed_under_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let old = made_by_version(6, folder.path());
    let make = "INSERT INTO accounts (id, name, key, password, level, created)
                VALUES (7, 'Ann', 'ann', 'x', 1, 100)";
    old.execute(make, []).unwrap();
    old.execute_batch("BEGIN").unwrap();
    for number in 0..2500 {
        // Every second one was said before the account was made.
        let arrived = 99 + number % 2;
        let (from, to) = [("bob", "ANN"), ("ann", "bob")][number as usize / 2 % 2];
        let between = Conversation::between(&name(from), &name(to)).keys().pop();
        let sql = "INSERT INTO messages (arrived, source, recipient, json, conversation)
                   VALUES (?, ?, ?, ?, ?)";
        let json = format!("[\"{from}\", \"{to}\", 1, \"{number}\"]");
        old.execute(sql, (arrived, from, to, json, between)).unwrap();
    }
    old.execute_batch("COMMIT").unwrap();
    drop(old);
    let store = open(folder.path());
    let page = async |ann: Party| {
        let of = Conversation::Between(vec![guest("bob")], vec![ann]);
        store.page(PageQuery { of, side: Side::After(0), limit: 5000 }).await.unwrap().records
    };
    let (before, since) = (page(guest("ann")).await, page(Party::Account(7)).await);
    assert_eq!((before.len(), since.len()), (1250, 1250));
    assert!(before.iter().all(|(_, record)| record.arrived == 99 && record.filing.to.is_none()));
    let (ann, bob) = (Some(Party::Account(7)), Some(guest("bob")));
    assert!(since.iter().all(|(_, record)| record.arrived == 100));
    assert_eq!((&since[0].1.filing.to, &since[1].1.filing.to), (&ann, &bob));
}

#[tokio::test]
async fn the_messages_of_a_sender_are_found_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let connection = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT sequence, length(json) FROM messages
               WHERE recipient IS NULL AND sender = ? ORDER BY sequence LIMIT 5";
    let plan: String = connection.query_row(sql, [7], |row| row.get(3)).unwrap();
    assert!(plan.contains("messages_by") && !plan.contains("TEMP"), "{plan}");
}

#[test]
fn what_could_not_be_removed_is_still_counted() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let mut connection = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    let keep = Retention { messages: 10, ..KEEP }.keep();
    connection.execute_batch("BEGIN").unwrap();
    for number in 0..200 {
        let sql = "INSERT INTO messages (arrived, json, sender) VALUES (7, '[]', ?)";
        connection.execute(sql, [number % 2]).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
    let mut stored = Stored::load(&connection, keep).unwrap();
    let count = "SELECT count(*) FROM messages";
    for (rollback, left) in [(true, 200), (false, 10)] {
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
        let found: i64 = connection.query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(found, left);
    }
    assert!(!stored.is_too_much());
}
