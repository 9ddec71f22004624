//! Files that one program sends and another one saves, over connections that are cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the test starts programs and has files")]

mod support;

use std::path::Path;

use chatterbox_server::Config;
use support::client::{Finished, run};
use support::cutting::Cutting;
use support::real::Real;
use support::server::Server;
use support::terminal::Terminal;

const PASSWORD: &str = "correct horse battery";

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// A server with the accounts `ann` and `bob`.
async fn stage() -> Real {
    let server = Real::with_files(Config { no_limits: true, ..Config::default() }).await;
    for name in ["ann", "bob"] {
        let register = format!("/register\n{PASSWORD}\n{PASSWORD}\n");
        let end = run(&borrowed(&server.arguments(server.port, &["-u", name])), &register).await;
        assert_eq!(end.code, Some(0), "{}", end.err);
    }
    server
}

/// What a program does whose lines these are.
async fn does(server: &Real, port: u16, name: &str, more: &[&str], lines: &str) -> Finished {
    let options = [&["-u", name, "--password-stdin"], more].concat();
    run(&borrowed(&server.arguments(port, &options)), &format!("{PASSWORD}\n{lines}\n")).await
}

/// The same, through a network that cuts. The first connection may be cut before anybody has joined, which is the end of the program.
async fn does_through_cuts(server: &Real, name: &str, lines: &str, seed: u64) -> Finished {
    let network = Cutting::before(server.port, 4, seed).await;
    let joined = format!("* you are {name}");
    let mut end = does(server, network.port, name, &[], lines).await;
    let mut tries = 0;
    while matches!(end.code, Some(69 | 76)) && tries < 5 {
        assert!(!end.out.contains(&joined), "{}", end.err);
        tries += 1;
        end = does(server, network.port, name, &[], lines).await;
    }
    assert!(network.cuts() >= 2, "the network was too good to prove anything");
    end
}

/// Bytes that are no repetition.
fn bytes(size: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u8::try_from(state >> 56).unwrap()
    };
    (0..size).map(|_| next()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_arrives_as_it_was_sent_however_often_the_connections_are_cut() {
    let server = stage().await;
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("my notes.bin"), folder.path().join("to"));
    std::fs::create_dir(&to).unwrap();
    let sent = bytes(300_000);
    std::fs::write(&from, &sent).unwrap();
    let end =
        does_through_cuts(&server, "ann", &format!("/send \"{}\" look", from.display()), 11).await;
    assert_eq!(end.code, Some(0), "{} {}", end.out, end.err);
    assert!(end.out.contains("* with a file: my notes.bin, 293 KiB"), "{}", end.out);

    let save = format!("/save last {}/", to.display());
    let end = does_through_cuts(&server, "bob", &save, 12).await;
    assert_eq!(end.code, Some(0), "{} {}", end.out, end.err);
    assert!(end.err.contains("my notes.bin is saved as"), "{}", end.err);
    assert_eq!(names(&to), ["my notes.bin"], "nothing else is left");
    assert!(std::fs::read(to.join("my notes.bin")).unwrap() == sent, "every byte is there");

    // What is there is not written over.
    std::fs::write(to.join("my notes.bin"), "mine").unwrap();
    let end = does(&server, server.port, "bob", &[], &save).await;
    assert_eq!(end.code, Some(0), "{}", end.err);
    assert_eq!(names(&to), ["my notes (2).bin", "my notes.bin"]);
    assert_eq!(std::fs::read_to_string(to.join("my notes.bin")).unwrap(), "mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_are_told_how_far_a_file_is() {
    let server = stage().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "hello").unwrap();
    let send = format!("/send {}", path.display());
    let end = does(&server, server.port, "ann", &["--json"], &send).await;
    assert_eq!(end.code, Some(0), "{} {}", end.out, end.err);
    for part in [
        r#"{"event": "file", "number": 1, "name": "a.txt", "direction": "out", "size": 5, "done": 5, "state": "done""#,
        r#""text": "[file: a.txt, 5 bytes]""#,
        r#""file": {"name": "a.txt", "size": 5, "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824""#,
    ] {
        assert!(end.out.contains(part), "{part} in {}", end.out);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_read_is_told_and_a_restricted_program_reads_nothing() {
    let server = stage().await;
    let folder = tempfile::tempdir().unwrap();
    let none = format!("/send {}/none", folder.path().display());
    let end = does(&server, server.port, "ann", &[], &none).await;
    assert_eq!(end.code, Some(1));
    assert!(end.err.contains("none was not sent: there is no such file or folder"), "{}", end.err);
    let folder_itself = format!("/send {}", folder.path().display());
    let end = does(&server, server.port, "ann", &[], &folder_itself).await;
    assert!(end.err.contains("was not sent: it is no file"), "{}", end.err);
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "hello").unwrap();
    let send = format!("/send {}", path.display());
    let end = does(&server, server.port, "ann", &["--restricted"], &send).await;
    assert_eq!(end.code, Some(1));
    assert!(end.err.contains("files are neither read nor written here"), "{}", end.err);
    assert!(!end.out.contains("a.txt"), "{}", end.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_far_a_file_is_stands_in_a_line_that_is_drawn_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    std::fs::write(&path, [7; 40]).unwrap();
    let server = Server::plaintext().await;
    let port = server.port().to_string();
    let mut terminal =
        Terminal::start(&["localhost", "-p", &port, "--plaintext", "-u", "ann"], false);
    let mut peer = server.accept().await;
    assert_eq!(peer.name().await, "ann");
    peer.send(
        r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "RESUME": "session",
            "LIMITS": {"CHUNK": 20}, "ACCOUNT": {"LEVEL": 1}, "CAPABILITIES": "accounts/1 files/1 ids/1 meta/1"}"#,
    )
    .await;
    terminal.sees_last("ann>");
    terminal.types(&format!("/send {} look\r", path.display()));
    assert!(peer.next().await.unwrap().contains(r#""FILE_PUT""#));
    peer.send(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx7", "AT": 0, "CREDIT": 20}}"#).await;
    assert!(peer.next().await.unwrap().contains(r#""FILE_CHUNK""#));
    terminal.sees("the bar", |rows| {
        rows.iter().any(|row| row.starts_with("sending a.bin [#####.....] 50 % of 40 bytes"))
    });
    peer.send(r#"{"FILE_CREDIT": {"FILE": "Qx7", "UPTO": 40}}"#).await;
    assert!(peer.next().await.unwrap().contains(r#""AT": 20"#));
    peer.send(r#"{"FILE": {"FILE": "Qx7", "DONE": true}}"#).await;
    assert!(peer.next().await.unwrap().contains(r#""META": [{"FILE": "Qx7"}]"#));
    terminal.sees("the message, and no bar any more", |rows| {
        rows.iter().any(|row| row.ends_with("ann: look"))
            && rows.iter().any(|row| row.ends_with("\u{2913} a.bin, 40 bytes"))
            && !rows.iter().any(|row| row.starts_with("sending"))
    });
}
