//! What is removed by itself, in a store and a folder.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use chatterbox_hub::{AccountKey, FileScope, Level};
use chatterbox_proto::Username;

use super::*;
use crate::accounts::{Account, Directory as _, PasswordHash};
use crate::config::{Config, Live};
use crate::files::{FileRecords, NewFile, Quotas, Reserved, Spool};
use crate::store::failing::FailingStore;
use crate::store::{SqliteDirectory, SqliteFiles};

const NOW: i64 = 1_700_000_000;

/// Files of one account in a folder.
fn files(folder: &Path) -> Files {
    let mut directory = SqliteDirectory::open(folder).unwrap();
    let account = Account {
        account_key: AccountKey::default(),
        name: Username::parse("ann").unwrap(),
        password: PasswordHash::stored("$argon2id$x".to_owned()),
        level: Level::USER,
        created: 1,
    };
    directory.add(&account).unwrap();
    let records = FileRecords::new(SqliteFiles::open(folder).unwrap()).unwrap();
    let spool = Spool::open(&folder.join("files")).unwrap();
    Files::new(records, spool, Live::new(Config::default()), false)
}

fn token(letter: char) -> String {
    letter.to_string().repeat(22)
}

/// Begins an upload, in the store only.
async fn reserve(files: &Files, letter: char, begun: i64) {
    let new = NewFile {
        token: token(letter),
        account: 1,
        scope: FileScope::All,
        name: "x".to_owned(),
        size: 5,
        sha256: [u8::try_from(letter).unwrap(); 32],
        now: begun,
        until: begun + 1_000_000,
    };
    let quotas = Quotas { account: 100, room: 100, all: 100 };
    let reserved = files.records.reserve(new, quotas).await.unwrap();
    assert!(matches!(reserved, Reserved::New(_)), "{reserved:?}");
}

/// The first letters of the files that are known, and of those of which there are bytes.
async fn left(files: &Files) -> (String, String) {
    let first = |token: &String| token.chars().next();
    let known = files.records.list(String::new(), 100).await.unwrap();
    let known = known.iter().filter_map(|file| first(&file.token)).collect();
    let mut tokens = files.spool.tokens(Duration::ZERO).unwrap();
    tokens.sort();
    (known, tokens.iter().filter_map(first).collect())
}

#[tokio::test]
async fn an_upload_of_which_nothing_comes_gives_its_space_back() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let chat = crate::chat::opened::chat(Arc::new(FailingStore::default()));
    let (hour_ago, minutes_ago) = (NOW - UPLOAD_IDLE, NOW - UPLOAD_EMPTY);
    for (letter, begun) in
        [('n', minutes_ago), ('s', minutes_ago + 1), ('w', hour_ago), ('t', hour_ago)]
    {
        reserve(&files, letter, begun).await;
    }
    // One is being written, one is there, and what has no row belongs to nobody.
    let writing = files.spool.begin(&token('w'), 5).unwrap();
    drop(files.spool.begin(&token('t'), 5).unwrap());
    assert!(files.records.complete(token('t')).await.unwrap());
    fs::write(folder.path().join("files").join(token('o')), "left behind").unwrap();
    files.sweep_once(&chat, NOW).await.unwrap();
    assert_eq!(left(&files).await, ("stw".to_owned(), "tw".to_owned()));
    // The connection is gone, but something has come just now.
    drop(writing);
    files.sweep_once(&chat, NOW).await.unwrap();
    assert_eq!(left(&files).await, ("stw".to_owned(), "tw".to_owned()));
    let touched = |letter, minutes: u64| {
        let path = folder.path().join("files").join(token(letter));
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(minutes * 60)).unwrap();
    };
    touched('w', 3);
    files.sweep_once(&chat, NOW).await.unwrap();
    assert_eq!(left(&files).await, ("st".to_owned(), "t".to_owned()), "no byte has come");
    // Where some have, it is waited for longer.
    reserve(&files, 'b', hour_ago).await;
    files.spool.begin(&token('b'), 5).unwrap().add(b"x").unwrap();
    for (minutes, known, bytes) in [(50, "bst", "bt"), (70, "st", "t")] {
        touched('b', minutes);
        files.sweep_once(&chat, NOW).await.unwrap();
        assert_eq!(left(&files).await, (known.to_owned(), bytes.to_owned()), "{minutes}");
    }
}
