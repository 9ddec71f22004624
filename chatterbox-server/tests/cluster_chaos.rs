//! A minute of chaos with three kinds of fault: three nodes and three servers of the engine as processes, users over the real
//! protocol, and the judge of `conformance chaos`. An hour of it is `conformance chaos cluster.toml --seconds 3600`.
#![cfg(feature = "cluster")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

#[path = "harness/engine.rs"]
mod engine;

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use conformance_chaos::{
    Setting,
    evidence::Fault,
    processes::{Engine, Node, Plan, Processes},
    run,
};
use conformance_kit::net::dial::Transport;

const SERVERS: usize = 3;

/// Addresses that were free a moment ago.
fn addresses(count: usize) -> Vec<SocketAddr> {
    let bound: Vec<_> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    bound.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

/// The servers of the engine; nodes are told of no other ways to them.
fn engine_in(folder: &Path, program: &Path) -> Vec<Engine> {
    let (clients, monitors, routes) = (addresses(SERVERS), addresses(SERVERS), addresses(SERVERS));
    let others = routes.iter().fold(String::new(), |mut others, route| {
        write!(others, "\"nats://{route}\", ").unwrap();
        others
    });
    let server = |n: usize| {
        let (client, monitor, route) = (clients[n], monitors[n], routes[n]);
        let file = folder.join(format!("e{n}.conf"));
        let store = folder.join(format!("store{n}"));
        let text = format!(
            "server_name: e{n}\nlisten: \"{client}\"\nhttp: \"{monitor}\"\nmax_payload: 8MB\nping_interval: \"2s\"\n\
             jetstream {{ store_dir: {store:?}, sync_interval: always, max_file_store: 64GB }}\n\
             cluster {{ name: chaos, listen: \"{route}\", routes: [{others}], no_advertise: true }}\n"
        );
        std::fs::write(&file, text).unwrap();
        let start = format!("{} -c {}", program.display(), file.display());
        Engine { name: format!("e{n}"), start, client, monitor }
    };
    (0..SERVERS).map(server).collect()
}

fn nodes_in(folder: &Path) -> Vec<Node> {
    let config = folder.join("server.toml");
    std::fs::write(&config, "[rooms.\"#chaos\"]\n").unwrap();
    let (users, health) = (addresses(SERVERS), addresses(SERVERS));
    let node = |n: usize| {
        let start = format!(
            "{} 127.0.0.1 -p {} --plaintext --config {} --data {} --no-limits --cluster {{engine}} --node n{n} --health {}",
            env!("CARGO_BIN_EXE_chatterbox-server"),
            users[n].port(),
            config.display(),
            folder.join(format!("data{n}")).display(),
            health[n],
        );
        Node {
            name: format!("n{n}"),
            address: users[n],
            start,
            health: Some(health[n]),
            data: None,
            clock: None,
        }
    };
    (0..SERVERS).map(node).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_leaked_in_a_minute_of_three_kinds_of_fault() {
    let Some(program) = engine::program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        nodes: nodes_in(folder.path()),
        engine: engine_in(folder.path(), &program),
        stream: "CHAT".to_owned(),
        logs: Some(folder.path().to_owned()),
        namespaces: false,
        between: false,
    };
    let setting = Setting {
        seed: 18,
        // Each fault twice, which takes a minute, and longer where the machine is busy.
        lasting: Duration::from_secs(600),
        rounds: Some(2),
        users: 12,
        rate: 40.0,
        rooms: vec!["#chaos".to_owned()],
        faults: vec![Fault::NodeKilled, Fault::LeaderKilled, Fault::RollingRestart],
        fault_lasts: vec![Duration::from_secs(4)],
        pause: Duration::from_secs(5),
        ..Setting::quiet(Transport::PLAIN)
    };
    let mut cluster = Processes::start(plan).await.unwrap();
    let (_, report) = run(setting, &mut cluster, &mut |text| eprintln!("{text}")).await;
    cluster.stop().await.unwrap();
    let text = report.text();
    let kept = if report.is_broken() { folder.keep().display().to_string() } else { String::new() };
    assert!(!report.is_broken() && report.is_complete(), "{text}\n{kept}");
    // A minute in which nothing happened would be green as well.
    let twice = report.struck.values().all(|count| *count == 2);
    assert!(report.struck.len() == 3 && twice && report.measures.acknowledged > 200, "{text}");
}
