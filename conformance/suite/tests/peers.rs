//! A server in another language, written from the norm alone, is graded with full marks.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test that writes certificates and starts a program"
)]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use conformance_kit::{identity::Identity, net::tls::Trust};
use conformance_suite::{Options, Subject, report::console, run};

/// Ends the server when the test ends, however it does.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether there is a Python; a missing one is told, and fails where services are required.
fn python() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok_and(|o| o.status.success());
    if !there {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "python3 is required and not here");
        eprintln!("SKIPPED: python3 is not here, so its server is not graded");
    }
    there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_server_has_full_marks() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let (cert, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&cert, &identity.pem).unwrap();
    std::fs::write(&key, &identity.key_pem).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/server.py");
    let mut child = Command::new("python3")
        .arg(script)
        .args(["127.0.0.1", "-p", "0", "--exit-on-eof", "--cert"])
        .arg(&cert)
        .arg("--key")
        .arg(&key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let _server = Running(child);
    let mut ready = String::new();
    BufReader::new(stdout).read_line(&mut ready).unwrap();
    let mut words = ready.split_whitespace().skip(2);
    let (address, port) = (words.next().unwrap(), words.next().unwrap());
    let subject = Subject::At {
        host: "localhost".into(),
        addresses: vec![format!("{address}:{port}").parse().unwrap()],
    };
    let options =
        Options { trust: Trust::Authority(identity.chain), seed: Some(1), ..Options::default() };
    let report = run(&subject, &options).await.unwrap();
    let shown = anstream::adapter::strip_str(&console::render(&report)).to_string();
    assert_eq!(report.exit_code(), 0, "{shown}");
    assert_eq!(report.totals().warned, 0, "{shown}");
}
