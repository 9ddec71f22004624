//! Completions and manual pages, as the program writes them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests may be blunt")]

#[path = "harness/program.rs"]
mod program;

use std::path::Path;

use predicates::str::{contains, is_empty};

fn command() -> assert_cmd::Command {
    program::server()
}

#[test]
fn shells_take_the_completions_and_mandoc_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_chatterbox-server"));
    let complaints = chatterbox_manual::check::complaints(program, folder.path()).unwrap();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    for page in
        ["chatterbox-server.1", "chatterbox-server-backup.1", "chatterbox-server-user-add.1"]
    {
        assert!(folder.path().join("man").join(page).exists(), "{page}");
    }
}

#[test]
fn bash_completes_subcommands() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_chatterbox-server"));
    let cases: [(&[&str], &[&str]); 3] = [
        (&["stop", "--"], &["--in", "--back-in", "--json"]),
        (&["user", ""], &["add", "passwd", "level", "del", "list"]),
        (&["user", "add", "--le"], &["--level"]),
    ];
    for (words, expected) in cases {
        let offered = chatterbox_manual::check::offered(program, folder.path(), words).unwrap();
        let Some(offered) = offered else { return };
        for word in expected {
            assert!(offered.iter().any(|other| other == word), "{words:?}: {offered:?}");
        }
    }
}

#[test]
fn they_depend_on_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("server.toml");
    std::fs::write(&broken, "port = [").unwrap();
    let configured = |arguments: &[&str]| {
        let mut command = command();
        command.env("CHATTERBOX_CONFIG", &broken).args(arguments);
        command.assert()
    };
    configured(&["config"]).code(78);
    configured(&["--completions", "bash"]).success().stdout(contains("--max-frame"));
}

#[test]
fn what_can_not_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    command().arg("--man").arg(&file).assert().code(74).stderr(contains("can't write"));
    command().args(["--completions", "tcsh"]).assert().code(64).stdout(is_empty());
}
