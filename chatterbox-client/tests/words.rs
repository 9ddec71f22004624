//! What a person at a terminal reads, and what a program gets instead.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod support;

use support::client::{command, run};
use support::server::{Peer, Server};
use support::soon;
use support::terminal::Terminal;

async fn joined() -> (Terminal, Peer) {
    let server = Server::plaintext().await;
    let port = server.port().to_string();
    let arguments = ["localhost", "-p", &port, "--plaintext", "-u", "ann"];
    let terminal = Terminal::start(&arguments, false);
    let mut peer = server.accept().await;
    peer.welcome("ann").await;
    terminal.sees_last("ann>");
    (terminal, peer)
}

/// Nothing else comes behind it.
#[tokio::test]
async fn a_crowd_is_told_in_one_line_when_its_moment_is_over() {
    let (terminal, mut peer) = joined().await;
    peer.send(r#"{"USERS_JOINED": ["a", "b", "c", "d", "e"]}"#).await;
    peer.send(r#"{"USERS_LEFT": ["bob", "e"]}"#).await;
    terminal.sees("the crowd", |rows| {
        rows.iter().any(|row| row == "* a, b, c and d joined; bob left")
            && !rows.iter().any(|row| row.ends_with("e joined"))
    });
}

#[tokio::test]
async fn a_message_is_shown_as_its_lines_with_a_mark_and_none_of_them_is_a_fake() {
    let (terminal, mut peer) = joined().await;
    peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "ann, look:\n* you are banned\n-- good bye"]]}"#)
        .await;
    terminal.sees("the lines", |rows| {
        rows.windows(3).any(|rows| {
            rows == [
                "[1970-01-01 00:00 *] bob: ann, look:",
                "        | * you are banned",
                "        | -- good bye",
            ]
        })
    });
}

#[tokio::test]
async fn the_connection_is_described_in_words() {
    let (mut terminal, _peer) = joined().await;
    terminal.types("/connection\r");
    terminal.sees("what the connection is like", |rows| {
        // A long line is broken at words.
        let all = rows.iter().map(|row| row.trim()).collect::<Vec<_>>().join(" ");
        all.contains("PLAINTEXT: anybody in between can read and change everything.")
            && all.contains("-- You are ann.")
            && all.contains("-- The server speaks the base protocol only.")
    });
}

/// Clauses and places in a frame are for programs.
#[tokio::test]
async fn an_error_is_plain_for_people_and_whole_for_programs() {
    for json in [false, true] {
        let server = Server::plaintext().await;
        let port = server.port().to_string();
        let mut arguments = vec!["localhost", "-p", &port, "--plaintext", "-u", "ann", "--strict"];
        arguments.extend(json.then_some("--json"));
        let serving = async {
            let mut peer = server.accept().await;
            peer.welcome("ann").await;
            peer.send(
                r#"{"ERROR": "MESSAGES[0]: nobody is here: zoe (DE-2)", "MESSAGES": [["bob"]]}"#,
            )
            .await;
            peer.close().await;
        };
        let (end, ()) = tokio::join!(run(&arguments, ""), serving);
        let all = end.out + &end.err;
        for part in
            ["MESSAGES[0]: nobody is here: zoe (DE-2)", "MESSAGES[0] is not a message (T4-1)"]
        {
            assert_eq!(all.contains(part), json, "{all}");
        }
        assert!(all.contains("nobody is here: zoe"), "{all}");
    }
}

#[tokio::test]
async fn a_time_zone_that_is_not_understood_is_said() {
    for (zone, time, told) in [
        ("<+03>-3", "[1970-01-01 03:00] bob: hi", false),
        ("UTC+3", "[1969-12-31 21:00] bob: hi", false),
        ("Nowhere", "[1970-01-01 00:00] bob: hi", true),
    ] {
        let server = Server::plaintext().await;
        let port = server.port().to_string();
        let mut program = command(&["localhost", "-p", &port, "--plaintext", "-u", "ann"]);
        let child = program.env("TZ", zone).spawn().unwrap();
        let serving = async {
            let mut peer = server.accept().await;
            peer.welcome("ann").await;
            peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "hi"]]}"#).await;
            peer.close().await;
        };
        let (end, ()) = tokio::join!(soon("its end", child.wait_with_output()), serving);
        let end = end.unwrap();
        let (out, err) =
            (String::from_utf8(end.stdout).unwrap(), String::from_utf8(end.stderr).unwrap());
        assert!(out.contains(time), "{zone}: {out}");
        let note = "-- TZ=Nowhere is not understood: times are in UTC\n";
        assert_eq!(err.contains(note), told, "{zone}: {err}");
    }
}
