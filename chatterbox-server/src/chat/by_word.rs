//! What was refused, and what was ended, counted by the words of the protocol for it: there are no more counters than words.

use std::sync::atomic::{AtomicU64, Ordering};

use chatterbox_proto::capability::notices::ClosedCode;
use chatterbox_proto::{Code, Refusal};

/// The word for all that is none of those that are counted.
const OTHER: &str = "other";

/// A counter for each of some words, and one for all others.
#[derive(Debug)]
pub(super) struct ByWord {
    /// In order.
    words: Box<[&'static str]>,
    counts: Box<[AtomicU64]>,
}

impl ByWord {
    fn new(words: impl IntoIterator<Item = &'static str>) -> Self {
        let mut words: Vec<_> = words.into_iter().collect();
        words.sort_unstable();
        words.dedup();
        let counts = (0..=words.len()).map(|_| AtomicU64::new(0)).collect();
        Self { words: words.into(), counts }
    }

    /// Counts why connections or names are refused.
    pub(super) fn of_joins() -> Self {
        let of_limits = [Code::ServerFull, Code::TooManyConnections].map(Code::word);
        Self::new(Refusal::WORDS.iter().copied().chain(of_limits))
    }

    /// Counts why frames are answered with an ERROR.
    pub(super) fn of_frames() -> Self {
        Self::new(Code::WORDS.iter().copied())
    }

    /// Counts why the server ends connections.
    pub(super) fn of_ends() -> Self {
        Self::new(ClosedCode::EVERY.iter().map(|code| code.word()))
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
    use super::*;

    #[test]
    fn a_word_is_counted_as_itself_and_an_unknown_one_as_other() {
        let counted = ByWord::new(["c", "a", "c"]);
        for word in ["c", "a", "c", "b", "", "d"] {
            counted.add(word);
        }
        assert_eq!(counted.read(), [("a", 1), ("c", 2), (OTHER, 3)]);
    }

    #[test]
    fn all_words_of_the_protocol_are_counted_and_none_is_taken_for_another_one() {
        for (counted, most, word) in [
            (ByWord::of_joins(), Refusal::WORDS.len() + 2, "too-many-connections"),
            (ByWord::of_frames(), Code::WORDS.len(), "not-json"),
            (ByWord::of_ends(), ClosedCode::EVERY.len(), "slow"),
        ] {
            assert_eq!(counted.words.len(), most, "each once");
            assert!(!counted.words.contains(&OTHER), "{:?}", counted.words);
            counted.add(word);
            assert!(counted.read().contains(&(word, 1)), "{word}");
        }
    }
}
