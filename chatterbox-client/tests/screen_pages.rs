//! Pages on the full screen: what is older, and what is missing after a reconnect.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]
#![allow(clippy::disallowed_methods, reason = "the test owns a clock, a terminal and files")]

mod support;

use support::certificate::Certificate;
use support::full_screen::{SIZE, has, started};
use support::server::Server;
use support::terminal::Terminal;

/// Messages of bob with these numbers, as the keys of a frame or of a page.
fn numbered(ids: std::ops::RangeInclusive<u32>) -> String {
    let ids: Vec<_> = ids.collect();
    let messages: Vec<_> =
        ids.iter().map(|id| format!(r#"["bob", "ALL", 1700000000, "m{id}"]"#)).collect();
    format!(r#""MESSAGES": [{}], "IDS": {ids:?}"#, messages.join(", "))
}

fn numbered_welcome(ids: std::ops::RangeInclusive<u32>, rest: &str) -> String {
    format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "CAPABILITIES": "ids/1", "RESUME": "session", {}{rest}}}"#,
        numbered(ids)
    )
}

/// The row of the screen that ends with this.
fn row_of(rows: &[String], part: &str) -> Option<usize> {
    rows.iter().position(|row| row.ends_with(part))
}

#[tokio::test]
async fn going_up_asks_the_server_for_older_messages_and_keeps_the_place() {
    let (mut terminal, mut peer) = started(SIZE, &[]).await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    assert_eq!(peer.name().await, "ann");
    peer.send(&numbered_welcome(101..=140, r#", "MORE": true"#)).await;
    terminal.sees("the newest", |rows| row_of(rows, "│m140").is_some());
    // The oldest one is reached with the second page.
    terminal.types("\u{1b}[5~\u{1b}[5~\u{1b}[5~\u{1b}[5~");
    let asked = peer.next().await.unwrap();
    assert_eq!(asked, r#"{"HISTORY": {"WITH": "ALL", "BEFORE": 101, "LIMIT": 100}}"#);
    terminal.sees("that it is asked", |rows| {
        has(rows, &["asking for older ones"]) && row_of(rows, "│m101").is_some()
    });
    let before = support::terminal::rows(&terminal.screen.0.lock().unwrap().parser);
    let page =
        format!(r#"{{"HISTORY": {{"WITH": "ALL", {}, "MORE": false}}}}"#, numbered(71..=100));
    peer.send(&page).await;
    // What was read stays where it was, and older ones are above it.
    terminal.sees("the page above what was read", |rows| {
        row_of(rows, "│m105") == row_of(&before, "│m105") && row_of(rows, "│m100").is_some()
    });
    terminal.types("\u{1b}[1;5H");
    terminal.sees("the beginning", |rows| {
        has(rows, &["the beginning"]) && row_of(rows, "│m71").is_some()
    });
    terminal.types("\u{1b}[5~\u{1b}[5~x\r");
    // It was asked once, and not behind the beginning.
    assert_eq!(peer.message_with_tags().await, "x");
    terminal.sees("the end again", |rows| row_of(rows, "│m140").is_some());
}

#[tokio::test]
async fn what_is_missing_after_a_reconnect_is_fetched_where_it_is_seen() {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let arguments = ["localhost", "-p", &port, "-ca", &ca, "-u", "ann"];
    let terminal = Terminal::sized(&arguments, SIZE, &[]);
    let mut peer = server.accept().await;
    assert_eq!(peer.name().await, "ann");
    peer.send(&numbered_welcome(1..=5, r#", "MORE": false"#)).await;
    terminal.sees("what was said", |rows| row_of(rows, "│m5").is_some());
    peer.close().await;
    let mut peer = server.accept().await;
    assert!(peer.next().await.unwrap().contains(r#""AFTER": 5"#));
    // The server has forgotten the session, and its welcome does not reach back.
    peer.send(&numbered_welcome(8..=9, r#", "RESUMED": false, "MORE": true"#)).await;
    let asked = peer.next().await.unwrap();
    assert_eq!(asked, r#"{"HISTORY": {"WITH": "ALL", "BEFORE": 8, "LIMIT": 100}}"#);
    terminal.sees("that it is fetched", |rows| {
        has(rows, &["messages are missing here; they are being"]) && row_of(rows, "│m9").is_some()
    });
    let page = format!(r#"{{"HISTORY": {{"WITH": "ALL", {}, "MORE": true}}}}"#, numbered(4..=7));
    peer.send(&page).await;
    terminal.sees("all of them once and in order", |rows| {
        let places: Vec<_> = (1..=9).map(|id| row_of(rows, &format!("│m{id}"))).collect();
        let twice = |id| rows.iter().filter(|row| row.ends_with(&format!("│m{id}"))).count() > 1;
        places.iter().all(Option::is_some)
            && places.is_sorted()
            && !(1..=9).any(twice)
            && !has(rows, &["missing"])
    });
}
