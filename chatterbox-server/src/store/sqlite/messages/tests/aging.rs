//! What is too old in a store of a cluster: the order says what time it is, and the clock of this machine does not count.

use std::time::Duration;

use super::*;

const AN_HOUR: Retention = Retention { age: Some(Duration::from_secs(3600)), ..FOR_EVER };

fn open_aging(folder: &Path) -> Sqlite {
    Sqlite::open(&SqliteOptions { retention: AN_HOUR, ..options(folder) }).unwrap()
}

/// Follows the order to a place with one message, which is of that second.
async fn follow(store: &Sqlite, place: u64, arrived: i64) {
    let number = place * 1024;
    let said = Durable::Message(number, record("said", arrived));
    store.follow(Followed { place, read: place }, &[said]).await.unwrap();
}

/// The numbers of what is there when so much is. Each reading is followed by a look at what is old.
async fn left(store: &Sqlite, count: usize) -> Vec<Sequence> {
    let waiting = async {
        loop {
            let there = texts(store).await;
            if there.len() <= count {
                return there.into_iter().map(|(number, _)| number).collect();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("what is too old goes")
}

#[tokio::test]
async fn in_a_cluster_the_order_says_what_is_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_aging(folder.path());
    store.enter("chat").await.unwrap();
    for (place, arrived) in [(1, 1_000), (2, 5_000), (3, 9_000)] {
        follow(&store, place, arrived).await;
    }
    // By the clock of this machine all of them are decades old.
    for _ in 0..100 {
        assert_eq!(left(&store, 3).await.len(), 3);
    }
    store.time_is(4_600);
    for _ in 0..100 {
        assert_eq!(left(&store, 3).await.len(), 3, "an hour is not over");
    }
    store.time_is(4_661);
    assert_eq!(left(&store, 2).await, [2048, 3072]);
    drop(store);
    // Whoever starts again has been told nothing yet.
    let store = open_aging(folder.path());
    for _ in 0..100 {
        assert_eq!(left(&store, 2).await.len(), 2);
    }
    store.time_is(12_000);
    assert_eq!(left(&store, 1).await, [3072]);
}

/// They were said before there was an order: by their numbers they are older than all of it, and their age is that of their moment.
#[tokio::test]
async fn what_was_moved_in_is_kept_as_long_as_it_would_have_been_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_aging(folder.path());
    store.enter("chat").await.unwrap();
    store.time_is(10_000);
    store.follow(Followed { place: 5, read: 1 }, &[Durable::Begin(Vec::new())]).await.unwrap();
    let name = Username::parse("bob").unwrap();
    let to_bob = |record: Record| {
        let filing = Filing { to: Some(Party::Guest(name.clone())), ..record.filing };
        Record { destination: Destination::User(name.clone()), filing, ..record }
    };
    let moved_in = [
        Durable::Message(7, record("old", 1_000)),
        Durable::Message(8, to_bob(record("old, to bob", 1_000))),
        Durable::Message(9, record("not so old", 9_000)),
        Durable::Message(10, to_bob(record("not so old, to bob", 9_000))),
        Durable::Message(6 * 1024, record("new", 10_000)),
    ];
    store.follow(Followed { place: 6, read: 1 }, &moved_in).await.unwrap();
    store.time_is(10_061);
    assert_eq!(left(&store, 3).await, [9, 10, 6 * 1024]);
    store.time_is(12_700);
    assert_eq!(left(&store, 1).await, [6 * 1024]);
}

#[tokio::test]
async fn a_store_of_no_cluster_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    keep_next(&open_aging(folder.path()), &[record("old", 4_000)]).await.unwrap();
    // Age is looked at when the database is opened.
    let store = open_aging(folder.path());
    store.time_is(4_600);
    assert!(left(&store, 0).await.is_empty());
}
