//! How long the server takes to answer what was said: one that talks, and yet confirms nothing, has lost its way to where messages
//! are decided. Another server of the same chat may have not, so after a while the session goes on over a new connection, and
//! what was not confirmed is sent again there, with its key.

use std::time::Duration;

use tokio::time::Instant;

/// The oldest message waits so long for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// If a new connection has not helped, it waits twice as long each time, up to this.
const LONGEST: Duration = Duration::from_secs(80);

/// The wait for the answer to the oldest message that has none.
#[derive(Debug)]
pub(super) struct Answers {
    /// The key of that message, or of the last one that there was.
    key: String,
    /// Since when it is waited for, where it is.
    since: Option<Instant>,
    patience: Duration,
}

impl Answers {
    pub(super) fn new() -> Self {
        Self { key: String::new(), since: None, patience: PATIENCE }
    }

    /// The deadline of the answer to the message of this key, the oldest that has none.
    pub(super) fn deadline(&mut self, oldest: Option<&str>, now: Instant) -> Option<Instant> {
        let Some(key) = oldest else {
            self.since = None;
            return None;
        };
        if self.key != key {
            *self = Self { key: key.to_owned(), ..Self::new() };
        }
        Some(*self.since.get_or_insert(now) + self.patience)
    }

    /// Whether it was waited for long enough. The next wait is longer then, if it is for the same message.
    pub(super) fn expired(&mut self, oldest: Option<&str>, now: Instant) -> bool {
        let is_over = self.deadline(oldest, now).is_some_and(|deadline| deadline <= now);
        if is_over {
            self.since = None;
            self.patience = (self.patience * 2).min(LONGEST);
        }
        is_over
    }

    /// The program has slept: the wait goes on for as long.
    pub(super) fn woken(&mut self, slept: Duration, now: Instant) {
        self.since = self.since.map(|since| (since + slept).min(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::clock::Clock;

    #[test]
    fn each_answer_begins_the_wait_anew() {
        let start = Clock::start().now();
        let mut answers = Answers::new();
        assert_eq!(answers.deadline(None, start), None);
        assert_eq!(answers.deadline(Some("1"), start), Some(start + PATIENCE));
        let later = start + PATIENCE / 2;
        assert_eq!(answers.deadline(Some("1"), later), Some(start + PATIENCE));
        assert_eq!(answers.deadline(Some("2"), later), Some(later + PATIENCE));
        assert!(!answers.expired(Some("2"), start + PATIENCE));
        assert!(answers.expired(Some("2"), later + PATIENCE));
    }

    #[test]
    fn a_connection_that_does_not_help_is_given_more_time() {
        let mut now = Clock::start().now();
        let mut answers = Answers::new();
        let mut waits = Vec::new();
        for _ in 0..5 {
            let deadline = answers.deadline(Some("1"), now).unwrap();
            waits.push((deadline - now).as_secs());
            now = deadline;
            assert!(answers.expired(Some("1"), now));
            // There is no connection for a while.
            assert_eq!(answers.deadline(None, now), None);
            now += PATIENCE;
        }
        assert_eq!(waits, [10, 20, 40, 80, 80]);
        assert_eq!(answers.deadline(Some("2"), now), Some(now + PATIENCE), "it was answered");
    }

    #[test]
    fn what_was_slept_through_does_not_count() {
        let start = Clock::start().now();
        let mut answers = Answers::new();
        answers.deadline(Some("1"), start);
        let woken = start + PATIENCE * 9;
        answers.woken(PATIENCE * 9, woken);
        assert!(!answers.expired(Some("1"), woken));
        assert!(answers.expired(Some("1"), woken + PATIENCE));
    }
}
