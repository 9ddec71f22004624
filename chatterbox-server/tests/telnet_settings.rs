//! Telnet as it is asked for on the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};

use harness::process::{Running, connect};
use predicates::str::contains;
use rustix::process::Signal;

const PLAIN: [&str; 5] = ["127.0.0.1", "-p", "0", "--plaintext", "--memory"];

fn refused(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = assert_cmd::Command::cargo_bin("chatterbox-server").unwrap();
    command.args(PLAIN).args(arguments).timeout(harness::PATIENCE).assert()
}

#[test]
fn telnet_is_for_this_machine_unless_it_is_wanted_elsewhere() {
    refused(&["--telnet", "0.0.0.0:0"])
        .code(64)
        .stderr(contains("telnet on 0.0.0.0:0 would send everything in the clear"))
        .stderr(contains("hint: --telnet-anywhere"));
    let server =
        Running::start(&[&PLAIN[..], &["--telnet", "0.0.0.0:0", "--telnet-anywhere"]].concat());
    assert!(server.printed().contains("WARNING: telnet"), "{}", server.printed());
}

#[test]
fn a_port_that_is_taken_is_said_with_the_option_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&["--telnet", &address])
        .code(69)
        .stderr(contains("is in use already"))
        .stderr(contains("another port with --telnet"));
    refused(&["--telnet", "no-such-host.invalid"])
        .code(69)
        .stderr(contains("--telnet: can't find the host"));
    refused(&["--telnet", "70000"]).code(64).stderr(contains("70000 is no port"));
    // A port that the server has itself is no other server.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    for (line, other) in [
        (["-p", &port, "--web", &port, "--telnet", "0"], "-p"),
        (["-p", "0", "--web", &port, "--telnet", &port], "--web"),
    ] {
        let mut command = assert_cmd::Command::cargo_bin("chatterbox-server").unwrap();
        command.args(["localhost", "--plaintext", "--memory"]).args(line);
        let told = format!("that is the port of {other} as well");
        command.timeout(harness::PATIENCE).assert().code(69).stderr(contains(told));
    }
}

#[test]
fn the_line_that_is_printed_gets_in() {
    let server = Running::start(&[&PLAIN[..], &["--telnet", "127.0.0.1:0"]].concat());
    let line = server.printed().lines().find_map(|line| line.split_once("by telnet, run: "));
    let (_, line) = line.expect("the line is printed");
    let words: Vec<_> = line.split(' ').collect();
    assert_eq!(words[..2], ["telnet", "127.0.0.1"]);
    let mut stream = connect(format!("127.0.0.1:{}", words[2]).parse().unwrap());
    stream.write_all(b"ann\n:listall\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut shown = Vec::new();
    stream.read_to_end(&mut shown).unwrap();
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("-- here: ann") && shown.ends_with("-- good bye\r\n"), "{shown}");
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("listall"), "what is typed is not logged: {log}");
}
