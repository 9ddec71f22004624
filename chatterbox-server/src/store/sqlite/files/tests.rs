//! Files in a database: the contract, accounts that are removed, and one that was closed.

use std::path::Path;

use chatterbox_hub::{AccountKey, Level, RoomNumber};

use super::*;
use crate::accounts::{Account, Directory as _, PasswordHash};
use crate::store::sqlite::SqliteDirectory;

const QUOTAS: Quotas = Quotas { account: 100, room: 100, all: 100 };

fn with_accounts(folder: &Path) -> SqliteDirectory {
    let mut directory = SqliteDirectory::open(folder).unwrap();
    for name in ["ann", "bob"] {
        let account = Account {
            account_key: AccountKey::default(),
            name: Username::parse(name).unwrap(),
            password: PasswordHash::stored("$argon2id$x".to_owned()),
            level: Level::USER,
            created: 1,
        };
        directory.add(&account).unwrap();
    }
    directory
}

fn file(token: &str) -> NewFile {
    NewFile {
        token: token.to_owned(),
        account: 1,
        scope: FileScope::Room(RoomNumber(12)),
        name: "x".to_owned(),
        size: 5,
        sha256: [7; 32],
        now: 1_000,
        until: 2_000,
    }
}

#[test]
fn holds_the_contract() {
    let folders = std::cell::RefCell::new(Vec::new());
    crate::files::contract::holds(|| {
        let folder = tempfile::tempdir().unwrap();
        with_accounts(folder.path());
        let store = Sqlite::open(folder.path()).unwrap();
        store.connection.pragma_update(None, "synchronous", "OFF").unwrap();
        folders.borrow_mut().push(folder);
        store
    });
}

#[test]
fn the_files_of_an_account_go_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut directory = with_accounts(folder.path());
    let mut store = Sqlite::open(folder.path()).unwrap();
    store.reserve(&file("a"), QUOTAS).unwrap();
    store.reserve(&NewFile { account: 2, ..file("b") }, QUOTAS).unwrap();
    directory.remove(&Username::parse("ann").unwrap()).unwrap();
    assert_eq!(store.find("a").unwrap(), None);
    assert!(store.find("b").unwrap().is_some());
    assert!(store.reserve(&file("c"), QUOTAS).is_err(), "the account is not there any more");
}

#[test]
fn what_is_known_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    with_accounts(folder.path());
    let mut store = Sqlite::open(folder.path()).unwrap();
    store.reserve(&file("a"), QUOTAS).unwrap();
    store.complete("a").unwrap();
    let before = store.find("a").unwrap();
    drop(store);
    assert_eq!(Sqlite::open(folder.path()).unwrap().find("a").unwrap(), before);
}
