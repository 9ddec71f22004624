//! The deadlines of the driver: the next one, and what follows when it is over.

use std::time::Duration;

use chatterbox_app::InputMode;
use tokio::time::Instant;

use super::Session;
use crate::session::ending::{self, unavailable};
use crate::session::heartbeat::Watch;
use crate::session::link::LinkTimeout;
use crate::session::screen::Screen;
use crate::session::stage::{Situation, Stage};

impl<S: Screen> Session<S> {
    pub(super) fn situation(&self) -> Situation {
        Situation {
            mode: self.app.input_mode(),
            stage: Stage::of(&self.app, &self.link, &self.prompting),
            interactive: self.screen.is_interactive(),
            settled: self.app.is_settled() && !self.app.has_more() && self.queue.is_empty(),
            unanswered: self.app.unanswered(),
        }
    }

    /// Whether no name was accepted, and no line is left that could be one.
    fn lacks_name(&self) -> bool {
        self.prompting.has_ended()
            && matches!(self.app.input_mode(), InputMode::Name | InputMode::Password)
    }

    /// What follows from the silence of the server.
    fn watch(&self) -> Watch {
        // Behind a screen that has stopped nothing is read, so nothing is known of the server.
        let reads = self.queue.is_empty() && !self.screen.has_rest() && !self.app.has_more();
        let can_ask = reads && !self.app.is_down() && self.app.can_ping();
        Watch::new(can_ask, self.app.reconnect_for().is_some())
    }

    /// The key of the oldest message whose answer is waited for.
    fn oldest_unanswered(&self) -> Option<String> {
        let reads = self.queue.is_empty() && !self.screen.has_rest() && !self.app.has_more();
        let goes_on = reads && self.link.is_idle() && self.app.reconnect_for().is_some();
        // Whoever leaves has deadlines of their own.
        let stage = Stage::of(&self.app, &self.link, &self.prompting);
        let oldest = self.app.waits_for().filter(|_| goes_on && stage == Stage::Chat);
        oldest.map(ToOwned::to_owned)
    }

    fn answer_deadline(&mut self) -> Option<Instant> {
        let oldest = self.oldest_unanswered();
        self.answers.deadline(oldest.as_deref(), self.clock.now())
    }

    fn is_not_answered(&mut self) -> bool {
        let oldest = self.oldest_unanswered();
        self.answers.expired(oldest.as_deref(), self.clock.now())
    }

    /// The next deadline.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        // A person who is asked for a password may take any time.
        if self.app.input_mode() == InputMode::Password {
            self.link.stop_resuming();
        }
        let link = self.link.deadline(self.watch());
        let session = self.timeouts.deadline(&self.situation(), self.clock.now());
        let again = self.app.again_at().filter(|_| !self.app.is_down()).map(|at| {
            let seconds = u64::try_from(at - self.clock.unix_now()).unwrap_or_default();
            self.clock.now() + Duration::from_secs(seconds)
        });
        let crowd = self.crowd.held_until().map(|at| {
            let seconds = u64::try_from(at - self.clock.unix_now()).unwrap_or_default();
            self.clock.now() + Duration::from_secs(seconds)
        });
        let marks = self.app.marks_at().map(|at| {
            let seconds = u64::try_from(at - self.clock.unix_now()).unwrap_or_default();
            self.clock.now() + Duration::from_secs(seconds)
        });
        let tick = Some(self.wakefulness.deadline());
        let answer = self.answer_deadline();
        let progress = self.progress_deadline();
        [link, session, again, marks, crowd, answer, progress, tick].into_iter().flatten().min()
    }

    /// Whether the program has slept until now. Nothing is over then: who was to do something had no time for it.
    pub(super) fn has_slept(&mut self) -> bool {
        let now = self.clock.now();
        let Some(slept) = self.wakefulness.notice(now, self.clock.unix_now()) else {
            return false;
        };
        self.timeouts.woken(slept, now);
        self.link.woken(slept, now);
        self.answers.woken(slept, now);
        true
    }

    /// A deadline may be over.
    pub(super) fn timed_out(&mut self) {
        if self.has_slept() {
            return;
        }
        let mut effects = self.app.say_again(self.clock.unix_now());
        effects.extend(self.app.tell_marks(self.clock.unix_now()));
        self.perform(effects);
        self.look_at_progress();
        let now = self.clock.now();
        let situation = self.situation();
        if self.timeouts.question_expired(&situation, now) {
            return self.app.stop_waiting(self.clock.unix_now());
        }
        match self.link.expired(self.watch(), now) {
            Some(LinkTimeout::NotResumed) => {
                return self.lose(unavailable("the server did not answer"));
            }
            Some(LinkTimeout::Silent) => return self.lose(unavailable("the server is silent")),
            Some(LinkTimeout::Quiet(number)) => {
                if let Some(frame) = self.app.ping(number) {
                    self.link.send(&frame, false);
                }
                return;
            }
            None => {}
        }
        if self.is_not_answered() {
            return self.lose(unavailable("the server does not confirm what was said"));
        }
        if !self.timeouts.stage_expired(&situation, now) {
            return;
        }
        match situation.stage {
            Stage::Chat => {}
            _ if self.is_leaving() => self.leave(),
            Stage::LastWords if !self.lacks_name() => self.closed(None),
            Stage::LastWords | Stage::Name => {
                self.fail(ending::no_name_left(self.app.was_refused()));
            }
            Stage::Drain => self.leave(),
            Stage::Login => {
                self.fail(unavailable("the server did not answer whether it accepts the name"));
            }
            Stage::Sending(_) => self.fail(unavailable(
                "the server does not take any more messages; the last ones may not have arrived",
            )),
            Stage::Moving(_) => {
                self.fail(unavailable("the server does not move the file any more"));
            }
            Stage::Owed(answers) if situation.unanswered == 0 => self.fail(
                unavailable("the server does not answer any more")
                    .detail(format!("answers that it owes: {answers}")),
            ),
            Stage::Owed(_) => self.fail(
                unavailable("the server does not confirm any more messages")
                    .detail(format!("not confirmed: {}", situation.unanswered)),
            ),
        }
    }
}
