//! The load tool leaves a correct server alone and notices what a faulty one does. Nothing here is
//! about speed: runs are small, and wait for what has to come.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::time::Duration;

use conformance_kit::{
    identity::Identity,
    net::{target::Target, tls::Trust},
    subject::place::Place,
};
use conformance_load::{
    self, LoadOptions,
    dialect::Dialect,
    plan::{Pace, Plan, Workload},
    report::{LoadReport, Verdict},
};
use conformance_mutants::Mutant;
use conformance_suite::fault::Fault;

/// Nothing in these tests takes this long, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mutant that speaks TLS, and where it is. It counts nobody's messages, since load is a flood.
async fn mutant(faults: &[Fault]) -> (Mutant, Target, Trust) {
    let faults = [faults, &[Fault::FloodUnlimited]].concat();
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let trust = Trust::Authority(identity.chain.clone());
    let hosts = ["127.0.0.1:0".parse().unwrap()];
    let mutant = conformance_mutants::start(&hosts, Some((identity.chain, identity.key)), &faults)
        .await
        .unwrap();
    let port = mutant.addresses.first().unwrap().port();
    (mutant, Target::tcp("127.0.0.1", port), trust)
}

fn options(workload: Workload, target: Target, trust: Trust) -> LoadOptions {
    let is_private = workload == Workload::Private;
    let plan = Plan {
        workload,
        dialect: Dialect::Chatterbox,
        members: 12,
        senders: if is_private { 12 } else { 3 },
        // So long that the third text of each sender ends as `Reorders` waits for.
        payload: 86,
        pace: Pace::Window(4),
        flooders: 0,
        flood_window: 32,
        slow: 0,
        slow_speed: 0,
        history: if workload == Workload::JoinStorm { 700 } else { 0 },
        churn: 40.0,
        stay: Duration::from_millis(200),
        at_once: 8,
        patience: PATIENCE,
        drain: PATIENCE,
    };
    LoadOptions {
        plan,
        place: Place::Running(target),
        trust,
        plaintext: false,
        duration: Duration::from_millis(400),
        warm_up: Duration::from_millis(100),
        settle: Duration::from_millis(100),
        busy: Duration::from_millis(200),
        sources: Some(2),
        threads: Some(2),
        pid: cfg!(target_os = "linux").then(std::process::id),
        limit: None,
        pinning: None,
    }
}

async fn run(options: &LoadOptions) -> LoadReport {
    conformance_load::run(options, &mut |_| {}).await.unwrap()
}

/// A run of this workload against a server with these faults.
async fn against(faults: &[Fault], workload: Workload) -> LoadReport {
    let (_mutant, target, trust) = mutant(faults).await;
    let mut options = options(workload, target, trust);
    if !faults.is_empty() {
        // What is lost never comes.
        options.plan.drain = Duration::from_secs(2);
    }
    run(&options).await
}

const EVERY: [Workload; 5] =
    [Workload::FanOut, Workload::Private, Workload::Churn, Workload::JoinStorm, Workload::Idle];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_server_is_right_in_every_workload() {
    for workload in EVERY {
        let report = against(&[], workload).await;
        assert_eq!(report.verdict, Verdict::Right, "{report:#?}");
        assert!(report.checks.deliveries > 0, "{report:#?}");
        assert_eq!(report.joining.joined, 12);
        assert!(report.joining.known_seconds.is_some());
        assert!(report.tls.as_deref().unwrap().contains("TLSv1_3"));
        let again = LoadReport::read(&report.json().unwrap()).unwrap();
        assert_eq!(again.checks, report.checks);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_is_one_with_a_schedule_a_flood_and_slow_readers() {
    let (_mutant, target, trust) = mutant(&[]).await;
    let mut options = options(Workload::FanOut, target, trust);
    options.plan.pace = Pace::Rate(200.0);
    options.plan.flooders = 1;
    options.plan.slow = 2;
    options.plan.slow_speed = 10_000;
    let report = run(&options).await;
    assert_eq!(report.verdict, Verdict::Right, "{report:#?}");
    let traffic = report.traffic.unwrap();
    // 80 messages are due while it is measured; they reach 13 who are judged.
    assert_eq!(traffic.latency.unwrap().count, 80 * 13);
    assert!(traffic.flood.unwrap().count > 0 && traffic.corrected.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_answers_to_open_questions_are_right_too() {
    for (fault, workload) in [
        (Fault::NoEcho, Workload::FanOut),
        (Fault::Restamps, Workload::FanOut),
        (Fault::PrivateCopyToSender, Workload::Private),
        (Fault::JoinedToSelf, Workload::JoinStorm),
        (Fault::ListWithoutSelf, Workload::JoinStorm),
        (Fault::NoInfo, Workload::Idle),
    ] {
        let report = against(&[fault], workload).await;
        assert_eq!(report.verdict, Verdict::Right, "{}: {report:#?}", fault.name());
    }
}

/// A fault, and how often the report says that it did what it does.
type Proof = (Fault, Workload, fn(&LoadReport) -> u64);

const PROOFS: &[Proof] = &[
    (Fault::LosesUnderLoad, Workload::FanOut, |report| report.checks.faults.lost),
    (Fault::BroadcastSkipsOne, Workload::FanOut, |report| report.checks.faults.lost),
    (Fault::EchoOnly, Workload::FanOut, |report| report.checks.faults.lost),
    (Fault::DeliversTwice, Workload::FanOut, |report| report.checks.faults.doubled),
    (Fault::Reorders, Workload::FanOut, |report| report.checks.faults.reordered),
    (Fault::PrivateLost, Workload::Private, |report| report.checks.faults.lost),
    (Fault::PrivateTwice, Workload::Private, |report| report.checks.faults.doubled),
    (Fault::PrivateToAll, Workload::Private, |report| report.checks.faults.misrouted),
    (Fault::NoJoinedNotice, Workload::JoinStorm, |report| report.checks.notices.joins_missing),
    (Fault::UserListEmpty, Workload::JoinStorm, |report| report.checks.notices.joins_missing),
    (Fault::JoinedTwice, Workload::JoinStorm, |report| report.checks.notices.joins_doubled),
    (Fault::ListDoubles, Workload::JoinStorm, |report| report.checks.notices.joins_doubled),
    (Fault::NoHistory, Workload::JoinStorm, |report| report.checks.histories_wrong),
    (Fault::HistoryNewestFirst, Workload::JoinStorm, |report| report.checks.histories_wrong),
    (Fault::HistoryDoubles, Workload::JoinStorm, |report| report.checks.histories_wrong),
    (Fault::NoLeftNotice, Workload::Churn, |report| report.checks.notices.leaves_missing),
    (Fault::LeftSkipsOne, Workload::Churn, |report| report.checks.notices.leaves_missing),
    (Fault::LosesLeavesUnderLoad, Workload::Churn, |report| report.checks.notices.leaves_missing),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_noticed_for_what_it_is() {
    let runs = PROOFS.iter().map(async |(fault, workload, count)| {
        let mut report = against(&[*fault], *workload).await;
        // Two messages change places only where both are under way, which a busy machine may keep apart for a whole run.
        for _again in 0..4 {
            if count(&report) > 0 {
                break;
            }
            report = against(&[*fault], *workload).await;
        }
        assert_eq!(report.verdict, Verdict::Wrong, "{}: {report:#?}", fault.name());
        assert!(count(&report) > 0, "{}: {report:#?}", fault.name());
    });
    // Most of their time is waiting for what does not come.
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_can_not_be_used_is_inconclusive_or_unreachable() {
    let report = against(&[Fault::NeverAccepts], Workload::FanOut).await;
    assert_eq!(report.verdict, Verdict::Inconclusive, "{report:#?}");
    assert!(report.checks.refused == 12 && report.traffic.is_none());

    let (_mutant, target, _) = mutant(&[]).await;
    let error =
        conformance_load::run(&options(Workload::Idle, target, Trust::Nobody), &mut |_| {}).await;
    let error = error.unwrap_err();
    assert_eq!(error.exit_code(), 69);
    assert!(error.to_string().contains("--ca"), "{error}");
}
