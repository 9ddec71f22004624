//! The program as people run it: its lines, its ends, its signals.
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
use std::net::{TcpListener, TcpStream};

use harness::process::{Running, connect, connect_tls, join, read_frame};
use predicates::str::contains;
use rustix::process::Signal;

fn command() -> assert_cmd::Command {
    harness::program::server()
}

#[test]
fn help_teaches_and_version_tells() {
    command()
        .arg("--help")
        .assert()
        .success()
        .stdout(contains("chatterbox-server localhost -p 5000"))
        .stdout(contains("Exit codes:"));
    command().arg("--version").assert().success().stdout(contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_arguments_are_64() {
    for arguments in [&["-p", "x"][..], &["a", "b"], &["--nonsense"], &["--log", "a=b=c"]] {
        command().args(arguments).assert().code(64);
    }
}

#[test]
fn what_can_not_be_listened_on_is_said_with_a_hint() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    command()
        .args(["127.0.0.1", "--plaintext", "--memory", "-p", &port])
        .assert()
        .code(69)
        .stderr(contains("is in use already"))
        .stderr(contains("hint: "));
    command()
        .args(["no-such-host.invalid", "--plaintext", "--memory", "-p", "0"])
        .assert()
        .code(69)
        .stderr(contains("can't find the host"));
    command()
        .args(["192.0.2.1", "--plaintext", "--memory", "-p", "0"])
        .assert()
        .code(69)
        .stderr(contains("192.0.2.1"));
}

#[test]
fn a_gateway_that_can_not_be_had_is_said_with_its_own_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for flag in ["--web", "--telnet"] {
        command()
            .args(["127.0.0.1", "--plaintext", "--memory", "-p", "0", flag, &taken])
            .assert()
            .code(69)
            .stderr(contains(format!("{taken} is in use already")))
            .stderr(contains(format!("choose another port with {flag}, or {flag} 0 for any")));
        for (address, text) in
            [("no-such-host.invalid", "can't find the host"), ("192.0.2.1:8080", "192.0.2.1")]
        {
            command()
                .args(["127.0.0.1", "--plaintext", "--memory", "-p", "0", flag, address])
                .assert()
                .code(69)
                .stderr(contains(text))
                .stderr(contains("hint: give a name or address of this machine"));
        }
        for wrong in ["", "http://localhost:8080", "localhost:x", "99999"] {
            command().args([flag, wrong]).assert().code(64).stderr(contains(flag));
        }
    }
}

#[test]
fn the_page_has_an_address_to_open() {
    let plain = ["localhost", "-p", "0", "--memory", "--plaintext", "--web", "0"];
    let server = Running::start(&plain);
    let (_, url) = server.printed().split_once("to chat in a browser, open: ").unwrap();
    let url = url.lines().next().unwrap();
    let place = url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
    assert!(place.starts_with("localhost:"), "{url}");
    let mut stream = TcpStream::connect(place).unwrap();
    let head = format!("GET / HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("</html>"), "{answer}");
    assert!(!server.printed().contains("for browsers"), "{}", server.printed());
    drop(server);

    // What other machines reach has TLS, unless somebody says no.
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs").display().to_string();
    let public = ["localhost", "-p", "0", "--memory", "--certs", &certs, "--web", "0.0.0.0:0"];
    let printed = |line: &[&str]| Running::start(line).printed().to_owned();
    let all = printed(&public);
    assert!(all.contains("to chat in a browser, open: https://"), "{all}");
    assert!(all.contains("to chat, run: chatterbox-client localhost -p "), "{all}");
    let all = printed(&[&public[..], &["--web-plaintext"]].concat());
    assert!(all.contains("to chat in a browser, open: http://"), "{all}");
    assert!(all.contains("WARNING: no TLS for browsers"), "{all}");
}

#[test]
fn a_first_word_that_is_nearly_a_command_gets_a_hint() {
    for line in [&["statsu"][..], &["statsu", "--json"], &["statsu", "-p", "5000"]] {
        command()
            .args(line)
            .assert()
            .code(64)
            .stderr(contains("there is no command \"statsu\"; did you mean status?"))
            .stderr(contains("hint: "));
    }
    command()
        .args(["no-such-host", "--plaintext", "--memory", "-p", "0"])
        .assert()
        .code(69)
        .stderr(contains("the first word is the host to listen on"));
}

#[test]
fn a_server_that_nobody_could_connect_to_does_not_start() {
    let program = assert_cmd::cargo::cargo_bin("chatterbox-server");
    assert_cmd::Command::from_std(harness::program::other("sh"))
        .args(["-c", "ulimit -n 64; exec \"$0\" --plaintext --memory -p 0"])
        .arg(program)
        .timeout(std::time::Duration::from_secs(60))
        .assert()
        .code(71)
        .stderr(contains("nobody could connect"))
        .stderr(contains("ulimit -n 1024"));
}

#[test]
fn bad_certificates_are_78_and_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let pair = || rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (first, second) = (pair(), pair());
    std::fs::write(path("a.crt"), first.cert.pem()).unwrap();
    std::fs::write(path("b.key"), second.signing_key.serialize_pem()).unwrap();
    std::fs::write(path("empty"), "").unwrap();
    std::fs::write(path("file"), "not a folder").unwrap();
    let missing = path("missing");
    let below_file = path("file/certs");
    for (arguments, text) in [
        (vec!["--cert", &missing], "missing: No such file or directory\nhint: is the path right?"),
        (vec!["--cert", &path("empty")], "no certificate in it"),
        (vec!["--cert", &path("a.crt")], "no private key in it"),
        (vec!["--cert", &path("a.crt"), "--key", &path("b.key")], "hint: certificate and key"),
        (vec!["--certs", &below_file], "hint: give a folder that can be written"),
    ] {
        let arguments = [vec!["localhost", "-p", "0", "--memory"], arguments].concat();
        command().args(&arguments).assert().code(78).stderr(contains(text));
    }
}

#[test]
fn the_readmes_line_works_and_says_how_to_get_in() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs").display().to_string();
    let server = Running::start(&["localhost", "-p", "0", "--memory", "--certs", &certs]);
    let port = server.address.port();
    assert_eq!(
        server.client_line,
        format!("chatterbox-client localhost -p {port} -ca {certs}/ca.crt")
    );
    let mut stream = connect_tls(server.address, &folder.path().join("certs/ca.crt"));
    assert!(join(&mut stream, "ann").contains("\"USERNAME_ACCEPTED\": true"));

    // The first signal says good bye, with a grace; nobody is left, so it ends at once then.
    server.signal(Signal::TERM);
    let notice = read_frame(&mut stream);
    assert!(notice.contains("\"SERVER\"") && notice.contains("shutting down"), "{notice}");
    drop(stream);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server =
        Running::start(&["localhost", "-p", "0", "--plaintext", "--memory", "--grace", "3600"]);
    let mut stream = connect(server.address);
    join(&mut stream, "ann");
    server.signal(Signal::INT);
    read_frame(&mut stream);
    // While the grace lasts nobody new gets in.
    assert!(TcpStream::connect(server.address).is_err());
    server.signal(Signal::INT);
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_restart_is_not_blocked_by_old_connections() {
    // B10: the server closes first, so its side of the connection is in TIME_WAIT.
    let server =
        Running::start(&["127.0.0.1", "-p", "0", "--plaintext", "--memory", "--grace", "0"]);
    let port = server.address.port().to_string();
    let mut stream = connect(server.address);
    join(&mut stream, "ann");
    server.signal(Signal::TERM);
    read_frame(&mut stream);
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
    drop(stream);
    assert_eq!(server.end().0, Some(0));
    let again = Running::start(&["127.0.0.1", "-p", &port, "--plaintext", "--memory"]);
    assert_eq!(again.address.port().to_string(), port);
}

#[test]
fn certificates_are_read_again_on_hangup() {
    let folder = tempfile::tempdir().unwrap();
    let combined = folder.path().join("combined.pem");
    let ca = folder.path().join("ca.crt");
    let write = || {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let pem = pair.cert.pem();
        std::fs::write(&combined, format!("{pem}{}", pair.signing_key.serialize_pem())).unwrap();
        std::fs::write(&ca, &pem).unwrap();
    };
    write();
    let path = combined.display().to_string();
    let mut server = Running::start(&["localhost", "-p", "0", "--memory", "--cert", &path]);
    let mut old = connect_tls(server.address, &ca);
    assert!(join(&mut old, "old").contains("true"));

    std::fs::write(&combined, "garbage").unwrap();
    server.signal(Signal::HUP);
    server.log_line("old certificates stay in use");
    assert!(join(&mut connect_tls(server.address, &ca), "still").contains("true"));

    write();
    server.signal(Signal::HUP);
    server.log_line("certificates read again");
    assert!(
        join(&mut connect_tls(server.address, &ca), "new").contains("true"),
        "only the new one is trusted"
    );
    // Connections of before go on.
    old.write_all(&chatterbox_proto::frame::encode(b"{}").unwrap()).unwrap();
    while !read_frame(&mut old).contains("ERROR") {}
}

#[test]
fn logs_hold_no_content_and_no_raw_bytes() {
    let server =
        Running::start(&["localhost", "-p", "0", "--plaintext", "--memory", "--log", "trace"]);
    let mut stream = connect(server.address);
    join(&mut stream, "\u{1b}[31mred");
    join(&mut stream, "ann");
    let body =
        br#"{"MESSAGES": [["ann", "ALL", 1, "secret-content"], ["\u001b[31m", "ALL", 1, "x"]]}"#;
    stream.write_all(&chatterbox_proto::frame::encode(body).unwrap()).unwrap();
    read_frame(&mut stream);
    drop(stream);
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    assert!(log.contains("ann"), "{log}");
    assert!(!log.contains("secret-content") && !log.contains('\u{1b}'), "{log}");
}

#[cfg(target_os = "linux")]
#[test]
fn absurd_lengths_and_stuck_peers_cost_no_memory() {
    let resident = |pid: u32| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let server = Running::start(&["localhost", "-p", "0", "--plaintext", "--memory"]);
    let mut ann = connect(server.address);
    join(&mut ann, "ann");
    let before = resident(server.id());
    let mut stuck = Vec::new();
    for number in 0..300 {
        let mut stream = connect(server.address);
        if number % 3 == 0 {
            // As much as a stranger may announce, and nothing behind it.
            stream.write_all(&65_536_u32.to_be_bytes()).unwrap();
        } else {
            join(&mut stream, &format!("u{number}"));
            stream.write_all(&4_000_000_u32.to_be_bytes()).unwrap();
            stream.write_all(b"{\"MESSAGES\": [").unwrap();
        }
        stuck.push(stream);
        let mut rude = connect(server.address);
        rude.write_all(&u32::MAX.to_be_bytes()).unwrap();
        assert!(read_frame(&mut rude).contains("FR-5"));
    }
    let grown = resident(server.id()).saturating_sub(before);
    // 300 connections announce 800 MB; what they cost is buffers of some kilobytes each.
    assert!(grown < 32 * 1024, "{grown} KiB more");
}

#[test]
fn settings_come_from_three_layers_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, "port = 5005\nmax-name = 20\ngrace = 1\n").unwrap();
    let config = |arguments: &[&str]| {
        let mut command = command();
        command.arg("config").arg("--config").arg(&file).args(arguments);
        command.env("CHATTERBOX_GRACE", "2").assert()
    };
    config(&["-p", "5006"])
        .success()
        .stdout(contains("port = 5006"))
        .stdout(contains("# command line"))
        .stdout(predicates::str::is_match("max-name = 20 +# file").unwrap())
        .stdout(predicates::str::is_match("grace = 2 +# environment").unwrap())
        .stdout(predicates::str::is_match("max-frame = 4194304 +# default").unwrap());
    config(&["--sample"]).success().stdout(contains("# max-frame = 4194304"));
    std::fs::write(&file, "max_name = 20\n").unwrap();
    config(&[]).code(78).stderr(contains("did you mean \"max-name\"?")).stderr(contains("hint: "));
}

#[test]
fn every_setting_of_the_sample_has_an_environment_variable() {
    let sample = command().args(["config", "--sample"]).output().unwrap().stdout;
    let sample = String::from_utf8(sample).unwrap();
    let settings: Vec<_> = sample
        .lines()
        .filter_map(|line| line.strip_prefix("# ")?.split_once(" = "))
        .filter(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .collect();
    assert!(settings.len() >= 25, "{settings:?}");
    for (key, default) in settings {
        let value = match key {
            "web-host" | "name" => "chat.example",
            "trust-proxy" => "10.0.0.1",
            _ if default.ends_with("# not set") => "1",
            _ => default.trim_matches('"'),
        };
        let variable = format!("CHATTERBOX_{}", key.replace('-', "_").to_uppercase());
        let mut command = command();
        command.arg("config").env(variable, value);
        if key == "key" {
            command.args(["--cert", "c"]);
        }
        let line = format!("(?m)^{key} = .*{value}.* # environment$");
        command.assert().success().stdout(predicates::str::is_match(line).unwrap());
    }
}

#[test]
fn a_name_for_browsers_that_the_certificate_lacks_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let [file, certs] = ["server.toml", "certs"].map(|name| folder.path().join(name));
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("max-name = 5\n");
    let (path, certs) = (file.display().to_string(), certs.display().to_string());
    let line = ["localhost", "-p", "0", "--memory", "--certs", &certs, "--config", &path];
    let mut server = Running::start(&line);
    write("web-host = \"chat.example,localhost\"\n");
    server.signal(Signal::HUP);
    let warning = server.log_line("the certificate is not for these names");
    assert!(warning.contains("chat.example") && !warning.contains("localhost"), "{warning}");
    assert!(warning.contains("at the next start"), "{warning}");
}

#[test]
fn settings_are_read_again_on_hangup_and_mistakes_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("max-name = 5\n");
    let path = file.display().to_string();
    let mut server =
        Running::start(&["localhost", "-p", "0", "--plaintext", "--memory", "--config", &path]);
    let accepted = |server: &Running, name: &str| {
        let mut stream = connect(server.address);
        join(&mut stream, name).contains("\"USERNAME_ACCEPTED\": true")
    };
    assert!(!accepted(&server, "longer"));

    write("max-name = 8\ndata = \"x\"\nlog = \"debug\"\n");
    server.signal(Signal::HUP);
    assert!(server.log_line("next start only").contains("log"));
    server.log_line("settings read again");
    assert!(accepted(&server, "longer"));

    write("max-name = 5\nmax-frames = 5\n");
    server.signal(Signal::HUP);
    assert!(server.log_line("old settings stay in use").contains("max-frame"));
    assert!(accepted(&server, "longest"));
}
