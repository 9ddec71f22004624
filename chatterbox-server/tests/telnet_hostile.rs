//! Whoever means no good over telnet: to the server, to others, or to those who use a terminal. Bugs of earlier chat servers have a
//! test of their own, by their number.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::time::Duration;

use chatterbox_server::Config;
use harness::telnet::TelnetServer;
use harness::{PATIENCE, unlimited};

/// What others say acts on no terminal, whatever its mode.
#[tokio::test]
async fn b1_what_others_say_does_not_act_on_the_terminal() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let mut lines = server.call_as("lines").await;
    let mut keys = server.call_by_keys(80).await;
    keys.sends(b"keys\r").await;
    keys.until("\r> \x1b[K").await;
    keys.sends(b":chat\r").await;
    keys.until("[lobby] keys: \x1b[K").await;
    lines.asks(":chat", ":q goes back\r\n").await;
    let hostile = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}1m\u{202e}txt\u{200b}\r\u{8}\n[10:00] eve: fake \u{ff}\u{fffd}";
    peer.says(hostile).await;
    peer.says("the end").await;
    let shown = lines.until("the end\r\n").await;
    assert!(shown.chars().all(|c| !c.is_control() || "\r\n".contains(c)), "{shown:?}");
    assert!(!shown.contains(['\u{202e}', '\u{200b}', '\u{9b}']), "{shown:?}");
    assert!(!shown.lines().any(|line| line.contains("] eve:") && line.starts_with('[')), "{shown}");
    let shown = keys.until("the end\r\n").await;
    // Only the row that is drawn again has an escape: to its end is wiped.
    assert!(shown.replace("\u{1b}[K", "").chars().all(|c| !c.is_control() || "\r\n".contains(c)));
    assert!(!keys.seen.contains(&255));
}

/// Who does not read is left; nobody else waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b3_who_does_not_read_loses_only_itself() {
    let config = Config { stall_timeout: Duration::from_secs(2), ..unlimited() };
    let server = TelnetServer::open(config, &[]).await;
    let mut peer = server.join("bob").await;
    let mut deaf = server.call_as("deaf").await;
    deaf.asks(":chat", ":q goes back\r\n").await;
    let mut other = server.call_as("other").await;
    other.asks(":chat", ":q goes back\r\n").await;
    let mut watcher = server.join("watcher").await.peer;
    let watched = tokio::spawn(async move { watcher.sees_leave("deaf").await });
    let long = "x".repeat(20_000);
    let left = async {
        while !watched.is_finished() {
            peer.says(&long).await;
            peer.hears().await;
            other.until(&long).await;
        }
    };
    tokio::time::timeout(PATIENCE * 4, left).await.expect("the deaf one is left");
    peer.says("still here").await;
    other.until("still here").await;
}

/// Connections that say nothing keep nobody from coming, and end.
#[tokio::test]
async fn b7_silent_connections_hold_up_nobody() {
    let config = Config { join_timeout: Duration::from_secs(3), ..unlimited() };
    let server = TelnetServer::open(config, &[]).await;
    let mut silent = Vec::new();
    for _ in 0..30 {
        silent.push(server.call().await);
    }
    let mut ann = server.call_as("ann").await;
    ann.asks(":listall", "> ").await;
    for one in &mut silent {
        let shown = one.rest().await;
        assert!(shown.contains("your name: ") && shown.contains("closed"), "{shown}");
    }
}

/// A line is what is between two line ends, however it is cut.
#[tokio::test]
async fn b8_lines_have_nothing_to_do_with_segments() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let mut ann = server.call_as("ann").await;
    ann.asks(":chat", ":q goes back\r\n").await;
    ann.sends(b"one\r\ntwo\nthr").await;
    for byte in "ee, wörld\r\nfour\r\n".bytes() {
        ann.sends(&[byte]).await;
    }
    for said in ["one", "two", "three, wörld", "four"] {
        assert_eq!(peer.hears().await, said);
    }
}

/// Who joins twice is there once, and who leaves is gone.
#[tokio::test]
async fn b11_nobody_is_in_a_room_twice_nor_after_leaving() {
    let server = TelnetServer::open(unlimited(), &["owner", "other"]).await;
    let games = server.call_and_create("owner", "games").await;
    let talk = server.call_and_create("other", "talk").await;
    let mut bob = server.call_as("bob").await;
    for _ in 0..2 {
        bob.asks(":join games", "[room/games]> ").await;
        bob.asks(":join talk", "[room/talk]> ").await;
    }
    let shown = bob.asks(":list", "[room/talk]> ").await;
    assert!(shown.contains("2 in #talk: bob, other"), "{shown}");
    bob.asks(":close", "\n> ").await;
    let shown = bob.asks(":list #games", "\n> ").await;
    assert!(shown.contains("2 in #games: bob, owner"), "{shown}");
    bob.quits().await;
    let mut ann = server.call_as("ann").await;
    ann.asks(":join talk", "[room/talk]> ").await;
    let shown = ann.asks(":list", "[room/talk]> ").await;
    assert!(shown.contains("2 in #talk: ann, other"), "{shown}");
    ann.asks(":join games", "[room/games]> ").await;
    let shown = ann.asks(":list", "[room/games]> ").await;
    assert!(shown.contains("2 in #games: ann, owner"), "{shown}");
    drop((games, talk));
}

#[tokio::test]
async fn who_types_too_fast_is_told_and_nothing_is_lost() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let mut ann = server.call_as("ann").await;
    ann.asks(":chat", ":q goes back\r\n").await;
    let lines: String = (0..24).map(|number| format!("number {number}.\n")).collect();
    ann.sends(lines.as_bytes()).await;
    ann.until("-- slow down").await;
    for number in 0..24 {
        assert_eq!(peer.hears().await, format!("number {number}."));
    }
}

#[tokio::test]
async fn an_endless_line_is_passed_over() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut ann = server.call_as("ann").await;
    for _ in 0..1000 {
        ann.sends(&[b'x'; 1000]).await;
    }
    ann.types("").await;
    ann.until("Nothing was sent: the line is too long.").await;
    let shown = ann.asks(":listall", "> ").await;
    assert!(!shown.contains("xx"), "{shown}");
    // One that just fits is taken.
    ann.asks(&"y".repeat(8 * 1024), ":help lists the commands").await;
}

#[tokio::test]
async fn an_endless_subnegotiation_is_passed_over() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut ann = server.call_as("ann").await;
    ann.sends(&[255, 250, 24]).await;
    for _ in 0..1000 {
        ann.sends(&[b'x'; 1000]).await;
    }
    ann.sends(&[255, 240]).await;
    let shown = ann.asks(":listall", "here: ann").await;
    assert!(!shown.contains("xx"), "{shown}");
}

/// Bytes of 255, alone, twice, and with options that nobody knows: each is answered once at most.
#[tokio::test]
async fn options_without_end_are_refused_once() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut ann = server.call_as("ann").await;
    for _ in 0..2000 {
        ann.sends(&[255, 253, 77, 255, 251, 78, 255, 255, 255, 241]).await;
    }
    ann.types("").await;
    ann.until(":help lists the commands").await;
    assert!(ann.seen.len() < 500, "{}", ann.seen.len());
    ann.asks(":listall", "here: ann").await;
}

#[tokio::test]
async fn the_fifty_first_connection_of_an_address_is_turned_away() {
    let server = TelnetServer::open(Config::default(), &[]).await;
    // Those who come another way take none of these places. They were all counted before the last one joins.
    let mut others = Vec::new();
    for _ in 0..60 {
        others.push(tokio::net::TcpStream::connect(server.address).await.unwrap());
    }
    let _bob = server.join("bob").await;
    let mut callers = Vec::new();
    for _ in 0..50 {
        let mut caller = server.call().await;
        caller.until("your name: ").await;
        callers.push(caller);
    }
    let mut late = server.call().await;
    let shown = late.rest().await;
    assert!(shown.starts_with("! ") && shown.contains("connections"), "{shown}");
    callers.pop().unwrap().quits().await;
    let again = async {
        loop {
            let mut late = server.call().await;
            late.sends(b":quit\n").await;
            if late.rest().await.contains("good bye") {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("there is a place again");
}

/// A page that somebody opens can make the browser send what it likes to any port.
#[tokio::test]
async fn a_request_of_a_browser_is_no_line() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let body = "ann\r\n:chat\r\nI am not ann\r\n";
    for request in [
        format!("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n{body}"),
        format!("FOO / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n{body}"),
        format!("GET / HTTP/1.1\r\n\r\n{body}"),
    ] {
        let mut browser = server.call().await;
        browser.sends(request.as_bytes()).await;
        let shown = browser.rest().await;
        assert!(!shown.contains("you are ann"), "{shown}");
        assert!(shown.ends_with("no request of HTTP or TLS is served.\r\n"), "{shown}");
    }
    peer.says("nothing else").await;
    assert_eq!(peer.hears().await, "nothing else");
}

/// In a class about HTTP people talk so.
#[tokio::test]
async fn who_talks_about_requests_is_no_browser() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let mut ann = server.call().await;
    ann.sends(b"ann\n:chat\nHost: who is it tonight?\nPOST it\nGET / HTTP/1.1\n").await;
    for said in ["Host: who is it tonight?", "POST it", "GET / HTTP/1.1"] {
        assert_eq!(peer.hears().await, said);
    }
}

/// Whoever forgets to go back to the palette would tell everybody.
#[tokio::test]
async fn a_command_with_a_secret_is_not_said_in_the_chat_view() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let mut ann = server.call_by_keys(80).await;
    ann.sends(b"ann\r").await;
    ann.until("* here: ").await;
    ann.types(":chat").await;
    ann.until(":q goes back\r\n").await;
    for typed in [
        ":register hush-hush",
        ":REGISTER hush-hush",
        "  :register hush-hush",
        ":regsiter hush-hush",
        "/register hush-hush",
        ":join games hush-hush",
    ] {
        ann.types(typed).await;
        ann.until("Nothing was sent: this is a command with a secret; :q goes back.\r\n").await;
    }
    // Nor is it remembered: the line before is not one of these.
    ann.types(":) and on").await;
    assert_eq!(peer.hears().await, ":) and on");
    ann.seen.clear();
    ann.sends(b"\x1b[A\x1b[A\x1b[A!\r").await;
    let said = peer.hears().await;
    assert!(!said.contains("hush"), "{said}");
}
