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
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use harness::process::{Running, connect};
use harness::telnet::agrees;
use predicates::str::contains;
use rustix::process::Signal;

const PLAIN: [&str; 5] = ["127.0.0.1", "-p", "0", "--plaintext", "--memory"];

fn refused(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = harness::program::server();
    command.args(PLAIN).args(arguments).timeout(harness::PATIENCE).assert()
}

/// Where the line that is printed leads.
fn telnet_of(server: &Running) -> SocketAddr {
    let line = server.printed().lines().find_map(|line| line.split_once("by telnet, run: telnet "));
    let (_, line) = line.expect("the line is printed");
    line.replace(' ', ":").parse().unwrap()
}

/// Reads until a text.
fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(text.as_bytes()) {
        let mut byte = [0];
        let got = stream.read(&mut byte).unwrap();
        assert!(got > 0, "ended before {text:?}: {:?}", String::from_utf8_lossy(&seen));
        seen.extend(byte);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

fn rest(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).unwrap();
    String::from_utf8_lossy(&seen).into_owned()
}

/// What a proxy sends for a connection from this address.
fn header(from: &str) -> Vec<u8> {
    let (from, to) = (from.parse().unwrap(), "127.0.0.1:23".parse().unwrap());
    let mut bytes = Vec::new();
    let addresses = proxy_header::ProxiedAddress::stream(from, to);
    proxy_header::ProxyHeader::with_address(addresses).encode_v2(&mut bytes).unwrap();
    bytes
}

/// Red when a proxy's own address says whether the terminal is on this machine, or when the gateway asks no proxy.
#[test]
fn no_secret_is_taken_from_another_machine() {
    let arguments = ["--telnet", "127.0.0.1:0", "--trust-proxy", "127.0.0.1"];
    let server = Running::start(&[&PLAIN[..], &arguments].concat());
    for (from, may) in [("192.0.2.7:4711", false), ("127.0.0.1:4711", true)] {
        let mut stream = connect(telnet_of(&server));
        stream.write_all(&[header(from), agrees(80)].concat()).unwrap();
        until(&mut stream, "your name: ");
        let name = if may { "near" } else { "far" };
        stream.write_all(format!("{name}\r\n").as_bytes()).unwrap();
        until(&mut stream, "* here: ");
        until(&mut stream, "\r> \x1b[K");
        stream.write_all(b":register\r\n").unwrap();
        let shown =
            until(&mut stream, if may { "(at least 8 characters): \x1b[K" } else { "cancelled." });
        assert_eq!(!shown.contains("it would go over the network unencrypted"), may, "{shown}");
    }
}

#[test]
fn who_is_put_out_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let line = ["127.0.0.1", "-p", "0", "--plaintext", "--data", &data];
    let server = Running::start(&[&line[..], &["--telnet", "127.0.0.1:0"]].concat());
    let mut stream = connect(telnet_of(&server));
    stream.write_all(b"eve\n:chat\n").unwrap();
    until(&mut stream, ":q goes back\r\n");
    let mut kick = harness::program::server();
    kick.env("XDG_CONFIG_HOME", folder.path()).timeout(harness::PATIENCE);
    kick.args(["kick", "eve", "calm", "down", "--data", &data]).assert().success();
    let shown = rest(&mut stream);
    assert!(shown.contains("calm down"), "{shown}");
    assert!(shown.ends_with("-- the connection is closed\r\n"), "{shown}");
    // Nor does the name get in again so soon, and that is said too.
    let mut again = connect(telnet_of(&server));
    again.write_all(b"eve\n").unwrap();
    let shown = until(&mut again, "calm down");
    assert!(!shown.contains("* you are eve"), "{shown}");
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
        let mut command = harness::program::server();
        command.args(["localhost", "--plaintext", "--memory"]).args(line);
        let told = format!("that is the port of {other} as well");
        command.timeout(harness::PATIENCE).assert().code(69).stderr(contains(told));
    }
}

#[test]
fn the_line_that_is_printed_gets_in() {
    let server = Running::start(&[&PLAIN[..], &["--telnet", "127.0.0.1:0"]].concat());
    let mut stream = connect(telnet_of(&server));
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
