//! Completions and manual pages, as the program writes them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests may be blunt")]

use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_chatterbox-client");

#[test]
fn shells_take_the_completions_and_mandoc_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let complaints =
        chatterbox_manual::check::complaints(Path::new(PROGRAM), folder.path()).unwrap();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(folder.path().join("man/chatterbox-client.1").exists());
}

#[test]
fn what_can_not_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = Command::new(PROGRAM).arg("--man").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(74));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("chatterbox-client: can't write "), "{said}");
}
