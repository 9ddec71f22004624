//! The contract of a backlog: tests that every implementation has to pass.

use bytes::Bytes;
use chatterbox_hub::{Conversation, Filing, Party, Record, Sender, Sequence};
use chatterbox_proto::Username;
use chatterbox_proto::capability::ids::Side;
use chatterbox_proto::session::Destination;

use crate::store::backlog::Backlog;
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
    Record { source, destination, json, arrived: 7, filing: Filing::default() }
}

async fn read_all(backlog: &dyn Backlog) -> Vec<(Sequence, Record)> {
    let mut all: Vec<(Sequence, Record)> = Vec::new();
    loop {
        let from = all.last().map_or(0, |(sequence, _)| sequence + 1);
        let page = backlog.read(from, 7).await.unwrap();
        assert!(page.len() <= 7);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Runs the contract against fresh backlogs that keep at least 100 records.
pub async fn holds<B: Backlog>(fresh: impl Fn() -> B) {
    let backlog = fresh();
    assert_eq!(read_all(&backlog).await, [], "a fresh backlog is empty");

    let mut expected: Vec<(Sequence, Record)> = Vec::new();
    for size in [1, 2, 0, 30, 1, 16] {
        let group: Vec<_> = (0..size).map(record).collect();
        let first = backlog.append(&group).await.unwrap();
        assert_eq!(first, expected.len() as u64 + 1, "numbers rise by one from 1");
        expected.extend((first..).zip(group));
    }
    assert_eq!(read_all(&backlog).await, expected, "everything is read in order, once");
    let page = backlog.read(10, 3).await.unwrap();
    assert_eq!(page, expected[9..12]);
    assert_eq!(backlog.read(u64::MAX, 3).await.unwrap(), []);
    assert_eq!(fresh().read(0, 3).await.unwrap(), [], "backlogs share nothing");
    pages(fresh()).await;
    accounts(fresh()).await;
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
    }
}

/// What was said to an account, and by it, is found under its number only.
async fn accounts<B: Backlog>(backlog: B) {
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
    backlog.append(&records).await.unwrap();
    let read: Vec<_> = backlog.read(0, 9).await.unwrap();
    for ((_, read), record) in read.iter().zip(&records) {
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
            let page = backlog.page(PageQuery { of, side, limit: 9 }).await.unwrap();
            pages.push(page.records.into_iter().map(|(number, _)| number).collect::<Vec<_>>());
        }
    }
    let expected: [&[Sequence]; 4] = [&[1, 2, 3], &[3, 4], &[3], &[5]];
    assert!(pages.iter().eq(expected.iter().flat_map(|numbers| [numbers, numbers])), "{pages:?}");
    backlog.forget_account(7).await;
    while backlog.read(0, 9).await.unwrap().len() > 3 {
        tokio::task::yield_now().await;
    }
    let left: Vec<_> = backlog.read(0, 9).await.unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, [2, 3, 4], "what was said to 7 is deleted");
}

/// A page against a plain list: both directions of a conversation, and nobody else's.
async fn pages<B: Backlog>(backlog: B) {
    let name = |text| Username::parse(text).unwrap();
    let users = ["ann", "Bob", "cyd", "ANN", "bob"];
    let mut all = Vec::new();
    for number in 0..60_usize {
        let from = users[number % 3];
        let to = [None, Some(users[number / 3 % 5]), Some(users[number / 7 % 5])][number % 3];
        all.push((from, to, said(from, to, &number.to_string())));
    }
    let records: Vec<_> = all.iter().map(|(_, _, record)| record.clone()).collect();
    assert_eq!(backlog.append(&records).await.unwrap(), 1);
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
        let expected: Vec<Sequence> = (1..)
            .zip(&all)
            .filter(|(_, (from, to, _))| belongs(from, *to))
            .map(|(number, _)| number)
            .collect();
        for at in [0, 1, 17, 30, 60, 61, 1 << 53] {
            for limit in [1, 4, 500] {
                let query = |side| PageQuery { of: of.clone(), side, limit };
                let newest: Vec<_> = expected.iter().copied().filter(|n| *n < at).collect();
                let start = newest.len().saturating_sub(limit);
                let page = backlog.page(query(Side::Before(at))).await.unwrap();
                check(&page, &newest[start..], start > 0, &records);
                let oldest: Vec<_> = expected.iter().copied().filter(|n| *n > at).collect();
                let end = oldest.len().min(limit);
                let page = backlog.page(query(Side::After(at))).await.unwrap();
                check(&page, &oldest[..end], end < oldest.len(), &records);
                let start = expected.len().saturating_sub(limit);
                let page = backlog.page(query(Side::Newest)).await.unwrap();
                check(&page, &expected[start..], start > 0, &records);
            }
        }
    }
    // A page is bounded in bytes, and has one message at least.
    let long = "x".repeat(page::PAGE_BYTES * 2 / 3);
    let first = backlog.append(&[(); 3].map(|()| said("ann", None, &long))).await.unwrap();
    let query = |side| PageQuery { of: Conversation::Public, side, limit: 500 };
    for side in [Side::Newest, Side::After(first - 1)] {
        let page = backlog.page(query(side)).await.unwrap();
        assert_eq!((page.records.len(), page.more), (2, true), "{side:?}");
    }
}

fn check(page: &Page, numbers: &[Sequence], more: bool, records: &[Record]) {
    let found: Vec<_> = page.records.iter().map(|(number, _)| *number).collect();
    assert_eq!((&found[..], page.more), (numbers, more));
    for (number, record) in &page.records {
        assert_eq!(*record, records[usize::try_from(*number).unwrap() - 1]);
    }
}
