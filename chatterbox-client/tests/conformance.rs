//! The program is graded by the suite that grades everybody's: full marks, in full screen, line by line in a terminal,
//! and with pipes.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use conformance_suite::{
    Options,
    client::{Means, Profile},
    report::console,
    run::client::{self, Client},
};

async fn full_marks(means: Means, more: &[&str]) {
    let words = [env!("CARGO_BIN_EXE_chatterbox-client"), "{host}", "-p", "{port}", "-ca", "{ca}"];
    let command = words.iter().chain(more).map(|word| (*word).to_owned()).collect();
    let client = Client { command, means, profile: Profile::default() };
    let options = Options { seed: Some(1), jobs: 4, strict: true, ..Options::default() };
    let report = client::run(&client, &options).await.unwrap();
    let page = console::render(&report);
    assert_eq!(report.exit_code(), 0, "{page}");
    assert_eq!(report.totals().not_applicable, 0, "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_terminal_line_by_line() {
    full_marks(Means::Terminal, &["--plain"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_full_screen() {
    full_marks(Means::Terminal, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_pipes() {
    full_marks(Means::Pipe, &[]).await;
}
