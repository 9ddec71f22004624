//! The contract of a store of messages: tests that every implementation has to pass.

mod clusters;
mod room_messages;
pub mod rooms;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Conversation, Filing, Keep, Party, Record, RecordMeta, Sender, Sequence};
use chatterbox_proto::Username;
use chatterbox_proto::capability::ids::Side;
use chatterbox_proto::session::Destination;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::store::message_store::{Store, StoreError};
use crate::store::page::{self, Page, PageQuery};

fn record(number: u64) -> Record {
    let destination = if number.is_multiple_of(3) {
        Destination::User(Username::parse("bob").unwrap())
    } else {
        Destination::All
    };
    let source =
        Username::parse(if number.is_multiple_of(2) { "ann" } else { "J\u{f6}rg" }).unwrap();
    let json = Bytes::from(format!("[{number}]"));
    let meta = number.is_multiple_of(5).then(|| {
        let sealed = if number.is_multiple_of(2) { "{}" } else { "" };
        meta(&format!("{{\"REPLY\": {number}}}"), sealed)
    });
    Record { source, destination, json, arrived: 7, filing: Filing::default(), meta }
}

/// What goes with a message, as it is kept.
fn meta(json: &str, sealed: &str) -> Arc<RecordMeta> {
    Arc::new(RecordMeta { json: json.to_owned().into(), sealed: sealed.to_owned().into() })
}

/// Bounds that nothing here reaches, where they are not what is looked at.
const ROOMY: Keep = Keep { messages: 10_000, bytes: 16 << 20 };

/// How long a store may take to remove what is too much.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps records under the next numbers, and gives the first of these.
pub async fn keep_next(store: &dyn Store, records: &[Record]) -> Result<Sequence, StoreError> {
    let first = store.newest().await? + 1;
    let numbered: Vec<_> = (first..).zip(records.iter().cloned()).collect();
    store.keep(&numbered).await?;
    Ok(first)
}

async fn read_all(store: &dyn Store) -> Vec<(Sequence, Record)> {
    let mut all: Vec<(Sequence, Record)> = Vec::new();
    loop {
        let from = all.last().map_or(0, |(sequence, _)| sequence + 1);
        let page = store.read(from, 700).await.unwrap();
        assert!(page.len() <= 700);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Ways to give numbers to records: the number of the one at a place, from 0 on.
const NUMBERINGS: [fn(u64) -> Sequence; 3] =
    [|place| place + 1, |place| place * 3 + 5, |place| (place / 4 + 1) * 1024 + place % 4];

fn numbered(
    number: fn(u64) -> Sequence,
    records: impl IntoIterator<Item = Record>,
) -> Vec<(Sequence, Record)> {
    (0..).map(number).zip(records).collect()
}

/// Runs the contract against fresh stores that keep what is within some bounds. Where a store has accounts beside messages, those with
/// the numbers 1 to 9 are there.
pub async fn holds<S: Store>(fresh: impl Fn(Keep) -> S) {
    assert_eq!(read_all(&fresh(ROOMY)).await, [], "a fresh store is empty");
    assert_eq!(fresh(ROOMY).newest().await.unwrap(), 0);
    assert_eq!(keep_next(&fresh(ROOMY), &[record(1)]).await.unwrap(), 1, "stores share nothing");
    for number in NUMBERINGS {
        order(fresh(ROOMY), number).await;
        pages(fresh(ROOMY), number).await;
        accounts(fresh(ROOMY), number).await;
        retention(fresh(FEW), number).await;
        private_retention(fresh(Keep { messages: 640, ..ROOMY }), number).await;
    }
    for seed in 0..4 {
        repeats(fresh(ROOMY), seed).await;
    }
    numbers_stay_used(fresh(Keep { messages: 0, ..ROOMY })).await;
    rooms::hold(&fresh).await;
    room_messages::hold(&fresh).await;
    clusters::hold(&fresh).await;
}

/// What is kept is read in the order of the numbers that it was given.
async fn order<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let mut all = numbered(number, (0..50).map(record));
    let mut from = 0;
    for size in [1, 2, 0, 30, 1, 16] {
        store.keep(&all[from..from + size]).await.unwrap();
        from += size;
        assert_eq!(store.newest().await.unwrap(), all[from - 1].0);
    }
    assert_eq!(read_all(&store).await, all, "everything is read in order, once");
    assert_eq!(store.read(all[9].0, 3).await.unwrap(), all[9..12]);
    assert_eq!(store.read(all[8].0 + 1, 3).await.unwrap(), all[9..12], "from within a gap");
    assert_eq!(store.read(u64::MAX, 3).await.unwrap(), []);
    // There may be any distance between two numbers.
    all.push((1 << 52, record(50)));
    store.keep(&all[50..]).await.unwrap();
    assert_eq!(store.read(all[49].0, 3).await.unwrap(), all[49..]);
    assert_eq!(keep_next(&store, &[record(51)]).await.unwrap(), (1 << 52) + 1);
}

/// What is kept again is kept once, however it is cut: against a map to which only what is newer than all of it is added.
async fn repeats<S: Store>(store: S, seed: u8) {
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut below = |bound: usize| usize::try_from(random.next_u64() % bound as u64).unwrap();
    let log = numbered(NUMBERINGS[usize::from(seed) % 3], (0..60).map(record));
    let mut expected = BTreeMap::new();
    while expected.len() < log.len() {
        // From somewhere in what is kept on, or from its end on.
        let from = below(expected.len() + 1);
        let mut group = log[from..(from + below(9)).min(log.len())].to_vec();
        if below(4) == 0 {
            // Another record under a number that was used, and one in a gap that others have read past.
            let other = |(id, _): &(Sequence, Record)| (*id, record(1000));
            group.splice(0..0, expected.last_key_value().map(|(id, _)| (*id - 1, record(1001))));
            group.splice(0..0, log[..from].iter().take(1).map(other));
        }
        store.keep(&group).await.unwrap();
        for (id, record) in group {
            if expected.last_key_value().is_none_or(|(newest, _)| id > *newest) {
                expected.insert(id, record);
            }
        }
        let newest = expected.last_key_value().map_or(0, |(newest, _)| *newest);
        assert_eq!(store.newest().await.unwrap(), newest);
        assert!(read_all(&store).await.into_iter().eq(expected.clone()), "{expected:?}");
    }
    assert!(expected.into_iter().eq(log));
}

/// Few enough that the bounds are reached.
const FEW: Keep = Keep { messages: 2000, bytes: 1 << 20 };

fn from_sender(number: i64, record: Record) -> Record {
    let sender = Sender { number, origin: Some(-number) };
    Record { filing: Filing { sender, ..record.filing.clone() }, ..record }
}

/// Waits until this, and nothing else, is left.
async fn settles(store: &dyn Store, expected: &[(Sequence, Record)]) {
    let settled = async {
        while read_all(store).await != expected {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, settled).await.is_err() {
        let kept: Vec<_> = read_all(store).await.into_iter().map(|(id, _)| id).collect();
        let expected: Vec<_> = expected.iter().map(|(id, _)| *id).collect();
        panic!("{kept:?} are kept, and not {expected:?}");
    }
}

/// A sender has a tenth of the messages and of the bytes, whatever the numbers are, and what has gone does not come back.
async fn retention<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let honest = (0..50).map(|place| from_sender(place % 5 + 1, said("ann", None, "honest")));
    let flood = (0..1000).map(|_| from_sender(9, said("eve", None, "flood")));
    // What goes with a message counts as what it says does.
    let part = "x".repeat(17_000);
    let beside = Some(meta(&part, &part));
    let long = || Record { meta: beside.clone(), ..said("eve", None, &part) };
    let long = (0..20).map(|_| from_sender(10, long()));
    let all = numbered(number, honest.chain(flood).chain(long));
    for group in all.chunks(500) {
        store.keep(group).await.unwrap();
    }
    let left = [&all[..50], &all[1050 - 200..1050], &all[1070 - 2..]].concat();
    settles(&store, &left).await;
    store.keep(&all).await.unwrap();
    assert_eq!(read_all(&store).await, left, "it was kept before");
    assert_eq!(store.newest().await.unwrap(), all[1069].0);
    // The counts are right, too: one more of the flood costs its oldest.
    let more = [(number(1070), from_sender(9, said("eve", None, "more")))];
    store.keep(&more).await.unwrap();
    settles(&store, &[&left[..50], &left[51..], &more[..]].concat()).await;
}

/// What waits in a mailbox stays when somebody fills mailboxes, of whose messages the oldest go.
async fn private_retention<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let honest = (0..10).map(|_| from_sender(1, said("ann", Some("bob"), "honest")));
    let owners = ["bob", "cyd", "dan"].into_iter().cycle();
    let flood = owners.take(600).map(|to| from_sender(9, said("eve", Some(to), "flood")));
    let all = numbered(number, honest.chain(flood));
    for group in all.chunks(100) {
        store.keep(group).await.unwrap();
        store.keep(group).await.unwrap();
    }
    // So many everybody may have.
    let left = [&all[..10], &all[610 - 64..]].concat();
    settles(&store, &left).await;
    store.keep(&all).await.unwrap();
    assert_eq!(read_all(&store).await, left, "it was kept before");
}

/// A number is used once, even if nothing is left of what had it.
async fn numbers_stay_used<S: Store>(store: S) {
    store.keep(&[(7, record(1)), (1030, record(2))]).await.unwrap();
    settles(&store, &[]).await;
    assert_eq!(store.newest().await.unwrap(), 1030);
    store.keep(&[(7, record(1)), (1030, record(2)), (1029, record(4))]).await.unwrap();
    assert_eq!((read_all(&store).await, store.newest().await.unwrap()), (vec![], 1030));
}

fn said(from: &str, to: Option<&str>, content: &str) -> Record {
    let name = |text| Username::parse(text).unwrap();
    let entry = chatterbox_proto::Entry {
        source: from.into(),
        destination: to.unwrap_or("ALL").into(),
        timestamp: 1,
        content: content.into(),
    };
    let destination = to.map_or(Destination::All, |to| Destination::User(name(to)));
    Record {
        source: name(from),
        destination,
        json: entry.to_json().into(),
        arrived: 7,
        filing: Filing::default(),
        meta: None,
    }
}

/// What was said to an account, and by it, is found under its number only.
async fn accounts<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let name = |text: &str| Username::parse(text).unwrap();
    let (guest, account) = (|text| Party::Guest(name(text)), Party::Account);
    let filed = |from: Party, to: Party, content: &str| {
        let filing = Filing {
            sender: Sender { number: 7, origin: Some(-3) },
            from: Some(from),
            to: Some(to),
        };
        Record { filing, ..said("bob", Some("ann"), content) }
    };
    let records = [
        filed(guest("bob"), account(7), "to 7"),
        filed(account(7), guest("bob"), "from 7"),
        filed(guest("bob"), guest("ann"), "to the name"),
        filed(guest("bob"), account(8), "to 8"),
        filed(account(7), account(7), "to oneself"),
    ];
    let records = numbered(number, records);
    store.keep(&records).await.unwrap();
    let read: Vec<_> = store.read(0, 9).await.unwrap();
    for ((_, read), (_, record)) in read.iter().zip(&records) {
        assert_eq!(read.filing.to, record.filing.to, "who may read it is stored");
    }
    let mut pages = Vec::new();
    for (one, other) in [
        (vec![guest("ann"), account(7)], vec![guest("bob")]),
        (vec![guest("bob")], vec![guest("ann"), account(8)]),
        (vec![guest("ann"), account(9)], vec![guest("bob")]),
        (vec![guest("ann"), account(7)], vec![guest("ann"), account(7)]),
    ] {
        for side in [Side::Newest, Side::After(0)] {
            let of = Conversation::Between(one.clone(), other.clone());
            let page = store.page(PageQuery { of, side, limit: 9 }).await.unwrap();
            pages.push(page.records.into_iter().map(|(number, _)| number).collect::<Vec<_>>());
        }
    }
    let expected: [&[u64]; 4] = [&[0, 1, 2], &[2, 3], &[2], &[4]];
    let numbers = |places: &&[u64]| places.iter().copied().map(number).collect::<Vec<_>>();
    let expected = expected.iter().map(numbers).flat_map(|numbers| [numbers.clone(), numbers]);
    assert!(pages.iter().cloned().eq(expected), "{pages:?}");
    store.forget_account(7).await;
    // What was said to 7 is deleted.
    settles(&store, &read[1..4]).await;
    store.keep(&records).await.unwrap();
    assert_eq!(read_all(&store).await, read[1..4], "it was kept before");
}

/// A page against a plain list: both directions of a conversation, and nobody else's.
async fn pages<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let name = |text| Username::parse(text).unwrap();
    let users = ["ann", "Bob", "cyd", "ANN", "bob"];
    let mut all = Vec::new();
    for place in 0..60_usize {
        let from = users[place % 3];
        let to = [None, Some(users[place / 3 % 5]), Some(users[place / 7 % 5])][place % 3];
        all.push((from, to, said(from, to, &place.to_string())));
    }
    let records = numbered(number, all.iter().map(|(_, _, record)| record.clone()));
    store.keep(&records).await.unwrap();
    let between = |a, b| Conversation::between(&name(a), &name(b));
    for (of, (a, b)) in [
        (Conversation::Public, ("", "")),
        (between("ann", "bob"), ("ann", "bob")),
        (between("BOB", "cyd"), ("bob", "cyd")),
        (between("ann", "ann"), ("ann", "ann")),
        (between("ann", "zoe"), ("ann", "zoe")),
    ] {
        let is = |x: &str, y: &str| x.eq_ignore_ascii_case(y);
        let belongs = |from: &str, to: Option<&str>| match to {
            None => of == Conversation::Public,
            Some(to) => (is(from, a) && is(to, b)) || (is(from, b) && is(to, a)),
        };
        let of_all = records.iter().zip(&all);
        let expected: Vec<Sequence> = of_all
            .filter(|(_, (from, to, _))| belongs(from, *to))
            .map(|((number, _), _)| *number)
            .collect();
        // At a number, and before and behind it: where there is a gap, in it.
        let around = [0, 17, 30, 59].map(number).map(|at| [at - 1, at, at + 1]);
        for at in around.into_iter().flatten().chain([0, 1 << 53]) {
            for limit in [1, 4, 500] {
                let query = |side| PageQuery { of: of.clone(), side, limit };
                let newest: Vec<_> = expected.iter().copied().filter(|n| *n < at).collect();
                let start = newest.len().saturating_sub(limit);
                let page = store.page(query(Side::Before(at))).await.unwrap();
                check(&page, &newest[start..], start > 0, &records);
                let oldest: Vec<_> = expected.iter().copied().filter(|n| *n > at).collect();
                let end = oldest.len().min(limit);
                let page = store.page(query(Side::After(at))).await.unwrap();
                check(&page, &oldest[..end], end < oldest.len(), &records);
                let start = expected.len().saturating_sub(limit);
                let page = store.page(query(Side::Newest)).await.unwrap();
                check(&page, &expected[start..], start > 0, &records);
            }
        }
    }
    // A page is bounded in bytes, and has one message at least.
    let long = "x".repeat(page::PAGE_BYTES * 2 / 3);
    let first = keep_next(&store, &[(); 3].map(|()| said("ann", None, &long))).await.unwrap();
    let query = |side| PageQuery { of: Conversation::Public, side, limit: 500 };
    for side in [Side::Newest, Side::After(first - 1)] {
        let page = store.page(query(side)).await.unwrap();
        assert_eq!((page.records.len(), page.more), (2, true), "{side:?}");
    }
}

fn check(page: &Page, numbers: &[Sequence], more: bool, records: &[(Sequence, Record)]) {
    let found: Vec<_> = page.records.iter().map(|(number, _)| *number).collect();
    assert_eq!((&found[..], page.more), (numbers, more));
    assert!(page.records.iter().all(|found| records.contains(found)));
}
