//! No verdict depends on company, order or history: on every mutant, and above all on those that are
//! right in every MUST and don't survive what the norm leaves open, a default run, one in a random
//! order, one with company, and one with a fresh server for every case say the same.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "certificates are files, and the table is printed")]

mod subject;

use std::{collections::BTreeMap, path::Path};

use conformance_kit::{identity::Identity, net::tls::Trust};
use conformance_suite::{
    Options, Report, Subject,
    fault::{FRAGILE, Fault},
    report::console,
    run,
    verdict::Verdict,
};
use futures_util::StreamExt as _;

/// The ways in which a server is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A fresh server for every case, one after the other: what the others are held against.
    Fresh,
    /// A server of the suite's own.
    Spawned,
    /// The same in a random order.
    Shuffled,
    /// The same with company.
    Together,
    /// Somebody else's server.
    Running,
    /// The same with company, in a random order.
    RunningTogether,
}

const WAYS: [Way; 5] =
    [Way::Spawned, Way::Shuffled, Way::Together, Way::Running, Way::RunningTogether];

async fn grade(faults: &[Fault], way: Way, only: &[&str]) -> Report {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let options = Options {
        trust: Trust::Anything,
        only: own(only),
        timeout_scale: 0.4,
        seed: Some(7),
        jobs: if matches!(way, Way::Together | Way::RunningTogether) { 6 } else { 1 },
        shuffle: matches!(way, Way::Shuffled | Way::RunningTogether),
        heavy: true,
        ..Options::default()
    };
    if matches!(way, Way::Running | Way::RunningTogether) {
        let (_mutant, subject, _) = subject::mutant(faults).await;
        return run(&subject, &options).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let command = command(folder.path(), faults);
    let subject = Subject::Spawned { command, fresh: way == Way::Fresh };
    run(&subject, &options).await.unwrap()
}

fn command(folder: &Path, faults: &[Fault]) -> String {
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let (cert, key) = (folder.join("c.pem"), folder.join("k.pem"));
    std::fs::write(&cert, identity.pem).unwrap();
    std::fs::write(&key, identity.key_pem).unwrap();
    let faults: String = faults.iter().map(|fault| format!(" --fault {}", fault.name())).collect();
    let (binary, cert, key) = (env!("CARGO_BIN_EXE_mutant"), cert.display(), key.display());
    format!("{binary} 127.0.0.1:{{port}} --cert {cert} --key {key}{faults}")
}

/// What a report says about each case: how it came out, and what was observed.
fn verdicts(report: &Report) -> BTreeMap<String, String> {
    let said = |verdict: &Verdict| match verdict {
        Verdict::Observed { value, .. } => format!("observed {value}"),
        Verdict::Blocked { by } => format!("blocked by {by}"),
        other => other.word().to_owned(),
    };
    // The addresses and the certificate of a mutant in another process are other ones.
    let elsewhere = ["net.families", "tls.cert"];
    let cases = report.cases.iter().filter(|case| !elsewhere.contains(&case.id.as_str()));
    cases.map(|case| (case.id.clone(), said(&case.verdict))).collect()
}

/// Faults that end a server, or make it useless to others, in a case that counts: on somebody else's
/// server, which can't be started again, what comes behind is not judged.
const DEADLY: &[Fault] = &[
    Fault::JunkKillsServer,
    Fault::BadUtf8Kills,
    Fault::DeepJsonKills,
    Fault::HugeLengthStalls,
    Fault::UnjoinedCloseKills,
    Fault::HalfFrameStalls,
    Fault::IdleStalls,
    Fault::HandshakeInAcceptLoop,
    Fault::NoWelcomeAfterTalk,
    Fault::SlowReaderStalls,
    Fault::OneAtATime,
];

/// How many MiB arrive in their time depends on the machine as well as on the server: both ways have to observe something, and
/// not the same number.
fn is_measured(id: &str, right: Option<&String>, verdict: &str) -> bool {
    let observed = |verdict: &str| verdict.starts_with("observed");
    id == "limits.16mib" && observed(verdict) && right.is_some_and(|right| observed(right))
}

/// Where a way of grading says something else than a fresh server for every case does. On somebody
/// else's server, what a marked one can't be asked any more is not judged, as long as no points depend
/// on it.
fn differences(faults: &[Fault], fresh: &Report, other: &Report, way: Way) -> Vec<String> {
    let running = matches!(way, Way::Running | Way::RunningTogether);
    let (expected, said) = (verdicts(fresh), verdicts(other));
    let deadly = faults.iter().any(|fault| DEADLY.contains(fault));
    let mut all = Vec::new();
    for (id, verdict) in &said {
        let right = expected.get(id);
        let unjudged = verdict == "inconclusive" || verdict.starts_with("blocked");
        let counts = other.case(id).is_some_and(|case| case.counts(false));
        let forgiven =
            running && unjudged && (deadly || !counts) || is_measured(id, right, verdict);
        if right != Some(verdict) && !forgiven {
            all.push(format!("{way:?}: {id} is {verdict}, and fresh {right:?}"));
        }
    }
    all
}

/// Everything that the ways of grading say differently about a mutant.
async fn disagreements(faults: Vec<Fault>, ways: &[Way]) -> (String, Vec<String>) {
    let name = faults.iter().map(|fault| fault.name()).collect::<Vec<_>>().join("+");
    let fresh = grade(&faults, Way::Fresh, &[]).await;
    let mut all = Vec::new();
    for way in ways {
        let other = grade(&faults, *way, &[]).await;
        all.extend(differences(&faults, &fresh, &other, *way));
    }
    (name, all)
}

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&console::render(report)).to_string()
}

/// A server that survives nothing of what the norm leaves open keeps all its points, also where it
/// can't be started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fragile_server_keeps_its_points() {
    let report = grade(FRAGILE, Way::Spawned, &[]).await;
    assert_eq!(report.exit_code(), 0, "{}", plain(&report));
    let running = grade(FRAGILE, Way::Running, &[]).await;
    let must = |case: &&conformance_suite::CaseResult| case.counts(false) && !case.literal;
    for case in running.cases.iter().filter(must) {
        assert_eq!(case.verdict, Verdict::Pass, "{}: {}", case.id, plain(&running));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_grading_says_the_same() {
    let several = [
        FRAGILE.to_vec(),
        vec![Fault::RenamesOnSecondName, Fault::SecondFrameDropped, Fault::OnlyFirstSourceChecked],
        vec![Fault::JunkKillsServer],
    ];
    for faults in several {
        let (name, all) = disagreements(faults, &WAYS).await;
        assert!(all.is_empty(), "{name}:\n{}", all.join("\n"));
    }
}

/// A part of a run says the same as the whole, on either kind of server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_says_what_the_whole_says() {
    let faults = [Fault::ErrorObject, Fault::LengthInCharacters];
    let whole = verdicts(&grade(&faults, Way::Spawned, &[]).await);
    for (only, way) in [
        (&["inv"][..], Way::Spawned),
        (&["errors.not-json"], Way::Spawned),
        (&["join", "framing.coalesced"], Way::Spawned),
        (&["inv.length"], Way::Running),
        (&["inv", "open"], Way::Running),
        (&["history.sixty"], Way::Running),
    ] {
        let part = verdicts(&grade(&faults, way, only).await);
        for (id, verdict) in part {
            let right = whole.get(&id);
            let is_right = right == Some(&verdict) || is_measured(&id, right, &verdict);
            assert!(is_right, "{id} with --only {only:?}, {way:?}: {verdict}, and {right:?}");
        }
    }
}

/// The whole table, on every mutant of the base protocol: it takes the better part of an hour.
/// `cargo test -p conformance-mutants --test agreement -- --ignored --nocapture`; `FAULT=Dies,Ghost`
/// picks those whose name holds one of these.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes the better part of an hour"]
async fn the_whole_table() {
    let only = std::env::var("FAULT").unwrap_or_default();
    let base: Vec<Fault> = conformance_suite::cases::server_cases()
        .filter(|case| case.extension.is_none())
        .flat_map(|case| case.killed_by)
        .chain(FRAGILE)
        .copied()
        .filter(|fault| only.split(',').any(|part| fault.name().contains(part)))
        .collect();
    let subjects = std::iter::once(Vec::new()).chain(base.into_iter().map(|fault| vec![fault]));
    let ways = [Way::Spawned, Way::Shuffled, Way::Running];
    let mut rows = futures_util::stream::iter(subjects)
        .map(|faults| disagreements(faults, &ways))
        .buffer_unordered(2);
    let mut wrong = 0;
    while let Some((name, all)) = rows.next().await {
        eprintln!("{name:28} {} differences", all.len());
        for one in &all {
            eprintln!("    {one}");
        }
        wrong += all.len();
    }
    assert_eq!(wrong, 0);
}
