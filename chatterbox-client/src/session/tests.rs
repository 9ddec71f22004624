//! Sessions between a scripted screen and a scripted server: no terminal, no network.

#![allow(clippy::indexing_slicing, reason = "tests may be blunt")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use chatterbox_app::{App, Options, Output, TimeFormatter};
use chatterbox_proto::Capability;
use chatterbox_proto::frame::Decoder;
use chatterbox_zstd::Codec;
use jiff::tz::TimeZone;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::timeout;

use super::screen::{Prompt, Screen, ScreenEvent, Typed, View, Wish};
use super::server::Server;
use super::{Session, Signals};
use crate::exit::{Exit, Failure};
use crate::net::{Connection, Trust};

/// A screen that types its lines as soon as it is asked for them, and writes down what it is told.
struct Script {
    interactive: bool,
    /// Whether the lines come as keys do, and more than one where one was asked for.
    by_keys: bool,
    lines: VecDeque<Typed>,
    seen: Rc<RefCell<Vec<String>>>,
}

impl Screen for Script {
    fn is_interactive(&self) -> bool {
        self.interactive
    }

    fn ask(&mut self, prompt: Prompt) -> bool {
        self.seen.borrow_mut().push(prompt.kind.text());
        true
    }

    fn asks_anew(&self) -> bool {
        self.by_keys
    }

    fn work(&mut self, _view: &View<'_>) -> Option<Wish> {
        self.lines.pop_front().map(Wish::Typed)
    }

    async fn event(&mut self, line: bool, room: bool) -> ScreenEvent {
        if room {
            return ScreenEvent::Room;
        }
        if self.by_keys && line && !self.lines.is_empty() {
            return ScreenEvent::Keys;
        }
        let typed = if line { self.lines.pop_front() } else { None };
        match typed {
            Some(typed) => ScreenEvent::Typed(typed),
            None => pending().await,
        }
    }

    fn show(&mut self, outputs: &mut VecDeque<Output>) {
        self.seen.borrow_mut().extend(outputs.drain(..).map(|output| output.text()));
    }

    fn has_rest(&self) -> bool {
        false
    }

    async fn finish(&mut self, outputs: &mut VecDeque<Output>) -> io::Result<()> {
        self.show(outputs);
        Ok(())
    }

    fn restore(&mut self) {
        self.seen.borrow_mut().push("(restored)".to_owned());
    }
}

/// The server's end of the connection.
struct Peer {
    stream: DuplexStream,
    decoder: Decoder,
}

impl Peer {
    async fn send(&mut self, body: &str) {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        self.stream.write_all(&length).await.unwrap();
        self.stream.write_all(body.as_bytes()).await.unwrap();
    }

    /// The same, compressed; it has to be long.
    async fn send_compressed(&mut self, body: &str) {
        let frame = Codec::new().compressed(body.as_bytes()).unwrap();
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The next frame; `None` when the session has closed the connection.
    async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some(body) = self.decoder.next_body().unwrap() {
                return Some(String::from_utf8(body.to_vec()).unwrap());
            }
            let mut bytes = [0; 1024];
            match self.stream.read(&mut bytes).await.unwrap() {
                0 => return None,
                got => self.decoder.push(&bytes[..got]),
            }
        }
    }
}

/// Runs a session beside a server; returns its end and what the screen saw.
async fn play(
    interactive: bool,
    lines: impl IntoIterator<Item = Typed>,
    server: impl AsyncFnOnce(&mut Peer),
) -> (Result<Exit, Failure>, Vec<String>) {
    let (connection, stream) = Connection::in_memory();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let by_keys = interactive;
    let lines = lines.into_iter().collect();
    let screen = Script { interactive, by_keys, lines, seen: Rc::clone(&seen) };
    let offer = [Capability::Accounts, Capability::Commands, Capability::Zstd];
    let offer = offer.into_iter().collect();
    let options = Options { interactive, echo_own: true, offer, ..Options::default() };
    let app = App::new(options, TimeFormatter::new(TimeZone::UTC));
    let address =
        Server { host: "nowhere.invalid".to_owned(), port: 1, trust: Trust::Plaintext, ssh: None };
    let signals = Signals::listen().unwrap();
    let session = Session::new(app, (address, connection), screen, signals, None);
    let mut peer = Peer { stream, decoder: Decoder::new(1 << 20) };
    let (outcome, ()) = tokio::join!(session.run(), server(&mut peer));
    (outcome, seen.take())
}

fn line(text: &str) -> Typed {
    Typed::Line(text.to_owned())
}

const COMMANDS: &str = r#"{"PREFIX": "/", "COMMANDS": [{"NAME": "sudo", "ALIASES": [], "HELP": "", "EXAMPLE": "", "LEVEL": 0,
    "ARGUMENTS": [{"NAME": "text", "TYPE": "text", "OPTIONAL": false, "REST": true}]}]}"#;

const WELCOME: &str = r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": []}"#;

#[tokio::test]
async fn a_screen_is_asked_and_shown_everything_in_its_order() {
    let lines = [line("ann"), line("hello"), Typed::End];
    let (outcome, seen) = play(false, lines, async |peer: &mut Peer| {
        assert!(peer.frame().await.unwrap().starts_with(r#"{"USERNAME": "ann""#));
        peer.send(WELCOME).await;
        assert!(peer.frame().await.unwrap().contains(r#""hello"]"#));
        peer.send(r#"{"MESSAGES": [["ann", "ALL", 1, "hello"]]}"#).await;
        assert_eq!(peer.frame().await, None);
    })
    .await;
    assert_eq!(outcome, Ok(Exit::Ok));
    let seen: Vec<_> = seen.iter().map(|line| line.split("] ").last().unwrap_or(line)).collect();
    let expected =
        ["name: ", "ann> ", "* you are ann", "* here: ann", "ann> ", "ann: hello", "(restored)"];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn the_end_of_a_person_s_input_sends_what_was_typed_and_leaves() {
    let lines = [line("ann"), line("bye"), Typed::End];
    let (outcome, seen) = play(true, lines, async |peer: &mut Peer| {
        peer.frame().await.unwrap();
        peer.send(WELCOME).await;
        assert!(peer.frame().await.unwrap().contains(r#""bye"]"#));
        assert_eq!(peer.frame().await, None);
    })
    .await;
    assert_eq!(outcome, Ok(Exit::Ok));
    assert_eq!(seen.last().map(String::as_str), Some("(restored)"));
}

#[tokio::test]
async fn a_failure_is_returned_after_everything_was_shown() {
    let (outcome, seen) = play(false, [line("ann")], async |peer: &mut Peer| {
        peer.frame().await.unwrap();
        peer.send(r#"{"USERNAME_ACCEPTED": false, "INFO": "no"}"#).await;
        peer.stream.shutdown().await.unwrap();
    })
    .await;
    assert_eq!(outcome.unwrap_err().exit, Exit::NoName);
    assert_eq!(seen.first().map(String::as_str), Some("name: "));
    assert!(seen.contains(&"! the server refused the name ann: no".to_owned()), "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some("(restored)"));
}

#[tokio::test]
async fn what_leads_to_a_question_stands_above_it_and_it_is_asked_once() {
    let lines = [line("ann"), line("hush"), Typed::End];
    let (outcome, seen) = play(true, lines, async |peer: &mut Peer| {
        peer.frame().await.unwrap();
        peer.send(r#"{"USERNAME_ACCEPTED": false, "INFO": "no", "CODE": "registered"}"#).await;
        assert!(peer.frame().await.unwrap().contains(r#""PASSWORD": "hush""#));
        peer.send(WELCOME).await;
        assert_eq!(peer.frame().await, None);
    })
    .await;
    assert_eq!(outcome, Ok(Exit::Ok));
    let before = ["name: ", "-- ann is registered. An empty line takes another name."];
    assert_eq!(seen[..2], before);
    assert_eq!(seen.iter().filter(|line| *line == "password of ann: ").count(), 1, "{seen:?}");
    assert_eq!(seen[2], "password of ann: ");
}

/// Nobody waits for a crowd: what is said comes behind it, in its order.
#[tokio::test]
async fn a_crowd_is_one_line_for_a_person_and_a_line_each_through_pipes() {
    let moves = |seen: &[String]| {
        let from = seen.iter().position(|line| line == "* here: ann").unwrap() + 1;
        let lines = seen[from..].iter().filter(|line| !line.starts_with("ann>"));
        let lines = lines.take_while(|line| !line.starts_with('('));
        lines.map(|line| line.split("] ").last().unwrap_or(line).to_owned()).collect::<Vec<_>>()
    };
    let serve = async |peer: &mut Peer| {
        peer.frame().await.unwrap();
        peer.send(WELCOME).await;
        peer.send(r#"{"USERS_JOINED": ["a", "b", "c", "d", "e"]}"#).await;
        peer.send(r#"{"USERS_LEFT": ["e"]}"#).await;
        peer.send(r#"{"MESSAGES": [["a", "ALL", 1, "hi"]], "ERROR": "and that"}"#).await;
        peer.stream.shutdown().await.unwrap();
    };
    let (_, seen) = play(true, [line("ann")], serve).await;
    assert_eq!(moves(&seen), ["* a, b, c and d joined", "a: hi", "! server: and that"]);
    let (_, seen) = play(false, [line("ann")], serve).await;
    assert_eq!(moves(&seen).len(), 8, "{seen:?}");
}

/// The server may still ask for something: what comes next may be the answer.
#[tokio::test]
async fn behind_a_text_of_several_rows_nothing_is_typed_before_it_is_asked_for() {
    const LONGEST: Duration = Duration::from_millis(300);
    for first in [line("/sudo a\nb"), Typed::Text("/sudo a\nb".to_owned())] {
        let is_call = matches!(first, Typed::Line(_));
        let lines = [line("ann"), first, line("hush"), Typed::End];
        let (_, seen) = play(true, lines, async |peer: &mut Peer| {
            peer.frame().await.unwrap();
            peer.send(&WELCOME.replace("true", r#"true, "CAPABILITIES": "accounts/1 commands/1""#))
                .await;
            peer.send(COMMANDS).await;
            let first = peer.frame().await.unwrap();
            assert_eq!(first.contains("COMMAND"), is_call, "{first}");
            if is_call {
                let early = timeout(LONGEST, peer.frame()).await;
                assert!(early.is_err(), "{early:?}");
                peer.send(r#"{"PROMPT": {"ID": "1", "TEXT": "pw", "SECRET": true}}"#).await;
                let answer = peer.frame().await.unwrap();
                assert!(answer.contains(r#""ANSWER""#) && answer.contains("hush"), "{answer}");
            } else {
                assert!(first.contains(r#"/sudo a\nb"#), "{first}");
                assert!(peer.frame().await.unwrap().contains("hush"));
            }
        })
        .await;
        assert_eq!(seen.last().map(String::as_str), Some("(restored)"));
    }
}

/// A compressed frame can only be the welcome that agrees to them, or come behind it.
#[tokio::test]
async fn a_compressed_welcome_has_to_agree_to_compressed_frames() {
    for (agreed, ends) in [("zstd/1", Ok(Exit::Ok)), ("", Err(Exit::Protocol))] {
        let (outcome, _) = play(false, [line("ann"), Typed::End], async |peer: &mut Peer| {
            peer.frame().await.unwrap();
            let info = "what is said again and again; ".repeat(100);
            let more = format!(r#"true, "CAPABILITIES": "{agreed}", "INFO": "{info}""#);
            peer.send_compressed(&WELCOME.replace("true", &more)).await;
            assert_eq!(peer.frame().await, None);
        })
        .await;
        assert_eq!(outcome.map_err(|failure| failure.exit), ends, "{agreed}");
    }
}
