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
use futures_util::{StreamExt as _, stream};
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

/// The cases that failed, and whether any was blocked or stayed open.
fn failed(report: &Report) -> (Vec<&str>, Vec<&str>) {
    let ids = |wanted: fn(&Verdict) -> bool| {
        let cases = report.cases.iter().filter(move |case| wanted(&case.verdict));
        cases.map(|case| case.id.as_str()).collect()
    };
    (
        ids(|verdict| matches!(verdict, Verdict::Fail(_))),
        ids(|verdict| matches!(verdict, Verdict::Blocked { .. } | Verdict::Inconclusive { .. })),
    )
}

/// One habit fails the cases that are about it; whatever else can be judged is judged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_habit_is_charged_to_its_cases() {
    type Habit = (ClientFault, &'static [&'static str], &'static [&'static str]);
    const WHOLE_READS: [&str; 3] = ["c.recv.split-header", "c.recv.split-body", "c.recv.coalesced"];
    const HABITS: [Habit; 14] = [
        (ClientFault::Plaintext, &["c.tls.connect"], &[]),
        (ClientFault::NameInCapitals, &["c.join.first"], &[]),
        (ClientFault::SpeaksBeforeName, &["c.join.first"], &[]),
        (ClientFault::OtherFrameFirst, &[], &[]),
        (ClientFault::PrivateDecorated, &[], &[]),
        (ClientFault::OwnNameWrong, &["c.send.public"], &[]),
        (ClientFault::SenderHidden, &["c.recv.message"], &[]),
        (ClientFault::LengthCountsItself, &["c.inv.length"], &[]),
        (ClientFault::ShowsOnKeyOnly, &["c.async.idle"], &["c.async.typing"]),
        (ClientFault::OneReadOneBody, &WHOLE_READS, &["c.join.big", "c.recv.bytewise"]),
        (ClientFault::SecondFrameDropped, &["c.recv.coalesced"], &[]),
        (ClientFault::RefusalPromptsOnly, &["c.join.rejected"], &[]),
        (
            ClientFault::RefusalRaises,
            &["c.join.rejected"],
            &["c.join.rejected-bare", "c.join.retry"],
        ),
        (ClientFault::UnknownKeyFirst, &["c.recv.unknown-key"], &[]),
    ];
    let judging = stream::iter(HABITS).map(|(fault, charged, waits)| async move {
        let report = in_time(Mutant::new(Means::Pipe, &[fault]).judge(&options())).await;
        let (failed, open) = failed(&report);
        let came = (failed.as_slice(), open.as_slice());
        assert_eq!(came, (charged, waits), "{}: {}", fault.name(), plain(&report));
    });
    judging.buffer_unordered(3).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_delay_is_found_and_suggested() {
    let mutant = Mutant::new(Means::Terminal, &[ClientFault::FlushesInputAtStart]);
    let only = ["c.join", "c.send"].map(str::to_owned).to_vec();
    let report = in_time(mutant.judge(&Options { only, ..options() })).await;
    assert_eq!(report.exit_code(), 0, "{}", plain(&report));
    let Verdict::Observed { value, .. } = &report.case("c.join.ready").unwrap().verdict else {
        panic!("{}", plain(&report));
    };
    assert!(value.contains("put `delay = ") && value.contains("into the profile"), "{value}");
    // With what was suggested, the first contact works at once.
    let delay = value.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse().ok());
    let mut mutant = mutant;
    mutant.client.profile.delay = delay.unwrap();
    let only = vec!["c.join.ready".to_owned()];
    let report = in_time(mutant.judge(&Options { only, ..options() })).await;
    let verdict = &report.case("c.join.ready").unwrap().verdict;
    assert!(
        matches!(verdict, Verdict::Observed { value, .. } if value.starts_with("arrives")),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn the_kind_of_error_decides_the_hint() {
    for (output, words) in [
        (
            "Traceback (most recent call last):\\n  File \"c.py\", line 7, in recv\\nKeyError: 1",
            &["your program\u{27}s exceptions first", "KeyError: 1 in c.py, line 7"][..],
        ),
        ("ssl.SSLError: certificate verify failed", &["trust the suite\u{27}s server", "{ca}"]),
        ("connect: Connection refused", &["where nobody listens", "{port}"]),
    ] {
        let text = format!("printf '{output}\\n' >&2; exit 1");
        let report = script(&text, Means::Pipe, "c.tls.connect").await;
        let case = report.case("c.tls.connect").unwrap();
        assert!(words.iter().all(|word| case.hint.contains(word)), "{}", case.hint);
        assert!(!case.printed.is_empty() && plain(&report).contains(&case.hint));
    }
}
