//! The deadlines of a session: each wait has an end, except for the user's next line.
//!
//! The deadlines of the connection are in `link`.

use std::time::Duration;

use chatterbox_app::InputMode;
use tokio::time::Instant;

use super::stage::{Situation, Stage};

/// After the end of the input: the limit for what is already on its way.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// The limit for the answer to a name, or for taking the last messages, with no more lines to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The limit for the next bytes of a file, with no more lines to come: a server may be busy with others.
const MOVING_TIME: Duration = Duration::from_secs(60);

/// The limit for the reason of a server that can't be written to any more.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The limit for the confirmation of what a person has said before leaving.
const LEAVE_TIME: Duration = Duration::from_secs(2);

/// The limit for the catalogue of commands.
const CATALOGUE_TIME: Duration = Duration::from_secs(3);

/// The limit for a command's question, which the next line waits for.
const QUESTION_TIME: Duration = Duration::from_secs(2);

/// The same through pipes, where nobody would notice: longer than a question may stay open (CM-4).
const QUESTION_TIME_PIPES: Duration = Duration::from_secs(75);

/// The waits that are under way.
#[derive(Debug)]
pub(super) struct Timeouts {
    /// The stage, and when it began.
    stage: (Stage, Instant),
    /// The input mode in which no line is taken, and when it began.
    blocked: Option<(InputMode, Instant)>,
}

impl Timeouts {
    pub(super) fn new(now: Instant) -> Self {
        Self { stage: (Stage::Chat, now), blocked: None }
    }

    /// The next deadline, if there is one.
    pub(super) fn deadline(&mut self, situation: &Situation, now: Instant) -> Option<Instant> {
        let stage = self.stage_deadline(situation, now);
        let question = self.question_deadline(situation, now);
        [stage, question].into_iter().flatten().min()
    }

    /// Whether lines have been blocked long enough by the catalogue or by what a command may ask.
    pub(super) fn question_expired(&mut self, situation: &Situation, now: Instant) -> bool {
        let expired = self.question_deadline(situation, now).is_some_and(|at| at <= now);
        if expired {
            self.blocked = None;
        }
        expired
    }

    /// Whether the stage has lasted long enough.
    pub(super) fn stage_expired(&mut self, situation: &Situation, now: Instant) -> bool {
        self.stage_deadline(situation, now).is_some_and(|at| at <= now)
    }

    /// The program has slept: the waits that are under way go on for as long.
    pub(super) fn woken(&mut self, slept: Duration, now: Instant) {
        self.stage.1 = (self.stage.1 + slept).min(now);
        if let Some((_, since)) = &mut self.blocked {
            *since = (*since + slept).min(now);
        }
    }

    fn stage_deadline(&mut self, situation: &Situation, now: Instant) -> Option<Instant> {
        if situation.stage != self.stage.0 {
            self.stage = (situation.stage, now);
        }
        let (stage, since) = self.stage;
        match stage {
            Stage::Chat => None,
            // Nothing is left that could be a name.
            Stage::Name => Some(since),
            Stage::LastWords => Some(since + LAST_WORDS),
            // What a command may still say keeps nobody who wants to leave.
            Stage::Owed(_) if situation.interactive && situation.unanswered == 0 => Some(since),
            // Nor do files.
            Stage::Moving(_) if situation.interactive => Some(since),
            Stage::Moving(_) => Some(since + MOVING_TIME),
            Stage::Sending(_) | Stage::Owed(_) if situation.interactive => Some(since + LEAVE_TIME),
            Stage::Login | Stage::Sending(_) => Some(since + PATIENCE),
            // A command may take as long as its question may stay open.
            Stage::Owed(_) if situation.unanswered == 0 => Some(since + QUESTION_TIME_PIPES),
            Stage::Owed(_) => Some(since + PATIENCE),
            Stage::Drain if situation.settled => Some(since),
            Stage::Drain => Some(since + DRAIN_TIME),
        }
    }

    fn question_deadline(&mut self, situation: &Situation, now: Instant) -> Option<Instant> {
        let limit = match situation.mode {
            InputMode::CataloguePending => CATALOGUE_TIME,
            InputMode::ResultPending if situation.interactive => QUESTION_TIME,
            InputMode::ResultPending => QUESTION_TIME_PIPES,
            _ => {
                self.blocked = None;
                return None;
            }
        };
        let same = self.blocked.filter(|(mode, _)| *mode == situation.mode);
        let (_, since) = *self.blocked.insert(same.unwrap_or((situation.mode, now)));
        Some(since + limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::clock::Clock;

    fn situation(mode: InputMode, stage: Stage) -> Situation {
        Situation { mode, stage, interactive: true, settled: false, unanswered: 0 }
    }

    #[test]
    fn a_stage_is_measured_from_its_beginning() {
        let start = Clock::start().now();
        let mut timeouts = Timeouts::new(start);
        let sending = |bytes| Situation {
            interactive: false,
            ..situation(InputMode::Chat, Stage::Sending(bytes))
        };
        assert_eq!(timeouts.deadline(&situation(InputMode::Chat, Stage::Chat), start), None);
        let first = timeouts.deadline(&sending(2), start).unwrap();
        let later = start + DRAIN_TIME;
        assert_eq!(timeouts.deadline(&sending(2), later), Some(first));
        assert!(!timeouts.stage_expired(&sending(2), later));
        assert!(timeouts.stage_expired(&sending(2), first));
        // Progress begins the wait anew.
        assert_eq!(timeouts.deadline(&sending(1), later), Some(later + PATIENCE));
    }

    #[test]
    fn nothing_that_was_slept_through_is_over() {
        let start = Clock::start().now();
        let mut timeouts = Timeouts::new(start);
        let login = situation(InputMode::LoginPending, Stage::Login);
        let catalogue = situation(InputMode::CataloguePending, Stage::Chat);
        timeouts.deadline(&login, start);
        let (slept, woken) = (PATIENCE * 9, start + PATIENCE * 9 + LAST_WORDS);
        timeouts.woken(slept, woken);
        assert!(!timeouts.stage_expired(&login, woken));
        assert!(timeouts.stage_expired(&login, start + slept + PATIENCE));
        timeouts.deadline(&catalogue, start);
        timeouts.woken(slept, woken);
        assert!(!timeouts.question_expired(&catalogue, woken));
        assert!(timeouts.question_expired(&catalogue, woken + CATALOGUE_TIME));
    }

    #[test]
    fn a_person_who_leaves_does_not_wait_for_long() {
        let start = Clock::start().now();
        let owed =
            |unanswered| Situation { unanswered, ..situation(InputMode::Chat, Stage::Owed(1)) };
        assert_eq!(Timeouts::new(start).deadline(&owed(0), start), Some(start));
        assert_eq!(Timeouts::new(start).deadline(&owed(1), start), Some(start + LEAVE_TIME));
    }

    #[test]
    fn a_file_is_waited_for_as_long_as_it_moves() {
        let start = Clock::start().now();
        let moving = |interactive, bytes| Situation {
            interactive,
            ..situation(InputMode::Chat, Stage::Moving(bytes))
        };
        let mut timeouts = Timeouts::new(start);
        assert_eq!(timeouts.deadline(&moving(false, 1), start), Some(start + MOVING_TIME));
        let later = start + PATIENCE;
        assert_eq!(timeouts.deadline(&moving(false, 2), later), Some(later + MOVING_TIME));
        assert_eq!(Timeouts::new(start).deadline(&moving(true, 1), start), Some(start));
    }

    #[test]
    fn a_blocked_line_is_released_once() {
        let start = Clock::start().now();
        let mut timeouts = Timeouts::new(start);
        let catalogue = situation(InputMode::CataloguePending, Stage::Chat);
        let result = situation(InputMode::ResultPending, Stage::Chat);
        assert_eq!(timeouts.deadline(&catalogue, start), Some(start + CATALOGUE_TIME));
        assert!(timeouts.question_expired(&catalogue, start + CATALOGUE_TIME));
        let now = start + CATALOGUE_TIME;
        assert_eq!(timeouts.deadline(&result, now), Some(now + QUESTION_TIME));
        let pipes = Situation { interactive: false, ..result };
        assert_eq!(timeouts.deadline(&pipes, now), Some(now + QUESTION_TIME_PIPES));
        assert!(!timeouts.question_expired(&situation(InputMode::Chat, Stage::Chat), now));
    }
}
