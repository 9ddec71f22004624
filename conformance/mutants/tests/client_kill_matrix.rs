//! Every case for clients passes on a correct client, however it is operated, and notices the
//! faults that it names.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod client_subject;
mod kill;

use conformance_suite::{
    Options, Report, cases,
    clause::Level,
    client::{ClientSide, Means},
    fault::{ClientFault, OPPOSITE_CLIENT},
    verdict::Verdict,
};

use client_subject::{Mutant, options, plain};

/// Nothing failed, nothing is open, and exactly these don't apply.
fn full_marks(report: &Report, not_applicable: &[&str]) {
    let page = plain(report);
    assert_eq!(report.exit_code(), 0, "{page}");
    for case in &report.cases {
        let applies = !not_applicable.contains(&case.id.as_str());
        let good = match &case.verdict {
            Verdict::Pass => true,
            Verdict::Observed { .. } => case.level == Level::Open,
            Verdict::NotApplicable { .. } => !applies,
            _ => false,
        };
        assert!(good, "{}: {:?}\n{page}", case.id, case.verdict);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_client_passes_everything_in_a_terminal() {
    let report = Mutant::new(Means::Terminal, &[]).judge(&options()).await;
    full_marks(&report, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_client_passes_everything_with_pipes() {
    let report = Mutant::new(Means::Pipe, &[]).judge(&options()).await;
    full_marks(&report, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_client_passes_everything_behind_an_adapter() {
    let report = Mutant::new(Means::Adapter, &[]).judge(&options()).await;
    let typed = ["c.async.typing", "c.join.ready", "c.quit.eof", "c.quit.sigint", "c.recv.control"];
    full_marks(&report, &typed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_opposite_answer_to_every_open_question_passes_too() {
    let mut mutant = Mutant::new(Means::Terminal, OPPOSITE_CLIENT);
    mutant.client.command.extend(["--name", "{name}"].map(str::to_owned));
    let report = mutant.judge(&options()).await;
    full_marks(&report, &["c.join.retry"]);
    for fault in OPPOSITE_CLIENT {
        assert!(mutant.times(*fault) > 0, "{} never acted", fault.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_habits_of_the_screen_and_the_keyboard_pass_too() {
    for habits in [
        &[ClientFault::FullScreen, ClientFault::NameBeforeConnecting][..],
        &[ClientFault::PromptEverywhere],
        &[ClientFault::NoPrompt],
        &[ClientFault::SlowSender],
    ] {
        let mutant = Mutant::new(Means::Terminal, habits);
        full_marks(&mutant.judge(&options()).await, &[]);
        for habit in habits {
            assert!(mutant.times(*habit) > 0, "{} never acted", habit.name());
        }
    }
}

#[test]
fn every_case_names_a_fault_and_every_fault_is_named() {
    // Habits that no case looks at.
    let habits = [
        ClientFault::NoPrompt,
        ClientFault::NameBeforeConnecting,
        ClientFault::PromptEverywhere,
        ClientFault::FullScreen,
        ClientFault::SlowSender,
        ClientFault::OtherCommands,
    ];
    kill::all_are_named(cases::client_cases(), ClientFault::ALL, &habits);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_notices_the_faults_that_it_names() {
    let healthy = Mutant::new(Means::Terminal, &[]).judge(&options()).await;
    let healthy = &healthy;
    let attempt = |pair: kill::Pair<ClientSide>| async move {
        let (case, fault) = pair;
        let mutant = Mutant::new(Means::Terminal, &[fault]);
        let only = vec![case.id.to_owned()];
        let hurried = Options { only, timeout_scale: 0.4, jobs: 2, ..options() };
        let report = mutant.judge(&hurried).await;
        kill::unnoticed(pair, &(report, mutant.times(fault)), healthy)
    };
    let pairs = kill::pairs(cases::client_cases());
    kill::nothing_is_left(&kill::complaints(pairs, 4, attempt).await);
}
