//! A terminal that takes nothing any more: the program ends nevertheless, and leaves it as it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]
#![allow(clippy::disallowed_methods, reason = "the test owns a clock and a terminal")]

mod support;

use support::certificate::Certificate;
use support::server::{Peer, Server};
use support::soon;
use support::terminal::Terminal;

/// A session whose terminal has stopped while more is written to it than it holds.
async fn stopped(arguments: &[&str], variables: &[(&str, &str)]) -> (Terminal, Peer) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let arguments =
        [&["localhost", "-p", &port, "-ca", &ca, "-u", "ann"] as &[&str], arguments].concat();
    let terminal = Terminal::sized(&arguments, (100, 250), variables);
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    terminal.sees_last("ann>");
    // The reader takes what is written up to here, in as many pieces as it comes, and nothing behind that piece. What
    // is written at once is many times what the terminal holds beside it.
    let text = "\u{4e16}y".repeat(1300);
    // Behind a wide character the full screen moves the cursor, so only one is looked for.
    terminal.stops_at("\u{4e16}");
    let messages = vec![format!(r#"["bob", "ALL", 1, "{text}"]"#); 40].join(", ");
    peer.send(&format!(r#"{{"MESSAGES": [{messages}]}}"#)).await;
    terminal.has_stopped();
    (terminal, peer)
}

/// Waits for the program's end, and only then reads the rest.
async fn end(mut terminal: Terminal) -> (u32, String) {
    let waited = tokio::task::spawn_blocking(move || (terminal.exits(), terminal));
    let (code, terminal) = soon("the program's end", waited).await.unwrap();
    terminal.stops(false);
    (code, terminal.written_until_the_end())
}

/// The last of the two is that which takes the mode back, and a sequence that was cut has ended before it.
#[track_caller]
fn assert_left(written: &str, modes: &[u32]) {
    for mode in modes {
        let set = written.rfind(&format!("\u{1b}[?{mode}h"));
        let taken_back = written.rfind(&format!("\u{1b}[?{mode}l"));
        assert!(set.is_some() && taken_back > set, "{mode}: {set:?}, {taken_back:?}");
    }
    if let Some(cancelled) = written.rfind('\u{18}') {
        let rest = &written[cancelled..];
        assert!(rest.starts_with("\u{18}\u{1b}["), "{rest:?}");
    }
}

async fn signalled(terminal: &Terminal, signal: &str) {
    let process = terminal.process();
    let run = tokio::process::Command::new("kill").args([signal, &process]).status().await;
    assert!(run.unwrap().success());
}

const FULL: &[u32] = &[1004, 1049, 2004];

#[tokio::test]
async fn ctrl_c_leaves_a_full_screen_that_has_stopped() {
    let (mut terminal, _peer) = stopped(&[], &[]).await;
    terminal.types("\u{3}\u{3}");
    let (code, written) = end(terminal).await;
    assert_eq!(code, 130);
    assert_left(&written, FULL);
    assert!(written.ends_with("-- you have left the chat\n") || written.ends_with("chat\r\n"));
}

#[tokio::test]
async fn a_signal_leaves_a_full_screen_that_has_stopped() {
    let (terminal, _peer) = stopped(&[], &[]).await;
    signalled(&terminal, "-TERM").await;
    let (code, written) = end(terminal).await;
    assert_eq!(code, 143);
    assert_left(&written, FULL);
}

/// The end of the input and that of the connection wait for what is to be shown, but not for ever.
#[tokio::test]
async fn the_end_leaves_a_full_screen_that_has_stopped() {
    let (mut terminal, _peer) = stopped(&[], &[]).await;
    terminal.types("\u{4}");
    let (code, written) = end(terminal).await;
    assert_eq!(code, 0);
    assert_left(&written, FULL);
}

#[tokio::test]
async fn a_panic_leaves_a_full_screen_that_has_stopped() {
    if !cfg!(debug_assertions) {
        return;
    }
    let (mut terminal, _peer) = stopped(&[], &[("CHATTERBOX_PANIC_AT", "boom")]).await;
    terminal.types("boom");
    let (code, written) = end(terminal).await;
    assert_eq!(code, 101);
    assert_left(&written, FULL);
    assert!(written.contains("on purpose"));
}

#[tokio::test]
async fn every_end_leaves_lines_that_have_stopped() {
    for (keys, signal, expected) in [("\u{3}\u{3}", "", 130), ("\u{4}", "", 0), ("", "-TERM", 143)]
    {
        let (mut terminal, _peer) = stopped(&["--plain"], &[]).await;
        terminal.types(keys);
        if !signal.is_empty() {
            signalled(&terminal, signal).await;
        }
        let (code, written) = end(terminal).await;
        assert_eq!(code, expected, "{keys:?} {signal}");
        assert_left(&written, &[2004]);
    }
}
