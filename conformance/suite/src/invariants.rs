//! The invariants: rules that hold for every frame of a subject, in every case.
//!
//! Each connection shows its frames here. The first violation of each invariant is kept, with the
//! case that saw it; the cases of the group `inv` turn this into verdicts at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use conformance_kit::{escape, wire::frame::Frame};
use serde_json::Value;

/// Something that must hold for every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// `FR-1`: the length is the number of body bytes.
    Length,
    /// `JS-1`: the body is a JSON object.
    JsonObject,
    /// `AC-1`: `USERNAME_ACCEPTED` is a boolean.
    AcceptedBool,
    /// `UL-1`: `USER_LIST` is a list of strings.
    UserListStrings,
    /// `UJ-1`: `USERS_JOINED` is a list of strings.
    JoinedList,
    /// `UX-1`: `USERS_LEFT` is a list of strings.
    LeftList,
    /// `T4-1`: messages have four elements of the right types.
    Tuple,
    /// `TS-1`: the time is an integer.
    TimestampInt,
    /// `IV-1`: `ERROR` is a string.
    ErrorString,
}

/// The keys of the base protocol that a server sends.
pub const BASE_KEYS: [&str; 7] =
    ["USERNAME_ACCEPTED", "INFO", "USER_LIST", "MESSAGES", "USERS_JOINED", "USERS_LEFT", "ERROR"];

/// How often an invariant was looked at, and where it first did not hold.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Frames or values that it applied to.
    pub looked_at: usize,
    /// How many of them broke it.
    pub broken: usize,
    /// The first violation: the case, and what was seen.
    pub first: Option<(String, String)>,
}

#[derive(Debug, Default)]
struct Counts {
    tallies: BTreeMap<Invariant, Tally>,
    unknown_keys: BTreeSet<String>,
}

/// Collects what all cases saw.
#[derive(Debug, Default)]
pub struct Invariants {
    counts: Mutex<Counts>,
    /// What the suite itself sends wrongly on purpose carries this mark; a server that passes it on
    /// is charged by the case that sent it, and not for every frame that holds it.
    mark: String,
    /// A number that stands where a name belongs, for the same reason.
    number: u32,
}

impl Invariants {
    /// Invariants that are not charged for what carries the mark or the number.
    #[must_use]
    pub fn new(mark: String, number: u32) -> Self {
        Self { counts: Mutex::default(), mark, number }
    }

    /// The mark of deliberately malformed messages.
    #[must_use]
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// The number that is sent where a name belongs.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The result for one invariant.
    #[must_use]
    pub fn tally(&self, invariant: Invariant) -> Tally {
        self.lock().tallies.get(&invariant).cloned().unwrap_or_default()
    }

    /// Top-level keys that the base protocol does not know.
    #[must_use]
    pub fn unknown_keys(&self) -> Vec<String> {
        self.lock().unknown_keys.iter().cloned().collect()
    }

    /// Notes a violation that is not tied to a frame.
    pub fn charge(&self, invariant: Invariant, case: &str, what: &str) {
        self.note(invariant, case, Some(what.to_owned()));
    }

    /// Looks at a frame.
    pub fn look(&self, case: &str, frame: &Frame) {
        self.note(Invariant::Length, case, frame.complaint.clone());
        let object = frame.object();
        let shown = || escape::bytes(&frame.body, 200);
        self.note(Invariant::JsonObject, case, object.is_none().then(shown));
        let Some(object) = object else { return };
        for (key, value) in object {
            match key.as_str() {
                "USERNAME_ACCEPTED" => {
                    self.holds(Invariant::AcceptedBool, case, value.is_boolean(), frame, key);
                }
                "USER_LIST" => {
                    self.holds(Invariant::UserListStrings, case, self.names(value), frame, key);
                }
                "USERS_JOINED" => {
                    self.holds(Invariant::JoinedList, case, self.names(value), frame, key);
                }
                "USERS_LEFT" => {
                    self.holds(Invariant::LeftList, case, self.names(value), frame, key);
                }
                "ERROR" => self.holds(Invariant::ErrorString, case, value.is_string(), frame, key),
                "MESSAGES" => self.messages(case, value),
                _ => {}
            }
        }
    }

    /// Looks for keys that the base protocol does not know, on a connection that speaks it alone.
    pub fn look_for_unknown_keys(&self, frame: &Frame) {
        let keys = frame.object().into_iter().flat_map(|object| object.keys());
        for key in keys.filter(|key| !BASE_KEYS.contains(&key.as_str())) {
            let mut counts = self.lock();
            if counts.unknown_keys.len() < 50 {
                counts.unknown_keys.insert(escape::shorten(key, 60));
            }
        }
    }

    fn messages(&self, case: &str, value: &Value) {
        let Some(list) = value.as_array() else {
            return self.is(Invariant::Tuple, case, false, value);
        };
        for message in list {
            let Some(parts) = message.as_array() else {
                self.is(Invariant::Tuple, case, false, message);
                continue;
            };
            if parts.iter().any(|part| part.as_str().is_some_and(|s| s.starts_with(&self.mark))) {
                continue;
            }
            let shape = match parts.as_slice() {
                [src, dest, _, content] => {
                    src.is_string() && dest.is_string() && content.is_string()
                }
                _ => false,
            };
            self.is(Invariant::Tuple, case, shape, message);
            if let (true, Some(time)) = (parts.len() >= 4, parts.get(2)) {
                let integer = time.is_i64() || time.is_u64();
                self.is(Invariant::TimestampInt, case, integer, message);
            }
        }
    }

    fn names(&self, value: &Value) -> bool {
        value.as_array().is_some_and(|list| {
            list.iter().all(|name| name.is_string() || name.as_u64() == Some(self.number.into()))
        })
    }

    /// Notes whether a rule holds for a key; what breaks it is shown as it came, and not as a map would
    /// sort it.
    fn holds(&self, invariant: Invariant, case: &str, holds: bool, frame: &Frame, key: &str) {
        let shown = || {
            let spelled = format!("\"{key}\"");
            let place = frame.body.windows(spelled.len()).position(|at| at == spelled.as_bytes());
            let from = frame.body.get(place.unwrap_or_default()..).unwrap_or_default();
            escape::bytes(from, 200)
        };
        self.note(invariant, case, (!holds).then(shown));
    }

    fn is(&self, invariant: Invariant, case: &str, holds: bool, value: &Value) {
        let shown = || escape::shorten(&escape::visible(&value.to_string()), 200);
        self.note(invariant, case, (!holds).then(shown));
    }

    fn note(&self, invariant: Invariant, case: &str, violation: Option<String>) {
        let mut counts = self.lock();
        let tally = counts.tallies.entry(invariant).or_default();
        tally.looked_at += 1;
        if let Some(what) = violation {
            tally.broken += 1;
            tally.first.get_or_insert_with(|| (case.to_owned(), what));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use conformance_kit::wire::decoder::Body;

    fn broken(text: &str) -> Vec<Invariant> {
        let invariants = Invariants::new("bad-7x".into(), 123);
        let body = Body { bytes: text.as_bytes().to_vec(), complaint: None };
        invariants.look("case", &Frame::read(Duration::ZERO, body));
        let counts = invariants.lock();
        counts.tallies.iter().filter(|(_, tally)| tally.broken > 0).map(|(i, _)| *i).collect()
    }

    #[test]
    fn each_habit_breaks_one_invariant() {
        assert_eq!(broken(r#""an error""#), [Invariant::JsonObject]);
        assert_eq!(broken(r#"{"USERNAME_ACCEPTED": "true"}"#), [Invariant::AcceptedBool]);
        assert_eq!(broken(r#"{"USER_LIST": [{"name": "a"}]}"#), [Invariant::UserListStrings]);
        assert_eq!(broken(r#"{"USERS_JOINED": "a"}"#), [Invariant::JoinedList]);
        assert_eq!(broken(r#"{"USERS_LEFT": null}"#), [Invariant::LeftList]);
        assert_eq!(broken(r#"{"MESSAGES": [["a", "ALL", 1]]}"#), [Invariant::Tuple]);
        assert_eq!(broken(r#"{"MESSAGES": [["a", "ALL", 1.5, "x"]]}"#), [Invariant::TimestampInt]);
        assert_eq!(broken(r#"{"ERROR": {"code": 1}}"#), [Invariant::ErrorString]);
        assert_eq!(broken(r#"{"MESSAGES": [["a", "ALL", -1, "x"]], "NEW": 1}"#), []);
    }

    #[test]
    fn our_own_stimuli_are_forgiven() {
        assert_eq!(broken(r#"{"MESSAGES": [["a", "ALL", "1", "bad-7x 1", 5]]}"#), []);
        assert_eq!(broken(r#"{"USERS_JOINED": [123]}"#), []);
    }
}
