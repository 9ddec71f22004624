//! Accounts from the command line, with and without a server that runs beside it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::path::Path;

use assert_cmd::assert::Assert;
use harness::process::Running;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::{contains, is_match};

const PASSWORD: &str = "correct horse battery staple";

fn run(data: &Path, arguments: &[&str], stdin: &str) -> Assert {
    harness::program::server()
        .args(arguments)
        .env("CHATTERBOX_DATA", data)
        .write_stdin(stdin)
        .assert()
}

fn lists(data: &Path, line: &str) {
    run(data, &["user", "list"], "").success().stdout(is_match(line).unwrap());
}

#[test]
fn accounts_are_made_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let data = &folder.path().join("made on first use");
    // It may be a folder that was mistyped.
    run(data, &["user", "list"], "").code(74).stderr(contains("no messages and no accounts in"));
    run(data, &["user", "add", "Ann", "--level", "moderator"], &format!("{PASSWORD}\n")).success();
    lists(data, r"(?m)^Ann +3 \(moderator\) +20\d\d-\d\d-\d\d$");
    run(data, &["user", "level", "ANN", "5"], "").success().stderr(contains("5 (admin)"));
    lists(data, r"(?m)^Ann +5 \(admin\)");
    let line = format!("another {PASSWORD}");
    run(data, &["user", "passwd", "ann", "--password-stdin"], &line).success();
    run(data, &["user", "del", "ann"], "").success();
    lists(data, "^NAME +LEVEL +CREATED\n$");
    run(data, &["admin-password"], &line).success();
    run(data, &["admin-password", "--remove"], "").success();
}

#[test]
fn what_can_not_be_done_is_said_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let long = "x".repeat(2000);
    for (arguments, stdin, code, text) in [
        (&["user", "add", "ann"][..], "short\n", 65, "at least 8 characters"),
        // A byte order mark is no part of a password.
        (&["user", "add", "ann"], "\u{feff}seven77\n", 65, "at least 8 characters"),
        (&["user", "add", "ann"], long.as_str(), 65, "at most 1024 bytes"),
        (&["user", "add", "ann"], "", 65, "can't read a password"),
        (&["user", "add", "a b"], PASSWORD, 65, "white space"),
        (&["user", "add", "a\u{1b}[2J"], PASSWORD, 65, "a\\u{1b}[2J: A name has no control"),
        (&["user", "add", "SERVER"], PASSWORD, 65, "reserved"),
        (&["user", "passwd", "ann"], PASSWORD, 67, "there is no account ann"),
        (&["user", "level", "ann", "2"], "", 67, "hint: "),
        (&["user", "del", "ann"], "", 67, "there is no account ann"),
        (&["user", "add", "ann", PASSWORD], "", 64, "unexpected argument"),
    ] {
        run(data, arguments, stdin).code(code).stderr(contains(text));
    }
    lists(data, "^NAME +LEVEL +CREATED\n$");
    run(data, &["user", "add", "bill"], PASSWORD).success();
    run(data, &["user", "add", "BILL"], PASSWORD).code(65).stderr(contains("already"));
    run(data, &["user", "add", "biII"], PASSWORD)
        .success()
        .stderr(contains("looks like that of the account bill"));
}

#[test]
fn it_works_beside_a_server_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let server = Running::start(&["127.0.0.1", "-p", "0", "--plaintext", "--data", &data]);
    run(folder.path(), &["user", "add", "ann"], PASSWORD).success();
    run(folder.path(), &["admin-password"], PASSWORD).success();
    lists(folder.path(), r"(?m)^ann +1 \(user\)");
    drop(server);
}

#[test]
fn b14_no_file_holds_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let server = Running::start(&["127.0.0.1", "-p", "0", "--plaintext", "--data", &data]);
    for arguments in [&["user", "add", "ann"][..], &["user", "passwd", "ann"], &["admin-password"]]
    {
        run(folder.path(), arguments, PASSWORD)
            .success()
            .stdout(contains(PASSWORD).not())
            .stderr(contains(PASSWORD).not());
    }
    let mut looked_at = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        if !file.file_type().unwrap().is_file() {
            // The control socket holds nothing.
            continue;
        }
        let path = file.path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        assert!(!found, "{}", path.display());
        looked_at.push((path.file_name().unwrap().to_owned(), bytes.len()));
    }
    // What was written last lies in the log of the database.
    assert!(looked_at.iter().any(|(name, size)| name == "chatterbox.db-wal" && *size > 0));
    drop(server);
}
