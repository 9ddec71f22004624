//! What becomes of the terminal of a full screen: its sizes, stopping, every way out, and an editor in between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]
#![allow(clippy::disallowed_methods, reason = "the test owns a clock, a terminal and files")]

mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::certificate::Certificate;
use support::full_screen::{SIZE, assert_left, has, joined, run, started};
use support::server::{Peer, Server};
use support::soon;
use support::terminal::Terminal;

#[tokio::test]
async fn it_has_any_size_while_messages_come() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    for (number, (rows, columns)) in
        [(12, 40), (60, 200), (6, 24), (1, 1), (3, 200), (24, 80)].into_iter().enumerate()
    {
        terminal.resizes(rows, columns);
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "message {number}"]]}}"#)).await;
    }
    terminal.types("half");
    terminal.sees("everything", |rows| {
        (0..6).all(|number| has(rows, &["bob", &format!("message {number}")]))
            && rows.last().is_some_and(|row| row == "ann> half")
            && rows.len() == 24
    });
}

#[tokio::test]
async fn it_goes_on_after_it_was_stopped() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    terminal.types("half");
    terminal.sees_last("ann> half");
    let process = terminal.process();
    assert!(run("kill", &["-STOP", &process]).await);
    let path = terminal.path().unwrap_or_default();
    if !run("stty", &["-F", &path, "sane"]).await {
        eprintln!("SKIPPED: there is no `stty -F` here");
    }
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "meanwhile"]]}"#).await;
    let before = terminal.written().matches("\u{1b}[?1049h").count();
    assert!(run("kill", &["-CONT", &process]).await);
    terminal.sees_written("the modes again", |written| {
        written.matches("\u{1b}[?1049h").count() > before
    });
    terminal.sees("what came meanwhile", |rows| {
        has(rows, &["bob", "meanwhile"]) && rows.last().is_some_and(|row| row == "ann> half")
    });
    // The shell's settings would echo this, and wait for the end of the line.
    terminal.types("way");
    terminal.sees_last("ann> halfway");
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "halfway");
    terminal.types("\u{4}");
    assert_left(&terminal.written_until_the_end());
}

#[tokio::test]
async fn signals_leave_the_terminal_in_order() {
    for signal in ["-TERM", "-HUP", "-INT"] {
        let (mut terminal, _peer) = joined(SIZE, &[]).await;
        terminal.types("half");
        terminal.sees_last("ann> half");
        assert!(run("kill", &[signal, &terminal.process()]).await);
        assert_left(&terminal.written_until_the_end());
        let (code, screen) = terminal.ends();
        assert_eq!(code, if signal == "-INT" { 130 } else { 143 }, "{signal}: {screen}");
    }
}

#[tokio::test]
async fn a_failure_leaves_the_last_words_on_the_terminal() {
    let (terminal, mut peer) = joined(SIZE, &[]).await;
    peer.send(r#"{"ERROR": "you are banned"}"#).await;
    peer.send(r#"{"MESSAGES": [["SERVER", "ALL", 1, "good bye"]]}"#).await;
    terminal.sees("the last words", |rows| has(rows, &["good bye"]));
    peer.close().await;
    assert_left(&terminal.written_until_the_end());
    let (code, screen) = terminal.ends();
    assert_eq!(code, 69, "{screen}");
    // As they were: no sign before their own.
    assert!(screen.lines().any(|row| row.starts_with("! server: you are banned")), "{screen}");
    let words = ["SERVER: good bye", "chatterbox-client: the server closed"];
    assert!(words.iter().all(|word| screen.contains(word)), "{screen}");
}

#[tokio::test]
async fn a_panic_leaves_the_terminal_in_order() {
    if !cfg!(debug_assertions) {
        eprintln!("SKIPPED: only a debug build panics on purpose");
        return;
    }
    let (mut terminal, _peer) = joined(SIZE, &[("CHATTERBOX_PANIC_AT", "boom")]).await;
    terminal.types("boom");
    assert_left(&terminal.written_until_the_end());
    let (code, screen) = terminal.ends();
    assert_eq!(code, 101, "{screen}");
    assert!(screen.contains("on purpose"), "{screen}");
}

#[tokio::test]
async fn it_ends_with_its_terminal() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    terminal.types("half");
    terminal.sees_last("ann> half");
    let ended = tokio::task::spawn_blocking(move || terminal.hangs_up());
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "hi"]]}"#).await;
    let code = soon("the program's end", ended).await.unwrap();
    assert_eq!(code, 143);
    peer.closed().await;
}

#[tokio::test]
async fn the_editor_gets_the_terminal_and_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let editor = folder.path().join("editor");
    let seen = folder.path().join("seen");
    let script = format!(
        "#!/bin/sh\ncat \"$2\" > '{}'\nls -l \"$2\" >> '{0}'\nprintf '%s and more\\n' \"$(cat \"$2\")\" > \"$2\"\n",
        seen.display()
    );
    std::fs::write(&editor, script).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let command = format!("{} -w", editor.display());
    let (mut terminal, mut peer) = joined(SIZE, &[("VISUAL", &command)]).await;
    terminal.types("some text");
    terminal.sees_last("ann> some text");
    terminal.types("\u{18}\u{5}");
    terminal.sees_last("ann> some text and more");
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "some text and more");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.starts_with("some text-rw-------"), "{seen}");
    let path = seen.split_whitespace().last().unwrap();
    assert!(!std::path::Path::new(path).exists(), "{path} is still there");
}

/// An editor that says that it is there, and stays until it is told to go on.
fn patient(folder: &std::path::Path) -> String {
    let editor = folder.join("editor");
    let script = "#!/bin/sh\necho \"there: $1\"\nwhile ! [ -e \"$0.on\" ]; do sleep 0.02; done\nprintf '%s and more' \"$(cat \"$1\")\" > \"$1\"\n";
    std::fs::write(&editor, script).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    editor.display().to_string()
}

/// A session in either mode in which ann has typed `draft`, with this editor.
async fn drafting(more: &[&str], editor: &str) -> (Terminal, Peer) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let arguments = [&["localhost", "-p", &port, "-ca", &ca, "-u", "ann"], more].concat();
    let mut terminal = Terminal::sized(&arguments, (24, 120), &[("VISUAL", editor)]);
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    terminal.sees_last("ann>");
    terminal.types("draft");
    terminal.sees_last("ann> draft");
    (terminal, peer)
}

/// The file of the editor that is there.
fn file_of_editor(terminal: &Terminal) -> String {
    terminal.sees("the editor", |rows| {
        rows.iter().any(|row| row.contains("there: ") && row.contains("message.txt"))
    });
    let written = terminal.written();
    written.rsplit("there: ").next().unwrap().split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn keys_that_were_pressed_for_the_editor_send_nothing() {
    for more in [&[][..], &["--plain"]] {
        let folder = tempfile::tempdir().unwrap();
        let editor = patient(folder.path());
        let (mut terminal, mut peer) = drafting(more, &editor).await;
        terminal.types("\u{18}\u{5}:wq\r");
        file_of_editor(&terminal);
        for number in 0..50 {
            peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "m{number}"]]}}"#)).await;
        }
        std::fs::write(format!("{editor}.on"), "").unwrap();
        terminal.sees("what came meanwhile, and the text", |rows| {
            has(rows, &["m49"]) && rows.last().is_some_and(|row| row == "ann> draft and more")
        });
        terminal.types("\r");
        assert_eq!(peer.message().await.1, "draft and more");
    }
}

#[tokio::test]
async fn an_editor_ends_with_the_session_and_its_file_goes() {
    for more in [&[][..], &["--plain"]] {
        let folder = tempfile::tempdir().unwrap();
        let editor = patient(folder.path());
        let (mut terminal, _peer) = drafting(more, &editor).await;
        terminal.types("\u{18}\u{5}");
        let file = file_of_editor(&terminal);
        assert!(std::path::Path::new(&file).exists(), "{file}");
        assert!(run("kill", &["-TERM", &terminal.process()]).await);
        let (code, screen) = terminal.ends();
        assert_eq!(code, 143, "{screen}");
        assert!(!std::path::Path::new(&file).exists(), "{file} is still there");
    }
}

#[tokio::test]
async fn what_can_not_show_it_gets_lines() {
    for (size, variables) in
        [((5, 20), &[][..]), (SIZE, &[("TERM", "dumb")]), (SIZE, &[("CHATTERBOX_PLAIN", "1")])]
    {
        let (terminal, _peer) = started(size, variables).await;
        terminal.sees("a prompt or a word", |rows| !rows.is_empty());
        assert!(!terminal.written().contains("\u{1b}[?1049h"), "{size:?} {variables:?}");
    }
}
