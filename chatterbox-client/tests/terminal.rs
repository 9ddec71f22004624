//! The program on a pseudo-terminal, seen as a person sees it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the test owns a clock and a terminal")]

mod support;

use support::certificate::Certificate;
use support::server::{Peer, Server};
use support::terminal::{COLUMNS, ROWS, Terminal};

/// A session in which ann has joined; the prompt is there.
async fn joined(colours: bool) -> (Terminal, Peer) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let mut terminal = Terminal::start(&["localhost", "-p", &port, "-ca", &ca], colours);
    let mut peer = server.accept().await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    peer.welcome("ann").await;
    terminal.sees_last("ann>");
    (terminal, peer)
}

#[tokio::test]
async fn a_half_typed_line_survives_what_arrives() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("I am half way thr");
    terminal.sees_last("ann> I am half way thr");
    for number in 1..=3 {
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ann", 1, "message {number}"]]}}"#)).await;
    }
    peer.send(r#"{"USERS_JOINED": ["cyd"], "ERROR": "oops"}"#).await;
    terminal.sees("the line below everything", |rows| {
        let tail = rows.iter().rev().take(6).rev().map(String::as_str).collect::<Vec<_>>();
        tail == [
            "[1970-01-01 00:00 *] bob -> ann: message 1",
            "[1970-01-01 00:00 *] bob -> ann: message 2",
            "[1970-01-01 00:00 *] bob -> ann: message 3",
            "* cyd joined",
            "! server: oops",
            "ann> I am half way thr",
        ]
    });
    terminal.types("ough\r");
    assert_eq!(peer.message().await.1, "I am half way through");
    peer.send(r#"{"MESSAGES": [["ann", "ALL", 1, "I am half way through"]]}"#).await;
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "fine"]]}"#).await;
    terminal.sees("the typed line once", |rows| {
        rows.iter().filter(|row| row.contains("half way through")).count() == 1
            && rows.iter().any(|row| row.ends_with("bob: fine"))
            && rows.last().is_some_and(|row| row == "ann>")
    });
    terminal.types("\u{4}");
    peer.closed().await;
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.ends_with("-- you have left the chat"), "{screen}");
}

#[tokio::test]
async fn what_is_typed_ahead_is_not_lost() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("one\rtwo\r@bob three\rfour");
    for expected in [("ALL", "one"), ("ALL", "two"), ("bob", "three")] {
        let (to, text) = peer.message().await;
        assert_eq!((to.as_str(), text.as_str()), expected);
    }
    terminal.sees_last("ann> four");
}

/// Between two lines the editor does not print for others, and what it was given before waits inside it.
#[tokio::test]
async fn nothing_overtakes_while_lines_are_entered() {
    const MESSAGES: usize = 600;
    let (mut terminal, mut peer) = joined(false).await;
    for number in 0..MESSAGES {
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "<{number}>"]]}}"#)).await;
        if number % 5 == 0 {
            terminal.types("x\r");
        }
    }
    let last = format!("bob: <{}>", MESSAGES - 1);
    terminal.sees("the last message", |rows| rows.iter().any(|row| row.ends_with(&last)));
    let state = terminal.screen.0.lock().unwrap();
    let written = String::from_utf8_lossy(&state.written).into_owned();
    let numbers: Vec<usize> = written
        .split("bob: <")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.is_sorted() && numbers.len() == MESSAGES, "{numbers:?}");
}

#[tokio::test]
async fn ctrl_c_leaves_from_the_middle_of_a_line() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("half");
    terminal.sees_last("ann> half");
    terminal.types("\u{3}");
    peer.closed().await;
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
}

#[tokio::test]
async fn a_server_that_closes_leaves_the_terminal_in_order() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("half");
    terminal.sees_last("ann> half");
    peer.send(r#"{"MESSAGES": [["SERVER", "ALL", 1, "good bye"]]}"#).await;
    peer.close().await;
    let (code, screen) = terminal.ends();
    assert_eq!(code, 69, "{screen}");
    let tail = "SERVER: good bye\nann> half\nchatterbox-client: the server closed the connection";
    assert!(screen.ends_with(tail), "{screen}");
}

#[tokio::test]
async fn colours_are_there_unless_they_are_not_wanted() {
    for colours in [true, false] {
        let (terminal, mut peer) = joined(colours).await;
        peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "hi"]]}"#).await;
        terminal.sees("the message", |rows| rows.iter().any(|row| row.ends_with("bob: hi")));
        let state = terminal.screen.0.lock().unwrap();
        let screen = state.parser.screen();
        let coloured = (0..ROWS).any(|row| {
            (0..COLUMNS).any(|column| {
                screen.cell(row, column).is_some_and(|cell| cell.fgcolor() != vt100::Color::Default)
            })
        });
        assert_eq!(coloured, colours);
    }
}

#[tokio::test]
async fn a_pasted_text_is_sent_as_lines() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.pastes("hello there\n");
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "hello there");
    terminal.pastes("one\r\ntwo\n\n@bob three\n/name\nfive");
    terminal.types("\r");
    for expected in [("ALL", "one"), ("ALL", "two"), ("bob", "three"), ("ALL", "five")] {
        let (to, text) = peer.message().await;
        assert_eq!((to.as_str(), text.as_str()), expected);
    }
    terminal.sees("the command among them", |rows| {
        rows.iter().any(|row| row == "-- You are ann.")
            && rows.last().is_some_and(|row| row == "ann>")
    });
}

/// A terminal that is set to Latin-1 sends 0xE9 for `é`; 0xFF is in no encoding that this program knows.
#[tokio::test]
async fn a_byte_that_is_no_utf_8_does_not_end_it() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("caf");
    terminal.sees_last("ann> caf");
    terminal.types_bytes(b"\xff");
    // Each time the line is drawn anew, below itself. This screen does not show the replacement character.
    let drawn = |terminal: &Terminal, times: usize| {
        terminal.sees("the line again", |rows| {
            rows.iter().filter(|row| row.starts_with("ann> caf")).count() == times
        });
    };
    drawn(&terminal, 2);
    // In the middle of the line, too.
    terminal.types(" au lait\u{1b}[D\u{1b}[D");
    terminal.types_bytes(b"\xe9x");
    drawn(&terminal, 3);
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "caf\u{fffd} au la\u{fffd}it");
}

/// Without a shell nobody could let it go on.
#[tokio::test]
async fn ctrl_z_does_nothing_without_a_shell() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("half \u{1a}way\r");
    assert_eq!(peer.message().await.1, "half way");
}

/// A shell sets the terminal for itself while the program is stopped. A password that is typed afterwards was seen.
#[tokio::test]
async fn after_it_was_suspended_a_secret_is_as_secret_as_before() {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let mut terminal = Terminal::start(&["localhost", "-p", &port, "-ca", &ca, "-u", "ann"], false);
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    peer.send(r#"{"PROMPT": {"ID": "1", "TEXT": "Choose a password:", "SECRET": true}}"#).await;
    terminal.sees("the question", |rows| rows.iter().any(|row| row.contains("Choose")));
    terminal.types("\r");
    terminal.sees_last("Choose a password:");

    let run = async |program: &str, arguments: &[&str]| {
        let run = tokio::process::Command::new(program).args(arguments).status().await;
        run.is_ok_and(|status| status.success())
    };
    let process = terminal.process();
    assert!(run("kill", &["-STOP", &process]).await);
    let path = terminal.path();
    if path.is_none() || !run("stty", &["-F", &path.unwrap_or_default(), "sane"]).await {
        eprintln!("SKIPPED: there is no `stty -F` here");
        return;
    }
    assert!(run("kill", &["-CONT", &process]).await);
    terminal.sees("that it goes on", |rows| {
        rows.iter().any(|row| row == "-- Back in the chat.")
            && rows.last().is_some_and(|row| row == "Choose a password:")
    });
    terminal.types("hush");
    terminal.types("hush\r");
    assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": "hushhush"}}"#);
    let written = terminal.screen.0.lock().unwrap().written.clone();
    assert!(!String::from_utf8_lossy(&written).contains("hush"));
}
