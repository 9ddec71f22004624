//! One bug costs one case, or few: the whole suite against every fault. It takes minutes, so it
//! runs on request: `cargo test -p conformance-mutants --test one_bug -- --ignored --nocapture`;
//! `FAULT=History` picks those whose name holds this, and `CLAIMS=all` asks the cases about capabilities, too.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod subject;

use conformance_suite::{fault::Fault, run, verdict::Verdict};
use futures_util::StreamExt as _;

/// What a fault costs: the cases that fail, and how many stay open.
async fn cost(fault: Fault) -> (Fault, Vec<String>, usize) {
    let (_mutant, subject, mut options) = subject::mutant(&[fault]).await;
    options.timeout_scale = 0.5;
    options.claims = std::env::var("CLAIMS").into_iter().collect();
    let report = run(&subject, &options).await.unwrap();
    let failed = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Fail(_)));
    let failed = failed.map(|case| format!("{} {}", case.id, case.level)).collect();
    (fault, failed, report.totals().inconclusive)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn one_bug_costs_few_cases() {
    let only = std::env::var("FAULT").unwrap_or_default();
    let picked = only.split(',').map(str::to_owned).collect::<Vec<_>>();
    let faults = Fault::ALL.iter().copied();
    let faults = faults.filter(|fault| picked.iter().any(|part| fault.name().contains(part)));
    let mut costs = futures_util::stream::iter(faults).map(cost).buffer_unordered(4);
    let mut dear = 0;
    while let Some((fault, failed, open)) = costs.next().await {
        if failed.len() > 1 || open > 0 {
            let (name, count, list) = (fault.name(), failed.len(), failed.join(", "));
            eprintln!("{name}: {count} failed, {open} open: {list}");
        }
        dear += usize::from(failed.len() > 3);
    }
    assert_eq!(dear, 0, "{dear} faults cost more than three cases");
}
