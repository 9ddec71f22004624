//! A session on the full screen, and what is looked for on it.

use std::collections::BTreeMap;

use super::certificate::Certificate;
use super::server::{Peer, Server};
use super::terminal::Terminal;

pub(crate) const SIZE: (u16, u16) = (24, 80);

/// A program that was started in a terminal, before anybody has joined.
pub(crate) async fn started(size: (u16, u16), variables: &[(&str, &str)]) -> (Terminal, Peer) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let terminal = Terminal::sized(&["localhost", "-p", &port, "-ca", &ca], size, variables);
    let peer = server.accept().await;
    (terminal, peer)
}

/// A session in which ann has joined; the input is there.
pub(crate) async fn joined(size: (u16, u16), variables: &[(&str, &str)]) -> (Terminal, Peer) {
    let (mut terminal, mut peer) = started(size, variables).await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    peer.welcome("ann").await;
    terminal.sees_last("ann>");
    (terminal, peer)
}

/// Whether a row has all of these, wherever.
pub(crate) fn has(rows: &[String], parts: &[&str]) -> bool {
    rows.iter().any(|row| parts.iter().all(|part| row.contains(part)))
}

pub(crate) async fn run(program: &str, arguments: &[&str]) -> bool {
    let run = tokio::process::Command::new(program).args(arguments).status().await;
    run.is_ok_and(|status| status.success())
}

/// What a terminal is set to by these bytes: private modes, and how many titles are kept.
fn modes(written: &str) -> (BTreeMap<u32, bool>, i32) {
    let (mut modes, mut titles) = (BTreeMap::new(), 0);
    for sequence in written.split('\u{1b}').skip(1) {
        let Some(body) = sequence.strip_prefix('[') else { continue };
        let Some(end) = body.find(|c: char| ('@'..='~').contains(&c)) else { continue };
        let (parameters, last) = (&body[..end], &body[end..=end]);
        match (parameters.strip_prefix('?'), last) {
            (Some(numbers), "h" | "l") => {
                for number in numbers.split(';') {
                    modes.insert(number.parse().unwrap(), last == "h");
                }
            }
            (None, "t") if parameters == "22;0" => titles += 1,
            (None, "t") if parameters == "23;0" => titles -= 1,
            _ => {}
        }
    }
    (modes, titles)
}

/// The terminal is as it was: only the cursor is on.
#[track_caller]
pub(crate) fn assert_left(written: &str) {
    let (modes, titles) = modes(written);
    let on: Vec<_> = modes.iter().filter(|(_, on)| **on).map(|(mode, _)| *mode).collect();
    assert_eq!(on, [25], "modes that are on, of {modes:?}");
    for mode in [1004, 1049, 2004] {
        assert!(modes.contains_key(&mode), "{mode} was never set");
    }
    assert_eq!(titles, 0, "titles that are kept");
}
