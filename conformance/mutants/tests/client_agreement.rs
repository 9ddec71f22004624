//! No verdict of a client depends on company, order or selection: a default run, one case at a time, a
//! shuffled run, each group on its own and each case on its own say the same.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the tests keep the processors busy")]

mod client_subject;

use std::{
    collections::BTreeMap,
    process::{Child, Command},
};

use conformance_suite::{
    Options, Report, cases,
    client::Means,
    fault::{ClientFault, OPPOSITE_CLIENT},
    verdict::Verdict,
};
use futures_util::{StreamExt as _, stream};

use client_subject::{Mutant, options};

/// A way of running the same cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Default,
    OneAtATime,
    Shuffled,
    GroupByGroup,
    CaseByCase,
}

/// What the verdicts come to: the word, and the value where something was observed.
type Verdicts = BTreeMap<String, String>;

fn words(report: &Report) -> impl Iterator<Item = (String, String)> {
    report.cases.iter().filter(|case| case.asked).map(|case| {
        let word = match &case.verdict {
            Verdict::Observed { value, .. } => format!("seen: {value}"),
            Verdict::Blocked { by } => format!("blocked by {by}"),
            other => other.word().to_owned(),
        };
        (case.id.clone(), word)
    })
}

async fn verdicts(mutant: &Mutant, way: Way) -> Verdicts {
    let whole = Options { seed: None, ..options() };
    let groups = || cases::CLIENT_GROUPS.iter().map(|(id, ..)| (*id).to_owned());
    let each = || cases::client_cases().map(|case| case.id.to_owned());
    let parts: Vec<Options> = match way {
        Way::Default => vec![whole],
        Way::OneAtATime => vec![Options { jobs: 1, ..whole }],
        Way::Shuffled => vec![Options { shuffle: true, ..whole }],
        Way::GroupByGroup => {
            groups().map(|group| Options { only: vec![group], ..whole.clone() }).collect()
        }
        Way::CaseByCase => each().map(|id| Options { only: vec![id], ..whole.clone() }).collect(),
    };
    let mut all = Verdicts::new();
    for part in parts {
        all.extend(words(&mutant.judge(&part).await));
    }
    all
}

/// The differences between the ways of running on one client.
async fn differences(faults: &[ClientFault], means: Means, ways: &[Way]) -> Vec<String> {
    let mutant = Mutant::new(means, faults);
    let mut first: Option<Verdicts> = None;
    let mut differences = Vec::new();
    for way in ways {
        let now = verdicts(&mutant, *way).await;
        let before = first.get_or_insert_with(|| now.clone());
        for (id, word) in before.iter() {
            let other = now.get(id);
            if other != Some(word) {
                let names: Vec<&str> = faults.iter().map(|fault| fault.name()).collect();
                let ways = format!("{:?} {word:?}, {way:?} {other:?}", ways.first());
                differences.push(format!("{} {id}: {ways}", names.join("+")));
            }
        }
    }
    differences
}

async fn all_agree(clients: &[&[ClientFault]], ways: &[Way], at_once: usize) {
    let judging = stream::iter(clients.iter().copied());
    let judging = judging.map(|faults| differences(faults, Means::Terminal, ways));
    let found: Vec<String> =
        judging.buffer_unordered(at_once).flat_map(stream::iter).collect().await;
    println!("{} clients, {} ways, {} differences", clients.len(), ways.len(), found.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_of_running_changes_no_verdict() {
    let clients: &[&[ClientFault]] = &[
        &[],
        &[ClientFault::Plaintext],
        &[ClientFault::OneReadOneBody],
        &[ClientFault::SpeaksBeforeName, ClientFault::LeftUnknownRaises],
    ];
    all_agree(clients, &[Way::Default, Way::OneAtATime, Way::Shuffled], 4).await;
}

/// Keeps a processor busy until it is dropped.
struct Busy(Child);

impl Busy {
    fn start() -> Self {
        Self(Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "keeps every processor busy for minutes"]
async fn four_busy_loops_change_no_verdict() {
    let faults = [ClientFault::SecondFrameDropped];
    for faults in [&[][..], &faults] {
        let mutant = Mutant::new(Means::Terminal, faults);
        let quiet = verdicts(&mutant, Way::Default).await;
        let busy: Vec<Busy> = (0..4).map(|_| Busy::start()).collect();
        assert_eq!(verdicts(&mutant, Way::Default).await, quiet, "{faults:?}");
        drop(busy);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "every fault, which takes half an hour"]
async fn the_way_of_running_changes_no_verdict_of_any_client() {
    let each: Vec<&[ClientFault]> = ClientFault::ALL.iter().map(std::slice::from_ref).collect();
    let clients: Vec<_> = [&[][..], OPPOSITE_CLIENT].into_iter().chain(each).collect();
    all_agree(&clients, &[Way::Default, Way::OneAtATime, Way::Shuffled], 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts each client for every case, which takes minutes"]
async fn the_selection_changes_no_verdict() {
    let clients: &[&[ClientFault]] =
        &[&[], &[ClientFault::Plaintext], &[ClientFault::OneReadOneBody]];
    all_agree(clients, &[Way::Default, Way::GroupByGroup, Way::CaseByCase], 3).await;
}
