//! A running server as its operator controls it from the command line: real processes, and peers at the socket that are not kind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;
use chatterbox_proto::client_frame;
use harness::PATIENCE;
use harness::process::{Running, connect, connect_tls, join, read_frame, try_read};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery staple";

/// A data folder of its own, which nobody else may write to.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let folder = Self(folder);
        folder.allow(0o700);
        folder
    }

    fn allow(&self, mode: u32) {
        fs::set_permissions(self.path("data"), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn socket(&self) -> PathBuf {
        self.path("data/control.sock")
    }

    /// Starts a server without TLS.
    fn start(&self, arguments: &[&str]) -> Running {
        let data = self.path("data").display().to_string();
        let line = ["127.0.0.1", "-p", "0", "--plaintext", "--data", &data];
        Running::start(&[&line[..], arguments].concat())
    }

    /// Runs a subcommand for its server.
    fn run(&self, arguments: &[&str]) -> Assert {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], stdin: &str) -> Assert {
        let mut command = assert_cmd::Command::cargo_bin("chatterbox-server").unwrap();
        // The configuration file of whoever runs the tests is not looked for.
        command.env("XDG_CONFIG_HOME", self.0.path()).timeout(PATIENCE);
        command.args(arguments).arg("--data").arg(self.path("data"));
        command.write_stdin(stdin).assert()
    }

    fn add(&self, name: &str, level: &str) {
        self.run_with(&["user", "add", name, "--level", level], &format!("{PASSWORD}\n")).success();
    }

    fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]).success().get_output().stdout.clone();
        serde_json::from_slice(&output).unwrap()
    }
}

/// Logs in with accounts, commands and notices; gives the welcome as well.
fn log_in(server: &Running, name: &str) -> (TcpStream, String) {
    let mut stream = connect(server.address);
    let body = format!(
        r#"{{"USERNAME": "{name}", "CAPABILITIES": "accounts/1 commands/1 notices/1", "PASSWORD": "{PASSWORD}"}}"#
    );
    stream.write_all(&chatterbox_proto::frame::encode(body.as_bytes()).unwrap()).unwrap();
    let welcome = read_frame(&mut stream);
    assert!(welcome.contains("\"USERNAME_ACCEPTED\": true"), "{welcome}");
    (stream, welcome)
}

/// Reads until a frame with this text.
fn read_until(stream: &mut impl std::io::Read, text: &str) -> String {
    loop {
        let frame = try_read(stream).unwrap_or_else(|| panic!("ended without {text:?}"));
        if frame.contains(text) {
            return frame;
        }
    }
}

/// Reads to the end, and gives all of it.
fn read_to_end(stream: &mut TcpStream) -> String {
    std::iter::from_fn(|| try_read(stream)).collect()
}

fn waits_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn status_says_who_is_here_and_what_the_server_has() {
    let folder = Folder::new();
    folder.add("ann", "moderator");
    let file = folder.path("server.toml");
    let rooms = "[rooms.\"#lab\"]\nowner = \"ann\"\n[rooms.\"#den\"]\nhidden = true\n";
    fs::write(&file, rooms).unwrap();
    let activity = folder.path("activity").display().to_string();
    let file = file.display().to_string();
    let gateways = ["--web", "127.0.0.1:0", "--telnet", "127.0.0.1:0"];
    let settings = ["--config", &file, "--activity-log", &activity];
    let server = folder.start(&[&settings[..], &gateways].concat());
    let (_ann, _) = log_in(&server, "ann");
    let mut bob = connect(server.address);
    assert!(join(&mut bob, "bob").contains("true"));
    let message = client_frame::say([&chatterbox_proto::Entry {
        source: "bob".into(),
        destination: "ALL".into(),
        timestamp: 1,
        content: "hello".into(),
    }]);
    bob.write_all(&message.unwrap()).unwrap();
    bob.write_all(&chatterbox_proto::frame::encode(b"{}").unwrap()).unwrap();
    read_until(&mut bob, "ERROR");
    assert!(!join(&mut connect(server.address), "bob").contains("true"), "the name is taken");

    folder
        .run(&["status"])
        .success()
        .stdout(contains(format!("process {}", server.id())))
        .stdout(contains(format!("listens on    {} (no TLS)", server.address)))
        .stdout(
            predicates::str::is_match("(?m)^ann +ann +3 \\(moderator\\) +127.0.0.1 +20").unwrap(),
        )
        .stdout(predicates::str::is_match("(?m)^bob +- +0 \\(guest\\) +127.0.0.1 +20").unwrap());
    folder.run(&["status"]).success().stdout(
        contains("2 rooms beside the lobby")
            .and(predicates::str::is_match("(?m)^#den +- +0 +0 +hidden$").unwrap()),
    );
    let status = folder.status();
    assert_eq!(status["log"]["activity"], activity);
    for (key, line) in [("web", "browsers at   "), ("telnet", "telnet at     ")] {
        let address = status[key][0].as_str().unwrap();
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        folder.run(&["status"]).success().stdout(contains(format!("{line}{address}")));
    }
    assert_eq!(status["room_count"], 2);
    let lab = status["rooms"].as_array().unwrap().iter().find(|room| room["name"] == "#lab");
    assert_eq!(lab.unwrap()["owner"], "ann");
    assert_eq!(status["user_count"], 2);
    assert_eq!(status["users"][0]["name"], "ann");
    assert_eq!(status["users"][1]["account"], Value::Null);
    assert_eq!(status["addresses"][0], server.address.to_string());
    let minute = &status["minute"];
    assert_eq!((&minute["messages"], &minute["joins"]), (&1.into(), &2.into()), "{minute}");
    assert_eq!(minute["refused_joins"], 1, "{minute}");
    assert_eq!(minute["refused_frames"], 1, "{minute}");
    assert_eq!(status["stored"]["messages"], 1);
    assert!(status["stored"]["bytes"].as_u64().unwrap() > 4096);
    assert_eq!(status["memory"]["waiting_limit"], 64 * 1024 * 1024);
    assert!(status["connections"].as_u64().unwrap() >= 2);
}

#[test]
fn the_socket_is_for_its_owner_and_goes_with_a_graceful_stop() {
    let folder = Folder::new();
    let server = folder.start(&["--grace", "0"]);
    let found = fs::symlink_metadata(folder.socket()).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    assert!(!folder.socket().exists());
}

#[test]
fn without_a_server_every_command_says_so_with_a_code_of_its_own() {
    let folder = Folder::new();
    for line in [
        &["status"][..],
        &["status", "--json"],
        &["announce", "hello"],
        &["reload"],
        &["stop"],
        &["kick", "bob"],
        &["ban", "192.0.2.0/24", "--for", "2h"],
        &["unban", "7"],
    ] {
        let no_server = contains("no server runs with the data folder").and(contains("hint: "));
        folder.run(line).code(68).stderr(no_server).stdout("");
    }
    let _memory = Running::start(&["localhost", "-p", "0", "--plaintext", "--memory"]);
    folder.run(&["status"]).code(68).stderr(contains("--memory can't be controlled"));
    assert!(!folder.socket().exists());
}

#[test]
fn a_second_server_in_a_folder_leaves_the_first_its_socket() {
    let folder = Folder::new();
    let first = folder.start(&[]);
    let inode = fs::symlink_metadata(folder.socket()).unwrap().ino();
    folder.run(&["localhost", "-p", "0", "--plaintext"]).code(74).stderr(contains("in use"));
    assert_eq!(fs::symlink_metadata(folder.socket()).unwrap().ino(), inode);
    assert_eq!(folder.status()["process"], first.id());
}

#[test]
fn a_socket_of_a_killed_server_is_replaced() {
    let folder = Folder::new();
    let first = folder.start(&[]);
    first.signal(Signal::KILL);
    first.end();
    assert!(folder.socket().exists(), "nobody has removed it");
    folder.run(&["status"]).code(68).stderr(contains("no server runs"));
    let second = folder.start(&[]);
    assert_eq!(folder.status()["process"], second.id());
}

#[test]
fn a_folder_that_others_may_write_to_has_a_chat_and_no_control() {
    let folder = Folder::new();
    folder.allow(0o777);
    let mut server = folder.start(&[]);
    assert!(join(&mut connect(server.address), "ann").contains("true"));
    assert!(!folder.socket().exists());
    folder
        .run(&["status"])
        .code(68)
        .stderr(contains("others may write").and(contains("chmod go-w")));
    server.signal(Signal::TERM);
    server.log_line("stopped");
}

#[test]
fn another_user_of_the_machine_is_turned_away() {
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;
    let folder = Folder::new();
    let server = folder.start(&[]);
    // Everybody may come near it, and the socket alone decides.
    fs::set_permissions(folder.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder.allow(0o755);
    let program = assert_cmd::cargo::cargo_bin("chatterbox-server");
    let status = || {
        let mut command = std::process::Command::new(&program);
        command.args(["status", "--data"]).arg(folder.path("data")).current_dir("/");
        command.env("HOME", "/").uid(NOBODY).output()
    };
    let Ok(refused) = status() else {
        return eprintln!("SKIPPED: only root can run programs as another user");
    };
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(77), "{told}");
    assert!(told.contains("hint: ") && refused.stdout.is_empty(), "{told}");
    // Where the rights of the file were to fail, the user of the peer is looked at.
    fs::set_permissions(folder.socket(), fs::Permissions::from_mode(0o666)).unwrap();
    let refused = status().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(75), "{told}");
    assert!(refused.stdout.is_empty(), "not a word of who is here");
    assert_eq!(folder.status()["process"], server.id());
}

/// The answer to these bytes, to its end.
fn answer_to(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // It may be closed before all is written.
    let _ = stream.write_all(bytes);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn garbage_and_floods_at_the_socket_are_refused_and_change_nothing() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let socket = folder.socket();
    for (bytes, code) in [
        (&b"\n"[..], "bad-request"),
        (b"\xff\xfe\x00\n", "bad-request"),
        (b"GET / HTTP/1.1\r\n\r\n", "bad-request"),
        (b"{\"v\": 1, \"do\": \"dance\"}\n", "bad-request"),
        (b"{\"v\": 1, \"do\": \"announce\", \"text\": \"\"}\n", "bad-request"),
        (b"{\"v\": 1, \"do\": \"accounts-changed\", \"name\": \"\\u001b\"}\n", "bad-request"),
        (b"{\"v\": 99, \"do\": \"status\"}\n", "version"),
        (&[b'['; 200_000], "bad-request"),
    ] {
        let answer = answer_to(&socket, bytes);
        // What the server had no wish to read may have cut the answer to a flood off.
        let is_flood = bytes.len() > 64 * 1024;
        assert!(answer.contains(code) || is_flood && answer.is_empty(), "{bytes:?}: {answer}");
        assert!(answer.lines().count() <= 1, "{answer}");
    }
    let answer =
        answer_to(&socket, b"{\"v\": 1, \"do\": \"status\"}\n{\"v\": 1, \"do\": \"stop\"}\n");
    assert!(answer.contains("\"status\""), "{answer}");
    assert_eq!(folder.status()["process"], server.id(), "the second line was not read");
}

#[test]
fn half_open_peers_hold_eight_places_for_seconds_and_no_longer() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let half = |_| {
        let mut stream = UnixStream::connect(folder.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"{\"v\": 1, \"do\":").unwrap();
        stream
    };
    let begin = Instant::now();
    let stuck: Vec<_> = (0..8).map(half).collect();
    let mut line = String::new();
    let ninth = half(8);
    BufReader::new(ninth).read_line(&mut line).unwrap();
    assert!(line.contains("busy"), "{line}");
    for mut stream in stuck {
        assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "it is closed without a word");
    }
    assert!(begin.elapsed() >= Duration::from_secs(3), "whoever is slow has some seconds");
    assert_eq!(folder.status()["process"], server.id());
}

#[test]
fn everybody_hears_an_announcement_over_tls() {
    let folder = Folder::new();
    let (data, certs) = (folder.path("data"), folder.path("certs"));
    let (data, certs) = (data.display().to_string(), certs.display().to_string());
    let server = Running::start(&["localhost", "-p", "0", "--data", &data, "--certs", &certs]);
    let mut base = connect_tls(server.address, &folder.path("certs/ca.crt"));
    join(&mut base, "base");
    let mut modern = connect_tls(server.address, &folder.path("certs/ca.crt"));
    let hello = br#"{"USERNAME": "modern", "CAPABILITIES": "notices/1"}"#;
    modern.write_all(&chatterbox_proto::frame::encode(hello).unwrap()).unwrap();
    read_frame(&mut modern);
    folder.run(&["announce", "we close", "at noon"]).success().stdout("told 2 users\n");
    let heard = read_until(&mut base, "we close at noon");
    assert!(heard.contains("\"SERVER\", \"ALL\"") || heard.contains("SERVER"), "{heard}");
    let heard = read_until(&mut modern, "we close at noon");
    assert!(heard.contains("announcement") && heard.contains("NOTICES"), "{heard}");
    // Who comes later does not.
    let welcome = join(&mut connect_tls(server.address, &folder.path("certs/ca.crt")), "late");
    assert!(!welcome.contains("noon"), "{welcome}");
    let output = folder.run(&["announce", "--json", "again"]).success().get_output().stdout.clone();
    let told: Value = serde_json::from_slice(&output).unwrap();
    assert!(told["users"].as_u64().unwrap() >= 2, "{told}");
    folder.run(&["announce", &"x".repeat(4001)]).code(65).stderr(contains("4000"));
    let days = folder.status()["certificate_days"].as_i64().unwrap();
    assert!((300..=400).contains(&days), "{days}");
}

#[test]
fn reload_says_what_has_changed_and_what_waits() {
    let folder = Folder::new();
    let file = folder.path("server.toml");
    let write = |text: &str| fs::write(&file, text).unwrap();
    write("max-name = 5\nlog = \"info\"\n");
    let path = file.display().to_string();
    let server = folder.start(&["--config", &path]);
    let accepted = || join(&mut connect(server.address), "longer").contains("ACCEPTED\": true");
    assert!(!accepted());
    folder.run(&["reload"]).success().stdout(contains("no setting has changed"));
    write("max-name = 8\nlog = \"debug\"\n");
    folder
        .run(&["reload"])
        .success()
        .stdout("changed: max-name = 8 (was 5)\nwaits for a restart: log = debug (was info)\n");
    assert!(accepted());
    let output = folder.run(&["reload", "--json"]).success().get_output().stdout.clone();
    let reloaded: Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(reloaded["waiting"][0]["setting"], "log");
    assert_eq!(reloaded["changed"], Value::Array(Vec::new()));
    write("max-nam = 8\n");
    folder
        .run(&["reload"])
        .code(78)
        .stdout(contains("not read: ").and(contains("did you mean \"max-name\"?")))
        .stderr(contains("the old settings stay in use"));
    assert!(accepted());
}

#[test]
fn stop_tells_everybody_and_waits_until_the_server_has_gone() {
    let folder = Folder::new();
    let server = folder.start(&["--grace", "3600"]);
    let mut ann = connect(server.address);
    join(&mut ann, "ann");
    let waiting = std::thread::spawn({
        let data = folder.path("data");
        move || {
            let mut command = assert_cmd::Command::cargo_bin("chatterbox-server").unwrap();
            command.args(["stop", "--in", "1"]).arg("--data").arg(data).timeout(PATIENCE).assert()
        }
    });
    let told = read_until(&mut ann, "shutting down in 1 s");
    assert!(told.contains("SERVER"), "{told}");
    waiting.join().unwrap().success().stdout("stopped\n").stderr(contains("1 user is told"));
    // The process has ended by now: its folder is free, and so is its socket.
    assert!(!folder.socket().exists());
    folder.run(&["status"]).code(68);
    let again = folder.start(&[]);
    assert_eq!(folder.status()["process"], again.id());
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_stop_in_a_while_lets_people_in_until_the_grace_begins_and_can_be_brought_forward() {
    let folder = Folder::new();
    let server = folder.start(&["--grace", "2"]);
    let mut ann = connect(server.address);
    join(&mut ann, "ann");
    let data = folder.path("data");
    let stop = move |seconds: &'static str| {
        let data = data.clone();
        std::thread::spawn(move || {
            let mut command = assert_cmd::Command::cargo_bin("chatterbox-server").unwrap();
            command
                .args(["stop", "--in", seconds])
                .arg("--data")
                .arg(data)
                .timeout(PATIENCE)
                .assert()
        })
    };
    let first = stop("3600");
    read_until(&mut ann, "shutting down in 3600 s");
    assert!(join(&mut connect(server.address), "bob").contains("true"), "the doors are open");
    let stops = folder.status()["stops"].as_i64().unwrap();
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(stops.unsigned_abs().abs_diff(since_1970 + 3600) < 120, "{stops}");
    stop("0").join().unwrap().success();
    first.join().unwrap().success().stdout("stopped\n");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn whoever_waits_for_a_stop_takes_no_place_from_others() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    // As many as there are places, each interrupted while it waits.
    for _ in 0..8 {
        let mut stream = UnixStream::connect(folder.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"{\"v\": 1, \"do\": \"stop\", \"seconds\": 600}\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        assert!(line.contains("stopping"), "{line}");
    }
    assert_eq!(folder.status()["process"], server.id());
    folder.run(&["stop", "--in", "0"]).success().stdout("stopped\n");
}

#[test]
fn a_new_password_counts_at_once() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&[]);
    let (mut ann, _) = log_in(&server, "ann");
    folder
        .run_with(&["user", "passwd", "ann"], "battery staple correct\n")
        .success()
        .stderr(contains("logged out everywhere: "));
    // It was told before the command had ended.
    assert_eq!(folder.status()["user_count"], 0);
    assert!(read_to_end(&mut ann).contains("AN-1"));
}

#[test]
fn a_removed_account_has_gone_at_once() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&[]);
    let (mut ann, _) = log_in(&server, "ann");
    folder.run(&["user", "del", "ann"]).success().stderr(contains("the account ann is removed"));
    assert_eq!(folder.status()["user_count"], 0);
    assert!(read_to_end(&mut ann).contains("removed"));
    folder.add("bob", "user");
    folder.run(&["user", "level", "bob", "2"]).success().stderr(contains("nobody is logged in"));
}

#[test]
fn another_level_counts_at_once_for_who_is_here() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&[]);
    let (mut ann, welcome) = log_in(&server, "ann");
    assert!(!welcome.contains("set-prefix"));
    folder
        .run(&["user", "level", "ann", "admin"])
        .success()
        .stderr(contains("ann has level 5 (admin) now: ").and(contains("1 connection")));
    assert_eq!(folder.status()["users"][0]["level"], 5, "before the command had ended");
    // The notice and the catalogue come in either order.
    let (mut told, mut listed) = (false, false);
    while !(told && listed) {
        let frame = read_frame(&mut ann);
        told |= frame.contains("You have level 5 (admin) now.");
        listed |= frame.contains("set-prefix");
    }
    folder.run(&["user", "level", "ann", "1"]).success().stderr(contains("1 connection"));
    folder.run(&["user", "level", "ann", "1"]).success().stderr(contains("nothing changes"));
    assert_eq!(folder.status()["users"][0]["level"], 1);
}

#[test]
fn a_lower_level_takes_what_the_admin_password_has_given() {
    let folder = Folder::new();
    folder.add("ann", "moderator");
    folder.run_with(&["admin-password"], &format!("{PASSWORD}\n")).success();
    let server = folder.start(&[]);
    let (mut ann, _) = log_in(&server, "ann");
    let call =
        format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "elevate", "ARGS": ["{PASSWORD}"]}}}}"#);
    ann.write_all(&chatterbox_proto::frame::encode(call.as_bytes()).unwrap()).unwrap();
    read_until(&mut ann, "RESULT");
    assert_eq!(folder.status()["users"][0]["level"], 5);
    folder.run(&["user", "level", "ann", "operator"]).success();
    assert_eq!(folder.status()["users"][0]["level"], 5, "it has not fallen");
    folder.run(&["user", "level", "ann", "user"]).success().stderr(contains("1 connection"));
    assert_eq!(folder.status()["users"][0]["level"], 1);
}

#[test]
fn without_a_socket_a_level_is_noticed_within_seconds() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&[]);
    let (mut ann, _) = log_in(&server, "ann");
    fs::rename(folder.socket(), folder.path("data/aside.sock")).unwrap();
    folder
        .run(&["user", "level", "ann", "admin"])
        .success()
        .stderr(contains("a server that runs notices within seconds"));
    read_until(&mut ann, "set-prefix");
    fs::rename(folder.path("data/aside.sock"), folder.socket()).unwrap();
    waits_until("ann is an admin", || folder.status()["users"][0]["level"] == 5);
}

#[test]
fn a_kick_and_a_ban_from_the_shell_are_told_and_hold() {
    let folder = Folder::new();
    folder.add("root", "admin");
    let server = folder.start(&[]);
    let mut witness = connect(server.address);
    join(&mut witness, "witness");
    let mut bob = connect(server.address);
    join(&mut bob, "bob");
    folder.run(&["kick", "nobody"]).code(67).stderr(contains("nobody"));
    folder.add("away", "user");
    folder.run(&["kick", "away"]).success().stdout(contains("away is not here, and may not come"));
    folder.run(&["kick", "bob", "too", "loud"]).success().stdout(contains("bob had to go"));
    assert!(read_to_end(&mut bob).contains("too loud"));
    read_until(&mut witness, "USERS_LEFT");
    assert!(!join(&mut connect(server.address), "bob").contains("ACCEPTED\": true"));

    // An admin is not above whoever runs the server.
    let (mut root, _) = log_in(&server, "root");
    let banned = folder.run(&["ban", "root", "--for", "2h", "--json", "enough"]).success();
    let done: Value = serde_json::from_slice(&banned.get_output().stdout).unwrap();
    assert_eq!((&done["about"], &done["ended"]), (&"root".into(), &1.into()), "{done}");
    assert!(done["until"].as_i64().is_some());
    assert!(read_to_end(&mut root).contains("enough"));
    folder.run(&["unban", "root"]).success().stdout("root may come in again.\n");
    log_in(&server, "root");
    folder.run(&["unban", "root"]).code(67).stderr(contains("there is no ban"));

    // It would hit others: it asks first.
    let mut other = connect(server.address);
    join(&mut other, "other");
    folder.run(&["ban", "127.0.0.0/8"]).code(75).stderr(contains("give --yes"));
    assert_eq!(folder.status()["user_count"].as_u64().map(|count| count >= 2), Some(true));
    folder.run(&["ban", "127.0.0.0/8", "--yes"]).success().stdout(contains("connections ended"));
    assert_eq!(folder.status()["user_count"], 0);
    folder.run(&["unban", "127.0.0.0/8"]).success();
    assert!(join(&mut connect(server.address), "other").contains("ACCEPTED\": true"));
}
