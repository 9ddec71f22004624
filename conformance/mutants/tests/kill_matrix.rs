//! Every case passes on a correct server and notices the faults that it names.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod kill;
mod subject;

use conformance_suite::{
    Report, cases,
    fault::{FRAGILE, Fault, OPPOSITE_CHOICES},
    report::console,
    run,
    server::ServerSide,
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
    // Choices that no case looks at; the opposite server has them.
    let choices = [&[Fault::NoInfo, Fault::SeparateFrames], FRAGILE].concat();
    kill::all_are_named(cases::server_cases(), Fault::ALL, &choices);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_notices_the_faults_that_it_names() {
    let (healthy, _) = judge(&[], &[], 1.0).await;
    let healthy = &healthy;
    let attempt = |scale| {
        move |pair: kill::Pair<ServerSide>| async move {
            let (case, fault) = pair;
            kill::unnoticed(pair, &judge(&[fault], &[case.id], scale).await, healthy)
        }
    };
    let doubtful = kill::complaints(kill::pairs(cases::server_cases()), 6, attempt(0.35)).await;
    // Hurried and in company, a busy machine can be too slow for the heavy ones.
    let doubtful = doubtful.into_iter().map(|(pair, _)| pair);
    kill::nothing_is_left(&kill::complaints(doubtful, 1, attempt(2.0)).await);
}
