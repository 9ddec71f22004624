//! What a running server tells of itself: `/metrics` as Prometheus reads it, and a line of the log at SIGUSR1.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use chatterbox_proto::{Entry, client_frame, frame};
use harness::metrics::{address_behind, ask, health, scrape, scrape_until, value};
use harness::process::{Running, connect, join, try_read};
use rustix::process::Signal;

const PLAIN: [&str; 5] = ["127.0.0.1", "-p", "0", "--plaintext", "--memory"];

fn start(more: &[&str]) -> Running {
    Running::start(&[&PLAIN[..], more].concat())
}

/// The sum of all samples of a family.
fn sum(text: &str, name: &str) -> f64 {
    let of_it = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
    of_it.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

fn message(from: &str, to: &str, text: &str) -> Vec<u8> {
    let entry =
        Entry { source: from.into(), destination: to.into(), timestamp: 1, content: text.into() };
    client_frame::say([&entry]).unwrap().to_vec()
}

/// Reads until a frame with this text.
fn read_until(stream: &mut TcpStream, text: &str) {
    while !try_read(stream).expect("the connection is open").contains(text) {}
}

fn joined(server: &Running, name: &str) -> TcpStream {
    let mut stream = connect(server.address);
    assert!(join(&mut stream, name).contains("\"USERNAME_ACCEPTED\": true"));
    stream
}

#[test]
fn what_happens_is_counted_exactly() {
    let gateways = ["--web", "127.0.0.1:0", "--telnet", "127.0.0.1:0"];
    let mut server = start(&[&["--health", "127.0.0.1:0"][..], &gateways].concat());
    server.is_ready();
    let at = health(&server);
    let names = ["ann", "bob", "eve"];
    let [mut ann, mut bob, mut eve] = names.map(|name| joined(&server, name));
    let mut received = 0;
    for number in 1..=5 {
        let frame = message("ann", "ALL", &format!("message {number}"));
        received += frame.len();
        ann.write_all(&frame).unwrap();
    }
    for reader in [&mut ann, &mut bob, &mut eve] {
        read_until(reader, "message 5");
    }
    for (faulty, code) in [
        (frame::encode(b"{}").unwrap().to_vec(), "IV-4"),
        (message("bob", "nobody", "hello"), "DE-2"),
        (message("ann", "ALL", "hello"), "SR-1"),
    ] {
        received += faulty.len();
        bob.write_all(&faulty).unwrap();
        read_until(&mut bob, code);
    }
    // One name that is taken, and one that is none.
    let mut stranger = connect(server.address);
    for name in ["ann", "white space"] {
        assert!(join(&mut stranger, name).contains("\"USERNAME_ACCEPTED\": false"));
    }
    let line = server.printed().lines().find(|line| line.contains("to chat by telnet")).unwrap();
    let port = line.split_whitespace().last().unwrap().parse().unwrap();
    let _telnet = connect(SocketAddr::new([127, 0, 0, 1].into(), port));

    let text = scrape_until(at, "chatterbox_deliveries_total", 15.0);
    let text = match value(&text, "chatterbox_connections{kind=\"telnet\"}") {
        Some(1.0) => text,
        _ => scrape_until(at, "chatterbox_connections{kind=\"telnet\"}", 1.0),
    };
    for (sample, expected) in [
        ("chatterbox_messages_total", 5.0),
        ("chatterbox_joins_total", 3.0),
        ("chatterbox_users", 3.0),
        ("chatterbox_members", 3.0),
        ("chatterbox_rooms", 0.0),
        ("chatterbox_sanctions", 0.0),
        ("chatterbox_ready", 1.0),
        ("chatterbox_connections{kind=\"protocol\"}", 4.0),
        ("chatterbox_connections{kind=\"web\"}", 0.0),
        ("chatterbox_connections_opened_total{kind=\"protocol\"}", 4.0),
        ("chatterbox_refused_joins_total{code=\"taken\"}", 1.0),
        ("chatterbox_refused_joins_total{code=\"bad-name\"}", 1.0),
        ("chatterbox_refused_frames_total{code=\"no-known-key\"}", 1.0),
        ("chatterbox_refused_frames_total{code=\"no-such-user\"}", 1.0),
        ("chatterbox_refused_frames_total{code=\"source-not-you\"}", 1.0),
        ("chatterbox_received_bytes_total", received as f64),
        ("chatterbox_unread_bytes_limit", f64::from(64 * 1024 * 1024)),
        ("chatterbox_queue_length{queue=\"posts\"}", 0.0),
    ] {
        assert_eq!(value(&text, sample), Some(expected), "{sample}\n{text}");
    }
    assert_eq!(sum(&text, "chatterbox_refused_joins_total"), 2.0, "{text}");
    assert_eq!(sum(&text, "chatterbox_refused_frames_total"), 3.0, "{text}");
    assert_eq!(sum(&text, "chatterbox_ended_connections_total"), 0.0, "{text}");
    let groups = value(&text, "chatterbox_store_write_seconds_count").unwrap();
    assert!((1.0..=5.0).contains(&groups), "{groups} groups of 5 messages");
    assert_eq!(value(&text, "chatterbox_certificate_end_time_seconds"), None);
    // What was said three times, the welcomes and the errors.
    assert!(value(&text, "chatterbox_sent_bytes_total").unwrap() > 3.0 * 5.0 * 20.0);
    for private in ["\"ann\"", "\"bob\"", "\"eve\"", "127.0.0.1", "message 1", "nobody"] {
        assert!(!text.contains(private), "{private} is told\n{text}");
    }

    // Who has gone is not here any more, and was.
    drop((bob, stranger));
    let text = scrape_until(at, "chatterbox_connections{kind=\"protocol\"}", 2.0);
    assert_eq!(value(&text, "chatterbox_connections_opened_total{kind=\"protocol\"}"), Some(4.0));
    scrape_until(at, "chatterbox_users", 2.0);
    assert_eq!(value(&scrape(at), "chatterbox_joins_total"), Some(3.0));
}

#[test]
fn a_websocket_is_a_connection_and_a_request_for_the_page_is_none() {
    let server = start(&["--health", "127.0.0.1:0", "--web", "127.0.0.1:0"]);
    let (at, web) = (health(&server), address_behind(&server, "to chat in a browser, open: "));
    let port = web.port();
    let _silent = connect(web);
    let mut browser = connect(web);
    write!(
        browser,
        "GET /ws HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .unwrap();
    let mut answer = [0; 12];
    browser.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    let text = scrape_until(at, "chatterbox_connections{kind=\"web\"}", 1.0);
    assert_eq!(value(&text, "chatterbox_connections_opened_total{kind=\"web\"}"), Some(1.0));
    drop(browser);
    scrape_until(at, "chatterbox_connections{kind=\"web\"}", 0.0);
}

#[test]
fn other_paths_are_not_there_and_other_methods_are_not_allowed() {
    let mut server = start(&["--health", "127.0.0.1:0", "--web", "127.0.0.1:0"]);
    server.is_ready();
    let at = health(&server);
    for (method, path, status) in [
        ("GET", "/", "200"),
        ("GET", "/readyz", "200"),
        ("GET", "/healthz", "200"),
        ("HEAD", "/metrics", "200"),
        ("POST", "/metrics", "405"),
        ("DELETE", "/readyz", "405"),
        ("GET", "/metrics/x", "404"),
        ("GET", "/status", "404"),
    ] {
        let (head, body) = ask(at, method, path);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {head}");
        assert_eq!(method == "HEAD", body.is_empty(), "{method} {path}: {body}");
    }
    // The port for browsers has none: a proxy would hand them on to everybody.
    let web = address_behind(&server, "to chat in a browser, open: ");
    let mut stream = connect(web);
    let port = web.port();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[test]
fn many_who_ask_nothing_keep_nobody_from_the_metrics_for_long() {
    let server = start(&["--health", "127.0.0.1:0"]);
    let at = health(&server);
    let mut ann = joined(&server, "ann");
    let silent: Vec<_> = (0..100).map(|_| connect(at)).collect();
    // Beyond the places they are closed, and those who have one lose it: nobody is waited for.
    for mut stream in silent {
        let mut byte = [0];
        let closed = stream.read(&mut byte);
        let is_closed = match &closed {
            Ok(read) => *read == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        };
        assert!(is_closed, "{closed:?}");
    }
    assert_eq!(value(&scrape(at), "chatterbox_users"), Some(1.0));
    ann.write_all(&message("ann", "ALL", "still here")).unwrap();
    read_until(&mut ann, "still here");
}

/// An address of this machine by which it does not reach itself as loopback.
fn other_address() -> Option<IpAddr> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let mut v4 = all.iter().map(|one| one.ip()).filter(|ip| ip.is_ipv4() && !ip.is_loopback());
    v4.find(|ip| std::net::TcpListener::bind((*ip, 0)).is_ok())
}

/// The flag, from a peer of this machine that looks like another one; who is refused is decided in `net/health.rs`, which has made-up
/// peers in its tests.
#[test]
fn other_machines_are_told_whether_users_are_taken_and_no_more() {
    let Some(other) = other_address() else {
        eprintln!("SKIPPED: this machine has no other address than its own");
        return;
    };
    for (anywhere, status) in [(&[][..], "403"), (&["--metrics-anywhere"][..], "200")] {
        let mut server = start(&[&["--health", "0.0.0.0:0"][..], anywhere].concat());
        server.is_ready();
        let at = SocketAddr::new(other, health(&server).port());
        let (head, body) = ask(at, "GET", "/metrics");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert_eq!(body.contains("chatterbox_"), status == "200", "{body}");
        assert_eq!(ask(at, "GET", "/readyz").1, "ready\n");
        let here = SocketAddr::new([127, 0, 0, 1].into(), at.port());
        assert!(scrape(here).contains("chatterbox_users 0\n"));
    }
}

/// `promtool` judges the names, types and helps as well as the form.
#[test]
fn promtool_finds_no_fault() {
    let here = Command::new("promtool").arg("--version").output();
    if !here.is_ok_and(|output| output.status.success()) {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "promtool is required and not here (Debian's package prometheus)");
        eprintln!("SKIPPED: promtool, which judges the metrics, is not here");
        return;
    }
    let server = start(&["--health", "127.0.0.1:0"]);
    let _ann = joined(&server, "ann");
    let text = scrape(health(&server));
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let judged = promtool.wait_with_output().unwrap();
    let said = [judged.stdout, judged.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(judged.status.success() && said.trim().is_empty(), "{said}\n{text}");
    let alerts = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/deploy/alerts.yml");
    let judged = Command::new("promtool").args(["check", "rules", alerts]).output().unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
}

#[test]
fn dashboard_and_alerts_ask_for_what_a_server_tells() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().display().to_string();
    let line = ["localhost", "-p", "0", "--memory", "--certs", &certs, "--health", "127.0.0.1:0"];
    let server = Running::start(&line);
    let text = scrape(health(&server));
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let told: BTreeSet<_> = samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
    let dashboard = include_str!("../../docs/deploy/grafana.json");
    let alerts = include_str!("../../docs/deploy/alerts.yml");
    let words = [dashboard, alerts]
        .into_iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    // A server that is alone tells of no cluster; a unit test has all that nodes tell.
    let is_of_all = |word: &&str| {
        (word.starts_with("chatterbox_") && !word.starts_with("chatterbox_cluster_"))
            || word.starts_with("process_")
    };
    let asked: BTreeSet<_> = words.filter(is_of_all).collect();
    assert!(asked.len() >= 15, "{asked:?}");
    let unknown: Vec<_> = asked.difference(&told).collect();
    assert!(unknown.is_empty(), "{unknown:?}\n{text}");
    // A certificate of the local authority that was made a moment ago.
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let ends = value(&text, "chatterbox_certificate_end_time_seconds").unwrap();
    assert!((300.0..400.0).contains(&((ends - now) / 86_400.0)), "{ends}");
    let started = value(&text, "chatterbox_start_time_seconds").unwrap();
    assert!((now - started).abs() < 3600.0, "{started}");
}

#[test]
fn signals_that_ask_for_a_line_of_status_end_nothing() {
    let mut server = start(&[]);
    let mut ann = joined(&server, "ann");
    for signal in [Signal::USR1, Signal::USR2, Signal::USR1] {
        server.signal(signal);
        let line = server.log_line("status readiness=");
        assert!(line.contains("users=1") && line.contains("joins=1"), "{line}");
        assert!(
            line.contains("protocol=1 web=0 telnet=0"),
            "as the label of the metric says: {line}"
        );
        assert!(!line.contains("ann") && !line.contains("127.0.0.1"), "{line}");
    }
    ann.write_all(&message("ann", "ALL", "still here")).unwrap();
    read_until(&mut ann, "still here");
    server.signal(Signal::HUP);
    server.log_line("settings read again");
    drop(ann);
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}
