//! The scheduler's view of a subject: the one trait by which the sides differ.

use std::{future::ready, time::Duration};

use conformance_kit::trace::Trace;
use futures_util::future::BoxFuture;

use crate::{
    case::{Judged, Row},
    report::CaseResult,
    verdict::Verdict,
};

/// One attempt at a case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) case: &'static Row,
    /// How often it was asked before.
    pub(crate) before: u8,
    /// Whether other cases ran at the same time.
    pub(crate) company: bool,
    pub(crate) footing: Footing,
}

/// What an attempt stands on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footing {
    /// Nobody else has used the subject before.
    pub(crate) fresh: bool,
    /// All that must come is given this part of the measured time. Who is asked again when nothing
    /// comes may be asked hurriedly at first.
    pub(crate) pace: f64,
}

impl Footing {
    /// A subject of its own, and all the time there is.
    pub(crate) const FIRM: Self = Self { fresh: true, pace: 1.0 };
}

/// What becomes of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It stands.
    Keep,
    /// The case is asked again, alone.
    Again,
}

/// What a subject itself printed about a case that did not pass.
#[derive(Debug, Default)]
pub(crate) struct Testimony {
    /// A better hint than the usual cause, when its output says what is wrong.
    pub(crate) hint: Option<String>,
    /// The end of its output, escaped.
    pub(crate) printed: String,
}

/// One subject of a run. What a default does is right for a subject that is started anew for every
/// case, as clients are.
pub(crate) trait Runner: Send {
    /// The side to which it belongs.
    type Side: Judged;

    /// Time since the run began.
    fn elapsed(&self) -> Duration;

    /// How many cases may run at the same time when so many are wanted.
    fn jobs(&self, wanted: usize) -> usize {
        wanted.max(1)
    }

    /// Makes the subject ready for an attempt; nobody else runs unless `company` says so.
    ///
    /// # Errors
    /// The verdict of a case that can't be asked, since the subject is gone.
    fn prepare(
        &mut self,
        _case: &'static Row,
        _before: u8,
        _company: bool,
    ) -> BoxFuture<'_, Result<Footing, Verdict>> {
        Box::pin(ready(Ok(Footing::FIRM)))
    }

    /// The type that a case acts with.
    fn hands(
        &self,
        case: &'static Row,
        footing: Footing,
        seed: u64,
    ) -> <Self::Side as Judged>::Hands;

    /// The trace of these hands.
    fn trace(hands: &<Self::Side as Judged>::Hands) -> &Trace;

    /// After how long a case is given up.
    fn limit(hands: &<Self::Side as Judged>::Hands) -> Duration;

    /// Ends what the case left open.
    fn finish(_hands: &mut <Self::Side as Judged>::Hands) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    /// Why a case is not asked whatever its needs say.
    fn excuse(&self, _case: &Row) -> Option<Verdict> {
        None
    }

    /// Whether a need failed, but the suite has found another way to speak.
    fn spoken_around(&self, _case: &Row, _need: &str) -> bool {
        false
    }

    /// What the subject printed while a case ran; only looked at when the case did not pass.
    fn testimony(_hands: &<Self::Side as Judged>::Hands, _case: &Row) -> Testimony {
        Testimony::default()
    }

    /// Looks at a result and at the subject: whether the result stands, and what else is to be said.
    /// A result that came in the company of other cases is no reason for a failure.
    fn after<'a>(&'a mut self, turn: Turn, result: &'a mut CaseResult) -> BoxFuture<'a, Next> {
        let again = turn.company && turn.before == 0 && !result.verdict.carries();
        if turn.before > 0 && result.verdict.carries() {
            result.flaky = Some("passed alone, and not in the company of others".to_owned());
        }
        Box::pin(ready(if again { Next::Again } else { Next::Keep }))
    }
}
