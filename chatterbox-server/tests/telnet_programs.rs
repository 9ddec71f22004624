//! The real programs: telnet (inetutils) and netcat (OpenBSD) on a pseudo-terminal, as people use them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use harness::accounts::PASSWORD;
use harness::pty::{Pty, has};
use harness::telnet::TelnetServer;
use harness::unlimited;

/// A terminal at a server.
fn telnet(server: &TelnetServer, columns: u16) -> Pty {
    let port = server.telnet.port().to_string();
    Pty::start("telnet", &["127.0.0.1", &port], columns)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telnet_keeps_the_half_line_while_others_talk() {
    if !has("telnet", &["--version"]) {
        return;
    }
    let server = TelnetServer::open(unlimited(), &[]).await;
    let mut peer = server.join("bob").await;
    let mut ann = telnet(&server, 60);
    ann.sees_last("your name:");
    peer.says("nobody has a name yet").await;
    ann.types("ann\r");
    ann.sees_last(">");
    ann.types(":chat\r");
    ann.sees("the prompt", |rows| rows.last().is_some_and(|row| row == "[lobby] ann:"));
    ann.types("half a línei\u{7f}");
    ann.sees_last("[lobby] ann: half a líne");
    peer.says("one").await;
    peer.says("two, and 世界").await;
    ann.sees("both, above the line", |rows| {
        let [.., one, two, line] = rows else { return false };
        one.ends_with("] bob: one")
            && two.ends_with("] bob: two, and 世界")
            && line == "[lobby] ann: half a líne"
    });
    ann.types("\r");
    while peer.hears().await != "half a líne" {}
    // A window that gets narrow shows the end of the line.
    ann.types("0123456789012345678901234567890123456789");
    ann.sees_last("[lobby] ann: 0123456789012345678901234567890123456789");
    ann.resizes(30);
    ann.sees_last("[lobby] ann: 4567890123456789");
    ann.types("\u{15}\u{4}");
    let shown = ann.ends();
    assert!(shown.contains("-- good bye"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telnet_sends_a_password_that_nobody_sees() {
    if !has("telnet", &["--version"]) {
        return;
    }
    let server = TelnetServer::open(unlimited(), &["owner"]).await;
    let mut owner = telnet(&server, 80);
    owner.sees_last("your name:");
    owner.types("owner\r");
    owner.sees_last("password of owner:");
    owner.types("wrong, wrong\r");
    owner.sees("the refusal", |rows| rows.iter().any(|row| row.contains("refused the name owner")));
    owner.sees_last("password of owner:");
    owner.types(&format!("{PASSWORD}\r"));
    owner.sees_row("* you are owner");
    let written = owner.written();
    assert!(!written.contains("horse") && !written.contains("wrong, wrong"), "{written}");
    server.stop().await;
    let shown = owner.ends();
    assert!(shown.contains("shutting down, good bye"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn netcat_has_its_own_echo_and_each_line_is_a_message() {
    if !has("nc", &["-h"]) {
        return;
    }
    let server = TelnetServer::open(unlimited(), &["owner"]).await;
    let mut peer = server.join("bob").await;
    let port = server.telnet.port().to_string();
    let mut ann = Pty::start("nc", &["127.0.0.1", &port], 80);
    ann.sees_last("your name:");
    // What the offer looks like here was wiped.
    ann.sees("a clean beginning", |rows| rows[0].starts_with("+---"));
    ann.types("owner\n");
    ann.sees("no password", |rows| rows.iter().any(|row| row.contains("no secret is taken here")));
    ann.sees_last("your name:");
    ann.types("ann\n");
    ann.sees_last(">");
    ann.types(":chat\n");
    ann.sees("the chat view", |rows| rows.iter().any(|row| row.contains(":q goes back")));
    ann.types("one\ntwo\n");
    assert_eq!((peer.hears().await, peer.hears().await), ("one".into(), "two".into()));
    peer.says("hello, ann").await;
    ann.sees("it", |rows| rows.last().is_some_and(|row| row.ends_with("*] bob: hello, ann")));
    // Own lines are there once.
    ann.sees("one", |rows| rows.iter().filter(|row| row.contains("one")).count() == 1);
    ann.types(":q\n:quit\n");
    ann.sees_last("-- good bye");
    // It stays until its own input ends.
    ann.types("\u{4}");
    let shown = ann.ends();
    assert!(shown.ends_with("-- good bye"), "{shown}");
}
