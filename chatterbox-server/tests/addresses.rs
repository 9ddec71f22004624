//! Hosts and ports as they are typed and printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use harness::process::Running;
use predicates::str::contains;

fn command(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = harness::program::server();
    command.args(arguments).args(["--memory", "--plaintext"]).timeout(harness::PATIENCE).assert()
}

/// A server that was started like this; nothing where the machine has no IPv6.
fn started(host: &str, more: &[&str]) -> Option<Running> {
    let v6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    if host.contains("::") && !v6 {
        eprintln!("SKIPPED: {host}: this machine has no IPv6");
        return None;
    }
    let arguments = [&[host, "--memory", "--plaintext"], more].concat();
    Some(Running::start(&arguments))
}

#[test]
fn every_form_of_an_address_is_taken_and_what_is_printed_can_be_typed() {
    for (host, more) in [
        ("[::1]", &["-p", "0"][..]),
        ("[::1]:0", &[]),
        ("::1", &["-p", "0"]),
        ("localhost:0", &[]),
        ("127.0.0.1:0", &["-p", "0"]),
    ] {
        let Some(server) = started(host, more) else { continue };
        let (address, line) = (server.address, &server.client_line);
        assert!(address.ip().is_loopback() && address.port() != 9000, "{host}: {address}");
        let words: Vec<_> = line.split_whitespace().collect();
        let typed = format!("{} {} {}", words[1], words[2], words[3]);
        let bare = host.trim_start_matches('[').split(']').next().unwrap();
        let bare = if bare.contains("::") { bare } else { bare.split(':').next().unwrap() };
        assert_eq!(typed, format!("{bare} -p {}", address.port()));
    }
}

#[test]
fn an_address_is_printed_as_people_write_it() {
    let Some(server) = started("0::1", &["-p", "0"]) else { return };
    assert!(server.client_line.starts_with("chatterbox-client ::1 -p "), "{}", server.client_line);
}

#[test]
fn a_server_for_everybody_prints_a_line_for_others() {
    let loopback = |host: &str| {
        host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
    };
    for host in ["0.0.0.0", "[::]"] {
        let Some(server) = started(host, &["-p", "0"]) else { continue };
        let (address, line) = (server.address, &server.client_line);
        assert!(address.ip().is_unspecified());
        let shown = line.split_whitespace().nth(1).unwrap();
        // A machine without any network has nothing better than localhost.
        assert!(!loopback(shown), "{line}");
        let port = address.port();
        std::net::TcpStream::connect((shown, port))
            .unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn its_local_certificate_is_for_the_address_that_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().display().to_string();
    let server = Running::start(&["0.0.0.0", "-p", "0", "--memory", "--certs", &certs]);
    assert!(server.printed().contains("on other machines"), "{}", server.printed());
    let shown = server.client_line.split_whitespace().nth(1).unwrap().to_owned();
    let name = rustls::pki_types::ServerName::try_from(shown.clone()).unwrap();
    let authority = folder.path().join("ca.crt");
    let session = rustls::ClientConnection::new(harness::trusting(&authority), name).unwrap();
    let stream = std::net::TcpStream::connect((shown.as_str(), server.address.port())).unwrap();
    stream.set_read_timeout(Some(harness::PATIENCE)).unwrap();
    let mut stream = rustls::StreamOwned::new(session, stream);
    let welcome = harness::process::join(&mut stream, "ann");
    assert!(welcome.contains("\"USERNAME_ACCEPTED\": true"), "{welcome}");
    // A later start for this machine alone needs no other authority.
    let before = std::fs::read(&authority).unwrap();
    drop(server);
    Running::start(&["localhost", "-p", "0", "--memory", "--certs", &certs]);
    assert_eq!(std::fs::read(&authority).unwrap(), before);
}

#[test]
fn words_that_were_meant_as_something_else_get_an_answer() {
    for (arguments, code, said) in [
        (&["localhost", "5000"][..], 64, "run: chatterbox-server localhost -p 5000"),
        (&["localhost", "-ca", "ca.crt"], 64, "--cert FILE and --key FILE"),
        (&["5000"], 64, "a port is given as -p 5000"),
        (&[":5000"], 64, "localhost:5000"),
        (&["localhost:1", "-p", "2"], 64, "the host says port 1, and -p says 2"),
        (&["localhost:http"], 64, "not a number up to 65535"),
        (&["https://chat.example"], 64, "no URL is needed"),
        (&["::1:5000:1:2:3:4:5:6:7:8", "-p", "0"], 64, "[::1]:5000"),
        (&["statsu"], 64, "there is no command \"statsu\"; did you mean status?"),
        (&["bakcup"], 64, "did you mean backup?"),
    ] {
        command(arguments).code(code).stderr(contains(said));
    }
}
