//! A real server that knows TLS 1.0 only: openssl's, where this machine's can still do that.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test that writes certificates and starts a program"
)]

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
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

const OLD: [&str; 3] = ["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"];

/// A TLS 1.0 server and where it listens; `None` when this openssl has no such thing.
fn serve(folder: &Path) -> Option<(Running, SocketAddr)> {
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let (cert, key) = (folder.join("c.pem"), folder.join("k.pem"));
    std::fs::write(&cert, &identity.pem).unwrap();
    std::fs::write(&key, &identity.key_pem).unwrap();
    let mut child = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0"])
        .args(OLD)
        .arg("-cert")
        .arg(&cert)
        .arg("-key")
        .arg(&key)
        // Open as long as the test lasts: its end would be the server's.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let server = Running(child);
    let mut lines = output.lines().map_while(Result::ok);
    let line = lines.find(|line| line.starts_with("ACCEPT "))?;
    let address = line.trim_start_matches("ACCEPT ").trim().parse().ok()?;
    // Nobody reads on; it would block once the pipe is full.
    std::thread::spawn(move || lines.for_each(drop));
    Some((server, address))
}

/// Whether a client that asks for TLS 1.0 gets it.
fn speaks_it(address: SocketAddr) -> bool {
    let client = Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string()])
        .args(OLD)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&client.stdout);
    let line = said.lines().find(|line| line.contains("Protocol"));
    line.is_some_and(|line| line.trim_end().ends_with("TLSv1"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_knows_only_tls_1_0() {
    let there = Command::new("openssl").arg("version").output().is_ok_and(|o| o.status.success());
    if !there {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "openssl is required and not here");
        eprintln!("SKIPPED: openssl is not here, so no real TLS 1.0 server is graded");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some((_server, address)) = serve(folder.path()).filter(|(_, at)| speaks_it(*at)) else {
        // Many are built without it by now; that is nothing to install.
        eprintln!("SKIPPED: this openssl can't do TLS 1.0, so no real server of it is graded");
        return;
    };
    let subject = Subject::At { host: "localhost".into(), addresses: vec![address] };
    let options =
        Options { trust: Trust::Anything, timeout_scale: 0.5, seed: Some(1), ..Options::default() };
    let judged = tokio::time::timeout(Duration::from_secs(60), run(&subject, &options)).await;
    let report = judged.unwrap().unwrap();
    let page = anstream::adapter::strip_str(&console::render(&report)).to_string();
    assert_eq!(report.exit_code(), 1, "{page}");
    let failed = report.cases.iter().filter(|case| case.is_failure(false));
    assert_eq!(
        failed.map(|case| case.id.as_str()).collect::<Vec<_>>(),
        ["tls.handshake"],
        "{page}"
    );
    assert!(page.contains("the alert protocol_version"), "{page}");
}
