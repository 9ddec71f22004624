//! Clients that misbehave as a whole, and suites that were told the wrong thing: each run ends in
//! time, with a sentence that a student understands.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the tests look at files and processes")]

mod client_subject;

use std::time::Duration;

use conformance_suite::{
    Options, Report,
    client::{Means, Profile, profile::Lines},
    fault::ClientFault,
    run::client::{self, Client, ClientError},
    verdict::Verdict,
};
use tokio::time::timeout;

use client_subject::{Mutant, options, plain};

fn quick() -> Options {
    Options { timeout_scale: 0.3, ..options() }
}

async fn in_time<T>(judging: impl Future<Output = T>) -> T {
    // A run that does not end in time is an error like others.
    timeout(Duration::from_secs(120), judging).await.unwrap()
}

/// Grades a shell script.
async fn script(text: &str, means: Means, only: &str) -> Report {
    let words = ["sh", "-c", text, "client", "{host}", "{port}"];
    let command = words.map(str::to_owned).to_vec();
    let client = Client { command, means, profile: Profile::default() };
    let only = if only.is_empty() { Vec::new() } else { vec![only.to_owned()] };
    in_time(client::run(&client, &Options { only, ..quick() })).await.unwrap()
}

/// One case says what is wrong, all others wait for it.
fn one_explanation(report: &Report, id: &str, words: &[&str]) {
    let page = plain(report);
    for case in &report.cases {
        match &case.verdict {
            Verdict::Blocked { by } => assert_eq!(by, id, "{page}"),
            Verdict::Pass => assert_eq!(case.id, "c.tls.connect", "{page}"),
            other => assert_eq!(case.id, id, "{other:?}\n{page}"),
        }
    }
    for word in words {
        assert!(page.contains(word), "{word:?} is missing in:\n{page}");
    }
    assert!(!page.contains('\u{1b}'));
}

#[tokio::test]
async fn one_that_ends_at_once() {
    let report = script("echo sorry, no library; exit 3", Means::Pipe, "").await;
    assert_eq!(report.exit_code(), 1);
    one_explanation(&report, "c.tls.connect", &["no connection", "sorry, no library", "code 3"]);
}

#[tokio::test]
async fn one_that_never_connects_and_never_ends() {
    let report =
        script("printf '\\033[31mhm\\033]0;x\\007'; sleep 1000", Means::Terminal, "").await;
    assert_eq!(report.exit_code(), 1);
    one_explanation(&report, "c.tls.connect", &["no connection to localhost:", "hm"]);
}

#[tokio::test]
async fn one_that_floods_the_screen() {
    let report = script("yes 'a line that never ends'", Means::Terminal, "c.tls.connect").await;
    assert_eq!(report.exit_code(), 1);
    let page = plain(&report);
    assert!(page.contains("a line that never ends") && page.len() < 10_000, "{}", page.len());
}

#[tokio::test]
async fn one_whose_children_outlive_it_is_ended_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid").display().to_string();
    let text = format!("sleep 1000 & echo $! >> {file}; exit 1");
    let report = script(&text, Means::Pipe, "c.tls.connect").await;
    assert_eq!(report.exit_code(), 1);
    let pids = std::fs::read_to_string(&file).unwrap();
    for pid in pids.split_whitespace() {
        // Nobody waits for the orphan but the system, which may take a moment.
        let mut gone = false;
        for _ in 0..100 {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            gone = state.is_empty() || state.contains(") Z ");
            if gone {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(gone, "{pid} still runs");
    }
}

#[tokio::test]
async fn a_wrong_profile_is_recognised() {
    // The client waits for a name; this profile types something that it takes for a prompt only.
    let mut mutant = Mutant::new(Means::Terminal, &[]);
    mutant.client.profile.enter = Some(" ".to_owned());
    let report = in_time(mutant.judge(&quick())).await;
    assert_eq!(report.exit_code(), 2, "{}", plain(&report));
    one_explanation(
        &report,
        "c.join.first",
        &["nothing that was typed ever reached the wire", "{name}", "before", "name:"],
    );
}

#[tokio::test]
async fn a_wrong_profile_is_recognised_when_the_name_is_an_argument() {
    let mut mutant = Mutant::new(Means::Terminal, &[]);
    mutant.client.command.extend(["--name", "{name}"].map(str::to_owned));
    mutant.client.profile.enter = Some(" ".to_owned());
    let only = vec!["c.send.public".to_owned(), "c.send.private".to_owned()];
    let report = in_time(mutant.judge(&Options { only, ..quick() })).await;
    let verdict = &report.case("c.send.public").unwrap().verdict;
    assert!(
        matches!(verdict, Verdict::Inconclusive { reason } if reason.contains("the profile is wrong")),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn another_command_for_private_messages_is_named() {
    let mut mutant = Mutant::new(Means::Terminal, &[]);
    mutant.client.profile.private = Lines::one("/msg {user} {text}");
    let only = vec!["c.send.private".to_owned()];
    let report = in_time(mutant.judge(&Options { only, ..quick() })).await;
    let page = plain(&report);
    assert!(page.contains("/msg bob") && page.contains("say so in a profile"), "{page}");
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_told() {
    for means in [Means::Terminal, Means::Pipe] {
        let command = ["/no/such/client", "{port}"].map(str::to_owned).to_vec();
        let client = Client { command, means, profile: Profile::default() };
        let error = in_time(client::run(&client, &quick())).await.unwrap_err();
        assert_eq!(error.exit_code(), 69, "{error}");
        assert!(error.to_string().contains("/no/such/client"), "{error}");
    }
}

#[tokio::test]
async fn a_command_without_the_port_is_refused() {
    let command = vec!["true".to_owned()];
    let client = Client { command, means: Means::Pipe, profile: Profile::default() };
    let error = client::run(&client, &quick()).await.unwrap_err();
    assert!(matches!(error, ClientError::NoPlace("{port}")) && error.exit_code() == 64);
    assert!(error.hint().unwrap().contains("{host}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_habit_is_charged_to_one_case() {
    for (fault, id) in [
        (ClientFault::Plaintext, "c.tls.connect"),
        (ClientFault::LengthCountsItself, "c.inv.length"),
        (ClientFault::ShowsOnKeyOnly, "c.async.idle"),
    ] {
        let report = in_time(Mutant::new(Means::Pipe, &[fault]).judge(&options())).await;
        let failed = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Fail(_)));
        let failed: Vec<&str> = failed.map(|case| case.id.as_str()).collect();
        assert_eq!(failed, [id], "{}: {}", fault.name(), plain(&report));
    }
}
