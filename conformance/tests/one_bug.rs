//! One bug costs one case, or few: the whole suite against every fault. It takes minutes, so it
//! runs on request: `cargo test -p conformance --test one_bug -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod subject;

use conformance::{mutants::Fault, run, verdict::Verdict};
use futures_util::StreamExt as _;

/// What a fault costs: the cases that fail, and how many stay open.
async fn cost(fault: Fault) -> (Fault, Vec<String>, usize) {
    let (_mutant, subject, mut options) = subject::mutant(&[fault]).await;
    options.timeout_scale = 0.5;
    let report = run(&subject, &options).await.unwrap();
    let failed = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Fail(_)));
    let failed = failed.map(|case| format!("{} {}", case.id, case.level)).collect();
    (fault, failed, report.totals().inconclusive)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn one_bug_costs_few_cases() {
    let costs: Vec<_> = futures_util::stream::iter(Fault::ALL.iter().copied())
        .map(cost)
        .buffer_unordered(4)
        .collect()
        .await;
    let mut dear = 0;
    for (fault, failed, open) in &costs {
        if failed.len() > 1 || *open > 0 {
            eprintln!(
                "{}: {} failed, {open} open: {}",
                fault.name(),
                failed.len(),
                failed.join(", ")
            );
        }
        dear += usize::from(failed.len() > 3);
    }
    assert_eq!(dear, 0, "{dear} faults cost more than three cases");
}
