//! Token buckets: what a user says to one destination is counted (FL-1, FL-2), and what all say in one room (FL-3).

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use conformance_kit::clock::{Clock, unix_seconds};
use conformance_suite::fault::Fault;
use serde_json::Value;

use super::state::Refusal;
use crate::faults::Faults;

/// What one token stands for: so many messages of a frame, and so many bytes of them.
const MESSAGES: usize = 16;
const BYTES: usize = 4 * 1024;

/// After so many refusals within [`RECENTLY`], a user is muted for [`MUTED`].
const MOST_REFUSALS: usize = 20;
const RECENTLY: Duration = Duration::from_secs(60);
const MUTED: Duration = Duration::from_secs(60);

/// A bucket's tokens, and the time in which one comes back.
#[derive(Debug, Clone, Copy)]
struct Size {
    tokens: u32,
    each: Duration,
}

const USER: Size = Size { tokens: 40, each: Duration::from_secs(1) };
const ROOM: Size = Size { tokens: 400, each: Duration::from_millis(25) };

/// A token bucket: the time that it takes to be full again.
#[derive(Debug)]
struct Bucket {
    owed: Duration,
    seen: Clock,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { owed: Duration::ZERO, seen: Clock::start() }
    }
}

impl Bucket {
    /// Takes tokens; the time after which they will be there when they are not. Where a frame costs more than a bucket holds,
    /// the whole bucket is enough, and what is missing is owed.
    fn take(&mut self, cost: u32, size: Size) -> Result<(), Duration> {
        let owed = self.owed.saturating_sub(self.seen.elapsed());
        self.owed = owed;
        self.seen = Clock::start();
        let left = size.each * size.tokens.saturating_sub(cost);
        if owed > left {
            return Err(owed.saturating_sub(left));
        }
        self.owed = owed + size.each * cost;
        Ok(())
    }
}

/// What is counted of one user.
#[derive(Debug, Default)]
struct Speaker {
    buckets: BTreeMap<String, Bucket>,
    refusals: VecDeque<Clock>,
    /// Since when the user is muted, and until when in seconds since 1970.
    muted: Option<(Clock, i64)>,
}

/// The counts of everybody.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    speakers: BTreeMap<String, Speaker>,
    rooms: BTreeMap<String, Bucket>,
}

/// The destinations of one frame to which nothing is said now, and why.
#[derive(Debug, Default)]
pub(crate) struct Stopped(BTreeMap<String, Refusal>);

impl Stopped {
    pub(super) fn stop(&mut self, dest: String, refusal: Refusal) {
        self.0.insert(dest, refusal);
    }

    /// Why nothing goes to this destination, if it doesn't.
    pub(crate) fn at(&self, dest: &str) -> Option<Refusal> {
        self.0.get(&counted_as(dest)).copied()
    }
}

/// The destination as which one is counted: all private ones are one.
fn counted_as(dest: &str) -> String {
    if dest.eq_ignore_ascii_case("ALL") {
        return "ALL".to_owned();
    }
    dest.strip_prefix('#').map_or_else(String::new, |name| format!("#{}", name.to_lowercase()))
}

/// What a frame costs at each destination.
pub(super) fn costs(list: &[Value], f: &Faults) -> BTreeMap<String, u32> {
    let mut said = BTreeMap::<String, (usize, usize)>::new();
    for message in list {
        let text = |at: usize| message.get(at).and_then(Value::as_str);
        let Some(dest) = text(1) else { continue };
        let (messages, bytes) = said.entry(counted_as(dest)).or_default();
        *messages += 1;
        *bytes += text(3).map_or(0, str::len);
    }
    let cost = |(dest, (messages, bytes)): (String, (usize, usize))| {
        let counts = messages.div_ceil(MESSAGES).max(bytes.div_ceil(BYTES));
        let lines = messages > 1 && f.acts(Fault::FloodCountsLines);
        let cost = u32::try_from(if lines { messages } else { counts }).unwrap_or(u32::MAX);
        (dest, cost)
    };
    said.into_iter().map(cost).collect()
}

impl Flood {
    /// Whether a session is muted, or was lately.
    pub(super) fn has_muted(&self, token: &str) -> bool {
        self.speakers.get(token).is_some_and(|speaker| speaker.muted.is_some())
    }

    /// Counts what a frame of a session says to one destination; why it is not taken, if it isn't.
    pub(super) fn count(
        &mut self,
        (token, base): (&str, bool),
        dest: &str,
        cost: u32,
        f: &Faults,
    ) -> Result<(), Refusal> {
        let together = dest.is_empty() && f.acts(Fault::FloodCountsTogether);
        let speaker = if together { "" } else { token };
        let speaker = self.speakers.entry(speaker.to_owned()).or_default();
        speaker.refusals.retain(|refusal| refusal.elapsed() < RECENTLY);
        if let Some((since, until)) = speaker.muted {
            if since.elapsed() < MUTED {
                return Err(mute(until, f));
            }
            speaker.muted = None;
        }
        let mut size = USER;
        if f.acts(Fault::FloodEarly) {
            size.tokens = 20;
        }
        if f.acts(Fault::FloodWaitTooShort) {
            size.each = Duration::from_secs(60);
        }
        let key = if f.acts(Fault::FloodOneDestination) { "" } else { dest };
        let bucket = speaker.buckets.entry(key.to_owned()).or_default();
        let public = dest == "ALL" || dest.starts_with('#');
        match bucket.take(cost, size) {
            Ok(()) if !public || f.acts(Fault::FloodRoomUncounted) => Ok(()),
            Ok(()) => {
                let room = self.rooms.entry(dest.to_owned()).or_default();
                // A room owes nothing: others would wait for what one has said.
                room.take(cost.min(ROOM.tokens), ROOM).map_err(|left| {
                    bucket.owed = bucket.owed.saturating_sub(size.each * cost);
                    refusal("room-busy", left, f)
                })
            }
            Err(left) => {
                speaker.refusals.push_back(Clock::start());
                if base && f.acts(Fault::FloodBaseForGood) {
                    bucket.owed += Duration::from_secs(3_600);
                }
                if speaker.refusals.len() >= MOST_REFUSALS && !f.acts(Fault::FloodNeverMutes) {
                    let seconds = i64::try_from(MUTED.as_secs()).unwrap_or_default();
                    speaker.muted = Some((Clock::start(), unix_seconds() + seconds));
                    speaker.refusals.clear();
                }
                Err(refusal("flood", left, f))
            }
        }
    }
}

fn refusal(code: &'static str, left: Duration, f: &Faults) -> Refusal {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let told = if f.acts(Fault::FloodWaitTooShort) { 1 } else { seconds };
    let wait = (!f.acts(Fault::FloodWithoutWait)).then_some(told);
    Refusal { wait, ..Refusal::new(code, "not so much at once") }
}

fn mute(until: i64, f: &Faults) -> Refusal {
    let until = if f.acts(Fault::FloodMuteForHours) { until + 6 * 3_600 } else { until };
    let until = (!f.acts(Fault::FloodMuteWithoutUntil)).then_some(until);
    Refusal { until, ..Refusal::new("muted", "you are muted for a while") }
}
