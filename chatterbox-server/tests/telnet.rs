//! Telnet and lines over real sockets: the commands of the chat server that users of telnet know, one by one; who shows what is
//! typed; and how it ends.
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
use harness::accounts::PASSWORD;
use harness::telnet::{Caller, TelnetServer};
use harness::unlimited;
use tokio::io::AsyncWriteExt as _;

fn pub_config() -> Config {
    let banner = Some("Be kind.".to_owned());
    Config { server_name: Some("The Pub".to_owned()), banner, ..Config::default() }
}

/// Times as they are in a transcript.
fn timeless(text: &str) -> String {
    let mut text = text.replace('\r', "").replace("1970-01-01 00:00", "TIME");
    while let Some(at) = text.match_indices('[').find_map(|(at, _)| {
        let time = text.get(at + 1..at + 6)?;
        let digits = |range: std::ops::Range<usize>| {
            time.get(range).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        (digits(0..2) && time.get(2..3) == Some(":") && digits(3..5)).then_some(at)
    }) {
        text.replace_range(at + 1..at + 6, "TIME");
    }
    text
}

#[tokio::test]
async fn each_command_of_chatsock_one_by_one() {
    let server = TelnetServer::open(pub_config(), &["owner"]).await;
    let _owner = server.call_and_create("owner", "games").await;
    let mut bob = server.call_as("bob").await;
    let mut ann = server.call().await;
    let mut transcript = ann.until("your name: ").await;
    // The offer, and the wipe of what a terminal of lines shows of it.
    let at = transcript.find('+').unwrap();
    assert!(transcript[..at].ends_with("\r\u{1b}[2K"), "{transcript:?}");
    transcript.drain(..at);
    for (line, next) in [
        ("bob", "your name: "),
        ("ann", "\n> "),
        (":help", "\n> "),
        (":rooms", "\n> "),
        (":join games", "[room/games]> "),
        (":list", "[room/games]> "),
        (":listall", "[room/games]> "),
        ("hello?", "[room/games]> "),
        (":close", "\n> "),
        (":close", "\n> "),
        (":dm bob", "[dm/bob]> "),
        (":list", "[dm/bob]> "),
        (":chat", ":q goes back\r\n"),
    ] {
        transcript.push_str(&format!("{line}\n"));
        transcript.push_str(&ann.asks(line, next).await);
    }
    ann.types(":) psst").await;
    let told = bob.until("(:dm ann)").await;
    assert!(told.contains("-- 1 new from ann (:dm ann)"), "{told}");
    bob.asks(":dm ann", "[dm/ann]> ").await;
    let shown = bob.asks(":chat", ":) psst\r\n").await;
    assert!(timeless(&shown).contains("[TIME] ann: :) psst"), "{shown}");
    bob.types("back again").await;
    transcript.push_str(":) psst\n");
    transcript.push_str(&ann.until("bob: back again\r\n").await);
    transcript.push_str(":q\n");
    transcript.push_str(&ann.asks(":q", "[dm/bob]> ").await);
    transcript.push_str(":close\n");
    transcript.push_str(&ann.asks(":close", "\n> ").await);
    transcript.push_str(":join nowhere\n");
    transcript.push_str(&ann.asks(":join nowhere", "\n> ").await);
    transcript.push_str(":quit\n");
    ann.types(":quit").await;
    transcript.push_str(&ann.rest().await);
    insta::assert_snapshot!(timeless(&transcript));
}

#[tokio::test]
async fn the_last_twenty_lines_and_then_what_comes() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    for number in 0..30 {
        peer.says(&format!("number {number}.")).await;
        peer.hears().await;
    }
    let mut ann = server.call_as("ann").await;
    let shown = ann.asks(":chat", "number 29.\r\n").await;
    assert_eq!(shown.matches("number").count(), 20, "{shown}");
    assert!(shown.contains("number 10.") && !shown.contains("number 9."), "{shown}");
    peer.says("and now").await;
    let shown = ann.until("and now\r\n").await;
    assert!(timeless(&shown).ends_with("[TIME] bob: and now\n"), "{shown}");
    // In the palette nobody is heard, but counted.
    ann.asks(":q", "> ").await;
    peer.says("who is there?").await;
    let told = ann.until("(:chat)").await;
    assert!(told.contains("-- 1 new in the lobby (:chat)") && !told.contains("who"), "{told}");
}

#[tokio::test]
async fn keys_are_echoed_and_what_is_said_goes_above_the_half_line() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let mut ann = server.call_by_keys(40).await;
    ann.sends(b"anx\x7fn\r\0").await;
    ann.until("* you are ann").await;
    ann.until("\r> \x1b[K").await;
    ann.sends(b":chat\r").await;
    ann.until("\r[lobby] ann: \x1b[K").await;
    ann.sends("hällo wörld".as_bytes()).await;
    ann.until("\r[lobby] ann: hällo wörld\x1b[K").await;
    peer.says("hi").await;
    let shown = timeless(&ann.until("ann: hällo wörld\x1b[K").await);
    assert_eq!(shown, "\x1b[K[TIME] bob: hi\n[lobby] ann: hällo wörld\x1b[K");
    // Ctrl-W, an arrow, a character in the middle.
    ann.sends(b"\x17\x1b[D\x1b[Dx").await;
    ann.until("\r[lobby] ann: hällxo \x1b[K\x1b[2D").await;
    ann.sends(b"\x15\x0bdone\r").await;
    ann.until("ann: done").await;
    while peer.hears().await != "done" {}
    ann.sends(b"\x04").await;
    assert!(ann.rest().await.ends_with("-- good bye\r\n"));
}

#[tokio::test]
async fn a_terminal_that_gets_another_width_has_its_line_cut_to_it() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut ann = server.call_by_keys(80).await;
    ann.sends(b"ann\r").await;
    ann.until("\r> \x1b[K").await;
    ann.sends(b"0123456789012345678901234567890123456789").await;
    ann.until("\r> 0123456789012345678901234567890123456789\x1b[K").await;
    ann.sends(&[255, 250, 31, 0, 30, 0, 24, 255, 240]).await;
    ann.until("\r> 345678901234567890123456789\x1b[K").await;
}

#[tokio::test]
async fn a_password_is_asked_for_without_echo_where_that_is_possible() {
    let server = TelnetServer::open(unlimited(), &["owner"]).await;
    let mut keys = server.call_by_keys(80).await;
    keys.sends(b"owner\r").await;
    keys.until("password of owner: ").await;
    keys.sends(format!("{PASSWORD}\r").as_bytes()).await;
    let shown = keys.until("* you are owner").await;
    for word in PASSWORD.split(' ') {
        assert!(!shown.contains(word), "{shown:?}");
    }
    // The terminal of this one would show it.
    let mut lines = server.call().await;
    lines.until("your name: ").await;
    let shown = lines.asks("owner", "your name: ").await;
    assert!(shown.contains("no secret is taken here: your terminal would show it"), "{shown}");
    let shown = lines.asks("guest", "\n> ").await;
    assert!(shown.contains("* you are guest"), "{shown}");
    let shown = lines.asks(":register hush-hush", "\n> ").await;
    assert!(shown.contains("Nothing was sent: no secret is taken here"), "{shown}");
    let shown = lines.asks(":register", "\n> ").await;
    assert!(shown.contains("no secret is taken here") && shown.contains("cancelled"), "{shown}");
}

#[tokio::test]
async fn a_program_that_sends_lines_and_ends_has_them_all_said() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let mut script = server.call().await;
    let lines = "ann\n:chat\none\ntwo\n:q\n:listall\n";
    script.sends(lines.as_bytes()).await;
    script.stream.shutdown().await.unwrap();
    let shown = script.rest().await;
    assert!(shown.contains("-- here: ") && shown.ends_with("-- good bye\r\n"), "{shown}");
    assert_eq!((peer.hears().await, peer.hears().await), ("one".into(), "two".into()));
}

/// The last line before leaving is carried out, and not dropped with the connection.
#[tokio::test]
async fn what_is_called_before_leaving_is_done() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut bob = server.call_as("bob").await;
    let mut ann = server.call_as("ann").await;
    ann.sends(b":msg bob see you\n:chat\ngood night\n:q\n:quit\n").await;
    assert!(ann.rest().await.ends_with("-- good bye\r\n"));
    bob.asks(":dm ann", "[dm/ann]> ").await;
    bob.asks(":chat", "ann: see you\r\n").await;
    bob.asks(":q", "[dm/ann]> ").await;
    bob.asks(":join lobby", "\n> ").await;
    bob.asks(":chat", "ann: good night\r\n").await;
}

#[tokio::test]
async fn a_mistyped_command_is_answered_in_the_words_of_the_palette() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut ann = server.call_as("ann").await;
    for (typed, answer) in [
        (":lstall", "There is no command :lstall. Did you mean :listall? :help lists them."),
        (":nik annie", "There is no command :nik. Did you mean :nick? :help lists them."),
        (":frobnicate", "There is no command :frobnicate. :help lists them."),
        (":nick", "NAME is missing. Usage: :nick NAME"),
        (":help nick", "-- :nick NAME"),
    ] {
        let shown = ann.asks(typed, "\n> ").await;
        assert!(shown.contains(answer), "{shown}");
    }
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut ann = server.call_as("ann").await;
    let mut nobody = server.call().await;
    nobody.until("your name: ").await;
    server.stop().await;
    let shown = ann.rest().await;
    assert!(shown.contains("shutting down, good bye"), "{shown}");
    assert!(nobody.rest().await.contains("closed"));
}

#[tokio::test]
async fn who_types_nothing_is_left_after_the_time_of_the_settings() {
    let config = Config { telnet_idle: Duration::from_secs(1), ..unlimited() };
    let server = TelnetServer::open(config, &[]).await;
    let mut ann = server.call_as("ann").await;
    assert!(ann.rest().await.contains("-- nothing was typed for a second: good bye"));
}

/// Commands of telnet that are not options.
#[tokio::test]
async fn interrupt_erase_and_are_you_there() {
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut ann: Caller = server.call_by_keys(80).await;
    ann.sends(b"ann\r").await;
    ann.until("\r> \x1b[K").await;
    ann.sends(b"nonsense").await;
    ann.until("> nonsense").await;
    ann.sends(&[255, 247]).await;
    ann.until("\r> nonsens\x1b[K").await;
    ann.sends(&[255, 244]).await;
    ann.until("\r> \x1b[K").await;
    ann.sends(&[255, 246]).await;
    ann.until("-- yes, the server is here").await;
    ann.sends(&[255, 253, 24, 255, 253, 24]).await;
    ann.types(":listall").await;
    ann.until("-- here: ann").await;
}
