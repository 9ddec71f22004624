//! How nodes end is looked at, of those that a fault ends, and at the end of a run.
#![allow(
    clippy::disallowed_methods,
    reason = "a program of the tests is a file, and so is what it has done"
)]

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
    time::Duration,
};

use conformance_kit::clock::Clock;
use tokio::time::{sleep, timeout};

use super::{Node, Plan, ProcessError, Processes};
use crate::{
    evidence::{Ending, Fault, Struck},
    stage::Stage as _,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A node that ends with this code when it is told to, and says in a file that it would.
fn node(folder: &Path, listener: &TcpListener, code: i32) -> Plan {
    let (script, file) = (folder.join("node.sh"), folder.join("began"));
    let text = format!("trap 'exit {code}' TERM\necho >> {file:?}\nwhile :; do sleep 0.05; done\n");
    std::fs::write(&script, text).unwrap();
    // The test listens in its place, so that it is always ready.
    let (name, address) = ("n0".to_owned(), listener.local_addr().unwrap());
    let start = format!("sh {}", script.display());
    let node = Node { name, address, start, health: None, data: None, clock: None };
    Plan { nodes: vec![node], ..Plan::default() }
}

/// Waits until the node has begun so many times.
async fn has_begun(folder: &Path, times: usize) {
    let begun = async {
        while std::fs::read(folder.join("began")).unwrap_or_default().len() < times {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, begun).await.expect("the node begins");
}

async fn restarted(code: i32) -> (Vec<Struck>, Result<(), ProcessError>) {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut cluster = Processes::start(node(folder.path(), &listener, code)).await.unwrap();
    has_begun(folder.path(), 1).await;
    let (clock, mut struck) = (Clock::start(), Vec::new());
    let restart = Fault::RollingRestart;
    cluster.strike(restart, 0, Duration::ZERO, &clock, &mut struck).await.unwrap();
    has_begun(folder.path(), 2).await;
    (struck, cluster.stop().await)
}

#[tokio::test]
async fn a_node_that_fails_when_it_is_told_to_end_is_found() {
    let (struck, stopped) = restarted(7).await;
    assert_eq!(struck[0].ended, Some(Ending::Code(7)));
    assert!(matches!(stopped, Err(ProcessError::Badly(_, Ending::Code(7)))), "{stopped:?}");
}

#[tokio::test]
async fn a_node_that_ends_in_order_is_cleared() {
    let (struck, stopped) = restarted(0).await;
    assert_eq!(struck[0].ended, Some(Ending::Code(0)));
    assert!(stopped.is_ok(), "{stopped:?}");
}
