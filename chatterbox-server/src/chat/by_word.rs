//! What was refused, and what was ended, counted by the words of the protocol for it: there are no more counters than words.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a connection or a name was refused, in order.
pub(super) const JOINS: &[&str] = &[
    "bad-name",
    "banned",
    "busy",
    "held",
    "kicked",
    "looks-taken",
    "no-guests",
    "registered",
    "server-full",
    "taken",
    "throttled",
    "too-many",
    "too-many-connections",
    "wrong-password",
    "wrong-token",
];

/// Why a frame was answered with an ERROR, in order.
pub(super) const FRAMES: &[&str] = &[
    "account-removed",
    "already-joined",
    "answer-to-nothing",
    "bad-answer",
    "bad-command",
    "bad-device",
    "bad-e2ee",
    "bad-file",
    "bad-history",
    "bad-keys",
    "bad-meta",
    "bad-offer",
    "bad-ping",
    "bad-proof",
    "bad-read",
    "bad-recent",
    "bad-resume",
    "bad-tags",
    "bad-zstd",
    "blocked",
    "busy",
    "content-not-string",
    "destination-not-string",
    "devices-changed",
    "duplicate-key",
    "expired",
    "flood",
    "forbidden",
    "frame-empty",
    "frame-timeout",
    "frame-too-long",
    "join-timeout",
    "logged-out",
    "message-not-four",
    "message-not-list",
    "messages-not-list",
    "muted",
    "no-known-key",
    "no-such-message",
    "no-such-room",
    "no-such-user",
    "not-a-member",
    "not-joined",
    "not-json",
    "not-object",
    "not-read",
    "not-stored",
    "not-utf8",
    "offer-not-now",
    "read-only",
    "recipient-busy",
    "refused",
    "resumed",
    "room-busy",
    "server-full",
    "slow-mode",
    "source-not-string",
    "source-not-you",
    "timestamp-not-integer",
    "too-deep",
    "too-long",
    "too-many-connections",
    "too-many-long-frames",
    "too-much-waiting",
    "too-slow",
    "username-not-string",
];

/// Why the server has ended a connection, in order.
pub(super) const ENDS: &[&str] =
    &["banned", "idle", "kicked", "logout", "protocol", "replaced", "shutdown", "slow"];

/// The word for all that a list does not have.
const OTHER: &str = "other";

/// A counter for each of some words, and one for all others.
#[derive(Debug)]
pub(super) struct ByWord {
    words: &'static [&'static str],
    counts: Box<[AtomicU64]>,
}

impl ByWord {
    /// Counts these words, which are in order.
    pub(super) fn new(words: &'static [&'static str]) -> Self {
        Self { words, counts: (0..=words.len()).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(super) fn add(&self, word: &'static str) {
        let place = self.words.binary_search(&word).unwrap_or(self.words.len());
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The words with their counts.
    pub(super) fn read(&self) -> Vec<(&'static str, u64)> {
        let words = self.words.iter().copied().chain([OTHER]);
        words.zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chatterbox_proto::capability::notices::ClosedCode;

    use super::*;

    #[test]
    fn a_word_is_counted_as_itself_and_an_unknown_one_as_other() {
        let counted = ByWord::new(&["a", "c"]);
        for word in ["c", "a", "c", "b", "", "d"] {
            counted.add(word);
        }
        assert_eq!(counted.read(), [("a", 1), ("c", 2), (OTHER, 3)]);
    }

    fn set(words: impl IntoIterator<Item = &'static str>) -> BTreeSet<&'static str> {
        words.into_iter().collect()
    }

    /// Red when the protocol has a word that would be counted as another one.
    #[test]
    fn all_words_of_the_protocol_are_counted() {
        let codes = include_str!("../../../chatterbox-proto/src/code.rs");
        // A row is a word, its clause and its text.
        let of_rows = codes.split_inclusive("clause::").filter_map(|row| {
            let (before, _) = row.rsplit_once("clause::")?;
            before.rsplit('"').nth(1)
        });
        assert_eq!(set(of_rows), set(FRAMES.iter().copied()));
        let refusals = include_str!("../../../chatterbox-proto/src/refusal.rs");
        let of_arms = refusals.split(" => \"").skip(1).filter_map(|arm| arm.split('"').next());
        let of_limits = ["server-full", "too-many-connections"];
        assert_eq!(set(of_arms.chain(of_limits)), set(JOINS.iter().copied()));
        let ends = ClosedCode::EVERY.iter().map(|code| code.word());
        assert_eq!(set(ends), set(ENDS.iter().copied()));
        for words in [JOINS, FRAMES, ENDS] {
            assert!(words.is_sorted() && !words.contains(&OTHER), "{words:?}");
        }
    }
}
