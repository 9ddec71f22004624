//! Questions of the server and passwords, on a terminal and through pipes: asked, answered, never shown.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]
#![allow(clippy::disallowed_methods, reason = "the test owns files")]

mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::certificate::Certificate;
use support::client::{Client, command, run};
use support::server::{Peer, Server};
use support::soon;
use support::terminal::Terminal;

const REFUSED: &str =
    r#"{"USERNAME_ACCEPTED": false, "INFO": "This name is registered.", "CODE": "registered"}"#;
const WRONG: &str = r#"{"USERNAME_ACCEPTED": false, "INFO": "Wrong.", "CODE": "wrong-password"}"#;
const PROMPT: &str = r#"{"PROMPT": {"ID": "1", "TEXT": "Choose a password:", "SECRET": true}}"#;
const CANCELLED: &str = r#"{"RESULT": {"ID": "1", "OK": false, "CODE": "cancelled", "ERROR": "No password, no account."}}"#;
const DONE: &str = r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "ann is yours.", "DATA": {"LEVEL": 1, "TOKEN": "t2"}}}"#;

async fn stage() -> (Server, Certificate, Vec<String>) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let ca = certificate.authority().display().to_string();
    let port = server.port().to_string();
    let arguments = ["localhost", "-p", &port, "-ca", &ca].map(str::to_owned).to_vec();
    (server, certificate, arguments)
}

fn with<'a>(arguments: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

/// A terminal on which ann has joined.
async fn joined() -> (Terminal, Peer) {
    let (server, _certificate, arguments) = stage().await;
    let terminal = Terminal::start(&with(&arguments, &["-u", "ann"]), false);
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    terminal.sees_last("ann>");
    (terminal, peer)
}

fn written(terminal: &Terminal) -> String {
    String::from_utf8_lossy(&terminal.screen.0.lock().unwrap().written).into_owned()
}

#[tokio::test]
async fn a_secret_is_asked_for_and_never_shown() {
    let (mut terminal, mut peer) = joined().await;
    terminal.types("/register\r");
    assert_eq!(
        peer.next().await.unwrap(),
        r#"{"COMMAND": {"ID": "1", "NAME": "register", "ARGS": []}}"#
    );
    peer.send(PROMPT).await;
    terminal.sees_last("? Choose a password:");
    terminal.types("hush");
    // Messages keep arriving, and the question stays below them.
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "meanwhile"]], "IDS": [1]}"#).await;
    terminal.sees("the message above the question", |rows| {
        rows.len() > 2
            && rows[rows.len() - 2].ends_with("bob: meanwhile")
            && rows[rows.len() - 1] == "? Choose a password:"
    });
    terminal.types("hush\r");
    assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": "hushhush"}}"#);
    peer.send(DONE).await;
    terminal.sees("the outcome above the prompt", |rows| {
        rows.iter().any(|row| row.contains("ann is yours."))
            && rows.last().is_some_and(|row| row.starts_with("ann>"))
    });
    // The arrow keys bring back the command and not the secret.
    terminal.types("\u{1b}[A");
    terminal.sees_last("ann> /register");
    let written = written(&terminal);
    assert!(written.contains("ann is yours.") && !written.contains("hush"), "{written:?}");
    assert!(!written.contains("t2"), "{written:?}");
}

#[tokio::test]
async fn a_secret_behind_a_command_is_hidden_while_it_is_typed() {
    let (mut terminal, mut peer) = joined().await;
    terminal.types("/register hush");
    terminal.sees_last("ann> /register ****");
    terminal.types("\r");
    assert!(peer.next().await.unwrap().contains(r#""ARGS": ["hush"]"#));
    peer.send(DONE).await;
    terminal.sees_last("ann>");
    terminal.types("\u{1b}[A");
    terminal.sees_last("ann> /register");
    assert!(!written(&terminal).contains("hush"));
}

#[tokio::test]
async fn ctrl_c_takes_a_question_back_and_leaves_nobody() {
    for key in ["\u{3}", "\u{4}", "\r"] {
        let (mut terminal, mut peer) = joined().await;
        terminal.types("/register\r");
        peer.next().await.unwrap();
        peer.send(PROMPT).await;
        terminal.sees_last("? Choose a password:");
        terminal.types(key);
        assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": null}}"#);
        peer.send(CANCELLED).await;
        terminal.sees("the prompt behind the result", |rows| {
            rows.len() > 1
                && rows[rows.len() - 2] == "! register: No password, no account."
                && rows[rows.len() - 1] == "ann>"
        });
    }
}

#[tokio::test]
async fn a_half_typed_line_is_there_again_after_the_question() {
    let (mut terminal, mut peer) = joined().await;
    terminal.types("/register\r");
    peer.next().await.unwrap();
    // The server takes longer to ask than the next line waits.
    terminal.sees("the prompt again", |rows| {
        rows.last().is_some_and(|row| row == "ann>")
            && rows.iter().any(|row| row == "ann> /register")
    });
    terminal.types("I am half w");
    terminal.sees_last("ann> I am half w");
    peer.send(PROMPT).await;
    // The rest of the line must not become the answer.
    terminal.sees("the question above", |rows| {
        rows.iter().any(|row| row.starts_with("? the server asks: Choose a password:"))
            && rows.last().is_some_and(|row| row == "ann> I am half w")
    });
    terminal.types("\r");
    terminal.sees_last("? Choose a password:");
    terminal.types("hush\r");
    assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": "hush"}}"#);
    peer.send(DONE).await;
    terminal.sees_last("ann> I am half w");
    terminal.types("ay\r");
    assert_eq!(peer.message_with_tags().await, "I am half way");
    assert!(!written(&terminal).contains("hush"));
}

#[tokio::test]
async fn a_registered_name_takes_its_password_on_a_terminal() {
    let (server, _certificate, arguments) = stage().await;
    let mut terminal = Terminal::start(&with(&arguments, &[]), false);
    let mut peer = server.accept().await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    assert_eq!(peer.name().await, "ann");
    peer.send(REFUSED).await;
    terminal.sees_last("password of ann:");
    terminal.types("wrong\r");
    assert!(peer.next().await.unwrap().contains(r#""PASSWORD": "wrong""#));
    peer.send(WRONG).await;
    terminal.sees("the question again", |rows| {
        rows.iter().any(|row| row.ends_with("Wrong."))
            && rows.last().is_some_and(|row| row == "password of ann:")
    });
    terminal.types("right\r");
    peer.welcome_speaking("ann").await;
    terminal.sees_last("ann>");
    let written = written(&terminal);
    assert!(!written.contains("right") && !written.contains("wrong"), "{written:?}");
}

/// The account's password was changed meanwhile: the login is of no use any more.
#[tokio::test]
async fn a_password_that_is_asked_for_on_the_way_back_is_not_shown() {
    let (server, _certificate, arguments) = stage().await;
    let mut terminal = Terminal::start(&with(&arguments, &["-u", "ann"]), false);
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    terminal.sees_last("ann>");
    peer.close().await;
    let mut peer = server.accept().await;
    assert!(peer.next().await.unwrap().contains(r#""TOKEN": "for-next-time""#));
    peer.send(r#"{"USERNAME_ACCEPTED": false, "CODE": "wrong-token"}"#).await;
    peer.next().await.unwrap();
    peer.send(REFUSED).await;
    terminal.sees_last("password of ann:");
    terminal.types("wrong\r");
    assert!(peer.next().await.unwrap().contains(r#""PASSWORD": "wrong""#));
    peer.send(WRONG).await;
    terminal.sees("the question again", |rows| {
        rows.iter().any(|row| row.ends_with("Wrong."))
            && rows.last().is_some_and(|row| row == "password of ann:")
    });
    terminal.pastes("right");
    terminal.types("\r");
    assert!(peer.next().await.unwrap().contains(r#""PASSWORD": "right""#));
    peer.send(
        r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "RESUME": "session", "RESUMED": true,
            "CAPABILITIES": "accounts/1 ids/1 ping/1", "ACCOUNT": {"LEVEL": 1, "TOKEN": "next"}}"#,
    )
    .await;
    terminal.sees_last("ann>");
    terminal.types("here again\r");
    assert_eq!(peer.message_with_tags().await, "here again");
    let written = written(&terminal);
    assert!(!written.contains("right") && !written.contains("wrong"), "{written:?}");
    assert!(!terminal.screen.0.lock().unwrap().parser.screen().hide_cursor());
}

/// Somebody may be in the middle of the password.
#[tokio::test]
async fn a_question_that_is_over_keeps_its_place_until_enter() {
    let (mut terminal, mut peer) = joined().await;
    terminal.types("a line");
    terminal.sees_last("ann> a line");
    peer.send(PROMPT).await;
    terminal.sees("the question above", |rows| {
        rows.iter().any(|row| row.starts_with("? the server asks:"))
    });
    terminal.types("\r");
    terminal.sees_last("? Choose a password:");
    terminal.types("hu");
    peer.send(CANCELLED).await;
    terminal.sees("the question below its end", |rows| {
        rows.iter().any(|row| row.contains("No password, no account"))
            && rows.last().is_some_and(|row| row == "? Choose a password:")
    });
    terminal.types("sh\r");
    terminal.sees("why nothing was sent", |rows| {
        rows.iter().any(|row| row.contains("the question is over"))
            && rows.last().is_some_and(|row| row == "ann> a line")
    });
    terminal.types(" more\r");
    assert_eq!(peer.message_with_tags().await, "a line more");
    assert!(!written(&terminal).contains("hush"));
    assert!(!terminal.screen.0.lock().unwrap().parser.screen().hide_cursor());
}

/// It is the answer to what the command asks: it must not be seen as a line of chat until then.
#[tokio::test]
async fn a_secret_that_is_typed_ahead_of_its_question_is_neither_shown_nor_said() {
    let (mut terminal, mut peer) = joined().await;
    terminal.types("/register\rhush\r");
    peer.next().await.unwrap();
    peer.send(PROMPT).await;
    assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": "hush"}}"#);
    peer.send(DONE).await;
    terminal.sees_last("ann>");
    assert!(!written(&terminal).contains("hush"));
}

#[tokio::test]
async fn the_next_line_of_a_pipe_answers_and_is_said_to_nobody() {
    let (server, _certificate, arguments) = stage().await;
    let serving = async {
        let mut peer = server.accept().await;
        peer.welcome_speaking("ann").await;
        assert!(peer.next().await.unwrap().contains(r#""NAME": "register""#));
        peer.send(PROMPT).await;
        assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": "hush"}}"#);
        peer.send(DONE).await;
        assert_eq!(peer.message_with_tags().await, "hello");
        peer.send(r#"{"ACKS": {"1": 18}}"#).await;
        peer.closed().await;
    };
    let arguments = with(&arguments, &[]);
    let (end, ()) = tokio::join!(run(&arguments, "ann\n/register\nhush\nhello\n"), serving);
    assert_eq!((end.code, end.err.as_str()), (Some(0), ""));
    assert!(!end.out.contains("hush") && end.out.contains("* ann is yours."), "{}", end.out);
}

#[tokio::test]
async fn a_pipe_sends_nothing_more_when_its_answer_was_not_asked_for() {
    let (server, _certificate, arguments) = stage().await;
    let serving = async {
        let mut peer = server.accept().await;
        peer.welcome_speaking("ann").await;
        peer.next().await.unwrap();
        peer.send(CANCELLED).await;
        assert_eq!(peer.next().await, None, "the password was said to everybody");
    };
    let arguments = with(&arguments, &[]);
    let (end, ()) = tokio::join!(run(&arguments, "ann\n/register\nhush\n"), serving);
    assert_eq!(end.code, Some(65), "{}", end.err);
    assert!(end.err.contains("nothing behind line 2 of the input was sent"), "{}", end.err);
}

/// A text may begin with a slash by accident; it is found by its line.
#[tokio::test]
async fn the_line_that_stopped_a_pipe_is_named() {
    let said = "one\n/tmp is full\ntwo\n";
    for (flags, input, line) in [
        (&["-u", "ann"][..], said.to_owned(), 2),
        (&["--password-stdin"], format!("hush\nann\n{said}"), 4),
    ] {
        let (server, _certificate, arguments) = stage().await;
        let serving = async {
            let mut peer = server.accept().await;
            peer.welcome_speaking("ann").await;
            assert_eq!(peer.message_with_tags().await, "one");
            peer.send(r#"{"ACKS": {"1": 1}}"#).await;
            assert_eq!(peer.next().await, None);
        };
        let arguments = with(&arguments, flags);
        let (end, ()) = tokio::join!(run(&arguments, &input), serving);
        assert_eq!(end.code, Some(65), "{}", end.err);
        assert!(
            end.err.contains(&format!("nothing behind line {line} of the input was sent")),
            "{}",
            end.err
        );
    }
}

#[tokio::test]
async fn a_pipe_waits_for_what_is_not_confirmed() {
    let (server, _certificate, arguments) = stage().await;
    let mut client = Client::start(&with(&arguments, &["-u", "ann"]));
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    client.types("hello").await;
    client.close_stdin();
    assert_eq!(peer.message_with_tags().await, "hello");
    // Longer than a session with an unconfirming server would wait.
    let early = tokio::time::timeout(std::time::Duration::from_millis(1500), peer.next()).await;
    assert!(early.is_err(), "it left");
    peer.send(r#"{"ACKS": {"1": 18}}"#).await;
    peer.closed().await;
    assert_eq!(client.finish().await.code, Some(0));
}

#[tokio::test]
async fn a_password_comes_from_a_file_or_the_input_and_never_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "from the file\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = file.display().to_string();
    for (flags, input, password) in [
        (vec!["-u", "ann", "--password-file", &path], "", "from the file"),
        (vec!["--password-stdin"], "from the input\nann\n", "from the input"),
    ] {
        let (server, _certificate, arguments) = stage().await;
        let serving = async {
            let mut peer = server.accept().await;
            let asked = peer.next().await.unwrap();
            assert!(asked.contains(&format!("\"PASSWORD\": \"{password}\"")), "{asked}");
            peer.send(WRONG).await;
            peer.closed().await;
        };
        let arguments = with(&arguments, &flags);
        let (end, ()) = tokio::join!(run(&arguments, input), serving);
        assert_eq!(end.code, Some(77), "{}", end.err);
        assert!(end.err.contains("did not accept the password"), "{}", end.err);
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let end = run(&["localhost", "--password-file", &path], "").await;
    assert_eq!(end.code, Some(66));
    assert!(end.err.contains("hint: chmod 600 "), "{}", end.err);
}

#[tokio::test]
async fn a_login_is_kept_only_when_that_is_wanted_and_only_for_its_owner() {
    let home = tempfile::tempdir().unwrap();
    let (server, _certificate, arguments) = stage().await;
    let mut asked = Vec::new();
    for flags in [&["-u", "ann"][..], &["-u", "ann", "--remember"], &["-u", "ann", "--remember"]] {
        let mut program = command(&with(&arguments, flags));
        program.env("XDG_STATE_HOME", home.path());
        let mut child = program.spawn().unwrap();
        drop(child.stdin.take());
        let mut peer = server.accept().await;
        let frame = peer.next().await.unwrap();
        asked.push(frame.contains(r#""TOKEN": "for-next-time""#));
        peer.send(
            r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [], "CAPABILITIES": "accounts/1", "ACCOUNT": {"LEVEL": 1, "TOKEN": "for-next-time"}}"#,
        )
        .await;
        peer.closed().await;
        let end = soon("the end", child.wait_with_output()).await.unwrap();
        assert_eq!(end.status.code(), Some(0));
        assert!(!String::from_utf8_lossy(&[end.stdout, end.stderr].concat()).contains("next-time"));
        let kept = home.path().join("chatterbox/logins.json");
        assert_eq!(kept.exists(), flags.contains(&"--remember"));
        if kept.exists() {
            assert_eq!(std::fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    assert_eq!(asked, [false, false, true]);
}

#[tokio::test]
async fn a_pasted_password_ends_before_its_line_end() {
    let (mut terminal, mut peer) = joined().await;
    terminal.types("/register\r");
    peer.next().await.unwrap();
    peer.send(PROMPT).await;
    terminal.sees_last("? Choose a password:");
    terminal.pastes("correct horse\n");
    // Each redraw clears as many rows as the editor has drawn, and none of the chat.
    for (id, text) in (1..).zip(["one", "two", "three"]) {
        peer.send(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1, "{text}"]], "IDS": [{id}]}}"#))
            .await;
    }
    terminal.sees("all that was said above the question", |rows| {
        let said: Vec<_> = rows.iter().filter_map(|row| Some(row.split_once("bob: ")?.1)).collect();
        said == ["one", "two", "three"]
            && rows.last().is_some_and(|row| row == "? Choose a password:")
    });
    terminal.types("\r");
    assert_eq!(peer.next().await.unwrap(), r#"{"ANSWER": {"ID": "1", "TEXT": "correct horse"}}"#);
    peer.send(DONE).await;
    // A command and its secret that are pasted together are not said to everybody.
    terminal.sees_last("ann>");
    terminal.pastes("hello\n/register\nhush\n");
    terminal.types("\r\r");
    terminal.sees("why not", |rows| {
        rows.iter().any(|row| row.contains("a command with a secret is a line"))
    });
    terminal.types("and now\r");
    assert_eq!(peer.message_with_tags().await, "and now");
}

/// Otherwise what was said before a mistake is lost with it.
#[tokio::test]
async fn a_pipe_that_ends_on_an_unknown_command_sends_the_line_before_it() {
    for (last, code) in [("/regster", 65), ("/quit", 0), ("@zoe", 1)] {
        let (server, _certificate, arguments) = stage().await;
        let serving = async {
            let mut peer = server.accept().await;
            peer.welcome_speaking("ann").await;
            assert_eq!(peer.message_with_tags().await, "the build is done");
            peer.send(r#"{"ACKS": {"1": 1}}"#).await;
            // Nothing behind it is sent.
            assert_eq!(peer.next().await, None);
        };
        let arguments = with(&arguments, &["-u", "ann"]);
        let input = format!("the build is done\n{last}\n");
        let input = if last == "/quit" { input + "no more\n" } else { input };
        let (end, ()) = tokio::join!(run(&arguments, &input), serving);
        assert_eq!(end.code, Some(code), "{last}: {}", end.err);
        assert_eq!(end.err.is_empty(), code == 0, "{}", end.err);
    }
}

#[tokio::test]
async fn a_pipe_whose_last_message_is_refused_says_so_by_its_exit_code() {
    for end_of_input in ["", "/quit\n"] {
        let (server, _certificate, arguments) = stage().await;
        let serving = async {
            let mut peer = server.accept().await;
            peer.welcome_speaking("ann").await;
            assert_eq!(peer.message_with_tags().await, "hi");
            peer.send(r#"{"ERROR": "no zoe", "REFUSED": {"1": {"CODE": "no-such-user", "ERROR": "no zoe"}}}"#).await;
            assert_eq!(peer.next().await, None);
        };
        let arguments = with(&arguments, &["-u", "ann"]);
        let input = format!("@zoe hi\n{end_of_input}");
        let (end, ()) = tokio::join!(run(&arguments, &input), serving);
        assert_eq!(end.code, Some(1), "{}", end.err);
        assert!(end.out.contains("! server: no zoe"), "{}", end.out);
    }
}
