//! The program in rooms of a scripted server, on a terminal and through pipes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]
#![allow(clippy::disallowed_methods, reason = "the test owns a clock and a terminal")]

mod support;

use support::client::{Client, run};
use support::real::Real;
use support::server::{Peer, Server};
use support::terminal::Terminal;

const WELCOME: &str = r##"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": [["bob", "ALL", 1, "old"]], "IDS": [17],
    "CAPABILITIES": "commands/1 ids/1 notices/1 ping/1 recent/1 rename/1 rooms/1", "RESUME": "session", "MORE": true, "DEFAULT": "#lab",
    "ROOMS": [{"ROOM": "#lab", "NUMBER": 12, "LEVEL": 0, "TOPIC": "exercise 3", "ROSTER": true, "COUNT": 2, "USERS": ["ann", "bob"],
    "KEEP": "all", "SHOW": "all", "TALK": 0, "SLOW": 0, "FLAGS": [], "LAST": 20, "FLOOR": 0}]}"##;

const COMMANDS: &str = r#"{"PREFIX": "/", "COMMANDS": [{"NAME": "leave", "ALIASES": [], "HELP": "Leaves.", "EXAMPLE": "leave", "LEVEL": 0,
    "ARGUMENTS": [{"NAME": "room", "TYPE": "room", "OPTIONAL": true, "REST": false}]}]}"#;

async fn accepts(server: &Server) -> (Peer, String) {
    let mut peer = server.accept().await;
    let name = peer.next().await.unwrap();
    peer.send(WELCOME).await;
    peer.send(COMMANDS).await;
    (peer, name)
}

fn said(room: &str, id: u32, text: &str) -> String {
    format!(r#"{{"MESSAGES": [["bob", "{room}", 1, "{text}"]], "IDS": [{id}]}}"#)
}

#[tokio::test]
async fn on_a_terminal_the_prompt_says_where_a_line_goes() {
    let server = Server::plaintext().await;
    let port = server.port().to_string();
    let mut terminal =
        Terminal::start(&["localhost", "-p", &port, "--plaintext", "-u", "ann"], false);
    let (mut peer, name) = accepts(&server).await;
    assert!(name.contains(r#""RECENT": 200"#), "{name}");
    terminal.sees_last("#lab>");
    terminal.types("hello\r");
    let frame = peer.next().await.unwrap();
    assert!(frame.contains(r##"["ann", "#lab", "##), "{frame}");
    peer.send(&said("ALL", 31, "not here")).await;
    peer.send(&said("#lab", 32, "but here")).await;
    terminal.sees("the room in front, and the other one in a line", |rows| {
        let has = |part: &str| rows.iter().any(|row| row.ends_with(part));
        has("#lab <bob> but here") && has("* unread: ALL 1 (/room ALL)") && !has("not here")
    });
    terminal.types("/room ALL\r");
    terminal.sees("what was unread", |rows| {
        rows.iter().any(|row| row.ends_with("bob: not here"))
            && rows.last().is_some_and(|row| row == "ann>")
    });
    terminal.types("to all\r");
    assert!(peer.next().await.unwrap().contains(r#"["ann", "ALL", "#));
    let closed = r#"{"ERROR": "elsewhere", "CLOSED": {"CODE": "replaced", "INFO": "elsewhere", "RETRY": null}}"#;
    peer.send(closed).await;
    peer.close().await;
    let (code, screen) = terminal.ends();
    assert_eq!(code, 69, "{screen}");
    assert!(screen.contains("your session goes on over another"), "{screen}");
}

/// A line that was begun for a room goes nowhere when the room is gone, or is another one of that name.
#[tokio::test]
async fn on_a_terminal_a_half_typed_line_goes_to_the_room_it_was_typed_for_or_nowhere() {
    let gone = r##"{"ROOMS_LEFT": [{"ROOM": "#lab", "NUMBER": 12, "CODE": "kicked", "BY": "prof", "INFO": ""}]}"##;
    let other = r##"{"ROOMS": [{"ROOM": "#lab", "NUMBER": 77, "LEVEL": 0, "TOPIC": "", "ROSTER": true, "COUNT": 1, "USERS": ["ann"]}]}"##;
    for frames in [&[gone][..], &[gone, other]] {
        let server = Server::plaintext().await;
        let port = server.port().to_string();
        let mut terminal =
            Terminal::start(&["localhost", "-p", &port, "--plaintext", "-u", "ann"], false);
        let (mut peer, _) = accepts(&server).await;
        terminal.sees_last("#lab>");
        terminal.types("for the lab");
        terminal.sees_last("#lab> for the lab");
        for frame in frames {
            peer.send(frame).await;
        }
        peer.send(&said("ann", 40, "psst")).await;
        terminal.sees("what came last", |rows| rows.iter().any(|row| row.ends_with("psst")));
        terminal.types("\r");
        terminal.sees("that it was not sent", |rows| {
            rows.iter().any(|row| row.contains("Nothing was sent: you are not in #lab"))
        });
        terminal.types("/room ALL\r");
        terminal.sees_last("ann>");
        terminal.types("to all\r");
        let frame = peer.next().await.unwrap();
        assert!(frame.contains(r#"["ann", "ALL", "#) && frame.contains("to all"), "{frame}");
    }
}

#[tokio::test]
async fn a_script_gets_every_room_and_what_it_has_missed_in_order() {
    let server = Server::plaintext().await;
    let port = server.port().to_string();
    let mut client =
        Client::start(&["localhost", "-p", &port, "--plaintext", "-u", "ann", "--json"]);
    let (mut peer, name) = accepts(&server).await;
    assert!(!name.contains("RECENT"), "{name}");
    client.types("hello").await;
    let frame = peer.next().await.unwrap();
    assert!(frame.contains(r##"["ann", "#lab", "##), "{frame}");
    peer.send(r#"{"ACKS": {"1": 21}}"#).await;
    peer.send(&said("#lab", 22, "m22")).await;
    peer.close().await;

    let mut peer = server.accept().await;
    let name = peer.next().await.unwrap();
    assert!(name.contains(r#""AFTER": 22"#), "{name}");
    let back = WELCOME
        .replace(
            r#"[["bob", "ALL", 1, "old"]], "IDS": [17]"#,
            r##"[["bob", "#lab", 1, "m90"]], "IDS": [90]"##,
        )
        .replace(r#""LAST": 20"#, r#""LAST": 90, "GAP": true"#)
        .replace(r#""MORE": true"#, r#""RESUMED": true"#);
    peer.send(&back).await;
    let asked = peer.next().await.unwrap();
    assert_eq!(asked, r##"{"HISTORY": {"WITH": "#lab", "AFTER": 22, "LIMIT": 500}}"##);
    peer.send(&said("#lab", 91, "m91")).await;
    let page = r##"{"HISTORY": {"WITH": "#lab", "MESSAGES": [["bob", "#lab", 1, "m80"], ["bob", "#lab", 1, "m90"]], "IDS": [80, 90], "MORE": false}}"##;
    peer.send(page).await;
    client.close_stdin();
    let end = client.finish().await;
    assert_eq!(end.code, Some(0), "{} {}", end.out, end.err);
    let events: Vec<serde_json::Value> =
        end.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "message" && event["from"] == "bob")
        .map(|event| (event["text"].as_str().unwrap(), event["kind"].as_str().unwrap()))
        .collect();
    let expected = [
        ("old", "history"),
        ("m22", "live"),
        ("m80", "missed"),
        ("m90", "missed"),
        ("m91", "live"),
    ];
    assert_eq!(texts, expected, "{}", end.out);
    let gaps: Vec<_> = events.iter().filter(|event| event["event"] == "gap").collect();
    assert_eq!((gaps[0]["state"].as_str(), gaps[1]["count"].as_i64()), (Some("fetching"), Some(2)));
}

/// NO-4, with the code of each end.
#[tokio::test]
async fn the_reason_of_an_end_is_the_exit_code() {
    for (code, exit, part) in [
        ("replaced", 69, "goes on over another connection"),
        ("logout", 77, "has ended this login"),
        ("kicked", 69, "you were removed"),
        ("banned", 77, "you are banned"),
        ("protocol", 76, "make sense of what was sent"),
        ("anything", 69, "ended the connection for good"),
    ] {
        let server = Server::plaintext().await;
        let port = server.port().to_string();
        let client = Client::start(&["localhost", "-p", &port, "--plaintext", "-u", "ann"]);
        let (mut peer, _) = accepts(&server).await;
        peer.send(&format!(r#"{{"ERROR": "x", "CLOSED": {{"CODE": "{code}", "RETRY": null}}}}"#))
            .await;
        peer.close().await;
        let end = client.finish().await;
        assert_eq!(end.code, Some(exit), "{}", end.err);
        assert!(end.err.contains(part), "{}", end.err);
    }
}

/// With the server of this project.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_made_joined_and_still_there_the_next_time() {
    const PASSWORD: &str = "correct horse battery";
    let server = Real::start().await;
    let piped = async |more: &[&str], input: &str| {
        let arguments = server.arguments(server.port, more);
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        let end = run(&words, input).await;
        assert_eq!(end.code, Some(0), "{} {}", end.out, end.err);
        end.out
    };
    piped(&["-u", "ann"], &format!("/register\n{PASSWORD}\n{PASSWORD}\n")).await;
    let input = format!(
        "{PASSWORD}\n/create-room lab\n/room lab\n/topic exercise 3\nhello\nto all of you\n/default #lab\n"
    );
    let out = piped(&["-u", "ann", "--password-stdin"], &input).await;
    assert!(out.contains("* #lab has another topic: exercise 3"), "{out}");
    assert!(out.contains("] #lab <ann> hello"), "{out}");

    let out = piped(&["-u", "bob"], "/join lab\n/room lab\n/history\nhi\n/leave\n").await;
    for part in [
        "] #lab <ann> hello\n",
        "] #lab <ann> to all of you\n",
        "] #lab <bob> hi\n",
        "* you are not in #lab any more",
    ] {
        assert!(out.contains(part), "{part} in {out}");
    }

    let again = ["-u", "ann", "--password-stdin", "--json", "--recent", "0"];
    let out = piped(&again, &format!("{PASSWORD}\n/history\n@ALL bye\n")).await;
    let events: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| events.iter().find(|event| event["event"] == name).unwrap();
    assert_eq!(of("rooms")["front"], "#lab", "{out}");
    let room = of("room");
    assert_eq!(
        (&room["topic"], &room["owner"], &room["level"]),
        (&"exercise 3".into(), &"ann".into(), &4.into())
    );
    let said = events.iter().filter(|event| event["to"] == "#lab");
    let said: Vec<_> = said.map(|event| event["text"].as_str().unwrap()).collect();
    assert_eq!(said, ["hello", "to all of you", "hi"], "{out}");
}
