//! A soak of a server in this process: nothing is found in one that is right, whatever is done to it and its users, and each fault of
//! a wrong one is found.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::{net::SocketAddr, time::Duration};

use conformance_chaos::{
    Setting,
    evidence::{Fault, Struck},
    judge::Kind,
    soak::{MemoryVerdict, Soak, SoakReport, Told, markdown, soak},
    stage::{Stage, StageError},
};
use conformance_kit::{clock::Clock, net::dial::Transport};
use conformance_mutants::cluster::{Cluster, ClusterFault};
use tokio::{
    sync::{Mutex, Semaphore, watch},
    task::JoinSet,
};

/// Held by each test as long as it runs: a server that has to be cleared has the machine for itself, and is not late.
static TURN: Mutex<()> = Mutex::const_new(());
/// So many servers with faults are soaked at the same time: most of what each takes is waiting, but not all of it.
static PLACES: Semaphore = Semaphore::const_new(4);

/// The server, and what is done to it.
struct InProcess(Cluster);

impl Stage for InProcess {
    fn nodes(&self) -> Vec<SocketAddr> {
        self.0.addresses.clone()
    }

    fn is_alone(&self) -> bool {
        true
    }

    async fn strike(
        &mut self,
        fault: Fault,
        _choice: u64,
        lasts: Duration,
        clock: &Clock,
        struck: &mut Vec<Struck>,
    ) -> Result<(), StageError> {
        let now = || u64::try_from(clock.elapsed().as_micros()).unwrap();
        let from = now();
        if fault == Fault::ConnectionsCut {
            self.0.cut(0);
        } else {
            self.0.kill(0);
            tokio::time::sleep(lasts).await;
            self.0.expire(0);
            self.0.revive(0);
        }
        struck.push(Struck { fault, node: Some(0), from, until: now(), ended: None });
        Ok(())
    }
}

const OF_USERS: [Fault; 4] =
    [Fault::FramesCut, Fault::UsersLeave, Fault::Flood, Fault::SlowReaders];

/// A lap of a few seconds, with these disturbances once each.
fn plan(laps: usize, faults: Vec<Fault>) -> Soak {
    let usual = Soak::usual(Transport::PLAIN);
    Soak {
        setting: Setting {
            seed: 7,
            rounds: Some(1),
            users: 12,
            contested: 1,
            rate: 120.0,
            wandering: 100,
            rooms: vec!["#soak".to_owned()],
            faults,
            fault_lasts: vec![Duration::from_secs(1)],
            pause: Duration::from_secs(1),
            patience: Duration::from_secs(30),
            ..usual.setting
        },
        // As long as it takes.
        lasting: Duration::from_secs(600),
        lap: Duration::from_secs(300),
        laps: Some(laps),
        ..usual
    }
}

async fn soaked(plan: Soak, faults: &[ClusterFault]) -> SoakReport {
    let mut stage = InProcess(Cluster::start(1, faults).await.unwrap());
    let (_never, over) = watch::channel(false);
    soak(&plan, &mut stage, &mut |_| {}, over).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_right_is_cleared_whatever_is_done() {
    let _turn = TURN.lock().await;
    let faults = [&OF_USERS[..], &[Fault::ConnectionsCut, Fault::NodeKilled]].concat();
    let report = soaked(plan(2, faults.clone()), &[]).await;
    let text = report.text();
    assert_eq!(report.exit_code(), 0, "{text}");
    assert!(report.acknowledged > 300 && report.resumed > 3 && report.anew > 0, "{text}");
    assert!(faults.iter().all(|fault| report.disturbed(*fault) == 2), "{text}");
    // The server is this process, of which nobody is told.
    assert_eq!(report.memory, MemoryVerdict::Unknown);
    assert!(markdown(&report).contains("**everything holds"), "{text}");
    assert_eq!(report.laps.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soak_that_is_ended_early_is_judged_all_the_same() {
    let _turn = TURN.lock().await;
    let mut stage = InProcess(Cluster::start(1, &[]).await.unwrap());
    let (end, over) = watch::channel(false);
    let mut said = 0;
    let mut say = |told: Told<'_>| {
        said += usize::from(matches!(told, Told::Line(text) if text.contains("for 1 s")));
        if said == 2 {
            end.send_replace(true);
        }
    };
    let endless = Setting { rounds: None, ..plan(9, OF_USERS.to_vec()).setting };
    let plan = Soak { setting: endless, ..plan(9, Vec::new()) };
    let report = soak(&plan, &mut stage, &mut say, over).await;
    let text = report.text();
    assert_eq!((report.exit_code(), report.laps.len()), (0, 1), "{text}");
    assert!(report.interrupted && text.contains("ended early"), "{text}");
    assert!(report.acknowledged > 10, "{text}");
}

/// As what each fault has to be found; nothing where it is nothing that users see.
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
        ClusterFault::AnnouncesResumed => Kind::FalseAccusation,
        ClusterFault::SendsAway => Kind::SentAway,
        ClusterFault::PagesDiffer => Kind::Differing,
        ClusterFault::StoresRefused => Kind::RefusedStored,
        ClusterFault::HidesUser => Kind::Presence,
        ClusterFault::RefusesPrivate => Kind::Unreachable,
        ClusterFault::Invents => Kind::Invented,
        ClusterFault::Hangs => Kind::Silent,
        // Memory: leaking_server.rs.
        ClusterFault::Leaks => return None,
    })
}

/// What is done meanwhile: where a fault is one of a server that nothing has hit, nothing hits it.
fn meanwhile(fault: ClusterFault) -> Vec<Fault> {
    match fault {
        ClusterFault::AnnouncesResumed | ClusterFault::Hangs => vec![Fault::Flood; 6],
        ClusterFault::SendsAway => OF_USERS.to_vec(),
        _ => vec![Fault::NodeKilled, Fault::UsersLeave, Fault::NodeKilled, Fault::FramesCut],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_a_server_is_found_as_what_it_is() {
    let _turn = TURN.lock().await;
    let mut runs = JoinSet::new();
    for fault in ClusterFault::ALL {
        let plan = plan(1, meanwhile(fault));
        runs.spawn(async move {
            let _place = PLACES.acquire().await.unwrap();
            (fault, soaked(plan, &[fault]).await)
        });
    }
    while let Some(run) = runs.join_next().await {
        let (fault, report) = run.unwrap();
        let text = report.text();
        let kind = found_as(fault).unwrap();
        assert!(report.count(kind) > 0, "{fault:?} was not found:\n{text}");
        assert_eq!(report.exit_code(), 1, "{text}");
    }
}
