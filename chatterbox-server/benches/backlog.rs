//! What it costs to store a group of messages: `cargo bench -p chatterbox-server --bench backlog`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use bytes::Bytes;
use chatterbox_hub::{Filing, Record};
use chatterbox_proto::Username;
use chatterbox_proto::session::Destination;
use chatterbox_server::store::sqlite::{Durability, Retention, Sqlite, SqliteOptions};
use chatterbox_server::store::{Memory, Store};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

/// How many messages have come while the last group was stored.
const GROUPS: [usize; 3] = [1, 32, 1024];

#[divan::bench(args = GROUPS)]
fn memory(bencher: Bencher<'_, '_>, size: usize) {
    keep(bencher, size, &Memory::default());
}

#[divan::bench(args = GROUPS)]
fn sqlite_process(bencher: Bencher<'_, '_>, size: usize) {
    sqlite(bencher, size, Durability::Process);
}

#[divan::bench(args = GROUPS)]
fn sqlite_power(bencher: Bencher<'_, '_>, size: usize) {
    sqlite(bencher, size, Durability::Power);
}

fn sqlite(bencher: Bencher<'_, '_>, size: usize, durability: Durability) {
    // On a disk: many systems keep /tmp in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let retention = Retention { messages: 1_000_000, bytes: 64 << 20, age: None };
    let options = SqliteOptions { folder: folder.path().to_owned(), durability, retention };
    keep(bencher, size, &Sqlite::open(&options).unwrap());
}

fn keep(bencher: Bencher<'_, '_>, size: usize, store: &dyn Store) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let json = Bytes::from(format!("[\"user1\", \"ALL\", 1700000000, \"{}\"]", "x".repeat(64)));
    let source = Username::parse("user1").unwrap();
    let destination = Destination::All;
    let record =
        Record { source, destination, json, arrived: 1_700_000_000, filing: Filing::default() };
    let mut group: Vec<_> = (1..).zip(vec![record; size]).collect();
    bencher.counter(ItemsCount::new(size)).bench_local(|| {
        runtime.block_on(store.keep(&group)).unwrap();
        for (number, _) in &mut group {
            *number += size as u64;
        }
    });
}
