//! The report of a run, for people and for programs.

use std::{collections::BTreeMap, fmt::Write as _};

use conformance_kit::escape::visible;
use serde::Serialize;

use crate::{
    evidence::{Evidence, Fault},
    judge::{Finding, Kind, judge, keeps_too_little},
    measure::{Cost, Measures, Times, measure},
};

/// Why what was said in the run before could not be looked for.
const TOO_LITTLE: &str = "the server keeps less than what is said in two laps: it has to keep more (ours: --keep-messages), or less is to be said (--rate, --lap)";

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Everything random follows from it.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// How many users talked, those who competed for names included.
    pub users: usize,
    /// How many faults there were, by kind.
    pub struck: BTreeMap<&'static str, usize>,
    /// What the run was like.
    pub measures: Measures,
    /// How often each kind of thing was wrong; zero is told, too.
    pub counts: BTreeMap<&'static str, u64>,
    /// What was wrong, with examples.
    pub findings: BTreeMap<&'static str, Finding>,
    /// Users who were not connected at the end, or did not see the last message.
    pub unsettled: Vec<String>,
    /// Nodes whose pages could not be read by everybody.
    pub unread: Vec<u16>,
    /// What could not be done.
    pub troubles: Vec<String>,
}

/// What the run has to tell beside its evidence.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The seed.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// How many nodes there are.
    pub nodes: u16,
    /// How many users talk until the end.
    pub talkers: usize,
    /// What could not be done.
    pub troubles: Vec<String>,
}

impl Report {
    /// Judges and measures a run.
    #[must_use]
    pub fn of(evidence: &Evidence, circumstances: Circumstances) -> Self {
        let findings = judge(evidence);
        let Circumstances { seed, seconds, nodes, talkers, mut troubles } = circumstances;
        troubles.extend(keeps_too_little(evidence).then(|| TOO_LITTLE.to_owned()));
        let mut struck: BTreeMap<&'static str, usize> = BTreeMap::new();
        for fault in &evidence.faults {
            // A rolling restart is told node by node, and is one fault.
            let first = fault.fault != Fault::RollingRestart || fault.node == Some(0);
            *struck.entry(fault.fault.word()).or_default() += usize::from(first);
        }
        let talking = evidence.testimonies.iter().take(talkers);
        let unsettled = talking.filter(|testimony| !testimony.settled).map(|testimony| {
            evidence.names.get(usize::from(testimony.name)).cloned().unwrap_or_default()
        });
        // Each talker has read the own pages, and one also those of all.
        let complete = |node: &u16| {
            evidence.pages.iter().filter(|pages| pages.node == *node).count() > talkers
        };
        Self {
            seed,
            seconds,
            users: evidence.testimonies.len(),
            struck,
            measures: measure(evidence),
            counts: asked(evidence).map(|kind| (kind.words(), findings.count(kind))).collect(),
            findings: findings.iter().map(|(kind, found)| (kind.words(), found.clone())).collect(),
            unsettled: unsettled.collect(),
            unread: (0..nodes).filter(|node| !complete(node)).collect(),
            troubles,
        }
    }

    /// Whether something is wrong with the cluster.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !self.findings.is_empty()
    }

    /// Whether everything could be looked at.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unsettled.is_empty() && self.unread.is_empty() && self.troubles.is_empty()
    }

    /// How often something of this kind was wrong.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(kind.words()).copied().unwrap_or_default()
    }

    /// The report as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut row = |name: &str, text: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{name:<32}{text}");
        };
        let measures = &self.measures;
        row("run", &format!("{} s, seed {}, {} users", self.seconds, self.seed, self.users));
        let struck: Vec<String> =
            self.struck.iter().map(|(fault, count)| format!("{count} {fault}")).collect();
        let total: usize = self.struck.values().sum();
        row("faults", &format!("{total}: {}", struck.join(", ")));
        row("acknowledged", &measures.acknowledged.to_string());
        row("deliveries", &measures.deliveries.to_string());
        let refused: Vec<String> =
            measures.refused.iter().map(|(code, n)| format!("{n} {}", visible(code))).collect();
        row("refused", &if refused.is_empty() { "0".to_owned() } else { refused.join(", ") });
        row("sent again", &format!("{}, unsure {}", measures.sent_again, measures.unsure));
        row("latency", &times(measures.latency));
        row("latency when calm", &times(measures.calm));
        row(
            "connections lost",
            &format!(
                "{} resumed, {} not resumed; {} moved without need",
                measures.resumed, measures.not_resumed, measures.moved
            ),
        );
        row("back after", &times(measures.back));
        row("back after, anew", &times(measures.anew));
        for cost in &measures.faults {
            row(&format!("  {}", cost.fault), &cost_text(cost));
        }
        for (kind, count) in &self.counts {
            row(kind, &count.to_string());
        }
        for (kind, finding) in &self.findings {
            for example in &finding.examples {
                row("", &format!("{kind}: {}", visible(example)));
            }
        }
        for user in &self.unsettled {
            row("not settled", &visible(user));
        }
        for node in &self.unread {
            row("pages not read", &format!("of node {node}"));
        }
        for trouble in &self.troubles {
            row("trouble", &visible(trouble));
        }
        let verdict = match (self.is_broken(), self.is_complete()) {
            (true, _) => "BROKEN",
            (false, false) => "nothing wrong was seen, but not everything could be looked at",
            (false, true) => "everything holds",
        };
        row("verdict", verdict);
        out
    }
}

/// What is asked about a run.
fn asked(evidence: &Evidence) -> impl Iterator<Item = Kind> {
    let alone = evidence.alone;
    let is_of_one = |kind: &Kind| matches!(kind, Kind::SentAway | Kind::Silent);
    Kind::ALL.into_iter().filter(move |kind| alone || !is_of_one(kind))
}

fn cost_text(cost: &Cost) -> String {
    let mut text = format!("at {:.1} s", cost.from / 1_000.0);
    let mut add = |part: &str| text.push_str(part);
    if let Some(node) = cost.node {
        add(&format!(" of node {node}"));
    }
    add(&format!(
        ", {:.1} s long: silence {:.0} ms",
        (cost.until - cost.from) / 1_000.0,
        cost.silence
    ));
    add(&format!(", longest wait {:.0} ms", cost.longest));
    if let Some(told) = cost.told {
        add(&format!(", users told after {told:.0} ms"));
    }
    if let Some(sent_away) = cost.sent_away {
        add(&format!(", closed after {sent_away:.0} ms"));
    }
    add(&format!(", {} connections lost ({} given up)", cost.closed, cost.given_up));
    for (word, times) in [("resumed", cost.back), ("anew", cost.anew)] {
        if times.count > 0 {
            let Times { count, p50, most, .. } = times;
            add(&format!(", {count} {word} after {p50:.0} ms, at most {most:.0}"));
        }
    }
    let turned_away: usize = cost.turned_away.values().sum();
    if turned_away > 0 {
        add(&format!(", {turned_away} times not let in"));
    }
    add(&format!(", {} users announced as gone", cost.gone));
    text
}

fn times(times: Times) -> String {
    format!(
        "p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, most {:.1} ms ({})",
        times.p50, times.p90, times.p99, times.most, times.count
    )
}
