//! How nodes end is looked at, of those that a fault ends, and at the end of a run.
#![allow(
    clippy::disallowed_methods,
    reason = "a program of the tests is a file, and so is what it has done"
)]

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use conformance_kit::clock::Clock;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{Node, Plan, ProcessError, Processes, process::Process};
use crate::{
    evidence::{Ending, Fault, Struck},
    stage::Stage as _,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A node that ends with this code when it is told to, and says in a file that it would.
fn node(folder: &Path, listener: &TcpListener, code: i32) -> Plan {
    plan_at(folder, listener.local_addr().unwrap(), code)
}

/// A line that starts a program which does this when it is told to end.
fn program(folder: &Path, told: &str) -> String {
    let (script, file) = (folder.join("node.sh"), folder.join("began"));
    let text = format!(
        "trap '{told}' TERM\n[ \"$GIVEN\" = x ] && echo >> {file:?}\nwhile :; do sleep 0.05; done\n"
    );
    std::fs::write(&script, text).unwrap();
    // As people write it: a variable before the command.
    format!("GIVEN=x sh {}", script.display())
}

/// The same as [`node`]; the test listens at the address in its place, so that it is always ready.
fn plan_at(folder: &Path, address: SocketAddr, code: i32) -> Plan {
    let name = "n0".to_owned();
    let start = program(folder, &format!("exit {code}"));
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
async fn a_node_that_does_not_end_is_found_by_the_signal_that_kills_it() {
    let folder = tempfile::tempdir().unwrap();
    // It hears nothing.
    let mut process = Process::new("n0", &program(folder.path(), ""), None);
    process.start().unwrap();
    has_begun(folder.path(), 1).await;
    process.signal(Signal::TERM).unwrap();
    let ended = process.ended(Duration::from_millis(200)).await.unwrap();
    assert_eq!(ended, Some(Ending::Signal(9)));
}

#[tokio::test]
async fn a_node_that_ends_by_itself_is_found_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut cluster = Processes::start(node(folder.path(), &listener, 7)).await.unwrap();
    has_begun(folder.path(), 1).await;
    assert!(cluster.losses().nodes.is_empty());
    let number = cluster.process().unwrap();
    let pid = i32::try_from(number.borrow().unwrap()).unwrap();
    // Somebody else ends it.
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    let losses = async {
        loop {
            let losses = cluster.losses().nodes;
            if !losses.is_empty() {
                return losses;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let losses = timeout(PATIENCE, losses).await.expect("it ends");
    assert!(losses[0].contains("n0 has ended by itself: exit status: 7"), "{losses:?}");
    has_begun(folder.path(), 2).await;
    assert_ne!(number.borrow().unwrap(), u32::try_from(pid).unwrap());
    cluster.stop().await.unwrap_err();
}

#[tokio::test]
async fn connections_are_cut_at_the_door_and_the_node_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let plan = Plan { between: true, ..plan_at(folder.path(), address, 0) };
    let mut cluster = Processes::start(plan).await.unwrap();
    has_begun(folder.path(), 1).await;
    // That of the look whether the node is ready.
    drop(listener.accept().await.unwrap());
    let mut user = TcpStream::connect(cluster.nodes()[0]).await.unwrap();
    let (_other, _) = listener.accept().await.unwrap();
    let (clock, mut struck) = (Clock::start(), Vec::new());
    let cut = Fault::ConnectionsCut;
    cluster.strike(cut, 0, Duration::ZERO, &clock, &mut struck).await.unwrap();
    let mut piece = [0; 1];
    let read = timeout(PATIENCE, user.read(&mut piece)).await.expect("the connection ends");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert_eq!((struck[0].fault, struck[0].node), (cut, Some(0)));
    assert!(cluster.losses().nodes.is_empty());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_ends_in_order_is_cleared() {
    let (struck, stopped) = restarted(0).await;
    assert_eq!(struck[0].ended, Some(Ending::Code(0)));
    assert!(stopped.is_ok(), "{stopped:?}");
}
