//! The fuzzer finds the faults that it is for, makes them small, and leaves a correct server alone.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::time::Duration;

use conformance_kit::subject::place::Place;
use conformance_suite::{
    fault::Fault,
    fuzz::{self, FuzzOptions, FuzzReport, transcript::Transcript},
};

fn place(faults: &[Fault]) -> Place {
    let faults: String = faults.iter().map(|fault| format!(" --fault {}", fault.name())).collect();
    let binary = env!("CARGO_BIN_EXE_mutant");
    let files = "--cert {cert} --key {key}";
    Place::Command(format!("{binary} 127.0.0.1:{{port}} {files}{faults}"))
}

fn options(seed: u64, cases: u64) -> FuzzOptions {
    let time = Duration::from_secs(60);
    FuzzOptions { seed, time, cases, memory: 512, timeout_scale: 0.4 }
}

async fn run(faults: &[Fault], seed: u64, cases: u64) -> FuzzReport {
    fuzz::run(&place(faults), &options(seed, cases), &mut |_, _| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_server_stays_right() {
    let report = run(&[], 1, 200).await;
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!(report.cases, 200);
}

/// The first finding is of this kind, small, and can be played again from its file.
async fn finds(fault: Fault, words: &str, cases: u64) {
    let report = run(&[fault], 1, cases).await;
    assert!(!report.findings.is_empty(), "{} not found", fault.name());
    let first = report.findings.first().unwrap();
    assert!(first.finding.contains(words), "{}: {}", fault.name(), first.finding);
    assert!(first.steps.len() <= 6, "{}: {:?}", fault.name(), first.steps);
    let again = Transcript::read(&first.render().unwrap()).unwrap();
    let finding = fuzz::replay(&place(&[fault]), &options(1, 1), &again).await.unwrap().unwrap();
    assert!(finding.to_string().contains(words), "{finding}");
    assert!(fuzz::replay(&place(&[]), &options(1, 1), &again).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_of_junk() {
    finds(Fault::JunkKillsServer, "the server ended", 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_drops_everybody_for_one_bad_frame() {
    finds(Fault::BadFrameKicksEverybody, "other users are not served", 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_errors_are_no_objects() {
    finds(Fault::ErrorBareString, "JsonObject", 60).await;
}

#[tokio::test]
async fn without_a_server_there_is_nothing_to_fuzz() {
    let nobody = Place::Command("false {port}".to_owned());
    assert!(fuzz::run(&nobody, &options(1, 1), &mut |_, _| {}).await.is_err());
}
