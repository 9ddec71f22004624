//! A server that wants to harm its client: frames of any size, questions without end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the test reads what the system says of a process")]

mod support;

use std::process::Stdio;

use support::certificate::Certificate;
use support::client::command;
use support::server::{Peer, Server};
use support::soon;
use support::terminal::Terminal;

/// A frame of about this size is long for a client that takes 10 MiB without one.
const LONG: usize = 12 << 20;

/// A frame that repeats a piece until it is long enough.
fn long(begin: &str, piece: &str, end: &str) -> String {
    let times = (LONG - begin.len() - end.len()) / piece.len();
    format!("{begin}{}{end}", piece.repeat(times))
}

/// The most memory that a process ever had, in bytes, without the pages of its own file.
fn peak(process: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let bytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? * 1024)
    };
    Some(bytes("VmHWM:")?.saturating_sub(bytes("RssFile:").unwrap_or_default()))
}

/// The peak of a client that worked a frame off: its answer to a PING comes behind all of it.
async fn peak_with(frame: &str, is_welcome: bool, more: &[&str]) -> Option<usize> {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let mut arguments = vec!["localhost", "-p", &port, "-ca", &ca, "-u", "ann"];
    arguments.extend(more);
    let mut child =
        command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut peer = server.accept().await;
    if !is_welcome {
        peer.welcome_speaking("ann").await;
    }
    peer.send(frame).await;
    peer.send(r#"{"PING": 7}"#).await;
    while !peer.next().await.unwrap().contains("PONG") {}
    let peak = peak(child.id().unwrap());
    child.kill().await.unwrap();
    peak
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_no_frame_takes_more_than_three_times_its_size() {
    if peak(std::process::id()).is_none() {
        eprintln!("SKIPPED: this system does not say how much memory a process had");
        return;
    }
    let welcome = r#"{"USERNAME_ACCEPTED": true, "CAPABILITIES": "ping/1", "#;
    let with = |rest: &str| format!("{welcome}{rest}");
    let first = r#"["b","ALL",1,"x"]"#;
    for (what, is_welcome, frame) in [
        (
            "a history of empty messages",
            true,
            long(
                &with(&format!(r#""USER_LIST": [], "MESSAGES": [{first}"#)),
                r#",["","",1,""]"#,
                "]}",
            ),
        ),
        (
            "a list of users",
            true,
            long(&with(r#""MESSAGES": [], "USER_LIST": ["x""#), r#","a""#, "]}"),
        ),
        (
            "a message of escapes",
            true,
            long(&with(r#""USER_LIST": [], "MESSAGES": [["b","ALL",1,""#), r"\u001b", r#""]]}"#),
        ),
        ("an INFO", false, long(r#"{"INFO": ""#, r"a\u202e", r#""}"#)),
        (
            "live messages",
            false,
            long(&format!(r#"{{"MESSAGES": [{first}"#), r#",["b","ALL",1,"x"]"#, "]}"),
        ),
        ("users who are not there", false, long(r#"{"USERS_LEFT": ["x""#, r#","a""#, "]}")),
        (
            "a page",
            false,
            long(
                r#"{"HISTORY": {"WITH": "ALL", "MORE": false, "IDS": [1], "MESSAGES": ["#,
                r#"["b","ALL",1,"x"],"#,
                "[]]}}",
            ),
        ),
        ("unknown keys", false, long(r#"{"x": 1"#, r#","a":1"#, "}")),
    ] {
        let peak = peak_with(&frame, is_welcome, &[]).await.unwrap();
        assert!(peak <= 3 * frame.len(), "{what}: {} MiB of {} MiB", peak >> 20, frame.len() >> 20);
    }
}

/// A terminal on which ann has joined.
async fn joined() -> (Terminal, Peer) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let arguments = ["localhost", "-p", &port, "-ca", &ca, "-u", "ann"];
    let terminal = Terminal::start(&arguments, false);
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    terminal.sees_last("ann>");
    (terminal, peer)
}

#[tokio::test]
async fn f25_questions_without_end_keep_nobody() {
    for (keys, code) in [("", 0), ("\u{3}", 130)] {
        let (mut terminal, mut peer) = joined().await;
        terminal.types("/qu");
        terminal.sees_last("ann> /qu");
        for number in 0..2000 {
            let ask = format!(
                r#"{{"PROMPT": {{"ID": "i{number}", "TEXT": "pw{number}?", "SECRET": true}}}}"#
            );
            peer.send(&ask).await;
        }
        terminal.sees("what is asked", |rows| rows.iter().any(|row| row.contains("asks too much")));
        if code == 0 {
            // The line that was begun before the questions is finished.
            terminal.types("it\r");
        } else {
            // The line is given up, then a question is taken back, then the next one.
            terminal.types("\r");
            for _ in 0..2 {
                terminal.sees("a question", |rows| {
                    rows.last().is_some_and(|row| row.starts_with("? pw"))
                });
                terminal.types(keys);
                let taken_back = peer.next().await;
                assert!(taken_back.is_none_or(|frame| frame.contains(r#""TEXT": null"#)));
            }
        }
        soon("the end of the connection", peer.closed()).await;
        let (ended, screen) = terminal.ends();
        assert_eq!(ended, code, "{screen}");
    }
}

const PROMPT: &str = r#"{"PROMPT": {"ID": "1", "TEXT": "Choose a password:", "SECRET": true}}"#;
const DONE: &str =
    r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "ann is yours.", "DATA": {}}}"#;

/// Types a password in the line for the chat, in part before the question comes.
async fn typed_beside(before: &str, behind: &str) {
    let (mut terminal, mut peer) = joined().await;
    terminal.types("/register\r");
    peer.next().await.unwrap();
    // The server takes its time, until the line for the chat comes back.
    terminal.sees("the prompt again", |rows| {
        rows.last().is_some_and(|row| row == "ann>")
            && rows.iter().any(|row| row == "ann> /register")
    });
    terminal.types(before);
    terminal.sees_last(format!("ann> {before}").trim_end());
    peer.send(PROMPT).await;
    if !before.is_empty() {
        terminal.sees("the question that waits", |rows| {
            rows.iter().any(|row| row.starts_with("? the server asks: Choose a password:"))
                && rows.last().is_some_and(|row| row.starts_with("ann>"))
        });
        terminal.types(behind);
        terminal.types("\r");
    }
    terminal.sees_last("? Choose a password:");
    terminal.types("hunter2\r");
    assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": "hunter2"}}"#);
    peer.send(DONE).await;
    terminal.sees("the outcome, and an empty line", |rows| {
        rows.iter().any(|row| row.contains("ann is yours"))
            && rows.last().is_some_and(|row| row == "ann>")
    });
    terminal.types("hello\r");
    assert_eq!(peer.message_with_tags().await, "hello");
    let state = terminal.screen.0.lock().unwrap();
    let shown = String::from_utf8_lossy(&state.written).contains("hunter2");
    assert!(!shown || !before.is_empty(), "a password was shown that was typed for the question");
}

#[tokio::test]
async fn f25_a_password_typed_beside_its_question_is_never_offered_to_the_chat() {
    for (before, behind) in [("", ""), ("hun", "ter2"), ("hunter2", "")] {
        typed_beside(before, behind).await;
    }
}
