//! A client in Python, written from the norm alone, chats with this server.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::path::Path;
use std::process::Stdio;

use chatterbox_server::Config;
use harness::{PATIENCE, Server};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Whether Python is installed; without it the test is skipped, or fails where services are required.
async fn python() -> bool {
    let there = Command::new("python3").arg("--version").output().await;
    if there.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(!required, "python3 is required and not here");
    eprintln!("SKIPPED: python3 is not here, so its client is not tried");
    false
}

struct Client {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Client {
    fn start(server: &Server) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/peers/client.py");
        let mut child = Command::new("python3")
            .arg(script)
            .args(["localhost", "-p", &server.address.port().to_string(), "-ca"])
            .arg(server.authority_file())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, lines }
    }

    async fn types(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Reads until a line with this text.
    async fn shows(&mut self, text: &str) -> String {
        let reading = async {
            loop {
                let line = self.lines.next_line().await.unwrap();
                let line = line.unwrap_or_else(|| panic!("ended before it showed {text:?}"));
                if line.contains(text) {
                    return line;
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap()
    }
}

#[tokio::test]
async fn the_python_client_chats_here() {
    if !python().await {
        return;
    }
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    ann.say("ALL", "before").await;
    ann.until("before").await;

    let mut bob = Client::start(&server);
    bob.types("ann").await;
    bob.shows("in use").await;
    bob.types("bob").await;
    bob.shows("before").await;
    assert_eq!(ann.next().await.joined.len(), 1);

    bob.types("grüße an alle").await;
    assert_eq!(ann.until("grüße an alle").await, ["grüße an alle"]);
    bob.types("@ann psst").await;
    assert_eq!(ann.until("psst").await, ["psst"]);
    ann.say("bob", "\"quoted\" 👍").await;
    bob.shows("\"quoted\" 👍").await;
    bob.types("@zoe hello?").await;
    bob.shows("DE-2").await;
    bob.types("/quit").await;
    ann.sees_leave("bob").await;
    assert!(bob.child.wait().await.unwrap().success());
}
