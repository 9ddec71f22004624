//! Memory of a real process: one that leaks is found, and one that does not is cleared. The server is this very program, started again.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![cfg(target_os = "linux")]

use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use conformance_chaos::{
    Setting,
    evidence::Fault,
    processes::{Node, Plan, Processes},
    soak::{MemoryRules, MemoryVerdict, Soak, SoakReport, soak},
};
use conformance_kit::{net::dial::Transport, subject::listening::free_port};
use conformance_mutants::cluster::{Cluster, ClusterFault};
use tokio::sync::watch;

/// Where the server listens, and `leaks` where it does; whoever starts it sets this.
const ARGUMENTS: &str = "CHAOS_TEST_SERVER";

#[tokio::test]
#[ignore = "the server that the other test starts"]
async fn is_a_server() {
    let Ok(arguments) = env::var(ARGUMENTS) else { return };
    let (address, leaks) = arguments.split_once(' ').unwrap();
    let faults = [ClusterFault::Leaks];
    let faults = if leaks == "leaks" { &faults[..] } else { &[] };
    let _server = Cluster::listen(&[address.parse().unwrap()], faults).await.unwrap();
    std::future::pending::<()>().await;
}

/// Twenty seconds of talk, in stretches of a quarter of a second. What comes to rest behind it takes no memory, and is short beside it.
async fn soaked(leaks: &str) -> SoakReport {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
    let start = format!(
        "env {ARGUMENTS}='{address} {leaks}' '{}' --ignored --exact is_a_server --nocapture",
        env::current_exe().unwrap().display()
    );
    let name = "server".to_owned();
    let node = Node { name, address, start, health: None, data: None, clock: None };
    let plan = Plan { nodes: vec![node], between: true, ..Plan::default() };
    let usual = Soak::usual(Transport::PLAIN);
    let talk = Soak {
        setting: Setting {
            seed: 7,
            rounds: Some(20),
            users: 6,
            contested: 0,
            faults: vec![Fault::UsersLeave],
            fault_lasts: vec![Duration::from_millis(500)],
            pause: Duration::from_millis(500),
            // Nobody competes for names.
            hold: Duration::from_millis(100),
            patience: Duration::from_secs(30),
            ..usual.setting
        },
        laps: Some(1),
        memory: MemoryRules {
            every: Duration::from_millis(50),
            stretch: Duration::from_millis(250),
            // A tenth of a MiB a second: it leaks seventy times as much, where the machine lets it.
            most: 360.0 * 1024.0 * 1024.0,
            ..MemoryRules::default()
        },
        ..usual
    };
    let mut server = Processes::start(plan).await.unwrap();
    let (_never, over) = watch::channel(false);
    let report = soak(&talk, &mut server, &mut |_| {}, over).await;
    // It has no way to end but by the signal.
    let _ = server.stop().await;
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_leaks_is_found_and_one_that_does_not_is_cleared() {
    let report = soaked("leaks").await;
    assert!(matches!(report.memory, MemoryVerdict::Grows(_)), "{}", report.text());
    assert_eq!(report.exit_code(), 1, "{}", report.text());
    // A leak is nothing that users see.
    assert!(report.findings.is_empty(), "{}", report.text());
    let report = soaked("not").await;
    assert!(matches!(report.memory, MemoryVerdict::Holds(_)), "{}", report.text());
    assert_eq!(report.exit_code(), 0, "{}", report.text());
}
