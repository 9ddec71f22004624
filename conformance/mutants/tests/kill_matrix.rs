//! Every case passes on a correct server and notices the faults that it names.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod subject;

use std::collections::BTreeSet;

use conformance_suite::{
    Report, cases,
    clause::Level,
    fault::server::{Fault, OPPOSITE_CHOICES},
    report::console,
    run,
    server::Case,
    verdict::Verdict,
};

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&console::render(report)).to_string()
}

async fn judge(faults: &[Fault], only: &[&str], scale: f64) -> (Report, usize) {
    judge_claims(&["all"], faults, only, scale).await
}

async fn judge_claims(
    claims: &[&str],
    faults: &[Fault],
    only: &[&str],
    scale: f64,
) -> (Report, usize) {
    let (mutant, subject, mut options) = subject::mutant(faults).await;
    options.claims = claims.iter().map(|name| (*name).to_owned()).collect();
    options.only = only.iter().map(|id| (*id).to_owned()).collect();
    options.timeout_scale = scale;
    let report = run(&subject, &options).await.unwrap();
    let times = faults.iter().map(|fault| mutant.faults.times(*fault)).sum();
    (report, times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_server_passes_everything() {
    let (report, _) = judge(&[], &[], 1.0).await;
    let good = |case: &&conformance_suite::CaseResult| {
        !matches!(case.verdict, Verdict::Pass | Verdict::Observed { .. })
    };
    assert_eq!(report.cases.iter().filter(good).count(), 0, "{}", plain(&report));
    assert_eq!(report.exit_code(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_is_asked_for_by_its_name_says_what_to_claim() {
    let (report, _) = judge_claims(&[], &[], &["ping.pong"], 1.0).await;
    let verdict = report.case("ping.pong").unwrap().verdict.clone();
    assert_eq!(verdict, Verdict::not_applicable("not claimed: the extension ping"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_opposite_answer_to_every_open_question_passes_too() {
    let (report, _) = judge(OPPOSITE_CHOICES, &[], 1.0).await;
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
        cases::server_cases().flat_map(|case| case.killed_by).copied().collect();
    for case in cases::server_cases() {
        assert!(!case.killed_by.is_empty(), "{} names no fault", case.id);
    }
    // Choices that no case looks at; the opposite server has them.
    let choices = [Fault::NoInfo, Fault::SeparateFrames];
    for fault in Fault::ALL {
        assert!(named.contains(fault) || choices.contains(fault), "{} is unused", fault.name());
    }
}

/// Why a case did not notice a fault; `None` when it did.
async fn unnoticed(
    case: &'static Case,
    fault: Fault,
    healthy: &Report,
    scale: f64,
) -> Option<String> {
    let (report, times) = judge(&[fault], &[case.id], scale).await;
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
    let (healthy, _) = judge(&[], &[], 1.0).await;
    let only = std::env::var("KILL").unwrap_or_default();
    let pairs = cases::server_cases()
        .filter(|case| only.split(',').any(|part| case.id.contains(part)))
        .flat_map(|case| case.killed_by.iter().map(move |fault| (case, *fault)));
    let healthy = &healthy;
    let doubtful: Vec<(&'static Case, Fault)> = futures_util::stream::iter(pairs)
        .map(|(case, fault)| async move {
            unnoticed(case, fault, healthy, 0.35).await.map(|_| (case, fault))
        })
        .buffer_unordered(6)
        .filter_map(|doubt| async move { doubt })
        .collect()
        .await;
    // Hurried and in company, a busy machine can be too slow for the heavy ones.
    let mut unkilled = Vec::new();
    for (case, fault) in doubtful {
        unkilled.extend(unnoticed(case, fault, healthy, 2.0).await);
    }
    assert!(unkilled.is_empty(), "{} unnoticed:\n{}", unkilled.len(), unkilled.join("\n"));
}
