//! The load tool against this server: every delivery of every workload is correct. Speed is not tested.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::time::Duration;

use conformance_load::dialect::Dialect;
use conformance_load::plan::{Pace, Plan, Workload};
use conformance_load::report::Verdict;
use conformance_load::{LoadOptions, Place, Target, Trust};
use harness::{Server, unlimited};

/// The timeout of each phase of a workload.
const PATIENCE: Duration = Duration::from_secs(60);

fn plan(workload: Workload) -> Plan {
    let private = workload == Workload::Private;
    Plan {
        workload,
        dialect: Dialect::Chatterbox,
        members: 40,
        senders: if private { 40 } else { 4 },
        payload: 64,
        pace: Pace::Window(16),
        flooders: 0,
        flood_window: 512,
        slow: 0,
        slow_speed: 0,
        history: if workload == Workload::JoinStorm { 5_000 } else { 0 },
        churn: 50.0,
        stay: Duration::from_millis(200),
        at_once: 16,
        patience: PATIENCE,
        drain: PATIENCE,
    }
}

async fn right(plan: Plan) {
    let server = Server::start(unlimited()).await;
    let options = LoadOptions {
        plan,
        place: Place::Running(Target::tcp("127.0.0.1", server.address.port())),
        trust: Trust::Authority(server.authority()),
        plaintext: false,
        duration: Duration::from_secs(1),
        warm_up: Duration::from_millis(200),
        settle: Duration::from_millis(200),
        busy: Duration::from_millis(300),
        sources: Some(1),
        threads: Some(2),
        pid: None,
        limit: None,
        pinning: None,
    };
    let report = conformance_load::run(&options, &mut |_| {}).await.unwrap();
    assert_eq!(report.verdict, Verdict::Right, "{report:?}");
    assert!(report.checks.deliveries > 0, "{report:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_talk_to_everybody() {
    right(plan(Workload::FanOut)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_talk_privately() {
    right(plan(Workload::Private)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_come_and_go_while_others_talk() {
    right(plan(Workload::Churn)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_joins_at_once_and_finds_the_history() {
    right(plan(Workload::JoinStorm)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_floods_and_some_read_nothing() {
    right(Plan { flooders: 1, slow: 3, ..plan(Workload::FanOut) }).await;
}
