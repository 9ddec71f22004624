//! The program on a pseudo-terminal, seen as a person sees it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the test owns a clock and a terminal")]

mod support;

use std::time::Duration;

use support::certificate::Certificate;
use support::server::{Peer, Server};
use support::soon;
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
async fn ctrl_c_clears_the_line_and_leaves_only_when_it_is_pressed_again() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("half");
    terminal.sees_last("ann> half");
    terminal.types("\u{3}");
    terminal.sees_last("ann>");
    terminal.types("\u{3}");
    terminal.sees("the warning", |rows| {
        rows.ends_with(&["Ctrl-C again leaves.".to_owned(), "ann>".to_owned()])
    });
    // Any other key takes it back.
    terminal.types("x\u{3}");
    terminal.sees("no warning", |rows| {
        !rows.iter().any(|row| row.contains("Ctrl-C"))
            && rows.last().is_some_and(|row| row == "ann>")
    });
    terminal.types("\u{3}\u{3}");
    peer.closed().await;
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    assert!(!screen.contains("Ctrl-C"), "{screen}");
}

/// What is typed meanwhile waits, the wish to leave does not.
#[tokio::test]
async fn ctrl_c_leaves_while_the_server_owes_an_answer() {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let mut terminal = Terminal::start(&["localhost", "-p", &port, "-ca", &ca], false);
    let mut peer = server.accept().await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    assert_eq!(peer.name().await, "ann");
    terminal.types("typed ahead\r\u{3}");
    terminal.sees_last("Ctrl-C again leaves.");
    terminal.types("\u{3}");
    assert_eq!(peer.next().await, None, "what was typed ahead is dropped");
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
async fn several_pasted_lines_are_asked_about_once_and_are_one_message() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.pastes("hello there\n");
    terminal.sees_last("ann> hello there");
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "hello there");
    let asks = |rows: &[String]| {
        let asked =
            rows.iter().position(|row| row.starts_with("3 lines, 18 characters: Enter sends"));
        asked.is_some_and(|at| rows[at + 1..].iter().any(|row| row == "ann> one"))
            && rows.last().is_some_and(|row| row == "@bob three")
    };
    for sends in [false, true] {
        terminal.pastes("one\r\ntwo\r@bob three\n");
        terminal.sees_last("@bob three");
        terminal.types("\r");
        terminal.sees("the question", asks);
        terminal.types(if sends { "\r" } else { "\u{3}" });
        terminal.sees("an empty prompt", |rows| {
            rows.last().is_some_and(|row| row == "ann>")
                && !rows.iter().any(|row| row.contains("characters:"))
        });
    }
    assert_eq!(peer.message().await, ("ALL".to_owned(), "one\ntwo\n@bob three".to_owned()));
}

/// A terminal that is set to Latin-1 sends 0xE9 for `é`; 0xFF is in no encoding that this program knows. Such a byte is
/// the replacement character, as through a pipe; the line goes on.
#[tokio::test]
async fn a_byte_that_is_no_utf_8_does_not_end_it() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("caf");
    terminal.sees_last("ann> caf");
    terminal.types_bytes(b"\xff");
    terminal.types(" au lait");
    // This screen does not show the replacement character as it is.
    terminal.sees("the rest of the line", |rows| {
        rows.last().is_some_and(|row| row.starts_with("ann> caf") && row.ends_with(" au lait"))
    });
    // In the middle of the line, too.
    terminal.types("\u{1b}[D\u{1b}[D");
    terminal.types_bytes(b"\xe9x");
    terminal.types("-\r");
    assert_eq!(peer.message().await.1, "caf\u{fffd} au la\u{fffd}x-it");
}

/// Rows of the chat are lost, or rows of the prompt are left, if one of them is counted wrongly.
#[tokio::test]
async fn a_line_of_several_rows_survives_what_arrives_wherever_the_cursor_is() {
    let (mut terminal, mut peer) = joined(false).await;
    let (mut said, mut line) = (Vec::new(), String::new());
    let pieces = ["x".repeat(54), "y".into(), "世界".repeat(20), "z".repeat(50)];
    for (round, more) in pieces.iter().enumerate() {
        terminal.types(more);
        line.push_str(more);
        if round == 3 {
            terminal.types(&"\u{1b}[D".repeat(100));
        }
        let text = format!("message {round}");
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "{text}"]]}}"#)).await;
        said.push(format!("[1970-01-01 00:00] bob: {text}"));
        terminal.sees("every message once, and the line below", |rows| {
            let first = rows.iter().position(|row| row.starts_with("ann> x")).unwrap_or(0);
            let typed = rows[first..].concat();
            let above: Vec<_> = rows[..first].iter().filter(|row| row.contains("bob: ")).collect();
            typed == format!("ann> {line}") && above == said.iter().collect::<Vec<_>>()
        });
    }
    terminal.types("!\r");
    let sent = peer.message().await.1;
    let cursor = sent.find('!').unwrap();
    assert_eq!((sent.replace('!', ""), sent[cursor + 1..].chars().count()), (line, 100));
    terminal.sees("the whole line as a message, under its beginning", |rows| {
        let own = rows.iter().position(|row| row.contains("ann: xxx"));
        own.is_some_and(|own| rows[own + 1].starts_with("    ") && rows[own + 1].contains('世'))
            && rows.last().is_some_and(|row| row == "ann>")
    });
}

/// More than the prompt shows, and more keys than are taken at once.
#[tokio::test]
async fn a_line_of_thousands_of_characters_arrives_whole() {
    let (mut terminal, mut peer) = joined(false).await;
    let line = format!("{}end", "0123456789".repeat(300));
    terminal.types(&line);
    terminal.types("\r");
    assert_eq!(peer.message().await.1, line);
    terminal.sees_last("ann>");
    // Pasted, too.
    terminal.pastes(&line);
    terminal.sees("the end of it", |rows| rows.last().is_some_and(|row| row.ends_with("end")));
    terminal.types("\r");
    assert_eq!(peer.message().await.1, line);
}

#[tokio::test]
async fn a_resize_takes_nothing_away_that_was_shown() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.resizes(24, COLUMNS);
    for number in 0..3 {
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "m{number}"]]}}"#)).await;
    }
    let line = "t".repeat(90);
    terminal.types(&line);
    let shows = |rows: &[String], said: usize| {
        let all = (0..said).all(|number| {
            rows.iter().filter(|row| row.ends_with(&format!("bob: m{number}"))).count() == 1
        });
        let typed = rows
            .iter()
            .rev()
            .take_while(|row| !row.contains("bob:"))
            .fold(String::new(), |typed, row| row.clone() + &typed);
        all && typed.ends_with(&format!("ann> {line}"))
    };
    terminal.sees("the line", |rows| shows(rows, 3));
    for (more, (rows, columns)) in (4..).zip([(24, 40), (24, 80), (30, 50), (30, 60)]) {
        terminal.resizes(rows, columns);
        let number = more - 1;
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "m{number}"]]}}"#)).await;
        terminal.sees("all of it", |rows| shows(rows, more));
    }
}

#[tokio::test]
async fn what_is_said_is_broken_at_words_and_stands_under_its_beginning() {
    let (terminal, mut peer) = joined(false).await;
    let text = "We meet at the old bridge, and whoever comes late has to swim";
    peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "{text}"]]}}"#)).await;
    let first = "[1970-01-01 00:00] bob: We meet at the old bridge, and";
    let second = format!("{}whoever comes late has to swim", " ".repeat(24));
    terminal.sees("rows", |rows| {
        rows.iter().position(|row| row == first).is_some_and(|at| rows[at + 1] == second)
    });
}

#[tokio::test]
async fn the_search_in_earlier_lines_stands_below_what_arrives() {
    let (mut terminal, mut peer) = joined(false).await;
    for line in ["see you at noon", "hello all"] {
        terminal.types(&format!("{line}\r"));
        assert_eq!(peer.message().await.1, line);
    }
    terminal.types("half\u{12}noo");
    let found = r#"(earlier line with "noo") see you at noon"#;
    terminal.sees_last(found);
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "meanwhile"]]}"#).await;
    terminal.sees("the message above the search", |rows| {
        rows.len() > 1
            && rows[rows.len() - 2].ends_with("bob: meanwhile")
            && rows[rows.len() - 1] == found
    });
    // Given up, the line is there that was half typed; taken, it can be changed and sent.
    terminal.types("\u{3}");
    terminal.sees_last("ann> half");
    terminal.types("\u{12}noo\u{5}!\r");
    assert_eq!(peer.message().await.1, "see you at noon!");
}

#[tokio::test]
async fn tab_completes_as_far_as_is_certain_and_then_lists_what_there_is() {
    let (mut terminal, mut peer) = joined(false).await;
    peer.send(r#"{"USERS_JOINED": ["bobby"]}"#).await;
    terminal.sees("who has come", |rows| rows.iter().any(|row| row == "* bobby joined"));
    terminal.types("@B\t");
    terminal.sees_last("ann> @bob");
    terminal.types("\t");
    terminal.sees("both, above the prompt", |rows| {
        rows.iter().any(|row| row == "-- @bob")
            && rows.iter().any(|row| row.starts_with("-- @bobby"))
            && rows.last().is_some_and(|row| row == "ann> @bob")
    });
    terminal.types("b\thello\r");
    assert_eq!(peer.message().await, ("bobby".to_owned(), "hello".to_owned()));
}

#[tokio::test]
async fn a_mention_rings_and_a_flood_of_them_does_not_ring_for_ever() {
    let (terminal, mut peer) = joined(false).await;
    let rings = |terminal: &Terminal| terminal.written().matches('\u{7}').count();
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "hi all"]]}"#).await;
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "ann: hi"]]}"#).await;
    terminal.sees("the mention", |rows| rows.iter().any(|row| row.ends_with("bob: ann: hi")));
    assert_eq!(rings(&terminal), 1);
    for number in 0..40 {
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ann", 1, "psst {number}"]]}}"#)).await;
    }
    terminal.sees("the last one", |rows| rows.iter().any(|row| row.ends_with("psst 39")));
    assert!((2..=10).contains(&rings(&terminal)), "{}", rings(&terminal));
}

#[tokio::test]
async fn the_bell_rings_for_what_the_user_wants_to_be_told() {
    let (mut terminal, mut peer) = joined(false).await;
    let rings = |terminal: &Terminal| terminal.written().matches('\u{7}').count();
    let says = |text: &str| format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "{text}"]]}}"#);
    let has = |rows: &[String], end: &str| rows.iter().any(|row| row.ends_with(end));
    terminal.types("/notify none\r");
    terminal.sees("what holds", |rows| has(rows, "Of the lobby you are told nothing."));
    peer.send(&says("ann: look")).await;
    terminal.sees("the mention", |rows| has(rows, "ann: look"));
    terminal.types("/notify all\r");
    terminal.sees("what holds", |rows| has(rows, "Of the lobby you are told every message."));
    assert_eq!(rings(&terminal), 0);
    peer.send(&says("to nobody")).await;
    terminal.sees_written("the bell", |written| written.contains('\u{7}'));
    terminal.types("/notify\r");
    terminal.sees("what holds", |rows| {
        rows.iter().filter(|row| row.ends_with("you are told every message.")).count() == 2
    });
}

/// Somebody has stopped the terminal (Ctrl-S): nothing can be written to it.
#[tokio::test]
async fn a_terminal_that_has_stopped_does_not_stop_the_session() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("half");
    terminal.sees_last("ann> half");
    terminal.stops(true);
    for _ in 0..20 {
        let text = "x".repeat(2000);
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "{text}"]]}}"#)).await;
    }
    // Ten times the buffer of a terminal waits, and the line is taken.
    terminal.types(" of it\r");
    assert_eq!(peer.message().await.1, "half of it");
    terminal.stops(false);
    terminal.sees_last("ann>");
}

/// Without a shell nobody could let it go on.
#[tokio::test]
async fn it_ends_with_its_terminal() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("half");
    terminal.sees_last("ann> half");
    let ended = tokio::task::spawn_blocking(move || terminal.hangs_up());
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "hi"]]}"#).await;
    assert_eq!(soon("the program's end", ended).await.unwrap(), 143);
    peer.closed().await;
}

/// A terminal that does not mark what is pasted: its rows are one message all the same.
#[tokio::test]
async fn what_is_pasted_without_marks_is_one_message() {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    for more in [&[][..], &["--plain"]] {
        let arguments = [&["localhost", "-p", &port, "-ca", &ca, "-u", "ann"], more].concat();
        let mut terminal = Terminal::sized(&arguments, (24, 80), &[("TERM", "linux")]);
        let mut peer = server.accept().await;
        peer.welcome("ann").await;
        terminal.sees_last("ann>");
        terminal.types("a line\r");
        assert_eq!(peer.message().await.1, "a line");
        terminal.types("one\rtwo\rthree\r");
        terminal.sees("the rows", |rows| rows.iter().any(|row| row.trim() == "three"));
        // No key of a person comes so soon: the time from key to key is what is looked at.
        tokio::time::sleep(Duration::from_millis(30)).await;
        terminal.types("\r");
        terminal.sees("the question", |rows| rows.iter().any(|row| row.contains("3 lines")));
        terminal.types("\r");
        assert_eq!(peer.message().await.1, "one\ntwo\nthree");
    }
}

/// The end of the paste is lost; Ctrl-C must not be.
#[tokio::test]
async fn a_paste_without_an_end_does_not_take_the_keys() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("\u{1b}[200~pasted");
    terminal.sees_last("ann> pasted");
    terminal.types(" and typed\r");
    assert_eq!(peer.message().await.1, "pasted and typed");
}

#[tokio::test]
async fn a_paste_that_is_too_long_is_refused_in_words() {
    let (mut terminal, mut peer) = joined(false).await;
    terminal.types("a line");
    terminal.pastes(&"x".repeat(300 * 1024));
    terminal.sees("why nothing of it was taken", |rows| {
        rows.iter().any(|row| row.contains("no room for it"))
    });
    terminal.types("\r");
    assert_eq!(peer.message().await.1, "a line");
}

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
    terminal.sees_last("? Choose a password:");

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
            && rows.last().is_some_and(|row| row == "? Choose a password:")
    });
    terminal.types("hush");
    terminal.types("hush\r");
    assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": "hushhush"}}"#);
    let written = terminal.screen.0.lock().unwrap().written.clone();
    assert!(!String::from_utf8_lossy(&written).contains("hush"));
}
