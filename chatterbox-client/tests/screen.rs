//! The full screen on a pseudo-terminal, seen as a person sees it.
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
use support::terminal::Terminal;

/// Every sequence in it is one of those that this program writes itself, and no other control character is there.
#[track_caller]
fn assert_harmless(written: &str) {
    let mut rest = written;
    while let Some(at) = rest.find(|c: char| c.is_control()) {
        let (sign, behind) = rest[at..].split_at(rest[at..].chars().next().unwrap().len_utf8());
        rest = behind;
        match sign {
            "\r" | "\n" | "\u{7}" => continue,
            "\u{1b}" => {}
            other => panic!("{other:?} before {:?}", behind.chars().take(40).collect::<String>()),
        }
        let shown: String = behind.chars().take(60).collect();
        if let Some(body) = behind.strip_prefix("]2;") {
            let end = body.find('\u{7}').expect(&shown);
            assert!(!body[..end].chars().any(char::is_control), "{shown:?}");
            rest = &body[end + 1..];
        } else if let Some(body) = behind.strip_prefix('[') {
            let end = body.find(|c: char| ('@'..='~').contains(&c)).expect(&shown);
            let last = &body[end..=end];
            assert!("HJKmhlt".contains(last), "{shown:?}");
            if last == "t" {
                assert!(matches!(&body[..end], "22;0" | "23;0"), "{shown:?}");
            }
            rest = &body[end + 1..];
        } else {
            panic!("{shown:?}");
        }
    }
}

#[tokio::test]
async fn two_people_talk_and_one_leaves() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "hi there"]]}"#).await;
    terminal.sees("the message", |rows| has(rows, &["bob", "hi there"]));
    terminal.types("hello bob");
    terminal.sees_last("ann> hello bob");
    terminal.types("\r");
    assert_eq!(peer.message().await, ("ALL".to_owned(), "hello bob".to_owned()));
    terminal.sees("the own message once", |rows| {
        rows.iter().filter(|row| row.contains("hello bob")).count() == 1
            && has(rows, &["ann", "hello bob"])
            && rows.last().is_some_and(|row| row == "ann>")
    });
    // Its echo is the same message.
    peer.send(r#"{"MESSAGES": [["ann", "ALL", 1, "hello bob"], ["bob", "ALL", 2, "fine"]]}"#).await;
    terminal.sees("the answer", |rows| {
        has(rows, &["bob", "fine"])
            && rows.iter().filter(|row| row.contains("hello bob")).count() == 1
    });
    terminal.types("\u{4}");
    peer.closed().await;
    let written = terminal.written_until_the_end();
    assert_left(&written);
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.ends_with("-- you have left the chat"), "{screen}");
}

#[tokio::test]
async fn a_private_message_waits_in_its_conversation_and_in_the_title() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    peer.send(r#"{"MESSAGES": [["bob", "ann", 1, "psst"], ["cyd", "ALL", 1, "ann: look"]]}"#).await;
    terminal.sees("that bob has written", |rows| has(rows, &["@bob", "1!"]));
    assert!(terminal.written().contains("\u{1b}]2;(1!) "), "the title");
    assert!(terminal.written().contains('\u{7}'), "the bell");
    terminal.types("\u{1b}2");
    terminal.sees("what bob has written", |rows| has(rows, &["bob", "psst"]));
    terminal.sees("that nothing waits", |rows| !has(rows, &["@bob", "1!"]));
    terminal.types("what?\r");
    assert_eq!(peer.message().await, ("bob".to_owned(), "what?".to_owned()));
    // The list of mentions goes back to where she was named.
    terminal.types("\u{1b}m");
    terminal.sees("the list", |rows| has(rows, &["cyd: ann: look"]));
    terminal.types("\r");
    terminal.sees("the lobby", |rows| has(rows, &["cyd", "ann: look"]) && !has(rows, &["psst"]));
}

#[tokio::test]
async fn what_is_typed_for_one_does_not_go_to_another() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    peer.send(r#"{"MESSAGES": [["bob", "ann", 1, "psst"]]}"#).await;
    terminal.sees("that bob has written", |rows| has(rows, &["@bob", "1!"]));
    terminal.types("for everybody");
    terminal.sees_last("ann> for everybody");
    terminal.types("\u{1b}2");
    terminal.sees("an empty input", |rows| rows.last().is_some_and(|row| row == "@bob>"));
    terminal.sees("the sign at the lobby", |rows| has(rows, &["lobby", "\""]));
    terminal.types("\u{7}");
    terminal.sees("the same in words", |rows| has(rows, &["lobby", "typed, not sent"]));
    terminal.types("\u{1b}");
    terminal.sees("that it is closed", |rows| !has(rows, &["typed, not sent"]));
    // Keys that come together with the one that changes what is in front are for what comes.
    terminal.types("for bob\r\u{1b}1");
    assert_eq!(peer.message().await, ("bob".to_owned(), "for bob".to_owned()));
    terminal.sees_last("ann> for everybody");
    terminal.types("\r");
    assert_eq!(peer.message().await, ("ALL".to_owned(), "for everybody".to_owned()));
}

/// What can be completed shows by itself; Tab puts it in, Esc closes.
#[tokio::test]
async fn names_and_commands_are_completed() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    terminal.types("/qui");
    terminal.sees("the command above the input", |rows| {
        rows.len() > 1 && rows[..rows.len() - 1].iter().any(|row| row.contains("/quit"))
    });
    terminal.types("\u{1b}");
    terminal.sees("that it is closed", |rows| {
        !rows[..rows.len() - 1].iter().any(|row| row.contains("/quit"))
    });
    terminal.types("\u{15}hi @bo\t");
    terminal
        .sees("the name", |rows| rows.last().is_some_and(|row| row.starts_with("ann> hi @bob")));
    terminal.types("psst\r");
    let (to, text) = peer.message().await;
    assert_eq!((to.as_str(), text.replace("  ", " ").as_str()), ("ALL", "hi @bob psst"));
}

#[tokio::test]
async fn what_is_behind_the_marker_is_new() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "old"]]}"#).await;
    terminal.sees("the message", |rows| has(rows, &["bob", "old"]));
    // The window loses the focus.
    terminal.types("\u{1b}[O");
    terminal.types("x");
    terminal.sees_last("ann> x");
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 2, "fresh"]]}"#).await;
    terminal.sees("the marker between them", |rows| {
        let place = |part: &str| rows.iter().position(|row| row.contains(part));
        place("old") < place(" new ") && place(" new ") < place("fresh")
    });
    assert!(terminal.written().contains("\u{1b}]2;(1) "), "the title");
    terminal.types("\u{1b}[I");
    terminal.sees_written("a title without a count", |written| {
        written.rsplit("\u{1b}]2;").next().is_some_and(|title| !title.starts_with('('))
    });
}

/// A list is drawn over the whole timeline, and an editor over everything.
#[tokio::test]
async fn what_comes_behind_a_list_or_an_editor_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let (editor, go) = (folder.path().join("editor"), folder.path().join("go"));
    assert!(run("mkfifo", &[&go.display().to_string()]).await);
    std::fs::write(&editor, format!("#!/bin/sh\ncat '{}' > /dev/null\n", go.display())).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let editor = editor.display().to_string();
    let (mut terminal, mut peer) = started(SIZE, &[("VISUAL", &editor)]).await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    peer.welcome_speaking("ann").await;
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "old"]], "IDS": [1]}"#).await;
    terminal.sees("the message", |rows| has(rows, &["bob", "old"]));
    terminal.types("\u{1b}/");
    terminal.sees("the list", |rows| has(rows, &["actions:"]));
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 2, "fresh"]], "IDS": [2]}"#).await;
    terminal.sees_written("a title with a count", |written| written.contains("\u{1b}]2;(1) "));
    terminal.types("\u{1b}");
    let between = |one: &str, other: &str| {
        let (one, other) = (one.to_owned(), other.to_owned());
        move |rows: &[String]| {
            let place = |part: &str| rows.iter().position(|row| row.contains(part));
            let (before, marker, behind) = (place(&one), place(" new "), place(&other));
            before.is_some() && before < marker && marker < behind
        }
    };
    terminal.sees("the marker between them", between("old", "fresh"));
    // The draft, so that the input is there again at a time that can be told.
    terminal.types("draft");
    terminal.sees_last("ann> draft");
    terminal.types("\u{18}\u{5}");
    terminal.sees_written("the modes taken back", |written| written.contains("\u{1b}[?1049l"));
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 3, "newest"]], "IDS": [3]}"#).await;
    peer.send(r#"{"PING": 7}"#).await;
    assert!(peer.next().await.unwrap().contains("PONG"));
    tokio::task::spawn_blocking(move || std::fs::write(go, "").unwrap()).await.unwrap();
    terminal.sees("the marker between them", between("fresh", "newest"));
}

/// Whether times are shown by themselves depends on the width of the timeline, not on that of the screen.
#[tokio::test]
async fn f2_shows_or_hides_the_times_wherever_there_is_room() {
    let (mut terminal, mut peer) = joined((16, 60), &[]).await;
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1700000000, "hi"]]}"#).await;
    // The line between two days has a time too.
    terminal.sees("a time", |rows| has(rows, &["22:13", "bob│hi"]));
    // The list of conversations leaves no room for times by itself.
    terminal.types("\u{1b}s");
    terminal.sees("no time", |rows| {
        has(rows, &["1 lobby"]) && has(rows, &["bob│hi"]) && !has(rows, &["22:13", "bob│hi"])
    });
    terminal.types("\u{1b}OQ");
    // The line between two days has a time too.
    terminal.sees("a time", |rows| has(rows, &["22:13", "bob│hi"]));
    terminal.types("\u{1b}OQ");
    terminal.sees("no time", |rows| has(rows, &["bob│hi"]) && !has(rows, &["22:13", "bob│hi"]));
}

/// A terminal that is set to Latin-1 sends such bytes.
#[tokio::test]
async fn a_byte_that_is_no_utf_8_is_a_sign_of_its_own() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    terminal.types_bytes(b"caf\xe9\xff");
    terminal.sees_written("the sign", |written| written.contains("caf\u{fffd}"));
    // Backspace takes it as one character.
    terminal.types("\u{7f}!\r");
    assert_eq!(peer.message().await.1, "caf\u{fffd}!");
}

#[tokio::test]
async fn the_keys_are_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chatterbox").join("client.toml");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::write(path, "[keys]\nhelp = [\"ctrl-x ctrl-k\"]\nhome = [\"alt-h\"]\n").unwrap();
    let folder = folder.path().display().to_string();
    let (mut terminal, mut peer) = joined(SIZE, &[("XDG_CONFIG_HOME", &folder)]).await;
    terminal.sees("the key of the help", |rows| has(rows, &["Ctrl-X Ctrl-K help"]));
    terminal.types("bc\u{1b}ha\u{1}\u{5}d\r");
    // Ctrl-A does nothing any more.
    assert_eq!(peer.message().await.1, "abcd");
    terminal.types("\u{1b}OP\u{18}\u{b}");
    terminal.sees("the help", |rows| has(rows, &["Keys (Esc closes"]));
}

#[tokio::test]
async fn a_link_is_copied_by_the_terminal() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "see https://a.example/x, or"]]}"#).await;
    terminal.sees("the message", |rows| has(rows, &["bob", "see https://a.example/x"]));
    terminal.types("\u{1b}l");
    terminal.sees("the list", |rows| has(rows, &["links in what is loaded", "1 of 1"]));
    terminal.types("\r");
    terminal.sees_written("the link, as base64", |written| {
        written.contains("\u{1b}]52;c;aHR0cHM6Ly9hLmV4YW1wbGUveA==\u{7}")
    });
}

#[tokio::test]
async fn the_mouse_scrolls_and_chooses_and_belongs_to_the_terminal_until_it_is_taken() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    assert!(!terminal.written().contains("\u{1b}[?1000h"));
    terminal.types("\u{1b}o");
    terminal.sees_written("the mouse taken", |written| {
        ["\u{1b}[?1000h", "\u{1b}[?1006h"].iter().all(|mode| written.contains(mode))
    });
    let many: Vec<_> = (0..40).map(|n| format!(r#"["cyd", "ALL", {n}, "line {n}."]"#)).collect();
    peer.send(&format!(r#"{{"MESSAGES": [["bob", "ann", 1, "psst"], {}]}}"#, many.join(", ")))
        .await;
    terminal.sees("the last one", |rows| has(rows, &["line 39."]) && has(rows, &["@bob", "1!"]));
    terminal.types("draft");
    terminal.sees_last("ann> draft");
    for _ in 0..3 {
        terminal.types("\u{1b}[<64;40;5M");
    }
    terminal.sees("older ones", |rows| has(rows, &["line 20."]) && !has(rows, &["line 39."]));
    for _ in 0..3 {
        terminal.types("\u{1b}[<65;40;5M");
    }
    terminal.sees("the end", |rows| has(rows, &["line 39."]));
    // A terminal without mode 1006 writes a click so; it sends nothing.
    terminal.types("\u{1b}[M \u{23}\u{23}\u{1b}[M#\u{23}\u{23}ed");
    terminal.sees_last("ann> drafted");
    let row = {
        let shown = terminal.screen.0.lock().unwrap();
        let rows: Vec<_> = shown.parser.screen().rows(0, 80).collect();
        rows.iter().position(|row| row.contains("@bob")).unwrap()
    };
    terminal.types(&format!("\u{1b}[<0;3;{0}M\u{1b}[<0;3;{0}m", row + 1));
    terminal.sees("what bob has written", |rows| has(rows, &["bob", "psst"]));
    terminal.types("\u{1b}1");
    terminal.sees_last("ann> drafted");
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "drafted");
    terminal.types("\u{4}");
    assert_left(&terminal.written_until_the_end());
}

#[tokio::test]
async fn a_pasted_text_is_asked_about_once_and_sent_as_one_message() {
    let (mut terminal, mut peer) = joined(SIZE, &[]).await;
    terminal.pastes("hello there\n");
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "hello there");
    terminal.pastes("one\r\ntwo\n/three");
    terminal.sees("its rows", |rows| has(rows, &["/three"]));
    terminal.types("\r");
    terminal.sees("the question", |rows| has(rows, &["3 lines", "Enter"]));
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "one\ntwo\n/three");
}

/// A session in which ann has joined, with a server that has commands.
async fn secretive() -> (Terminal, Peer) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let arguments = ["localhost", "-p", &port, "-ca", &ca, "-u", "ann"];
    let terminal = Terminal::sized(&arguments, SIZE, &[]);
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    terminal.sees_last("ann>");
    (terminal, peer)
}

#[tokio::test]
async fn a_secret_is_nowhere() {
    let (mut terminal, mut peer) = secretive().await;
    terminal.types("/register\r");
    assert!(peer.next().await.unwrap().contains("register"));
    peer.send(r#"{"PROMPT": {"ID": "1", "TEXT": "Choose a password:", "SECRET": true}}"#).await;
    terminal.sees("the question", |rows| {
        rows.last().is_some_and(|row| row.contains("Choose a password:"))
    });
    terminal.types("hush/hush\r");
    let answer = peer.next().await.unwrap();
    assert!(answer.contains("hush/hush"), "{answer}");
    terminal.sees_last("ann>");
    terminal.types("\u{1b}[A\u{12}");
    terminal.sees("the lines that were sent", |rows| has(rows, &["/register"]));
    assert!(!terminal.written().contains("hush"));
}

/// What is typed ahead may be a secret, and a list is seen. The question waits until the list is closed.
#[tokio::test]
async fn a_secret_that_is_typed_ahead_is_not_for_a_list() {
    let (mut terminal, mut peer) = secretive().await;
    terminal.types("/register");
    terminal.sees_last("ann> /register");
    terminal.types("\rhunter2\u{6}abc");
    let call = peer.next().await.unwrap();
    assert!(call.contains("register"), "{call}");
    terminal.sees("the list with what was typed for it", |rows| has(rows, &["abc"]));
    peer.send(r#"{"PROMPT": {"ID": "1", "TEXT": "Choose a password:", "SECRET": true}}"#).await;
    terminal.sees("that there is a question", |rows| has(rows, &["the server asks"]));
    terminal.types("def");
    terminal.sees("the list", |rows| has(rows, &["abcdef"]));
    terminal.types("\u{1b}");
    terminal.sees("the question", |rows| {
        rows.last().is_some_and(|row| row.contains("Choose a password:"))
    });
    terminal.types("\r");
    let answer = peer.next().await.unwrap();
    assert!(answer.contains(r#""TEXT": "hunter2""#), "{answer}");
    assert!(!terminal.written().contains("hunter2") && !terminal.written().contains("hunt"));
}

#[tokio::test]
async fn colours_are_there_unless_they_are_not_wanted() {
    for (variables, wanted) in [(&[][..], true), (&[("NO_COLOR", "1")], false)] {
        let (terminal, mut peer) = joined(SIZE, variables).await;
        peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "hi"]]}"#).await;
        terminal.sees("the message", |rows| has(rows, &["bob", "hi"]));
        let state = terminal.screen.0.lock().unwrap();
        let screen = state.parser.screen();
        let coloured = (0..SIZE.0).any(|row| {
            (0..SIZE.1).any(|column| {
                screen.cell(row, column).is_some_and(|cell| cell.fgcolor() != vt100::Color::Default)
            })
        });
        assert_eq!(coloured, wanted);
    }
}

/// Everything that a server can say has an escape, a bell, and what turns text around in it.
#[tokio::test]
async fn a_hostile_server_writes_nothing_to_the_terminal() {
    let evil = r"\u001b]0;owned\u0007\u001b]777;notify;a;b\u001b\\\u009d2;x\u009c\u001b[2J\u202etxt\u001bPq\r\n;";
    let (mut terminal, mut peer) = joined(SIZE, &[("TERM_PROGRAM", "kitty")]).await;
    for frame in [
        format!(
            r#"{{"MESSAGES": [["{evil}bob", "ann", 1, "ann {evil}"], ["bob", "ALL", 1, "ann {evil}"]]}}"#
        ),
        format!(r##"{{"MESSAGES": [["bob", "#{evil}", 1, "ann {evil}"]]}}"##),
        format!(r#"{{"USERS_JOINED": ["{evil}"], "ERROR": "{evil}", "INFO": "{evil}"}}"#),
        format!(r#"{{"USERS_LEFT": ["{evil}"], "PROMPT": {{"ID": "{evil}", "TEXT": "{evil}"}}}}"#),
        r#"{"MESSAGES": [["bob", "ALL", 1, "the end"]]}"#.to_owned(),
    ] {
        peer.send(&frame).await;
    }
    terminal.sees("the end", |rows| has(rows, &["bob", "the end"]));
    // The window loses the focus, so that notifications come too.
    terminal.types("\u{1b}[O\u{1b}2x");
    terminal
        .sees("that all keys arrived", |rows| rows.last().is_some_and(|row| row.ends_with("> x")));
    peer.send(&format!(r#"{{"MESSAGES": [["{evil}cyd", "ann", 1, "{evil}"]]}}"#)).await;
    terminal.sees_written("a notification", |written| {
        written.split("\u{1b}]777;notify;").nth(1).is_some_and(|text| text.contains('\u{7}'))
    });
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "behind it"]]}"#).await;
    terminal.types("\u{1b}1");
    terminal.sees("what came last", |rows| has(rows, &["bob", "behind it"]));
    let written = terminal.written();
    let (before, notification) = written.split_once("\u{1b}]777;notify;chatterbox;").unwrap();
    let (text, behind) = notification.split_once('\u{7}').unwrap();
    assert!(!text.contains(';') && !text.chars().any(char::is_control), "{text:?}");
    assert_harmless(before);
    assert_harmless(behind);
}

#[tokio::test]
async fn a_message_that_is_too_long_for_the_server_stays_in_the_input() {
    let (mut terminal, mut peer) = started(SIZE, &[]).await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    assert_eq!(peer.name().await, "ann");
    peer.send(
        r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": [], "IDS": [], "RESUME": "session",
            "CAPABILITIES": "ids/1", "LIMITS": {"CONTENT": 10}}"#,
    )
    .await;
    terminal.sees_last("ann>");
    terminal.types("12345678");
    terminal.sees("how many are left", |rows| has(rows, &["2 left"]));
    terminal.types("9abc");
    terminal.sees("how many are too many", |rows| has(rows, &["2 too many"]));
    terminal.types("\r");
    terminal.sees("that it was not sent", |rows| {
        has(rows, &["2 characters too many; nothing was sent."])
            && rows.last().is_some_and(|row| row == "ann> 123456789abc")
    });
    terminal.types("\u{7f}\u{7f}\r");
    assert_eq!(peer.message_with_tags().await, "123456789a");
}

#[tokio::test]
async fn up_goes_through_the_rows_that_are_drawn() {
    let (mut terminal, mut peer) = joined((12, 40), &[]).await;
    // Behind the prompt a row has 35 cells.
    terminal.types(&format!("{}{}", "a".repeat(35), "b".repeat(15)));
    terminal.types("\u{1b}[AX\r");
    let expected = format!("{}X{}{}", "a".repeat(15), "a".repeat(20), "b".repeat(15));
    assert_eq!(peer.message().await.1, expected);
}

/// A line that is typed while the server still thinks about `/room #lab` was typed for the lobby.
#[tokio::test]
async fn an_enter_of_before_does_not_send_to_the_room_that_comes_to_the_front() {
    let (mut terminal, mut peer) = started(SIZE, &[]).await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    assert_eq!(peer.name().await, "ann");
    peer.send(
        r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": [], "IDS": [], "RESUME": "session", "ROOMS": [],
            "CAPABILITIES": "commands/1 ids/1 rename/1 rooms/1"}"#,
    )
    .await;
    peer.send(
        r#"{"PREFIX": "/", "COMMANDS": [{"NAME": "join", "ALIASES": [], "HELP": "Joins.", "EXAMPLE": "join #lab", "LEVEL": 0,
            "ARGUMENTS": [{"NAME": "room", "TYPE": "room", "OPTIONAL": false, "REST": false}]}]}"#,
    )
    .await;
    terminal.sees_last("ann>");
    terminal.types("/room #lab\r");
    assert!(peer.next().await.unwrap().contains("join"));
    terminal.sees("the list", |rows| has(rows, &["1 lobby"]));
    // The list goes at once: what is typed before waits for the answer.
    terminal.types("for everybody\r\u{1b}s");
    terminal.sees("that the keys were read", |rows| !has(rows, &["1 lobby"]));
    peer.send(
        r##"{"ROOMS": [{"ROOM": "#lab", "NUMBER": 12, "LEVEL": 0, "TOPIC": "", "ROSTER": true, "COUNT": 1, "USERS": ["ann"]}],
            "RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "joined", "DATA": {}}}"##,
    )
    .await;
    terminal.sees("the room, and nothing typed there", |rows| {
        rows.last().is_some_and(|row| row == "#lab>")
    });
    // The key behind shows that all before it were worked off.
    terminal.types("x");
    terminal.sees_last("#lab> x");
    terminal.types("\u{7f}\u{1b}1");
    terminal.sees_last("ann> for everybody");
    terminal.types("\r");
    assert_eq!(peer.message_with_tags().await, "for everybody");
}
