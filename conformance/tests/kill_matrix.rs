//! Every case passes on a correct server and notices the faults that it names.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod subject;

use std::collections::BTreeSet;

use conformance::{
    Report,
    case::{Case, Level},
    catalogue,
    mutants::{Fault, OPPOSITE_CHOICES},
    report::console,
    run,
    verdict::Verdict,
};

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&console::render(report)).to_string()
}

async fn judge(faults: &[Fault], only: &[&str]) -> (Report, usize) {
    let (mutant, subject, mut options) = subject::mutant(faults).await;
    options.only = only.iter().map(|id| (*id).to_owned()).collect();
    if !only.is_empty() {
        options.timeout_scale = 0.35;
    }
    let report = run(&subject, &options).await.unwrap();
    let times = faults.iter().map(|fault| mutant.faults.times(*fault)).sum();
    (report, times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_server_passes_everything() {
    let (report, _) = judge(&[], &[]).await;
    let good = |case: &&conformance::CaseResult| {
        !matches!(case.verdict, Verdict::Pass | Verdict::Observed { .. })
    };
    assert_eq!(report.cases.iter().filter(good).count(), 0, "{}", plain(&report));
    assert_eq!(report.exit_code(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_opposite_answer_to_every_open_question_passes_too() {
    let (report, _) = judge(OPPOSITE_CHOICES, &[]).await;
    assert_eq!(report.exit_code(), 0, "{}", plain(&report));
    assert_eq!(
        report.totals().warned,
        1,
        "join.retry alone: the connection is closed\n{}",
        plain(&report)
    );
}

#[test]
fn every_case_names_a_fault_and_every_fault_is_named() {
    let named: BTreeSet<Fault> =
        catalogue::server_cases().flat_map(|case| case.killed_by).copied().collect();
    for case in catalogue::server_cases() {
        assert!(!case.killed_by.is_empty(), "{} names no fault", case.id);
    }
    // Choices that no case looks at; the opposite server has them.
    let choices = [Fault::NoInfo, Fault::SeparateFrames];
    for fault in Fault::ALL {
        assert!(named.contains(fault) || choices.contains(fault), "{} is unused", fault.name());
    }
}

/// Why a case did not notice a fault; `None` when it did.
async fn unnoticed(case: &'static Case, fault: Fault, healthy: &Report) -> Option<String> {
    let (report, times) = judge(&[fault], &[case.id]).await;
    let pair = format!("{} on {}", case.id, fault.name());
    if times == 0 {
        return Some(format!("{pair}: the fault never acted"));
    }
    let result = report.case(case.id)?;
    let before = healthy.case(case.id)?;
    let noticed = match (&result.verdict, &before.verdict) {
        (Verdict::Fail(_), _) => case.level != Level::Open,
        (Verdict::Observed { value, .. }, Verdict::Observed { value: old, .. }) => value != old,
        _ => false,
    };
    (!noticed).then(|| format!("{pair}: {:?} (was {:?})", result.verdict, before.verdict))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_notices_the_faults_that_it_names() {
    use futures_util::StreamExt as _;
    let (healthy, _) = judge(&[], &[]).await;
    let only = std::env::var("KILL").unwrap_or_default();
    let pairs = catalogue::server_cases()
        .filter(|case| only.split(',').any(|part| case.id.contains(part)))
        .flat_map(|case| case.killed_by.iter().map(move |fault| (case, *fault)));
    let healthy = &healthy;
    let unkilled: Vec<String> = futures_util::stream::iter(pairs)
        .map(|(case, fault)| unnoticed(case, fault, healthy))
        .buffer_unordered(6)
        .filter_map(|trouble| async { trouble })
        .collect()
        .await;
    assert!(unkilled.is_empty(), "{} unnoticed:\n{}", unkilled.len(), unkilled.join("\n"));
}
