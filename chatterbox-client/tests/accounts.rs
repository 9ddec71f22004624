//! The program and the server of this project: registering, joining with a password, commands, renames, pages.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]

mod support;

use support::client::{Client, run};
use support::real::Real;
use support::terminal::Terminal;

const PASSWORD: &str = "correct horse battery";

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

async fn piped(server: &Real, more: &[&str], input: &str) -> support::client::Finished {
    run(&borrowed(&server.arguments(server.port, more)), input).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_registered_and_then_takes_its_password_through_pipes() {
    let server = Real::start().await;
    let input = format!("ann\n/register\n{PASSWORD}\n{PASSWORD}\n/perm\nhello\n");
    let end = piped(&server, &[], &input).await;
    assert_eq!((end.code, end.err.as_str()), (Some(0), ""), "{}", end.out);
    assert!(!end.out.contains(PASSWORD), "{}", end.out);
    for part in ["? the server asks: ", "* ann is your name now", "] ann: hello"] {
        assert!(end.out.contains(part), "{part} in {}", end.out);
    }

    // Nobody else gets it, and a wrong password is told.
    let end = piped(&server, &["-u", "ann"], "").await;
    assert_eq!(end.code, Some(77), "{}", end.err);
    assert!(end.err.contains("--password-file"), "{}", end.err);
    let end = piped(&server, &["-u", "ann", "--base"], "").await;
    assert_eq!(end.code, Some(77), "{}", end.err);
    let end = piped(&server, &["-u", "ann", "--password-stdin"], "wrong password\n").await;
    assert_eq!(end.code, Some(77), "{}", end.err);
    assert!(end.err.contains("did not accept the password"), "{}", end.err);

    let input = format!("{PASSWORD}\n/perm\n");
    let end = piped(&server, &["-u", "ann", "--password-stdin", "--json"], &input).await;
    assert_eq!(end.code, Some(0), "{}", end.err);
    assert!(end.out.contains(r#""event": "welcome", "name": "ann""#), "{}", end.out);
    assert!(end.out.contains(r#""command": "perm", "ok": true"#), "{}", end.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_is_no_matter_of_the_name() {
    let config = chatterbox_server::Config { max_per_address: 1, ..Default::default() };
    let server = Real::with(config).await;
    let mut holder =
        Client::start(&borrowed(&server.arguments(server.port, &["--json", "-u", "ann"])));
    assert!(holder.joins().await);
    for (flags, input) in [(&["-u", "bob"][..], "hello\n"), (&[], "bob\nhello\n")] {
        let end = piped(&server, flags, input).await;
        assert_eq!(end.code, Some(69), "{}", end.err);
        assert!(end.err.ends_with("hint: try again later\n"), "{}", end.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_guest_may_not_do_is_refused_and_told() {
    let server = Real::start().await;
    // The catalogue does not have it, so it is not sent, and neither is the next line, which may be a secret.
    for (line, told) in
        [("/shutdown 5", "There is no command /shutdown."), ("/regster", "Did you mean /register?")]
    {
        let end = piped(&server, &["-u", "gus"], &format!("{line}\nnext line\n")).await;
        assert_eq!(end.code, Some(65), "{}", end.err);
        assert!(end.err.contains(told), "{}", end.err);
        assert!(!end.out.contains("next line"), "{}", end.out);
    }
    // A wrong argument is judged by the server.
    let end = piped(&server, &["-u", "gus"], "/command-history 0\n").await;
    assert_eq!(end.code, Some(1), "{}", end.err);
    assert!(end.out.contains("! command-history: "), "{}", end.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_change_what_others_see() {
    let server = Real::start().await;
    let register = format!("/register\n{PASSWORD}\n{PASSWORD}\n");
    assert_eq!(piped(&server, &["-u", "ann"], &register).await.code, Some(0));
    assert_eq!(piped(&server, &["-u", "eve"], &register).await.code, Some(0));

    let of = |name: &str| server.arguments(server.port, &["-u", name, "--password-stdin"]);
    let mut eve = Client::start(&borrowed(&of("eve")));
    eve.types(PASSWORD).await;
    while !eve.line().await.starts_with("* here: ") {}
    let input = format!(
        "{PASSWORD}\nbefore\n/nick anna\nafter\n/block eve\n@eve can you hear me\n/blocked\n"
    );
    let end = run(&borrowed(&of("ann")), &input).await;
    let told = "chatterbox-client: a line of the input was not sent, or was refused\n";
    assert_eq!((end.code, end.err.as_str()), (Some(1), told), "blocked: {}", end.out);
    for part in ["* you are anna", "] anna: after", "eve"] {
        assert!(end.out.contains(part), "{part} in {}", end.out);
    }
    assert!(end.out.lines().any(|line| line.starts_with("! server: ")), "blocked: {}", end.out);
    let mut seen = Vec::new();
    while seen.last().is_none_or(|line: &String| !line.ends_with(" left")) {
        seen.push(eve.line().await);
    }
    for line in
        ["* ann joined", "ann: before", "* ann is now called anna", "anna: after", "* anna left"]
    {
        assert!(seen.iter().any(|seen| seen == line), "{line} in {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_comes_page_by_page() {
    let server = Real::start().await;
    let said: String = (0..25).map(|number| format!("message {number}\n")).collect();
    assert_eq!(piped(&server, &["-u", "ann"], &said).await.code, Some(0));
    let end =
        piped(&server, &["-u", "bob"], "/history 10\n/history 10\n/history 10\n/history\n").await;
    assert_eq!(end.code, Some(0), "{}", end.err);
    let (_, pages) = end.out.split_once("* here: ").unwrap();
    let numbers: Vec<usize> =
        pages.lines().filter_map(|line| line.rsplit_once("message ")?.1.parse().ok()).collect();
    let expected: Vec<_> = (15..25).chain(5..15).chain(0..5).collect();
    assert_eq!(numbers, expected);
    assert!(pages.contains("* history: 5 messages; that was the beginning"), "{pages}");
    assert!(end.err.contains("There is nothing before that."), "{}", end.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_registers_and_comes_back() {
    let server = Real::start().await;
    let arguments = server.arguments(server.port, &["-u", "ann"]);
    let mut terminal = Terminal::start(&borrowed(&arguments), false);
    terminal.sees_last("ann>");
    terminal.types("/register\r");
    terminal.sees("the question", |rows| {
        rows.last().is_some_and(|row| row.starts_with("? Choose a password"))
    });
    terminal.types(&format!("{PASSWORD}\r"));
    terminal.sees("the question again", |rows| {
        rows.last().is_some_and(|row| row.starts_with("? Once more"))
    });
    terminal.types(&format!("{PASSWORD}\r"));
    terminal.sees("the result", |rows| {
        rows.iter().any(|row| row.starts_with("* ann is your name now"))
            && rows.last().is_some_and(|row| row == "ann>")
    });
    terminal.types("/nick anna\r");
    terminal.sees_last("anna>");
    terminal.types("/users\r");
    terminal.sees("who is here", |rows| rows.iter().any(|row| row == "* here: anna"));
    let written = String::from_utf8_lossy(&terminal.screen.0.lock().unwrap().written).into_owned();
    assert!(!written.contains("battery"), "{written}");
    terminal.types("/quit\r");
    assert_eq!(terminal.ends().0, 0);

    let mut terminal = Terminal::start(&borrowed(&arguments), false);
    terminal.sees_last("password of ann:");
    terminal.types("a wrong password\r");
    terminal.sees("a refusal", |rows| {
        rows.iter().any(|row| row.contains("wrong"))
            && rows.last().is_some_and(|row| row == "password of ann:")
    });
    terminal.types(&format!("{PASSWORD}\r"));
    terminal.sees_last("ann>");
    terminal.types("/logout\r");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
}
