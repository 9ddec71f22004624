//! A short fuzz run against the program, with fixed seeds; `conformance fuzz` goes on for longer.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::time::Duration;

use conformance_suite::Place;
use conformance_suite::fuzz::{self, FuzzOptions};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_are_nearly_right_harm_nobody() {
    let binary = env!("CARGO_BIN_EXE_chatterbox-server");
    let place = Place::Command(format!(
        "{binary} {{host}} -p {{port}} --cert {{cert}} --key {{key}} --memory"
    ));
    for seed in 1..=3 {
        let time = Duration::from_secs(60);
        let options = FuzzOptions { seed, time, cases: 150, memory: 512, timeout_scale: 1.0 };
        let report = fuzz::run(&place, &options, &mut |_, _| {}).await.unwrap();
        assert!(report.findings.is_empty(), "seed {seed}: {:?}", report.findings);
    }
}
