//! What is removed by itself, in a store and a folder.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::SystemTime;

use chatterbox_hub::FileScope;

use super::*;
use crate::file_service::hooked::{Moment, files, hooked, spool};
use crate::files::{FileStore as _, NewFile, Quotas, Reserved, SpoolError};
use crate::store::failing::FailingStore;

const NOW: i64 = 1_700_000_000;

/// Has the last byte of an upload come so many minutes ago.
fn touched(folder: &Path, letter: char, minutes: u64) {
    let path = folder.join("files").join(token(letter));
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(minutes * 60)).unwrap();
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
    touched(folder.path(), 'w', 3);
    files.sweep_once(&chat, NOW).await.unwrap();
    assert_eq!(left(&files).await, ("st".to_owned(), "t".to_owned()), "no byte has come");
    // Where some have, it is waited for longer.
    reserve(&files, 'b', hour_ago).await;
    files.spool.begin(&token('b'), 5).unwrap().add(b"x").unwrap();
    for (minutes, known, bytes) in [(50, "bst", "bt"), (70, "st", "t")] {
        touched(folder.path(), 'b', minutes);
        files.sweep_once(&chat, NOW).await.unwrap();
        assert_eq!(left(&files).await, (known.to_owned(), bytes.to_owned()), "{minutes}");
    }
}

#[tokio::test]
async fn nobody_goes_on_with_an_upload_while_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (begin, begun) = mpsc::channel();
    let bytes = spool(folder.path());
    let files = hooked(folder.path(), move |_, moment| {
        let Moment::Removes(tokens) = moment else { return };
        for token in tokens {
            begin.send(bytes.begin(token, 5).map(|writing| writing.at())).unwrap();
        }
    });
    let chat = crate::chat::opened::chat(Arc::new(FailingStore::default()));
    // Of one no byte has come, of the other one some.
    for letter in ['e', 'p'] {
        reserve(&files, letter, NOW - UPLOAD_IDLE).await;
    }
    files.spool.begin(&token('p'), 5).unwrap().add(b"x").unwrap();
    touched(folder.path(), 'p', 70);
    files.sweep_once(&chat, NOW).await.unwrap();
    let begun: Vec<_> = begun.try_iter().collect();
    let is_refused = |begun: &Result<u64, SpoolError>| matches!(begun, Err(SpoolError::InUse));
    assert!(begun.len() == 2 && begun.iter().all(is_refused), "{begun:?}");
    assert_eq!(left(&files).await, (String::new(), String::new()));
}

#[tokio::test]
async fn an_upload_that_is_there_a_moment_after_it_was_looked_at_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let files = hooked(folder.path(), |store, moment| {
        let Moment::Listed(listed) = moment else { return };
        for file in listed {
            store.complete(&file.token).unwrap();
        }
    });
    let chat = crate::chat::opened::chat(Arc::new(FailingStore::default()));
    reserve(&files, 'w', NOW - UPLOAD_IDLE).await;
    files.spool.begin(&token('w'), 5).unwrap().add(b"hello").unwrap();
    touched(folder.path(), 'w', 70);
    files.sweep_once(&chat, NOW).await.unwrap();
    assert_eq!(left(&files).await, ("w".to_owned(), "w".to_owned()));
}
