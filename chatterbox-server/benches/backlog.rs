//! What it costs to store a group of messages, in the lobby and in rooms, and to read a page of a room: `cargo bench -p chatterbox-server --bench backlog`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use bytes::Bytes;
use chatterbox_hub::{
    Conversation, Filing, Record, RoomDefinition, RoomKeep, RoomNumber, RoomRecord, RoomRef,
    RoomSettings, To,
};
use chatterbox_proto::capability::ids::Side;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{RoomName, Username};
use chatterbox_server::store::sqlite::{Durability, Retention, Sqlite, SqliteOptions};
use chatterbox_server::store::{Memory, PageQuery, Store};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

/// How many messages have come while the last group was stored.
const GROUPS: [usize; 3] = [1, 32, 1024];

/// How many rooms the messages of a group are in.
const ROOMS: u64 = 100;

#[divan::bench(args = GROUPS)]
fn memory(bencher: Bencher<'_, '_>, size: usize) {
    keep(bencher, size, &Memory::default(), |_| Destination::All);
}

#[divan::bench(args = GROUPS)]
fn sqlite_process(bencher: Bencher<'_, '_>, size: usize) {
    sqlite(Durability::Process, |store| keep(bencher, size, store, |_| Destination::All));
}

#[divan::bench(args = GROUPS)]
fn sqlite_power(bencher: Bencher<'_, '_>, size: usize) {
    sqlite(Durability::Power, |store| keep(bencher, size, store, |_| Destination::All));
}

#[divan::bench(args = GROUPS)]
fn sqlite_process_in_rooms(bencher: Bencher<'_, '_>, size: usize) {
    sqlite(Durability::Process, |store| {
        define(store, RoomKeep::All);
        keep(bencher, size, store, |place| in_room(place % ROOMS));
    });
}

/// One fact, such as that somebody is a member.
#[divan::bench]
fn sqlite_process_of_rooms(bencher: Bencher<'_, '_>) {
    sqlite(Durability::Process, |store| {
        define(store, RoomKeep::All);
        let fact = [RoomRecord::DefaultSet { account: 1, room: None }];
        let mut number = 1;
        let runtime = runtime();
        bencher.bench_local(|| {
            number += 1;
            runtime.block_on(store.keep_rooms(number, &fact)).unwrap();
        });
    });
}

/// A page of 500 behind the newest messages of a room, of which the newest so many may be read.
#[divan::bench(args = [100_000_u32, 50_000, 1_000])]
fn sqlite_page_of_a_room(bencher: Bencher<'_, '_>, newest: u32) {
    sqlite(Durability::Process, |store| {
        define(store, RoomKeep::All);
        let runtime = runtime();
        let record = record(in_room(7));
        for group in 0..50 {
            let numbered: Vec<_> =
                (2 + group * 2000..).zip(std::iter::repeat_n(record.clone(), 2000)).collect();
            runtime.block_on(store.keep(&numbered)).unwrap();
        }
        let of = Conversation::Room { room: RoomNumber(8), above: 0, newest: Some(newest) };
        let query = PageQuery { of, side: Side::Newest, limit: 500 };
        bencher.bench_local(|| {
            let page = runtime.block_on(store.page(query.clone())).unwrap();
            assert_eq!(page.records.len(), 500);
        });
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn sqlite(durability: Durability, measure: impl FnOnce(&dyn Store)) {
    // On a disk: many systems keep /tmp in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let retention = Retention { messages: 1_000_000, bytes: 64 << 20, age: None };
    let options = SqliteOptions { folder: folder.path().to_owned(), durability, retention };
    measure(&Sqlite::open(&options).unwrap());
}

fn in_room(number: u64) -> To {
    let name = RoomName::parse(&format!("#room{number}")).unwrap();
    Destination::Room(RoomRef { number: RoomNumber(number + 1), name })
}

fn define(store: &dyn Store, keep: RoomKeep) {
    let define = |number| {
        let Destination::Room(RoomRef { number, name }) = in_room(number) else { unreachable!() };
        let settings = RoomSettings { keep, ..RoomSettings::default() };
        let (owner, configured, auto, floor) = (None, false, false, 0);
        RoomDefinition { number, name, owner, settings, configured, auto, floor }
    };
    let rooms: Vec<_> =
        (0..ROOMS).map(|number| RoomRecord::Defined(Box::new(define(number)))).collect();
    runtime().block_on(store.keep_rooms(1, &rooms)).unwrap();
}

fn record(destination: To) -> Record {
    let json = Bytes::from(format!("[\"user1\", \"ALL\", 1700000000, \"{}\"]", "x".repeat(64)));
    let source = Username::parse("user1").unwrap();
    Record {
        source,
        destination,
        json,
        arrived: 1_700_000_000,
        filing: Filing::default(),
        meta: None,
    }
}

fn keep(bencher: Bencher<'_, '_>, size: usize, store: &dyn Store, to: impl Fn(u64) -> To) {
    let runtime = runtime();
    let mut group: Vec<_> = (0..size as u64).map(|place| (place + 2, record(to(place)))).collect();
    bencher.counter(ItemsCount::new(size)).bench_local(|| {
        runtime.block_on(store.keep(&group)).unwrap();
        for (number, _) in &mut group {
            *number += size as u64;
        }
    });
}
