//! The program on a pseudo-terminal, seen as a person sees it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the test owns a clock and a terminal")]

mod support;

use std::io::{Read as _, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use support::DEADLINE;
use support::certificate::Certificate;
use support::client::BINARY;
use support::server::{Peer, Server};

const ROWS: u16 = 12;
const COLUMNS: u16 = 60;

/// What the terminal shows, everything that was ever written to it, and whether that was all.
struct Shown {
    parser: vt100::Parser,
    written: Vec<u8>,
    over: bool,
}

/// The same, with news about it.
type Screen = Arc<(Mutex<Shown>, Condvar)>;

struct Terminal {
    screen: Screen,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn start(arguments: &[&str], colours: bool) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(BINARY);
        command.args(arguments);
        command.env("TERM", "xterm");
        command.env("TZ", "UTC");
        command.env_remove("NO_COLOR");
        if !colours {
            command.env("NO_COLOR", "1");
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(ROWS, COLUMNS, 0);
        let shown = Shown { parser, written: Vec::new(), over: false };
        let screen: Screen = Arc::new((Mutex::new(shown), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&screen);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            loop {
                let got = reader.read(&mut piece).unwrap_or(0);
                let mut state = shared.0.lock().unwrap();
                state.parser.process(&piece[..got]);
                state.written.extend_from_slice(&piece[..got]);
                state.over = got == 0;
                shared.1.notify_all();
                if got == 0 {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { screen, keys, child, _master: pair.master }
    }

    fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the rows that are not empty satisfy `wanted`.
    fn sees(&self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        let until = Instant::now() + DEADLINE;
        let mut state = self.screen.0.lock().unwrap();
        loop {
            let rows = rows(&state.parser);
            if wanted(&rows) {
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what} on\n{}", rows.join("\n"));
            state = self.screen.1.wait_timeout(state, left).unwrap().0;
        }
    }

    fn sees_last(&self, last: &str) {
        self.sees(last, |rows| rows.last().is_some_and(|row| row == last));
    }

    /// How it ended, and everything that is on the screen then.
    fn ends(mut self) -> (u32, String) {
        let until = Instant::now() + DEADLINE;
        let mut state = self.screen.0.lock().unwrap();
        while !state.over {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end:\n{}", rows(&state.parser).join("\n"));
            state = self.screen.1.wait_timeout(state, left).unwrap().0;
        }
        let text = rows(&state.parser).join("\n");
        drop(state);
        (self.child.wait().unwrap().exit_code(), text)
    }
}

fn rows(parser: &vt100::Parser) -> Vec<String> {
    let rows = parser.screen().rows(0, COLUMNS);
    rows.map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
}

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
            "[1970-01-01 00:00] bob -> ann: message 1",
            "[1970-01-01 00:00] bob -> ann: message 2",
            "[1970-01-01 00:00] bob -> ann: message 3",
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
