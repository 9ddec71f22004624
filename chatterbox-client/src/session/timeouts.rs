//! How long a session waits for what: each wait has an end, but for the wish of the user to go on.

#![allow(clippy::disallowed_methods, reason = "this module owns the clock of the session")]

use std::time::Duration;

use chatterbox_app::{InputMode, Output};
use tokio::time::Instant;

use super::driver::Session;
use crate::exit::{Exit, Failure};

/// After the input has ended: how long what is already on its way is waited for.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// How long the server may take to answer a name or to take a message, once nothing else will come.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a server that can't be written to may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long the server may take to say what it can be asked to do.
const CATALOGUE_TIME: Duration = Duration::from_secs(3);

/// How long a person's next line waits for what a command may ask.
const QUESTION_TIME: Duration = Duration::from_secs(2);

/// The same through pipes, where nobody would notice: longer than a question may stay open (CM-4).
const QUESTION_TIME_PIPES: Duration = Duration::from_secs(75);

/// After this long without a word of the server it is asked whether it is there, and after this long again it is not.
const QUIET: Duration = Duration::from_secs(30);

/// What is being waited for, where that has an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Whatever happens.
    Chat,
    /// The last words of a server that takes nothing any more.
    LastWords,
    /// The answer to a name, with no more lines to come.
    Answer,
    /// The server taking the last messages, this many bytes of them.
    Sending(usize),
    /// This many answers of the server.
    Owed(usize),
    /// What is already on its way.
    Drain,
}

/// Something with an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    of: Of,
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Catalogue,
    Outcome,
}

impl Session {
    /// When one of the waits is over, if ever.
    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        let stage = self.stage_deadline();
        let question = self.question_deadline();
        // Somebody who is asked for a password may take their time.
        if self.app.input_mode() == InputMode::Password {
            self.rejoining = None;
        }
        let again = self.rejoining.map(|since| since + PATIENCE);
        let quiet = self.quiet_deadline();
        [stage, question, again, quiet].into_iter().flatten().min()
    }

    fn stage_deadline(&mut self) -> Option<Instant> {
        if self.is_down() {
            // The back-off has an end of its own.
            self.stage = (Stage::Chat, Instant::now());
            return None;
        }
        let stage = match self.app.input_mode() {
            _ if self.write_error.is_some() => Stage::LastWords,
            _ if !self.input_over => Stage::Chat,
            InputMode::LoginPending => Stage::Answer,
            InputMode::Name | InputMode::Password => {
                // Nothing is left that could be a name.
                return Some(Instant::now());
            }
            _ if !self.is_idle() => Stage::Sending(self.unsent()),
            _ if self.app.pending_replies() > 0 => Stage::Owed(self.app.pending_replies()),
            _ => Stage::Drain,
        };
        if stage != self.stage.0 {
            self.stage = (stage, Instant::now());
        }
        let since = self.stage.1;
        match stage {
            Stage::Chat => None,
            Stage::LastWords => Some(since + LAST_WORDS),
            Stage::Answer | Stage::Sending(_) => Some(since + PATIENCE),
            // A command may take as long as its question may stay open.
            Stage::Owed(_) if self.app.unanswered() == 0 => Some(since + QUESTION_TIME_PIPES),
            Stage::Owed(_) => Some(since + PATIENCE),
            Stage::Drain if self.app.is_settled() && self.to_show.is_empty() => Some(since),
            Stage::Drain => Some(since + DRAIN_TIME),
        }
    }

    /// When the next line does not wait any more for what the server may ask.
    fn question_deadline(&mut self) -> Option<Instant> {
        let of = match self.app.input_mode() {
            InputMode::CataloguePending => Of::Catalogue,
            InputMode::ResultPending => Of::Outcome,
            _ => {
                self.waiting = None;
                return None;
            }
        };
        if self.waiting.is_none_or(|waiting| waiting.of != of) {
            self.waiting = Some(Waiting { of, since: Instant::now() });
        }
        let limit = match of {
            Of::Catalogue => CATALOGUE_TIME,
            Of::Outcome if self.console.interactive => QUESTION_TIME,
            Of::Outcome => QUESTION_TIME_PIPES,
        };
        self.waiting.map(|waiting| waiting.since + limit)
    }

    /// When a server that says nothing is asked whether it is there, or is taken for gone.
    fn quiet_deadline(&self) -> Option<Instant> {
        // Only where the session can go on, so that a mistake costs nothing.
        let worth = !self.is_down() && self.app.can_ping() && self.app.reconnect_for().is_some();
        let rounds = if self.pinged { 2 } else { 1 };
        worth.then(|| self.heard + QUIET * rounds)
    }

    /// One of the waits is over.
    pub(crate) fn timed_out(&mut self) {
        let now = Instant::now();
        if self.question_deadline().is_some_and(|deadline| deadline <= now) {
            self.waiting = None;
            return self.app.stop_waiting();
        }
        if self.rejoining.is_some_and(|since| since + PATIENCE <= now) {
            return self.lose(Failure::new(Exit::Unavailable, "the server did not answer"));
        }
        if self.quiet_deadline().is_some_and(|deadline| deadline <= now) {
            if self.pinged {
                return self.lose(Failure::new(Exit::Unavailable, "the server is silent"));
            }
            self.pinged = true;
            if let Some(frame) = self.app.ping() {
                self.push(&frame);
            }
            return;
        }
        let nameless = matches!(self.app.input_mode(), InputMode::Name | InputMode::Password);
        if self.input_over && nameless {
            return self.fail(no_name_left(self.app.was_refused()));
        }
        if self.stage_deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        match self.stage.0 {
            Stage::Chat => {}
            Stage::LastWords => self.closed(None),
            Stage::Drain => self.leave(),
            Stage::Answer => self.fail(Failure::new(
                Exit::Unavailable,
                "the server did not answer whether it accepts the name",
            )),
            Stage::Sending(_) => self.fail(Failure::new(
                Exit::Unavailable,
                "the server does not take any more messages; the last ones may not have arrived",
            )),
            Stage::Owed(_) => {
                let unanswered = self.app.unanswered();
                if unanswered == 0 {
                    self.to_show.push_back(Output::note("The server owes an answer."));
                    return self.leave();
                }
                self.fail(
                    Failure::new(
                        Exit::Unavailable,
                        "the server does not confirm any more messages",
                    )
                    .detail(format!("not confirmed: {unanswered}")),
                );
            }
        }
    }
}

fn no_name_left(refused: bool) -> Failure {
    if refused {
        Failure::new(Exit::NoName, "the input ended before a name was accepted").hint(
            "the first line is the name, and each line after a refusal is the next one to try",
        )
    } else {
        Failure::new(Exit::NoName, "the input ended before a name was given")
            .hint("the first line is the name; or give it with --username")
    }
}
