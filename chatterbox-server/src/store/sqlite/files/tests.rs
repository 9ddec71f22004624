//! Files in a database: the contract, accounts that are removed, and one that was closed.

use std::path::Path;

use chatterbox_hub::{AccountKey, Filing, Level, Record, RecordMeta, RoomNumber};
use chatterbox_proto::WireText;
use chatterbox_proto::capability::meta::{Digest, FileToken, FileTold};
use chatterbox_proto::session::Destination;

use super::*;
use crate::accounts::{Account, Directory as _, PasswordHash};
use crate::store::Store as _;
use crate::store::sqlite::{Durability, Retention, SqliteDirectory, SqliteOptions};

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
    let mut newest = 8160;
    let announce = |store: &mut Sqlite, token: &str| {
        newest += 1;
        store.announced(token, newest).unwrap();
        newest
    };
    let empty = || {
        let folder = tempfile::tempdir().unwrap();
        with_accounts(folder.path());
        let store = Sqlite::open(folder.path()).unwrap();
        store.connection.pragma_update(None, "synchronous", "OFF").unwrap();
        folders.borrow_mut().push(folder);
        store
    };
    crate::files::contract::holds(empty, announce);
}

#[tokio::test]
async fn a_message_and_its_file_are_stored_together() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        folder: folder.path().to_owned(),
        durability: Durability::Process,
        retention: Retention { messages: 10, bytes: 10_000, age: None },
    };
    let messages = crate::store::Sqlite::open_alone(&options).unwrap();
    with_accounts(folder.path());
    let mut store = Sqlite::open(folder.path()).unwrap();
    store.reserve(&file("Qx7"), QUOTAS).unwrap();
    store.complete("Qx7").unwrap();
    let ann = Username::parse("ann").unwrap();
    let claim = Claim {
        token: "Qx7".to_owned(),
        account: 1,
        scope: FileScope::Room(RoomNumber(12)),
        source: ann.clone(),
        recipient: None,
        key: "k".to_owned(),
        now: 1_000,
    };
    assert!(store.claim(&claim).unwrap().is_some());
    let told = FileTold {
        token: FileToken::parse("Qx7").unwrap(),
        name: WireText::new("x"),
        size: 5,
        sha256: Digest([7; 32]),
        until: None,
    };
    let record = Record {
        source: ann,
        destination: Destination::All,
        json: r#"["ann", "ALL", 1, "x"]"#.into(),
        arrived: 1,
        filing: Filing::default(),
        meta: Some(RecordMeta::with_file(None, &told)),
    };
    messages.keep(&[(41, record.clone()), (42, record)]).await.unwrap();
    assert_eq!(store.find("Qx7").unwrap().unwrap().message, Some(41));
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
