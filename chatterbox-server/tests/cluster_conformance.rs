//! The conformance suite against three nodes of one chat behind one address: three servers of the engine and three nodes as
//! processes, and a balancer that gives each connection to the next node.
#![cfg(feature = "cluster")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

#[path = "harness/engine.rs"]
mod engine;
#[path = "harness/program.rs"]
mod program;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use conformance_suite::{Options, Subject, Trust, report::console, run};
use tokio::net::{TcpListener, TcpStream};

const NODES: usize = 3;

/// However busy the machine is, a node has begun by then.
const STARTED: Duration = Duration::from_secs(120);

/// What is claimed beside the base. Keeping order takes minutes, since it waits for times to pass.
const CLAIMS: &str = "accounts,commands,flood,ids,notices,ping,recent,rename,rooms,utf8";

/// A node that ends with the test.
struct Node {
    process: Child,
    address: SocketAddr,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a node, and waits until it says that people get in.
fn node(number: usize, engine: &str, folder: &Path) -> Node {
    let mut process = program::process()
        .args(["127.0.0.1", "-p", "0", "--grace", "0", "--log", "warn"])
        .arg("--certs")
        .arg(folder.join("certs"))
        .args(["--cluster", engine, "--node", &format!("n{number}"), "--data"])
        .arg(folder.join(format!("data{number}")))
        .env("XDG_CONFIG_HOME", folder)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(process.stderr.take().unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    // It reads on until the node ends, or the node would wait for a reader.
    std::thread::spawn(move || {
        for line in said.lines().map_while(Result::ok) {
            eprintln!("n{number}: {line}");
            let port = line.split_once("chatterbox-client 127.0.0.1 -p ").map(|(_, rest)| rest);
            let port =
                port.and_then(|rest| rest.split(' ').next()).and_then(|port| port.parse().ok());
            if let Some(port) = port {
                let _: Result<(), _> = tell.send(SocketAddr::from(([127, 0, 0, 1], port)));
            }
        }
    });
    let address = told.recv_timeout(STARTED).unwrap();
    Node { process, address }
}

/// Gives each connection to the next node.
async fn balance(listener: TcpListener, nodes: Vec<SocketAddr>) {
    for node in nodes.iter().cycle() {
        let Ok((mut client, _)) = listener.accept().await else { return };
        let node = *node;
        tokio::spawn(async move {
            if let Ok(mut server) = TcpStream::connect(node).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}

/// Somebody whom one node let in is there for all others at once, whatever they ask.
#[tokio::test(flavor = "multi_thread")]
async fn every_must_and_should_holds_at_three_nodes() {
    let Some(engine) = engine::Engine::start(3) else { return };
    let folder = tempfile::tempdir().unwrap();
    let urls = engine.urls();
    let nodes: Vec<_> = (0..NODES).map(|number| node(number, &urls, folder.path())).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let balancer = tokio::spawn(balance(listener, nodes.iter().map(|node| node.address).collect()));
    let subject = Subject::Running(address.to_string().parse().unwrap());
    let claims = vec![CLAIMS.to_owned()];
    // The first node has made it, and all have the same.
    let authority = std::fs::read(folder.path().join("certs/ca.crt")).unwrap();
    let authority: Result<_, _> = rustls_pemfile::certs(&mut &*authority).collect();
    let trust = Trust::Authority(authority.unwrap());
    let options = Options { trust, strict: true, claims, ..Options::default() };
    let report = run(&subject, &options).await.unwrap();
    let shown = console::render(&report);
    assert_eq!(report.exit_code(), 0, "{shown}");
    // A run of no cases would be green as well.
    assert!(report.totals().passed >= 200, "{shown}");
    balancer.abort();
}
