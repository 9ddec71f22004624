//! The exit code says whether everything that was to be said has arrived, however the session ends.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod support;

use support::client::{Client, Finished, run};
use support::server::{Peer, Server};
use support::terminal::Terminal;

/// The session goes on over another connection.
const RESUMED: &str = r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "RESUMED": true, "RESUME": "again",
    "CAPABILITIES": "accounts/1 commands/1 ids/1 ping/1", "ACCOUNT": {"LEVEL": 1}}"#;

const REFUSED: &str =
    r#"{"ERROR": "no zoe (DE-2)", "REFUSED": {"1": {"CODE": "no-such-user", "ERROR": "no zoe"}}}"#;

/// What a script ends with: its lines, further options, and what the server does once it has welcomed ann.
async fn script(
    more: &[&str],
    input: &str,
    speaking: bool,
    serve: impl AsyncFnOnce(Peer, Server),
) -> Finished {
    let server = Server::plaintext().await;
    let port = server.port().to_string();
    let arguments = ["localhost", "-p", &port, "--plaintext", "-u", "ann"];
    let arguments: Vec<_> = arguments.iter().chain(more).copied().collect();
    let serving = async {
        let mut peer = server.accept().await;
        if speaking {
            peer.welcome_speaking("ann").await;
        } else {
            peer.welcome("ann").await;
        }
        serve(peer, server).await;
    };
    let (end, ()) = tokio::join!(run(&arguments, input), serving);
    end
}

#[tokio::test]
async fn a_refusal_is_told_in_every_form() {
    for more in [&[][..], &["--json"]] {
        for input in ["@zoe hi\n", "@zoe hi", "@zoe hi\n/quit\n"] {
            let end = script(more, input, true, async |mut peer: Peer, _| {
                assert_eq!(peer.message_with_tags().await, "hi");
                peer.send(REFUSED).await;
                peer.closed().await;
            })
            .await;
            assert_eq!(end.code, Some(1), "{more:?} {input:?}: {}", end.err);
            let told = "chatterbox-client: a line of the input was not sent, or was refused\n";
            assert!(end.err.ends_with(told), "{}", end.err);
            assert_eq!(end.out.contains("(DE-2)"), !more.is_empty(), "{}", end.out);
        }
    }
}

#[tokio::test]
async fn what_is_stored_is_success() {
    let end = script(&[], "hi\n", true, async |mut peer: Peer, _| {
        assert_eq!(peer.message_with_tags().await, "hi");
        peer.send(r#"{"ACKS": {"1": 7}}"#).await;
        peer.closed().await;
    })
    .await;
    assert_eq!(end.code, Some(0), "{}", end.err);
}

/// A server of the base protocol says no more than an ERROR, and that behind the end of the input.
#[tokio::test]
async fn a_late_error_of_a_base_server_is_a_refusal() {
    let end = script(&[], "hello\n@zoe hi\n", false, async |mut peer: Peer, _| {
        assert_eq!(peer.message().await.1, "hello");
        peer.send(r#"{"MESSAGES": [["ann", "ALL", 1, "hello"]]}"#).await;
        assert_eq!(peer.message().await.1, "hi");
        peer.send(r#"{"ERROR": "nobody by that name is here"}"#).await;
        peer.closed().await;
    })
    .await;
    assert_eq!(end.code, Some(1), "{}", end.err);
}

/// It may have gone before it has read the last line.
#[tokio::test]
async fn a_base_server_that_closes_before_the_last_line_came_back_is_no_success() {
    for (echoes, code) in [(true, 0), (false, 69)] {
        let end = script(&[], "hello\n", false, async |mut peer: Peer, _| {
            assert_eq!(peer.message().await.1, "hello");
            if echoes {
                peer.send(r#"{"MESSAGES": [["ann", "ALL", 1, "hello"]]}"#).await;
                peer.closed().await;
            }
            peer.close().await;
        })
        .await;
        assert_eq!(end.code, Some(code), "{echoes}: {}", end.err);
    }
}

/// The message is kept, and there is no way back.
#[tokio::test]
async fn what_waits_for_a_connection_that_never_comes_is_no_success() {
    let more = ["--reconnect-for", "1"];
    let end = script(&more, "hi\n/quit\n", true, async |mut peer: Peer, server| {
        assert_eq!(peer.message_with_tags().await, "hi");
        drop(server);
        peer.close().await;
    })
    .await;
    assert_eq!(end.code, Some(69));
    assert!(end.err.contains("1 message may not have arrived"), "{}", end.err);
}

/// What is refused only on the next connection.
#[tokio::test]
async fn a_message_that_is_refused_after_the_connection_was_lost_is_told() {
    let end = script(&[], "@zoe hi\n", true, async |mut peer: Peer, server| {
        assert_eq!(peer.message_with_tags().await, "hi");
        peer.close().await;
        let mut peer = server.accept().await;
        peer.next().await.unwrap();
        peer.send(RESUMED).await;
        assert_eq!(peer.message_with_tags().await, "hi");
        peer.send(REFUSED).await;
        peer.closed().await;
    })
    .await;
    assert_eq!(end.code, Some(1), "{}", end.err);
}

/// What a command has done is not known.
#[tokio::test]
async fn a_command_whose_answer_was_lost_is_told() {
    let end = script(&[], "/register a-secret\n", true, async |mut peer: Peer, server| {
        assert!(peer.next().await.unwrap().contains("register"));
        peer.close().await;
        let mut peer = server.accept().await;
        peer.next().await.unwrap();
        peer.send(RESUMED).await;
        peer.closed().await;
    })
    .await;
    assert_eq!(end.code, Some(1), "{}", end.err);
}

/// Lines that this program itself does not send.
#[tokio::test]
async fn what_is_not_sent_is_told() {
    let long = "x".repeat(9 << 20);
    for line in ["@bob", "/nonsense", "/name cyd", &long] {
        for more in [&[][..], &["--json"]] {
            let input = format!("{line}\nbehind\n");
            let end = script(more, &input, false, async |mut peer: Peer, _| {
                assert_eq!(peer.message().await.1, "behind");
                peer.send(r#"{"MESSAGES": [["ann", "ALL", 1, "behind"]]}"#).await;
                peer.closed().await;
            })
            .await;
            let line = line.get(..9).unwrap_or(line);
            assert_eq!(end.code, Some(1), "{line}: {}", end.err);
        }
    }
}

/// `/quit` while the answer is on its way.
#[tokio::test]
async fn who_quits_through_a_pipe_waits_for_the_answers() {
    let server = Server::plaintext().await;
    let port = server.port().to_string();
    let mut client = Client::start(&["localhost", "-p", &port, "--plaintext", "-u", "ann"]);
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    client.types("@zoe hi").await;
    client.types("/quit").await;
    assert_eq!(peer.message_with_tags().await, "hi");
    peer.send(REFUSED).await;
    peer.closed().await;
    assert_eq!(client.finish().await.code, Some(1));
}

/// A person in front of a terminal, and a server that answers what is said last with this.
async fn person(answer: Option<&str>) -> (u32, String) {
    let server = Server::plaintext().await;
    let port = server.port().to_string();
    let arguments = ["localhost", "-p", &port, "--plaintext", "-u", "ann"];
    let mut terminal = Terminal::start(&arguments, false);
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    terminal.sees_last("ann>");
    terminal.types("@zoe hi\r/quit\r");
    assert_eq!(peer.message_with_tags().await, "hi");
    if let Some(answer) = answer {
        peer.send(answer).await;
    }
    peer.closed().await;
    terminal.ends()
}

#[tokio::test]
async fn a_person_who_leaves_is_told_what_may_not_have_arrived() {
    let (code, screen) = person(Some(r#"{"ACKS": {"1": 7}}"#)).await;
    assert_eq!(code, 0, "{screen}");
    // Who was told of a refusal has seen it.
    let (code, screen) = person(Some(REFUSED)).await;
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("! server: no zoe\n"), "{screen}");
    let (code, screen) = person(None).await;
    assert_eq!(code, 1, "{screen}");
    assert!(screen.ends_with("chatterbox-client: 1 message may not have arrived"), "{screen}");
}

/// A line that is typed while the connection is lost waits for the next one.
#[tokio::test]
async fn a_person_who_leaves_while_the_connection_is_lost_is_told_what_was_not_sent() {
    let server = Server::plaintext().await;
    let port = server.port().to_string();
    let arguments = ["localhost", "-p", &port, "--plaintext", "-u", "ann"];
    let mut terminal = Terminal::start(&arguments, false);
    let mut peer = server.accept().await;
    peer.welcome_speaking("ann").await;
    terminal.sees_last("ann>");
    drop(server);
    peer.close().await;
    terminal.sees("the loss", |rows| rows.iter().any(|row| row.contains("trying again")));
    terminal.types("one\rtwo\r");
    terminal.sees("what waits", |rows| rows.concat().contains("(2 messages are kept)"));
    terminal.types("/quit\r");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.ends_with("chatterbox-client: 2 messages may not have arrived"), "{screen}");
}
