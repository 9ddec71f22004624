//! A running server as its operator controls it from the command line: real processes, and peers at the socket that are not kind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

#[path = "control/accounts.rs"]
mod accounts;
mod harness;
#[path = "control/socket.rs"]
mod socket;
#[path = "control/status.rs"]
mod status;
#[path = "control/stopping.rs"]
mod stopping;

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
        let mut command = harness::program::server();
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
