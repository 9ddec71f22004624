//! Users, driver and judge against a cluster in this process: nothing is found in one that is right, although its
//! nodes die, and each fault of a wrong one is found.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::{net::SocketAddr, time::Duration};

use conformance_chaos::{
    Setting,
    evidence::{Fault, Struck},
    judge::Kind,
    report::Report,
    run,
    stage::{Stage, StageError},
};
use conformance_kit::{clock::Clock, net::dial::Transport};
use conformance_mutants::cluster::{Cluster, ClusterFault};
use tokio::{sync::Mutex, task::JoinSet};

/// Held by each test as long as it runs: a cluster that has to be cleared has the machine for itself, and is not late.
static TURN: Mutex<()> = Mutex::const_new(());

const NODES: usize = 3;

/// The cluster, and how its nodes die.
struct InProcess(Cluster);

impl Stage for InProcess {
    fn nodes(&self) -> Vec<SocketAddr> {
        self.0.addresses.clone()
    }

    async fn strike(
        &mut self,
        fault: Fault,
        choice: u64,
        lasts: Duration,
        clock: &Clock,
        struck: &mut Vec<Struck>,
    ) -> Result<(), StageError> {
        let node = usize::try_from(choice % 3).unwrap();
        let from = u64::try_from(clock.elapsed().as_micros()).unwrap();
        self.0.kill(node);
        tokio::time::sleep(lasts).await;
        self.0.expire(node);
        self.0.revive(node);
        let until = u64::try_from(clock.elapsed().as_micros()).unwrap();
        struck.push(Struck { fault, node: u16::try_from(node).ok(), from, until, ended: None });
        Ok(())
    }
}

async fn judged(faults: &[ClusterFault]) -> Report {
    let mut stage = InProcess(Cluster::start(NODES, faults).await.unwrap());
    let setting = Setting {
        seed: 7,
        lasting: Duration::from_secs(10),
        users: 12,
        claimants: 3,
        contested: 1,
        rate: 250.0,
        rooms: vec!["#chaos".to_owned()],
        faults: vec![Fault::NodeKilled],
        fault_lasts: vec![Duration::from_millis(2_500)],
        pause: Duration::from_secs(2),
        hold: Duration::from_millis(2_400),
        grace: Duration::from_millis(500),
        patience: Duration::from_secs(20),
        ..Setting::quiet(Transport::PLAIN)
    };
    let (_, report) = run(setting, &mut stage, &mut |_| {}).await;
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_right_is_cleared_although_its_nodes_die() {
    let _turn = TURN.lock().await;
    let report = judged(&[]).await;
    let text = report.text();
    assert!(!report.is_broken() && report.is_complete(), "{text}");
    assert!(report.measures.acknowledged > 300, "{text}");
    assert!(report.measures.resumed > 3, "{text}");
    assert!(report.struck.contains_key("node-killed"), "{text}");
}

/// As what each fault has to be found; nothing where it is nothing that users of a cluster see.
const fn found_as(fault: ClusterFault) -> Option<Kind> {
    Some(match fault {
        ClusterFault::LosesMessages | ClusterFault::ForgetsAtRestart => Kind::Lost,
        ClusterFault::SkipsReceiver | ClusterFault::HidesFromBase | ClusterFault::HoleInPast => {
            Kind::Missing
        }
        ClusterFault::AltersPast => Kind::Altered,
        ClusterFault::TellsTwice | ClusterFault::TellsBaseTwice | ClusterFault::ForgetsTags => {
            Kind::Doubled
        }
        ClusterFault::Disorders => Kind::Disordered,
        ClusterFault::LeaksPrivate => Kind::Leaked,
        ClusterFault::NameTwice => Kind::NameTwice,
        ClusterFault::AnnouncesResumed | ClusterFault::SendsAway => Kind::FalseAccusation,
        ClusterFault::PagesDiffer => Kind::Differing,
        ClusterFault::StoresRefused => Kind::RefusedStored,
        ClusterFault::HidesUser => Kind::Presence,
        ClusterFault::RefusesPrivate => Kind::Unreachable,
        ClusterFault::Invents => Kind::Invented,
        // Of a cluster nobody knows for what it waits; and memory: leaking_server.rs.
        ClusterFault::Hangs | ClusterFault::Leaks => return None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_a_cluster_is_found_as_what_it_is() {
    let _turn = TURN.lock().await;
    // They wait for most of their time, so all of them run at once.
    let mut runs = JoinSet::new();
    for fault in ClusterFault::ALL.into_iter().filter(|fault| found_as(*fault).is_some()) {
        runs.spawn(async move { (fault, judged(&[fault]).await) });
    }
    while let Some(run) = runs.join_next().await {
        let (fault, report) = run.unwrap();
        let kind = found_as(fault).unwrap();
        assert!(report.count(kind) > 0, "{fault:?} was not found:\n{}", report.text());
    }
}
