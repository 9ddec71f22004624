//! The program through pipes, against a server that does what the test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may be blunt")]

mod support;

use std::process::Stdio;

use support::certificate::Certificate;
use support::client::{Client, command, run};
use support::server::Server;
use support::soon;

/// A server with TLS and the arguments that reach it.
async fn stage() -> (Server, Certificate, Vec<String>) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let arguments = vec![
        "localhost".to_owned(),
        "-p".to_owned(),
        server.port().to_string(),
        "-ca".to_owned(),
        certificate.authority().display().to_string(),
    ];
    (server, certificate, arguments)
}

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn a_whole_session() {
    let (server, _certificate, arguments) = stage().await;
    let mut client = Client::start(&borrowed(&arguments));
    client.types("bob").await;
    let mut peer = server.accept().await;
    assert_eq!(peer.name().await, "bob");
    peer.send(r#"{"USERNAME_ACCEPTED": false, "INFO": "This name is already in use."}"#).await;
    assert_eq!(
        client.line().await,
        "! the server refused the name bob: This name is already in use."
    );

    client.types("ann").await;
    assert_eq!(peer.name().await, "ann");
    peer.send(
        r#"{"USERNAME_ACCEPTED": true, "INFO": "Welcome!", "USER_LIST": ["bob", "ann"],
            "MESSAGES": [["bob", "ALL", 1600000000, "anybody here?"]]}"#,
    )
    .await;
    for line in ["bob: anybody here?", "* you are ann", "* server: Welcome!", "* here: bob, ann"] {
        assert_eq!(client.line().await, line);
    }

    // Nothing is typed, and still things are shown.
    peer.send(r#"{"USERS_JOINED": ["cyd"], "MESSAGES": [["cyd", "ALL", 1, "hi"]]}"#).await;
    assert_eq!(
        (client.line().await, client.line().await),
        ("* cyd joined".into(), "cyd: hi".into())
    );
    peer.send(r#"{"MESSAGES": [["bob", "ann", 1, "psst"]], "USERS_LEFT": ["cyd"]}"#).await;
    assert_eq!(
        (client.line().await, client.line().await),
        ("bob -> ann: psst".into(), "* cyd left".into())
    );

    client.types("hello").await;
    assert_eq!(peer.message().await, ("ALL".into(), "hello".into()));
    assert_eq!(client.line().await, "ann: hello");
    peer.send(r#"{"MESSAGES": [["ann", "ALL", 1, "hello"]]}"#).await;
    client.types("@bob psst").await;
    assert_eq!(peer.message().await, ("bob".into(), "psst".into()));
    assert_eq!(client.line().await, "ann -> bob: psst", "the echo before was not shown");
    peer.send(r#"{"ERROR": "nobody by that name is here"}"#).await;
    assert_eq!(client.line().await, "! server: nobody by that name is here");

    client.types("/quit").await;
    peer.closed().await;
    let end = client.finish().await;
    let told = "chatterbox-client: a line of the input was not sent, or was refused\n";
    assert_eq!((end.code, end.out.as_str(), end.err.as_str()), (Some(1), "", told));
}

#[tokio::test]
async fn bytes_one_by_one_and_frames_in_one_piece_are_the_same() {
    let (server, _certificate, arguments) = stage().await;
    let mut client = Client::start(&borrowed(&arguments));
    client.types("ann").await;
    let mut peer = server.accept().await;
    peer.next().await.unwrap();
    peer.dribble(r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#).await;
    assert_eq!(
        (client.line().await, client.line().await),
        ("* you are ann".into(), "* here: nobody else".into())
    );
    peer.dribble(r#"{"MESSAGES": [["bob", "ALL", 1, "slow"]]}"#).await;
    assert_eq!(client.line().await, "bob: slow");
    peer.glued(&[
        r#"{"MESSAGES": [["bob", "ALL", 1, "one"], ["bob", "ALL", 1, "two"]]}"#,
        r#"{"USERS_JOINED": ["cyd"]}"#,
        r#"{"MESSAGES": [["bob", "ALL", 1, "three"]]}"#,
    ])
    .await;
    for line in ["bob: one", "bob: two", "* cyd joined", "bob: three"] {
        assert_eq!(client.line().await, line);
    }
}

#[tokio::test]
async fn a_server_that_deviates_is_understood_and_with_strict_reported() {
    let (server, _certificate, mut arguments) = stage().await;
    arguments.push("--strict".to_owned());
    let mut client = Client::start(&borrowed(&arguments));
    client.types("ann").await;
    let mut peer = server.accept().await;
    peer.next().await.unwrap();
    peer.send(r#"{"USERNAME_ACCEPTED": "true", "USER_LIST": [{"name": "bob"}], "MESSAGES": []}"#)
        .await;
    assert_eq!(
        (client.line().await, client.line().await),
        ("* you are ann".into(), "* here: bob".into())
    );
    peer.send(r#"{"USERS_JOINED": "cyd"}"#).await;
    peer.send("garbage").await;
    peer.send(r#""no such thing""#).await;
    assert_eq!(
        (client.line().await, client.line().await),
        ("* cyd joined".into(), "! server: no such thing".into())
    );
    client.types("/quit").await;
    let end = client.finish().await;
    assert_eq!(end.code, Some(0));
    for part in
        ["USERNAME_ACCEPTED", "USER_LIST", "USERS_JOINED", "a bare string", "not valid JSON"]
    {
        assert!(end.err.contains(part), "{part} in {}", end.err);
    }
    // The clauses are for programs: `--json` has them.
    assert!(!end.err.contains("(AC-1)"), "{}", end.err);
}

#[tokio::test]
async fn a_closing_server_ends_it_and_is_told() {
    let (server, _certificate, arguments) = stage().await;
    let mut client = Client::start(&borrowed(&arguments));
    client.types("ann").await;
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    peer.send(r#"{"MESSAGES": [["SERVER", "ALL", 1, "good bye"]]}"#).await;
    peer.close().await;
    let end = client.finish().await;
    assert_eq!(end.code, Some(69));
    assert!(end.out.ends_with("SERVER: good bye\n"), "{}", end.out);
    assert_eq!(end.err, "chatterbox-client: the server closed the connection\n");
}

#[tokio::test]
async fn a_server_that_breaks_off_inside_a_frame_is_told() {
    let (server, _certificate, arguments) = stage().await;
    let mut client = Client::start(&borrowed(&arguments));
    client.types("ann").await;
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    peer.bytes(b"\0\0\0\x10{\"MESS").await;
    drop(peer);
    let end = client.finish().await;
    assert_eq!(end.code, Some(69));
    assert!(end.err.contains("in the middle of a frame"), "{}", end.err);
}

#[tokio::test]
async fn an_absurd_length_is_a_protocol_error() {
    let (server, _certificate, arguments) = stage().await;
    let mut client = Client::start(&borrowed(&arguments));
    client.types("ann").await;
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    peer.bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    peer.bytes(b"\xff\xff\xff\xff").await;
    let end = client.finish().await;
    assert_eq!(end.code, Some(76));
    assert!(end.err.contains("hint: perhaps this is no server of this protocol"), "{}", end.err);
}

#[tokio::test]
async fn everything_typed_before_the_end_of_the_input_is_sent() {
    let (server, _certificate, arguments) = stage().await;
    let serving = async {
        let mut peer = server.accept().await;
        peer.welcome("ann").await;
        for number in 0..500 {
            assert_eq!(peer.message().await, ("ALL".into(), format!("line {number}")));
        }
        // What is already on its way is still shown, and the echo of the last message is the end of waiting.
        peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "late"], ["ann", "ALL", 1, "line 499"]]}"#)
            .await;
        peer.closed().await;
    };
    let lines: String = (0..500).map(|number| format!("line {number}\n")).collect();
    let input = format!("ann\n{lines}");
    let arguments = borrowed(&arguments);
    let (end, ()) = tokio::join!(run(&arguments, &input), serving);
    assert_eq!((end.code, end.err.as_str()), (Some(0), ""));
    assert_eq!(end.out.lines().filter(|line| line.contains("] ann: line ")).count(), 500);
    assert!(end.out.ends_with("bob: late\n"), "{}", end.out);
}

#[tokio::test]
async fn without_an_echo_it_leaves_by_itself() {
    let (server, _certificate, arguments) = stage().await;
    let serving = async {
        let mut peer = server.accept().await;
        peer.welcome("ann").await;
        assert_eq!(peer.message().await.1, "hello");
        peer.closed().await;
    };
    let arguments = borrowed(&arguments);
    let (end, ()) = tokio::join!(run(&arguments, "ann\nhello"), serving);
    assert_eq!((end.code, end.err.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn an_input_without_an_accepted_name_is_told() {
    let (server, _certificate, arguments) = stage().await;
    let refusing = async {
        let mut peer = server.accept().await;
        while peer.next().await.is_some() {
            peer.send(r#"{"USERNAME_ACCEPTED": false, "INFO": "no"}"#).await;
        }
    };
    let arguments = borrowed(&arguments);
    let (end, ()) = tokio::join!(run(&arguments, "ann\nbob\n"), refusing);
    assert_eq!(end.code, Some(77));
    assert_eq!(
        end.out,
        "! the server refused the name ann: no\n! the server refused the name bob: no\n"
    );
    assert!(end.err.contains("hint: "), "{}", end.err);

    let idle = async { server.accept().await.closed().await };
    let (end, ()) = tokio::join!(run(&arguments, ""), idle);
    assert_eq!(end.code, Some(77));
}

#[tokio::test]
async fn a_server_without_a_place_is_told_as_that_and_no_other_name_is_asked_for() {
    for (flags, input) in
        [(&["-u", "ann"][..], "hello\n"), (&["-u", "ann"], ""), (&[], "ann\nhello\n")]
    {
        for named in [false, true] {
            let (server, _certificate, arguments) = stage().await;
            let arguments: Vec<_> =
                borrowed(&arguments).into_iter().chain(flags.iter().copied()).collect();
            let serving = async {
                let mut peer = server.accept().await;
                if named {
                    assert_eq!(peer.name().await, "ann");
                }
                peer.send(r#"{"ERROR": "the server has no place for another connection, try again later (IV-1)"}"#).await;
                peer.close().await;
            };
            let (end, ()) = tokio::join!(run(&arguments, input), serving);
            assert_eq!(end.code, Some(69), "{}", end.err);
            assert!(
                end.err.ends_with("turned this connection away\nhint: try again later\n"),
                "{}",
                end.err
            );
        }
    }
}

#[tokio::test]
async fn a_message_never_becomes_a_name() {
    let (server, _certificate, mut arguments) = stage().await;
    arguments.extend(["--username".to_owned(), "bob".to_owned()]);
    let refusing = async {
        let mut peer = server.accept().await;
        assert_eq!(peer.name().await, "bob");
        peer.send(r#"{"USERNAME_ACCEPTED": false}"#).await;
        assert_eq!(peer.next().await, None);
    };
    let arguments = borrowed(&arguments);
    let (end, ()) = tokio::join!(run(&arguments, "a secret\n"), refusing);
    assert_eq!(end.code, Some(77));
}

#[tokio::test]
async fn a_reader_that_has_enough_is_success() {
    let (server, _certificate, arguments) = stage().await;
    let mut client = Client::start(&borrowed(&arguments));
    client.types("ann").await;
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    assert_eq!(client.line().await, "* you are ann");
    let serving = async {
        // The program notices when it has something to write.
        peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "one"]]}"#).await;
        peer.closed().await;
    };
    let (end, ()) = tokio::join!(client.finish_deaf(), serving);
    assert_eq!((end.code, end.err.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn signals_end_it_with_their_codes() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 143)] {
        let (server, _certificate, arguments) = stage().await;
        let mut client = Client::start(&borrowed(&arguments));
        client.types("ann").await;
        let mut peer = server.accept().await;
        peer.welcome("ann").await;
        client.line().await;
        let kill = tokio::process::Command::new("kill").args([signal, &client.id()]).status();
        assert!(soon("kill", kill).await.unwrap().success());
        peer.closed().await;
        assert_eq!(client.finish().await.code, Some(code), "{signal}");
    }
}

#[tokio::test]
async fn a_flood_is_shown_while_lines_are_still_taken() {
    let (server, _certificate, arguments) = stage().await;
    let mut client = Client::start(&borrowed(&arguments));
    client.types("ann").await;
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    let many: Vec<_> = (0..20_000).map(|n| format!(r#"["bob", "ALL", 1, "{n}"]"#)).collect();
    let frame = format!(r#"{{"MESSAGES": [{}]}}"#, many.join(", "));
    let (mut seen, mut own) = (0, 0);
    let serving = async {
        peer.send(&frame).await;
        client.types("still here").await;
        assert_eq!(peer.message().await.1, "still here");
        while seen < 20_000 || own == 0 {
            match client.line().await.as_str() {
                "ann: still here" => own += 1,
                line if line == format!("bob: {seen}") => seen += 1,
                line => assert!(line.starts_with("* "), "{line}"),
            }
        }
    };
    soon("the flood", serving).await;
    assert_eq!(own, 1);
}

#[tokio::test]
async fn no_colour_goes_into_a_pipe() {
    let (server, _certificate, arguments) = stage().await;
    let serving = async {
        let mut peer = server.accept().await;
        peer.welcome("ann").await;
        peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "\u001b[31mred"]]}"#).await;
        peer.closed().await;
    };
    let arguments = borrowed(&arguments);
    let (end, ()) = tokio::join!(run(&arguments, "ann\n"), serving);
    assert!(!end.out.contains('\u{1b}') && end.out.contains("bob: \\u{1b}[31mred"), "{}", end.out);
}

#[tokio::test]
async fn the_command_line_is_checked_and_explained() {
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["host:http"], 64),
        (&["host:5000", "-p", "5001"], 64),
        (&["-x"], 64),
        (&["--insecure", "--plaintext"], 64),
        (&["--pin", "abc"], 64),
        (&["localhost", "-ca"], 64),
        (&["localhost", "-ca", "/no/such/file"], 66),
    ] {
        let end = run(arguments, "").await;
        assert_eq!(end.code, Some(code), "{arguments:?}: {}", end.err);
        assert_eq!(end.out.is_empty(), code != 0);
        assert_eq!(end.err.is_empty(), code == 0);
    }
}

#[tokio::test]
async fn an_output_that_can_not_be_written_is_told() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("SKIPPED: there is no /dev/full here");
        return;
    };
    let (server, _certificate, arguments) = stage().await;
    let mut program = command(&borrowed(&arguments));
    let mut child = program.stdout(Stdio::from(full)).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, b"ann\n").await.unwrap();
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    let end = soon("the program's end", child.wait_with_output()).await.unwrap();
    assert_eq!(end.status.code(), Some(74), "{}", String::from_utf8_lossy(&end.stderr));
    drop(stdin);
}

/// A line that fits no frame is passed over; the lines around it are sent.
#[tokio::test]
async fn a_line_that_is_too_long_is_told_by_the_exit_code() {
    let (server, _certificate, arguments) = stage().await;
    let serving = async {
        let mut peer = server.accept().await;
        peer.welcome("ann").await;
        assert_eq!(peer.message().await.1, "before");
        assert_eq!(peer.message().await.1, "behind");
        peer.closed().await;
    };
    let arguments = borrowed(&arguments);
    let input = format!("ann\nbefore\n{}\nbehind\n", "x".repeat(9 << 20));
    let (end, ()) = tokio::join!(run(&arguments, &input), serving);
    assert_eq!(end.code, Some(1));
    assert!(end.err.contains("Nothing was sent: the line is too long."), "{}", end.err);
}
