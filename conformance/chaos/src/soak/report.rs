//! What came of a soak.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use conformance_kit::escape::visible;
use serde::Serialize;

use super::{
    memory::{Growth, Life, MemoryRules, MemoryVerdict},
    plan::Soak,
    rows,
};
use crate::{
    evidence::{Evidence, Fault},
    judge::{Finding, Kind},
    report::Report,
};

/// So many examples of one row are kept.
const EXAMPLES: usize = 10;
/// So many troubles are kept.
const TROUBLES: usize = 50;

/// One lap.
#[derive(Debug, Clone, Serialize)]
pub struct Lap {
    /// Counted from 1.
    pub number: usize,
    /// When it began, in seconds since the soak did.
    pub from: u64,
    /// How long it took with all, in seconds.
    pub seconds: u64,
    /// How many disturbances there were.
    pub disturbances: usize,
    /// How many posts were acknowledged.
    pub acknowledged: usize,
    /// How many messages came, at all users together.
    pub deliveries: usize,
    /// How often users saw that the server's clock is not theirs.
    pub off_clock: usize,
    /// Half of all acknowledgements took no longer, in milliseconds.
    pub p50: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
    /// How many things were wrong.
    pub wrong: u64,
    /// The memory of the server at its end, in bytes.
    pub memory: Option<u64>,
}

impl Lap {
    /// One line about it.
    pub(super) fn text(&self) -> String {
        let wrong = match self.wrong {
            0 => "nothing wrong".to_owned(),
            wrong => format!("{wrong} THINGS WRONG"),
        };
        let memory =
            self.memory.map_or_else(String::new, |bytes| format!(", memory {:.1} MiB", mib(bytes)));
        format!(
            "lap {:>3} is over after {} s: {} disturbances, {} acknowledged, {} deliveries, {wrong}{memory}",
            self.number, self.seconds, self.disturbances, self.acknowledged, self.deliveries
        )
    }
}

/// What came of a soak.
#[derive(Debug, Clone, Serialize)]
pub struct SoakReport {
    /// The version of this program.
    pub version: &'static str,
    /// All randomness follows from it.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// How long it was to take, in seconds.
    pub wanted: u64,
    /// Whether it was ended early.
    pub interrupted: bool,
    /// How many users talked at the same time, those who competed for names not counted.
    pub users: u16,
    /// How many messages they were to send in a second.
    pub rate: f64,
    /// How often each disturbance was put in, by its word.
    pub disturbances: BTreeMap<&'static str, usize>,
    /// What could not be put in, and why.
    pub skipped: Vec<String>,
    /// Posts that were acknowledged.
    pub acknowledged: usize,
    /// Messages that came, at all users together.
    pub deliveries: usize,
    /// Posts that were refused, by the word for why.
    pub refused: BTreeMap<String, usize>,
    /// Posts that were sent again.
    pub sent_again: usize,
    /// Sessions that went on after a connection was lost, that could not, and that went on over another one while the first was there.
    pub resumed: usize,
    /// See `resumed`.
    pub anew: usize,
    /// See `resumed`.
    pub moved: usize,
    /// Connections that ended otherwise than their users wanted: `lost`, `given-up` (nothing was answered), `dawdled` (their users were
    /// not reading), or the server's word for why.
    pub closed: BTreeMap<String, usize>,
    /// How often a user was not let in, by the word for why.
    pub turned_away: BTreeMap<String, usize>,
    /// How often something was wrong, by row; zero is told, too.
    pub rows: BTreeMap<&'static str, u64>,
    /// What was wrong, with examples.
    pub findings: BTreeMap<&'static str, Finding>,
    /// How many lives of the server were looked at.
    pub lives: usize,
    /// The longest of them, in seconds.
    pub longest_life: u64,
    /// Whether memory grew.
    pub memory: MemoryVerdict,
    /// By how many bytes an hour it may.
    pub most_an_hour: f64,
    /// The laps.
    pub laps: Vec<Lap>,
    /// What could not be looked at.
    pub troubles: Vec<String>,
}

impl SoakReport {
    pub(super) fn new(plan: &Soak) -> Self {
        let faults = plan.setting.faults.iter();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            seed: plan.setting.seed,
            seconds: 0,
            wanted: plan.lasting.as_secs(),
            interrupted: false,
            users: plan.setting.users,
            rate: plan.setting.rate,
            disturbances: faults.map(|fault| (rows::word(*fault), 0)).collect(),
            skipped: plan.skipped.clone(),
            acknowledged: 0,
            deliveries: 0,
            refused: BTreeMap::new(),
            sent_again: 0,
            resumed: 0,
            anew: 0,
            moved: 0,
            closed: BTreeMap::new(),
            turned_away: BTreeMap::new(),
            rows: rows::ROWS.iter().map(|kind| (rows::row(*kind).0, 0)).collect(),
            findings: BTreeMap::new(),
            lives: 0,
            longest_life: 0,
            memory: MemoryVerdict::Unknown,
            most_an_hour: plan.memory.most,
            laps: Vec::new(),
            troubles: Vec::new(),
        }
    }

    /// Adds what came of a lap.
    pub(super) fn add(&mut self, lap: Lap, evidence: &Evidence, judged: &Report) {
        let measures = judged.measures.clone();
        for struck in &evidence.faults {
            *self.disturbances.entry(rows::word(struck.fault)).or_default() += 1;
        }
        self.acknowledged += measures.acknowledged;
        self.deliveries += measures.deliveries;
        for (sum, counts) in [
            (&mut self.refused, measures.refused),
            (&mut self.closed, measures.closed),
            (&mut self.turned_away, measures.turned_away),
        ] {
            for (code, count) in counts {
                *sum.entry(code).or_default() += count;
            }
        }
        self.sent_again += measures.sent_again;
        self.resumed += measures.resumed;
        self.anew += measures.not_resumed;
        self.moved += measures.moved;
        for kind in rows::ROWS {
            let title = rows::row(kind).0;
            *self.rows.entry(title).or_default() += judged.count(kind);
            let Some(found) = judged.findings.get(kind.words()) else { continue };
            let finding = self.findings.entry(title).or_default();
            finding.count += found.count;
            let room = EXAMPLES.saturating_sub(finding.examples.len());
            let examples = found.examples.iter().take(room);
            finding.examples.extend(examples.map(|text| format!("lap {}: {text}", lap.number)));
        }
        let unsettled =
            judged.unsettled.iter().map(|user| format!("{user} was not there at the end"));
        let unread = (!judged.unread.is_empty()).then(|| "not all pages could be read".to_owned());
        let troubles = judged.troubles.iter().cloned().chain(unsettled).chain(unread);
        let room = TROUBLES.saturating_sub(self.troubles.len());
        self.troubles.extend(troubles.take(room).map(|text| format!("lap {}: {text}", lap.number)));
        self.laps.push(lap);
    }

    /// The server was told to end when the soak was over, and did not as it should.
    pub fn ended_badly(&mut self, how: &str) {
        let title = rows::row(Kind::Ended).0;
        *self.rows.entry(title).or_default() += 1;
        let finding = self.findings.entry(title).or_default();
        finding.count += 1;
        finding.examples.push(format!("at the end: {how}"));
    }

    pub(super) fn look_at_memory(&mut self, lives: &[Life], rules: &MemoryRules) {
        self.lives = lives.len();
        let longest = lives.iter().map(Life::length).max().unwrap_or(Duration::ZERO);
        self.longest_life = longest.as_secs();
        self.memory = MemoryVerdict::of(lives, rules);
    }

    /// How often something of this kind was wrong.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.rows.get(rows::row(kind).0).copied().unwrap_or_default()
    }

    /// How often a disturbance was put in.
    #[must_use]
    pub fn disturbed(&self, fault: Fault) -> usize {
        self.disturbances.get(rows::word(fault)).copied().unwrap_or_default()
    }

    /// How often users saw that the server's clock is not theirs.
    #[must_use]
    pub fn off_clock(&self) -> usize {
        self.laps.iter().map(|lap| lap.off_clock).sum()
    }

    /// Whether something is wrong with the server.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !self.findings.is_empty() || matches!(self.memory, MemoryVerdict::Grows(_))
    }

    /// Whether everything that was to be looked at could be.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.troubles.is_empty()
    }

    /// The exit code: 0 everything holds, 1 something is wrong, 2 not everything could be looked at.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match (self.is_broken(), self.is_complete()) {
            (true, _) => 1,
            (false, false) => 2,
            (false, true) => 0,
        }
    }

    /// The verdict in words, with the disturbances that were wanted and never came.
    #[must_use]
    pub fn verdict(&self) -> String {
        let memory = match self.memory {
            MemoryVerdict::Holds(_) | MemoryVerdict::Grows(_) => "",
            MemoryVerdict::Unknown => "; memory could not be looked at",
            MemoryVerdict::TooShort => "; no life was long enough to judge memory",
        };
        let verdict = match self.exit_code() {
            0 => "everything holds",
            1 => "SOMETHING IS WRONG",
            _ => "nothing wrong was seen, but not everything could be looked at",
        };
        let none = self.disturbances.iter().filter(|(_, count)| **count == 0);
        let none: Vec<&str> = none.map(|(word, _)| *word).collect();
        let untried = match none.join(", ") {
            words if words.is_empty() => words,
            words => format!("; not tried: {words}"),
        };
        let early = if self.interrupted { "; ended early" } else { "" };
        format!("{verdict}{untried}{memory}{early}")
    }

    /// What memory did, in words.
    #[must_use]
    pub fn memory_text(&self) -> String {
        match &self.memory {
            MemoryVerdict::Unknown => "not known".to_owned(),
            MemoryVerdict::TooShort => {
                format!("not judged: the longest life has {} s", self.longest_life)
            }
            MemoryVerdict::Holds(growth) => self.growth_text(growth, "holds"),
            MemoryVerdict::Grows(growth) => self.growth_text(growth, "GROWS"),
        }
    }

    fn growth_text(&self, growth: &Growth, verdict: &str) -> String {
        let (first, last) = (growth.stretches.first(), growth.stretches.last());
        let bytes = |stretch: Option<&(f64, u64)>| mib(stretch.map_or(0, |stretch| stretch.1));
        let at = |stretch: Option<&(f64, u64)>| stretch.map_or(0.0, |stretch| stretch.0) / 60.0;
        format!(
            "{verdict}: {:.1} MiB at minute {:.0}, {:.1} MiB at minute {:.0}; {:+.2} MiB an hour ({:+.2} to {:+.2}), {:+.2} in the later half, at most {:.1}",
            bytes(first),
            at(first),
            bytes(last),
            at(last),
            growth.an_hour / MIB,
            growth.at_least / MIB,
            growth.at_most / MIB,
            growth.later / MIB,
            self.most_an_hour / MIB,
        )
    }

    /// The facts about the run: a title and a text each.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let put_in: Vec<String> =
            self.disturbances.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let p50 = self.laps.iter().map(|lap| lap.p50).fold(0.0, f64::max);
        let p99 = self.laps.iter().map(|lap| lap.p99).fold(0.0, f64::max);
        let clock = match (self.disturbances.get("clock-stepped"), self.off_clock()) {
            (None | Some(0), _) => "not stepped".to_owned(),
            (Some(_), 0) => "stepped, and no message told of it".to_owned(),
            (Some(_), seen) => format!("stepped, and seen {seen} times by users"),
        };
        vec![
            (
                "soak",
                format!(
                    "{} s of {} in {} laps, seed {}, {} users, {} messages a second",
                    self.seconds,
                    self.wanted,
                    self.laps.len(),
                    self.seed,
                    self.users,
                    self.rate
                ),
            ),
            ("disturbances", put_in.join(", ")),
            ("acknowledged", self.acknowledged.to_string()),
            ("deliveries", self.deliveries.to_string()),
            ("refused", counts(&self.refused)),
            ("sent again", self.sent_again.to_string()),
            (
                "connections lost",
                format!(
                    "{} resumed, {} anew; {} moved without need",
                    self.resumed, self.anew, self.moved
                ),
            ),
            ("connections ended", counts(&self.closed)),
            ("not let in", counts(&self.turned_away)),
            ("acknowledged within", format!("p50 {p50:.1} ms, p99 {p99:.0} ms in the slowest lap")),
            ("clock", clock),
            ("lives of the server", format!("{}, the longest {} s", self.lives, self.longest_life)),
            ("memory", self.memory_text()),
        ]
    }

    /// The report as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut row = |name: &str, text: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{name:<24}{text}");
        };
        for (title, text) in self.facts() {
            row(title, &text);
        }
        for kind in rows::ROWS {
            row(rows::row(kind).0, &self.count(kind).to_string());
        }
        for (title, finding) in &self.findings {
            for example in &finding.examples {
                row("", &format!("{title}: {}", visible(example)));
            }
        }
        for skipped in &self.skipped {
            row("skipped", &visible(skipped));
        }
        for trouble in &self.troubles {
            row("trouble", &visible(trouble));
        }
        row("verdict", &self.verdict());
        out
    }
}

/// Counts by word.
fn counts(counts: &BTreeMap<String, usize>) -> String {
    let words: Vec<String> =
        counts.iter().map(|(word, count)| format!("{count} {}", visible(word))).collect();
    if words.is_empty() { "0".to_owned() } else { words.join(", ") }
}

const MIB: f64 = 1024.0 * 1024.0;

/// Bytes as MiB.
#[allow(clippy::cast_precision_loss, reason = "memory has less than 52 bits")]
pub(super) fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
