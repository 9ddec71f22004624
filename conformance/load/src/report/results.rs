//! The results of a run. Every output format is rendered from [`LoadReport`].

use conformance_kit::subject::process::Memory;
use serde::{Deserialize, Serialize};

use crate::{delivery_check::Faults, dialect::Dialect, latency::Figures, roster::NoticeFaults};

/// The version of the JSON; it changes when a field changes its meaning or goes away.
pub const VERSION: u32 = 1;

/// CPU time below this can't be told from nothing: the system counts it in hundredths of seconds.
const LEAST_CPU: f64 = 0.05;

/// What a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// [`VERSION`].
    pub version: u32,
    /// The version of the suite.
    pub suite: String,
    /// When the run began, in seconds since 1970-01-01 UTC.
    pub started: i64,
    /// The server, as the user named it.
    pub target: String,
    /// The TLS version and cipher suite; `None` without TLS.
    pub tls: Option<String>,
    /// What was done.
    pub setting: Setting,
    /// How everybody joined.
    pub joining: Joining,
    /// The messages; `None` when nobody was to say anything.
    pub traffic: Option<Traffic>,
    /// Those who came and went; `None` when nobody was to.
    pub churn: Option<Churn>,
    /// The server's memory at several moments, when its process is known.
    pub memory: Vec<MemoryPoint>,
    /// What happened over time.
    pub timeline: Vec<Sample>,
    /// What was checked, and what was wrong.
    pub checks: Checks,
    /// What the machine can do at most, when that was measured.
    pub limits: Vec<Limit>,
    /// Whether everything was right.
    pub verdict: Verdict,
    /// Why not.
    pub reasons: Vec<String>,
    /// What the server or the system said, with how often.
    pub troubles: Vec<(String, u64)>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// The workload.
    pub workload: String,
    /// What the server speaks; reports of earlier versions of the tool know only one.
    #[serde(default = "only_dialect")]
    pub dialect: String,
    /// Members who are measured.
    pub connections: u32,
    /// How many of them send.
    pub senders: u32,
    /// Bytes of a text.
    pub payload: usize,
    /// Messages on their way for each sender; `None` with a fixed schedule.
    pub window: Option<u32>,
    /// Messages a second in all; `None` in a closed loop.
    pub rate: Option<f64>,
    /// Seconds before measuring.
    pub warm_up: f64,
    /// Seconds of measuring.
    pub duration: f64,
    /// Others who flood the room.
    pub flooders: u32,
    /// Others who read slowly or not at all.
    pub slow: u32,
    /// Messages in the history before a join storm.
    pub history: u32,
    /// Connections that are opened at the same time.
    pub at_once: usize,
    /// Source addresses.
    pub sources: usize,
    /// Threads of the tool.
    pub threads: usize,
}

fn only_dialect() -> String {
    Dialect::Chatterbox.name().to_owned()
}

/// How everybody joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Joining {
    /// Who joined.
    pub joined: u64,
    /// Seconds until the last one had joined.
    pub seconds: f64,
    /// Seconds until everybody knew everybody; `None` when that did not come, or was not asked.
    pub known_seconds: Option<f64>,
    /// Bytes that came until then, as they were on the wire.
    pub bytes: u64,
    /// CPU seconds of the server until then.
    pub cpu: Option<f64>,
    /// How many messages the history had that joiners got.
    pub history: Option<u32>,
}

impl Joining {
    /// Bytes for each CPU second of the server; `None` when that is not known, or too short to be told
    /// from nothing.
    #[must_use]
    pub fn bytes_per_cpu(&self) -> Option<f64> {
        self.cpu.filter(|cpu| *cpu >= LEAST_CPU).map(|cpu| float(self.bytes) / cpu)
    }
}

/// Messages while they were measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// How long it really was, in seconds.
    pub seconds: f64,
    /// Messages that were sent.
    pub messages: u64,
    /// Messages that arrived, counted at each connection where they did; echoes are included.
    pub deliveries: u64,
    /// Bytes that came from the sockets.
    pub bytes: u64,
    /// How many messages came together in a TLS record, or a read without TLS: the mean.
    pub batch: f64,
    /// How long the deliveries of those who are measured took.
    pub latency: Option<Figures>,
    /// The same with what stalled senders would have sent; `None` with a fixed schedule, where
    /// `latency` counts from the scheduled time and needs no correction.
    pub corrected: Option<Figures>,
    /// How long the flooders' messages took.
    pub flood: Option<Figures>,
    /// CPU seconds of the server.
    pub cpu: Option<f64>,
    /// CPU seconds of this tool.
    pub own_cpu: Option<f64>,
}

impl Traffic {
    /// Deliveries a second.
    #[must_use]
    pub fn delivery_rate(&self) -> f64 {
        float(self.deliveries) / self.seconds.max(1e-9)
    }

    /// Messages a second.
    #[must_use]
    pub fn message_rate(&self) -> f64 {
        float(self.messages) / self.seconds.max(1e-9)
    }

    /// Deliveries for each CPU second of the server; `None` when that is not known, or too short to
    /// be told from nothing.
    #[must_use]
    pub fn deliveries_per_cpu(&self) -> Option<f64> {
        self.cpu.filter(|cpu| *cpu >= LEAST_CPU).map(|cpu| float(self.deliveries) / cpu)
    }
}

/// Those who came and went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    /// How many a second were to.
    pub rate: f64,
    /// How many came and went.
    pub passed: u64,
    /// How many did not come, because too many were on their way.
    pub skipped: u64,
}

/// The server's memory at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryPoint {
    /// Which moment.
    pub when: String,
    /// How many connections there were.
    pub connections: u64,
    /// The memory.
    pub memory: Memory,
    /// Bytes for each connection, beyond what there was before the first one.
    pub per_connection: Option<f64>,
}

/// One moment of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the senders began, or the first connection.
    pub at: f64,
    /// Deliveries so far.
    pub deliveries: u64,
    /// Users who have joined so far.
    pub joined: u64,
    /// CPU seconds of the server so far.
    pub cpu: Option<f64>,
    /// Whether this lies in the time that is measured.
    pub measured: bool,
}

/// What was checked, and what was wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// Deliveries that were checked.
    pub deliveries: u64,
    /// What was wrong with them.
    pub faults: Faults,
    /// What was wrong with lists and notices.
    pub notices: NoticeFaults,
    /// Welcomes with a wrong history.
    pub histories_wrong: u64,
    /// Whether senders got their own messages back.
    pub echoes: bool,
    /// Names that were refused.
    pub refused: u64,
    /// Connections that came to nothing.
    pub failed: u64,
    /// Connections that the server ended.
    pub closed: u64,
    /// Slow readers whom it disconnected.
    pub slow_closed: u64,
    /// `ERROR` frames.
    pub errors: u64,
    /// Frames that are none of the protocol.
    pub nonsense: u64,
    /// Messages of others.
    pub strangers: u64,
}

/// What prepared bytes cost: the same members and messages, or the same joins and history, at a server
/// that only writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// `free-running`, `coalesced` or `single`; `copying` for the history of a join storm.
    pub mode: String,
    /// Messages in each write, the mean: what was asked for, or with `free-running` and `copying` what
    /// came.
    pub batch: f64,
    /// Its figures; `None` with `copying`, where nobody says anything.
    pub traffic: Option<Traffic>,
    /// The measured server's deliveries for each CPU second as a part of the limit's; with `copying` its
    /// bytes for each CPU second of joining.
    pub fraction: Option<f64>,
    /// Whether every delivery, and every history, was right.
    pub right: bool,
    /// How everybody joined, with `copying`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joining: Option<Joining>,
}

/// Whether everything was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every delivery and every notice was.
    Right,
    /// Something was lost, came twice, or otherwise.
    Wrong,
    /// The run did not become what it was to be.
    Inconclusive,
}

impl LoadReport {
    /// The exit code: 0 right, 1 wrong, 2 inconclusive.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Right => 0,
            Verdict::Wrong => 1,
            Verdict::Inconclusive => 2,
        }
    }

    /// Renders as JSON.
    ///
    /// # Errors
    /// When a number can't be written; never for a report of this tool.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// When it is no report of this version.
    pub fn read(text: &str) -> Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {
                serde_json::from_value(value).map_err(|error| error.to_string())
            }
            Some(version) => Err(format!("it has version {version}, this tool knows {VERSION}")),
            None => Err("it has no version".to_owned()),
        }
    }
}

impl Checks {
    /// What is wrong, in words; empty when nothing is.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let Faults { lost, doubled, reordered, altered, misrouted, invented } = self.faults;
        let notices = self.notices;
        [
            (lost, "deliveries are missing"),
            (doubled, "messages came again"),
            (reordered, "messages came after a later one of the same sender"),
            (altered, "messages are not as they were sent"),
            (misrouted, "messages reached somebody whom they were not for"),
            (invented, "messages came that nobody sent"),
            (notices.joins_missing, "members were not told of somebody who was there"),
            (notices.joins_doubled, "members were told twice that somebody was there"),
            (notices.leaves_missing, "members were not told that somebody left"),
            (notices.leaves_doubled, "members were told twice that somebody left"),
            (notices.leaves_false, "members were told that somebody left who had not"),
            (self.histories_wrong, "welcomes had another history, or not in order"),
            (self.closed, "connections were ended by the server"),
            (self.errors, "ERROR frames came"),
            (self.nonsense, "frames were no frames of the protocol"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }
}

/// A count as a number to calculate with.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52, and shown rounded")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}
