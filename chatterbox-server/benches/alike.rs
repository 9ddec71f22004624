//! What it costs to compare and to copy what all nodes of a cluster store alike: `cargo bench -p chatterbox-server --bench alike`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use chatterbox_server::store::{SharedStores, StoreCommands};
use divan::Bencher;
use rusqlite::{Connection, params};
use tempfile::TempDir;

fn main() {
    divan::main();
}

/// How many accounts there are, each with two tokens, two names on its block list, and two lines of the audit log about it.
const ACCOUNTS: [i64; 2] = [10_000, 100_000];

fn stores(accounts: i64) -> (TempDir, SharedStores) {
    let folder = tempfile::tempdir().unwrap();
    drop(SharedStores::open(folder.path()).unwrap());
    let mut connection = Connection::open(folder.path().join("chatterbox.db")).unwrap();
    let writing = connection.transaction().unwrap();
    for number in 1..=accounts {
        let name = format!("user{number}");
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        let insert = "INSERT INTO accounts (id, name, key, password, level, created) VALUES (?, ?, ?, ?, 1, 7)";
        writing.execute(insert, params![number, name, name, hash]).unwrap();
        writing.execute("INSERT INTO account_looks VALUES (?, ?)", params![name, number]).unwrap();
        for which in 0..2_i64 {
            let mut token = [which.to_le_bytes()[0]; 32];
            token[..8].copy_from_slice(&number.to_le_bytes());
            let insert = "INSERT INTO tokens (hash, account, expires) VALUES (? || ?, ?, 100)";
            writing.execute(insert, params![&token[..], name.as_bytes(), number]).unwrap();
            let other = format!("other{which}");
            writing
                .execute("INSERT INTO blocks VALUES (?, ?, ?)", params![number, other, other])
                .unwrap();
            let insert = "INSERT INTO audit (at, author, author_key, act, about, about_key, is_address, detail, reason)
                VALUES (?, 'Mod', 'mod', 'mute', ?, ?, 0, '', 'spam')";
            writing.execute(insert, params![number, name, name]).unwrap();
        }
    }
    writing.execute("INSERT INTO commands VALUES (0, 5)", []).unwrap();
    writing.commit().unwrap();
    let stores = SharedStores::open(folder.path()).unwrap();
    (folder, stores)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Each minute, beside everything else but the next change of an account.
#[divan::bench(args = ACCOUNTS, sample_count = 20)]
fn digest(bencher: Bencher<'_, '_>, accounts: i64) {
    let (_folder, stores) = stores(accounts);
    let runtime = runtime();
    bencher.bench_local(|| runtime.block_on(stores.digest()).unwrap());
}

/// Each 10,000 places at one node, in the same way.
#[divan::bench(args = ACCOUNTS, sample_count = 20)]
fn dump(bencher: Bencher<'_, '_>, accounts: i64) {
    let (_folder, stores) = stores(accounts);
    let runtime = runtime();
    bencher.bench_local(|| runtime.block_on(stores.dump()).unwrap());
}
